"""What the kernel of a run takes.

A kernel of one model takes :data:`POINTERS`, :data:`INTEGERS`, :data:`REALS` and the offsets and
numbers that its text has named. A kernel of several takes the pointers to the arrays of all, where
each model has a part, the tables :data:`LOOKED_UP` and :data:`PER_LAUNCH`, and reads the rest from
the tables: ``block`` (a model and its first instance, for every block), ``starts`` (where a model's
part of every array begins), ``integers`` (:data:`EVERY` and the named) and ``reals``.
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
        declared = [f"{kind} all_{name}" for name, kind in POINTERS.items()]
        declared += [f"{kind} {name}" for name, kind in LOOKED_UP.items()]
        return declared + [f"int {name}" for name in INTEGERS if name in PER_LAUNCH]
    declared = [f"{kind} {name}" for name, kind in POINTERS.items()]
    declared += [f"int {name}" for name in INTEGERS] + [f"double {name}" for name in REALS]
    return declared + [f"int {name}" for name in names.used]


def look_up(names: Names) -> list[str]:
    """What a kernel of one model takes as arguments, of the model of this block."""
    integers = [*EVERY, *names.used]
    return [
        "const int which = block[2 * blockIdx.x];",
        f"const long long* const from = starts + which * {len(POINTERS)};",
        f"const int* const number = integers + which * {len(integers)};",
        f"const double* const real = reals + which * {len(REALS)};",
        *(f"{kind} {name} = all_{name} + from[{i}];"
          for i, (name, kind) in enumerate(POINTERS.items())),
        *(f"const int {name} = number[{i}];" for i, name in enumerate(integers)),
        *(f"const double {name} = real[{i}];" for i, name in enumerate(REALS)),
    ]  # fmt: skip
