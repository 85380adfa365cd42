"""Quotients of vectors with fewer divisions: several by one reciprocal, exprel near zero by none.

The short way is taken where all eight numbers allow it, and changes no bit of any of them.
Quotients that share a reciprocal are a few units in the last place from those that are divided.
"""

from llvmlite import ir
from numba import njit
from numba.extending import intrinsic

from engine.mechanisms.fastmath import EXPREL_NEAR, build_exprel, build_exprel_near
from engine.mechanisms.lanes import WIDTH, every, fabs, lanes, larger, select, splat

VECTOR = ir.VectorType(ir.DoubleType(), WIDTH)
BITS = ir.VectorType(ir.IntType(64), WIDTH)


@intrinsic
def _exprel_near(typingctx, x):  # type: ignore[no-untyped-def]
    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        return build_exprel_near(builder, values[0], VECTOR)

    return lanes(x), generate


@intrinsic
def _exprel_any(typingctx, x):  # type: ignore[no-untyped-def]
    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        return build_exprel(builder, values[0], VECTOR, BITS)

    return lanes(x), generate


@njit(forceinline=True)
def exprel(x):  # type: ignore[no-untyped-def]
    """:func:`engine.mechanisms.fastmath.exprel` of every lane; the same bits."""
    wide = splat(x)
    if every(fabs(wide) <= EXPREL_NEAR):
        return _exprel_near(wide)
    return _exprel_any(wide)


@njit(forceinline=True)
def two_exprels(x, y):  # type: ignore[no-untyped-def]
    """:func:`exprel` of two, which wait for one another less."""
    if every(larger(fabs(x), fabs(y)) <= EXPREL_NEAR):
        return _exprel_near(x), _exprel_near(y)
    return _exprel_any(x), _exprel_any(y)


@njit(forceinline=True)
def three_exprels(x, y, z):  # type: ignore[no-untyped-def]
    """As :func:`two_exprels`."""
    if every(larger(larger(fabs(x), fabs(y)), fabs(z)) <= EXPREL_NEAR):
        return _exprel_near(x), _exprel_near(y), _exprel_near(z)
    return _exprel_any(x), _exprel_any(y), _exprel_any(z)


@njit(forceinline=True)
def _in_range(x):  # type: ignore[no-untyped-def]
    size = fabs(x)
    return (size <= 1e200) & (size >= 1e-200)


@njit(forceinline=True)
def two_quotients(a, x, b, y):  # type: ignore[no-untyped-def]
    """a / x and b / y with one division; lanes where their product is no ordinary number divide."""
    both = splat(x) * y
    r = 1.0 / both
    p, q = a * (r * y), b * (r * x)
    fine = _in_range(both)
    if not every(fine):
        p, q = select(fine, p, splat(a) / x), select(fine, q, splat(b) / y)
    return p, q


@njit(forceinline=True)
def three_quotients(a, x, b, y, c, z):  # type: ignore[no-untyped-def]
    """a / x, b / y and c / z with one division; as :func:`two_quotients`."""
    two = splat(x) * y
    three = two * z
    r = 1.0 / three
    rz = r * z
    p, q, s = a * (rz * y), b * (rz * x), c * (r * two)
    fine = _in_range(two) & _in_range(three)
    if not every(fine):
        p, q = select(fine, p, splat(a) / x), select(fine, q, splat(b) / y)
        s = select(fine, s, splat(c) / z)
    return p, q, s
