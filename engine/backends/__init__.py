"""Backends: where and how a model is run."""

from engine.backends.base import Backend
from engine.backends.cpu import CpuBackend
from engine.errors import BackendError
from engine.precision import parts
from engine.types import BackendName


def choose_backend(name: BackendName = "auto") -> Backend:
    """The backend of that name; ``auto`` takes the GPU where there is one and it is of use.

    Raises
    ------
    BackendError
        If it cannot run here; says why and what to choose. ``auto`` always can.
    """
    base, precision = parts(name)
    if base == "cpu":
        return CpuBackend()
    from engine.backends.gpu.backend import AutoBackend, GpuBackend

    try:
        gpu = GpuBackend(single=precision == "single")
    except BackendError:
        if base == "gpu":
            raise
        return CpuBackend()
    return gpu if base == "gpu" else AutoBackend(gpu)


def why_no_gpu() -> str:
    """The sentence that says why the GPU cannot be used here; empty where it can."""
    try:
        choose_backend("gpu")
    except BackendError as reason:
        return str(reason)
    return ""
