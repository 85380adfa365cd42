"""From systems and a variant to something that can be solved and timed on a device."""

from collections.abc import Callable, Sequence
from statistics import median
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.backends.gpu.device import Buffer, Device
from engine.backends.gpu.variants.sources import cuda_source
from engine.backends.gpu.variants.systems import Population, TreeSystem, make_population
from engine.backends.gpu.variants.variant import SolveVariant
from engine.errors import BackendError, OutOfDeviceMemoryError
from engine.types import FloatArray

BLOCK = 256
"""Threads of a block of the kernels that copy."""
HOLD = 300_000
"""Cycles, some 0.2 ms: longer than it takes to launch a kernel."""
MARGIN = 0.9
"""Share of the free memory that a plan may take."""


class SolvePlan(Protocol):
    """Systems on a device, ready to be solved.

    Attributes
    ----------
    variant : SolveVariant
    population : Population
    n_step : int
        Steps of the deepest cell, the roots' own not counted.
    memory : str
        "shared" or "global".
    shared : int
        Bytes of shared memory of a block.
    """

    variant: SolveVariant
    population: Population
    n_step: int
    memory: str
    shared: int

    def solve(self) -> None:
        """Start one solve of all cells; does not wait for its end."""

    def voltages(self) -> list[FloatArray]:
        """(copies, n_comp) mV of every system, in the order they were given."""

    def time(self, n: int = 20) -> float:
        """Median seconds on the device of one solve of all cells, after a warm-up."""

    def time_cold(self, n: int = 3) -> float:
        """Mean seconds of single solves whose numbers are in no cache."""


def prepare(systems: Sequence[TreeSystem], variant: SolveVariant, device: Device) -> "SolvePlan":
    """Bring systems to a device as a variant wants them.

    Raises
    ------
    UserError
        If the systems are damaged, or a variant cannot take them.
    BackendError
        If the device cannot compile it or has too little memory.
    """
    from engine.backends.gpu.variants.gathering import GatherPlan
    from engine.backends.gpu.variants.scattering import ScatterPlan

    population = make_population(systems, by_diag=variant.constant)
    kind = ScatterPlan if variant.published else GatherPlan
    return kind(population, variant, device)


class Tools:
    """Copies on a device."""

    def __init__(self, device: Device) -> None:
        self.device = device
        module = device.compile(cuda_source("tools.cu"))
        self._copy, self._repeat = module.kernel("copy_values"), module.kernel("repeat_values")
        self._hold, self._never = module.kernel("hold"), device.allocate(1)
        self._grid = 32 * max(1, device.properties.n_multiprocessor)

    def copy(self, source: Buffer, target: Buffer) -> None:
        n = int(np.prod(source.shape))
        self.device.launch(self._copy, self._blocks(n), BLOCK, (np.int64(n), source, target))

    def elapsed(self, work: Callable[[], None]) -> float:
        """Seconds of one launch alone: the device is kept busy until it is on its way."""
        self.device.launch(self._hold, 1, 1, (np.int64(HOLD), self._never))
        return self.device.elapsed(work)

    def repeat(self, values: FloatArray, times: int, start: int, target: Buffer) -> None:
        room, n = len(values), len(values) * times
        source = self.device.upload(values)
        arguments = (np.int64(room), np.int64(n), np.int64(start), source, target)
        self.device.launch(self._repeat, self._blocks(n), BLOCK, arguments)
        self.device.synchronize()  # the source must live until then

    def _blocks(self, n: int) -> int:
        return max(1, min(self._grid, -(-n // BLOCK)))


def copy_bandwidth(device: Device, n_bytes: int = 2**30, n: int = 10) -> float:
    """Bytes per second, read and written, of copying an array far larger than any cache.

    Raises
    ------
    BackendError
        If there is too little memory.
    """
    size = min(n_bytes, device.memory()[0] // 4) // 8
    tools = Tools(device)
    source, target = device.allocate(size), device.allocate(size)
    seconds = [tools.elapsed(lambda: tools.copy(source, target)) for _ in range(n + 2)]
    return 16 * size / median(seconds[2:])


def check_room(device: Device, wanted: int) -> None:
    """Refuse what does not fit before anything is sent.

    Raises
    ------
    OutOfDeviceMemoryError
    """
    free = device.memory()[0]
    if wanted > MARGIN * free:
        raise OutOfDeviceMemoryError(wanted, free)


def upload_tables(device: Device, arrays: dict[str, NDArray]) -> dict[str, Buffer]:
    return {name: device.upload(np.ascontiguousarray(v)) for name, v in arrays.items()}


def runs_of_systems(population: Population) -> list[tuple[int, int, int]]:
    """(system, first cell, cells) of neighboring cells that are copies of one system."""
    of = population.system_of
    cut = np.flatnonzero(np.diff(of)) + 1
    first = np.concatenate([[0], cut]).astype(int)
    count = np.diff(np.append(first, len(of)))
    return [(int(of[f]), int(f), int(c)) for f, c in zip(first, count, strict=True)]


def fastest(
    systems: Sequence[TreeSystem], variants: Sequence[SolveVariant], device: Device, n: int = 5
) -> tuple[SolveVariant, float]:
    """The variant that solves these systems in the least time here, and that time in seconds.

    Raises
    ------
    BackendError
        If the device can take none of them.
    """
    best: tuple[SolveVariant, float] | None = None
    refused = BackendError("there is no variant to choose from; name at least one")
    for variant in variants:
        try:
            seconds = prepare(systems, variant, device).time(n)
        except BackendError as error:
            refused = error
            continue
        if best is None or seconds < best[1]:
            best = variant, seconds
    if best is None:
        raise refused
    return best
