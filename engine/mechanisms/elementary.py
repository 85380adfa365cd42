"""Functions of the math library and powers, of every number of a vector."""

import math
from collections.abc import Callable

from numba import njit

from engine.mechanisms.lanes import WIDTH, lane, splat, with_lane


def _one_by_one(scalar: Callable) -> Callable:
    """A function of the math library, which knows no vectors: lane by lane."""

    @njit
    def function(x):  # type: ignore[no-untyped-def]
        wide = splat(x)
        for k in range(WIDTH):
            wide = with_lane(wide, k, scalar(lane(wide, k)))
        return wide

    return function


def _pair_by_pair(scalar: Callable) -> Callable:
    @njit
    def function(x, y):  # type: ignore[no-untyped-def]
        wide, other = splat(x), splat(y)
        for k in range(WIDTH):
            wide = with_lane(wide, k, scalar(lane(wide, k), lane(other, k)))
        return wide

    return function


log, log10, sin, cos, tan, asin, acos, atan, sinh, cosh, tanh = map(
    _one_by_one,
    map(
        njit,
        (
            lambda x: math.log(x),
            lambda x: math.log10(x),
            lambda x: math.sin(x),
            lambda x: math.cos(x),
            lambda x: math.tan(x),
            lambda x: math.asin(x),
            lambda x: math.acos(x),
            lambda x: math.atan(x),
            lambda x: math.sinh(x),
            lambda x: math.cosh(x),
            lambda x: math.tanh(x),
        ),
    ),
)
atan2, fmod, power = map(
    _pair_by_pair,
    map(
        njit,
        (lambda x, y: math.atan2(x, y), lambda x, y: math.fmod(x, y), lambda x, y: x**y),
    ),
)


@njit(forceinline=True)
def whole_power(x, n):  # type: ignore[no-untyped-def]
    """x multiplied by itself, n > 0 factors."""
    value = splat(x)
    for _ in range(n - 1):
        value = value * x
    return value
