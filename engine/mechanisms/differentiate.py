"""The derivative of an expression by a variable, as an expression."""

from collections.abc import Callable, Mapping

from engine.mechanisms.expressions import (
    ONE,
    ZERO,
    Binary,
    Call,
    Expr,
    Name,
    Number,
    Select,
    Unary,
    add,
    divide,
    multiply,
    negate,
    subtract,
)
from engine.mechanisms.linear import depends

Define = Callable[[str, Expr], Expr]


class NotDifferentiableError(ValueError):
    """An expression holds something that has no derivative here."""


def derivative(expr: Expr, variable: str, definitions: Mapping[str, Expr], define: Define) -> Expr:
    """d expr / d variable.

    Parameters
    ----------
    expr, definitions
        The expression and what the names in it stand for.
    variable
    define
        Names an intermediate value.

    Raises
    ------
    NotDifferentiableError
        Where the variable goes into a loop, ``atan2`` or ``fmod``.
    """
    known: dict[str, Expr] = {}

    def d(e: Expr) -> Expr:
        if not depends(e, variable, definitions):
            return ZERO
        match e:
            case Name(name) if name == variable:
                return ONE
            case Name(name):
                if name not in known:
                    known[name] = define("slope", d(definitions[name]))
                return known[name]
            case Unary("-", operand):
                return negate(d(operand))
            case Binary("+", left, right):
                return add(d(left), d(right))
            case Binary("-", left, right):
                return subtract(d(left), d(right))
            case Binary("*", left, right):
                return add(multiply(d(left), right), multiply(left, d(right)))
            case Binary("/", left, right):
                return divide(subtract(d(left), multiply(e, d(right))), right)
            case Binary("^", base, exponent):
                return _power(e, base, exponent, d)
            case Select(condition, then, other):
                return Select(condition, d(then), d(other))
            case Call(function, (inner,)) if function in _RULES:
                return multiply(_RULES[function](inner), d(inner))
        raise NotDifferentiableError(f"{e}")

    return d(expr)


def _power(e: Expr, base: Expr, exponent: Expr, d: Callable[[Expr], Expr]) -> Expr:
    inner, outer = d(base), d(exponent)
    grown = multiply(multiply(e, Call("log", (base,))), outer) if outer != ZERO else ZERO
    less = Binary("^", base, subtract(exponent, ONE))
    return add(multiply(multiply(exponent, less), inner), grown)


def _call(function: str) -> Callable[[Expr], Expr]:
    return lambda x: Call(function, (x,))


def _over(value: Expr, x: Expr) -> Expr:
    return Binary("/", value, x)


_RULES: dict[str, Callable[[Expr], Expr]] = {
    "exp": _call("exp"),
    "log": lambda x: _over(ONE, x),
    "log10": lambda x: _over(Number(0.4342944819032518), x),
    "sqrt": lambda x: _over(Number(0.5), Call("sqrt", (x,))),
    "fabs": lambda x: Select(Binary("<", x, ZERO), Number(-1.0), ONE),
    "sin": _call("cos"),
    "cos": lambda x: negate(Call("sin", (x,))),
    "tan": lambda x: _over(ONE, _square(Call("cos", (x,)))),
    "atan": lambda x: _over(ONE, add(ONE, _square(x))),
    "asin": lambda x: _over(ONE, Call("sqrt", (subtract(ONE, _square(x)),))),
    "acos": lambda x: _over(Number(-1.0), Call("sqrt", (subtract(ONE, _square(x)),))),
    "sinh": _call("cosh"),
    "cosh": _call("sinh"),
    "tanh": lambda x: subtract(ONE, _square(Call("tanh", (x,)))),
    "floor": lambda x: ZERO,
    "ceil": lambda x: ZERO,
}


def _square(x: Expr) -> Expr:
    return Binary("*", x, x)
