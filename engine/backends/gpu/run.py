"""Models in motion on a device, of one tree or of many.

There is nothing for a CUDA graph to capture: a kernel takes up to :data:`MOST_STEPS` steps, events
and samples included, so that a chunk of a run is one launch for every kernel in it, and then the
host waits for samples in any case. The stand-alone solves (:mod:`engine.backends.gpu.variants`) are
one launch each as well, those that go level by level too.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import TypeVar

import numpy as np

from engine.backends.base import Samples, join
from engine.backends.gpu.arena import ALIGNED
from engine.backends.gpu.device import Device
from engine.backends.gpu.fused import Fused
from engine.backends.gpu.member import Member
from engine.backends.gpu.shape import RESIDENT, Shape
from engine.backends.gpu.signature import row_bytes
from engine.backends.gpu.source import emit
from engine.backends.gpu.tables import Tables
from engine.errors import BackendError, OutOfDeviceMemoryError
from engine.model import Model
from engine.types import FloatArray

T = TypeVar("T")
MOST_STEPS = 4096
"""Steps of one launch: a run stays interruptible."""
MOST_ELEMENTS = 2**31 - 1
"""Of the tables of all models of a launch, to which offsets have 32 bits."""
MOST_BYTES = 2**28
"""Of samples that one launch may leave in the device's memory; an eighth of it is needed."""


class GpuPopulation:
    """Implements :class:`engine.backends.base.PopulationRun`.

    Models with equal kernels go in one launch, those with others beside it on streams of their own,
    the largest first.

    Parameters
    ----------
    models
    device : Device
    shapes
        Of each model's cells: threads, and those of them that solve the tree.
    single
        Currents and states in single precision; voltages and the tree's equations are not.

    Raises
    ------
    BackendError
        If they do not fit the device's memory, or a kernel does not compile.
    """

    def __init__(
        self,
        models: Sequence[Model],
        device: Device,
        shapes: Sequence[Shape],
        single: bool = False,
    ) -> None:
        self.device = device
        pairs = zip(models, shapes, strict=True)
        self.members = [Member(model, s, device.properties, single) for model, s in pairs]
        check_memory(self.members, device)
        sets = arrange(self.members, device)
        alone = len(sets) == 1
        self.sets = [
            Fused([self.members[k] for k in chosen], device, 0 if alone else number + 1)
            for number, chosen in enumerate(sets)
        ]
        self._order = np.argsort(np.concatenate(sets)).tolist()

    def initialize(self) -> list[Samples]:
        """Set every variable to its value at t = 0 and sample it."""
        for fused in self.sets:
            fused.restart()
            fused.take_room(0, begin=True)
        return self._launch()

    def advance(self, n_step: int) -> list[Samples]:
        """Take ``n_step`` steps, or fewer where a voltage leaves the possible numbers."""
        most, done, samples = self._most_steps(), 0, list[Samples]()
        while not samples or (done < n_step and all(part.bad is None for part in samples)):
            steps = self._take_room(min(n_step - done, most))
            parts = self._launch()
            done += steps
            pairs = zip(samples, parts, strict=True)
            samples = [join(one, other) for one, other in pairs] if samples else parts
        return samples

    def _take_room(self, n_step: int) -> int:
        """Take memory for the samples of so many steps, or of fewer where there is less by now."""
        while True:
            try:
                for fused in self.sets:
                    fused.take_room(n_step)
            except OutOfDeviceMemoryError:
                if n_step <= 1:
                    raise
                n_step //= 2
            else:
                return n_step

    @property
    def voltages(self) -> list[FloatArray]:
        """(n_comp, n_instance) mV of every model, in the order of its tree; copies."""
        return self._in_order([fused.voltages() for fused in self.sets])

    def _in_order(self, found: list[list[T]]) -> list[T]:
        flat = [item for items in found for item in items]
        return [flat[k] for k in self._order]

    def _most_steps(self) -> int:
        """Steps whose samples the device has room for."""
        per_step = sum(fused.bytes_per_step for fused in self.sets)
        most = min(MOST_BYTES, self.device.memory()[0] // 2)
        return int(np.clip(most // per_step, 1, MOST_STEPS))

    def _launch(self) -> list[Samples]:
        """One chunk of all, of as many steps as there was room taken for."""
        waiting = self.sets
        try:
            for fused in waiting:
                fused.start()
            while waiting:
                self.device.synchronize()
                waiting = [fused for fused in waiting if not fused.settled()]
        except BaseException:
            with suppress(BackendError):
                self.device.synchronize()  # no kernel goes on in memory that is given away
            raise
        return self._in_order([fused.samples() for fused in self.sets])


class GpuRun:
    """Implements :class:`engine.backends.base.Run`; parameters as of :class:`GpuPopulation`."""

    def __init__(self, model: Model, device: Device, shape: Shape, single: bool = False) -> None:
        self.model, self.shape = model, shape
        self.population = GpuPopulation([model], device, [shape], single)

    @property
    def tables(self) -> Tables:
        return self.population.members[0].tables

    @property
    def voltage(self) -> FloatArray:
        """(n_comp, n_instance) mV, in the order of the tree; a copy."""
        return self.population.voltages[0]

    def initialize(self) -> Samples:
        """Set every variable to its value at t = 0 and sample it."""
        return self.population.initialize()[0]

    def advance(self, n_step: int) -> Samples:
        """Take ``n_step`` steps, or fewer where a voltage leaves the possible numbers."""
        return self.population.advance(n_step)[0]


def check_memory(members: Sequence[Member], device: Device) -> None:
    """Refuse what cannot fit before anything is put on the device.

    Raises
    ------
    OutOfDeviceMemoryError
        Says how many cells would fit, in the order in which they are given.
    """
    free, total = device.memory()
    wanted, fits, full = MOST_BYTES // 8, 0, False
    least = wanted + members[0].tables.bytes_once + members[0].tables.bytes_each
    for member in members:
        tables, n = member.tables, member.model.n_instance
        left = free - wanted - tables.bytes_once
        if not full:
            here = int(np.clip(left // tables.bytes_each, 0, n))
            fits, full = fits + here, here < n
        wanted += tables.bytes_once + tables.bytes_each * n
    if wanted > free:
        raise OutOfDeviceMemoryError(wanted, free, fits, too_large=least > total)


def arrange(members: Sequence[Member], device: Device) -> list[list[int]]:
    """Which members share a launch: those of one kernel and shape, the largest first.

    All blocks of a launch take the shared memory of its largest cell. So members are kept apart
    where a multiprocessor would hold fewer than half as many blocks of one for the other's sake, or
    where the row of numbers that a block of a launch of several keeps there has no room.
    """
    made: dict[object, tuple[str, int]] = {}
    found: dict[tuple[object, ...], list[int]] = {}
    rows: dict[tuple[object, ...], int] = {}
    for k, member in enumerate(members):
        structure = member.tables.structure
        if structure not in made:
            text, named = emit(structure)
            made[structure] = text, row_bytes(len(named))
        text, row = made[structure]
        kind = text, member.options, member.shape, crowd(member, device)
        found.setdefault(kind, []).append(k)
        rows[kind] = row
    sets: list[list[int]] = []
    for alike, numbers in found.items():
        sizes = [size_of(members[k]) for k in numbers]
        shared = max(members[k].shared_bytes for k in numbers) + rows[alike]
        room = MOST_ELEMENTS if shared <= device.properties.shared_memory else 0
        size = room + 1
        for k, more in zip(numbers, sizes, strict=True):
            if size + more > room:
                sets.append([])
                size = 0
            sets[-1].append(k)
            size += more
    return sorted(sets, key=lambda ks: -max(members[k].n_node for k in ks))


def size_of(member: Member) -> int:
    """Elements of the larger of the arrays into which a kernel of several has 32-bit offsets."""
    return max(member.tables.common.width, member.tables.table.width) + ALIGNED


def crowd(member: Member, device: Device) -> int:
    """Blocks of a member that a multiprocessor holds at once, a power of two."""
    most = max(1, RESIDENT // member.shape.bound)
    if member.shared_bytes:
        room = device.properties.shared_per_multiprocessor
        most = int(np.clip(room // member.shared_bytes, 1, most))
    return 1 << most.bit_length() - 1
