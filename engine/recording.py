"""What a run gives: chunks while it goes on, a recording at its end."""

import math
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from engine.errors import UserError
from engine.experiment import Experiment
from engine.model import Model
from engine.types import Float32Array, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Chunk:
    """A consecutive piece of a run.

    Attributes
    ----------
    start, stop : ms
        Time before its first and after its last step.
    time : (n_step,) ms
        The time of each sample; the run's first chunk starts with t = 0.
    traces : (n_probe, n_instance, n_step)
    frame_time : (n_frame,) ms
    frames : (n_frame, n_comp) float32 mV
        Voltage of the whole cell (first instance), one frame per ``frame_interval``.
    spikes : (n_spike, 2)
        Instance and time (ms) of each upward threshold crossing: the time of the step at whose end
        the voltage is above the threshold, as NEURON's NetCon reports it.
    fraction : float
        Part of the run that is done, 1 at the end.
    """

    start: float
    stop: float
    time: FloatArray
    traces: FloatArray
    frame_time: FloatArray
    frames: Float32Array
    spikes: FloatArray
    fraction: float


@dataclass(frozen=True, eq=False)
class Recording:
    """All of a run (or what was done before it was cancelled).

    Attributes
    ----------
    time : (n_time,) ms
    values : (n_probe, n_instance, n_time)
    labels : tuple of str
        ``soma[0](0.5) v`` …
    units : tuple of str
        ``mV``, ``1`` …
    frame_time : (n_frame,) ms
    frames : (n_frame, n_comp) float32 mV
    spikes : (n_spike, 2)
    segment : (n_comp,) int32
        Which segment each node is, so that a frame can be drawn whatever the node set.
    origin : Experiment
    complete : bool
        False if the run was cancelled or failed.
    experiments : tuple of Experiment
        That of every instance where they differ; empty where all have ``origin``.
    engine : str
        What computed it, as it calls itself: ``CPU``, ``GPU: …, membrane in single precision``;
        empty where nobody said.
    """

    time: FloatArray
    values: FloatArray
    labels: tuple[str, ...]
    units: tuple[str, ...]
    frame_time: FloatArray
    frames: Float32Array
    spikes: FloatArray
    segment: IntArray
    origin: Experiment
    complete: bool
    experiments: tuple[Experiment, ...] = ()
    engine: str = ""

    @property
    def instances(self) -> tuple[str, ...]:
        """What every instance is called: ``instance 3``, with the name of its own experiment."""
        names = [each.name for each in self.experiments] or [""] * self.values.shape[1]
        return tuple(
            f"instance {k}" + (f" {name}" if name and len(set(names)) > 1 else "")
            for k, name in enumerate(names)
        )


class RecordingBuilder:
    """A recording that grows while a run goes on.

    Room for the whole run is taken at once, so adding a chunk copies only that chunk, and
    :meth:`recording` gives views of what is filled and copies nothing.

    Parameters
    ----------
    model : Model
        The run; says how many samples and frames there will be.
    every
        Keep the first of so many samples.
    on_disk
        Keep samples and frames in files that vanish with the recording.

    Attributes
    ----------
    engine : str
        What computes the run; to be set by who knows.

    Raises
    ------
    UserError
        If they do not fit on the disk.
    """

    def __init__(self, model: Model, every: int = 1, on_disk: bool = False) -> None:
        self._model, self._every = model, every
        n_kept = (model.n_time - 1) // every + 1
        shapes: tuple[tuple[int, ...], ...] = (
            (n_kept,),
            (len(model.probes), model.n_instance, n_kept),
            (model.n_frame,),
            (model.n_frame, model.tree.n_comp),
        )
        if on_disk:
            need = sum(8 * math.prod(shape) for shape in shapes)
            if (free := shutil.disk_usage(tempfile.gettempdir()).free) < need:
                raise UserError(
                    f"the run needs {need / 1e9:.3g} GB in {tempfile.gettempdir()} and "
                    f"{free / 1e9:.3g} GB are free there; free some, or record less"
                )
        make = _on_disk if on_disk else np.empty
        self._time, self._values = make(shapes[0]), make(shapes[1])
        self._frame_time, self._frames = make(shapes[2]), make(shapes[3], np.float32)
        self._spikes: list[FloatArray] = []
        self._n_seen = self._n_time = self._n_frame = 0
        self._fraction = 0.0
        self.engine = ""

    @property
    def fraction(self) -> float:
        """Part of the run that is in, 0 to 1."""
        return self._fraction

    def append(self, chunk: Chunk) -> None:
        """Add the next chunk of the run."""
        first = -self._n_seen % self._every
        kept = chunk.time[first :: self._every]
        time = slice(self._n_time, self._n_time + len(kept))
        frame = slice(self._n_frame, self._n_frame + len(chunk.frame_time))
        self._time[time], self._values[:, :, time] = kept, chunk.traces[:, :, first :: self._every]
        self._n_seen += len(chunk.time)
        self._frame_time[frame], self._frames[frame] = chunk.frame_time, chunk.frames
        if len(chunk.spikes):
            self._spikes.append(chunk.spikes)
        self._n_time, self._n_frame, self._fraction = time.stop, frame.stop, chunk.fraction

    def recording(self) -> Recording:
        """What is in so far; complete once the last chunk has been added."""
        model = self._model
        return Recording(
            time=self._time[: self._n_time],
            values=self._values[:, :, : self._n_time],
            labels=tuple(probe.label for probe in model.probes),
            units=tuple(probe.unit for probe in model.probes),
            frame_time=self._frame_time[: self._n_frame],
            frames=self._frames[: self._n_frame],
            spikes=np.concatenate([np.empty((0, 2)), *self._spikes]),
            segment=model.tree.segment,
            origin=model.experiment,
            experiments=model.experiments if len(model.experiments) > 1 else (),
            complete=self._n_seen == model.n_time,
            engine=self.engine,
        )


def _on_disk(shape: tuple[int, ...], dtype: DTypeLike = np.float64) -> NDArray[Any]:
    """An array in a file without a name, which the system removes with the array."""
    if not math.prod(shape):
        return np.empty(shape, dtype)
    with tempfile.TemporaryFile(prefix="dendview-") as file:
        return np.memmap(file, dtype, "w+", shape=shape)


def collect(model: Model, chunks: Iterable[Chunk]) -> Recording:
    """All chunks of a run as one recording.

    Parameters
    ----------
    model : Model
    chunks
        What ``engine.simulation.simulate(model)`` gives; may stop early.
    """
    builder = RecordingBuilder(model)
    for chunk in chunks:
        builder.append(chunk)
    return builder.recording()
