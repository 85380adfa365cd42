"""What the kernel of a run takes.

A kernel of one model takes :data:`POINTERS`, :data:`INTEGERS`, :data:`REALS` and the offsets and
numbers that its text has named. A kernel of several takes the pointers to the arrays of all, where
each model has a part, the tables :data:`LOOKED_UP` and :data:`PER_LAUNCH`, and reads the rest from
the tables: ``block`` (a model and its first instance, for every block), ``starts`` (where a model's
part of every array begins), ``integers`` (:data:`EVERY` and the named) and ``reals``.

A block copies its row of them into shared memory and reads it there at every use: so many numbers
do not fit the registers, and each thread would keep a copy of its own in local memory (for sm_90 a
stack frame of 1128 bytes instead of 144, where the kernel of one model has 184). Offsets into
:data:`FOLDED` count from the start of the whole array, so that these need no pointer of a model.
"""

import numpy as np

from engine.backends.gpu.text import Names

POINTERS = {
    "own_all": "double*",
    "moving_all": "int*",
    "common": "const double* __restrict__",
    "table": "const int* __restrict__",
    "given_all": "const double* __restrict__",
    "where_all": "const int* __restrict__",
    "base": "const double* __restrict__",
    "played": "const double* __restrict__",
    "waiting": "double*",
    "waiting_what": "int*",
    "traces": "double*",
    "frames": "float*",
    "spikes": "double*",
}
FOLDED = ("common", "table")
LOOKED_UP = {
    "block": "const int* __restrict__",
    "starts": "const long long* __restrict__",
    "integers": "const int* __restrict__",
    "reals": "const double* __restrict__",
}
INTEGERS = (
    "n_instance",
    "threads",
    "lanes",
    "own_width",
    "moving_width",
    "given_width",
    "where_width",
    "n_step",
    "counter",
    "begin",
    "resume",
    "n_comp",
    "n_node",
    "n_solve",
    "n_all",
    "n_twig",
    "n_probe",
    "n_queue",
    "room",
    "spike_node",
    "spike_room",
    "frame_every",
)
"""``given_width`` and ``where_width`` are 0 where all instances have one row."""
PER_LAUNCH = ("threads", "lanes", "n_step", "counter", "begin", "resume", "spike_room")
EVERY = tuple(name for name in INTEGERS if name not in PER_LAUNCH)
"""Integers of a model."""
REALS = ("dt", "celsius", "threshold", "limit_v", "v_init")
TYPES = {
    name: np.dtype({"double": "f8", "float": "f4", "int": "i4"}[kind.split("*")[0].split()[-1]])
    for name, kind in POINTERS.items()
}


def arguments(names: Names, several: bool) -> list[str]:
    """Types and names in order."""
    if several:
        declared = [
            f"{kind} {name if name in FOLDED else f'all_{name}'}" for name, kind in POINTERS.items()
        ]
        declared += [f"{kind} {name}" for name, kind in LOOKED_UP.items()]
        return declared + [f"int {name}" for name in INTEGERS if name in PER_LAUNCH]
    declared = [f"{kind} {name}" for name, kind in POINTERS.items()]
    declared += [f"int {name}" for name in INTEGERS] + [f"double {name}" for name in REALS]
    return declared + [f"int {name}" for name in names.used]


def look_up(names: Names) -> list[str]:
    """What a kernel of one model takes as arguments, of the model of this block."""
    integers, n_pointer = [*EVERY, *names.used], len(POINTERS)
    lines = [
        f"__shared__ unsigned long long address[{n_pointer}];",
        f"__shared__ double real[{len(REALS)}];",
        f"__shared__ int number[{len(integers)}];",
        "const int which = block[2 * blockIdx.x];",
        f"for (int i = threadIdx.x; i < {len(integers)}; i += blockDim.x)",
        f"    number[i] = integers[which * {len(integers)} + i];",
        "if (threadIdx.x == 0) {",
        f"    const long long* const from = starts + which * {n_pointer};",
        f"    for (int i = 0; i < {len(REALS)}; ++i) real[i] = reals[which * {len(REALS)} + i];",
    ]
    pointers = [(i, name) for i, name in enumerate(POINTERS) if name not in FOLDED]
    lines += [f"    address[{i}] = (unsigned long long)(all_{name} + from[{i}]);"
              for i, name in pointers]  # fmt: skip
    lines += ["}", "__syncthreads();"]
    for i, name in pointers:
        kind = POINTERS[name].removesuffix(" __restrict__")
        lines.append(f"{kind} const& {name} = *({kind} const*)&address[{i}];")
    lines += [f"const int& {name} = number[{i}];" for i, name in enumerate(integers)]
    return lines + [f"const double& {name} = real[{i}];" for i, name in enumerate(REALS)]


def row_bytes(n_named: int) -> int:
    """Shared memory that a block of a kernel of several takes for its row of the tables."""
    return 8 * (len(POINTERS) + len(REALS)) + 4 * (len(EVERY) + n_named)
