"""An exponential that LLVM can vectorize: plain arithmetic put in place, no call."""

from functools import partial

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
"""Twice the coefficients of q in exp(r) = 1 + r (1 + r q(r)), |r| <= ln 2 / 2.

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


def _constant(kind, value):  # type: ignore[no-untyped-def]
    count = getattr(kind, "count", 0)
    return ir.Constant(kind, [value] * count if count else value)


def _times_plus(builder, a, b, c):  # type: ignore[no-untyped-def]
    flags = ("contract",)
    return builder.fadd(builder.fmul(a, b, flags=flags), c, flags=flags)


def _polynomial(builder, coefficients, x, real):  # type: ignore[no-untyped-def]
    """Neighbors in pairs (Estrin): a processor holds too few instructions at a time to fill the
    gaps of one long chain (Horner) with others."""
    terms, step = [_constant(real, coefficient) for coefficient in coefficients], x
    while len(terms) > 1:
        pairs = [
            _times_plus(builder, b, step, a) for a, b in zip(terms[::2], terms[1::2], strict=False)
        ]
        terms = pairs + terms[len(terms) - len(terms) % 2 :]
        step = builder.fmul(step, step)
    return terms[0]


def build_exp(builder, x, real, whole):  # type: ignore[no-untyped-def]
    """The instructions of :func:`exp` for a double or, with vector types, for several."""
    constant, times_plus = _constant, partial(_times_plus, builder)
    number = partial(_constant, real)
    x = builder.select(builder.fcmp_ordered(">", number(_SMALLEST), x), number(_SMALLEST), x)
    x = builder.select(builder.fcmp_ordered("<", number(_LARGEST), x), number(_LARGEST), x)
    shifted = times_plus(x, number(_LOG2E), number(_ROUND))
    k = builder.fsub(shifted, number(_ROUND))
    r = times_plus(k, number(-_LN2_HIGH), x)
    r = times_plus(k, number(-_LN2_LOW), r)
    twice = times_plus(_polynomial(builder, _TWICE, r, real), r, number(2.0))
    twice = times_plus(twice, r, number(2.0))
    bits = builder.add(builder.bitcast(shifted, whole), constant(whole, 1022))
    scale = builder.bitcast(builder.shl(bits, constant(whole, 52)), real)
    return builder.fmul(twice, scale)


EXPREL_NEAR = 0.5
"""Up to here :func:`exprel` is a polynomial."""
_EXPREL = (
    1.0,
    0.5,
    0.1666666666666722,
    0.04166666666666706,
    0.008333333333075146,
    0.001388888888870455,
    0.00019841270281832442,
    2.4801587616145414e-05,
    2.7556979476271894e-06,
    2.7557076636642725e-07,
    2.517282043357941e-08,
    2.0962955815976076e-09,
)
"""By Chebyshev interpolation of degree 11 (relative error 5e-17)."""


def build_exprel_near(builder, x, real):  # type: ignore[no-untyped-def]
    """The instructions of :func:`exprel` for |x| <= :data:`EXPREL_NEAR`."""
    return _polynomial(builder, _EXPREL, x, real)


def build_exprel(builder, x, real, whole):  # type: ignore[no-untyped-def]
    """The instructions of :func:`exprel`; no branch, so that loops stay vector code."""
    one, near = _constant(real, 1.0), build_exprel_near(builder, x, real)
    far = builder.fdiv(builder.fsub(build_exp(builder, x, real, whole), one), x)
    edge = _constant(real, EXPREL_NEAR)
    inside = builder.and_(
        builder.fcmp_ordered("<=", x, edge), builder.fcmp_ordered(">=", x, builder.fneg(edge))
    )
    return builder.select(inside, near, far)


@intrinsic
def exprel(typingctx, x):  # type: ignore[no-untyped-def]
    """(exp(x) - 1) / x within 3 units in the last place, 1 at 0.

    An exact step over dt of x' = a + b x is dt exprel(dt b) (a + b x): where a and b have a common
    denominator it needs no division, and it loses no digits where dt b is small.
    """
    if not isinstance(x, types.Float | types.Integer):
        return None

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return build_exprel(builder, arguments[0], ir.DoubleType(), ir.IntType(64))

    return types.float64(types.float64), generate


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
