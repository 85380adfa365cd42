"""Python source of a mechanism's kernels for numba."""

from collections.abc import Iterable, Mapping
from textwrap import indent

from engine.mechanisms.emit import NUMBA, arguments, emit, inputs, split_invariant
from engine.mechanisms.model import (
    KERNELS,
    Argument,
    KernelName,
    Mechanism,
    Step,
    weight_name,
)

IMPORTS = """\
import math

import numpy as np
from numba import njit

from engine.mechanisms.fastmath import BLOCK, exp, exprel, stack_array, wide_vectors
"""
OWN = ("state", "assigned", "event")
GATHERED = ("voltage", "ion_read", "ion_set")
ADDED = ("out_current", "out_conductance", "ion_write")
_INDEX: dict[str, str] = {
    **dict.fromkeys(OWN, "k"),
    **dict.fromkeys(("ion_read", "ion_set"), "c"),
    **dict.fromkeys(("parameter", "geometry"), "point"),
}
"""Where one point finds its value of an array."""
DECORATOR = '@njit(nogil=True, error_model="numpy")'
"""Stands before every kernel, so that a caller can replace it.

No fast mathematics: the bits of an element do not depend on the layout, and NaN is not hidden. Only
the inlined exponential contracts products and sums.
"""


def emit_numba(mechanism: Mechanism) -> str:
    """Source of ``{name}_initialize``, ``{name}_current`` and ``{name}_advance``; of
    ``{name}_receive``, ``{name}_connect`` and ``{name}_watch`` where the mechanism has them.

    Returns
    -------
    str
        Starts with :data:`IMPORTS`; arguments are those of
        :func:`engine.mechanisms.emit.arguments`. Every kernel has three loops: consecutive nodes
        and one instance (flat and contiguous, so that it becomes vector code), scattered nodes and
        one instance, and rows of instances. ``receive`` and ``connect`` have none: they work on
        one point.
    """
    kernels = [_kernel(mechanism, which) for which in KERNELS]
    kernels += [_event(mechanism, which) for which in mechanism.event_kernels if which != "watch"]
    kernels += [_kernel(mechanism, "watch")] if mechanism.watches else []
    title = mechanism.title or f"Mechanism {mechanism.name}"
    return "\n\n".join([f"# {mechanism.name}: {title}\n{IMPORTS}", *kernels])


def _kernel(mechanism: Mechanism, which: KernelName) -> str:
    taken = arguments(mechanism, which)
    head = f"def {mechanism.name}_{which}({', '.join(_parameter(a) for a in taken)}):"
    program = mechanism.program(which)
    if not program.stores and program.current is None:
        return f"{DECORATOR}\n{head}\n    return\n"
    rename = _names(mechanism, which)
    outside, _ = split_invariant(program, mechanism)
    before = [f"{step.target} = {emit(step.value, NUMBA, rename)}" for step in outside]
    loops = _loops(mechanism, which, taken)
    return "\n".join(
        [DECORATOR, head, indent("\n".join(["wide_vectors()", *before, loops]), "    "), ""]
    )


def _event(mechanism: Mechanism, which: KernelName) -> str:
    """A kernel for one point."""
    taken, program = arguments(mechanism, which), mechanism.program(which)
    rename, read = _names(mechanism, which), inputs(program)
    where = {a.name: f"{_parameter(a)}[{_INDEX[a.kind]}]" for a in taken if a.kind in _INDEX}
    where |= {
        name: f"weight[slot + {i}]" for i, name in enumerate(map(weight_name, mechanism.weights))
    }
    lines = ["k = point * n_instance + instance", "c = node[point] * n_instance + instance"]
    lines += ["v_ = voltage[c]"] if "v" in read else []
    lines += [f"{name}_ = {place}" for name, place in where.items() if name in read]
    lines += _steps(program.steps, rename)
    lines += [f"{where[name]} = {emit(value, NUMBA, rename)}" for name, value in program.stores]
    head = f"def {mechanism.name}_{which}({', '.join(_parameter(a) for a in taken)}):"
    return "\n".join([DECORATOR, head, *(f"    {line}" for line in lines), ""])


def _parameter(argument: Argument) -> str:
    match argument.kind:
        case "global" | "scalar":
            return f"{argument.name}_"
        case (
            "parameter"
            | "geometry"
            | "state"
            | "assigned"
            | "ion_read"
            | "ion_write"
            | "ion_set"
            | "event"
        ):
            return f"{argument.name}_all"
    return argument.name


def _names(mechanism: Mechanism, which: KernelName) -> dict[str, str]:
    """Inputs get a trailing underscore: no name of a file meets one of ours or of Python."""
    return {name: f"{name}_" for name in inputs(mechanism.program(which))}


def _loops(mechanism: Mechanism, which: KernelName, taken: tuple[Argument, ...]) -> str:
    read = inputs(mechanism.program(which))
    by_comp = [a for a in taken if a.kind in (*GATHERED, *ADDED)]
    by_row = [a for a in taken if a.kind in OWN]
    by_node = [a for a in taken if a.kind in ("parameter", "geometry") and a.name in read]

    flat = [f"{_row(a)} = {_parameter(a)}[first : first + n]" for a in by_comp]
    flat += ["for i in range(n):"]
    flat += [f"    {a.name}_ = {a.name}_all[i]" for a in by_node]
    flat += [f"    {line}" for line in _body(mechanism, which, taken, own="{all}[i]")]

    gathered = [a for a in by_comp if a.kind in GATHERED]
    added = [a for a in by_comp if a.kind in ADDED]
    set_here = {name for name, _ in mechanism.program(which).stores}
    replaced = [a for a in by_comp if a.kind == "ion_set" and a.name in set_here]
    blocks = [f"{_row(a)} = stack_array()" for a in by_comp]
    blocks += ["for base in range(0, n, BLOCK):", "    stop = min(base + BLOCK, n)"]
    blocks += [f"    {_row(a)} = {_parameter(a)}[base:stop]" for a in (*by_row, *by_node)]
    blocks += ["    for i in range(stop - base):", "        c = node[base + i]"]
    blocks += [f"        {_row(a)}[i] = {_parameter(a)}[c]" for a in gathered]
    blocks += [f"        {_row(a)}[i] = 0.0" for a in added]
    blocks += ["    for i in range(stop - base):"]
    blocks += [f"        {a.name}_ = {_row(a)}[i]" for a in by_node]
    blocks += [f"        {line}" for line in _body(mechanism, which, taken, own="{row}[i]")]
    if added or replaced:
        blocks += ["    for i in range(stop - base):", "        c = node[base + i]"]
        blocks += [f"        {_parameter(a)}[c] += {_row(a)}[i]" for a in added]
        blocks += [f"        {_parameter(a)}[c] = {_row(a)}[i]" for a in replaced]

    rows = ["for j in range(n):", "    start, row = node[j] * n_instance, j * n_instance"]
    rows += [f"    {_row(a)} = {_parameter(a)}[start : start + n_instance]" for a in by_comp]
    rows += [f"    {_row(a)} = {_parameter(a)}[row : row + n_instance]" for a in by_row]
    rows += [f"    {a.name}_ = {a.name}_all[j]" for a in by_node]
    rows += ["    for i in range(n_instance):"]
    rows += [f"        {line}" for line in _body(mechanism, which, taken, own="{row}[i]")]
    if which == "initialize":  # once a run: one loop that serves every layout
        return "\n".join(rows)
    variants = (
        ("if n_instance == 1 and first >= 0:", flat),
        ("elif n_instance == 1:", blocks),
        ("else:", rows),
    )
    return "\n".join(f"{head}\n{indent(chr(10).join(lines), '    ')}" for head, lines in variants)


def _steps(steps: Iterable[Step], rename: Mapping[str, str]) -> list[str]:
    lines = []
    for step in steps:
        if step.loop is None:
            lines.append(f"{step.target} = {emit(step.value, NUMBA, rename)}")
            continue
        loop, carried = step.loop, ", ".join(step.loop.carried)
        start, after = (
            ", ".join(emit(value, NUMBA, rename) for value in values)
            for values in (loop.start, loop.after)
        )
        turn = [
            *_steps(loop.head, rename),
            f"if not {emit(loop.condition, NUMBA, rename)}:",
            "    break",
            *_steps(loop.body, rename),
            f"{carried} = {after}",
        ]
        lines += [f"{carried} = {start}", f"for _ in range({loop.limit}):"]
        lines += [f"    {line}" for line in turn]
    return lines


def _row(argument: Argument) -> str:
    return f"{argument.name}_row"


def _body(
    mechanism: Mechanism, which: KernelName, taken: tuple[Argument, ...], own: str
) -> list[str]:
    """The statements for one element; ``own`` says how arrays of the mechanism are read."""
    program = mechanism.program(which)
    rename, read = _names(mechanism, which), inputs(program)
    where = {
        a.name: (own if a.kind in OWN else "{row}[i]").format(row=_row(a), all=_parameter(a))
        for a in taken
    }
    kinds = {a.name: a.kind for a in taken}
    loads = [
        f"{name}_ = {where[name]}"
        for name, kind in kinds.items()
        if name in read and kind in ("state", "assigned", "ion_read", "ion_set")
    ]
    if "v" in read:
        loads.insert(0, f"v_ = {where['voltage']}")
    _, inside = split_invariant(program, mechanism)
    lines = [*loads, *_steps(inside, rename)]
    lines += [f"{where[name]} = {emit(value, NUMBA, rename)}" for name, value in program.stores]
    if program.current is not None and program.conductance is not None:
        lines.append(f"{where['i_membrane']} += {emit(program.current, NUMBA, rename)}")
        lines.append(f"{where['g_membrane']} += {emit(program.conductance, NUMBA, rename)}")
        lines += [
            f"{where[name]} += {emit(value, NUMBA, rename)}" for name, value in program.ion_currents
        ]
    return lines
