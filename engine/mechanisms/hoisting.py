"""What a point computes anew in every step from numbers that never change: once, at the start."""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

from engine.mechanisms.expressions import Binary, Call, Expr, Name, Select, Unary, names
from engine.mechanisms.keeping import trim
from engine.mechanisms.model import KernelName, Mechanism, Program, Step, Variable
from engine.mechanisms.symbols import GEOMETRY

STEPS: tuple[KernelName, ...] = ("current", "advance")
NEVER_CHANGE = {"dt", "celsius", *GEOMETRY}


@lru_cache(maxsize=256)
def hoist(mechanism: Mechanism) -> Mechanism:
    """The mechanism with factors such as ``1 − exp(−dt / tau)`` among what INITIAL stores.

    The numbers are those that the kernels would have computed in every step. Only points are
    changed: they are few, so a load costs less than an exponential; what is the same for all nodes
    comes out of the loops anyway.
    """
    if mechanism.kind != "point" or not mechanism.straight:
        return mechanism
    others = [p for p in (mechanism.receive, mechanism.connect, mechanism.watch) if p is not None]
    start = mechanism.initialize
    later = (*map(mechanism.program, STEPS), *others)
    changed = {name for p in later for name, _ in p.stores}
    states = {state.name for state in mechanism.states}
    begun = {name: value for name, value in start.stores if name not in changed | states}
    own = {p.name for p in mechanism.parameters if p.per_node} | set(begun)
    fixed = own | {p.name for p in mechanism.parameters} | NEVER_CHANGE
    kept = _Kept((own | set(GEOMETRY)) - changed, fixed - changed, begun)
    done = {which: kept.take_out(which, mechanism.program(which)) for which in STEPS}
    if not kept.stores:
        return mechanism
    return replace(
        mechanism,
        assigned=(*mechanism.assigned, *(Variable(name) for name, _ in kept.stores)),
        initialize=replace(
            start, steps=(*start.steps, *kept.steps), stores=(*start.stores, *kept.stores)
        ),
        current=done["current"],
        advance=done["advance"],
    )


class _Kept:
    """What is computed at the start: definitions for it, and the variables it is stored in.

    Parameters
    ----------
    own
        Names with a value for each point that never changes.
    fixed
        These and all others that never change.
    begun
        Those of them that INITIAL sets, and to what.
    """

    def __init__(self, own: set[str], fixed: set[str], begun: dict[str, Expr]) -> None:
        self._begun = begun
        self.steps: list[Step] = []
        self.stores: list[tuple[str, Expr]] = []
        self._own, self._fixed = own, fixed
        self._name_of: dict[Expr, str] = {}

    def take_out(self, which: KernelName, program: Program) -> Program:
        """The program with names in place of what is kept."""
        own, fixed, heavy = set(self._own), set(self._fixed), set[str]()
        renamed: dict[str, Expr] = dict(self._begun)
        steps: list[Step] = []
        for step in program.steps:
            if step.reads <= fixed:
                fixed.add(step.target)
                own |= {step.target} if step.reads & own else set()
                heavy |= {step.target} if _is_heavy(step.value, heavy) else set()
                name = f"{which}__{step.target}"
                self.steps.append(Step(name, _rename(step.value, renamed)))
                renamed[step.target] = Name(name)
                steps.append(step)
                continue
            steps.append(replace(step, value=self._replace(step.value, own, fixed, heavy, renamed)))

        def value_of(expr: Expr) -> Expr:
            return self._replace(expr, own, fixed, heavy, renamed)

        stores = tuple((name, value_of(value)) for name, value in program.stores)
        done = replace(
            program,
            steps=tuple(steps),
            stores=stores,
            current=None if program.current is None else value_of(program.current),
            conductance=None if program.conductance is None else value_of(program.conductance),
            ion_currents=tuple((name, value_of(value)) for name, value in program.ion_currents),
        )
        return trim(done, {name for name, _ in stores})

    def _replace(
        self, expr: Expr, own: set[str], fixed: set[str], heavy: set[str], renamed: dict[str, Expr]
    ) -> Expr:
        read = set(names(expr))
        if read <= fixed and read & own and _is_heavy(expr, heavy):
            value = _rename(expr, renamed)
            if value not in self._name_of:
                self._name_of[value] = f"hoisted__{len(self.stores)}"
                self.stores.append((self._name_of[value], value))
            return Name(self._name_of[value])
        return _rebuild(expr, lambda part: self._replace(part, own, fixed, heavy, renamed))


def _is_heavy(expr: Expr, heavy: set[str]) -> bool:
    """Whether it takes a function, a power or a division."""
    match expr:
        case Call():
            return True
        case Binary("/" | "^" | "%", _, _):
            return True
        case Name(name):
            return name in heavy
        case Unary(_, operand):
            return _is_heavy(operand, heavy)
        case Binary(_, left, right):
            return _is_heavy(left, heavy) or _is_heavy(right, heavy)
        case Select(condition, then, other):
            return any(_is_heavy(part, heavy) for part in (condition, then, other))
    return False


def _rebuild(expr: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """The same with other parts."""
    match expr:
        case Unary(operator, operand):
            return Unary(operator, change(operand))
        case Binary(operator, left, right):
            return Binary(operator, change(left), change(right))
        case Call(function, arguments, line):
            return Call(function, tuple(map(change, arguments)), line)
        case Select(condition, then, other):
            return Select(change(condition), change(then), change(other))
    return expr


def _rename(expr: Expr, renamed: dict[str, Expr]) -> Expr:
    if isinstance(expr, Name):
        return renamed.get(expr.name, expr)
    return _rebuild(expr, lambda part: _rename(part, renamed))
