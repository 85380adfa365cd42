"""Share exponentials: exp(c v + d) for several c that are whole multiples of one another cost one
exponential.

Rate functions are full of exp((v + a) / b) with few different b. One is computed per family; the
others are its whole powers times a constant, within a few units in the last place. What belongs to
no family is written as exp(c v + d) too, one multiplication and sum.
"""

import math
from dataclasses import dataclass, replace

from engine.mechanisms.expressions import (
    Binary,
    Call,
    Expr,
    Name,
    Number,
    Select,
    Unary,
    children,
    multiply,
)
from engine.mechanisms.linear import linear
from engine.mechanisms.model import Program, Step

MAX_POWER = 8
MAX_SHIFT = 30.0
"""Largest exponent of a constant factor, so that the range stays that of the original."""


@dataclass
class _Family:
    slope: float
    offset: float
    members: int = 0


def share_exponentials(program: Program) -> Program:
    """The same program with fewer exponentials of affine functions of the voltage."""
    definitions = {step.target: step.value for step in program.steps}
    found: dict[Expr, tuple[float, float]] = {}
    for step in program.steps:
        for call in _exponentials(step.value):
            match linear(call.arguments[0], "v", definitions):
                case Number(offset), Number(slope) if slope != 0:
                    found[call] = slope, offset
    families: list[_Family] = []
    for slope, offset in sorted(found.values(), key=lambda pair: abs(pair[0])):
        home = _home(slope, offset, families)
        if home is None:
            families.append(home := _Family(slope, offset))
        home.members += 1
    families = [family for family in families if family.members > 1]
    if not found:
        return program
    before: list[Step] = []
    powers: dict[tuple[int, int], Name] = {}
    for i, family in enumerate(families):
        powers[i, 1] = Name(f"shared_exp_{i + 1}")
        before.append(Step(powers[i, 1].name, Call("exp", (_line(family.slope, family.offset),))))

    def power(i: int, n: int) -> Name:
        if (i, n) not in powers:
            half = power(i, n // 2)
            other = power(i, n - n // 2)
            powers[i, n] = Name(f"shared_exp_{i + 1}_to_{n}")
            before.append(Step(powers[i, n].name, Binary("*", half, other)))
        return powers[i, n]

    shared: dict[Expr, Expr] = {}
    for original, (slope, offset) in found.items():
        home = _home(slope, offset, families)
        if home is not None:
            n = round(slope / home.slope)
            factor = math.exp(offset - n * home.offset)
            shared[original] = multiply(Number(factor), power(families.index(home), n))
        else:
            shared[original] = Call("exp", (_line(slope, offset),))
    steps = tuple(replace(step, value=_replace(step.value, shared)) for step in program.steps)
    return replace(program, steps=(*before, *steps))


def _line(slope: float, offset: float) -> Expr:
    return Binary("+", Binary("*", Number(slope), Name("v")), Number(offset))


def _home(slope: float, offset: float, families: list[_Family]) -> _Family | None:
    """The family an exponential belongs to: its slope is a whole multiple of the family's."""
    for family in families:
        n = round(slope / family.slope)
        exact = math.isclose(slope, n * family.slope, rel_tol=1e-14)
        if exact and 1 <= n <= MAX_POWER and abs(offset - n * family.offset) <= MAX_SHIFT:
            return family
    return None


def _exponentials(expr: Expr) -> list[Call]:
    inner = [call for child in children(expr) for call in _exponentials(child)]
    return [*inner, expr] if isinstance(expr, Call) and expr.function == "exp" else inner


def _replace(expr: Expr, shared: dict[Expr, Expr]) -> Expr:
    if expr in shared:
        return shared[expr]
    match expr:
        case Unary(operator, operand):
            return Unary(operator, _replace(operand, shared))
        case Binary(operator, left, right):
            return Binary(operator, _replace(left, shared), _replace(right, shared))
        case Call(function, arguments):
            return Call(function, tuple(_replace(argument, shared) for argument in arguments))
        case Select(condition, then, other):
            return Select(*(_replace(part, shared) for part in (condition, then, other)))
    return expr
