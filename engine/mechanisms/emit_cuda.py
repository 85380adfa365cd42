"""CUDA C++ source of a mechanism's kernels, free of headers."""

from collections.abc import Callable, Iterable, Mapping

from engine.mechanisms.emit import (
    CUDA,
    CUDA_SINGLE,
    Dialect,
    arguments,
    emit,
    inputs,
    read_only,
    split_invariant,
)
from engine.mechanisms.model import KERNELS, Argument, KernelName, Mechanism, Step, weight_name

LAUNCH = 'extern "C" __global__ void'
BODY = "static __device__ __forceinline__ void"


def emit_cuda(mechanism: Mechanism) -> str:
    """Source of ``{name}_initialize``, ``{name}_current`` and ``{name}_advance``; of
    ``{name}_receive``, ``{name}_connect`` and ``{name}_watch`` where the mechanism has them.

    Returns
    -------
    str
        Every kernel takes the arguments of :func:`engine.mechanisms.emit.arguments` in their order
        and visits its elements, node times instance, in a grid-stride loop; an element is touched
        by one thread only, and points on one node by the same thread, one after the other.
        ``receive`` and ``connect`` are ``__device__`` functions for one point. The arithmetic of
        one element is a ``__device__`` function ``{kernel}_body`` that larger kernels may call.
    """
    kernels = [_kernel(mechanism, which) for which in (*KERNELS, *mechanism.event_kernels)]
    return "\n\n".join([emit_bodies(mechanism), *kernels]) + "\n"


def emit_bodies(mechanism: Mechanism, hoisted: bool = False, single: bool = False) -> str:
    """The arithmetic of one element alone: the functions ``{name}_{kernel}_body``.

    Where ``hoisted``, those of :data:`KERNELS` take what is one for all elements as their last
    arguments, see :func:`emit_invariants`. Where ``single``, the currents and the step of the
    states are computed in single precision (what is stored is not); but for a current whose
    derivative is a difference over 0.001 mV, of which single precision would leave little.
    """
    title = mechanism.title or f"Mechanism {mechanism.name}"
    short = {"advance", "current"} if mechanism.analytic else {"advance"}
    bodies = [
        _body(mechanism, which, hoisted and which in KERNELS, single and which in short)
        for which in (*KERNELS, *mechanism.event_kernels)
    ]
    return "\n\n".join([f"// {mechanism.name}: {title}", *bodies])


def emit_invariants(
    mechanism: Mechanism, which: KernelName, place: Callable[[Argument, int], str]
) -> list[str]:
    """Definitions of what is one for all elements; ``place`` as of :func:`body_call`."""
    rename = {
        a.name: place(a, 0) for a in arguments(mechanism, which) if a.kind in ("scalar", "global")
    }
    return _steps(split_invariant(mechanism.program(which), mechanism)[0], rename)


def body_call(
    mechanism: Mechanism,
    which: KernelName,
    place: Callable[[Argument, int], str],
    hoisted: bool = False,
) -> str:
    """A call of ``{name}_{which}_body``.

    Parameters
    ----------
    mechanism
    which
    place
        Text for an argument: a value or, where it is written, an lvalue. The second number counts
        the weights of a connection, for an argument of kind ``weight``; it is 0 for others.
    hoisted
        As of :func:`emit_bodies`.
    """
    passed = [place(argument, i) for _, argument, i in _elements(mechanism, which)]
    if hoisted:
        outside, _ = split_invariant(mechanism.program(which), mechanism)
        passed += [step.target for step in outside]
    return f"{mechanism.name}_{which}_body({', '.join(passed)});"


def _steps(steps: Iterable[Step], rename: Mapping[str, str], dialect: Dialect = CUDA) -> list[str]:
    lines, real = [], "float" if dialect.suffix else "double"
    for step in steps:
        if step.loop is None:
            lines.append(f"const {real} {step.target} = {emit(step.value, dialect, rename)};")
            continue
        loop = step.loop
        started = zip(loop.carried, loop.start, strict=True)
        lines += [f"{real} {name} = {emit(value, dialect, rename)};" for name, value in started]
        afters = list(zip(loop.carried, loop.after, strict=True))
        turn = [
            *_steps(loop.head, rename, dialect),
            f"if (!{emit(loop.condition, dialect, rename)}) break;",
            *_steps(loop.body, rename, dialect),
            *(
                f"const {real} {name}_after = {emit(value, dialect, rename)};"
                for name, value in afters
            ),
            *(f"{name} = {name}_after;" for name, _ in afters),
        ]
        lines.append(f"for (int turn = 0; turn < {loop.limit}; ++turn) {{")
        lines += [*(f"    {line}" for line in turn), "}"]
    return lines


def _one(mechanism: Mechanism, which: KernelName) -> str:
    """A function for one point."""
    taken = arguments(mechanism, which)
    declared = ", ".join(_parameter(a, mechanism, which) for a in taken)
    return f"""{BODY} {mechanism.name}_{which}({declared}) {{
    const long long j = point, k = j * n_instance + instance;
    const long long at = (long long)node[point] * n_instance + instance;
    {body_call(mechanism, which, _passed)}
}}"""


def _array(argument: Argument, mechanism: Mechanism, which: KernelName) -> str:
    constant = "const " if argument.name in read_only(mechanism, which) else ""
    return f"{constant}double* __restrict__"


def _parameter(argument: Argument, mechanism: Mechanism, which: KernelName) -> str:
    """Declaration of a kernel argument."""
    match argument.kind:
        case "count":
            return f"int {argument.name}"
        case "node":
            return "const int* __restrict__ node"
        case "global" | "scalar":
            return f"double {argument.name}_"
    return f"{_array(argument, mechanism, which)} {_place(argument)}"


def _place(argument: Argument) -> str:
    own = argument.kind in ("voltage", "out_current", "out_conductance", "weight")
    return argument.name if own else f"{argument.name}_all"


def _elements(mechanism: Mechanism, which: KernelName) -> list[tuple[str, Argument, int]]:
    """What a body takes: its declaration, the argument, and the number of a weight."""
    found = [("double v_", Argument("v", "voltage"), 0)]
    for argument in arguments(mechanism, which):
        match argument.kind:
            case "parameter" | "geometry" | "global" | "scalar" | "ion_read":
                found.append((f"double {argument.name}_", argument, 0))
            case "state" | "assigned" | "event" | "ion_set":
                reference = "" if argument.name in read_only(mechanism, which) else "&"
                found.append((f"double{reference} {argument.name}_", argument, 0))
            case "weight":
                written = {name for name, _ in mechanism.program(which).stores}
                for i, name in enumerate(map(weight_name, mechanism.weights)):
                    reference = "&" if name in written else ""
                    found.append((f"double{reference} {name}_", argument, i))
            case "out_current" | "out_conductance" | "ion_write":
                found.append((f"double& {argument.name}_sum", argument, 0))
    return found


def _passed(argument: Argument, weight: int) -> str:
    """What a kernel of this module passes to a body."""
    place = _place(argument)
    match argument.kind:
        case "voltage":
            return "voltage[at]"
        case "parameter" | "geometry":
            return f"{place}[j]"
        case "global" | "scalar":
            return f"{argument.name}_"
        case "state" | "assigned" | "event":
            return f"{place}[k]"
        case "weight":
            return f"weight[slot + {weight}]"
    return f"{place}[at]"


def _body(
    mechanism: Mechanism, which: KernelName, hoisted: bool = False, single: bool = False
) -> str:
    program = mechanism.program(which)
    rename = {name: f"{name}_" for name in inputs(program)}
    outside, inside = split_invariant(program, mechanism)
    taken = [declaration for declaration, _, _ in _elements(mechanism, which)]
    if hoisted:
        taken += [f"double {step.target}" for step in outside]
    dialect, lines = CUDA, []
    if single:
        dialect = CUDA_SINGLE
        kept = {d.removeprefix("double& ") for d in taken if d.startswith("double&")}
        for name, place in rename.items():
            if place in kept:
                lines.append(f"const float {place}now = {place};")
                rename[name] = f"{place}now"
        taken = [d if d.startswith("double&") else d.replace("double", "float", 1) for d in taken]
    lines += _steps(inside if hoisted else (*outside, *inside), rename, dialect)
    lines += [f"{name}_ = {emit(value, dialect, rename)};" for name, value in program.stores]
    if program.current is not None and program.conductance is not None:
        lines.append(f"i_membrane_sum += {emit(program.current, dialect, rename)};")
        lines.append(f"g_membrane_sum += {emit(program.conductance, dialect, rename)};")
        lines += [
            f"{name}_sum += {emit(value, dialect, rename)};" for name, value in program.ion_currents
        ]
    declared = ", ".join(taken)
    return "\n".join(
        [f"{BODY} {mechanism.name}_{which}_body({declared}) {{", *(f"    {s}" for s in lines), "}"]
    )


def _kernel(mechanism: Mechanism, which: KernelName) -> str:
    if which in ("receive", "connect"):
        return _one(mechanism, which)
    if mechanism.kind == "point":
        return _shared_kernel(mechanism, which)
    declared = ", ".join(_parameter(a, mechanism, which) for a in arguments(mechanism, which))
    return f"""{LAUNCH} {mechanism.name}_{which}({declared}) {{
    const long long count = (long long)n * n_instance, stride = (long long)gridDim.x * blockDim.x;
    for (long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x; k < count; k += stride) {{
        const long long j = k / n_instance;
        const long long at = (first >= 0 ? first + j : node[j]) * n_instance + k % n_instance;
        {body_call(mechanism, which, _passed)}
    }}
}}"""


def _shared_kernel(mechanism: Mechanism, which: KernelName) -> str:
    """A kernel that adds to nodes which several points may share: one thread walks along them."""
    declared = ", ".join(_parameter(a, mechanism, which) for a in arguments(mechanism, which))
    return f"""{LAUNCH} {mechanism.name}_{which}({declared}) {{
    const long long count = (long long)n * n_instance, stride = (long long)gridDim.x * blockDim.x;
    for (long long e = (long long)blockIdx.x * blockDim.x + threadIdx.x; e < count; e += stride) {{
        long long j = e / n_instance;
        if (j > 0 && node[j - 1] == node[j]) continue;
        const long long i = e % n_instance, at = (long long)node[j] * n_instance + i;
        do {{
            const long long k = j * n_instance + i;
            {body_call(mechanism, which, _passed)}
        }} while (++j < n && node[j] == node[j - 1]);
    }}
}}"""
