"""Point neurons of the network: what a pixel makes of an input neuron, and how an output decays."""

import numpy as np

from engine.experiments.hpc_net.spec import Encoding, PointCell
from engine.synapses import NetStim, event_times
from engine.types import FloatArray
from engine.units import NF_PER_UF_CM2_UM2, US_PER_S_CM2_UM2
from engine.waveforms import half_steps


def membrane(cell: PointCell) -> tuple[float, float]:
    """Capacitance (nF) and conductance (µS) of a point neuron."""
    area = np.pi * cell.size * cell.size
    return cell.cm * area * NF_PER_UF_CM2_UM2, cell.g * area * US_PER_S_CM2_UM2


def input_resistance(cell: PointCell) -> float:
    """MΩ."""
    return 1.0 / membrane(cell)[1]


def decay(cell: PointCell, dt: float) -> tuple[float, float]:
    """What is left of a point neuron's voltage after a step, and mV per nA in a step."""
    capacitance, g = membrane(cell)
    total = capacitance / dt + g
    return capacitance / dt / total, 1.0 / total


def spikes(encoding: Encoding, level: float, duration: float) -> NetStim:
    """The spikes of a pixel of brightness ``level`` (0 to 1)."""
    interval = encoding.period / (level + encoding.offset)
    number = max(1, int(duration / interval) + 2)
    return NetStim(interval=interval, number=number, start=encoding.start + interval)


def input_traces(
    encoding: Encoding, cell: PointCell, levels: FloatArray, n_step: int, dt: float
) -> FloatArray:
    """Voltage of the input neuron for every brightness.

    Parameters
    ----------
    encoding, cell
    levels : (n_level,)
        0 to 1.
    n_step : int
    dt : ms

    Returns
    -------
    (n_level, n_step + 1) mV

    Notes
    -----
    Step by step as NEURON's fixed step does it with an ExpSyn: events that are due by the middle of
    the step arrive, then the voltage is solved with the conductance, then that decays.
    """
    capacitance, leak = membrane(cell)
    middle = half_steps(n_step, dt)
    arrivals = np.zeros((len(levels), n_step))
    for row, level in enumerate(levels.tolist()):
        duration = float(n_step * dt)
        due = event_times(spikes(encoding, level, duration), duration, 0) + encoding.delay
        step = np.searchsorted(middle, due, side="left")
        np.add.at(arrivals[row], step[step < n_step], 1)
    v, g = np.zeros((2, len(levels)))
    keep = np.exp(-dt / encoding.tau)
    trace = np.zeros((len(levels), n_step + 1))
    for n in range(n_step):
        g = g + encoding.weight * arrivals[:, n]
        v = v - (g * (v - encoding.reversal) + leak * v) / (capacitance / dt + leak + g)
        g = g * keep
        trace[:, n + 1] = v
    return trace
