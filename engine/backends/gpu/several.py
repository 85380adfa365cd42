"""Cells of one run on several devices: one process for each, all driven from here.

A process holds one device alone, so that a device that fails takes no other one with it.
"""

import multiprocessing
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import pairwise
from multiprocessing.connection import Connection
from typing import TypeVar
from weakref import finalize

import numpy as np

from engine.backends.base import Samples
from engine.backends.gpu.device import Device
from engine.backends.gpu.pacing import nodes_of
from engine.backends.gpu.population import choose_shapes
from engine.backends.gpu.run import GpuPopulation
from engine.backends.gpu.shape import Shape
from engine.errors import BackendError
from engine.instances import select
from engine.model import Model
from engine.types import FloatArray

T = TypeVar("T")
DeviceMaker = Callable[[], Device]


class SeveralPopulation:
    """Implements :class:`engine.backends.base.PopulationRun`; cells have the bits that
    they have on one device with the same shapes.

    Parameters
    ----------
    models
    devices
        What opens each device, called in the process that is to hold it; those that would get no
        cell stay idle.
    shapes
        Of each model's cells; each process measures for itself where they are not given.
    single
        As of :class:`engine.backends.gpu.run.GpuPopulation`.

    Raises
    ------
    BackendError
        The first that a process reports.
    """

    def __init__(
        self,
        models: Sequence[Model],
        devices: Sequence[DeviceMaker],
        shapes: Sequence[Shape] | None = None,
        single: bool = False,
    ) -> None:
        self._n_model = len(models)
        cells = [(nodes_of(model)[1], model.n_instance) for model in models]
        given = zip(devices, share_out(cells, len(devices)), strict=True)
        self._shares = [(make, share) for make, share in given if share]
        context = multiprocessing.get_context("spawn")  # a device does not survive a fork
        self._pipes: list[Connection] = []
        for make, share in self._shares:
            mine, theirs = context.Pipe()
            parts = [select(models[k], first, count) for k, first, count in share]
            chosen = None if shapes is None else [shapes[k] for k, _, _ in share]
            process = context.Process(
                target=serve, args=(theirs, make, parts, chosen, single), daemon=True
            )
            process.start()
            theirs.close()
            finalize(self, _end, mine)
            self._pipes.append(mine)
        self._answers()

    def initialize(self) -> list[Samples]:
        """Set every variable to its value at t = 0 and sample it."""
        return self._joined(self._ask("initialize"))

    def advance(self, n_step: int) -> list[Samples]:
        """Take ``n_step`` steps, or fewer where a voltage leaves the possible numbers."""
        return self._joined(self._ask("advance", n_step))

    @property
    def voltages(self) -> list[FloatArray]:
        """(n_comp, n_instance) mV of every model, in the order of its tree; copies."""
        answers = self._by_model(self._ask("voltages"))
        return [np.concatenate([part for part, _ in parts], axis=1) for parts in answers]

    def _by_model(self, answers: list[list[T]]) -> list[list[tuple[T, int]]]:
        """What the processes say of every model's instances, and the first of these."""
        found: list[list[tuple[T, int]]] = [[] for _ in range(self._n_model)]
        for (_, share), answer in zip(self._shares, answers, strict=True):
            for (k, first, _), part in zip(share, answer, strict=True):
                found[k].append((part, first))
        return found

    def _joined(self, answers: list[list[Samples]]) -> list[Samples]:
        return [join_instances(parts) for parts in self._by_model(answers)]

    def _ask(self, what: str, *given: int) -> list:
        for pipe in self._pipes:
            with suppress(OSError):  # of a process that has ended; its answer says so
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


class SeveralRun:
    """Implements :class:`engine.backends.base.Run`: one model's instances on several devices."""

    def __init__(
        self,
        model: Model,
        devices: Sequence[DeviceMaker],
        shape: Shape | None = None,
        single: bool = False,
    ) -> None:
        shapes = None if shape is None else [shape]
        self.model = model
        self._all = SeveralPopulation([model], devices, shapes, single)

    def initialize(self) -> Samples:
        """Set every variable to its value at t = 0 and sample it."""
        return self._all.initialize()[0]

    def advance(self, n_step: int) -> Samples:
        """Take ``n_step`` steps, or fewer where a voltage leaves the possible numbers."""
        return self._all.advance(n_step)[0]

    @property
    def voltage(self) -> FloatArray:
        """(n_comp, n_instance) mV, in the order of the tree; a copy."""
        return self._all.voltages[0]


def share_out(cells: Sequence[tuple[int, int]], n: int) -> list[list[tuple[int, int, int]]]:
    """Cells in n shares of about as many nodes each.

    Parameters
    ----------
    cells
        Nodes of a cell and number of cells, for every model.
    n

    Returns
    -------
    list of list of (model, first, count)
        Instances of the models; neighbors stay together.
    """
    size = np.repeat([nodes for nodes, _ in cells], [count for _, count in cells])
    middle = np.cumsum(size) - 0.5 * size
    owner = np.minimum((middle / size.sum() * n).astype(int), n - 1)
    start = np.cumsum([0, *(count for _, count in cells)])
    shares: list[list[tuple[int, int, int]]] = [[] for _ in range(n)]
    for k, (begin, end) in enumerate(pairwise(start.tolist())):
        who, first, count = np.unique(owner[begin:end], return_index=True, return_counts=True)
        for device, at, many in zip(who.tolist(), first.tolist(), count.tolist(), strict=True):
            shares[device].append((k, at, many))
    return shares


def join_instances(parts: Sequence[tuple[Samples, int]]) -> Samples:
    """Samples of some instances each, and the first of them, as those of one run, up to the first
    bad step of any."""
    n_time = min(len(part.time) for part, _ in parts)
    bad = None
    for part, first in parts:
        if part.bad is not None and len(part.time) == n_time and bad is None:
            node, instance, time = part.bad
            bad = node, instance + first, time
    spikes = np.concatenate([part.spikes + np.array([first, 0]) for part, first in parts])
    if bad is not None:
        spikes = spikes[spikes[:, 1] < bad[2]]
    one = parts[0][0]
    n_frame = min(len(part.frame_time) for part, _ in parts)
    return Samples(
        time=one.time[:n_time],
        traces=np.concatenate([part.traces[:, :, :n_time] for part, _ in parts], axis=1),
        frame_time=one.frame_time[:n_frame],
        frames=one.frames[:n_frame],
        spikes=spikes[np.lexsort((spikes[:, 0], spikes[:, 1]))],
        bad=bad,
    )


def _end(pipe: Connection) -> None:
    """The process leaves when its pipe closes."""
    pipe.close()


def serve(
    pipe: Connection,
    make: DeviceMaker,
    models: list[Model],
    shapes: list[Shape] | None,
    single: bool,
) -> None:
    """One device's process: a run that does what it is asked until the pipe closes."""
    try:
        device = make()
        shapes = shapes or choose_shapes(models, device, single)
        run = GpuPopulation(models, device, shapes, single)
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
