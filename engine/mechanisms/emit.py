"""What both emitters share: the arguments of a kernel, and an expression as text of a language."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from engine.mechanisms.expressions import (
    Binary,
    Call,
    Expr,
    Name,
    Number,
    Select,
    Unary,
    names,
)
from engine.mechanisms.model import Argument, ArgumentKind, KernelName, Mechanism, Program, Step
from engine.mechanisms.symbols import GEOMETRY, SCALARS


@dataclass(frozen=True)
class Dialect:
    """How a language writes what languages write differently.

    ``select``, ``power`` and ``exprel`` are templates; ``functions`` renames built-in functions;
    ``suffix`` stands behind every number.
    """

    name: str
    select: str
    power: str
    connect: Mapping[str, str]
    functions: Mapping[str, str]
    infinity: str
    nan: str
    exprel: str = "exprel({x})"
    suffix: str = ""


PYTHON_OPERATORS = {"&&": "&", "||": "|", "!": "not "}
C_OPERATORS = {"&&": "&&", "||": "||", "!": "!"}
_MATH = [
    "log",
    "log10",
    "sqrt",
    "fabs",
    "sin",
    "cos",
    "tan",
    "asin",
    "acos",
    "atan",
    "sinh",
    "cosh",
    "tanh",
    "atan2",
]
_NUMPY = ("floor", "ceil", "fmod")  # those of math give integers or are not known to numba
NUMBA = Dialect(
    "numba",
    "({then} if {condition} else {other})",
    "({base} ** {exponent})",
    PYTHON_OPERATORS,
    {name: f"math.{name}" for name in _MATH} | {name: f"np.{name}" for name in _NUMPY},
    "math.inf",
    "math.nan",
)
CUDA = Dialect(
    "cuda",
    "({condition} ? {then} : {other})",
    "pow({base}, {exponent})",
    C_OPERATORS,
    {},
    "(1.0 / 0.0)",
    "(0.0 / 0.0)",
    "({x} == 0.0 ? 1.0 : expm1({x}) / {x})",
)
CUDA_SINGLE = replace(
    CUDA,
    infinity="(1.0f / 0.0f)",
    nan="(0.0f / 0.0f)",
    exprel="({x} == 0.0f ? 1.0f : expm1({x}) / {x})",
    suffix="f",
)
"""Single precision; functions are chosen by the type of what they are given."""


def emit(expr: Expr, dialect: Dialect, rename: Mapping[str, str] | None = None) -> str:
    """An expression as text, fully bracketed.

    Parameters
    ----------
    expr
        Calls only built-in functions.
    dialect
    rename
        What names are called in the text; names that are absent keep theirs.
    """

    def text(e: Expr) -> str:
        match e:
            case Number(value):
                return _number(value, dialect)
            case Name(name):
                return rename.get(name, name) if rename else name
            case Unary("-", operand):
                return f"(-{text(operand)})"
            case Unary(operator, operand):
                return f"({dialect.connect[operator]}{text(operand)})"
            case Binary("^", base, exponent):
                return dialect.power.format(base=text(base), exponent=text(exponent))
            case Binary("%", left, right):
                return text(Call("fmod", (left, right)))
            case Binary(operator, left, right):
                return f"({text(left)} {dialect.connect.get(operator, operator)} {text(right)})"
            case Call("pow", (base, exponent)):
                return text(Binary("^", base, exponent))
            case Call("exprel", (x,)):
                return dialect.exprel.format(x=text(x))
            case Call(function, arguments):
                name = dialect.functions.get(function, function)
                return f"{name}({', '.join(map(text, arguments))})"
            case Select(condition, then, other):
                return dialect.select.format(
                    condition=text(condition), then=text(then), other=text(other)
                )
        raise AssertionError(e)

    return text(expr)


def _number(value: float, dialect: Dialect) -> str:
    if value != value:
        return dialect.nan
    if value in (float("inf"), float("-inf")):
        return dialect.infinity if value > 0 else f"(-{dialect.infinity})"
    text = f"{value!r}{dialect.suffix}"
    return text if value >= 0 else f"({text})"


def inputs(program: Program) -> frozenset[str]:
    """Names a program reads and does not define."""
    defined = {name for step in program.steps for name in step.defines}
    values = [value for _, value in program.stores]
    values += [value for value in (program.current, program.conductance) if value is not None]
    values += [value for _, value in program.ion_currents]
    read = {name for value in values for name in names(value)}
    return frozenset(read.union(*(step.reads for step in program.steps)) - defined)


def arguments(mechanism: Mechanism, which: KernelName) -> tuple[Argument, ...]:
    """The arguments of an emitted kernel, in order.

    Only what the kernel reads or writes is there, except ``n, n_instance, first, node, voltage``
    and the scalars ``celsius, dt, t``, which always are. ``first`` is the first node where the
    nodes are consecutive (and none is there twice), else -1. ``receive`` and ``connect`` work on
    one point and have ``point, instance, n_instance, slot`` for the counts, and always ``weight``
    and ``flag``.
    """
    program = mechanism.program(which)
    used = inputs(program) | {name for name, _ in program.stores}
    one = which in ("receive", "connect")
    counts = ("point", "instance", "n_instance", "slot") if one else ("n", "n_instance", "first")
    found = [Argument(name, "count") for name in counts]
    found += [Argument("node", "node"), Argument("voltage", "voltage")]
    if which == "current":
        found += [Argument("i_membrane", "out_current"), Argument("g_membrane", "out_conductance")]

    def take(kind: ArgumentKind, candidates: tuple[str, ...]) -> None:
        found.extend(Argument(name, kind) for name in candidates if name in used)

    take("parameter", tuple(p.name for p in mechanism.parameters if p.per_node))
    take("geometry", GEOMETRY)
    take("global", tuple(p.name for p in mechanism.parameters if not p.per_node))
    take("state", tuple(variable.name for variable in mechanism.states))
    take("assigned", tuple(variable.name for variable in mechanism.assigned))
    take("ion_set", tuple(dict.fromkeys(mechanism.ion_sets)))
    read = dict.fromkeys(name for ion in mechanism.ions for name in ion.read)
    taken = {argument.name for argument in found} | {name for name, _ in program.ion_currents}
    take("ion_read", tuple(name for name in read if name not in taken))
    found += [Argument(name, "ion_write") for name, _ in program.ion_currents]
    take("event", tuple(name for send in mechanism.sends for name in (send.time, send.flag)))
    take("event", tuple(name for watch in mechanism.watches for name in (watch.flag, watch.value)))
    if one:
        found += [Argument("weight", "weight"), Argument("flag", "scalar")]
    found += [Argument(name, "scalar") for name in SCALARS]
    return tuple(found)


def split_invariant(
    program: Program, mechanism: Mechanism
) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    """Definitions that are the same for all nodes and come out of the loop, and the others."""
    fixed = {*SCALARS, *(p.name for p in mechanism.parameters if not p.per_node)}
    outside, inside = [], []
    for step in program.steps:
        if step.loop is None and step.reads <= fixed:
            fixed.add(step.target)
            outside.append(step)
        else:
            inside.append(step)
    return tuple(outside), tuple(inside)


def read_only(mechanism: Mechanism, which: KernelName) -> frozenset[str]:
    """Names of the arrays a kernel does not write."""
    written = {name for name, _ in mechanism.program(which).stores}
    return frozenset(
        a.name
        for a in arguments(mechanism, which)
        if a.kind in ("voltage", "parameter", "geometry", "ion_read")
        or (a.kind in ("state", "assigned", "ion_set") and a.name not in written)
    )


__all__ = [
    "CUDA",
    "NUMBA",
    "Dialect",
    "arguments",
    "emit",
    "inputs",
    "read_only",
    "split_invariant",
]
