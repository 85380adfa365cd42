"""Currents that follow a formula, as tables of one value per step."""

from collections.abc import Sequence

import numpy as np

from engine.stimuli import NoiseClamp, RampClamp, SineClamp, Waveform
from engine.types import FloatArray

NOISE, TRAIN = 1, 2
"""Kinds of random numbers; equal streams of different kinds have nothing to do with each other."""
MS_PER_S = 1e3


def generator(seed: int, kind: int, stream: int) -> np.random.Generator:
    """Random numbers that depend on these three alone, whatever else a run draws.

    Parameters
    ----------
    seed
        Of the experiment.
    kind
        ``NOISE`` or ``TRAIN``.
    stream
        0 or more.
    """
    sequence = np.random.SeedSequence(seed % 2**64, spawn_key=(kind, stream))
    return np.random.Generator(np.random.Philox(sequence))


def half_steps(n_step: int, dt: float) -> FloatArray:
    """(n_step,) ms, when each step's currents count, with the bits of a running sum."""
    return np.cumsum(np.full(2 * n_step, 0.5 * dt))[::2]


def waveform(clamp: Waveform, time: FloatArray, seed: int) -> FloatArray:
    """(n,) nA at the times; 0 outside delay <= t < delay + duration."""
    on = (clamp.delay <= time) & (time < clamp.delay + clamp.duration)
    since = time[on] - clamp.delay
    current = np.zeros_like(time)
    match clamp:
        case RampClamp():
            current[on] = clamp.start + (clamp.stop - clamp.start) * (since / clamp.duration)
        case SineClamp():
            angle = 2 * np.pi * clamp.frequency * (since / MS_PER_S) + clamp.phase
            current[on] = clamp.offset + clamp.amplitude * np.sin(angle)
        case NoiseClamp():
            number = np.floor(since / clamp.interval + 1e-9).astype(np.int64)
            normal = generator(seed, NOISE, clamp.stream).standard_normal(
                int(number.max(initial=-1)) + 1
            )
            current[on] = clamp.mean + clamp.deviation * normal[number]
    return current


def played(clamps: Sequence[Waveform], n_step: int, dt: float, seed: int) -> FloatArray:
    """(n_step, n_clamp) nA, the current of every clamp in every step."""
    time = half_steps(n_step, dt) if clamps else np.empty(0)
    table = np.empty((n_step, len(clamps)))
    for column, clamp in enumerate(clamps):
        table[:, column] = waveform(clamp, time, seed)
    return table
