"""Backends: where and how a model is run."""

from engine.backends.base import Backend
from engine.backends.cpu import CpuBackend
from engine.errors import BackendError
from engine.types import BackendName


def choose_backend(name: BackendName = "auto") -> Backend:
    """The backend of that name; ``auto`` takes the fastest that can run here.

    Raises
    ------
    BackendError
        If it cannot run here; says why and what to choose.
    """
    if name in ("auto", "cpu"):
        return CpuBackend()
    if name == "gpu":
        raise BackendError(
            "backend 'gpu' is not part of this version, which runs on the CPU only; "
            "choose 'cpu' or 'auto'"
        )
    raise BackendError(f"there is no backend '{name}'; choose 'cpu' or 'auto'")
