"""Python source of a mechanism's kernels in explicit vectors."""

from collections.abc import Iterable, Sequence
from typing import Literal

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
    names,
)
from engine.mechanisms.model import Argument, KernelName, Mechanism, Step
from engine.mechanisms.stages import GROUP, Stage, cut

INSTRUCTIONS = "exp", "fabs", "sqrt", "floor", "ceil", "fma"
"""Functions that are vector code; others are called number by number."""
LANES = Dialect(
    "lanes",
    "lanes.select({condition}, {then}, {other})",
    "elementary.power({base}, {exponent})",
    SCALAR.connect,
    {name: f"elementary.{name}" for name in (*FUNCTIONS, "whole_power")}
    | {name: f"lanes.{name}" for name in INSTRUCTIONS},
    SCALAR.infinity,
    SCALAR.nan,
    "quotients.exprel({x})",
)
IMPORT = "from numba import prange\nfrom engine.mechanisms import elementary, lanes, quotients"
WRITTEN_OUT: tuple[KernelName, ...] = ("current", "advance")
Layout = Literal["rows", "consecutive", "scattered"]
Closing = Literal["alone", "with others"]
EQUATIONS = ("own", "leak_i", "leak_g", "area", "d", "r")
"""What a current that closes takes too, as :func:`engine.backends.kernels.assemble`."""
MAX_POWER = 8


def has_lanes(mechanism: Mechanism) -> bool:
    """Whether :func:`emit_lanes` can write the mechanism."""
    return (
        mechanism.kind != "artificial"
        and mechanism.straight
        and all(
            argument.kind not in ("weight", "event")
            for which in WRITTEN_OUT
            for argument in arguments(mechanism, which)
        )
    )


def emit_lanes(
    mechanism: Mechanism,
    layouts: Sequence[Layout],
    silent: Sequence[str] = (),
    closes: Closing | None = None,
) -> str:
    """Source of ``{name}_current_lanes`` and ``{name}_advance_lanes``.

    Parameters
    ----------
    mechanism
    layouts
        What it is compiled for: ``rows`` of eight instances, or one instance on ``consecutive``
        nodes, on ``scattered`` ones, or on both; what is not needed need not be compiled.
    silent
        Ion currents that are not to be added to their arrays.
    closes
        Whether the currents go straight into the equations, ``alone`` or ``with others`` before
        it, which spares a pass over all nodes: not for scattered nodes.

    Returns
    -------
    str
        Needs the names of :data:`IMPORT` and of :data:`engine.mechanisms.emit_numba.IMPORTS`. The
        arguments are those of :func:`engine.mechanisms.emit.arguments`, with two conditions: the
        number of instances is 1 or 8 as said, and arrays are
        :func:`engine.mechanisms.lanes.roomy`. Points are always scattered, and their currents and
        conductances (nA, µS) are put into arrays with one element for each. A current that closes
        also has :data:`EQUATIONS`.
    """
    kinds = (closes if which == "current" else None for which in WRITTEN_OUT)
    return "\n\n".join(
        _kernel(mechanism, which, layouts, silent, kind)
        for which, kind in zip(WRITTEN_OUT, kinds, strict=True)
    )


def emit_parts(mechanism: Mechanism) -> str:
    """Source of ``{name}_current_parts`` and ``{name}_advance_parts``: one cell on several cores.

    Their first argument is the number of parts, the others are those of :func:`emit_lanes`; the
    source needs :func:`engine.backends.parts.share_out` by its name.
    """
    return "\n\n".join(
        _parts(mechanism, which)
        for which in WRITTEN_OUT
        if mechanism.program(which).stores or mechanism.program(which).current is not None
    )


def _parts(mechanism: Mechanism, which: KernelName) -> str:
    taken = arguments(mechanism, which)
    own = ("state", "assigned", "parameter", "geometry", "node")
    passed = {"n": "last - begin", "first": "first + begin if first >= 0 else -1"}
    actual = []
    for a in taken:
        name = f"{_array(a)}[begin:]" if a.kind in own else _array(a)
        actual.append(passed.get(a.name, name) if a.kind == "count" else name)
    lines = [
        '@njit(nogil=True, cache=True, error_model="numpy", parallel=True)',
        f"def {mechanism.name}_{which}_parts(n_part, {', '.join(_array(a) for a in taken)}):",
        "    for part in prange(n_part):",
        "        begin, last = share_out(n, part, n_part)",
        f"        {mechanism.name}_{which}_lanes({', '.join(actual)})",
        "",
    ]
    return "\n".join(lines)


def _kernel(
    mechanism: Mechanism,
    which: KernelName,
    layouts: Sequence[Layout],
    silent: Sequence[str],
    closes: Closing | None,
) -> str:
    taken = [_array(a) for a in arguments(mechanism, which)]
    taken += EQUATIONS if closes else ()
    head = f"def {mechanism.name}_{which}_lanes({', '.join(taken)}):"
    program = mechanism.program(which)
    if not program.stores and program.current is None:
        return f"{DECORATOR}\n{head}\n    return\n"
    rename = {name: f"{name}_" for name in inputs(program)}
    outside, _ = split_invariant(program, mechanism)
    body = _Body(mechanism, which, silent, closes)
    lines = ["wide_vectors()"]
    lines += [f"{step.target} = {emit(step.value, SCALAR, rename)}" for step in outside]
    lines += [f"kept_{name} = stack_array()" for name in body.kept]
    if mechanism.kind == "point":
        lines += body.loops("scattered")
    elif len(layouts) == 1:
        lines += ["count = lanes.WIDTH"] if "rows" in layouts else []
        lines += body.loops(layouts[0])
    else:
        lines += ["if first >= 0:", *indented(body.loops("consecutive"))]
        lines += ["else:", *indented(body.loops("scattered"))]
    return "\n".join([DECORATOR, head, *indented(lines), ""])


def indented(lines: Iterable[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _array(argument: Argument) -> str:
    match argument.kind:
        case "global" | "scalar":
            return f"{argument.name}_"
        case "count" | "node" | "voltage" | "out_current" | "out_conductance":
            return argument.name
    return f"{argument.name}_all"


class _Body:
    """The loops of a kernel over blocks of nodes: one for each stage."""

    def __init__(
        self,
        mechanism: Mechanism,
        which: KernelName,
        silent: Sequence[str],
        closes: Closing | None,
    ) -> None:
        self.closes = closes
        self.taken = arguments(mechanism, which)
        self.point = mechanism.kind == "point"
        self.program = program = mechanism.program(which)
        self.read = inputs(program)
        self.rename = {name: f"{name}_" for name in self.read}
        _, inside = split_invariant(program, mechanism)
        self.results = [(name, value, False) for name, value in program.stores]
        if program.current is not None and program.conductance is not None:
            self.results += [
                ("i_membrane", program.current, True),
                ("g_membrane", program.conductance, True),
                *((n, value, True) for n, value in program.ion_currents if n not in silent),
            ]
        self.stages, self.finals = cut(inside, [value for _, value, _ in self.results])
        gathered = [a for a in self.taken if a.kind in GATHERED and _variable(a) in self.read]
        self.gathered = [_variable(a) for a in gathered]
        self.kept = [name for stage in self.stages for name in stage.kept]
        self.kept += [f"of_{name}" for name in self.gathered]

    def loops(self, layout: Layout) -> list[str]:
        """All stages in one layout."""
        if layout == "rows":
            lines = ["for base in range(0, n, BLOCK // lanes.WIDTH):"]
            lines += ["    stop = min(base + BLOCK // lanes.WIDTH, n)"]
            head = ["    for j in range(base, stop):"]
            head += ["        c, i = np.uint64(node[j]) * np.uint64(lanes.WIDTH), j * lanes.WIDTH"]
            head += ["        k = i - base * lanes.WIDTH"]
        else:
            lines = ["for base in range(0, n, BLOCK):", "    stop = min(base + BLOCK, n)"]
            head = [
                "    for i in range(base, stop, lanes.WIDTH):",
                "        k, count = i - base, n - i",
            ]
            if layout == "consecutive":
                head += ["        c = first + i"]
        if layout == "scattered":
            lines += head
            for a in self.taken:
                if a.kind in GATHERED and _variable(a) in self.gathered:
                    value = f"lanes.gather({_array(a)}, node, i)"
                    lines.append(f"        lanes.store(kept_of_{_variable(a)}, k, {value})")
        for number, stage in enumerate(self.stages):
            lines += head
            last = number == len(self.stages) - 1
            lines += [f"        {line}" for line in self._stage(stage, layout, last)]
        return lines

    def _stage(self, stage: Stage, layout: str, last: bool) -> list[str]:
        finals = self.finals if last else []
        values = [*(s.value for s in (*stage.light, *stage.heavy)), *finals]
        read = {name for value in values for name in names(value)}
        lines = [*self._loads(read, layout)]
        lines += [f"{name} = lanes.load(kept_{name}, k)" for name in stage.taken]
        lines += self._light(stage.light)
        lines += self._heavy(stage.heavy)
        lines += [f"lanes.store(kept_{name}, k, {name})" for name in stage.kept]
        return lines + (self._stores(layout) if last else [])

    def _light(self, steps: Sequence[Step]) -> list[str]:
        """Definitions in an order in which several ``exprel`` are computed at once."""
        lines, left = [], list(steps)
        while left:
            at_once: list[Step] = []
            later: list[Step] = []
            unknown: set[str] = set()
            for step in left:
                if step.reads & unknown:
                    later.append(step)
                elif isinstance(step.value, Call) and step.value.function == "exprel":
                    at_once.append(step)
                else:
                    lines.append(f"{step.target} = {self._text(step.value)}")
                    continue
                unknown.add(step.target)
            for at in range(0, len(at_once), GROUP):
                lines.append(self._exprels(at_once[at : at + GROUP]))
            left = later
        return lines

    def _exprels(self, steps: Sequence[Step]) -> str:
        function = {1: "exprel", 2: "two_exprels", 3: "three_exprels"}[len(steps)]
        taken = [self._text(part) for step in steps for part in children(step.value)]
        targets = ", ".join(step.target for step in steps)
        return f"{targets} = quotients.{function}({', '.join(taken)})"

    def _heavy(self, steps: Sequence[Step]) -> list[str]:
        """Functions one by one, divisions in groups that share a reciprocal."""
        divisions = [s for s in steps if isinstance(s.value, Binary) and s.value.operator == "/"]
        lines = []
        for step in steps:
            if step not in divisions:
                lines.append(f"{step.target} = {self._text(step.value)}")
        for at in range(0, len(divisions), GROUP):
            group = divisions[at : at + GROUP]
            if len(group) == 1:
                lines.append(f"{group[0].target} = {self._text(group[0].value)}")
                continue
            function = {2: "two_quotients", 3: "three_quotients"}[len(group)]
            parts = [self._text(part) for step in group for part in children(step.value)]
            targets = ", ".join(step.target for step in group)
            lines.append(f"{targets} = quotients.{function}({', '.join(parts)})")
        return lines

    def _loads(self, read: set[str], layout: str) -> list[str]:
        lines = []
        for a in self.taken:
            name = _variable(a)
            if name not in read or a.kind in ADDED:
                continue
            if a.kind in ("parameter", "geometry"):
                rows = f"lanes.splat({_array(a)}[j])"
                at = rows if layout == "rows" else f"lanes.load({_array(a)}, i)"
            elif a.kind in ("state", "assigned"):
                at = f"lanes.load({_array(a)}, i)"
            elif a.kind in GATHERED:
                kept = f"lanes.load(kept_of_{name}, k)"
                at = kept if layout == "scattered" else f"lanes.load({_array(a)}, c)"
            else:
                continue
            lines.append(f"{name}_ = {at}")
        return lines

    def _stores(self, layout: str) -> list[str]:
        kinds, lines = {a.name: a for a in self.taken}, []
        for (name, _, added), value in zip(self.results, self.finals, strict=True):
            argument, text = kinds[name], self._text(value)
            if self.closes and name in ("i_membrane", "g_membrane"):
                lines += self._sum(name, text)
                continue
            own = argument.kind in ("state", "assigned") or (
                self.point and argument.kind in ("out_current", "out_conductance")
            )
            verb = "add" if added else "put"
            if own:
                lines.append(f"lanes.put({_array(argument)}, i, {text}, count)")
            elif layout == "scattered":
                verb = "scatter_add" if added else "scatter"
                lines.append(f"lanes.{verb}({_array(argument)}, node, i, {text}, count)")
            else:
                lines.append(f"lanes.{verb}({_array(argument)}, c, {text}, count)")
        return lines + (self._equations(layout) if self.closes else [])

    def _sum(self, name: str, text: str) -> list[str]:
        """A membrane's current or conductance with what is there from other mechanisms."""
        if self.closes == "alone":
            return [f"{name}_sum = {text}"]
        return [
            f"{name}_sum = lanes.load({name}, c) + {text}",
            f"lanes.put({name}, c, 0.0, count)",
        ]

    def _equations(self, layout: str) -> list[str]:
        """The arithmetic of :func:`engine.backends.kernels.assemble`."""
        rows = layout == "rows"
        own, area, leak_i, leak_g = (
            f"{name}[node[j]]" if rows else f"lanes.load({name}, c)"
            for name in ("own", "area", "leak_i", "leak_g")
        )
        return [
            f"factor = {area}",
            f"leak = {leak_i} + {leak_g} * lanes.load(voltage, c)",
            f"lanes.put(d, c, {own} + g_membrane_sum * factor, count)",
            "lanes.put(r, c, -(i_membrane_sum * factor + leak), count)",
        ]

    def _text(self, expr: Expr) -> str:
        return emit(fuse(expr), LANES, self.rename)


def _variable(argument: Argument) -> str:
    return "v" if argument.kind == "voltage" else argument.name


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
