"""Which part of an expression is proportional to a variable: exact, on our own tree."""

from collections.abc import Mapping

from engine.mechanisms.expressions import (
    ONE,
    ZERO,
    Binary,
    Expr,
    Name,
    Number,
    Select,
    Unary,
    add,
    children,
    divide,
    multiply,
    negate,
    subtract,
)


def depends(expr: Expr, variable: str, definitions: Mapping[str, Expr]) -> bool:
    """Whether an expression reads a variable, itself or through definitions."""
    seen: set[str] = set()

    def search(e: Expr) -> bool:
        if isinstance(e, Name):
            if e.name == variable:
                return True
            if e.name in seen or e.name not in definitions:
                return False
            seen.add(e.name)
            return search(definitions[e.name])
        return any(search(child) for child in children(e))

    return search(expr)


def linear(
    expr: Expr, variable: str, definitions: Mapping[str, Expr], branches: bool = False
) -> tuple[Expr, Expr] | None:
    """Split an expression into ``a + b x``.

    Parameters
    ----------
    expr, definitions
        The expression and what the names in it stand for.
    variable
        x.
    branches
        Split selections by conditions that are free of x too; then b may be 0 while a run goes on.

    Returns
    -------
    (a, b) free of x, or None where the expression is not linear in x.
    """
    parts: dict[str, tuple[Expr, Expr] | None] = {}  # a definition that is read twice is split once

    def split(e: Expr) -> tuple[Expr, Expr] | None:
        if not depends(e, variable, definitions):
            return e, ZERO
        match e:
            case Name(name):
                if name not in parts:
                    parts[name] = (ZERO, ONE) if name == variable else split(definitions[name])
                return parts[name]
            case Unary("-", operand):
                part = split(operand)
                return part and (negate(part[0]), negate(part[1]))
            case Binary("+" | "-" as operator, left, right):
                one, two = split(left), split(right)
                combine = add if operator == "+" else subtract
                return one and two and (combine(one[0], two[0]), combine(one[1], two[1]))
            case Binary("*", left, right):
                if depends(left, variable, definitions):
                    left, right = right, left
                if depends(left, variable, definitions):
                    return None
                part = split(right)
                return part and (multiply(left, part[0]), multiply(left, part[1]))
            case Binary("/", left, right) if not depends(right, variable, definitions):
                part = split(left)
                return part and (divide(part[0], right), divide(part[1], right))
            case Select(condition, then, other) if branches and not depends(
                condition, variable, definitions
            ):
                one, two = split(then), split(other)
                if one is None or two is None:
                    return None
                a, b = (
                    x if x == y else Select(condition, x, y) for x, y in zip(one, two, strict=True)
                )
                return a, b
        return None

    return split(expr)


def quotient(a: Expr, b: Expr) -> Expr:
    """a / b, with a common denominator canceled."""
    match a, b:
        case Binary("/", p, q), Binary("/", r, s) if q == s:
            return divide(p, r)
        case Binary("*", p, q), Binary("*", r, s) if p == r:
            return divide(q, s)
    return divide(a, b)


def through_reciprocal(expr: Expr, definitions: Mapping[str, Expr]) -> Expr:
    """x / tau as x · r where tau was computed as 1 / r or 1 / r / q, which saves a division."""
    match expr:
        case Binary("/", numerator, below) if (rate := _reciprocal(below, definitions)) is not None:
            return multiply(numerator, rate)
    return expr


def _reciprocal(expr: Expr, definitions: Mapping[str, Expr]) -> Expr | None:
    """r where the expression is 1 / r."""
    match expr:
        case Name(name) if name in definitions:
            return _reciprocal(definitions[name], definitions)
        case Binary("/", Number(value), rate) if value != 0:
            return multiply(Number(1 / value), rate)
        case Binary("/", above, below):
            over = _reciprocal(above, definitions)
            return None if over is None else multiply(over, below)
    return None
