"""Our solves on a device: parents gather, a team of threads a cell."""

from statistics import fmean, median

import numpy as np

from engine.backends.gpu.device import WARP, Device
from engine.backends.gpu.variants.kept import KEPT, keep_factors
from engine.backends.gpu.variants.layout import (
    ALIGN,
    ShapeLayout,
    join_shapes,
    lay_contraction,
    lay_steps,
)
from engine.backends.gpu.variants.plan import Tools, check_room, runs_of_systems, upload_tables
from engine.backends.gpu.variants.sources import cuda_source
from engine.backends.gpu.variants.systems import Population, Shape
from engine.backends.gpu.variants.twigs import twig_length
from engine.backends.gpu.variants.variant import SolveVariant
from engine.errors import BackendError
from engine.types import FloatArray

TEAMS_BLOCK = 128
"""Threads of a block that holds several small cells, if not told otherwise."""
STATIC_SHARED = 1024
"""Bytes of shared memory that a device keeps of every block's."""


class GatherPlan:
    """Implements :class:`engine.backends.gpu.variants.plan.SolvePlan`."""

    def __init__(self, population: Population, variant: SolveVariant, device: Device) -> None:
        self.population, self.variant, self.device = population, variant, device
        twig = twig_length(population.shapes[-1].parent) if variant.twigs else 0
        self._layouts = [_lay(shape, variant, twig) for shape in population.shapes]
        self._twig = twig if any(len(x.arrays["host"]) for x in self._layouts) else 0
        self.n_step = max(layout.n_step for layout in self._layouts)
        self._room = _aligned(max(layout.n_node for layout in self._layouts))
        self._inner_room = _aligned(max(layout.n_inner for layout in self._layouts), 2)
        need = 8 * self._numbers_per_cell()
        self.memory = self._place_for(need)
        self._teams, self.shared = self._teams_for(need)
        step = np.array([_aligned(len(layout.order)) for layout in self._layouts], np.int64)
        size = step[population.shape_of]
        self._start = np.cumsum(size) - size
        self._total = int(size.sum())
        check_room(device, self.bytes_needed)
        self._upload()

    @property
    def bytes_needed(self) -> int:
        """Bytes on the device, those that all cells of a shape share left out."""
        arrays = 2 if self.variant.constant else 3
        return 8 * (arrays * self._total + self._numbers_outside())

    def _numbers_outside(self) -> int:
        """Numbers that are worked on in global memory, beside the solution."""
        if self.memory == "shared" or self.variant.constant:
            return 0
        if self.variant.method == "contract":
            return self.population.n_cell * (self._numbers_per_cell() - self._room)
        return self._total

    def _numbers_per_cell(self) -> int:
        """Numbers that are worked on, for each cell."""
        if self.variant.constant:
            return self._room
        if self.variant.method == "contract":
            return 3 * self._room + self._inner_room
        return 2 * self._room

    def _place_for(self, need: int) -> str:
        most = self.device.properties.shared_memory - STATIC_SHARED
        if self.variant.memory == "shared" and need > most:
            raise BackendError(
                f"{self.variant.name}: a cell's {need / 1024:.0f} KiB do not fit in the "
                f"{most / 1024:.0f} KiB of shared memory that a block has; choose memory 'global'"
            )
        if self.variant.memory == "auto":
            return "shared" if need <= most else "global"
        return self.variant.memory

    def _teams_for(self, need: int) -> tuple[int, int]:
        """Cells of a block, and its bytes of shared memory."""
        k = self.variant.threads
        if k > WARP:
            return 1, need if self.memory == "shared" else 0
        teams = max(1, (self.variant.block or TEAMS_BLOCK) // k)
        if self.memory == "global":
            return teams, 0
        # several cells a block only while the multiprocessor still holds as many cells
        each = self.device.properties.shared_per_multiprocessor // (need + STATIC_SHARED)
        teams = max(1, min(teams, max(1, each // 4), self.device.properties.shared_memory // need))
        whole = WARP // k if k < WARP else 1
        if teams > whole:
            teams -= teams % whole
        return teams, teams * need

    def _upload(self) -> None:
        device, variant = self.device, self.variant
        wait = 0 if variant.threads == 1 else 1 if variant.threads <= WARP else 2
        contract = variant.method == "contract"
        name = "solve_contract" if contract else "solve_steps"
        options = (
            f"-DWAIT={wait}",
            f"-DSHARED={int(self.memory == 'shared')}",
            f"-DTWIG={self._twig}",
            f"-DFACTORED={int(variant.constant)}",
        )
        self._kernel = device.compile(cuda_source(f"{name}.cu"), options).kernel(name)
        self._tables = upload_tables(device, self._host_tables())
        self._tools = tools = Tools(device)
        self._diag = None if variant.constant else self._fill(tools, "diag")
        self._rhs, self._x = self._fill(tools, "rhs"), device.allocate(self._total)
        self._work = device.allocate(max(1, self._numbers_outside()))
        self._arguments = self._contract_arguments() if contract else self._step_arguments()

    def _host_tables(self) -> dict[str, np.ndarray]:
        tables = join_shapes(self._layouts)
        tables["shape_of"] = self.population.shape_of
        tables["cell_start"] = self._start.astype(np.int64)
        kept = {name: np.zeros(1) for name in KEPT}
        if self.variant.constant:
            kept = keep_factors(self.population.shapes, self._layouts, tables)
        tables |= kept
        return tables

    def _fill(self, tools: Tools, field: str):  # type: ignore[no-untyped-def]
        """One number for every place of every cell; 1 where a cell ends before its line does."""
        buffer = self.device.allocate(self._total)
        for system, first, count in runs_of_systems(self.population):
            order = self._layouts[self.population.shape_of[first]].order
            row = np.ones(_aligned(len(order)))
            row[: len(order)] = getattr(self.population.systems[system], field)[order]
            tools.repeat(row, count, int(self._start[first]), buffer)
        return buffer

    def _step_arguments(self):  # type: ignore[no-untyped-def]
        t = self._tables
        names = (
            "shape_of", "cell_start", "shapes", "step_start", "child", "sibling", "above", "axial",
            "kept_factor", "kept_inverse", "host", "twig_count", "rank_start", "rank_width",
        )  # fmt: skip
        counts = (self.variant.threads, self.population.n_cell, self._room)
        diag = self._rhs if self._diag is None else self._diag
        return (
            *map(np.int32, counts), *(t[name] for name in names),
            diag, self._rhs, self._work, self._x,
        )  # fmt: skip

    def _contract_arguments(self):  # type: ignore[no-untyped-def]
        t = self._tables
        names = (
            "shape_of", "cell_start", "shapes", "round", "ends", "receiver", "sibling", "axial",
            "kept_inverse", "kept_edge", "kept_factor", "kept_down", "kept_gain",
            "host", "twig_count", "rank_start", "rank_width",
        )  # fmt: skip
        counts = (self.variant.threads, self.population.n_cell, self._room, self._inner_room)
        return (
            *map(np.int32, counts), *(t[name] for name in names),
            self._rhs if self._diag is None else self._diag, self._rhs, self._work, self._x,
        )  # fmt: skip

    def solve(self) -> None:
        grid = -(-self.population.n_cell // self._teams)
        block = self._teams * self.variant.threads
        self.device.launch(self._kernel, grid, block, self._arguments, self.shared)

    def voltages(self) -> list[FloatArray]:
        x = self.device.download(self._x)
        found: list[FloatArray] = [np.empty(0)] * len(self.population.systems)
        for system, first, count in runs_of_systems(self.population):
            order = self._layouts[self.population.shape_of[first]].order
            rows = x[self._start[first] :][: count * _aligned(len(order))].reshape(count, -1)
            found[system] = np.empty((count, len(order)))
            found[system][:, order] = rows[:, : len(order)]
        return found

    def time(self, n: int = 20) -> float:
        self.solve()
        self.solve()
        return median(self._tools.elapsed(self.solve) for _ in range(n))

    def time_cold(self, n: int = 3) -> float:
        flush = Flush(self.device)
        seconds = []
        for _ in range(n):
            flush()
            seconds.append(self._tools.elapsed(self.solve))
        return fmean(seconds)


class Flush:
    """Fills the device's cache with something else."""

    def __init__(self, device: Device) -> None:
        size = max(1, 2 * device.properties.l2_cache // 8)
        self._tools = Tools(device)
        self._from, self._to = device.allocate(size), device.allocate(size)

    def __call__(self) -> None:
        self._tools.copy(self._from, self._to)


def _lay(shape: Shape, variant: SolveVariant, twig: int) -> ShapeLayout:
    if variant.method == "contract":
        return lay_contraction(shape.parent, shape.g_axial, variant.threads, twig)
    assert variant.method != "permute1"
    return lay_steps(shape.parent, shape.g_axial, variant.method, variant.threads, twig)


def _aligned(n: int, to: int = ALIGN) -> int:
    """The next multiple: what is fetched begins and ends at 16 bytes."""
    return -(-n // to) * to
