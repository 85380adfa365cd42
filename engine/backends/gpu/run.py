"""A model in motion on a device: tables up, hundreds of steps a launch, samples back."""

from typing import Any

import numpy as np

from engine.backends.base import VOLTAGE_LIMIT, Samples, join
from engine.backends.gpu.device import Buffer, Device, OutOfDeviceMemoryError
from engine.backends.gpu.shape import Shape
from engine.backends.gpu.source import (
    BAD,
    GROW,
    INTEGERS,
    KERNEL,
    LOST,
    POINTERS,
    REALS,
    emit,
)
from engine.backends.gpu.tables import Tables
from engine.errors import UserError
from engine.model import Model
from engine.types import FloatArray, IntArray

MOST_STEPS = 4096
"""Steps of one launch: a run stays interruptible."""
MOST_BYTES = 2**28
"""Of samples that one launch may leave in the device's memory; an eighth of it is needed."""
MOST_ROOM = 2**16
"""Events that may wait for one point."""


class GpuRun:
    """Implements :class:`engine.backends.base.Run`.

    Parameters
    ----------
    model : Model
    device : Device
    shape : Shape
        Threads of a cell and those of them that solve its tree.
    single
        Currents and states in single precision; voltages and the tree's equations are not.

    Raises
    ------
    BackendError
        If it does not fit the device's memory, or its kernel does not compile.
    """

    def __init__(self, model: Model, device: Device, shape: Shape, single: bool = False) -> None:
        self.model, self.device, self.shape = model, device, shape
        self.tables = tables = Tables(model, shape, device.properties, single)
        text, self._named = emit(tables.structure)
        self._check_memory()
        options = shape.definitions + ("-DIN_SHARED",) * (tables.shared_bytes > 0)
        self._kernel = device.compile(text, options).kernel(KERNEL)
        self._buffers = {
            name: device.upload(arena.array())
            for name, arena in (
                ("common", tables.common),
                ("table", tables.table),
                ("given_all", tables.given),
                ("where_all", tables.where),
                ("base", tables.base()),
            )
        }
        self._buffers["played"] = device.upload(model.played.reshape(-1)[:] if model.played.size
                                                else np.zeros(1))  # fmt: skip
        n = model.n_instance
        self._buffers["own_all"] = device.allocate((n, max(1, tables.own.width)))
        self._buffers["moving_all"] = device.allocate((n, max(1, tables.moving.width)), np.int32)
        self._room = tables.room
        self._make_queues()
        self._counter = 0
        self._time = 0.0

    def _make_queues(self) -> None:
        n_event = self.model.n_instance * self.tables.n_queue * self._room
        self._buffers["waiting"] = self.device.allocate(max(1, 2 * n_event))
        self._buffers["waiting_what"] = self.device.allocate(max(1, 3 * n_event), np.int32)

    def _check_memory(self) -> None:
        """Refuse what cannot fit before anything is put on the device."""
        free, _ = self.device.memory()
        each, once = self.tables.bytes_each, self.tables.bytes_once + MOST_BYTES // 8
        wanted = once + each * self.model.n_instance
        if wanted > free:
            raise OutOfDeviceMemoryError(wanted, free, max(0, free - once) // each)

    @property
    def voltage(self) -> FloatArray:
        """(n_comp, n_instance) mV, in the order of the tree; a copy."""
        start = self.tables.own.start["_v"]
        own = self.device.download(self._buffers["own_all"])
        v: FloatArray = own[:, start : start + self.tables.order.n_node]
        return np.ascontiguousarray(v[:, self.tables.order.place].T)

    def initialize(self) -> Samples:
        """Set every variable to its value at t = 0 and sample it."""
        self._counter, self._time = 0, 0.0
        return self._launch(0, begin=True)

    def advance(self, n_step: int) -> Samples:
        """Take ``n_step`` steps, or fewer where a voltage leaves the possible numbers."""
        most = self._most_steps()
        samples = self._launch(min(n_step, most))
        done = len(samples.time)
        while done < n_step and samples.bad is None:
            part = self._launch(min(n_step - done, most))
            done += len(part.time)
            samples = join(samples, part)
        return samples

    def _most_steps(self) -> int:
        """Steps whose samples the device has room for."""
        model = self.model
        per_step = 8 * (len(model.probes) + 1) * model.n_instance
        per_step += 4 * model.n_comp // model.frame_every
        most = min(MOST_BYTES, self.device.memory()[0] // 2)
        return int(np.clip(most // per_step, 1, MOST_STEPS))

    def _launch(self, n_step: int, begin: bool = False) -> Samples:
        """One chunk; where a queue fills up it is made larger and the chunk goes on."""
        model = self.model
        n_time = max(1, n_step)
        every = model.frame_every
        n_frame = 1 if begin else (self._counter + n_step) // every - self._counter // every
        spike_room = n_step // 2 + 1
        out = {
            "traces": self.device.allocate((max(1, len(model.probes)), model.n_instance, n_time)),
            "frames": self.device.allocate((max(1, n_frame), model.n_comp), np.float32),
            "spikes": self.device.allocate((model.n_instance, spike_room)),
        }
        resume = False
        while True:
            self._call(out, n_step, spike_room, begin, resume)
            state = self._state()
            if not (state["_status"] & (GROW | LOST)).any():
                break
            self._grow(bool((state["_status"] & LOST).any()))
            if begin:
                break
            resume, begin = True, False
        samples = self._samples(out, state, 1 if begin else n_step, n_frame, begin)
        self._counter += n_step
        return samples

    def _call(
        self, out: dict[str, Buffer], n_step: int, spike_room: int, begin: bool, resume: bool
    ) -> None:
        tables, model, shape = self.tables, self.model, self.shape
        numbers = {
            "n_instance": model.n_instance,
            "threads": shape.threads,
            "lanes": shape.lanes,
            "own_width": tables.own.width,
            "moving_width": tables.moving.width,
            "given_width": tables.given.width if tables.n_row > 1 else 0,
            "where_width": tables.where.width if tables.n_row > 1 else 0,
            "n_step": n_step,
            "counter": self._counter,
            "begin": int(begin),
            "resume": int(resume),
            "room": self._room,
            "spike_room": spike_room,
            "frame_every": model.frame_every,
            **tables.numbers,
        }
        reals = {
            "dt": model.experiment.dt,
            "celsius": model.experiment.celsius,
            "threshold": model.experiment.spike_threshold,
            "limit_v": VOLTAGE_LIMIT,
            "v_init": model.experiment.v_init,
        }
        buffers = self._buffers | out
        arguments: list[Any] = [buffers[name] for name in POINTERS]
        arguments += [np.int32(numbers[name]) for name in INTEGERS]
        arguments += [np.float64(reals[name]) for name in REALS]
        arguments += [np.int32(tables.place(name, arena)) for name, arena in self._named]
        grid = -(-model.n_instance // shape.cells)
        shared = tables.shared_bytes * shape.cells
        self.device.launch(self._kernel, grid, shape.threads * shape.cells, arguments, shared)
        self.device.synchronize()

    def _state(self) -> dict[str, IntArray]:
        """What every instance says at the end of a launch."""
        moving = self.device.download(self._buffers["moving_all"])
        names = ("_status", "_done", "_spikes")
        return {name: moving[:, self.tables.moving.start[name]] for name in names}

    def _grow(self, lost: bool) -> None:
        """Twice the room for waiting events.

        Raises
        ------
        UserError
            If there are too many, or more came in one step than there was room for.
        """
        if lost or 2 * self._room > MOST_ROOM:
            names = ", ".join(sorted(self.tables.structure.queued))
            raise UserError(
                f"more than {self._room} events wait for one point (of {names}); let the points "
                "send fewer with net_send, or lengthen the delays"
            )
        old_room, n_line = self._room, self.model.n_instance * self.tables.n_queue
        old = [self.device.download(self._buffers[n]) for n in ("waiting", "waiting_what")]
        self._room *= 2
        self._make_queues()
        for name, values, width in zip(("waiting", "waiting_what"), old, (2, 3), strict=True):
            grown = np.zeros((n_line, self._room * width), values.dtype)
            grown[:, : old_room * width] = values.reshape(n_line, old_room * width)
            self.device.write(self._buffers[name], grown.reshape(-1))

    def _samples(
        self, out: dict[str, Buffer], state: dict[str, IntArray], n_time: int, n_frame: int,
        begin: bool,
    ) -> Samples:  # fmt: skip
        model, half = self.model, 0.5 * self.model.experiment.dt
        times = [0.0] if begin else []
        t = self._time
        for _ in range(0 if begin else n_time):
            t += half  # as the kernel counts
            t += half
            times.append(t)
        bad = self._first_bad(state, times) if (state["_status"] & BAD).any() else None
        if bad is not None:
            n_time = int(state["_done"][(state["_status"] & BAD) > 0].min())
        else:
            self._time = t
        time = np.array(times[:n_time])
        traces = self.device.download(out["traces"])[: len(model.probes), :, :n_time]
        every, counter = model.frame_every, self._counter
        first = counter // every * every + every - counter - 1
        frame_time = time if begin else time[first::every]
        frames = self.device.download(out["frames"])[: min(n_frame, len(frame_time))]
        return Samples(
            time=time,
            traces=np.ascontiguousarray(traces),
            frame_time=frame_time.copy(),
            frames=frames,
            spikes=self._spikes(out["spikes"], state["_spikes"], time),
            bad=bad,
        )

    def _spikes(self, buffer: Buffer, count: IntArray, time: FloatArray) -> FloatArray:
        """(n, 2) instance and time, by time, up to the last sample."""
        found = self.device.download(buffer)
        instance = np.repeat(np.arange(len(count)), count)
        column = np.arange(len(instance)) - np.repeat(np.cumsum(count) - count, count)
        when = found[instance, column]
        keep = when <= (time[-1] if len(time) else -np.inf)
        spikes = np.stack([instance[keep].astype(np.float64), when[keep]], axis=1)
        return np.ascontiguousarray(spikes[np.lexsort((spikes[:, 0], spikes[:, 1]))])

    def _first_bad(self, state: dict[str, IntArray], times: list[float]) -> tuple[int, int, float]:
        """The node and instance whose voltage left the limits first."""
        at = np.where((state["_status"] & BAD) > 0, state["_done"], np.iinfo(np.int32).max)
        step = int(at.min())
        voltage = self.voltage
        wrong = ~(np.abs(voltage) <= VOLTAGE_LIMIT) & (at == step)
        where = np.argwhere(wrong)
        node, instance = where[0] if len(where) else (0, int(np.argmin(at)))
        return int(node), int(instance), times[step]
