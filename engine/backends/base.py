"""What every backend offers: start a model, advance it, look at its voltages."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from engine.model import Model
from engine.types import Float32Array, FloatArray

VOLTAGE_LIMIT = 1e4
"""mV; a membrane beyond this (or at NaN) has left the numbers it can have."""


@dataclass(frozen=True, eq=False)
class Samples:
    """What some steps gave; shapes as in :class:`engine.recording.Chunk`.

    ``bad`` is the first node (of the tree) and instance whose voltage left the possible numbers,
    and the time in ms at which it did; the samples end before that step. None where all is well.
    """

    time: FloatArray
    traces: FloatArray
    frame_time: FloatArray
    frames: Float32Array
    spikes: FloatArray
    bad: tuple[int, int, float] | None = None


def join(first: Samples, second: Samples) -> Samples:
    """Two consecutive samples as one."""
    return Samples(
        time=np.concatenate([first.time, second.time]),
        traces=np.concatenate([first.traces, second.traces], axis=2),
        frame_time=np.concatenate([first.frame_time, second.frame_time]),
        frames=np.concatenate([first.frames, second.frames]),
        spikes=np.concatenate([first.spikes, second.spikes]),
        bad=second.bad,
    )


def up_to(samples: Samples, n_time: int) -> Samples:
    """The first of some samples."""
    if n_time >= len(samples.time):
        return samples
    end = samples.time[n_time - 1] if n_time else -np.inf
    n_frame = int(np.searchsorted(samples.frame_time, end, side="right"))
    return replace(
        samples,
        time=samples.time[:n_time],
        traces=samples.traces[:, :, :n_time],
        frame_time=samples.frame_time[:n_frame],
        frames=samples.frames[:n_frame],
        spikes=samples.spikes[samples.spikes[:, 1] <= end],
        bad=None,
    )


class Run(Protocol):
    """A model in motion."""

    def initialize(self) -> Samples:
        """Set every variable to its value at t = 0 and sample it."""

    def advance(self, n_step: int) -> Samples:
        """Take ``n_step`` steps."""

    @property
    def voltage(self) -> FloatArray:
        """(n_comp, n_instance) mV, in the order of the tree; a copy."""


class PopulationRun(Protocol):
    """Several models in motion, all in step; samples and voltages in the order of the models.

    Each has the bits it has in a run of its own whose tree is solved in the same way. The
    processor has one way. A device has two, which differ in the last digits: which one it takes
    may depend on the trees beside this one.
    """

    def initialize(self) -> list[Samples]:
        """Set every variable to its value at t = 0 and sample it."""

    def advance(self, n_step: int) -> list[Samples]:
        """Take ``n_step`` steps; a model takes fewer where one of its voltages leaves the possible
        numbers."""

    @property
    def voltages(self) -> list[FloatArray]:
        """(n_comp, n_instance) mV of every model, in the order of its tree; copies."""


class Backend(Protocol):
    """A way to run models."""

    name: str

    def describe(self) -> str:
        """What the window's chip shows."""

    def start(self, model: Model, threads: int | None = None) -> Run:
        """A run of the model, not yet initialized; ``threads`` is for backends that have them."""

    def start_population(
        self, models: Sequence[Model], threads: int | None = None
    ) -> PopulationRun:
        """The same for models of different trees, of one time step and duration."""
