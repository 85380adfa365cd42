"""SOLVE: one step of the equations of a block, by the method the file names."""

from typing import TYPE_CHECKING

from engine.mechanisms.differentiate import NotDifferentiableError, derivative
from engine.mechanisms.exact import DT, exact_step
from engine.mechanisms.expressions import (
    ONE,
    ZERO,
    Binary,
    Call,
    Expr,
    Name,
    Number,
    add,
    multiply,
    negate,
    subtract,
)
from engine.mechanisms.gauss import eliminate
from engine.mechanisms.kinetic import solve_scheme
from engine.mechanisms.linear import depends, linear
from engine.mechanisms.loops import repeat
from engine.mechanisms.source import Block, Equation, Solve

if TYPE_CHECKING:
    from engine.mechanisms.lower import Lowering

PROCEDURE_METHODS = (None, "after_cvode", "cvode_t", "cvode_t_v")
"""With a fixed step a PROCEDURE is run once a step, whichever of these stands there."""
CONVERGED = 1e-9
"""Relative change in a turn of Newton's method after which the next would change no digit."""
MAX_TURNS = 50
Values = dict[str, Expr]


class NotLinearError(Exception):
    """An equation is not what ``cnexp`` solves."""


def solve(lowering: "Lowering", statement: Solve) -> None:
    """Lower a SOLVE statement.

    Raises
    ------
    MechanismError
        Where there is no such block, or its method is not known.
    """
    source, name, method, line = lowering.source, statement.block, statement.method, statement.line
    if name in source.procedures and method in PROCEDURE_METHODS:
        lowering.execute(source.procedures[name].body)
    elif name in source.linears:
        _linear_block(lowering, source.linears[name])
    elif name in source.kinetics:
        if method != "sparse":
            raise lowering.error(
                f"SOLVE of a KINETIC block has METHOD {method}", "use METHOD sparse", line
            )
        solve_scheme(lowering, source.kinetics[name], statement.steady)
    elif name not in source.derivatives:
        raise lowering.error(
            f"SOLVE names '{name}', and there is no such DERIVATIVE, KINETIC or LINEAR block",
            f"add DERIVATIVE {name} {{ … }}",
            line,
        )
    elif statement.steady:
        raise lowering.error(
            "STEADYSTATE of a DERIVATIVE block is not supported",
            "write the steady state in INITIAL",
            line,
        )
    else:
        _derivative(lowering, source.derivatives[name], method, line)


def _derivative(lowering: "Lowering", block: Block, method: str | None, line: int) -> None:
    match method:
        case "cnexp":
            saved = lowering.save()
            try:
                _run(lowering, block, lambda x, slope, at: _exact_step(lowering, x, slope, at))
            except NotLinearError:  # as NEURON's compiler does
                lowering.restore(saved)
                _implicit(lowering, block)
        case "derivimplicit" | "sparse":
            _implicit(lowering, block)
        case "euler":
            slopes = _slopes(lowering, block)
            for x, slope in slopes.items():
                old = _state(lowering, x)
                lowering.values[x] = lowering.define(x, add(old, multiply(DT, slope)))
        case None:
            raise lowering.error("SOLVE has no METHOD", "use METHOD cnexp", line)
        case _:
            raise lowering.error(
                f"construct SOLVE METHOD {method} is not supported",
                "use METHOD cnexp or derivimplicit",
                line,
            )


def _run(lowering: "Lowering", block: Block, derive: object) -> None:
    outer, lowering.on_derive = lowering.on_derive, derive  # type: ignore[assignment]
    lowering.execute(block.body)
    lowering.on_derive = outer


def _state(lowering: "Lowering", x: str) -> Expr:
    return lowering.values.get(x, Name(x))


def _slopes(lowering: "Lowering", block: Block) -> Values:
    """The derivatives a block gives, in its order."""
    slopes: Values = {}

    def collect(x: str, slope: Expr, line: int) -> None:
        slopes[x] = lowering.define("slope", slope)

    _run(lowering, block, collect)
    return slopes


def _exact_step(lowering: "Lowering", state: str, slope: Expr, line: int) -> None:
    """NEURON's ``cnexp``: the exact solution over dt of x' = a + b x with a and b held."""
    x = _state(lowering, state)
    if not isinstance(x, Name):
        raise lowering.error(
            f"{state}' stands after {state} was set to a number", "remove the assignment", line
        )
    parts = linear(slope, x.name, lowering.definitions)
    if parts is None:
        raise NotLinearError
    lowering.values[state] = exact_step(lowering, state, *parts)


def _implicit(lowering: "Lowering", block: Block) -> None:
    """Backward Euler: x = x_old + dt f(x), by elimination where f is linear, else by Newton."""
    saved = lowering.save()
    old = {x: _state(lowering, x) for x in _slopes(lowering, block)}
    lowering.restore(saved)
    new = _linear_step(lowering, block, old)
    if new is None:
        lowering.restore(saved)
        new = _newton(lowering, block, old)
    lowering.values |= new
    _slopes(lowering, block)  # the assigned variables as they are with the new states


def _linear_step(lowering: "Lowering", block: Block, old: Values) -> Values | None:
    """The new states where every slope is linear in all of them together; else None."""
    values = dict(lowering.values)
    unknown = {x: Name(f"{x}__next") for x in old}
    mark = len(lowering.steps)
    lowering.values |= unknown
    slopes = _slopes(lowering, block)
    rows, constants = [], []
    for x in old:
        row, rest = [], slopes[x]
        for other in unknown.values():
            parts = linear(rest, other.name, lowering.definitions)
            if parts is None:
                return None
            rest = parts[0]
            row.append(parts[1])
        if any(depends(b, u.name, lowering.definitions) for b in row for u in unknown.values()):
            return None
        rows.append(row)
        constants.append(rest)
    lowering.forget(mark, {name.name for name in unknown.values()})
    lowering.values = values
    matrix = [
        [subtract(ONE if i == j else ZERO, multiply(DT, b)) for j, b in enumerate(row)]
        for i, row in enumerate(rows)
    ]
    right = [add(x, multiply(DT, a)) for x, a in zip(old.values(), constants, strict=True)]
    solution = eliminate(matrix, right, lowering.define, pivot=False)
    return dict(zip(old, solution, strict=True))


def _newton(lowering: "Lowering", block: Block, old: Values) -> Values:
    """Newton's method from the old states, with the exact Jacobian."""

    def turn(values: Values) -> Values:
        x = {name: values[name] for name in old}
        lowering.values |= x
        slopes = _slopes(lowering, block)
        matrix, right = [], []
        for i, name in enumerate(old):
            row = []
            for j, other in enumerate(x.values()):
                assert isinstance(other, Name)
                slope = derivative(slopes[name], other.name, lowering.definitions, lowering.define)
                row.append(subtract(ONE if i == j else ZERO, multiply(DT, slope)))
            matrix.append(row)
            missing = subtract(add(old[name], multiply(DT, slopes[name])), x[name])
            right.append(lowering.define("missing", missing))
        delta = eliminate(matrix, right, lowering.define, pivot=len(old) > 1)
        change, size = _norm(delta), _norm(list(x.values()))
        after = {name: add(x[name], d) for name, d in zip(old, delta, strict=True)}
        return after | {"change": change, "size": size}

    def condition(values: Values) -> Expr:
        return Binary(">", values["change"], multiply(Number(CONVERGED), values["size"]))

    try:
        found = repeat(lowering, old | {"change": ONE, "size": ZERO}, condition, turn, MAX_TURNS)
    except NotDifferentiableError:
        raise lowering.error(
            f"{block.name} cannot be solved implicitly with WHILE, atan2 or fmod in a derivative",
            "use METHOD euler, or write the derivative without it",
            block.line,
        ) from None
    return {name: found[name] for name in old}


def _norm(values: list[Expr]) -> Expr:
    total: Expr = ZERO
    for value in values:
        total = add(total, Call("fabs", (value,)))
    return total


def _linear_block(lowering: "Lowering", block: Block) -> None:
    """LINEAR: as many equations as there are states in them."""
    equations: list[tuple[Expr, int]] = []

    def collect(statement: object, scope: object) -> None:
        if not isinstance(statement, Equation):
            raise lowering.error("a reaction stands outside KINETIC", "move it", block.line)
        difference = Binary("-", statement.left, statement.right)
        equations.append(
            (lowering.number(difference, scope, statement.line), statement.line)  # type: ignore[arg-type]
        )

    values, mark = dict(lowering.values), len(lowering.steps)
    unknown = {x: Name(f"{x}__next") for x in lowering.source.states}
    lowering.values |= unknown
    outer, lowering.on_reaction = lowering.on_reaction, collect
    lowering.execute(block.body)
    lowering.on_reaction = outer
    used = {
        x: u
        for x, u in unknown.items()
        if any(depends(e, u.name, lowering.definitions) for e, _ in equations)
    }
    if len(used) != len(equations):
        raise lowering.error(
            f"LINEAR {block.name} has {len(equations)} equations for {len(used)} states",
            "write one equation for each",
            block.line,
        )
    matrix, right = [], []
    for equation, line in equations:
        row, rest = [], equation
        for u in used.values():
            parts = linear(rest, u.name, lowering.definitions)
            free = parts is not None and not any(
                depends(parts[1], w.name, lowering.definitions) for w in used.values()
            )
            if parts is None or not free:
                raise lowering.error(
                    "an equation of LINEAR is not linear in its states",
                    "solve it by hand in INITIAL",
                    line,
                )
            rest = parts[0]
            row.append(parts[1])
        matrix.append(row)
        right.append(negate(rest))
    lowering.forget(mark, {u.name for u in used.values()})
    lowering.values = values
    solution = eliminate(matrix, right, lowering.define, pivot=True)
    lowering.values |= dict(zip(used, solution, strict=True))
