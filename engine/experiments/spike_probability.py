"""Run a study: trials in slices on many workers, curves that grow as trials finish."""

import math
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from engine.backends import choose_backend
from engine.errors import BackendError
from engine.executor import Done, LocalPool, Pool, Result, Task, run_tasks
from engine.experiments.proportions import HalfPoint, Interval, deviation_band, half_point, wilson
from engine.experiments.published_spikes import published
from engine.experiments.spike_store import TrialStore
from engine.experiments.spike_study import Condition, SpikeStudy, check
from engine.experiments.spike_trials import Outcome, Slice, prepare, run_slice, slices
from engine.mechanisms.lanes import WIDTH
from engine.precision import parts
from engine.types import BackendName

MOST_ON_DEVICE = 1024
"""Trials in a slice on a GPU; on the CPU as many as are computed side by side."""


@dataclass(frozen=True)
class CurvePoint:
    """A point of a spike-probability curve.

    Attributes
    ----------
    n_synapses
    n, fired, failed
        Finished trials, those with a spike, and those without an outcome, which stay in ``n``.
    probability : Interval
        fired / n with Wilson's 95 % interval; failed trials widen it upwards.
    band : (low, high)
        Mean ± SD of the single outcomes, the publication's way.
    """

    n_synapses: int
    n: int
    fired: int
    failed: int
    probability: Interval
    band: tuple[float, float]


@dataclass(frozen=True)
class Curve:
    """What a condition has given so far.

    ``points`` of ascending numbers of synapses, those without finished trials included; ``half`` as
    :func:`engine.experiments.proportions.half_point` tells it.
    """

    condition: Condition
    points: tuple[CurvePoint, ...]
    half: HalfPoint | None

    @property
    def published(self) -> dict[int, float]:
        """Published probability by number of synapses."""
        return published(self.condition)


@dataclass(frozen=True, eq=False)
class Progress:
    """How far a run is.

    Attributes
    ----------
    finished : tuple of Outcome
        New since the last one; the first one holds all that were there before (resumed).
    n_done, n_total : int
        Trials.
    n_running : int
        Trials at work.
    seconds_left : float or None
        None until a first slice has told how fast this machine is.
    n_restart : int
        Times that workers died; what they were doing is done again.
    """

    finished: tuple[Outcome, ...]
    n_done: int
    n_total: int
    n_running: int
    seconds_left: float | None
    n_restart: int = 0


def run_study(
    study: SpikeStudy,
    folder: Path,
    *,
    pool: Pool | None = None,
    backend: BackendName = "auto",
    resume: bool = False,
) -> Generator[Progress, None, None]:
    """Run what is missing of a study.

    Parameters
    ----------
    study
    folder
        Where finished trials are kept, see :class:`engine.experiments.spike_store.TrialStore`.
    pool
        Workers; by default one process for every core, or one for a GPU.
    backend
    resume
        Go on with the trials in the folder.

    Yields
    ------
    Progress
        Several times a second. Closing the generator ends the workers at once; the trials at work
        are lost, all others are in the folder.

    Raises
    ------
    UserError
        If the study or the folder cannot be used.
    """
    check(study)
    prepare(study)  # a cell that cannot be read is told here and not once a slice
    with TrialStore(folder, study, resume) as store:
        wanted = list(study.trials())
        todo = [trial for trial in wanted if trial not in store.finished]
        before = tuple(store.finished[trial] for trial in wanted if trial in store.finished)
        total, done = len(wanted), len(before)
        yield Progress(before, done, total, 0, 0.0 if not todo else None)
        if not todo:
            return
        device = on_device(backend)
        pool = Watched(pool or LocalPool(1 if device else None))
        tasks = slices(study, todo, MOST_ON_DEVICE if device else WIDTH, backend)
        clock = Clock(len(todo))
        with closing(run_tasks(pool, run_slice, tasks)) as run:
            for ended in run:
                outcomes = () if ended is None else outcomes_of(ended)
                if outcomes:
                    store.add(outcomes)
                    done += len(outcomes)
                    clock.add(len(outcomes))
                running = min(total - done, pool.size * len(tasks[0].trials))
                yield Progress(outcomes, done, total, running, clock.left(), pool.n_restart)


class Watched:
    """A pool that counts how often its workers were replaced."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.n_restart = 0

    @property
    def size(self) -> int:
        return self._pool.size

    def submit(self, work: Callable[[Task], Result], task: Task) -> "Future[Result]":
        return self._pool.submit(work, task)

    def restart(self) -> None:
        self.n_restart += 1
        self._pool.restart()

    def stop(self) -> None:
        self._pool.stop()


def on_device(backend: BackendName) -> bool:
    """Whether trials are run on a GPU.

    Raises
    ------
    BackendError
        If that is asked for and cannot be.
    """
    try:
        return backend != "cpu" and choose_backend("gpu").name == "gpu"
    except BackendError:
        if parts(backend)[0] == "gpu":
            raise
        return False


class Clock:
    """Tells the remaining time from the trials that have ended.

    Parameters
    ----------
    n_trial
        To be run.
    """

    def __init__(self, n_trial: int) -> None:
        self._n_trial, self._n_done = n_trial, 0
        self._begin = self._last = time.monotonic()

    def add(self, n_trial: int) -> None:
        """So many more trials have ended."""
        self._n_done += n_trial
        self._last = time.monotonic()

    def left(self) -> float | None:
        """Seconds until all have ended, None before the first."""
        if not self._n_done:
            return None
        rate = (self._last - self._begin) / self._n_done
        since = time.monotonic() - self._last
        return max(0.0, rate * (self._n_trial - self._n_done) - since)


def outcomes_of(ended: Done[Slice, tuple[Outcome, ...]]) -> tuple[Outcome, ...]:
    """The outcomes of a slice; of one that was lost as a whole, why each of its trials failed."""
    if ended.result is not None:
        return ended.result
    return tuple(Outcome(trial, failed=ended.failed) for trial in ended.task.trials)


def curves(study: SpikeStudy, outcomes: Iterable[Outcome]) -> tuple[Curve, ...]:
    """The curve of every condition of a study, from the trials that are finished."""
    of: dict[tuple[Condition, int], list[Outcome]] = {}
    for outcome in outcomes:
        of.setdefault((outcome.trial.condition, outcome.trial.n_synapses), []).append(outcome)
    return tuple(curve(study, condition, of) for condition in study.conditions)


def curve(
    study: SpikeStudy, condition: Condition, of: Mapping[tuple[Condition, int], list[Outcome]]
) -> Curve:
    """The curve of one condition; ``of`` holds finished trials by condition and synapses."""
    points = tuple(
        curve_point(count, of.get((condition, count), [])) for count in study.points(condition)
    )
    known = [(p.n_synapses, p.fired, p.n - p.failed) for p in points]
    x, fired, trials = zip(*known, strict=True)
    return Curve(condition, points, half_point(x, fired, trials))


def curve_point(n_synapses: int, outcomes: list[Outcome]) -> CurvePoint:
    """A point from its finished trials."""
    n = len(outcomes)
    failed = sum(outcome.failed is not None for outcome in outcomes)
    fired = sum(outcome.fired for outcome in outcomes)
    return CurvePoint(
        n_synapses, n, fired, failed, wilson(fired, n, failed), deviation_band(fired, n)
    )


def text_of(interval: Interval, digits: int = 2) -> str:
    """``0.26 (0.16 to 0.40)``; an open end is written as such."""

    def number(x: float) -> str:
        return "?" if math.isnan(x) else f"{x:.{digits}f}"

    low = "open" if math.isinf(interval.low) else number(interval.low)
    high = "open" if math.isinf(interval.high) else number(interval.high)
    return f"{number(interval.value)} ({low} to {high})"
