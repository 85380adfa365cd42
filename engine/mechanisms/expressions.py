"""Arithmetic of a mechanism: expression trees, exact simplifications, obvious evaluation."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

Expression = "Number | Name | Unary | Binary | Call | Select"


@dataclass(frozen=True)
class Number:
    value: float


@dataclass(frozen=True)
class Name:
    name: str
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Element:
    """``name[index]`` of an array; becomes a :class:`Name` while lowering."""

    name: str
    index: "Expr"
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Unary:
    """``-`` (arithmetic) or ``!`` (logical)."""

    operator: str
    operand: "Expr"


@dataclass(frozen=True)
class Binary:
    """``+ - * / ^ %``, a comparison ``< <= > >= == !=`` or a connective ``&& ||``."""

    operator: str
    left: "Expr"
    right: "Expr"


@dataclass(frozen=True)
class Call:
    function: str
    arguments: tuple["Expr", ...]
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Select:
    """``then`` where the condition holds, else ``other``; both are evaluated."""

    condition: "Expr"
    then: "Expr"
    other: "Expr"


Expr = Number | Name | Unary | Binary | Call | Select | Element

ZERO, ONE = Number(0.0), Number(1.0)
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
LOGICAL = (*COMPARISONS, "&&", "||")
FUNCTIONS: dict[str, tuple[int, Callable[..., float]]] = {
    "exp": (1, np.exp),
    "log": (1, np.log),
    "log10": (1, np.log10),
    "sqrt": (1, np.sqrt),
    "fabs": (1, np.fabs),
    "sin": (1, np.sin),
    "cos": (1, np.cos),
    "tan": (1, np.tan),
    "asin": (1, np.arcsin),
    "acos": (1, np.arccos),
    "atan": (1, np.arctan),
    "sinh": (1, np.sinh),
    "cosh": (1, np.cosh),
    "tanh": (1, np.tanh),
    "floor": (1, np.floor),
    "ceil": (1, np.ceil),
    "atan2": (2, np.arctan2),
    "fmod": (2, np.fmod),
    "pow": (2, np.power),
}
"""Built-in functions: number of arguments and meaning. ``exprelr`` is expanded while lowering."""
OWN_FUNCTIONS: dict[str, Callable[..., float]] = {
    "exprel": lambda x: np.float64(1.0) if x == 0 else np.expm1(x) / x,
}
"""Functions that no file can call: (exp(x) - 1) / x, of which an exact step is made."""


def is_logical(expr: Expr) -> bool:
    """Whether the expression is a truth value rather than a number."""
    match expr:
        case Unary("!") | Binary(operator="<" | "<=" | ">" | ">=" | "==" | "!=" | "&&" | "||"):
            return True
    return False


def children(expr: Expr) -> tuple[Expr, ...]:
    match expr:
        case Unary(_, operand):
            return (operand,)
        case Element(_, index):
            return (index,)
        case Binary(_, left, right):
            return left, right
        case Call(_, arguments):
            return arguments
        case Select(condition, then, other):
            return condition, then, other
    return ()


def names(expr: Expr) -> Iterator[str]:
    """Every name an expression reads, with repetition."""
    if isinstance(expr, Name):
        yield expr.name
    for child in children(expr):
        yield from names(child)


def negate(x: Expr) -> Expr:
    match x:
        case Number(value):
            return Number(-value)
        case Unary("-", operand):
            return operand
    return Unary("-", x)


def add(a: Expr, b: Expr) -> Expr:
    if a == ZERO:
        return b
    if b == ZERO:
        return a
    if isinstance(b, Unary) and b.operator == "-":
        return subtract(a, b.operand)
    return fold(Binary("+", a, b))


def subtract(a: Expr, b: Expr) -> Expr:
    if b == ZERO:
        return a
    if a == ZERO:
        return negate(b)
    return fold(Binary("-", a, b))


def multiply(a: Expr, b: Expr) -> Expr:
    """Product; the exact rules only: x·1, x·(−1), and x·0 → 0 which drops a NaN or infinity of x
    on purpose (it stands where a coefficient is absent)."""
    for x, y in ((a, b), (b, a)):
        if x == ZERO:
            return ZERO
        if x == ONE:
            return y
        if x == Number(-1.0):
            return negate(y)
    return fold(Binary("*", a, b))


def divide(a: Expr, b: Expr) -> Expr:
    if a == ZERO:
        return ZERO
    if b == ONE:
        return a
    if b == Number(-1.0):
        return negate(a)
    return fold(Binary("/", a, b))


def fold(expr: Expr) -> Expr:
    """The number an operation on numbers gives; any other expression as it is. Never folds into
    NaN or infinity."""
    parts = children(expr)
    if isinstance(expr, Select):
        return expr
    if parts and not is_logical(expr) and all(isinstance(part, Number) for part in parts):
        value = evaluate(expr, {})
        if math.isfinite(value):
            return Number(value)
    return expr


def evaluate(expr: Expr, values: Mapping[str, float]) -> float:
    """The value of an expression in IEEE double precision, by walking the tree.

    Parameters
    ----------
    expr
        Only built-in functions may be called.
    values
        Value of every name.

    Returns
    -------
    float
        Truth values are 0.0 and 1.0; overflow, division by zero and bad domains give infinity or
        NaN as in C.
    """
    with np.errstate(all="ignore"):
        return float(_evaluate(expr, values))


OPERATORS: dict[str, Callable[[np.float64, np.float64], float | np.bool_]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "%": np.fmod,
    "^": np.power,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "&&": lambda a, b: a != 0 and b != 0,
    "||": lambda a, b: a != 0 or b != 0,
}


def _evaluate(expr: Expr, values: Mapping[str, float]) -> np.float64:
    match expr:
        case Number(value):
            return np.float64(value)
        case Name(name):
            return np.float64(values[name])
        case Unary("-", operand):
            return -_evaluate(operand, values)
        case Unary(_, operand):
            return np.float64(_evaluate(operand, values) == 0)
        case Binary(operator, left, right):
            return np.float64(
                OPERATORS[operator](_evaluate(left, values), _evaluate(right, values))
            )
        case Call(function, arguments):
            meaning = OWN_FUNCTIONS.get(function) or FUNCTIONS[function][1]
            return np.float64(meaning(*(_evaluate(a, values) for a in arguments)))
        case Select(condition, then, other):
            return _evaluate(then if _evaluate(condition, values) != 0 else other, values)
    raise AssertionError(expr)
