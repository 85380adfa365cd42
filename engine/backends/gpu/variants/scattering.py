"""The published programs' solves on a device, which work in place."""

from statistics import fmean, median

import numpy as np

from engine.backends.gpu.device import WARP, Device
from engine.backends.gpu.variants.gathering import Flush
from engine.backends.gpu.variants.plan import Tools, check_room, upload_tables
from engine.backends.gpu.variants.published import (
    GlobalLayout,
    lay_groups,
    lay_interleaved,
    lay_lists,
)
from engine.backends.gpu.variants.sources import cuda_source
from engine.backends.gpu.variants.systems import Population
from engine.backends.gpu.variants.variant import SolveVariant
from engine.types import FloatArray


class ScatterPlan:
    """Implements :class:`engine.backends.gpu.variants.plan.SolvePlan`.

    The kernels spend the diagonal and turn the right side into the solution, so both are restored
    before every solve, outside what is timed.
    """

    def __init__(self, population: Population, variant: SolveVariant, device: Device) -> None:
        self.population, self.variant, self.device = population, variant, device
        self.memory, self.shared = "global", 0
        check_room(device, self.bytes_needed)
        self._layout = _lay(population, variant)
        self.n_step = self._layout.n_step
        block_wait = int(variant.threads > WARP) + 1
        name = "permute1" if variant.method == "permute1" else "scatter_steps"
        options = () if variant.method == "permute1" else (f"-DWAIT={block_wait}",)
        module = device.compile(cuda_source(f"{name}.cu"), options)
        self._kernel = module.kernel(name if variant.boosted else "scatter_lists")
        self._tables = upload_tables(device, self._layout.arrays)
        self._tools = Tools(device)
        self._kept = {field: device.upload(self._fill(field)) for field in ("diag", "rhs")}
        coupling = self._fill("g_axial")
        self._a, self._b = device.upload(-coupling), device.upload(-coupling)
        self._d, self._r = device.allocate(self._layout.size), device.allocate(self._layout.size)
        self._grid, self._block, self._arguments = self._launch()

    @property
    def bytes_needed(self) -> int:
        """a, b, d, rhs, the diagonal and right side kept for the next solve, and the parents."""
        return self.population.n_node * (6 * 8 + 4)

    def _fill(self, field: str) -> FloatArray:
        values = np.ones(self._layout.size)
        for cell, place in enumerate(self._layout.place):
            system = self.population.systems[self.population.system_of[cell]]
            values[place] = getattr(system, field)
        return values

    def _launch(self):  # type: ignore[no-untyped-def]
        """Blocks, threads and arguments."""
        v, t, n_cell = self.variant, self._tables, self.population.n_cell
        matrix = self._a, self._b, self._d, self._r
        if v.method == "permute1":
            names: tuple[str, ...] = ("stride", "size", "last", "parent")
            block = v.block or 128
            counts = n_cell, len(self._layout.arrays["stride"])
            threads = n_cell
        elif v.boosted:
            names = (
                "group_steps",
                "step_of_group",
                "step_start",
                "group_start",
                "n_node",
                "parent",
            )
            width = max(WARP, v.threads)
            n_group = len(self._layout.arrays["group_steps"])
            block = v.block or width
            counts = width, n_group
            threads = width * n_group
        else:
            names = (
                "steps_of_cell", "roots_of_cell", "cell_start", "lane_first", "lane_count",
                "lane_last", "next", "previous", "parent",
            )  # fmt: skip
            block = v.block or max(WARP, v.threads)
            counts = v.threads, n_cell
            threads = n_cell * v.threads
        arguments = (*map(np.int32, counts), *(t[name] for name in names), *matrix)
        return -(-threads // block), block, arguments

    def _restore(self) -> None:
        self._tools.copy(self._kept["diag"], self._d)
        self._tools.copy(self._kept["rhs"], self._r)

    def _start(self) -> None:
        self.device.launch(self._kernel, self._grid, self._block, self._arguments)

    def solve(self) -> None:
        self._restore()
        self._start()

    def voltages(self) -> list[FloatArray]:
        x = self.device.download(self._r)
        found: list[list[FloatArray]] = [[] for _ in self.population.systems]
        for cell, place in enumerate(self._layout.place):
            found[self.population.system_of[cell]].append(x[place])
        return [np.array(cells) for cells in found]

    def time(self, n: int = 20) -> float:
        seconds = []
        for _ in range(n + 2):
            self._restore()
            seconds.append(self._tools.elapsed(self._start))
        return median(seconds[2:])

    def time_cold(self, n: int = 3) -> float:
        flush = Flush(self.device)
        seconds = []
        for _ in range(n):
            self._restore()
            flush()
            seconds.append(self._tools.elapsed(self._start))
        return fmean(seconds)


def _lay(population: Population, variant: SolveVariant) -> GlobalLayout:
    if variant.method == "permute1":
        return lay_interleaved(population)
    assert variant.method != "contract"
    if variant.boosted:
        return lay_groups(population, variant.method, variant.threads)
    return lay_lists(population, variant.threads)
