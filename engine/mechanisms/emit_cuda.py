"""CUDA C++ source of a mechanism's kernels, free of headers."""

from engine.mechanisms.emit import CUDA, arguments, emit, inputs, read_only, split_invariant
from engine.mechanisms.model import KERNELS, Argument, KernelName, Mechanism

LAUNCH = 'extern "C" __global__ void'
BODY = "static __device__ __forceinline__ void"


def emit_cuda(mechanism: Mechanism) -> str:
    """Source of ``{name}_initialize``, ``{name}_current`` and ``{name}_advance``.

    Returns
    -------
    str
        Every kernel takes the arguments of :func:`engine.mechanisms.emit.arguments` in their order
        and visits its elements, node times instance, in a grid-stride loop; an element is touched
        by one thread only. The arithmetic of one element is a ``__device__`` function
        ``{kernel}_body`` that larger kernels may call.
    """
    title = mechanism.title or f"Mechanism {mechanism.name}"
    kernels = [
        part for which in KERNELS for part in (_body(mechanism, which), _kernel(mechanism, which))
    ]
    return "\n\n".join([f"// {mechanism.name}: {title}", *kernels]) + "\n"


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
    own = argument.kind in ("voltage", "out_current", "out_conductance")
    return argument.name if own else f"{argument.name}_all"


def _elements(mechanism: Mechanism, which: KernelName) -> list[tuple[str, str]]:
    """What a body takes: its declaration and what the kernel passes for it."""
    found = [("double v_", "voltage[at]")]
    for argument in arguments(mechanism, which):
        place = _place(argument)
        match argument.kind:
            case "parameter" | "geometry":
                found.append((f"double {argument.name}_", f"{place}[j]"))
            case "global" | "scalar":
                found.append((f"double {argument.name}_", f"{argument.name}_"))
            case "ion_read":
                found.append((f"double {argument.name}_", f"{place}[at]"))
            case "state" | "assigned" | "ion_set":
                index = "at" if argument.kind == "ion_set" else "k"
                reference = "" if argument.name in read_only(mechanism, which) else "&"
                found.append((f"double{reference} {argument.name}_", f"{place}[{index}]"))
            case "out_current" | "out_conductance" | "ion_write":
                found.append((f"double& {argument.name}_sum", f"{place}[at]"))
    return found


def _body(mechanism: Mechanism, which: KernelName) -> str:
    program = mechanism.program(which)
    rename = {name: f"{name}_" for name in inputs(program)}
    outside, inside = split_invariant(program, mechanism)
    lines = [
        f"const double {s.target} = {emit(s.value, CUDA, rename)};" for s in (*outside, *inside)
    ]
    lines += [f"{name}_ = {emit(value, CUDA, rename)};" for name, value in program.stores]
    if program.current is not None and program.conductance is not None:
        lines.append(f"i_membrane_sum += {emit(program.current, CUDA, rename)};")
        lines.append(f"g_membrane_sum += {emit(program.conductance, CUDA, rename)};")
        lines += [
            f"{name}_sum += {emit(value, CUDA, rename)};" for name, value in program.ion_currents
        ]
    declared = ", ".join(declaration for declaration, _ in _elements(mechanism, which))
    return "\n".join(
        [f"{BODY} {mechanism.name}_{which}_body({declared}) {{", *(f"    {s}" for s in lines), "}"]
    )


def _kernel(mechanism: Mechanism, which: KernelName) -> str:
    declared = ", ".join(_parameter(a, mechanism, which) for a in arguments(mechanism, which))
    passed = ", ".join(value for _, value in _elements(mechanism, which))
    return f"""{LAUNCH} {mechanism.name}_{which}({declared}) {{
    const long long count = (long long)n * n_instance, stride = (long long)gridDim.x * blockDim.x;
    for (long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x; k < count; k += stride) {{
        const long long j = k / n_instance;
        const long long at = (first >= 0 ? first + j : node[j]) * n_instance + k % n_instance;
        {mechanism.name}_{which}_body({passed});
    }}
}}"""
