"""Time of the tree solve: every schedule on a device, and one core beside it in the same run.

The paper (Y. Zhang et al., Nat. Commun. 14:5798, 2023) compares solves of many equal cells by one
launch of a kernel that nothing has warmed, times 40,000 for a second of simulated time. Here stands
beside it the median of many launches; both leave out what is done once, such as sending the matrix.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from statistics import median
from time import perf_counter, thread_time
from typing import Any

import numpy as np

import engine
from engine.backends.cpu import available_cores
from engine.backends.gpu.device import Device
from engine.backends.gpu.variants import SolveVariant, TreeSystem, copy_bandwidth, prepare
from engine.backends.gpu.variants.spiny import spiny_system, with_spines
from engine.backends.gpu.variants.systems import passive_system
from engine.backends.gpu.variants.variant import (
    CONSTANT,
    GATHERED,
    PERMUTE1,
    PUBLISHED,
    SPINY,
    unboosted_spiny,
)
from engine.compartments import CompartmentTree
from engine.discretize import Rule, discretize
from engine.errors import BackendError
from engine.experiments.cpu_solves import CpuSolve, Walk, numbers_needed
from engine.experiments.step_system import StepSystem
from engine.machine import processor_name
from engine.morphology.reading import read_morphology
from engine.morphology.samples import SAMPLES, resolve
from engine.morphology.sections import make_sections
from engine.schedule import make_schedule
from engine.validation import free_memory

DT = 0.025
SOLVES = 40_000
"""In 1 s of simulated time."""
SIZES = (250, 1500, 3000)
"""Numbers of cells in the paper."""
CLASSES = ("spn", "purkinje", "ca3b", "ca1", "mitral", "l5b")
"""Sample cells of the paper's six classes."""
FULL_SPINE = "full_spine"
PATIENCE = 3.0
"""Seconds in which rounds on one core are begun."""
CPU_WALKS: tuple[tuple[str, Walk], ...] = (("cpu-serial", "serial"), ("cpu-engine", "engine"))
"""Serial Hines in the order of the tree, and the engine's solve, eight cells side by side."""
BYTES, CONSTANT_BYTES = 24, 16
"""Per node that no solve can do without: diagonal and right side in, voltage out; where the matrix
is constant its factors are read once for all cells. Axial conductances belong to the tree."""

PAPER: dict[tuple[str, int], tuple[float, float, float, float]] = {
    ("spn", 250): (0.5387, 0.1166, 0.0420, 1.394),
    ("purkinje", 250): (7.683, 1.765, 0.5135, 33.02),
    ("ca3b", 250): (1.195, 0.2575, 0.0781, 3.618),
    ("ca1", 250): (2.891, 0.6018, 0.2004, 13.38),
    ("mitral", 250): (1.451, 0.3112, 0.1515, 4.944),
    ("l5b", 250): (1.704, 0.3624, 0.1468, 6.166),
    ("spn", 1500): (0.5503, 0.1278, 0.0457, 9.588),
    ("purkinje", 1500): (11.47, 2.346, 0.7218, 633.2),
    ("ca3b", 1500): (1.505, 0.3791, 0.1223, 47.80),
    ("ca1", 1500): (4.699, 1.013, 0.3471, 248.4),
    ("mitral", 1500): (1.982, 0.4501, 0.2259, 72.66),
    ("l5b", 1500): (2.501, 0.5519, 0.2268, 99.09),
    ("spn", 3000): (0.6667, 0.1703, 0.0710, 19.22),
    ("purkinje", 3000): (12.14, 2.467, 0.9261, 1471.9),
    ("ca3b", 3000): (1.983, 0.4341, 0.1686, 135.0),
    ("ca1", 3000): (5.155, 1.073, 0.4376, 508.8),
    ("mitral", 3000): (2.459, 0.5178, 0.2869, 204.8),
    ("l5b", 3000): (2.942, 0.6238, 0.2920, 278.4),
}
"""ms per solve on an A100 and its host: permute1, dhs with 4 and 16 threads, one core (source data
of the paper's Fig. 4 and S3)."""


@dataclass(frozen=True, eq=False)
class Cell:
    """A tree to be solved; ``spiny`` asks for the variants made for spines."""

    name: str
    system: TreeSystem
    spiny: bool = False


@dataclass(frozen=True)
class Row:
    """One way on one population; times in s of one solve of all cells, None where not measured.

    ``warm`` is the median of many, on one core in processor time, which other work on the machine
    disturbs less; ``lowest`` the least of those and ``wall`` their median in wall time; ``cold``
    the mean of single ones with empty caches; ``floor`` the least that traffic to memory takes,
    which warm solves may beat where ``in_cache`` says that all their numbers fit in the device's.
    """

    cell: str
    n_comp: int
    n_cell: int
    variant: str
    published: bool
    method: str
    n_threads: int
    n_step: int
    memory: str = ""
    warm: float | None = None
    lowest: float | None = None
    wall: float | None = None
    cold: float | None = None
    floor: float | None = None
    in_cache: bool = False
    missing: str = ""

    def answer(self) -> dict[str, Any]:
        """For a program: ms, ns per node, and s for a second of simulated time."""
        found = asdict(self)
        times = (found.pop(key) for key in ("warm", "lowest", "wall", "cold", "floor"))
        warm, lowest, wall, cold, floor = times
        if warm is not None:
            found["ms"] = 1e3 * warm
            found["ns_per_node"] = 1e9 * warm / (self.n_comp * self.n_cell)
            found["s_per_simulated_s"] = SOLVES * warm
        if lowest is not None:
            found["lowest_ms"] = 1e3 * lowest
        if wall is not None:
            found["wall_ms"] = 1e3 * wall
        if cold is not None:
            found["cold_ms"] = 1e3 * cold
            found["cold_s_per_simulated_s"] = SOLVES * cold
        if floor is not None:
            found["floor_ms"] = 1e3 * floor
            if warm is not None:
                found["times_the_floor"] = warm / floor
        return found


def sample_cell(name: str) -> Cell:
    """A cell of one of the paper's classes, cut as there."""
    return Cell(name, passive_system(_sample_tree(name), DT))


def full_spine_cell() -> Cell:
    """The human cell with 1.3 spines on every µm of dendrite, four nodes each."""
    return Cell(FULL_SPINE, spiny_system(with_spines(_sample_tree("human_l23")), DT), spiny=True)


def read_cell(path: str, rule: Rule) -> Cell:
    """Any morphology.

    Raises
    ------
    UserError
        If it cannot be read or cut.
    """
    sections = make_sections(read_morphology(resolve(path)))
    return Cell(path, passive_system(discretize(sections, rule, nodes="neuron"), DT))


def _sample_tree(name: str) -> CompartmentTree:
    sample = SAMPLES[name]
    sections = make_sections(read_morphology(resolve(f"sample:{name}")))
    return discretize(sections, Rule.parse(sample.rule), nodes=sample.nodes)


def variants_for(cell: Cell) -> tuple[SolveVariant, ...]:
    """What is measured on a cell."""
    if cell.spiny:
        twigs = tuple(v for v in CONSTANT if v.twigs)
        return (PERMUTE1, *unboosted_spiny(), *SPINY, *twigs)
    return (*PUBLISHED, *GATHERED, *(v for v in CONSTANT if not v.twigs))


def measure(
    cells: Sequence[Cell],
    sizes: Sequence[int] = SIZES,
    device: Device | None = None,
    rounds: int = 20,
) -> Iterator[Row]:
    """All ways on all populations, one core first.

    Parameters
    ----------
    cells
    sizes
        Numbers of cells.
    device
        None: one core alone is measured.
    rounds
        Solves that a median is taken of.
    """
    bandwidth = None if device is None else copy_bandwidth(device)
    for cell in cells:
        for n_cell in sizes:
            yield from _on_one_core(cell, n_cell, min(rounds, 5))
            if device is None or bandwidth is None:
                continue
            population = [replace(cell.system, copies=n_cell)]
            for variant in variants_for(cell):
                yield _on_device(cell, population, variant, device, rounds, bandwidth)


def _on_one_core(cell: Cell, n_cell: int, rounds: int) -> Iterator[Row]:
    s = cell.system
    system = StepSystem(s.parent, s.g_axial, np.zeros(s.n_comp), s.diag, s.rhs)
    schedule = make_schedule(s.parent, "hines", 1)
    for name, walk in CPU_WALKS:
        row = Row(cell.name, s.n_comp, n_cell, name, False, "hines", 1, schedule.n_step)
        need, free = 8 * numbers_needed(walk, n_cell, s.n_comp), free_memory()
        if free is not None and need > free / 2:
            words = f"{need / 1e9:.1f} GB are more than half of the {free / 1e9:.1f} GB free"
            yield replace(row, missing=words)
            continue
        solve = CpuSolve(system, walk, n_cell, schedule)
        solve.solve()
        seconds, walls = _time(solve, rounds)
        yield replace(row, warm=median(seconds), lowest=min(seconds), wall=median(walls))


def _time(solve: CpuSolve, rounds: int) -> tuple[list[float], list[float]]:
    """Processor and wall seconds of solves, of one at least and then while patience lasts."""
    seconds: list[float] = []
    walls: list[float] = []
    while len(seconds) < rounds and sum(walls) < PATIENCE:
        spent, begin = thread_time(), perf_counter()
        solve.solve()
        seconds.append(thread_time() - spent)
        walls.append(perf_counter() - begin)
    return seconds, walls


def _on_device(
    cell: Cell,
    population: list[TreeSystem],
    variant: SolveVariant,
    device: Device,
    rounds: int,
    bandwidth: float,
) -> Row:
    n_comp, n_cell = cell.system.n_comp, population[0].copies
    least = (CONSTANT_BYTES if variant.constant else BYTES) * n_comp * n_cell
    row = Row(
        cell.name, n_comp, n_cell, variant.name, variant.published, variant.method,
        variant.threads, 0,
        floor=least / bandwidth, in_cache=least <= device.properties.l2_cache,
    )  # fmt: skip
    try:
        plan = prepare(population, variant, device)
        cold, warm = plan.time_cold(), plan.time(rounds)
    except BackendError as error:
        return replace(row, missing=str(error))
    return replace(row, n_step=plan.n_step, memory=plan.memory, warm=warm, cold=cold)


def compare(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """For every population: ratios of times, with the paper's where it has the class."""
    populations = dict.fromkeys((row.cell, row.n_cell) for row in rows)
    return [
        _compare(cell, n, [row for row in rows if (row.cell, row.n_cell) == (cell, n)])
        for cell, n in populations
    ]


def _compare(cell: str, n_cell: int, rows: list[Row]) -> dict[str, Any]:
    warm = {row.variant: row.warm for row in rows if row.warm is not None}
    published = {row.variant: row.warm for row in rows if row.published and row.warm is not None}
    ours = {
        name: seconds
        for name, seconds in warm.items()
        if name not in published and not name.startswith("cpu-") and "constant" not in name
    }
    found: dict[str, Any] = {"cell": cell, "n_cell": n_cell}
    dhs = "dhs-32" if cell == FULL_SPINE else "dhs-16"
    pairs = [("permute1", dhs), ("cpu-serial", dhs), ("cpu-serial", "permute1")]
    if published:
        best = min(published, key=lambda name: published[name])
        found["best_published"] = best
    if ours:
        found["ours"] = min(ours, key=lambda name: ours[name])
        pairs += [("cpu-serial", found["ours"]), ("permute1", found["ours"])]
        pairs += [(found["best_published"], found["ours"])] if published else []
    for slow, fast in pairs:
        if slow in warm and fast in warm:
            found[f"{slow}/{fast}"] = warm[slow] / warm[fast]
    if (cell, n_cell) in PAPER:
        permute1, _, dhs16, core = PAPER[cell, n_cell]
        found["paper"] = {
            "permute1/dhs-16": permute1 / dhs16,
            "cpu/dhs-16": core / dhs16,
            "permute1_ms": permute1,
            "dhs-16_ms": dhs16,
            "cpu_ms": core,
        }
    return found


def report(rows: Sequence[Row], device: Device | None, why_no_device: str = "") -> dict[str, Any]:
    """Everything as one document."""
    about: dict[str, Any] = {
        "processor": processor_name(),
        "cores": available_cores(),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "device": None if device is None else asdict(device.properties),
        "why_no_device": why_no_device,
        "dendview": engine.__version__,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "task": {"dt_ms": DT, "solves_per_simulated_s": SOLVES, "precision": "double"},
        "bytes_per_node": {"least": BYTES, "least_with_a_constant_matrix": CONSTANT_BYTES},
    }
    floors = [row for row in rows if row.floor is not None and "constant" not in row.variant]
    if floors:
        row = floors[0]
        about["copy_bandwidth_gb_per_s"] = (
            BYTES * row.n_comp * row.n_cell / (row.floor or np.inf) / 1e9
        )
    return {**about, "rows": [row.answer() for row in rows], "comparison": compare(rows)}
