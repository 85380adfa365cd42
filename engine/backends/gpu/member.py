"""One model of a run on a device: what its kernel is told of it, and what comes back."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.backends.base import VOLTAGE_LIMIT, Samples
from engine.backends.gpu.device import Properties
from engine.backends.gpu.room import MOST_ROOM
from engine.backends.gpu.shape import Shape
from engine.backends.gpu.source import BAD, GROW, LOST
from engine.backends.gpu.tables import Tables
from engine.errors import BackendError
from engine.model import Model
from engine.types import FloatArray, IntArray

STORES: dict[str, tuple[str, ...]] = {
    "shared": ("-DIN_SHARED",), "tree": ("-DTREE_SHARED",), "global": ()
}  # fmt: skip
"""Options by where a cell's numbers lie."""
WAITING = {"waiting": 2, "waiting_what": 3}
"""Numbers that an event takes in either queue."""


class Member:
    """The host's side of a model: its tables, the time it has come to, its samples.

    Parameters
    ----------
    model : Model
    shape : Shape
    properties : Properties
        Of the device.
    single
        As of :class:`engine.backends.gpu.text.GpuStructure`.
    """

    def __init__(
        self, model: Model, shape: Shape, properties: Properties, single: bool = False
    ) -> None:
        self.model, self.shape = model, shape
        self.tables = Tables(model, shape, properties, single)
        self.room = self.tables.room
        self.time, self.counter = 0.0, 0

    @property
    def options(self) -> tuple[str, ...]:
        """Options that the kernel is compiled with."""
        return (*self.shape.definitions, *STORES[self.tables.store])

    @property
    def shared_bytes(self) -> int:
        """Shared memory that a block of its cells takes."""
        return self.tables.shared_bytes * self.shape.cells

    @property
    def n_block(self) -> int:
        return -(-self.model.n_instance // self.shape.cells)

    @property
    def n_node(self) -> int:
        """Nodes of one of its cells, with those of its spines."""
        return self.tables.nodes.n_all

    def given(self) -> dict[str, NDArray[Any]]:
        """What is put on the device once."""
        tables, played = self.tables, self.model.played
        return {
            "common": tables.common.array(),
            "table": tables.table.array(),
            "given_all": tables.given.array(),
            "where_all": tables.where.array(),
            "base": tables.base().array(),
            "played": played if played.size else np.zeros(1),
        }

    def moving_sizes(self) -> dict[str, int]:
        """Elements of what changes from step to step."""
        n, tables = self.model.n_instance, self.tables
        return {
            "own_all": n * max(1, tables.own.width),
            "moving_all": n * max(1, tables.moving.width),
        }

    def waiting_sizes(self) -> dict[str, int]:
        """Elements of the queues of events."""
        n_event = self.n_line * self.room
        return {name: max(1, width * n_event) for name, width in WAITING.items()}

    @property
    def n_line(self) -> int:
        """Queues of all instances."""
        return self.model.n_instance * self.tables.n_queue

    def sample_shapes(self, n_step: int, begin: bool) -> dict[str, tuple[int, ...]]:
        """What a launch leaves behind."""
        model = self.model
        return {
            "traces": (max(1, len(model.probes)), model.n_instance, max(1, n_step)),
            "frames": (max(1, self._frames(n_step, begin)), model.n_comp),
            "spikes": (model.n_instance, spike_room(n_step)),
        }

    def _frames(self, n_step: int, begin: bool) -> int:
        every = self.model.frame_every
        return 1 if begin else (self.counter + n_step) // every - self.counter // every

    @property
    def bytes_per_step(self) -> int:
        """Samples of one step."""
        model = self.model
        traces = 8 * (len(model.probes) + 1) * model.n_instance
        return traces + 4 * model.n_comp // model.frame_every

    def numbers(self) -> dict[str, int]:
        """Integers that its kernel takes, but those of a launch."""
        tables, several = self.tables, self.tables.n_row > 1
        return {
            "n_instance": self.model.n_instance,
            "own_width": tables.own.width,
            "moving_width": tables.moving.width,
            "given_width": tables.given.width if several else 0,
            "where_width": tables.where.width if several else 0,
            "room": self.room,
            "frame_every": self.model.frame_every,
            **tables.numbers,
        }

    def reals(self) -> dict[str, float]:
        """Numbers that its kernel takes."""
        experiment = self.model.experiment
        return {
            "dt": experiment.dt,
            "celsius": experiment.celsius,
            "threshold": experiment.spike_threshold,
            "limit_v": VOLTAGE_LIMIT,
            "v_init": experiment.v_init,
        }

    def states(self, moving: NDArray[Any]) -> dict[str, IntArray]:
        """What every instance says at the end of a launch, out of ``moving_all``."""
        table = moving.reshape(self.model.n_instance, -1)
        start = self.tables.moving.start
        return {name: table[:, start[name]] for name in ("_status", "_done", "_spikes")}

    def more_room(self, states: dict[str, IntArray]) -> bool:
        """Twice the room for waiting events, where a queue is filling up.

        Raises
        ------
        BackendError
            If there are too many, or more came in one step than there was room for.
        """
        status = states["_status"]
        if not (status & (GROW | LOST)).any():
            return False
        if (status & LOST).any() or 2 * self.room > MOST_ROOM:
            names = ", ".join(sorted(self.tables.structure.queued))
            raise BackendError(
                f"more than {self.room} events wait for one point (of {names}); let the points "
                "send fewer with net_send, lengthen the delays, or choose backend 'cpu'"
            )
        self.room *= 2
        return True

    def voltage(self, own: FloatArray) -> FloatArray:
        """(n_comp, n_instance) mV, in the order of the tree, out of ``own_all``."""
        start, order = self.tables.own.start["_v"], self.tables.order
        v = own.reshape(self.model.n_instance, -1)[:, start : start + order.n_node]
        return np.ascontiguousarray(v[:, order.place].T)

    def samples(
        self, out: dict[str, NDArray[Any]], moving: NDArray[Any], own: FloatArray | None,
        n_step: int, begin: bool,
    ) -> Samples:  # fmt: skip
        """Of a launch that has ended; the time goes on.

        Parameters
        ----------
        out
            Shapes as :meth:`sample_shapes` says.
        moving, own
            ``moving_all`` and, where an instance is bad, ``own_all``.
        n_step, begin
        """
        model, half, states = self.model, 0.5 * self.model.experiment.dt, self.states(moving)
        n_time, n_frame = 1 if begin else n_step, self._frames(n_step, begin)
        times = [0.0] if begin else []
        t = self.time
        for _ in range(0 if begin else n_time):
            t += half  # as the kernel counts
            t += half
            times.append(t)
        bad = None if own is None else self._first_bad(states, times, own)
        if bad is not None:
            n_time = int(states["_done"][(states["_status"] & BAD) > 0].min())
        else:
            self.time = t
        time = np.array(times[:n_time])
        every, counter = model.frame_every, self.counter
        first = counter // every * every + every - counter - 1
        frame_time = time if begin else time[first::every]
        self.counter += n_step
        return Samples(
            time=time,
            traces=np.ascontiguousarray(out["traces"][: len(model.probes), :, :n_time]),
            frame_time=frame_time.copy(),
            frames=out["frames"][: min(n_frame, len(frame_time))],
            spikes=_spikes(out["spikes"], states["_spikes"], time),
            bad=bad,
        )

    def is_bad(self, moving: NDArray[Any]) -> bool:
        """Whether a voltage left the possible numbers."""
        return bool((self.states(moving)["_status"] & BAD).any())

    def _first_bad(
        self, states: dict[str, IntArray], times: list[float], own: FloatArray
    ) -> tuple[int, int, float]:
        """The node and instance whose voltage left the limits first."""
        at = np.where((states["_status"] & BAD) > 0, states["_done"], np.iinfo(np.int32).max)
        step = int(at.min())
        wrong = ~(np.abs(self.voltage(own)) <= VOLTAGE_LIMIT) & (at == step)
        where = np.argwhere(wrong)
        node, instance = where[0] if len(where) else (0, int(np.argmin(at)))
        return int(node), int(instance), times[step]


def spike_room(n_step: int) -> int:
    """Spikes of an instance that there is room for."""
    return n_step // 2 + 1


def _spikes(found: FloatArray, count: IntArray, time: FloatArray) -> FloatArray:
    """(n, 2) instance and time, by time, up to the last sample."""
    instance = np.repeat(np.arange(len(count)), count)
    column = np.arange(len(instance)) - np.repeat(np.cumsum(count) - count, count)
    when = found[instance, column]
    keep = when <= (time[-1] if len(time) else -np.inf)
    spikes = np.stack([instance[keep].astype(np.float64), when[keep]], axis=1)
    return np.ascontiguousarray(spikes[np.lexsort((spikes[:, 0], spikes[:, 1]))])
