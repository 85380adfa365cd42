"""What the engine needs from a device that runs CUDA kernels, and what every such device offers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

Buffer = Any
"""An array in the device's memory, with ``shape``, ``dtype`` and ``nbytes``; no host array."""
Argument = Buffer | np.int32 | np.int64 | np.float32 | np.float64
"""What a kernel takes: buffers for pointers, numpy scalars of the declared width for numbers."""
Kernel = Any
"""A compiled ``extern "C" __global__`` function, to be launched by the device it comes from."""
WARP = 32


@dataclass(frozen=True)
class Properties:
    """What a device is.

    Attributes
    ----------
    name : str
        As its maker calls it.
    capability : tuple of int
        Compute capability, (9, 0) on Hopper.
    n_multiprocessor : int
    shared_memory : int
        Bytes of shared memory that one block may have.
    shared_per_multiprocessor : int
        Bytes that the blocks of one multiprocessor have together.
    threads_per_multiprocessor : int
    l2_cache : int
        Bytes.
    driver : int
        CUDA version of the driver, 12040 for 12.4; 0 where there is none.
    """

    name: str
    capability: tuple[int, int]
    n_multiprocessor: int
    shared_memory: int
    shared_per_multiprocessor: int
    threads_per_multiprocessor: int
    l2_cache: int
    driver: int = 0


class Module(Protocol):
    """Compiled source."""

    def kernel(self, name: str) -> Kernel:
        """The ``extern "C"`` kernel of that name."""


class Device(Protocol):
    """One device. Work is done in order, but for launches on streams of their own."""

    index: int
    properties: Properties

    def memory(self) -> tuple[int, int]:
        """Free and total bytes now."""

    def compile(self, source: str, options: tuple[str, ...] = ()) -> Module:
        """Compile CUDA C++; the same text is compiled once.

        Raises
        ------
        BackendError
            With the compiler's first complaint.
        """

    def upload(self, values: NDArray[Any]) -> Buffer:
        """A copy of a host array, C-contiguous."""

    def allocate(self, shape: int | tuple[int, ...], dtype: DTypeLike = np.float64) -> Buffer:
        """Zeros.

        Raises
        ------
        OutOfDeviceMemoryError
            If there is not enough memory.
        """

    def write(self, buffer: Buffer, values: NDArray[Any]) -> None:
        """Copy a host array of the same shape and type into a buffer."""

    def download(self, buffer: Buffer) -> NDArray[Any]:
        """A host copy, once all work before it on stream 0 is done."""

    def launch(
        self,
        kernel: Kernel,
        grid: int,
        block: int,
        arguments: Sequence[Argument],
        shared: int = 0,
        stream: int = 0,
    ) -> None:
        """Start ``grid`` blocks of ``block`` threads with ``shared`` bytes of shared memory each;
        does not wait for their end.

        Launches on streams 1, 2 … may run side by side, once all that was asked for before on
        stream 0 (uploads, too) is done; :meth:`synchronize` waits for them.
        """

    def synchronize(self) -> None:
        """Wait until all work is done.

        Raises
        ------
        BackendError
            If a kernel failed.
        """

    def elapsed(self, work: Callable[[], None]) -> float:
        """Seconds on the device from the start to the end of what ``work`` launches."""
