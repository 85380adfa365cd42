"""Run time of the solve: the steps that schedules predict beside the time that is measured."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from statistics import median
from typing import Protocol

import numpy as np

from engine.errors import UserError
from engine.experiments.cpu_solves import EIGHT, CpuSolve, Walk, numbers_needed
from engine.experiments.timings import Job, Progress, Row, RunTimes, Timing, Way
from engine.machine import processor_name
from engine.schedule.making import schedule_topology
from engine.schedule.model import Schedule
from engine.schedule.topology import as_thread_count, make_topology
from engine.types import ScheduleMethod
from engine.validation import free_memory

GUESS = 6e-9
"""Seconds per node, from which progress is foretold."""
MANY = 5
"""A first solve that takes so many times as long as a measurement must tells enough."""
APART = "In a run the engine keeps spines apart from the tree, equal ones as one."
LARGEST = 2e9
"""Bytes that are used at most, however much memory is free."""


class Solver(Protocol):
    """Something to measure."""

    def take_room(self) -> None: ...

    def solve(self, times: int) -> None: ...


class DeviceSolves(Protocol):
    """The ways of a device, measured by it; :mod:`engine.experiments.device_solves` makes one."""

    name: str

    def ways(self, job: Job) -> tuple[Way, ...]: ...

    def seconds(self, way: Way, job: Job, n_cells: int) -> float | str:
        """Of one solve of all cells; the reason where that cannot be done."""


CPU_WAYS: tuple[tuple[str, Walk, ScheduleMethod, str, str], ...] = (
    ("cpu-hines", "serial", "hines", "Serial Hines", "One node after another, as NEURON does it."),
    ("cpu-depth", "gather", "depth_levels", "Depth levels, walked", "Level by level."),
    ("cpu-height", "gather", "height_levels", "Height levels, walked", "All tips first."),
    ("cpu-branches", "gather", "branches", "Branches, walked", "Whole branches, then the trunk."),
    ("cpu-permute2", "gather", "permute2", "Permute 2, walked", "CoreNEURON's levels of a warp."),
    ("cpu-dhs", "gather", "dhs", "DHS, walked", "The order of DHS, nodes numbered as in the tree."),
    ("cpu-dhs-stored", "stored", "dhs", "DHS, stored in order", "Nodes stored as they are taken."),
    ("cpu-engine", "engine", "hines", "DendView's CPU solve", "Stored by depth; from four cells on "
     "eight cells fill a vector."),
)  # fmt: skip
"""Name, walk, method, title and hint of every way on the CPU."""


def measure(
    job: Job, device: DeviceSolves | None = None, no_device: str = "no GPU was looked for"
) -> Iterator[Progress]:
    """Measure all ways; closing the generator ends it between two measurements.

    The ways take turns in every round, so that what else goes on in the machine meets all of them;
    the first solve of each, which compiles, is not counted.

    Parameters
    ----------
    job : Job
    device : DeviceSolves or None
    no_device
        Why there is none.

    Yields
    ------
    Progress
        After every measurement; the last one is complete.

    Raises
    ------
    UserError
        If the tree or the number of threads cannot be used.
    """
    schedules = _schedules(job)
    ways = {name: _cpu_way(job, name, schedules) for name, *_ in CPU_WAYS}
    sizes, left_out = sizes_that_fit(job)
    rows = [Row(way) for way in ways.values()]
    if device is None:
        rows += [Row(way, missing=no_device) for way in _ways_without_device(job, schedules)]
    devices = (f"{processor_name()}, one core", *((device.name,) if device else ()))
    date = datetime.now().astimezone().isoformat(timespec="seconds")
    result = RunTimes(
        job.cell, job.system.n_comp, job.n_threads, sizes, tuple(rows), devices, date, left_out,
        n_spine=job.n_spine,
    )  # fmt: skip
    yield Progress("compiling the solves…", 0.0, result)
    if device is not None:
        rows += [Row(way) for way in device.ways(job)]
        result = replace(result, rows=tuple(rows))
    room = np.empty(max(numbers_needed(walk, n, job.system.n_comp) for _, walk, *_ in CPU_WAYS
                        for n in sizes))  # fmt: skip
    measured = [row.way for row in rows if not row.missing]
    costs = [_cost(job, n) for n in sizes]
    done = 0.0
    for n_cells, cost in zip(sizes, costs, strict=True):
        if reason := _too_slow(job, result, n_cells):
            kept = tuple(n for n in sizes if n < n_cells)
            reasons = "; ".join(filter(None, (reason, left_out)))
            result = replace(result, sizes=kept, left_out=reasons)
            break
        solvers = {
            name: CpuSolve(job.system, walk, n_cells, schedules[method], room)
            for name, walk, method, *_ in CPU_WAYS
        }
        pieces = _measure_size(job, n_cells, measured, solvers, device, result)
        for i, (text, piece) in enumerate(pieces, 1):
            result = piece
            now = done + cost * i / (job.rounds * len(measured))
            yield Progress(text, min(now / sum(costs), 1.0), result)
        done += cost
    yield Progress("done", 1.0, replace(result, complete=True))


def _measure_size(
    job: Job,
    n_cells: int,
    ways: list[Way],
    solvers: Mapping[str, Solver],
    device: DeviceSolves | None,
    result: RunTimes,
) -> Iterator[tuple[str, RunTimes]]:
    """Every way in every round with one number of cells; what it was, and the result so far."""
    times: dict[str, list[float]] = {way.name: [] for way in ways}
    repeats: dict[str, int] = {}
    for round_number in range(1, job.rounds + 1):
        for way in ways:
            if way.device == "gpu":
                assert device is not None
                seconds = device.seconds(way, job, n_cells)
                if isinstance(seconds, str):
                    result = _with_reason(result, way, seconds)
                else:
                    times[way.name].append(seconds)
            else:
                solver = solvers[way.name]
                solver.take_room()
                if way.name not in repeats:
                    repeats[way.name] = _repeats(solver, job.least, job.clock)
                times[way.name].append(_seconds(solver, repeats[way.name], job.clock))
            result = _with_timing(result, way, n_cells, times[way.name])
            cells = f"{n_cells} {'cell' if n_cells == 1 else 'cells'}"
            yield f"{way.title} · {cells} · round {round_number} of {job.rounds}", result


def _too_slow(job: Job, result: RunTimes, n_cells: int) -> str:
    """Why so many cells are not measured here, going by those before; empty where they are."""
    slowest = max((t.seconds / t.n_cells for row in result.rows for t in row.timings[-1:]
                   if row.way.device == "cpu"), default=0.0) * n_cells  # fmt: skip
    if slowest <= job.longest:
        return ""
    return f"from {n_cells} cells on a solve takes more than {job.longest:g} s here"


def sizes_that_fit(job: Job) -> tuple[tuple[int, ...], str]:
    """The numbers of cells that the memory allows, and why the others are left out.

    Raises
    ------
    UserError
        If not even one cell fits.
    """
    free = job.free
    if free is None:
        free = min((free_memory() or LARGEST) / 4, LARGEST)
    fitting: list[int] = []
    reasons: list[str] = []
    for n in sorted(set(job.sizes)):
        need = 8 * max(numbers_needed(walk, n, job.system.n_comp) for _, walk, *_ in CPU_WAYS)
        if need > free:
            reasons.append(f"{n} cells need {need / 1e9:.1f} GB of the {free / 1e9:.1f} GB allowed")
        else:
            fitting.append(n)
    if not fitting:
        raise UserError(
            f"a cell of {job.system.n_comp} nodes cannot be measured: {reasons[0]}; close other "
            "programs or choose fewer cells"
        )
    return tuple(fitting), "; ".join(reasons)


def _schedules(job: Job) -> dict[ScheduleMethod, Schedule]:
    topology, k = make_topology(job.system.parent), as_thread_count(job.n_threads)
    methods: set[ScheduleMethod] = {method for _, _, method, *_ in CPU_WAYS} | {"permute1"}
    return {method: schedule_topology(topology, method, k) for method in methods}


def _cpu_way(job: Job, name: str, schedules: dict[ScheduleMethod, Schedule]) -> Way:
    _, walk, method, title, hint = next(entry for entry in CPU_WAYS if entry[0] == name)
    schedule = schedules[method]
    together = EIGHT if walk == "engine" else 1
    if walk == "engine" and job.n_spine:
        title, hint = f"{title}, spines as nodes", f"{hint} {APART}"
    return Way(name, title, hint, "cpu", method, job.n_threads, schedule.n_step, together)


def _ways_without_device(job: Job, schedules: dict[ScheduleMethod, Schedule]) -> Iterator[Way]:
    """What a device would be asked; shown with its steps, so that nobody takes it for done."""
    k = job.n_threads
    for method, title in (
        ("permute1", "GPU · Permute 1"),
        ("permute2", "GPU · Permute 2"),
        ("branches", f"GPU · Branches, k = {k}"),
        ("dhs", f"GPU · DHS, k = {k}"),
    ):
        steps = schedules[method].n_step  # type: ignore[index]
        yield Way(f"gpu-{method}", title, "", "gpu", method, k, steps)  # type: ignore[arg-type]


def _cost(job: Job, n_cells: int) -> float:
    """Seconds that one measurement will take, roughly."""
    return max(job.least, GUESS * n_cells * job.system.n_comp)


def _repeats(solver: Solver, least: float, clock: Callable[[], float]) -> int:
    """Solves in a measurement; the first of them compiles and warms up."""
    if _seconds(solver, 1, clock) > MANY * least:
        return 1
    times = 1
    while (seconds := _seconds(solver, times, clock) * times) < least and times < 1 << 20:
        times = max(2 * times, min(int(1.2 * times * least / max(seconds, 1e-9)), 64 * times))
    return times


def _seconds(solver: Solver, times: int, clock: Callable[[], float]) -> float:
    begin = clock()
    solver.solve(times)
    return (clock() - begin) / times


def _with_reason(result: RunTimes, way: Way, reason: str) -> RunTimes:
    rows = (replace(r, missing=reason) if r.way.name == way.name else r for r in result.rows)
    return replace(result, rows=tuple(rows))


def _with_timing(result: RunTimes, way: Way, n_cells: int, times: list[float]) -> RunTimes:
    if not times:
        return result
    timing = Timing(n_cells, result.n_comp, median(times), min(times), max(times), len(times))
    rows = []
    for row in result.rows:
        if row.way.name == way.name:
            kept = tuple(t for t in row.timings if t.n_cells != n_cells)
            row = replace(row, timings=(*kept, timing))
        rows.append(row)
    return replace(result, rows=tuple(rows))
