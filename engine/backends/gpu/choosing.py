"""Whether a device or the processor takes a model: a short measurement of both, remembered.

What lasts so short that measuring would take longer goes to the processor, and what the device does
faster than any processor could goes to the device; all else is measured once for a tree, its
membrane, about so many cells, the device, the processor and its cores. For fewer or more cells than
were measured the times are taken in proportion.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter

from engine.backends.cpu import CpuBackend, available_cores
from engine.backends.gpu.device import Device
from engine.backends.gpu.pacing import choose_shape, key_of, measure, nodes_of, read, write
from engine.backends.gpu.population import FULL
from engine.backends.gpu.run import GpuRun
from engine.backends.gpu.shape import Shape
from engine.instances import select
from engine.machine import processor_name
from engine.model import Model

FILE = "gpu_or_cpu.json"
SLOW, FAST = 50e-9, 0.5e-9
"""Seconds per node and step of one core: more than nearly any membrane takes, and less than any."""
SHORT = 1.0
"""Seconds on the processor, at the slow rate, below which nothing is measured."""
SIDE_BY_SIDE = 8
"""Cells that one core takes at once."""
STEPS, ROUNDS = 8, 3
"""Of a measurement on the processor."""
DEVICE_STEPS = 128
"""Of one on the device: what a launch costs is shared by so many."""


@dataclass(frozen=True)
class Choice:
    """What takes a model, and why, in a sentence without its point."""

    device: bool
    reason: str


def choose(
    model: Model,
    device: Device,
    shape: Shape | None = None,
    single: bool = False,
    n_device: int = 1,
    cores: int | None = None,
    total: int | None = None,
) -> Choice:
    """Compare both on this model.

    Parameters
    ----------
    model, device
    shape
        Threads of a cell; measured where it is not given.
    single
        The device's membrane in single precision.
    n_device
        Devices that share the cells.
    cores
        Of the processor, all by default.
    total
        Nodes of all cells that the model stands for, of other trees too; its own by default.

    Raises
    ------
    BackendError
        If the device cannot run it.
    UserError
        If the processor cannot.
    """
    name, cores = device.properties.name, cores or available_cores()
    each = nodes_of(model)[1]
    n_cell = model.n_instance if total is None else max(1, round(total / each))
    side = min(cores, max(1, n_cell))
    if each * n_cell * model.n_step * SLOW / side < SHORT:
        return Choice(
            False,
            f"the run is so short that the {name} would take longer to prepare for it than the CPU "
            "to run it; choose 'gpu' to use it all the same",
        )
    key = _key(model, device, single, n_device, cores)
    known = read(FILE)
    if key in known:
        on_device, on_cpu, n = known[key]
    else:
        part = select(model, 0, -(-model.n_instance // n_device)) if n_device > 1 else model
        shape = shape or choose_shape(part, device, single)
        on_device = measure(GpuRun(part, device, shape, single), device, DEVICE_STEPS)
        on_cpu, n = 0.0, model.n_instance
        if on_device > each * n * FAST / cores:
            on_cpu = seconds_on_cpu(model, cores)
        write(FILE, {**read(FILE), key: [on_device, on_cpu, n]})
    full = FULL * device.properties.n_multiprocessor * n_device
    on_device *= max(n_cell, full) / max(n, full)  # fewer leave a part of it idle
    on_cpu *= max(n_cell, cores) / max(n, cores)
    choice = _told(n_cell, n, name, on_device, on_cpu)
    if total is None:
        return choice
    return replace(choice, reason=f"all taken as cells of the largest tree, {choice.reason}")


def seconds_on_cpu(model: Model, cores: int, clock: Callable[[], float] = perf_counter) -> float:
    """Seconds that a step of all cells takes on the processor, from those of some of them."""
    n = min(model.n_instance, SIDE_BY_SIDE * cores)
    run, steps = CpuBackend().start(select(model, 0, n), cores), min(STEPS, model.n_step)
    taken = []
    for _ in range(1 + ROUNDS):  # the first one compiles
        run.initialize()
        begin = clock()
        run.advance(steps)
        taken.append((clock() - begin) / steps)
    return min(taken[1:]) * -(-model.n_instance // n)


def _told(n_cell: int, measured: int, name: str, on_device: float, on_cpu: float) -> Choice:
    """The faster one; 0 s on the processor: it was not asked, since the device beats any."""
    cells = _cells(n_cell)
    if not on_cpu:
        least = f"a step of {cells} takes {_text(on_device)} on the {name}, less than on any CPU"
        other = "" if measured == n_cell else f", as measured once for {_cells(measured)}"
        return Choice(True, least + other)
    other = "" if measured == n_cell else f"{_cells(measured)} of "
    both = (
        f"a step of {cells} takes {_text(on_device)} on the {name} and {_text(on_cpu)} on the CPU, "
        f"as measured once for {other}this tree and membrane"
    )
    if on_device < on_cpu:
        return Choice(True, both)
    return Choice(False, f"{both}; choose 'gpu' to use it all the same")


def _cells(n: int) -> str:
    return f"{n} cell" + "s" * (n > 1)


def _text(seconds: float) -> str:
    """``12 µs``, ``3.4 ms``."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.2g} {unit}"
    return f"{seconds * 1e6:.2g} µs"


def _key(model: Model, device: Device, single: bool, n_device: int, cores: int) -> str:
    seed = hashlib.sha256(key_of(model, device, single).encode())
    seed.update(repr((n_device, cores, processor_name())).encode())
    return seed.hexdigest()[:24]
