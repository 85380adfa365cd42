"""What is asked to run a model: a backend, and on a GPU the precision of the membrane."""

from typing import get_args

from engine.errors import BackendError
from engine.types import BackendName, Precision

SUFFIX = "-single"
IN_SINGLE = "membrane in single precision"
"""How everything that tells what ran calls it."""


def with_precision(name: BackendName, precision: Precision) -> BackendName:
    """The same backend in a precision.

    Raises
    ------
    BackendError
        If it has no such precision.
    """
    base, _ = parts(name)
    if precision == "double":
        return base
    if base == "cpu":
        raise BackendError(
            "backend 'cpu' computes in double precision only; choose 'gpu' or 'auto' for single "
            "precision, or double precision"
        )
    return next(known for known in get_args(BackendName) if known == base + SUFFIX)


def parts(name: BackendName) -> tuple[BackendName, Precision]:
    """The backend without its precision, and the precision.

    Raises
    ------
    BackendError
        If there is no such backend.
    """
    if name not in get_args(BackendName):
        raise BackendError(f"there is no backend '{name}'; choose 'cpu', 'gpu' or 'auto'")
    base = name.removesuffix(SUFFIX)
    found = next(known for known in get_args(BackendName) if known == base)
    return found, "single" if base != name else "double"
