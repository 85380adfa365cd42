"""One set of arrays, three ways to run a mechanism on it: numba, CUDA text on the CPU, expression
by expression."""

import ctypes
import shutil
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from engine.mechanisms import Mechanism, arguments, compile_source, emit_cuda, emit_numba
from engine.mechanisms.expressions import evaluate
from engine.mechanisms.model import KERNELS, Argument, KernelName, Program, Step, weight_name

SHIM = Path(__file__).parents[1] / "cuda_shim.h"
GEOMETRY = {"diam": 2.0, "area": 100.0}


@dataclass
class Cell:
    """Arrays of one mechanism on ``n_comp`` compartments, some of which carry it."""

    mechanism: Mechanism
    node: np.ndarray
    n_comp: int
    n_instance: int = 1
    scalars: dict[str, float] = field(
        default_factory=lambda: {"celsius": 6.3, "dt": 0.025, "t": 0.0, "flag": 0.0}
    )
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    globals: dict[str, float] = field(default_factory=dict)
    event: dict[str, int] = field(
        default_factory=lambda: {"point": 0, "instance": 0, "slot": 0}
    )  # which point receives

    def __post_init__(self) -> None:
        self.node = np.asarray(self.node, dtype=np.int32)
        own, all_of_it = len(self.node) * self.n_instance, self.n_comp * self.n_instance
        for which in (*KERNELS, *self.mechanism.event_kernels):
            for a in arguments(self.mechanism, which):
                match a.kind:
                    case "parameter":
                        value = self.mechanism.parameter(a.name).default
                        self.arrays.setdefault(a.name, np.full(len(self.node), value))
                    case "geometry":
                        self.arrays.setdefault(a.name, np.full(len(self.node), GEOMETRY[a.name]))
                    case "global":
                        self.globals.setdefault(a.name, self.mechanism.parameter(a.name).default)
                    case "state" | "assigned" | "event":
                        self.arrays.setdefault(a.name, np.zeros(own))
                    case "voltage" | "out_current" | "out_conductance":
                        self.arrays.setdefault(a.name, np.zeros(all_of_it))
                    case "ion_read" | "ion_write" | "ion_set":
                        self.arrays.setdefault(a.name, np.zeros(all_of_it))
                    case "weight":
                        self.arrays.setdefault(a.name, np.zeros(8))

    @property
    def first(self) -> int:
        consecutive = np.array_equal(self.node, np.arange(len(self.node)) + self.node[0])
        return int(self.node[0]) if consecutive else -1

    def copy(self) -> "Cell":
        arrays = {name: array.copy() for name, array in self.arrays.items()}
        return Cell(
            self.mechanism,
            self.node,
            self.n_comp,
            self.n_instance,
            dict(self.scalars),
            arrays,
            dict(self.globals),
            dict(self.event),
        )

    def take(self, argument: Argument) -> "int | float | np.ndarray":
        match argument.kind, argument.name:
            case "count", name:
                counts = {
                    "n": len(self.node), "n_instance": self.n_instance, "first": self.first,
                }  # fmt: skip
                return {**counts, **self.event}[name]
            case "node", _:
                return self.node
            case "scalar", name:
                return self.scalars[name]
            case "global", name:
                return self.globals[name]
        return self.arrays[argument.name]


def bind_numba(cell: Cell, which: KernelName) -> Callable[[], None]:
    """The numba kernel, to be called again and again on the cell's arrays."""
    module = compile_source(emit_numba(cell.mechanism), cell.mechanism.name)
    kernel = getattr(module, f"{cell.mechanism.name}_{which}")
    return partial(kernel, *(cell.take(a) for a in arguments(cell.mechanism, which)))


def run_numba(cell: Cell, which: KernelName) -> Cell:
    """A copy of the cell after the numba kernel."""
    cell = cell.copy()
    bind_numba(cell, which)()
    return cell


def run_reference(cell: Cell, which: KernelName) -> Cell:
    """A copy of the cell after evaluating every expression, element by element."""
    cell = cell.copy()
    program = cell.mechanism.program(which)
    for j, node in enumerate(cell.node):
        for i in range(cell.n_instance):
            here = (cell.event["point"], cell.event["instance"]) == (j, i)
            if which in ("receive", "connect") and not here:
                continue
            _one(cell, which, program, j, j * cell.n_instance + i, int(node) * cell.n_instance + i)
    return cell


def _one(cell: Cell, which: KernelName, program: Program, j: int, own: int, comp: int) -> None:
    where = {"parameter": j, "geometry": j, "state": own, "assigned": own, "ion_read": comp}
    where |= {"ion_set": comp, "event": own}
    taken = arguments(cell.mechanism, which)
    values = {**cell.scalars, **cell.globals, "v": cell.arrays["voltage"][comp]}
    values |= {a.name: cell.arrays[a.name][where[a.kind]] for a in taken if a.kind in where}
    weights = {weight_name(w): cell.event["slot"] + i for i, w in enumerate(cell.mechanism.weights)}
    if "weight" in cell.arrays:
        values |= {name: cell.arrays["weight"][at] for name, at in weights.items()}
    run_steps(program.steps, values)
    stores = [(name, evaluate(value, values)) for name, value in program.stores]
    for name, value in stores:
        if name in weights:
            cell.arrays["weight"][weights[name]] = value
        else:
            cell.arrays[name][comp if name in cell.mechanism.ion_sets else own] = value
    if program.current is not None and program.conductance is not None:
        cell.arrays["i_membrane"][comp] += evaluate(program.current, values)
        cell.arrays["g_membrane"][comp] += evaluate(program.conductance, values)
        for name, value in program.ion_currents:
            cell.arrays[name][comp] += evaluate(value, values)


def run_steps(steps: Iterable[Step], values: dict[str, float]) -> None:
    """Evaluate definitions, loops turn by turn."""
    for step in steps:
        if (loop := step.loop) is None:
            values[step.target] = evaluate(step.value, values)
            continue
        changed = [evaluate(value, values) for value in loop.start]
        for _ in range(loop.limit):
            values |= dict(zip(loop.carried, changed, strict=True))
            run_steps(loop.head, values)
            if not evaluate(loop.condition, values):
                break
            run_steps(loop.body, values)
            changed = [evaluate(value, values) for value in loop.after]
        values |= dict(zip(loop.carried, changed, strict=True))


def compile_with_shim(text: str, folder: Path) -> ctypes.CDLL:
    """CUDA text as a library of the CPU, without contraction so that results can be compared
    closely."""
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed")
    source, library = folder / "kernels.cpp", folder / "kernels.so"
    source.write_text(text)
    options = ["-std=c++20", "-O1", "-ffp-contract=off", "-shared", "-fPIC", "-include", str(SHIM)]
    done = subprocess.run(
        ["g++", *options, str(source), "-o", str(library)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return ctypes.CDLL(str(library))


_C_TYPES = {"count": "int", "scalar": "double", "global": "double", "node": "int*"}


def shim_library(mechanism: Mechanism, folder: Path) -> ctypes.CDLL:
    """The mechanism's CUDA kernels with a launcher ``run_{kernel}(blocks, threads, ...)`` for
    each."""
    launchers = []
    for which in (*KERNELS, *mechanism.event_kernels):
        taken = arguments(mechanism, which)
        declared = ", ".join(f"{_C_TYPES.get(a.kind, 'double*')} a{i}" for i, a in enumerate(taken))
        passed = ", ".join(f"a{i}" for i in range(len(taken)))
        call = f"launch(blocks, threads, {mechanism.name}_{which}, {passed});"
        if which in ("receive", "connect"):
            call = f"{mechanism.name}_{which}({passed});"
        launchers.append(
            f'extern "C" void run_{which}(unsigned blocks, unsigned threads, {declared}) '
            f"{{ {call} }}"
        )
    return compile_with_shim("\n".join([emit_cuda(mechanism), *launchers]), folder)


def run_shim(
    library: ctypes.CDLL, cell: Cell, which: KernelName, blocks: int = 3, threads: int = 32
) -> Cell:
    """A copy of the cell after the CUDA kernel on the CPU."""
    cell = cell.copy()
    passed: list[object] = [ctypes.c_uint(blocks), ctypes.c_uint(threads)]
    for a in arguments(cell.mechanism, which):
        value = cell.take(a)
        if isinstance(value, np.ndarray):
            passed.append(value.ctypes.data_as(ctypes.c_void_p))
        else:
            passed.append(ctypes.c_int(value) if isinstance(value, int) else ctypes.c_double(value))
    getattr(library, f"run_{which}")(*passed)
    return cell


def hh_cell(
    mechanism: Mechanism, node: np.ndarray, n_comp: int, n_instance: int = 1, seed: int = 0
) -> Cell:
    """Compartments at voltages between -100 and 60 mV with gates anywhere between 0 and 1."""
    random = np.random.default_rng(seed)
    cell = Cell(mechanism, node, n_comp, n_instance)
    cell.arrays["voltage"][:] = random.uniform(-100, 60, n_comp * n_instance)
    for name, value in {"ena": 50.0, "ek": -77.0}.items():
        if name in cell.arrays:
            cell.arrays[name][:] = value + random.uniform(-5, 5, n_comp * n_instance)
    for variable in mechanism.states:
        cell.arrays[variable.name][:] = random.uniform(0, 1, len(cell.arrays[variable.name]))
    for name in ("i_membrane", "g_membrane"):
        cell.arrays[name][:] = random.uniform(-1, 1, n_comp * n_instance)
    return cell
