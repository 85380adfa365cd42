"""Instances of one run on several devices: one process for each, all driven from here.

A process holds one device alone, so that a device that fails takes no other one with it.
"""

import multiprocessing
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from weakref import finalize

import numpy as np

from engine.backends.base import Samples
from engine.backends.gpu.device import Device
from engine.backends.gpu.pacing import choose_shape
from engine.backends.gpu.run import GpuRun
from engine.backends.gpu.shape import Shape
from engine.errors import BackendError
from engine.instances import select
from engine.model import Model
from engine.types import FloatArray

DeviceMaker = Callable[[], Device]


class SeveralRun:
    """Implements :class:`engine.backends.base.Run`; every instance has the bits it has alone.

    Parameters
    ----------
    model : Model
        Of at least as many instances as there are devices.
    devices
        What opens each device, called in the process that is to hold it.
    shape
        Threads of a cell; each process measures for itself where it is not given.
    single
        As of :class:`engine.backends.gpu.run.GpuRun`.

    Raises
    ------
    BackendError
        The first that a process reports.
    """

    def __init__(
        self,
        model: Model,
        devices: Sequence[DeviceMaker],
        shape: Shape | None = None,
        single: bool = False,
    ) -> None:
        self.model = model
        bounds = np.linspace(0, model.n_instance, len(devices) + 1).round().astype(int)
        self._first, self._count = bounds[:-1].tolist(), np.diff(bounds).tolist()
        context = multiprocessing.get_context("spawn")  # a device does not survive a fork
        self._pipes: list[Connection] = []
        for make, first, count in zip(devices, self._first, self._count, strict=True):
            mine, theirs = context.Pipe()
            part = select(model, first, count)
            process = context.Process(
                target=serve, args=(theirs, make, part, shape, single), daemon=True
            )
            process.start()
            theirs.close()
            finalize(self, _end, mine)
            self._pipes.append(mine)
        self._answers()

    def initialize(self) -> Samples:
        """Set every variable to its value at t = 0 and sample it."""
        return self._join(self._ask("initialize"))

    def advance(self, n_step: int) -> Samples:
        """Take ``n_step`` steps, or fewer where a voltage leaves the possible numbers."""
        return self._join(self._ask("advance", n_step))

    @property
    def voltage(self) -> FloatArray:
        """(n_comp, n_instance) mV, in the order of the tree; a copy."""
        return np.concatenate(self._ask("voltage"), axis=1)

    def _ask(self, what: str, *given: int) -> list:
        for pipe in self._pipes:
            pipe.send((what, given))
        return self._answers()

    def _answers(self) -> list:
        """One answer of each; all are waited for, so that nothing is left in a pipe."""
        found, trouble = [], None
        for number, pipe in enumerate(self._pipes):
            try:
                answer = pipe.recv()
            except (EOFError, OSError):
                answer = BackendError(
                    f"the process of GPU {number} ended by itself; run again, or choose 'cpu'"
                )
            if isinstance(answer, Exception):
                trouble = trouble or answer
            found.append(answer)
        if trouble is not None:
            raise trouble
        return found

    def _join(self, parts: list[Samples]) -> Samples:
        """The parts' samples as those of one run, up to the first bad step of any."""
        n_time = min(len(part.time) for part in parts)
        bad = None
        for part, first in zip(parts, self._first, strict=True):
            if part.bad is not None and len(part.time) == n_time and bad is None:
                node, instance, time = part.bad
                bad = node, instance + first, time
        spikes = np.concatenate(
            [
                part.spikes + np.array([first, 0])
                for part, first in zip(parts, self._first, strict=True)
            ]
        )
        if bad is not None:
            spikes = spikes[spikes[:, 1] < bad[2]]
        one = parts[0]
        n_frame = min(len(part.frame_time) for part in parts)
        return Samples(
            time=one.time[:n_time],
            traces=np.concatenate([part.traces[:, :, :n_time] for part in parts], axis=1),
            frame_time=one.frame_time[:n_frame],
            frames=one.frames[:n_frame],
            spikes=spikes[np.lexsort((spikes[:, 0], spikes[:, 1]))],
            bad=bad,
        )


def _end(pipe: Connection) -> None:
    """The process leaves when its pipe closes."""
    pipe.close()


def serve(
    pipe: Connection, make: DeviceMaker, model: Model, shape: Shape | None, single: bool
) -> None:
    """One device's process: a run that does what it is asked until the pipe closes."""
    try:
        device = make()
        run = GpuRun(model, device, shape or choose_shape(model, device, single), single)
    except Exception as error:
        pipe.send(_told(error))
        return
    pipe.send(None)
    while True:
        try:
            what, given = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            found = getattr(run, what)
            pipe.send(found(*given) if callable(found) else found)
        except Exception as error:
            pipe.send(_told(error))


def _told(error: Exception) -> Exception:
    """Errors of ours as they are; others may not survive the pipe."""
    from engine.errors import UserError

    if isinstance(error, UserError):
        return error
    return BackendError(f"the GPU failed ({type(error).__name__}: {error}); choose 'cpu'")
