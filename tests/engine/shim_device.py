"""A device for tests: CUDA text compiled by g++ with ``cuda_shim.h`` and run on the CPU."""

import ctypes
import getpass
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import DTypeLike, NDArray

from engine.backends.gpu.device import Properties
from engine.errors import BackendError

SHIM = Path(__file__).with_name("cuda_shim.h")
Mode = Literal["forward", "backward", "shuffled", "threads"]
"""In which order the threads of a block run between barriers; ``threads``: all at once."""
MODES: tuple[Mode, ...] = ("forward", "backward", "shuffled", "threads")
STATUS = {
    1: "a barrier was not reached by all threads that it waits for",
    2: "a block has 1 to 1024 threads and a grid at least one block",
}
HOPPER = Properties(
    name="CPU shim",
    capability=(9, 0),
    n_multiprocessor=2,
    shared_memory=227 * 1024,
    shared_per_multiprocessor=228 * 1024,
    threads_per_multiprocessor=2048,
    l2_cache=50 * 2**20,
)
_KERNEL = re.compile(
    r'extern\s+"C"\s+__global__\s+void\s+(?:__launch_bounds__\s*\([^)]*\)\s*)?(\w+)\s*\('
)
_DYNAMIC = re.compile(
    r"extern\s+__shared__\s+(?:__align__\s*\(\d+\)\s+)?([\w\s]+?)\s+(\w+)\s*\[\s*\]\s*;"
)


@dataclass(frozen=True, eq=False)
class ShimBuffer:
    """An array that only kernels may touch."""

    values: NDArray[Any]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.values.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.values.dtype

    @property
    def nbytes(self) -> int:
        return self.values.nbytes


@dataclass(frozen=True, eq=False)
class ShimModule:
    library: ctypes.CDLL

    def kernel(self, name: str) -> Any:
        """The kernel's launcher.

        Raises
        ------
        AttributeError
            If the text has no ``extern "C" __global__`` function of that name.
        """
        function = getattr(self.library, f"shim_launch_{name}")
        function.restype = ctypes.c_int
        return function


class ShimDevice:
    """Implements :class:`engine.backends.gpu.device.Device`.

    Parameters
    ----------
    mode
        See :data:`Mode`.
    seed
        Of the order ``shuffled``.
    memory
        Bytes that it has; more than is free cannot be allocated.
    shared_memory
        Bytes per block.
    options
        Further options of g++.
    """

    def __init__(
        self,
        mode: Mode = "forward",
        seed: int = 0,
        memory: int = 2**34,
        shared_memory: int = HOPPER.shared_memory,
        options: tuple[str, ...] = (),
    ) -> None:
        if shutil.which("g++") is None:
            pytest.skip("g++ is not installed")
        self.index = 0
        self.properties = replace(HOPPER, shared_memory=shared_memory)
        self.mode: Mode = mode
        self.launches = 0
        self.streams: set[int] = set()
        self._seed = seed
        self._memory = memory
        self._options = options
        self._used: dict[int, int] = {}
        self._modules: dict[tuple[str, tuple[str, ...]], ShimModule] = {}

    def memory(self) -> tuple[int, int]:
        """Free and total bytes."""
        return self._memory - sum(self._used.values()), self._memory

    def compile(self, source: str, options: tuple[str, ...] = ()) -> ShimModule:
        """The text as a library; of ``options`` definitions (``-D``) are taken, but those of
        launch bounds, which are nothing here."""
        key = source, options
        if key not in self._modules:
            definitions = tuple(o for o in options if o.startswith("-D") and "_THREADS" not in o)
            definitions = tuple(o for o in definitions if "_BLOCKS" not in o)
            library = _library(source, (*definitions, *self._options))
            self._modules[key] = ShimModule(ctypes.CDLL(str(library)))
        return self._modules[key]

    def upload(self, values: NDArray[Any]) -> ShimBuffer:
        return self._keep(np.array(values, order="C"))

    def allocate(self, shape: int | tuple[int, ...], dtype: DTypeLike = np.float64) -> ShimBuffer:
        return self._keep(np.zeros(shape, dtype))

    def _keep(self, values: NDArray[Any]) -> ShimBuffer:
        from weakref import finalize

        from engine.errors import OutOfDeviceMemoryError

        free, _ = self.memory()
        if values.nbytes > free:
            raise OutOfDeviceMemoryError(values.nbytes, free)
        buffer = ShimBuffer(values)
        self._used[id(buffer)] = values.nbytes
        finalize(buffer, self._used.pop, id(buffer), None)
        return buffer

    def write(self, buffer: ShimBuffer, values: NDArray[Any]) -> None:
        assert buffer.shape == values.shape
        assert buffer.dtype == values.dtype
        buffer.values[...] = values

    def download(self, buffer: ShimBuffer) -> NDArray[Any]:
        return buffer.values.copy()

    def launch(
        self,
        kernel: Any,
        grid: int,
        block: int,
        arguments: Sequence[Any],
        shared: int = 0,
        stream: int = 0,
    ) -> None:
        """Run it at once; ``streams`` keeps which streams have been used."""
        self.streams.add(stream)
        if shared > self.properties.shared_memory:
            raise BackendError(f"{shared} bytes of shared memory are more than a block can have")
        held = [_c_value(argument) for argument in arguments]
        pointers = (ctypes.c_void_p * max(1, len(held)))(
            *(ctypes.cast(ctypes.pointer(value), ctypes.c_void_p) for value in held)
        )
        self.launches += 1
        mode = MODES.index(self.mode)
        status = kernel(
            *map(ctypes.c_uint, (grid, block, shared)),
            ctypes.c_int(mode),
            ctypes.c_uint(self._seed + self.launches),
            pointers,
        )
        if status:
            raise BackendError(f"kernel failed: {STATUS[status]}")

    def synchronize(self) -> None:
        pass

    def elapsed(self, work: Callable[[], None]) -> float:
        begin = perf_counter()
        work()
        return perf_counter() - begin


def _c_value(argument: Any) -> Any:
    match argument:
        case ShimBuffer():
            return ctypes.c_void_p(argument.values.ctypes.data)
        case np.int32():
            return ctypes.c_int32(int(argument))
        case np.int64():
            return ctypes.c_int64(int(argument))
        case np.float32():
            return ctypes.c_float(float(argument))
        case np.float64():
            return ctypes.c_double(float(argument))
    raise TypeError(f"a kernel takes no {type(argument).__name__}")


def _compiled_header(folder: Path, flags: list[str]) -> Path:
    """A copy of the shim beside its compiled form, which g++ takes where the flags are the same."""
    text = SHIM.read_text()
    digest = hashlib.sha256("\0".join([text, *flags]).encode()).hexdigest()[:20]
    header = folder / f"shim-{digest}" / SHIM.name
    compiled = header.with_suffix(".h.gch")
    if not compiled.is_file():
        header.parent.mkdir(exist_ok=True)
        aside = header.parent / f"{os.getpid()}.part"
        aside.write_text(text)
        os.replace(aside, header)
        command = ["g++", *flags, "-x", "c++-header", str(header), "-o", str(aside)]
        subprocess.run(command, check=True)
        os.replace(aside, compiled)
    return header


def _library(source: str, options: tuple[str, ...]) -> Path:
    """The compiled text; kept from one session of tests to the next, named by its hash."""
    text = _DYNAMIC.sub(r"\1* \2 = shim::dynamic<\1>();", source)
    names = _KERNEL.findall(text)
    assert names, "the text has no kernel"
    text += "".join(
        f'\nextern "C" int shim_launch_{name}(unsigned grid, unsigned block, unsigned shared, '
        "int mode, unsigned seed, void** arguments) "
        f"{{ return shim::start({name}, grid, block, shared, mode, seed, arguments); }}"
        for name in dict.fromkeys(names)
    )
    base = ["-std=c++20", "-O1", "-march=native", "-ffp-contract=off", "-w", "-pthread"]
    folder = Path(tempfile.gettempdir()) / f"dendview-shim-{getpass.getuser()}"
    folder.mkdir(exist_ok=True)
    header = _compiled_header(folder, [*base, "-fPIC"])
    command = ["g++", *base, *options, "-shared", "-fPIC", "-include", str(header)]
    seed = "\0".join([text, SHIM.read_text(), *command])
    digest = hashlib.sha256(seed.encode()).hexdigest()[:20]
    library = folder / f"{digest}.so"
    if not library.is_file():
        stem = folder / f"{digest}.{os.getpid()}"
        cpp, aside = stem.with_suffix(".cpp"), stem.with_suffix(".part")
        cpp.write_text(text)
        done = subprocess.run(
            [*command, str(cpp), "-o", str(aside)], capture_output=True, text=True
        )
        if done.returncode:
            first = next((s for s in done.stderr.splitlines() if "error" in s), done.stderr)
            raise BackendError(f"the kernels do not compile: {first}")
        os.replace(aside, library)
        cpp.unlink()
    return library
