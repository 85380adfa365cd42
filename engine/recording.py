"""What a run gives: chunks while it goes on, a recording at its end."""

from dataclasses import dataclass

from engine.experiment import Experiment
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
        instance and time (ms) of each upward threshold crossing, interpolated as NEURON's NetCon reports (step time).
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
