"""Many instances of one cell: eight side by side in a part, the parts on all cores."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from engine.backends.base import Samples
from engine.backends.cpu import CpuRun, available_cores
from engine.mechanisms.lanes import WIDTH
from engine.model import Model
from engine.types import FloatArray

FEW = 3
"""So many instances run faster one by one than as eight of which the others are thrown away."""


class BatchRun:
    """Instances in motion; each has the bits it has alone.

    A part of eight instances takes all its steps of a call while its arrays are in the cache, then
    the next part does.

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

    @property
    def voltage(self) -> FloatArray:
        """(n_comp, n_instance) mV, in the order of the tree; a copy."""
        return np.concatenate([run.voltage[:, :count] for run, count in self._parts], axis=1)

    def initialize(self) -> Samples:
        """Set every variable to its value at t = 0 and sample it."""
        return self._join([run.initialize() for run, _ in self._parts])

    def advance(self, n_step: int) -> Samples:
        """Take ``n_step`` steps, or fewer where a voltage leaves the possible numbers."""
        runs: list[Callable[[int], Samples]] = [run.advance for run, _ in self._parts]
        if self._threads == 1:
            return self._join([run(n_step) for run in runs])
        with ThreadPoolExecutor(self._threads) as pool:  # the loops hold no lock of Python's
            return self._join(list(pool.map(lambda run: run(n_step), runs)))

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
    left = model.n_instance
    while left > 0:
        size = WIDTH if left > FEW else 1
        yield CpuRun(replace(model, n_instance=size)), min(size, left)
        left -= size
