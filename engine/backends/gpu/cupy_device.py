"""NVIDIA devices through CuPy, which is imported only when one is asked for."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from engine.backends.gpu.device import Argument, Buffer, Kernel, Properties
from engine.errors import BackendError, OutOfDeviceMemoryError
from engine.mechanisms.cache import cache_dir

OLDEST = (7, 5)
"""Compute capability below which NVIDIA's present compilers make no code."""
PLAIN_SHARED = 40 * 1024
"""Bytes of shared memory that a launch takes without asking for more; with those that kernels have
of their own, a block has 48 KiB at most."""
OPTIONS = ("--std=c++17", "--fmad=true")
INSTALL = "pip install 'dendview[gpu]'"


def _cupy() -> Any:
    """CuPy, with its folder of compiled kernels beside our other ones.

    Raises
    ------
    BackendError
        If it is not installed, cannot be loaded or finds no device; one sentence.
    """
    os.environ.setdefault("CUPY_CACHE_DIR", str(cache_dir() / "cuda"))
    try:
        import cupy
    except ModuleNotFoundError:
        raise BackendError(
            f"backend 'gpu' is unavailable: CuPy is not installed; {INSTALL}, or choose 'cpu'"
        ) from None
    except Exception as error:  # a broken installation fails in many ways
        raise BackendError(
            f"backend 'gpu' is unavailable: CuPy cannot be loaded ({first_line(error)}); "
            "install it again, or choose 'cpu'"
        ) from None
    return cupy


def count_devices() -> int:
    """How many devices there are, at least 1.

    Raises
    ------
    BackendError
        If there is none that can be used; says why.
    """
    runtime = _cupy().cuda.runtime
    try:
        count = int(runtime.getDeviceCount())
    except runtime.CUDARuntimeError as error:
        raise BackendError(no_device(str(error))) from None
    if count == 0:
        raise BackendError(no_device("no CUDA device"))
    return count


def no_device(said: str) -> str:
    """The sentence for what CUDA said when it was asked for devices."""
    if "InsufficientDriver" in said or "insufficient" in said:
        why = "the NVIDIA driver is missing or older than CuPy's CUDA; install or update it"
    elif "NoDevice" in said or "no CUDA" in said:
        why = "no CUDA device was found"
    else:
        why = f"the CUDA driver failed ({said}); restart it or the machine"
    return f"backend 'gpu' is unavailable: {why}, or choose 'cpu'"


def first_line(error: BaseException) -> str:
    """What an error says first, at most 160 characters."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    wanted = next((line for line in lines if "error" in line.lower()), (lines or [""])[0])
    return (wanted or type(error).__name__)[:160]


@cache
def cupy_device(index: int = 0) -> "CupyDevice":
    """The device of that number, opened once.

    Raises
    ------
    BackendError
        If there is none or it cannot be used; says why.
    """
    count = count_devices()
    if not 0 <= index < count:
        raise BackendError(f"there is no CUDA device {index}; there are {count}, from 0 on")
    return CupyDevice(index)


class CupyModule:
    """Compiled source."""

    def __init__(self, module: Any) -> None:
        self._module = module

    def kernel(self, name: str) -> Kernel:
        return self._module.get_function(name)


class CupyDevice:
    """Implements :class:`engine.backends.gpu.device.Device`; all calls from one thread."""

    def __init__(self, index: int) -> None:
        self._cupy = _cupy()
        self.index = index
        runtime = self._cupy.cuda.runtime
        try:
            self._device = self._cupy.cuda.Device(index)
            self._device.use()
            found = runtime.getDeviceProperties(index)
            driver = int(runtime.driverGetVersion())
        except runtime.CUDARuntimeError as error:
            raise BackendError(no_device(str(error))) from None
        name = found["name"]
        self.properties = Properties(
            name=name.decode() if isinstance(name, bytes) else str(name),
            capability=(int(found["major"]), int(found["minor"])),
            n_multiprocessor=int(found["multiProcessorCount"]),
            shared_memory=int(found.get("sharedMemPerBlockOptin", found["sharedMemPerBlock"])),
            shared_per_multiprocessor=int(found["sharedMemPerMultiprocessor"]),
            threads_per_multiprocessor=int(found["maxThreadsPerMultiProcessor"]),
            l2_cache=int(found["l2CacheSize"]),
            driver=driver,
        )
        if self.properties.capability < OLDEST:
            major, minor = self.properties.capability
            raise BackendError(
                f"backend 'gpu' is unavailable: {self.properties.name} has compute capability "
                f"{major}.{minor}, {OLDEST[0]}.{OLDEST[1]} is needed; choose 'cpu'"
            )
        self._modules: dict[tuple[str, tuple[str, ...]], CupyModule] = {}
        self._streams: dict[int, Any] = {}

    @contextmanager
    def _used(self) -> Iterator[None]:
        """The calls inside go to this device; what CUDA refuses of them is told as ours."""
        cuda = self._cupy.cuda
        try:
            self._device.use()
            yield
        except (cuda.runtime.CUDARuntimeError, cuda.driver.CUDADriverError) as error:
            raise BackendError(failed(error)) from None

    def memory(self) -> tuple[int, int]:
        """Free bytes, those that CuPy keeps for later among them, and total bytes."""
        with self._used():
            free, total = self._cupy.cuda.runtime.memGetInfo()
        pool = self._cupy.get_default_memory_pool()
        return int(free) + int(pool.free_bytes()), int(total)

    def compile(self, source: str, options: tuple[str, ...] = ()) -> CupyModule:
        """Compile CUDA C++; kept by CuPy in a folder, named by the text's hash."""
        key = source, options
        if key in self._modules:
            return self._modules[key]
        module = self._cupy.RawModule(code=source, options=(*OPTIONS, *options), backend="nvrtc")
        try:
            self._device.use()
            module.compile()
        except Exception as error:
            raise BackendError(
                f"backend 'gpu' cannot compile the kernels of this model ({first_line(error)}); "
                "report this, and choose 'cpu' meanwhile"
            ) from error
        self._modules[key] = CupyModule(module)
        return self._modules[key]

    def upload(self, values: NDArray[Any]) -> Buffer:
        buffer = self._allocate(values.shape, values.dtype)
        self.write(buffer, values)
        return buffer

    def allocate(self, shape: int | tuple[int, ...], dtype: DTypeLike = np.float64) -> Buffer:
        buffer = self._allocate(shape, dtype)
        with self._used():
            buffer.fill(0)
        return buffer

    def _allocate(self, shape: int | tuple[int, ...], dtype: DTypeLike) -> Buffer:
        with self._used():
            try:
                return self._cupy.empty(shape, dtype)
            except self._cupy.cuda.memory.OutOfMemoryError:
                wanted = int(np.prod(shape)) * np.dtype(dtype).itemsize
                self._cupy.get_default_memory_pool().free_all_blocks()
                raise OutOfDeviceMemoryError(wanted, self.memory()[0]) from None

    def write(self, buffer: Buffer, values: NDArray[Any]) -> None:
        with self._used():
            buffer.set(np.ascontiguousarray(values))

    def download(self, buffer: Buffer) -> NDArray[Any]:
        with self._used():
            return np.asarray(buffer.get())

    def launch(
        self,
        kernel: Kernel,
        grid: int,
        block: int,
        arguments: Sequence[Argument],
        shared: int = 0,
        stream: int = 0,
    ) -> None:
        with self._used():
            if shared > PLAIN_SHARED and kernel.max_dynamic_shared_size_bytes < shared:
                kernel.max_dynamic_shared_size_bytes = shared
            with self._stream(stream):
                kernel((grid,), (block,), tuple(arguments), shared_mem=shared)

    def _stream(self, number: int) -> Any:
        """0: the usual stream. What is started on another one waits for all that is on it now.

        It does not wait for more: streams that block would take turns with the usual one, and so
        with each other wherever something is put up in between.
        """
        if not number:
            return nullcontext()
        if number not in self._streams:
            self._streams[number] = self._cupy.cuda.Stream(non_blocking=True)
        stream = self._streams[number]
        stream.wait_event(self._cupy.cuda.get_current_stream().record())
        return stream

    def synchronize(self) -> None:
        with self._used():
            for stream in (self._cupy.cuda.get_current_stream(), *self._streams.values()):
                stream.synchronize()

    def elapsed(self, work: Callable[[], None]) -> float:
        with self._used():
            begin, end = self._cupy.cuda.Event(), self._cupy.cuda.Event()
            begin.record()
            work()
            for stream in self._streams.values():
                self._cupy.cuda.get_current_stream().wait_event(stream.record())
            end.record()
            end.synchronize()
            return float(self._cupy.cuda.get_elapsed_time(begin, end)) / 1000.0


def failed(error: BaseException) -> str:
    """The sentence for a kernel that did not run to its end, or a call that the driver refused."""
    return (
        f"the GPU failed ({first_line(error)}); "
        "restart the engine, and choose backend 'cpu' if it happens again"
    )


class CupyArrays:
    """Arrays on the first device, for what is said in products of matrices.

    Raises
    ------
    BackendError
        If there is no device that can be used; says why.
    """

    def __init__(self) -> None:
        self.name = cupy_device().properties.name
        self.module = _cupy()

    def to_host(self, array: Any) -> NDArray[Any]:
        return self.module.asnumpy(array)
