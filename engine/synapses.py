"""Point processes on a cell and where their events come from."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine.stimuli import Site
from engine.types import FloatArray
from engine.waveforms import TRAIN, generator

DETECTION = 1e-10
"""ms that NEURON adds to the time of a threshold crossing before a connection's delay."""


@dataclass(frozen=True)
class SpikeTrain:
    """Events at given ``times`` (ms), in any order."""

    kind: ClassVar[str] = "train"
    times: tuple[float, ...] = ()


@dataclass(frozen=True)
class NetStim:
    """``number`` events from ``start`` (ms) on, ``interval`` ms apart, as NEURON's NetStim.

    ``noise`` from 0 (regular) to 1 (Poisson) is the part of each interval that is drawn from an
    exponential distribution; the first event comes then at ``start`` on average. The numbers depend
    on the experiment's seed and on ``stream`` alone; they are not those of NEURON's generator.
    """

    kind: ClassVar[str] = "netstim"
    interval: float = 10.0
    number: int = 10
    start: float = 50.0
    noise: float = 0.0
    stream: int = 0


@dataclass(frozen=True)
class SpikeSource:
    """An event at every upward crossing of ``threshold`` (mV) elsewhere, as NEURON's NetCon.

    Every source has a threshold of its own; in NEURON all connections from one voltage share the
    one that was set last.
    """

    kind: ClassVar[str] = "spikes"
    site: Site
    threshold: float = 10.0


@dataclass(frozen=True)
class PointSource:
    """What entry ``synapse`` of the experiment's synapses sends with ``net_event``."""

    kind: ClassVar[str] = "point"
    synapse: int = 0


Source = SpikeTrain | NetStim | SpikeSource | PointSource


@dataclass(frozen=True)
class Synapse:
    """A point process and the connection that reaches it.

    Attributes
    ----------
    site : Site
        At x = 0 or 1 it sits on the massless node there.
    mechanism : str
        A POINT_PROCESS; one without NET_RECEIVE takes no events.
    parameters : tuple of (str, float)
        That differ from its defaults.
    weights : tuple of float
        First arguments of NET_RECEIVE (µS for ExpSyn and Exp2Syn); what is not given starts as the
        mechanism says.
    source : SpikeTrain, NetStim, SpikeSource, PointSource or None
        None: no events.
    delay : ms
        From an event of the source to its arrival; 0 or more (1 in NEURON unless told).
    name : str
    """

    site: Site
    mechanism: str = "ExpSyn"
    parameters: tuple[tuple[str, float], ...] = ()
    weights: tuple[float, ...] = (1e-3,)
    source: Source | None = None
    delay: float = 0.0
    name: str = ""


def event_times(source: Source | None, end: float, seed: int) -> FloatArray:
    """(n,) ms in ascending order: the events of a source that are known before a run.

    Parameters
    ----------
    source
        A :class:`SpikeSource` and a :class:`PointSource` have none of these.
    end
        ms; later events are of no use.
    seed
        Of the experiment.
    """
    match source:
        case SpikeTrain(times):
            found = np.sort(np.asarray(times, np.float64))
        case NetStim():
            found = _train(source, end, seed)
        case _:
            found = np.empty(0)
    return found[found <= end]


def _train(source: NetStim, end: float, seed: int) -> FloatArray:
    """Events of a NetStim; the first at start + drawn interval − interval (1 − noise) or 0."""
    if source.number < 1 or source.start < 0:
        return np.empty(0)
    mean, noise = source.interval if source.interval > 0 else 0.01, min(max(source.noise, 0.0), 1.0)
    draws = generator(seed, TRAIN, source.stream)
    times: list[FloatArray] = []
    last, left = np.empty(0), int(source.number)
    while left > 0:
        count = min(left, max(64, int((end - source.start) / mean) + 64))
        interval = np.full(count, mean)
        if noise > 0:
            interval = (1 - noise) * mean + noise * mean * draws.standard_exponential(count)
        if not times:
            interval[0] = max(0.0, source.start + interval[0] - mean * (1 - noise))
        last = np.cumsum(np.concatenate([last[-1:], interval]))[len(last[-1:]) :]
        times.append(last)
        left -= count
        if last[-1] > end:
            break
    return np.concatenate(times)
