"""Models of one kernel in motion on a device: tables up, hundreds of steps a launch, samples back.

Models share a launch where their kernel's text, its options and the shape of their cells are equal;
their trees need not be. A single model gets its numbers as arguments. Of several, a block looks up
which of them its cells are, and their numbers in tables; the largest cells' blocks come first, so
that small ones fill the end. A block's cells are of one model: what it looks up is one for all of
its threads.
"""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.backends.base import Samples
from engine.backends.gpu.arena import ALIGNED
from engine.backends.gpu.device import Buffer, Device
from engine.backends.gpu.member import WAITING, Member, spike_room
from engine.backends.gpu.signature import EVERY, FOLDED, INTEGERS, POINTERS, REALS, TYPES
from engine.backends.gpu.source import KERNEL, emit


class Fused:
    """Members of one launch.

    Parameters
    ----------
    members
        Of equal text, options and shape.
    device : Device
    stream
        As of :meth:`engine.backends.gpu.device.Device.launch`.

    Raises
    ------
    BackendError
        If the kernel does not compile or there is not enough memory.
    """

    def __init__(self, members: Sequence[Member], device: Device, stream: int = 0) -> None:
        self.members, self.device, self.stream = list(members), device, stream
        one = self.members[0]
        self.shape, self._several = one.shape, len(self.members) > 1
        text, self._named = emit(one.tables.structure, self._several)
        self._kernel = device.compile(text, one.options).kernel(KERNEL)
        self._starts: dict[str, list[int]] = {}
        self._buffers: dict[str, Buffer] = {}
        given = [member.given() for member in self.members]
        for name in given[0]:
            self._upload(name, [values[name] for values in given])
        sizes = [member.moving_sizes() for member in self.members]
        for name in sizes[0]:
            self._allocate(name, [size[name] for size in sizes])
        self._make_queues()
        if self._several:
            self._buffers["block"] = device.upload(self._blocks())
            self._tell_numbers()

    def _place(self, name: str, sizes: list[int]) -> int:
        """Where every member's part begins in an array; gives its size."""
        starts, size = [], 0
        for part in sizes:
            starts.append(size)
            size += -(-part // ALIGNED) * ALIGNED
        self._starts[name] = starts
        return starts[-1] + sizes[-1]

    def _upload(self, name: str, parts: list[NDArray[Any]]) -> None:
        out = np.zeros(self._place(name, [part.size for part in parts]), TYPES[name])
        for start, part in zip(self._starts[name], parts, strict=True):
            out[start : start + part.size] = part.reshape(-1)
        self._buffers[name] = self.device.upload(out)

    def _allocate(self, name: str, sizes: list[int]) -> None:
        size = self._place(name, sizes)
        self._buffers.pop(name, None)  # freed before its successor is asked for
        self._buffers[name] = self.device.allocate(size, TYPES[name])

    def _make_queues(self) -> None:
        for name in WAITING:
            self._allocate(name, [member.waiting_sizes()[name] for member in self.members])

    def _blocks(self) -> NDArray[np.int32]:
        """Member and first instance of every block, those of large cells first."""
        order = sorted(range(len(self.members)), key=lambda k: -self.members[k].n_node)
        rows = [
            (k, block * self.shape.cells) for k in order for block in range(self.members[k].n_block)
        ]
        return np.array(rows, np.int32).reshape(-1)

    def _tell_numbers(self) -> None:
        integers, reals = [], []
        for k, member in enumerate(self.members):
            numbers, values = member.numbers(), member.reals()
            integers.append([numbers[name] for name in EVERY] + self._offsets(member, k))
            reals.append([values[name] for name in REALS])
        self._buffers["integers"] = self.device.upload(np.array(integers, np.int32).reshape(-1))
        self._buffers["reals"] = self.device.upload(np.array(reals).reshape(-1))

    def _offsets(self, member: Member, k: int = 0) -> list[int]:
        begin = {arena: self._starts[arena][k] for arena in FOLDED}
        return [
            begin.get(arena, 0) + member.tables.place(name, arena) for name, arena in self._named
        ]

    @property
    def bytes_per_step(self) -> int:
        """Samples of one step of all members."""
        return sum(member.bytes_per_step for member in self.members)

    def take_room(self, n_step: int, begin: bool = False) -> None:
        """Take memory for the samples of so many steps, or of what comes before the first.

        Raises
        ------
        OutOfDeviceMemoryError
        """
        self._n_step, self._begin = n_step, begin
        shapes = [member.sample_shapes(n_step, begin) for member in self.members]
        self._shapes = shapes
        for name in shapes[0]:
            self._allocate(name, [prod(shape[name]) for shape in shapes])

    def start(self) -> None:
        """Launch the steps that there is room for; does not wait."""
        self._call(self._begin, resume=False)

    def settled(self) -> bool:
        """Once the device has ended: whether all is done.

        Where a queue fills up it is made larger and the launch goes on, without waiting.

        Raises
        ------
        BackendError
            As :meth:`engine.backends.gpu.member.Member.more_room`.
        """
        self._moving = self._parts("moving_all")
        rooms = [member.room for member in self.members]
        grown = [m.more_room(m.states(a)) for m, a in zip(self.members, self._moving, strict=True)]
        if not any(grown):
            return True
        self._grow(rooms)
        if self._begin:
            return True
        self._call(begin=False, resume=True)
        return False

    def samples(self) -> list[Samples]:
        """Of every member; what came back is freed."""
        names = list(self._shapes[0])
        out = {name: self._parts(name) for name in names}
        for name in names:
            del self._buffers[name]
        bad = [m.is_bad(moving) for m, moving in zip(self.members, self._moving, strict=True)]
        own = self._parts("own_all") if any(bad) else []
        return [
            member.samples(
                {name: out[name][k].reshape(self._shapes[k][name]) for name in names},
                self._moving[k],
                own[k] if bad[k] else None,
                self._n_step,
                self._begin,
            )
            for k, member in enumerate(self.members)
        ]

    def voltages(self) -> list[NDArray[np.float64]]:
        """(n_comp, n_instance) mV of every member, in the order of its tree; copies."""
        own = self._parts("own_all")
        return [member.voltage(part) for member, part in zip(self.members, own, strict=True)]

    def restart(self) -> None:
        """Back to t = 0."""
        for member in self.members:
            member.counter, member.time = 0, 0.0

    def _parts(self, name: str) -> list[NDArray[Any]]:
        """Every member's part of an array."""
        whole, starts = self.device.download(self._buffers[name]), self._starts[name]
        if name in ("own_all", "moving_all"):
            sizes = [member.moving_sizes()[name] for member in self.members]
        else:
            sizes = [prod(shape[name]) for shape in self._shapes]
        return [whole[start : start + size] for start, size in zip(starts, sizes, strict=True)]

    def _grow(self, rooms: list[int]) -> None:
        """Larger queues with what waits in them; ``rooms`` are those of before."""
        kept = {
            name: (self.device.download(self._buffers[name]), self._starts[name])
            for name in WAITING
        }
        self._make_queues()
        for name, width in WAITING.items():
            values, starts = kept[name]
            out = np.zeros(self._buffers[name].shape, TYPES[name])
            for k, (member, room) in enumerate(zip(self.members, rooms, strict=True)):
                if not (n := member.n_line):
                    continue
                start = self._starts[name][k]
                old = values[starts[k] :][: n * room * width].reshape(n, -1)
                new = out[start:][: n * member.room * width].reshape(n, -1)
                new[:, : room * width] = old
            self.device.write(self._buffers[name], out)
        if self._several:
            self._tell_numbers()

    def _call(self, begin: bool, resume: bool) -> None:
        one, shape, device = self.members[0], self.shape, self.device
        launch = {
            "threads": shape.threads,
            "lanes": shape.lanes,
            "n_step": self._n_step,
            "counter": one.counter,
            "begin": int(begin),
            "resume": int(resume),
            "spike_room": spike_room(self._n_step),
        }
        arguments: list[Any] = [self._buffers[name] for name in POINTERS]
        if self._several:
            starts = np.array([self._starts[name] for name in POINTERS], np.int64)
            self._buffers["starts"] = device.upload(starts.T.reshape(-1))
            arguments += [self._buffers[name] for name in ("block", "starts", "integers", "reals")]
            arguments += [np.int32(launch[name]) for name in INTEGERS if name in launch]
        else:
            numbers, reals = one.numbers() | launch, one.reals()
            arguments += [np.int32(numbers[name]) for name in INTEGERS]
            arguments += [np.float64(reals[name]) for name in REALS]
            arguments += [np.int32(place) for place in self._offsets(one)]
        grid = sum(member.n_block for member in self.members)
        shared = max(member.shared_bytes for member in self.members)
        threads = shape.threads * shape.cells
        device.launch(self._kernel, grid, threads, arguments, shared, self.stream)
