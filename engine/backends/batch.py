"""Many instances of one cell or several: eight side by side in a part, the parts on all cores."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from engine.backends.base import Samples
from engine.backends.cpu import ENOUGH, CpuRun, available_cores
from engine.backends.crew import Crew
from engine.instances import select
from engine.mechanisms.lanes import WIDTH
from engine.model import Model
from engine.types import FloatArray

FEW = 3
"""So many instances run faster one by one than as eight of which the others are thrown away."""


class Batch:
    """Instances in motion; each has the bits it has alone.

    A part of eight instances takes all its steps of a call while its arrays are in the cache, then
    the next part does.

    Parameters
    ----------
    model : Model
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.parts = list(split(model))

    @property
    def work(self) -> list[int]:
        """Of every part: compartments and points."""
        n_point = sum(len(p.node) for p in self.model.placed if p.is_point)
        return [run.model.n_instance * (self.model.n_comp + n_point) for run, _ in self.parts]

    @property
    def array_bytes(self) -> int:
        """Bytes of all arrays that the step loops work on."""
        return sum(run.array_bytes for run, _ in self.parts)

    @property
    def voltage(self) -> FloatArray:
        """(n_comp, n_instance) mV, in the order of the tree; a copy."""
        return np.concatenate([run.voltage[:, :count] for run, count in self.parts], axis=1)

    def advances(self, n_step: int) -> list[Callable[[], Samples]]:
        """What every part is to do for so many steps."""
        return [partial(run.advance, n_step) for run, _ in self.parts]

    def initialize(self) -> Samples:
        """Set every variable to its value at t = 0 and sample it."""
        return self.join([run.initialize() for run, _ in self.parts])

    def join(self, samples: list[Samples]) -> Samples:
        """The parts' samples as those of one run, up to the first bad step of any."""
        first = samples[0]
        counts = [count for _, count in self.parts]
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


class BatchRun(Batch):
    """Implements :class:`engine.backends.base.Run`: the parts of one model on all cores.

    Parameters
    ----------
    model : Model
    threads
        Cores to use, all by default.
    """

    def __init__(self, model: Model, threads: int | None = None) -> None:
        super().__init__(model)
        self._crew = Crew(self.work, threads or available_cores())

    def advance(self, n_step: int) -> Samples:
        """Take ``n_step`` steps, or fewer where a voltage leaves the possible numbers."""
        return self.join(self._crew.do(self.advances(n_step)))


class CpuPopulation:
    """Implements :class:`engine.backends.base.PopulationRun`: the parts of all models on all cores.

    A cell that is more than a core's share of the whole runs on all cores, before the others.

    Parameters
    ----------
    models
    threads
        Cores to use, all by default.
    """

    def __init__(self, models: Sequence[Model], threads: int | None = None) -> None:
        cores = threads or available_cores()
        size = [model.n_comp * model.n_instance for model in models]
        self._runs: list[CpuRun | Batch] = []
        for model, n in zip(models, size, strict=True):
            share = min(cores, model.n_comp // ENOUGH)
            alone = model.n_instance == 1 and share > 1 and n * cores > sum(size)
            self._runs.append(CpuRun(model, share) if alone else Batch(model))
        self._batches = [run for run in self._runs if isinstance(run, Batch)]
        self._crew = Crew([w for batch in self._batches for w in batch.work], cores)

    @property
    def voltages(self) -> list[FloatArray]:
        """(n_comp, n_instance) mV of every model, in the order of its tree; copies."""
        return [run.voltage for run in self._runs]

    def initialize(self) -> list[Samples]:
        """Set every variable to its value at t = 0 and sample it."""
        return [run.initialize() for run in self._runs]

    def advance(self, n_step: int) -> list[Samples]:
        """Take ``n_step`` steps; a model takes fewer where one of its voltages leaves the possible
        numbers."""
        alone = {k: r.advance(n_step) for k, r in enumerate(self._runs) if isinstance(r, CpuRun)}
        done = iter(self._crew.do([task for b in self._batches for task in b.advances(n_step)]))
        return [
            alone[k] if isinstance(run, CpuRun) else run.join([next(done) for _ in run.parts])
            for k, run in enumerate(self._runs)
        ]


def split(model: Model) -> Iterator[tuple[CpuRun, int]]:
    """Runs of eight instances, or of one where few are left, and how many of each are meant."""
    done = 0
    while (left := model.n_instance - done) > 0:
        size = WIDTH if left > FEW else 1
        count = min(size, left)
        yield CpuRun(select(model, done, count, size - count)), count
        done += count
