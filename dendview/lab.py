"""Spike lab as the window keeps it: studies that run or ran, a preview, the effect of spines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Literal

import numpy as np

from dendview.spine_places import DrawnSpines, aside, places
from dendview.wording import number, plural
from engine.experiments.proportions import Interval, difference
from engine.experiments.spike_probability import Curve, CurvePoint, curves, text_of
from engine.experiments.spike_study import (
    Condition,
    SpikeStudy,
    Trial,
    is_clustered,
    is_full,
)
from engine.experiments.spike_trials import Outcome, background_sites, prepare, stimulus_sites
from engine.experiments.spine_effect import SpineEffect
from engine.stimuli import Site
from engine.types import FloatArray

TITLES: dict[Condition, str] = {
    "few-distributed": "few spines, distributed",
    "few-clustered": "few spines, clustered",
    "full-distributed": "all spines, distributed",
    "full-clustered": "all spines, clustered",
}
LabState = Literal["running", "stopped", "done", "failed"]
TrialState = Literal["waiting", "running", "fired", "silent", "failed"]
Point = tuple[Condition, int]
"""A condition and its number of synapses."""


@dataclass(frozen=True, eq=False)
class LabRun:
    """A study that runs or ran.

    Attributes
    ----------
    number : int
        From 1.
    study : SpikeStudy
    folder : str
        Holds its finished trials.
    outcomes : mapping
        Of the trials that are finished.
    curves : tuple of Curve
    state
    n_running : int
        Trials at work.
    remaining : float or None
        s until the end.
    why : str
        It stopped or failed, in one sentence.
    """

    number: int
    study: SpikeStudy
    folder: str
    outcomes: Mapping[Trial, Outcome] = field(default_factory=dict)
    curves: tuple[Curve, ...] = ()
    state: LabState = "running"
    n_running: int = 0
    remaining: float | None = None
    why: str = ""

    @property
    def n_done(self) -> int:
        return len(self.outcomes)

    @property
    def n_failed(self) -> int:
        return sum(outcome.failed is not None for outcome in self.outcomes.values())

    @property
    def title(self) -> str:
        """``Study 2 · few, clustered``."""
        return f"Study {self.number} · {conditions_text(self.study.conditions)}"


@dataclass(frozen=True, eq=False)
class LabPreview:
    """Where the synapses of a trial and the spines of its model sit, in µm as in the file.

    Attributes
    ----------
    study, trial
    active, active_tip : (n, 3)
        Foot of the neck and end of the head of every spine that is reached at once.
    background : (m, 3)
        Where the background's synapses sit.
    other, other_tip : (k, 3)
        All further spines of the full model; empty for the few one.
    on_spine : (n,) bool
        Which of the active synapses sit on a spine, the others on the shaft.
    drawn : DrawnSpines
        All of it for the 3-D view.
    """

    study: SpikeStudy
    trial: Trial
    active: FloatArray
    active_tip: FloatArray
    on_spine: np.ndarray
    background: FloatArray
    other: FloatArray
    other_tip: FloatArray
    drawn: DrawnSpines

    @property
    def caption(self) -> str:
        """What is drawn, in one line."""
        where = (
            f"{plural(self.trial.n_synapses, 'synapse')} in "
            f"{plural(self.trial.n_synapses // self.study.input.cluster_size, 'cluster')}"
            if is_clustered(self.trial.condition)
            else f"{plural(self.trial.n_synapses, 'synapse')} anywhere"
        )
        spines = (
            plural(len(self.other) + int(self.on_spine.sum()), "spine")
            if is_full(self.trial.condition)
            else "spines under them only"
        )
        return (
            f"{where} · {spines} · {len(self.background)} background synapses · seed "
            f"{self.study.seed}, trial {self.trial.number + 1}"
        )


@dataclass(frozen=True)
class LabEffect:
    """What the spines of a study do: ``effect`` of each model, or ``error`` on why it is not known.

    ``pending`` while it is computed.
    """

    study: SpikeStudy
    effects: tuple[tuple[Literal["few", "full"], SpineEffect], ...] = ()
    pending: bool = False
    error: str = ""


def with_outcomes(run: LabRun, outcomes: Sequence[Outcome]) -> LabRun:
    """A run with more finished trials, and its curves."""
    wanted = run.study.points
    found = {**run.outcomes}
    for outcome in outcomes:
        if outcome.trial.n_synapses in wanted(outcome.trial.condition):
            found[outcome.trial] = outcome
    return replace(run, outcomes=found, curves=curves(run.study, found.values()))


def conditions_text(conditions: Sequence[Condition]) -> str:
    """``few spines``, ``all spines, clustered`` or ``all four``."""
    models = {is_full(c) for c in conditions}
    patterns = {is_clustered(c) for c in conditions}
    if len(conditions) == 1:
        return TITLES[conditions[0]]
    if len(conditions) == 2 and len(models) == 1:
        return "all spines" if True in models else "few spines"
    if len(conditions) == 2 and len(patterns) == 1:
        return f"few and all spines, {'clustered' if True in patterns else 'distributed'}"
    return "few and all spines"


def state_of(run: LabRun, trial: Trial, at_work: frozenset[Trial]) -> TrialState:
    """How a trial stands."""
    outcome = run.outcomes.get(trial)
    if outcome is None:
        return "running" if trial in at_work else "waiting"
    if outcome.failed is not None:
        return "failed"
    return "fired" if outcome.fired else "silent"


def at_work(run: LabRun) -> frozenset[Trial]:
    """The trials that are computed now: the first that are missing, few spines first."""
    if run.state != "running" or not run.n_running:
        return frozenset()
    missing = [trial for trial in run.study.trials() if trial not in run.outcomes]
    missing.sort(key=lambda trial: is_full(trial.condition))
    return frozenset(missing[: run.n_running])


def points_of(study: SpikeStudy) -> tuple[Point, ...]:
    """All points of a study, condition by condition."""
    return tuple((c, n) for c in study.conditions for n in study.points(c))


def progress_text(run: LabRun) -> str:
    """``412 of 1 150 trials``, with how it stands."""
    text = f"{number(run.n_done)} of {plural(run.study.n_total, 'trial')}"
    if run.n_failed:
        text += f", {run.n_failed} failed"
    words = {"running": "", "stopped": "stopped", "done": "done", "failed": "failed"}
    return f"{text} · {words[run.state]}" if words[run.state] else text


def half_text(curve: Curve) -> str:
    """``few spines, distributed: half at 114.2 (112.0 to 116.5)``."""
    half = "—" if curve.half is None else text_of(curve.half.at, 1)
    return f"{TITLES[curve.condition]}: {half}"


PAIRS: tuple[tuple[Condition, Condition, str], ...] = (
    ("few-distributed", "full-distributed", "All spines − few spines, distributed"),
    ("few-clustered", "full-clustered", "All spines − few spines, clustered"),
    ("few-distributed", "few-clustered", "Clustered − distributed, few spines"),
    ("full-distributed", "full-clustered", "Clustered − distributed, all spines"),
)
"""Conditions whose half points are compared: the second minus the first."""


def shifts_of(curves: Sequence[Curve]) -> dict[tuple[Condition, Condition], Interval]:
    """How many synapses more the second condition of each of :data:`PAIRS` needs."""
    half = {curve.condition: curve.half for curve in curves}
    found = {}
    for one, other, _ in PAIRS:
        a, b = half.get(one), half.get(other)
        if a is not None and b is not None:
            found[one, other] = difference(a, b)
    return found


def shift_texts(curves: Sequence[Curve]) -> tuple[str, ...]:
    """The same as sentences."""
    found = shifts_of(curves)
    return tuple(
        f"{title}: {text_of(found[one, other], 1)} synapses"
        for one, other, title in PAIRS
        if (one, other) in found
    )


def short_text(interval: Interval) -> str:
    """``112.3 (109.9…114.6)``; ``?`` where an end is open."""

    def digits(x: float) -> str:
        return f"{x:.1f}".replace("-", "−") if np.isfinite(x) else "?"

    return f"{digits(interval.value)} ({digits(interval.low)}…{digits(interval.high)})"


def point_text(curve: Curve, point: CurvePoint) -> str:
    """All that is known of a point of a curve."""
    lines = [f"{TITLES[curve.condition]}: {plural(point.n_synapses, 'synapse')}"]
    if point.n:
        lines.append(f"{point.fired} of {plural(point.n, 'trial')} fired")
        lines.append(f"p = {text_of(point.probability)} (Wilson 95 %)")
    else:
        lines.append("no trial is finished yet")
    if point.failed:
        lines.append(f"{point.failed} failed")
    if (known := curve.published.get(point.n_synapses)) is not None:
        lines.append(f"published: {known:.2f}")
    return "\n".join(lines)


def trial_text(outcome: Outcome | None, seed: int, trial: Trial) -> str:
    """One line on a trial for the list."""
    head = f"{trial.number + 1} · seed {seed}/{trial.number + 1}"
    if outcome is None:
        return f"{head} · not finished"
    if outcome.failed is not None:
        return f"✕ {head} · {outcome.failed}"
    if not outcome.spikes:
        return f"○ {head} · silent"
    times = ", ".join(f"{t:.1f}" for t in outcome.spikes[:3])
    more = f" and {len(outcome.spikes) - 3} more" if len(outcome.spikes) > 3 else ""
    return f"● {head} · {times}{more} ms"


# The preview


def make_preview(study: SpikeStudy, trial: Trial) -> LabPreview:
    """Find where everything of a trial sits; takes up to a second for a new cell.

    Raises
    ------
    UserError
        If the study's cell cannot be used.
    """
    prepared = prepare(study)
    tree, full = prepared.tree, is_full(trial.condition)
    sections = tree.sections
    sites = stimulus_sites(study, trial)
    nodes = [tree.locate(site.section, site.x) for site in sites]
    bears = np.array([not full or prepared.spines[node] > 0 for node in nodes], bool)
    shape = study.spines.shape
    reach = shape.neck_length + shape.head_length
    rng = np.random.default_rng(study.seed)  # the side a spine looks to has no meaning
    other_sites: list[Site] = []
    if full:
        for node in np.flatnonzero(prepared.spines):
            count = int(prepared.spines[node])
            name = sections.name[tree.section[node]]
            half = _half_width(tree.section, int(tree.section[node]))
            for x in tree.x[node] + half * (2 * (np.arange(count) + 0.5) / count - 1):
                other_sites.append(Site(name, float(np.clip(x, 0.0, 1.0))))

    def standing(sites: Sequence[Site], reach: float) -> tuple[FloatArray, FloatArray]:
        at, along, radius = places(sections, sites)
        return at, at + (radius + reach)[:, None] * aside(along, rng)

    foot, tip = standing(sites, reach)
    other, other_tip = standing(other_sites, reach)
    behind, behind_dot = standing(background_sites(study, trial), 0.0)
    _, shaft_dot = standing([site for site, on in zip(sites, bears, strict=True) if not on], 0.0)
    n_active, n_all = int(bears.sum()), int(bears.sum()) + len(other)
    drawn = DrawnSpines(
        foot=np.concatenate([foot[bears], other]),
        tip=np.concatenate([tip[bears], other_tip]),
        neck_radius=np.full(n_all, shape.neck_diameter / 2),
        head_radius=np.full(n_all, shape.head_diameter / 2),
        head_length=np.full(n_all, shape.head_length),
        active=np.arange(n_all) < n_active,
        dots=np.concatenate([shaft_dot, behind_dot]),
        dot_active=np.arange(len(shaft_dot) + len(behind_dot)) < len(shaft_dot),
    )
    return LabPreview(study, trial, foot, tip, bears, behind, other, other_tip, drawn)


def _half_width(section: np.ndarray, index: int) -> float:
    """Half of a node's share of its section, in parts of the section."""
    return 0.5 / max(_counts(section.tobytes(), section.dtype.str)[index], 1)


@lru_cache(maxsize=2)
def _counts(section: bytes, kind: str) -> np.ndarray:
    return np.bincount(np.frombuffer(section, np.dtype(kind)))
