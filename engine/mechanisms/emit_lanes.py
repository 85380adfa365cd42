"""Python source of a density mechanism's kernels in explicit vectors."""

from textwrap import indent

from engine.mechanisms.emit import NUMBA as SCALAR
from engine.mechanisms.emit import Dialect, arguments, emit, inputs, split_invariant
from engine.mechanisms.emit_numba import ADDED, DECORATOR, GATHERED
from engine.mechanisms.expressions import (
    FUNCTIONS,
    Binary,
    Call,
    Expr,
    Number,
    Select,
    Unary,
    children,
)
from engine.mechanisms.model import Argument, KernelName, Mechanism

LANES = Dialect(
    "lanes",
    "lanes.select({condition}, {then}, {other})",
    "lanes.power({base}, {exponent})",
    SCALAR.connect,
    {name: f"lanes.{name}" for name in (*FUNCTIONS, "fma", "whole_power")},
    SCALAR.infinity,
    SCALAR.nan,
)
IMPORT = "from engine.mechanisms import lanes"
WRITTEN_OUT: tuple[KernelName, ...] = ("current", "advance")
MAX_POWER = 8


def has_lanes(mechanism: Mechanism) -> bool:
    """Whether :func:`emit_lanes` can write the mechanism."""
    return mechanism.kind == "density" and mechanism.straight and all(
        argument.kind not in ("weight", "event")
        for which in WRITTEN_OUT
        for argument in arguments(mechanism, which)
    )


def emit_lanes(mechanism: Mechanism) -> str:
    """Source of ``{name}_current_lanes`` and ``{name}_advance_lanes``.

    Returns
    -------
    str
        Needs the names of :data:`IMPORT` and of :data:`engine.mechanisms.emit_numba.IMPORTS`. The
        arguments are those of :func:`engine.mechanisms.emit.arguments`, with two conditions: the
        number of instances is 1 or a multiple of 8, and arrays are
        :func:`engine.mechanisms.lanes.roomy`.
    """
    return "\n\n".join(_kernel(mechanism, which) for which in WRITTEN_OUT)


def _kernel(mechanism: Mechanism, which: KernelName) -> str:
    taken = arguments(mechanism, which)
    head = f"def {mechanism.name}_{which}_lanes({', '.join(_array(a) for a in taken)}):"
    program = mechanism.program(which)
    if not program.stores and program.current is None:
        return f"{DECORATOR}\n{head}\n    return\n"
    rename = {name: f"{name}_" for name in inputs(program)}
    outside, _ = split_invariant(program, mechanism)
    lines = ["wide_vectors()"]
    lines += [f"{step.target} = {emit(step.value, SCALAR, rename)}" for step in outside]
    lines += ["if n_instance == 1 and first >= 0:", "    for i in range(0, n, lanes.WIDTH):"]
    lines += ["        count, c = n - i, first + i"]
    lines += [f"        {line}" for line in _body(mechanism, which, taken, "consecutive")]
    lines += ["elif n_instance == 1:", "    for i in range(0, n, lanes.WIDTH):"]
    lines += ["        count = n - i"]
    lines += [f"        {line}" for line in _body(mechanism, which, taken, "scattered")]
    lines += ["else:", "    count = lanes.WIDTH", "    for j in range(n):"]
    lines += ["        for k in range(0, n_instance, lanes.WIDTH):"]
    lines += ["            c, i = node[j] * n_instance + k, j * n_instance + k"]
    lines += [f"            {line}" for line in _body(mechanism, which, taken, "rows")]
    return "\n".join([DECORATOR, head, indent("\n".join(lines), "    "), ""])


def _array(argument: Argument) -> str:
    match argument.kind:
        case "global" | "scalar":
            return f"{argument.name}_"
        case "count" | "node" | "voltage" | "out_current" | "out_conductance":
            return argument.name
    return f"{argument.name}_all"


def _body(
    mechanism: Mechanism, which: KernelName, taken: tuple[Argument, ...], layout: str
) -> list[str]:
    """The statements for eight numbers."""
    program = mechanism.program(which)
    read, kinds = inputs(program), {a.name: a for a in taken}
    rename = {name: f"{name}_" for name in read}
    scattered = layout == "scattered"
    lines = []
    for a in taken:
        name = "v" if a.kind == "voltage" else a.name
        if name not in read or a.kind in ADDED:
            continue
        if a.kind in ("parameter", "geometry"):
            at = (
                f"lanes.splat({_array(a)}[j])"
                if layout == "rows"
                else f"lanes.load({_array(a)}, i)"
            )
        elif a.kind in ("state", "assigned"):
            at = f"lanes.load({_array(a)}, i)"
        elif a.kind in GATHERED:
            at = (
                f"lanes.gather({_array(a)}, node, i)"
                if scattered
                else f"lanes.load({_array(a)}, c)"
            )
        else:
            continue
        lines.append(f"{name}_ = {at}")
    _, inside = split_invariant(program, mechanism)
    lines += [f"{step.target} = {_text(step.value, rename)}" for step in inside]
    for name, value in program.stores:
        a, text = kinds[name], _text(value, rename)
        if a.kind in ("state", "assigned"):
            lines.append(f"lanes.put({_array(a)}, i, {text}, count)")
        elif scattered:
            lines.append(f"lanes.scatter({_array(a)}, node, i, {text}, count)")
        else:
            lines.append(f"lanes.put({_array(a)}, c, {text}, count)")
    if program.current is not None and program.conductance is not None:
        added = [("i_membrane", program.current), ("g_membrane", program.conductance)]
        for name, value in (*added, *program.ion_currents):
            array, text = _array(kinds[name]), _text(value, rename)
            if scattered:
                lines.append(f"lanes.scatter_add({array}, node, i, {text}, count)")
            else:
                lines.append(f"lanes.add({array}, c, {text}, count)")
    return lines


def _text(expr: Expr, rename: dict[str, str]) -> str:
    return emit(fuse(expr), LANES, rename)


def fuse(expr: Expr) -> Expr:
    """Products that are added become one ``fma``; small whole powers become products."""
    match expr:
        case Binary("+", Binary("*", a, b), c) | Binary("+", c, Binary("*", a, b)):
            return Call("fma", (fuse(a), fuse(b), fuse(c)))
        case Binary("-", Binary("*", a, b), c):
            return Call("fma", (fuse(a), fuse(b), Unary("-", fuse(c))))
        case Binary("-", c, Binary("*", a, b)):
            return Call("fma", (Unary("-", fuse(a)), fuse(b), fuse(c)))
        case Binary("^", base, Number(power)) if power in range(1, MAX_POWER + 1):
            return Call("whole_power", (fuse(base), Number(int(power))))
        case Unary(operator, operand):
            return Unary(operator, fuse(operand))
        case Binary(operator, left, right):
            return Binary(operator, fuse(left), fuse(right))
        case Call(function, arguments_):
            return Call(function, tuple(map(fuse, arguments_)))
        case Select():
            return Select(*map(fuse, children(expr)))
    return expr
