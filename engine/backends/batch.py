"""Many instances of one cell: eight side by side in a part, the parts on all cores."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from engine.backends.base import Samples
from engine.backends.cpu import CpuRun, available_cores
from engine.instances import select
from engine.mechanisms.lanes import WIDTH
from engine.model import Model
from engine.types import FloatArray

FEW = 3
"""So many instances run faster one by one than as eight of which the others are thrown away."""


class BatchRun:
    """Instances in motion; each has the bits it has alone.

    A part of eight instances takes all its steps of a call while its arrays are in the cache, then
    the next part does. Threads live as long as the run and keep to their own parts, which stay in
    the cache of one core; who is done first takes over one of another's.

    Parameters
    ----------
    model : Model
    threads
        Cores to use, all by default.
    """

    def __init__(self, model: Model, threads: int | None = None) -> None:
        self.model = model
        self._parts = list(split(model))
        self._threads = min(threads or available_cores(), len(self._parts))
        self._pool = ThreadPoolExecutor(max(self._threads - 1, 1))  # idle until it is given work

    @property
    def array_bytes(self) -> int:
        """Bytes of all arrays that the step loops work on."""
        return sum(run.array_bytes for run, _ in self._parts)

    @property
    def voltage(self) -> FloatArray:
        """(n_comp, n_instance) mV, in the order of the tree; a copy."""
        return np.concatenate([run.voltage[:, :count] for run, count in self._parts], axis=1)

    def initialize(self) -> Samples:
        """Set every variable to its value at t = 0 and sample it."""
        return self._join([run.initialize() for run, _ in self._parts])

    def advance(self, n_step: int) -> Samples:
        """Take ``n_step`` steps, or fewer where a voltage leaves the possible numbers."""
        left = [deque(range(k, len(self._parts), self._threads)) for k in range(self._threads)]
        done: dict[int, Samples] = {}

        def work(thread: int) -> None:  # the loops hold no lock of Python's
            while todo := left[thread] or max(left, key=len):
                try:
                    part = todo.popleft() if todo is left[thread] else todo.pop()
                except IndexError:
                    continue  # another thread was sooner
                done[part] = self._parts[part][0].advance(n_step)

        others = [self._pool.submit(work, thread) for thread in range(1, self._threads)]
        work(0)
        for other in others:
            other.result()
        return self._join([done[part] for part in range(len(self._parts))])

    def _join(self, samples: list[Samples]) -> Samples:
        """The parts' samples as those of one run, up to the first bad step of any."""
        first = samples[0]
        counts = [count for _, count in self._parts]
        start = np.concatenate([[0], np.cumsum(counts)])
        n_time = min(len(part.time) for part in samples)
        bad = None
        for part, offset, count in zip(samples, start, counts, strict=False):
            if part.bad is not None and part.bad[1] < count and len(part.time) == n_time:
                node, instance, time = part.bad
                bad = node, int(instance + offset), time
                break
        n_frame = min(len(part.frame_time) for part in samples)
        spikes = [
            part.spikes[part.spikes[:, 0] < count] + (offset, 0)
            for part, offset, count in zip(samples, start, counts, strict=False)
        ]
        together = np.concatenate(spikes)
        if bad is not None:
            together = together[together[:, 1] < bad[2]]
        return Samples(
            time=first.time[:n_time],
            traces=np.concatenate(
                [p.traces[:, :count, :n_time] for p, count in zip(samples, counts, strict=True)],
                axis=1,
            ),
            frame_time=first.frame_time[:n_frame],
            frames=first.frames[:n_frame],
            spikes=together[np.argsort(together[:, 1], kind="stable")],
            bad=bad,
        )


def split(model: Model) -> Iterator[tuple[CpuRun, int]]:
    """Runs of eight instances, or of one where few are left, and how many of each are meant."""
    done = 0
    while (left := model.n_instance - done) > 0:
        size = WIDTH if left > FEW else 1
        count = min(size, left)
        yield CpuRun(select(model, done, count, size - count)), count
        done += count
