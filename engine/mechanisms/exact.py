"""The exact step of one linear equation, arranged so that it costs little.

The solution over dt of x' = a + b x, with a and b held, is x + dt φ(dt b) (a + b x), where
φ(z) = (exp(z) − 1) / z is a smooth function (``exprel``). A gate has a = q α and b = −q (α + β): so
no division is left, and what is the same at all nodes (dt and q) is one number.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.mechanisms.expressions import (
    ONE,
    ZERO,
    Binary,
    Call,
    Expr,
    Name,
    Number,
    Unary,
    add,
    children,
    multiply,
    negate,
    subtract,
)
from engine.mechanisms.linear import quotient, through_reciprocal
from engine.mechanisms.symbols import SCALARS

if TYPE_CHECKING:
    from engine.mechanisms.lower import Lowering

DT: Expr = Name("dt")


def exact_step(lowering: "Lowering", state: str, a: Expr, b: Expr) -> Expr:
    """The new value of a state whose derivative is ``a + b x``."""
    x = Name(state)
    if b == ZERO:
        return lowering.define(state, add(x, multiply(DT, a)))
    target = negate(quotient(a, b))
    rate = through_reciprocal(b, lowering.definitions)
    falls, factors = _factors(lowering, rate)
    moving = [factor for factor in factors if not _is_fixed(lowering, factor)]
    if not moving:
        target = lowering.define(f"{state}_target", target)
        exponential = Call("exp", (multiply(DT, lowering.define(f"{state}_rate", rate)),))
        fraction = lowering.define(f"{state}_fraction", subtract(ONE, exponential))
        return lowering.define(state, add(x, multiply(fraction, subtract(target, x))))
    same = _product([DT, *(factor for factor in factors if factor not in moving)])
    scale = lowering.define(f"{state}_scale", negate(same) if falls else same)
    power = lowering.define(f"{state}_power", multiply(scale, _product(moving)))
    mean = lowering.define(f"{state}_mean", Call("exprel", (power,)))
    match _definition(lowering, target):
        case Binary("/", above, below) if below in moving:
            moving.remove(below)
            away = subtract(multiply(below, x), above)
            share = multiply(multiply(scale, mean), _product(moving))
        case _:
            away = subtract(x, lowering.define(f"{state}_target", target))
            share = multiply(power, mean)
    return lowering.define(state, add(x, multiply(share, away)))


def _product(factors: Sequence[Expr]) -> Expr:
    product: Expr = ONE
    for factor in factors:
        product = multiply(product, factor)
    return product


def _definition(lowering: "Lowering", expr: Expr) -> Expr:
    while isinstance(expr, Name) and expr.name in lowering.definitions:
        expr = lowering.definitions[expr.name]
    return expr


def _factors(lowering: "Lowering", expr: Expr) -> tuple[bool, list[Expr]]:
    """Whether a product is negative on its face, and its factors without signs."""
    match _definition(lowering, expr):
        case Unary("-", operand):
            negative, factors = _factors(lowering, operand)
            return not negative, factors
        case Number(value) if value < 0:
            return True, [Number(-value)]
        case Binary("*", left, right):
            (one, these), (two, those) = _factors(lowering, left), _factors(lowering, right)
            return one != two, these + those
        case Binary("/", above, below) if _is_fixed(lowering, below):
            negative, factors = _factors(lowering, above)
            return negative, [*factors, Binary("/", ONE, below)]
    return False, [expr]


def _is_fixed(lowering: "Lowering", expr: Expr) -> bool:
    """Whether an expression is the same at all nodes."""
    match expr:
        case Name(name) if name in lowering.definitions:
            return _is_fixed(lowering, lowering.definitions[name])
        case Name(name):
            source = lowering.source
            own = name in lowering.symbols.parameters and name not in lowering.symbols.overwritten
            single = own and name not in source.ranges and name not in source.pointers
            return single or name in SCALARS
    return all(_is_fixed(lowering, child) for child in children(expr))
