"""From a parsed file to a :class:`Mechanism`: lower the kernels, find what lives between them."""

from collections import ChainMap
from collections.abc import Iterable
from dataclasses import dataclass, replace

from engine.errors import MechanismError
from engine.mechanisms.events import Slots, excess, watch_slot
from engine.mechanisms.exponentials import share_exponentials
from engine.mechanisms.expressions import (
    ONE,
    ZERO,
    Binary,
    Expr,
    Name,
    Number,
    add,
    divide,
    multiply,
    subtract,
)
from engine.mechanisms.linear import linear
from engine.mechanisms.lower import Lowering, Scope
from engine.mechanisms.model import (
    KernelName,
    Mechanism,
    Parameter,
    Program,
    Recordable,
    Variable,
    weight_name,
)
from engine.mechanisms.recording import record
from engine.mechanisms.solvers import solve
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
    current, analytic = _current(source, symbols)
    start = _initialize(source, symbols)
    receive, connect, watched = _events(source, symbols)
    whole: dict[KernelName, Program] = {
        "initialize": start.program,
        "current": share_exponentials(current),
        "advance": share_exponentials(_advance(source, symbols)),
        "watch": watched,
    }
    if source.receive:
        whole["receive"] = receive.program
    if source.connect:
        whole["connect"] = connect
    mechanism = Mechanism(
        name=source.suffix,
        kind=source.kind,
        title=source.title,
        path=source.path,
        parameters=tuple(_parameter(source, name) for name in symbols.parameters),
        states=tuple(Variable(name, source.states[name].unit) for name in symbols.states),
        assigned=(),
        ions=tuple(ion for ion, _ in source.ions),
        currents=symbols.currents,
        initialize=Program(),
        current=Program(),
        advance=Program(),
        analytic=analytic,
        weights=source.receive.formals if source.receive else (),
        sends=(*start.slots.sends, *receive.slots.sends),
        watches=tuple(watch_slot(i) for i in range(len(receive.slots.watched))),
        recordable=tuple(
            Recordable(name, symbols.stored(name), _unit(source, name)) for name in symbols.keepable
        ),
        whole=whole,
    )
    return record(mechanism, ())


def _parameter(source: Source, name: str) -> Parameter:
    declared = source.parameters.get(name) or source.assigned.get(name)
    per_node = name in source.ranges or name in source.pointers
    if declared is None:
        return Parameter(name, 0.0, per_node=per_node)
    return Parameter(name, declared.value or 0.0, declared.unit, declared.limits, per_node)


def _unit(source: Source, name: str) -> str:
    declared = source.assigned.get(name) or source.parameters.get(name)
    return declared.unit if declared else ""


def _program(lowering: Lowering, symbols: Symbols) -> Program:
    """What a lowered kernel computes, every variable it has written among the stores."""
    slots = lowering.slots.unset()
    values = slots | lowering.values
    found = (
        (symbols.stored(name), values[name])
        for name in (*symbols.states, *symbols.ion_sets, *symbols.keepable, *slots)
        if name in values
    )
    stores = tuple((name, value) for name, value in found if value != Name(name))
    return Program(tuple(lowering.steps), stores)


@dataclass(frozen=True)
class _Kernel:
    program: Program
    slots: Slots


def _initialize(source: Source, symbols: Symbols) -> _Kernel:
    """INITIAL; a state starts from its parameter ``name0`` if there is one, else from 0."""
    lowering = Lowering(source, symbols, "initialize")
    lowering.values |= {name: Name(name) for name in symbols.overwritten}
    for state in symbols.states:
        start = f"{state}0"
        lowering.values[state] = Name(start) if start in symbols.parameters else ZERO
    if source.initial is not None:
        lowering.execute(source.initial.body)
    return _Kernel(_program(lowering, symbols), lowering.slots)


def _events(source: Source, symbols: Symbols) -> tuple[_Kernel, Program, Program]:
    """NET_RECEIVE, the INITIAL inside it, and the values of its WATCH conditions."""
    receive = Lowering(source, symbols, "receive")
    connect = Lowering(source, symbols, "connect")
    watch = Lowering(source, symbols, "watch")
    programs = []
    for lowering, block in ((receive, source.receive), (connect, source.connect)):
        formals = block.formals if block else ()
        scope: Scope = ChainMap({name: Name(weight_name(name)) for name in formals})
        scope["flag"] = Name("flag")
        if block is not None:
            lowering.execute(block.body, scope)
        program = _program(lowering, symbols)
        left = ((weight_name(name), scope[name]) for name in formals)
        stores = tuple((name, value) for name, value in left if value != Name(name))
        programs.append(replace(program, stores=program.stores + stores))
    for i, statement in enumerate(receive.slots.watched):
        value = excess(statement.condition)
        assert value is not None
        watch.values[watch_slot(i).value] = watch.define(
            "excess", watch.resolve(value, ChainMap(), statement.line)
        )
    values = tuple((name, value) for name, value in watch.values.items())
    watched = Program(tuple(watch.steps), values)
    return _Kernel(programs[0], receive.slots), programs[1], watched


def _current(source: Source, symbols: Symbols) -> tuple[Program, bool]:
    """BREAKPOINT without its SOLVE; the conductance is exact where the current is linear in v."""
    block = source.breakpoint
    body = tuple(s for s in (block.body if block else ()) if not isinstance(s, Solve))
    lowering = Lowering(source, symbols, "current")
    lowering.execute(body)
    if block is None or not symbols.currents:
        return _program(lowering, symbols), True
    for name in symbols.currents:
        if name not in lowering.values:
            raise MechanismError(
                source.path, f"BREAKPOINT never computes the current '{name}'", f"add {name} = …",
                block.line,
            )  # fmt: skip
    values = dict(lowering.values)
    total = _total(lowering, symbols)
    parts = linear(total, "v", lowering.definitions, branches=True)
    if parts is None:
        lowering.values = {"v": lowering.define("v_shifted", Binary("+", Name("v"), VOLTAGE_STEP))}
        lowering.execute(body)
        conductance = divide(subtract(_total(lowering, symbols), total), VOLTAGE_STEP)
        lowering.values = values
    else:
        conductance = parts[1]
    conductance = lowering.define("conductance", conductance)
    scale = divide(Number(100.0), Name("area")) if source.kind == "point" else ONE
    return replace(
        _program(lowering, symbols),
        current=total,
        conductance=conductance,
        ion_currents=tuple((name, multiply(values[name], scale)) for name in symbols.ion_currents),
    ), parts is not None


def _total(lowering: Lowering, symbols: Symbols) -> Expr:
    total: Expr = ZERO
    for name in symbols.currents:
        combine = subtract if name in symbols.electrode else add
        total = combine(total, lowering.values[name])
    return lowering.define("total", total)


def _advance(source: Source, symbols: Symbols) -> Program:
    """The blocks BREAKPOINT solves, in order."""
    lowering = Lowering(source, symbols, "advance")
    solved: set[str] = set()
    for statement in _solves(source, source.breakpoint.body if source.breakpoint else ()):
        solve(lowering, statement)
        solved.add(statement.block)
    for kind, blocks, method in (
        ("DERIVATIVE", source.derivatives, "cnexp"),
        ("KINETIC", source.kinetics, "sparse"),
    ):
        for name, block in blocks.items():
            if name not in solved:
                raise MechanismError(
                    source.path,
                    f"{kind} {name} is never solved",
                    f"add SOLVE {name} METHOD {method}",
                    block.line,
                )
    return _program(lowering, symbols)


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
    for found in nested(body):
        if found not in top:
            raise MechanismError(
                source.path,
                "SOLVE stands inside a branch",
                "move it to the top of BREAKPOINT",
                found.line,
            )
    return top
