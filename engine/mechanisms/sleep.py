"""Points that do nothing until their first event: where states of 0 give no current and stay 0."""

from engine.mechanisms.expressions import Binary, Call, Expr, Name, Number, Select, Unary
from engine.mechanisms.model import Mechanism, Program


def sleeps(mechanism: Mechanism) -> bool:
    """Whether a point whose states are 0 need not be computed.

    Then its current and conductance are 0 at every finite voltage, its states stay 0, and so does
    all that it stores. It starts like that, and nothing but an event of a connection changes it.
    """
    if (
        mechanism.kind != "point"
        or mechanism.receive is None
        or mechanism.sends
        or mechanism.watches
        or mechanism.ion_sets
        or not mechanism.straight
    ):
        return False
    states = {state.name for state in mechanism.states}
    start = _vanishing(mechanism.initialize, set())
    begins = all(
        vanishes(value, start) for name, value in mechanism.initialize.stores if name in states
    )
    return begins and all(
        _is_still(program, states) for program in (mechanism.current, mechanism.advance)
    )


def _is_still(program: Program, states: set[str]) -> bool:
    """Whether all that a program gives is 0 where the states are 0."""
    zero = _vanishing(program, states)
    given = [value for _, value in (*program.stores, *program.ion_currents)]
    given += [value for value in (program.current, program.conductance) if value is not None]
    return all(vanishes(value, zero) for value in given)


def _vanishing(program: Program, zero: set[str]) -> set[str]:
    """Names that are 0 where those of ``zero`` are."""
    found = set(zero)
    for step in program.steps:
        if step.loop is None and vanishes(step.value, found):
            found.add(step.target)
    return found


def vanishes(expr: Expr, zero: set[str]) -> bool:
    """Whether an expression is 0 for certain, whatever finite numbers the other names are."""
    match expr:
        case Number(value):
            return value == 0
        case Name(name):
            return name in zero
        case Unary("-", operand):
            return vanishes(operand, zero)
        case Binary("*", left, right):
            return vanishes(left, zero) or vanishes(right, zero)
        case Binary("/", left, _):
            return vanishes(left, zero)
        case Binary("+" | "-", left, right):
            return vanishes(left, zero) and vanishes(right, zero)
        case Select(_, then, other):
            return vanishes(then, zero) and vanishes(other, zero)
        case Call("fabs" | "sqrt" | "sin" | "tan" | "sinh" | "tanh", (operand,)):
            return vanishes(operand, zero)
    return False
