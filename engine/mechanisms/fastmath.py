"""An exponential that LLVM can vectorize: plain arithmetic put in place, no call."""

from llvmlite import ir
from numba import carray, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

_LOG2E = 1.4426950408889634
_LN2_HIGH = (
    0.6931471803691238  # the upper 33 bits of ln 2, so that k times it is exact for |k| < 2^20
)
_LN2_LOW = 1.9082149292705877e-10
_ROUND = 6755399441055744.0  # 1.5 * 2^52: adding it rounds, and leaves the number in the low bits
_LARGEST = (
    709.9  # above the log of the largest double: 2^1024 times something overflows to infinity
)
_SMALLEST = -708.5  # below it the result would be subnormal: k is -1022, and 2^(k-1) is made 0
_TWICE = (
    1.0000000000000002,
    0.3333333333333334,
    0.08333333333324797,
    0.01666666666665196,
    0.0027777777834573202,
    0.0003968253975059217,
    4.960304236605777e-05,
    5.5114509694891725e-06,
    5.524028399772243e-07,
    5.0210860708209866e-08,
)
"""Twice the coefficients of q in exp(r) = 1 + r + r² q(r), |r| <= ln 2 / 2.

By Chebyshev interpolation of degree 9 (relative error 1.7e-17). Twice, since 2^(k-1) is a normal
number for every k that occurs.
"""


@intrinsic
def exp(typingctx, x):  # type: ignore[no-untyped-def]
    """exp(x) within 2 units in the last place; kernels call it like ``math.exp``.

    Infinity above 709.78, 0 below -708.05 (soon the result would be subnormal), NaN for NaN.

    Notes
    -----
    exp(x) = 2^k exp(r), k = round(x / ln 2), r = x − k ln 2 in two pieces (Cody & Waite 1980).
    """
    if not isinstance(x, types.Float | types.Integer):
        return None

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return build_exp(builder, arguments[0], ir.DoubleType(), ir.IntType(64))

    return types.float64(types.float64), generate


def build_exp(builder, x, real, whole, reduced=False):  # type: ignore[no-untyped-def]
    """The instructions of :func:`exp` for a double or, with vector types, for several.

    ``reduced`` says that |x| < ln 2 / 2, so that k is 0: the same bits with fewer instructions.
    """

    def constant(kind, value):  # type: ignore[no-untyped-def]
        count = getattr(kind, "count", 0)
        return ir.Constant(kind, [value] * count if count else value)

    def number(value: float) -> ir.Constant:
        return constant(real, value)

    def times_plus(a, b, c):  # type: ignore[no-untyped-def]
        return builder.fadd(builder.fmul(a, b, flags=flags), c, flags=flags)

    flags = ("contract",)
    r = x
    if not reduced:
        x = builder.select(builder.fcmp_ordered(">", number(_SMALLEST), x), number(_SMALLEST), x)
        x = builder.select(builder.fcmp_ordered("<", number(_LARGEST), x), number(_LARGEST), x)
        shifted = times_plus(x, number(_LOG2E), number(_ROUND))
        k = builder.fsub(shifted, number(_ROUND))
        r = times_plus(k, number(-_LN2_HIGH), x)
        r = times_plus(k, number(-_LN2_LOW), r)
    square = builder.fmul(r, r)
    terms, step = [number(coefficient) for coefficient in _TWICE], r
    while len(terms) > 1:  # neighbors in pairs (Estrin): short chains keep the units busy
        pairs = [times_plus(b, step, a) for a, b in zip(terms[::2], terms[1::2], strict=False)]
        terms = pairs + terms[len(terms) - len(terms) % 2 :]
        step = square if step is r else builder.fmul(step, step)
    (q,) = terms
    twice = builder.fadd(r, r)
    twice = builder.fadd(times_plus(q, square, twice), number(2.0))
    if reduced:
        return builder.fmul(twice, number(0.5))
    bits = builder.add(builder.bitcast(shifted, whole), constant(whole, 1022))
    scale = builder.bitcast(builder.shl(bits, constant(whole, 52)), real)
    return builder.fmul(twice, scale)


BLOCK = 128
"""Elements a stack array holds: scattered nodes are worked on in blocks of this size."""


@intrinsic
def _stack(typingctx):  # type: ignore[no-untyped-def]
    """Pointer to BLOCK doubles on the caller's stack."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return cgutils.alloca_once(builder, ir.DoubleType(), size=BLOCK)

    return types.CPointer(types.float64)(), generate


@njit(inline="always")
def stack_array():  # type: ignore[no-untyped-def]
    """An array of BLOCK doubles that lives as long as the kernel that calls this; no allocation."""
    return carray(_stack(), BLOCK)


@intrinsic
def wide_vectors(typingctx):  # type: ignore[no-untyped-def]
    """Ask for 512-bit vectors in the function that calls this.

    LLVM halves the width on processors that once slowed down under AVX-512. hh's kernels take 9.9
    ns per compartment with it and 13.8 ns without (Emerald Rapids). Processors without AVX-512 are
    not affected.
    """

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        attributes = builder.function.attributes
        if isinstance(
            attributes, set
        ):  # its own add() checks names against a list without this one
            set.add(attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.void(), generate
