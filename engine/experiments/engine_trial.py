"""Which engines there are: each step on the way to a GPU, and one model run by all of them."""

import ctypes
from importlib.util import find_spec
from time import perf_counter

import numpy as np

from engine.backends import choose_backend
from engine.backends.base import Backend
from engine.errors import BackendError
from engine.model import Model
from engine.recording import Recording, collect
from engine.simulation import simulate

CUDA_NAMES = ("libcuda.so.1", "nvcuda.dll", "libcuda.dylib")


def try_engines(model: Model) -> tuple[str, ...]:
    """Run a model, which records something, on the CPU and, where there is one, on the GPU.

    Returns
    -------
    tuple of str
        A sentence for each thing that was looked at; ``✓`` before what works, ``✗`` before what
        does not, with the way out.
    """
    assert model.probes
    cpu, seconds = _run(model, choose_backend("cpu"))
    steps = f"{model.n_comp} compartments, {model.n_step} steps"
    lines = [f"✓ CPU: {steps} in {seconds:.2g} s."]
    lines += [_driver_line(), _package_line()]
    try:
        backend = choose_backend("gpu")
        gpu, gpu_seconds = _run(model, backend)
    except BackendError as error:
        return (*lines, f"✗ {str(error)[:1].upper()}{str(error)[1:]}.")
    except Exception as error:  # a device can fail in ways nobody foresaw: told, not raised
        return (*lines, f"✗ The GPU failed: {type(error).__name__}: {error}.")
    difference = float(np.abs(cpu.values - gpu.values).max())
    lines.append(f"✓ {backend.describe()}: the same in {gpu_seconds:.2g} s.")
    equal = difference <= 1e-6
    told = f"the traces differ by at most {difference:.1g} mV"
    lines.append(f"✓ Same answers: {told}." if equal else f"✗ Other answers: {told}.")
    return tuple(lines)


def _run(model: Model, backend: Backend) -> tuple[Recording, float]:
    """A run and its time without compiling."""
    collect(model, simulate(model, backend))
    begin = perf_counter()
    recording = collect(model, simulate(model, backend))
    return recording, perf_counter() - begin


def _driver_line() -> str:
    """What the NVIDIA driver says, asked without any package."""
    for name in CUDA_NAMES:
        try:
            cuda = ctypes.CDLL(name)
        except OSError:
            continue
        version, count = ctypes.c_int(), ctypes.c_int()
        if cuda.cuInit(0) != 0 or cuda.cuDeviceGetCount(ctypes.byref(count)) != 0:
            return "✗ The NVIDIA driver is there but does not start; see what nvidia-smi says."
        cuda.cuDriverGetVersion(ctypes.byref(version))
        cuda_version = f"CUDA {version.value // 1000}.{version.value % 1000 // 10}"
        if not count.value:
            return f"✗ The NVIDIA driver ({cuda_version}) finds no device."
        return f"✓ NVIDIA driver for {cuda_version}, {count.value} device(s)."
    return "✗ No NVIDIA driver was found; without one no NVIDIA GPU can be used."


def _package_line() -> str:
    if find_spec("cupy") is not None:
        return "✓ CuPy is installed."
    return "✗ CuPy, which talks to the GPU, is not installed: pip install 'dendview[gpu]'."
