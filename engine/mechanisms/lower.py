"""Run the blocks of a file symbolically: calls inlined, branches made selects, constants folded.

What comes out is one straight line of definitions per kernel, each name defined once, so that the
same text can be emitted for a vector unit and for a graphics card.
"""

from collections import ChainMap
from collections.abc import Callable
from difflib import get_close_matches

from engine.errors import MechanismError
from engine.mechanisms.events import SENDS, Slots, send, watch
from engine.mechanisms.expressions import (
    FUNCTIONS,
    ONE,
    ZERO,
    Binary,
    Call,
    Element,
    Expr,
    Name,
    Number,
    Select,
    Unary,
    evaluate,
    fold,
    is_logical,
    multiply,
    names,
    negate,
    subtract,
)
from engine.mechanisms.loops import unroll, while_loop
from engine.mechanisms.model import KernelName, Step
from engine.mechanisms.solvers import solve
from engine.mechanisms.source import (
    Assign,
    Block,
    Body,
    Compartment,
    Conserve,
    Derive,
    Equation,
    For,
    If,
    Local,
    Nested,
    Perform,
    Reaction,
    Solve,
    Source,
    Statement,
    WatchFor,
    While,
    elements,
)
from engine.mechanisms.symbols import Symbols

Scope = ChainMap[str, Expr]
Saved = tuple[list[Step], dict[str, Expr], dict[Expr, Name], dict[str, Expr]]
MAX_INTEGER_POWER = 8


class Lowering:
    """Symbolic execution of one kernel.

    Attributes
    ----------
    values
        Current value of every variable of the mechanism that was written so far.
    steps
        The definitions so far.
    definitions
        The same by name.
    """

    def __init__(self, source: Source, symbols: Symbols, kernel: KernelName) -> None:
        self.source, self.symbols, self.kernel = source, symbols, kernel
        self.values: dict[str, Expr] = {}
        self.steps: list[Step] = []
        self.definitions: dict[str, Expr] = {}
        self._known: dict[Expr, Name] = {}
        self._count: dict[str, int] = {}
        self._active: list[str] = []
        self.slots = Slots(kernel)
        self.loops = 0
        self.on_derive: Callable[[str, Expr, int], None] | None = None
        self.on_reaction: Callable[[Statement, Scope], None] | None = None

    # -- values -----------------------------------------------------------------

    def define(self, base: str, expr: Expr) -> Expr:
        """Name an expression; numbers and names stay, what was computed before is reused."""
        if isinstance(expr, Number | Name):
            return expr
        if expr not in self._known:
            self._count[base] = self._count.get(base, 0) + 1
            name = f"{base}_{self._count[base]}"
            self._known[expr] = Name(name)
            self.definitions[name] = expr
            self.steps.append(Step(name, expr))
        return self._known[expr]

    def value(self, name: str, scope: Scope, line: int) -> Expr:
        """What a name stands for at this point."""
        if name in scope:
            return scope[name]
        if name in self.values:
            return self.values[name]
        if name in self.source.constants and name not in self.source.parameters:
            return Number(self.source.constants[name])
        if name in self.symbols.currents and self.kernel == "current":
            raise self.error(
                f"the current '{name}' is read before it is computed", "compute it first", line
            )
        if name in self.symbols.total_currents:
            return Name(name)
        if name in self.symbols.currents or name in self.symbols.readable:
            return Name(self.symbols.stored(name))
        if name in self.source.arrays:
            raise self.error(f"'{name}' is an array", f"write {name}[0] or another index", line)
        close = get_close_matches(name, [*self.symbols.readable, *self.source.constants, *scope], 1)
        hint = (
            f"did you mean '{close[0]}'?"
            if close
            else "declare it in PARAMETER, ASSIGNED, STATE or LOCAL"
        )
        raise self.error(f"'{name}' is declared nowhere", hint, line)

    def target(self, variable: Name | Element, scope: Scope, line: int) -> str:
        """The name of a variable or of an element of an array."""
        if isinstance(variable, Name):
            return variable.name
        name, index = variable.name, self.number(variable.index, scope, line)
        size = self.source.arrays.get(name)
        if size is None:
            raise self.error(f"'{name}' is no array", f"declare {name}[n]", line)
        if not isinstance(index, Number) or index.value % 1:
            raise self.error(
                f"the index of {name} is known only while the model runs",
                "use a number or the counter of FROM",
                line,
            )
        if not 0 <= index.value < size:
            raise self.error(
                f"{name}[{index.value:g}] is outside the array of {size}", "mend the index", line
            )
        return elements(name, size)[int(index.value)]

    def save(self) -> Saved:
        """What :meth:`restore` needs to undo everything since."""
        return list(self.steps), dict(self.definitions), dict(self._known), dict(self.values)

    def restore(self, saved: Saved) -> None:
        steps, definitions, known, values = saved
        self.steps, self.definitions = list(steps), dict(definitions)
        self._known, self.values = dict(known), dict(values)

    def forget(self, mark: int, names: set[str]) -> None:
        """Drop the definitions since ``mark`` that depend on names which are no inputs."""
        dropped = set(names)
        kept = self.steps[:mark]
        for step in self.steps[mark:]:
            if step.reads & dropped:
                dropped.update(step.defines)
            else:
                kept.append(step)
        self.steps = kept
        self._known = {e: name for e, name in self._known.items() if name.name not in dropped}

    def error(self, what: str, fix: str, line: int) -> MechanismError:
        return MechanismError(self.source.path, what, fix, line)

    # -- expressions ------------------------------------------------------------

    def resolve(self, expr: Expr, scope: Scope, line: int) -> Expr:
        """The expression over inputs and earlier definitions, the file's functions inlined."""
        match expr:
            case Number():
                return expr
            case Name(name, at):
                return self.value(name, scope, at or line)
            case Element(line=at):
                return self.value(self.target(expr, scope, at or line), scope, at or line)
            case Unary("-", operand):
                return negate(self.number(operand, scope, line))
            case Unary(operator, operand):
                return Unary(operator, self.truth(operand, scope, line))
            case Binary("&&" | "||" as operator, left, right):
                return Binary(
                    operator, self.truth(left, scope, line), self.truth(right, scope, line)
                )
            case Binary(operator, left, right):
                a, b = self.number(left, scope, line), self.number(right, scope, line)
                if operator == "^":
                    return self._power(a, b)
                return self._divided(a, b) if operator == "/" else fold(Binary(operator, a, b))
            case Call(function, arguments, at):
                values = tuple(self.number(argument, scope, line) for argument in arguments)
                return self._call(function, values, at or line)
            case Select(condition, then, other):
                return Select(
                    self.truth(condition, scope, line),
                    self.number(then, scope, line),
                    self.number(other, scope, line),
                )
        raise AssertionError(expr)

    def number(self, expr: Expr, scope: Scope, line: int) -> Expr:
        """Like :meth:`resolve`; a truth value becomes 1 or 0."""
        value = self.resolve(expr, scope, line)
        return Select(value, ONE, ZERO) if is_logical(value) else value

    def truth(self, expr: Expr, scope: Scope, line: int) -> Expr:
        value = self.resolve(expr, scope, line)
        return value if is_logical(value) else Binary("!=", value, ZERO)

    def _divided(self, a: Expr, b: Expr) -> Expr:
        """a / b; by a number: times its reciprocal, within 1 unit in the last place."""
        match b:
            case Number(divisor) if not isinstance(a, Number) and 1e-300 < abs(divisor) < 1e300:
                return multiply(a, Number(1 / divisor))
        return fold(Binary("/", a, b))

    def _power(self, base: Expr, exponent: Expr) -> Expr:
        """Small whole powers are products; within 3 units in the last place of ``pow``."""
        match exponent:
            case Number(n) if (
                n.is_integer() and 1 <= n <= MAX_INTEGER_POWER and not isinstance(base, Number)
            ):
                factor: Expr = self.define("power", base)
                result: Expr = ONE
                left = int(n)
                while left:
                    if left & 1:
                        result = self.define("power", multiply(result, factor))
                    left >>= 1
                    if left:
                        factor = self.define("power", multiply(factor, factor))
                return result
        return fold(Binary("^", base, exponent))

    def _call(self, function: str, values: tuple[Expr, ...], line: int) -> Expr:
        if function in self.source.functions:
            return self._inline(self.source.functions[function], values, line)
        if function == "exprelr" and len(values) == 1:
            x = self.define("x", values[0])
            near = Binary("==", Binary("+", ONE, x), ONE)
            far = self.define("exprelr", Binary("/", x, Binary("-", Call("exp", (x,)), ONE)))
            return Select(near, ONE, far)
        if function == "at_time" and len(values) == 1:  # true in the step that passes this time
            when = self.define("when", subtract(values[0], Number(1e-11)))
            before = Binary("-", Name("t"), Name("dt"))
            return Binary("&&", Binary("<=", when, Name("t")), Binary(">", when, before))
        function = {"abs": "fabs"}.get(function, function)
        if function not in FUNCTIONS:
            if function in self.source.procedures:
                raise self.error(
                    f"PROCEDURE '{function}' gives no value", "make it a FUNCTION", line
                )
            close = get_close_matches(
                function, [*FUNCTIONS, *self.source.functions, *self.source.procedures], 1
            )
            hint = f"did you mean '{close[0]}'?" if close else "define it in the file"
            raise self.error(f"'{function}' is no function or procedure of the file", hint, line)
        if len(values) != (wanted := FUNCTIONS[function][0]):
            raise self.error(
                f"{function} takes {wanted} argument(s), not {len(values)}", "mend the call", line
            )
        return self._power(*values) if function == "pow" else fold(Call(function, values))

    def _inline(self, block: Block, values: tuple[Expr, ...], line: int) -> Expr:
        if len(values) != len(block.formals):
            raise self.error(
                f"{block.name} takes {len(block.formals)} argument(s), not {len(values)}",
                "mend the call",
                line,
            )
        if block.name in self._active:
            raise self.error(f"'{block.name}' calls itself", "write it without recursion", line)
        self._active.append(block.name)
        named = {
            formal: self.define(formal, value)
            for formal, value in zip(block.formals, values, strict=True)
        }
        scope: Scope = ChainMap(dict(named))
        if block.kind == "FUNCTION":
            scope[block.name] = ZERO
        self.execute(block.body, scope)
        self._active.pop()
        return scope.get(block.name, ZERO)

    def unset(self, name: str) -> Expr:
        """What a variable holds that this kernel has not written."""
        return self.slots.unset().get(name, Name(self.symbols.stored(name)))

    # -- statements ------------------------------------------------------------

    def execute(self, body: Body, scope: Scope | None = None) -> None:
        """Run statements; braces open a scope of their own."""
        scope = ChainMap() if scope is None else scope
        for statement in body:
            match statement:
                case Local(declared, _):
                    scope.update(dict.fromkeys(declared, ZERO))
                case Assign(target, value, line):
                    name = self.target(target, scope, line)
                    self._store(name, self.number(value, scope, line), scope, line)
                case Derive(target, value, line):
                    self._derive(self.target(target, scope, line), value, scope, line)
                case Perform("state_discontinuity", (Name(name), value), line):
                    self._store(name, self.number(value, scope, line), scope, line)
                case WatchFor(_, flag, line):
                    watch(self, statement, self.number(flag, scope, line))
                case Perform(name, arguments, line):
                    values = tuple(self.number(argument, scope, line) for argument in arguments)
                    if name in SENDS:
                        send(self, name, values, line)
                    elif name in self.source.procedures:
                        self._inline(self.source.procedures[name], values, line)
                    else:
                        self._call(name, values, line)
                case If():
                    self._branch(statement, scope)
                case Nested(inner, _):
                    self.execute(inner, scope.new_child())
                case Solve(_, _, line):
                    if self.kernel != "initialize":
                        raise self.error(
                            "SOLVE stands outside BREAKPOINT", "move it to BREAKPOINT", line
                        )
                    solve(self, statement)
                case For():
                    unroll(self, statement, scope)
                case While():
                    while_loop(self, statement, scope)
                case (
                    Reaction(line=line)
                    | Conserve(line=line)
                    | Compartment(line=line)
                    | Equation(line=line)
                ):
                    if self.on_reaction is None:
                        raise self.error(
                            "a reaction or an equation stands outside KINETIC and LINEAR",
                            "move it to such a block",
                            statement.line,
                        )
                    self.on_reaction(statement, scope)

    def _derive(self, state: str, value: Expr, scope: Scope, line: int) -> None:
        if state not in self.source.states:
            raise self.error(
                f"{state}' is not the derivative of a STATE", f"declare {state} in STATE", line
            )
        if self.on_derive is None:
            raise self.error(
                f"{state}' stands outside a DERIVATIVE block", "move it to DERIVATIVE", line
            )
        self.on_derive(state, self.number(value, scope, line), line)

    def _store(self, name: str, value: Expr, scope: Scope, line: int) -> None:
        for level in scope.maps:
            if name in level:
                level[name] = self.define(name, value)
                return
        if name not in self.symbols.writable:
            self.value(name, scope, line)  # raises where the name is not known at all
            raise self.error(
                f"'{name}' cannot be assigned", "only ASSIGNED, STATE and LOCAL variables can", line
            )
        self.values[name] = self.define(name, value)

    def _branch(self, statement: If, scope: Scope) -> None:
        """Both branches run; what they leave different is selected by the condition."""
        condition = self.truth(statement.condition, scope, statement.line)
        if not any(True for _ in names(condition)):
            self.execute(
                statement.then if evaluate(condition, {}) else statement.other, scope.new_child()
            )
            return
        before, maps = dict(self.values), [dict(level) for level in scope.maps]
        self.execute(statement.then, scope.new_child())
        then, then_maps = self.values, [dict(level) for level in scope.maps]
        self.values = dict(before)
        for level, saved in zip(scope.maps, maps, strict=True):
            level.clear()
            level.update(saved)
        self.execute(statement.other, scope.new_child())
        for name in sorted(then.keys() | self.values.keys()):
            one = then[name] if name in then else self.unset(name)
            two = self.values[name] if name in self.values else self.unset(name)
            self.values[name] = (
                one if one == two else self.define(name, Select(condition, one, two))
            )
        for level, chosen in zip(scope.maps, then_maps, strict=True):
            for name in sorted(chosen.keys() & level.keys()):
                if chosen[name] != level[name]:
                    level[name] = self.define(name, Select(condition, chosen[name], level[name]))
