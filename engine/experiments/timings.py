"""Times of solves and what belongs to them, as values that travel and are shown."""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Literal

from engine.experiment import Experiment
from engine.experiments.step_system import StepSystem
from engine.types import NodeSet, ScheduleMethod

SIZES = (1, 10, 100, 250, 1000, 3000)
"""Numbers of cells that are measured, where they fit."""
ROUNDS = 5
LEAST = 0.012
"""Seconds that a measurement takes at least; small populations are solved many times."""

Device = Literal["cpu", "gpu"]


@dataclass(frozen=True)
class Way:
    """One way to solve.

    Attributes
    ----------
    name
        Short and unique: ``cpu-dhs-stored``.
    title, hint
        For people.
    device
    method
        Whose steps are the prediction.
    n_step : int
        Predicted steps of the elimination of one cell, or of ``together`` cells at once.
    together : int
        Cells that such a step takes at once.
    """

    name: str
    title: str
    hint: str
    device: Device
    method: ScheduleMethod
    n_threads: int
    n_step: int
    together: int = 1

    def steps_of(self, n_cells: int) -> int:
        """Predicted steps, one after the other, of so many cells on one core."""
        return self.n_step * -(-n_cells // self.together)


@dataclass(frozen=True)
class Timing:
    """What one solve of ``n_cells`` cells took: median, least and most of the rounds, in s."""

    n_cells: int
    n_comp: int
    seconds: float
    lowest: float
    highest: float
    rounds: int

    @property
    def ns_per_node(self) -> float:
        return 1e9 * self.seconds / (self.n_cells * self.n_comp)

    def per_second(self, dt: float = 0.025) -> float:
        """Seconds that the solves of 1 s of simulated time take, ``dt`` in ms."""
        return self.seconds * 1000.0 / dt


@dataclass(frozen=True)
class Row:
    """A way with its times by number of cells; ``missing`` says why some are not there."""

    way: Way
    timings: tuple[Timing, ...] = ()
    missing: str = ""

    def at(self, n_cells: int) -> Timing | None:
        return next((t for t in self.timings if t.n_cells == n_cells), None)


@dataclass(frozen=True)
class RunTimes:
    """All that was measured so far on one tree.

    ``devices`` names what it was measured on, ``date`` says when (ISO 8601, local time);
    ``left_out`` tells which sizes were not measured, and why; ``n_spine`` spines are among the
    nodes.
    """

    cell: str
    n_comp: int
    n_threads: int
    sizes: tuple[int, ...]
    rows: tuple[Row, ...]
    devices: tuple[str, ...]
    date: str
    left_out: str = ""
    complete: bool = False
    n_spine: int = 0

    @property
    def measured_sizes(self) -> tuple[int, ...]:
        return tuple(n for n in self.sizes if any(row.at(n) for row in self.rows))


@dataclass(frozen=True)
class Progress:
    """How far the measuring is: ``fraction`` 0 to 1 of its foreseen time."""

    text: str
    fraction: float
    result: RunTimes


@dataclass(frozen=True, eq=False)
class Job:
    """What is to be measured: a tree's equations, the threads of the schedules, and how.

    ``free`` is the memory in bytes that may be used, by default a quarter of what is free. Sizes of
    which one solve takes longer than ``longest`` seconds on the CPU are left out: a cancel must be
    heard. With an ``experiment`` its cell with all of its spines, of which ``n_spine`` are in the
    system then, is measured in place of the system that is given; see
    :func:`engine.experiments.spiny_step.with_spines`.
    """

    cell: str
    system: StepSystem
    n_threads: int
    sizes: tuple[int, ...] = SIZES
    rounds: int = ROUNDS
    least: float = LEAST
    free: float | None = None
    longest: float = 0.6
    clock: Callable[[], float] = perf_counter
    experiment: Experiment | None = None
    nodes: NodeSet = "neuron"
    n_spine: int = 0


def table(result: RunTimes, dt: float = 0.025) -> list[tuple[object, ...]]:
    """Every number of a result as rows under a header; empty where nothing was measured."""
    head: list[tuple[object, ...]] = [
        ("cell", "nodes", "spines", "threads", "variant", "device", "method", "predicted_steps",
         "n_cells", "measured_ms_per_solve", "lowest_ms", "highest_ms", "rounds", "ns_per_node",
         f"s_per_simulated_s_dt_{dt:g}_ms", "not_measured_because", "measured_on", "date")
    ]  # fmt: skip
    for row in result.rows:
        way = row.way
        on = result.devices[min(way.device == "gpu", len(result.devices) - 1)]
        lead = (
            result.cell,
            result.n_comp,
            result.n_spine,
            result.n_threads,
            way.title,
            way.device,
            way.method,
        )
        for n in result.sizes:
            steps, t = way.steps_of(n) if way.device == "cpu" else way.n_step, row.at(n)
            if t is None:
                none = ("",) * 6
                head.append((*lead, steps, n, *none, row.missing or "not reached", "", ""))
            else:
                ms = (f"{1e3 * s:.6g}" for s in (t.seconds, t.lowest, t.highest))
                ns, total = f"{t.ns_per_node:.4g}", f"{t.per_second(dt):.6g}"
                head.append((*lead, steps, n, *ms, t.rounds, ns, total, "", on, result.date))
    return head
