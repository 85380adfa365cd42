"""Trials of a study as experiments, and slices of them run side by side."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from engine.backends.base import Backend
from engine.biophysics import Painter
from engine.compartments import CompartmentTree
from engine.errors import UserError
from engine.experiment import Experiment, Probe
from engine.experiments.placement import (
    Cable,
    Key,
    Stream,
    cable_of,
    clustered,
    distributed,
    factors,
    poisson_trains,
)
from engine.experiments.spike_study import SpikeStudy, Trial, is_clustered, is_full
from engine.model import Model, build_batch, cut, step_count, with_axon
from engine.morphology.model import Sections
from engine.morphology.reading import read_morphology
from engine.morphology.samples import resolve
from engine.morphology.sections import make_sections
from engine.recording import Chunk
from engine.regions import Subset
from engine.simulation import simulate
from engine.spines import FFactor, Spine, on_spine
from engine.stimuli import Site
from engine.synapses import SpikeTrain, Synapse
from engine.twigs import density_counts, f_factor
from engine.types import BackendName, IntArray

LEAST = 4
"""Instances that are run at least: fewer take a loop of their own, which costs more to compile."""
CHUNKS_PER_SECOND = 2.0
"""Nobody looks at the chunks of a trial."""
REPLAY_PROBES = 6
"""Spines and shafts recorded in a replay beside the soma."""


@dataclass(frozen=True)
class Outcome:
    """What became of a trial.

    Attributes
    ----------
    trial : Trial
    spikes : tuple of float
        ms, at the study's spike site.
    seconds : float
        Of wall time it took, an equal part of its slice's.
    failed : str or None
        One sentence on why it has no outcome.
    """

    trial: Trial
    spikes: tuple[float, ...] = ()
    seconds: float = 0.0
    failed: str | None = None

    @property
    def fired(self) -> bool:
        return bool(self.spikes)


@dataclass(frozen=True)
class Slice:
    """Trials of one model to be run side by side, with all that a worker must know."""

    study: SpikeStudy
    trials: tuple[Trial, ...]
    backend: BackendName = "auto"


@dataclass(frozen=True, eq=False)
class Prepared:
    """What all trials of a study share.

    Attributes
    ----------
    sections : Sections
        Of the whole reconstruction.
    cable : Cable
        Where synapses may sit.
    tree : CompartmentTree
    spines : (n_comp,) int32
        Of the full model, at every node.
    """

    sections: Sections
    cable: Cable
    tree: CompartmentTree
    spines: IntArray


@lru_cache(maxsize=4)
def prepare(study: SpikeStudy) -> Prepared:
    """Read the cell of a study and cut it; kept for the next trials."""
    sections = make_sections(read_morphology(resolve(study.cell.morphology)))
    tree = cut(study.cell, sections)
    return Prepared(
        sections=sections,
        cable=cable_of(with_axon(sections, study.cell)),
        tree=tree,
        spines=density_counts(study.spines, Painter(tree)),
    )


def area_factor(study: SpikeStudy) -> float:
    """(dendrite + spine heads) / dendrite in membrane area, where the study's spines would be.

    Raises
    ------
    UserError
        If no segment bears a spine.
    """
    return f_factor(prepare(study).tree, study.spines)


def case_of(trial: Trial) -> tuple[int, int]:
    """The key of a trial's random numbers: the same for the few and the full model."""
    return int(is_clustered(trial.condition)), trial.n_synapses


def stimulus_sites(study: SpikeStudy, trial: Trial) -> tuple[Site, ...]:
    """Where the synapses of a trial sit on the dendrites, as preview and run place them."""
    cable = prepare(study).cable
    key, given = Key(study.seed, case_of(trial), trial.number), study.input
    if is_clustered(trial.condition):
        count = trial.n_synapses // given.cluster_size
        width = given.cluster_span
        return clustered(cable, count, given.cluster_size, width, key, Stream.STIMULUS)
    return distributed(cable, trial.n_synapses, key, Stream.STIMULUS)


def background_sites(study: SpikeStudy, trial: Trial) -> tuple[Site, ...]:
    """Where the background of a trial sits on the dendrites."""
    key = Key(study.seed, case_of(trial), trial.number)
    count = study.background.n_trains
    return distributed(prepare(study).cable, count, key, Stream.BACKGROUND_PLACE)


def trial_experiment(study: SpikeStudy, trial: Trial) -> Experiment:
    """One trial as an experiment of its own: run alone it gives the spikes it has in the study.

    Parameters
    ----------
    study
    trial

    Notes
    -----
    The background comes first. In the full model a synapse takes one of the spines of its segment,
    a further one where all are taken, and sits on the shaft where there are none.
    """
    prepared, cell = prepare(study), study.cell
    key, back, given = Key(study.seed, case_of(trial), trial.number), study.background, study.input
    full = is_full(trial.condition)
    spines: list[Spine] = []

    def on(site: Site, own_spine: bool) -> Site:
        """The end of a new spine's head there, or the shaft."""
        if not own_spine:
            return site
        spines.append(Spine(site, study.spines.shape, taken=full))
        return on_spine("end", len(spines) - 1)

    def bearing(sites: Sequence[Site]) -> list[bool]:
        """Which of the places have spines."""
        node = prepared.tree.locate_all([s.section for s in sites], [s.x for s in sites])
        found: list[bool] = (prepared.spines[node] > 0).tolist()
        return found if full else [False] * len(found)

    stop = step_count(cell) * cell.dt
    trains = poisson_trains(back.n_trains, back.rate, back.start, stop, cell.dt, key)
    strength = factors(back.n_trains, back.low, back.high, key)
    there = background_sites(study, trial)
    behind = [
        Synapse(
            on(site, bears), study.mechanism, (), (given.ampa, given.nmda * factor),
            SpikeTrain(times), back.delay,
        )
        for site, bears, times, factor in zip(there, bearing(there), trains, strength, strict=True)
    ]  # fmt: skip
    once = SpikeTrain((given.time,))
    there = stimulus_sites(study, trial)
    asked = [
        Synapse(
            on(site, not full or bears), study.mechanism, (), (given.ampa, given.nmda), once,
            given.delay,
        )
        for site, bears in zip(there, bearing(there), strict=True)
    ]  # fmt: skip
    return replace(
        cell,
        synapses=(*behind, *asked),
        spines=tuple(spines),
        spine_density=(study.spines,) if full else (),
        f_factors=() if full else (f_factor_of(study),),
        probes=(),
        frame_interval=cell.duration,
        seed=study.seed,
        name=str(trial),
    )


def f_factor_of(study: SpikeStudy) -> FFactor:
    """What stands for the spines where they are not there."""
    beyond = Subset(farther=study.spines.min_distance)
    return FFactor(study.factor, study.spines.region, study.spines.where or beyond)


def replay(study: SpikeStudy, trial: Trial, frame_interval: float = 0.5) -> Experiment:
    """A trial to look at: the same run, with frames of the whole cell and traces.

    Recorded are the soma and, of a few synapses spread over those that are asked about, the head of
    the spine and the dendrite below it.

    Parameters
    ----------
    study
    trial
    frame_interval : ms
    """
    given = trial_experiment(study, trial)
    sites = stimulus_sites(study, trial)
    asked = given.synapses[len(given.synapses) - len(sites) :]
    soma = given.spike_site or Site(prepare(study).tree.sections.name[0])
    probes = [Probe(soma)]
    step = max(1, -(-2 * len(sites) // REPLAY_PROBES))
    for site, synapse in list(zip(sites, asked, strict=True))[::step]:
        probes += [Probe(place) for place in dict.fromkeys((synapse.site, site))]
    return replace(given, probes=tuple(probes), frame_interval=frame_interval)


def replay_run(
    study: SpikeStudy,
    trial: Trial,
    frame_interval: float = 0.5,
    backend: BackendName | Backend = "auto",
    chunks_per_second: float = 30.0,
) -> tuple[Model, Iterator[Chunk]]:
    """Run the :func:`replay` of a trial with the machine code that its trial was run with.

    A cell alone has a loop of its own, whose compilation takes longer than the replay.

    Returns
    -------
    model, chunks
        Of one instance, for a :class:`engine.recording.RecordingBuilder`; the run itself has
        several equal ones.
    """
    experiment = replay(study, trial, frame_interval)
    model = build_batch([experiment] * LEAST, prepare(study).sections)

    def first() -> Iterator[Chunk]:
        for chunk in simulate(model, backend, chunks_per_second, threads=1):
            spikes = chunk.spikes[chunk.spikes[:, 0] == 0]
            yield replace(chunk, traces=chunk.traces[:, :1], spikes=spikes)

    return replace(model, n_instance=1), first()


def run_slice(given: Slice) -> tuple[Outcome, ...]:
    """Run the trials of a slice side by side, on one core.

    Where the voltages of a trial leave what a membrane can have, that trial alone fails; where a
    slice is too large for the memory, it is run in halves.

    Returns
    -------
    One outcome a trial, in their order.
    """
    begin = time.perf_counter()
    outcomes = _outcomes(given)
    each = (time.perf_counter() - begin) / len(given.trials)
    return tuple(replace(outcome, seconds=each) for outcome in outcomes)


def _outcomes(given: Slice) -> list[Outcome]:
    try:
        found = _spikes(given)
    except UserError as error:
        if len(given.trials) == 1:
            return [Outcome(given.trials[0], failed=str(error))]
        middle = len(given.trials) // 2
        halves = given.trials[:middle], given.trials[middle:]
        return [outcome for half in halves for outcome in _outcomes(replace(given, trials=half))]
    return [Outcome(trial, spikes) for trial, spikes in zip(given.trials, found, strict=True)]


def _spikes(given: Slice) -> list[tuple[float, ...]]:
    """Spike times in ms of every trial."""
    experiments = [trial_experiment(given.study, trial) for trial in given.trials]
    experiments += experiments[-1:] * (LEAST - len(experiments))
    model = build_batch(experiments, prepare(given.study).sections)
    spikes: list[list[float]] = [[] for _ in experiments]
    for chunk in simulate(model, given.backend, chunks_per_second=CHUNKS_PER_SECOND, threads=1):
        for instance, when in chunk.spikes.tolist():
            spikes[int(instance)].append(when)
    return [tuple(sorted(times)) for times in spikes[: len(given.trials)]]


def slices(
    study: SpikeStudy, trials: Sequence[Trial], size: int, backend: BackendName = "auto"
) -> list[Slice]:
    """Trials in slices of one model (few or full spines), in the order of their numbers.

    Parameters
    ----------
    study
    trials
    size
        Trials in a slice; the last one of a model may hold fewer.
    backend
    """
    found = []
    for full in (False, True):
        mine = [trial for trial in trials if is_full(trial.condition) == full]
        found += [
            Slice(study, tuple(mine[k : k + size]), backend) for k in range(0, len(mine), size)
        ]
    return sorted(found, key=lambda one: one.trials[0].number)
