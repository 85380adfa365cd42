"""Spike lab: how many synapses make a neuron fire, and how that depends on where they sit.

A study is a cell, a grid of numbers of synapses in up to four conditions, and so many trials at
every point. In each trial a background of Poisson trains runs for the whole time, and all chosen
synapses are reached at one moment; asked is whether the soma fires. After Zhang, He, Ma et al.,
Nat. Commun. 14:5798 (2023), Fig. 5, on the cell of Eyal et al., Front. Cell. Neurosci. 12:181
(2018).
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from engine import codec, experiment
from engine.errors import FileError, UserError
from engine.experiment import Experiment, from_json
from engine.spines import SpineDensity

Condition = Literal["few-distributed", "few-clustered", "full-distributed", "full-clustered"]
CONDITIONS: tuple[Condition, ...] = get_args(Condition)
GROUPS: dict[str, tuple[Condition, ...]] = {
    **{name: (name,) for name in CONDITIONS},
    "few": ("few-distributed", "few-clustered"),
    "full": ("full-distributed", "full-clustered"),
    "all": CONDITIONS,
}
"""What may be asked for, and the conditions it means."""
DENSITY = SpineDensity()
FORMAT = "dendview-spike-lab"
VERSION = 1


@dataclass(frozen=True)
class Input:
    """The synapses whose number is asked about; all are reached at once.

    Attributes
    ----------
    time, delay : ms
        Of the one event, and from it to its arrival.
    ampa, nmda : µS
        Peak conductances, the latter without the magnesium block.
    cluster_size
        Synapses in a cluster.
    cluster_span : µm
        Of cable that a cluster lies on.
    """

    time: float = 531.4
    delay: float = 0.0
    ampa: float = 0.00073027
    nmda: float = 0.00131038
    cluster_size: int = 20
    cluster_span: float = 20.0


@dataclass(frozen=True)
class Background:
    """Synapses anywhere on the dendrites, each with a Poisson train of its own.

    ``rate`` in Hz from ``start`` (ms) on, ``delay`` in ms. The AMPA conductance is that of the
    input; NMDA that of the input times a number between ``low`` and ``high``, drawn for each.
    """

    n_trains: int = 400
    rate: float = 1.0
    start: float = 10.0
    delay: float = 1.0
    low: float = 1.2
    high: float = 2.5


@dataclass(frozen=True)
class SpikeStudy:
    """Everything about a spike-probability run; the same study gives the same spikes.

    Attributes
    ----------
    cell : Experiment
        Morphology, cut and membrane without any spines, time step and duration, spike site and
        threshold. What is recorded and stimulated on it plays no role.
    conditions
        ``few``: the spines are a factor on the membrane, and only the active synapses have explicit
        ones; the background sits on the shaft. ``full``: every spine is there, and all synapses sit
        on spines where the dendrite has some. ``distributed`` over the whole dendrite, or in
        ``clustered`` groups.
    distributed : numbers of synapses
    clusters : numbers of clusters
    n_trials
        At every point.
    seed
        All places, trains and weights follow from it.
    input, background
    spines : SpineDensity
        Of the full condition; its shape is that of the explicit spines in either.
    factor
        On capacitance and leak where spines would be, in the few condition.
    mechanism
        A POINT_PROCESS with two weights, AMPA and NMDA.
    name
    """

    cell: Experiment
    conditions: tuple[Condition, ...] = ("few-distributed", "few-clustered")
    distributed: tuple[int, ...] = ()
    clusters: tuple[int, ...] = ()
    n_trials: int = 50
    seed: int = 1
    input: Input = Input()
    background: Background = Background()
    spines: SpineDensity = DENSITY
    factor: float = 1.9
    mechanism: str = "AMPANMDA"
    name: str = ""

    def points(self, condition: Condition) -> tuple[int, ...]:
        """Numbers of synapses, ascending."""
        if is_clustered(condition):
            return tuple(sorted(c * self.input.cluster_size for c in self.clusters))
        return tuple(sorted(self.distributed))

    def trials(self) -> Iterator["Trial"]:
        """All trials: the first of every point, then the second, so that curves grow evenly."""
        for number in range(self.n_trials):
            for condition in self.conditions:
                for n_synapses in self.points(condition):
                    yield Trial(condition, n_synapses, number)

    @property
    def n_total(self) -> int:
        """Trials of the whole study."""
        return self.n_trials * sum(len(self.points(c)) for c in self.conditions)


@dataclass(frozen=True, order=True)
class Trial:
    """One run of the cell: which condition, how many synapses, and its number from 0."""

    condition: Condition
    n_synapses: int
    number: int

    def __str__(self) -> str:
        return f"{self.condition}, {self.n_synapses} synapses, trial {self.number + 1}"


def is_clustered(condition: Condition) -> bool:
    return condition.endswith("clustered")


def is_full(condition: Condition) -> bool:
    return condition.startswith("full")


def check(study: SpikeStudy) -> None:
    """Refuse a study that cannot be run.

    Raises
    ------
    UserError
        Says which number, why, and what to do.
    """
    if not study.conditions:
        raise UserError(f"the study has no condition; choose from {', '.join(CONDITIONS)}")
    if len(set(study.conditions)) < len(study.conditions):
        raise UserError("the study names a condition twice; name each once")
    if study.n_trials < 1:
        raise UserError(f"{study.n_trials} trials tell nothing; ask for at least 1, such as 50")
    if study.input.cluster_size < 1:
        raise UserError("a cluster of no synapses cannot be placed; ask for at least 1 in each")
    for condition in study.conditions:
        points = study.points(condition)
        what = "clusters" if is_clustered(condition) else "distributed"
        if not points:
            raise UserError(f"the condition {condition} has no points; give '{what}' some numbers")
        if points[0] < 0 or len(set(points)) < len(points):
            raise UserError(
                f"'{what}' has numbers below 0 or one twice; write different numbers from 0 on"
            )
    given, back, duration = study.input, study.background, study.cell.duration
    for what, value in (
        *(("the input's " + name, value) for name, value in vars(given).items()),
        *(("the background's " + name, value) for name, value in vars(back).items()),
        ("the factor for spines", study.factor),
    ):
        if not (math.isfinite(value) and value >= 0):
            raise UserError(f"{what} is {value}; write a number of 0 or more")
    if not 0 <= given.time + given.delay < duration:
        raise UserError(
            f"the synapses are reached at {given.time + given.delay:g} ms, but a trial ends at "
            f"{duration:g} ms; make it longer than that"
        )
    if back.high < back.low:
        raise UserError(
            f"the background's NMDA factor lies between {back.low:g} and {back.high:g}; exchange "
            "the two"
        )
    if study.factor <= 0:
        raise UserError("the factor for spines is 0; write 1 for a dendrite without spines")
    study.spines.check("the spines")


def bare(cell: Experiment) -> Experiment:
    """A cell's membrane without spines or a factor for them, and nothing put on the cell."""
    return replace(
        cell,
        stimuli=(), probes=(), waveforms=(), voltage_clamps=(), synapses=(), gap_junctions=(),
        spines=(), spine_density=(), f_factors=(),
    )  # fmt: skip


def to_json(study: SpikeStudy) -> str:
    """JSON text with a format version; :func:`study_from_json` gives an equal study back."""
    body = {"format": FORMAT, "version": VERSION, **codec.encode(study)}
    return json.dumps(body, indent=2, ensure_ascii=False) + "\n"


def study_from_json(text: str, source: Path) -> SpikeStudy:
    """Read a study.

    Parameters
    ----------
    text
        What :func:`to_json` wrote.
    source
        The file it came from; a relative morphology is meant relative to it.

    Raises
    ------
    FileError
        Where a field is missing, unknown or of the wrong kind.
    """
    try:
        body = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise FileError(source, f"this is not JSON ({error})", "give a study.json") from None
    if not isinstance(body, dict) or body.pop("format", None) != FORMAT:
        what = "this JSON is no study of spike probabilities"
        raise FileError(source, what, f'it needs "format": "{FORMAT}"')
    if (version := body.pop("version", None)) != VERSION:
        what = f"format version {version} is not known to this program, which reads {VERSION}"
        raise FileError(source, what, "open it with another DendView")
    try:
        study = codec.decode(SpikeStudy, body)
    except codec.FieldError as error:
        raise FileError(source, f"field '{error.where}': {error.what}", error.fix) from None
    return replace(study, cell=from_json(experiment.to_json(study.cell), source))


def read_study(path: Path) -> SpikeStudy:
    """The study of a file.

    Raises
    ------
    FileError
        If it cannot be read or is none.
    """
    try:
        return study_from_json(path.read_text(encoding="utf-8"), path)
    except UnicodeDecodeError:
        raise FileError(path, "this is not a text file", "give a study.json") from None
    except OSError as error:
        what = f"the study cannot be read ({error.strerror or error})"
        raise FileError(path, what, "give the study.json of a run") from None
