"""From a parsed file to a :class:`Mechanism`: lower the kernels, find what lives between them."""

from collections.abc import Iterable
from dataclasses import replace

from engine.errors import MechanismError
from engine.mechanisms.exponentials import share_exponentials
from engine.mechanisms.expressions import (
    ZERO,
    Binary,
    Expr,
    Name,
    Number,
    add,
    divide,
    names,
    subtract,
)
from engine.mechanisms.linear import linear
from engine.mechanisms.lower import Lowering
from engine.mechanisms.model import Mechanism, Parameter, Program, Step, Variable
from engine.mechanisms.source import Body, If, Nested, Solve, Source
from engine.mechanisms.symbols import Symbols, make_symbols

VOLTAGE_STEP = Number(0.001)
"""mV, of NEURON's difference (I(v + 0.001) − I(v)) / 0.001."""


def compile_mechanism(source: Source) -> Mechanism:
    """Check and lower a file.

    Raises
    ------
    MechanismError
        With the line where a name, a call or an equation cannot be used.
    """
    symbols = make_symbols(source)
    initialize = _initialize(source, symbols)
    current, analytic = _current(source, symbols)
    advance = _advance(source, symbols)
    kernels = (initialize, share_exponentials(current), share_exponentials(advance))
    results = {*symbols.states, *symbols.ion_sets}
    kept = _kept(kernels, results, symbols)
    initialize, current, advance = (_trim(kernel, results | kept) for kernel in kernels)
    return Mechanism(
        name=source.suffix,
        kind="density",
        title=source.title,
        path=source.path,
        parameters=tuple(_parameter(source, name) for name in symbols.parameters),
        states=tuple(Variable(name, source.states[name].unit) for name in symbols.states),
        assigned=tuple(
            Variable(symbols.stored(name), _unit(source, name))
            for name in symbols.keepable
            if symbols.stored(name) in kept
        ),
        ions=tuple(ion for ion, _ in source.ions),
        currents=symbols.currents,
        initialize=initialize,
        current=current,
        advance=advance,
        analytic=analytic,
    )


def _parameter(source: Source, name: str) -> Parameter:
    declared = source.parameters[name]
    return Parameter(
        name, declared.value or 0.0, declared.unit, declared.limits, name in source.ranges
    )


def _unit(source: Source, name: str) -> str:
    declared = source.assigned.get(name) or source.parameters.get(name)
    return declared.unit if declared else ""


def _stores(lowering: Lowering, symbols: Symbols) -> tuple[tuple[str, Expr], ...]:
    found = (
        (symbols.stored(name), lowering.values[name])
        for name in (*symbols.states, *symbols.ion_sets, *symbols.keepable)
        if name in lowering.values
    )
    return tuple((name, value) for name, value in found if value != Name(name))


def _initialize(source: Source, symbols: Symbols) -> Program:
    """INITIAL; a state starts from its parameter ``name0`` if there is one, else from 0."""
    lowering = Lowering(source, symbols, "initialize")
    lowering.values |= {name: Name(name) for name in symbols.overwritten}
    for state in symbols.states:
        start = f"{state}0"
        lowering.values[state] = Name(start) if start in symbols.parameters else ZERO
    if source.initial is not None:
        lowering.execute(source.initial.body)
    return Program(tuple(lowering.steps), _stores(lowering, symbols))


def _current(source: Source, symbols: Symbols) -> tuple[Program, bool]:
    """BREAKPOINT without its SOLVE; the conductance is exact where the current is linear in v."""
    assert source.breakpoint is not None
    body = tuple(
        statement for statement in source.breakpoint.body if not isinstance(statement, Solve)
    )
    lowering = Lowering(source, symbols, "current")
    lowering.execute(body)
    if not symbols.currents:
        return Program(tuple(lowering.steps), _stores(lowering, symbols)), True
    for name in symbols.currents:
        if name not in lowering.values:
            raise MechanismError(
                source.path, f"BREAKPOINT never computes the current '{name}'", f"add {name} = …",
                source.breakpoint.line,
            )  # fmt: skip
    values = dict(lowering.values)
    total = _total(lowering, symbols)
    parts = linear(total, "v", lowering.definitions)
    if parts is None:
        lowering.values = {"v": lowering.define("v_shifted", Binary("+", Name("v"), VOLTAGE_STEP))}
        lowering.execute(body)
        conductance = divide(subtract(_total(lowering, symbols), total), VOLTAGE_STEP)
        lowering.values = values
    else:
        conductance = parts[1]
    conductance = lowering.define("conductance", conductance)
    return Program(
        tuple(lowering.steps),
        _stores(lowering, symbols),
        total,
        conductance,
        tuple((name, values[name]) for name in symbols.ion_currents),
    ), parts is not None


def _total(lowering: Lowering, symbols: Symbols) -> Expr:
    total: Expr = ZERO
    for name in symbols.currents:
        total = add(total, lowering.values[name])
    return lowering.define("total", total)


def _advance(source: Source, symbols: Symbols) -> Program:
    """The blocks BREAKPOINT solves, in order."""
    assert source.breakpoint is not None
    lowering = Lowering(source, symbols, "advance")
    solved: set[str] = set()
    for solve in _solves(source, source.breakpoint.body):
        if solve.block in source.procedures and solve.method is None:
            lowering.execute(source.procedures[solve.block].body)
        elif solve.block not in source.derivatives:
            raise MechanismError(
                source.path,
                f"SOLVE names '{solve.block}', and there is no such DERIVATIVE block",
                f"add DERIVATIVE {solve.block} {{ … }}",
                solve.line,
            )
        elif solve.method != "cnexp":
            raise MechanismError(
                source.path,
                f"construct SOLVE METHOD {solve.method} is not supported"
                if solve.method
                else "SOLVE has no METHOD",
                "use METHOD cnexp",
                solve.line,
            )
        else:
            lowering.execute(source.derivatives[solve.block].body)
        solved.add(solve.block)
    for name, block in source.derivatives.items():
        if name not in solved:
            raise MechanismError(
                source.path,
                f"DERIVATIVE {name} is never solved",
                f"add SOLVE {name} METHOD cnexp",
                block.line,
            )
    return Program(tuple(lowering.steps), _stores(lowering, symbols))


def _solves(source: Source, body: Body) -> list[Solve]:
    def nested(statements: Iterable[object]) -> Iterable[Solve]:
        for statement in statements:
            match statement:
                case Solve():
                    yield statement
                case If(_, then, other, _):
                    yield from nested((*then, *other))
                case Nested(inner, _):
                    yield from nested(inner)

    top = [statement for statement in body if isinstance(statement, Solve)]
    for solve in nested(body):
        if solve not in top:
            raise MechanismError(
                source.path,
                "SOLVE stands inside a branch",
                "move it to the top of BREAKPOINT",
                solve.line,
            )
    return top


def _reads(program: Program, kept: Iterable[str]) -> tuple[set[str], set[str]]:
    """The names a program needs: its definitions and its inputs."""
    kept = set(kept)
    definitions = {step.target: step.value for step in program.steps}
    results = [value for name, value in program.stores if name in kept]
    results += [value for value in (program.current, program.conductance) if value is not None]
    results += [value for _, value in program.ion_currents]
    needed: set[str] = set()
    pending = [name for value in results for name in names(value)]
    while pending:
        name = pending.pop()
        if name not in needed:
            needed.add(name)
            pending += names(definitions[name]) if name in definitions else ()
    return needed & definitions.keys(), needed - definitions.keys()


def _kept(programs: tuple[Program, ...], results: set[str], symbols: Symbols) -> set[str]:
    """ASSIGNED variables some kernel reads before it writes them: they live between kernels."""
    kept: set[str] = set()
    while True:
        read = {name for program in programs for name in _reads(program, results | kept)[1]}
        if (more := kept | (read & {symbols.stored(name) for name in symbols.keepable})) == kept:
            return kept
        kept = more


def _trim(program: Program, kept: set[str]) -> Program:
    """Drop what no result needs."""
    needed, _ = _reads(program, kept)
    steps: tuple[Step, ...] = tuple(step for step in program.steps if step.target in needed)
    return replace(
        program, steps=steps, stores=tuple(store for store in program.stores if store[0] in kept)
    )
