"""Where synapses go and when they are reached: random numbers that depend on nothing but their key.

Every draw is made from a generator of its own, keyed by the seed of the study, the pattern and the
number of synapses, the trial, and what is drawn. So neither the order of trials nor how they are
cut into slices, resumed or given to workers changes anything; cells with few and with all spines
get the same places and trains, as in Zhang et al. 2023.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from engine.errors import UserError
from engine.experiments.streams import generators
from engine.morphology.model import Sections
from engine.regions import Region, mask_of_tags
from engine.segments import arc_lengths
from engine.stimuli import Site
from engine.types import FloatArray, IntArray
from engine.waveforms import MS_PER_S

KIND = 3
"""Of random numbers, beside those of :mod:`engine.waveforms`."""


BLOCK = 8
"""Waits drawn at once."""


class Stream(IntEnum):
    """What is drawn."""

    STIMULUS = 0
    BACKGROUND_PLACE = 1
    BACKGROUND_TIME = 2
    BACKGROUND_WEIGHT = 3


@dataclass(frozen=True)
class Key:
    """Says which random numbers are meant: ``case`` is a number for the pattern and one for the
    synapses."""

    seed: int
    case: tuple[int, int]
    trial: int

    def generator(self, stream: Stream, number: int = 0) -> np.random.Generator:
        """The generator of one stream, the same wherever and whenever it is asked for."""
        entropy = np.random.SeedSequence(
            self.seed % 2**64, spawn_key=(*self._prefix(stream), number)
        )
        return np.random.Generator(np.random.Philox(entropy))

    def generators(self, stream: Stream, count: int) -> Iterator[np.random.Generator]:
        """Those of the numbers from 0 on, see :func:`engine.experiments.streams.generators`."""
        return generators(self.seed % 2**64, self._prefix(stream), count)

    def _prefix(self, stream: Stream) -> tuple[int, ...]:
        return KIND, *self.case, self.trial, int(stream)


@dataclass(frozen=True, eq=False)
class Cable:
    """The cable that synapses may sit on, laid end to end.

    Attributes
    ----------
    names : (n,) of str
        Sections.
    length : (n,) µm
    """

    names: tuple[str, ...]
    length: FloatArray

    @property
    def total(self) -> float:
        """µm of cable."""
        return float(self.length.sum())

    def locate(self, along: FloatArray) -> tuple[IntArray, FloatArray]:
        """Sections and µm from their 0 end of places along the whole cable (µm)."""
        ends = np.cumsum(self.length)
        section = np.minimum(np.searchsorted(ends, along, side="right"), len(ends) - 1)
        return section, np.minimum(along - (ends - self.length)[section], self.length[section])

    def sites(self, section: IntArray, distance: FloatArray) -> tuple[Site, ...]:
        """The places as sites."""
        x = distance / self.length[section]
        pairs = zip(section.tolist(), x.tolist(), strict=True)
        return tuple(Site(self.names[s], at) for s, at in pairs)


def cable_of(sections: Sections, region: Region = "dendrite") -> Cable:
    """The cable of a region.

    Raises
    ------
    UserError
        If the cell has none.
    """
    ends = arc_lengths(sections)[sections.start[1:] - 1]
    chosen = np.flatnonzero(mask_of_tags(sections.tag, region) & (ends > 0))
    if not chosen.size:
        raise UserError(
            f"the cell has no {region} cable for synapses to sit on; open a cell with dendrites"
        )
    return Cable(tuple(sections.name[s] for s in chosen), ends[chosen])


def distributed(cable: Cable, count: int, key: Key, stream: Stream) -> tuple[Site, ...]:
    """Places that every µm of cable is equally likely to get."""
    draw = key.generator(stream)
    return cable.sites(*cable.locate(draw.random(count) * cable.total))


def clustered(
    cable: Cable, count: int, size: int, span: float, key: Key, stream: Stream
) -> tuple[Site, ...]:
    """Clusters around random centers, each within one section.

    Parameters
    ----------
    cable
    count
        Clusters.
    size
        Synapses in each.
    span : µm
        Of a cluster, around its center. At the ends of a section the window is moved inside; a
        section shorter than it is the window.
    key, stream

    Returns
    -------
    (count * size) sites, cluster by cluster
    """
    draw = key.generator(stream)
    section, center = cable.locate(draw.random(count) * cable.total)
    length = cable.length[section]
    width = np.minimum(span, length)
    start = np.clip(center - width / 2, 0.0, length - width)
    within = draw.random((count, size)) * width[:, None] + start[:, None]
    return cable.sites(np.repeat(section, size), within.ravel())


def poisson_trains(
    count: int, rate: float, start: float, stop: float, dt: float, key: Key
) -> tuple[tuple[float, ...], ...]:
    """Event times in ms: in every step from ``start`` on one draw with probability ``rate`` · dt.

    Parameters
    ----------
    count
        Trains.
    rate : Hz
    start, stop : ms
        start <= t < stop.
    dt : ms
        A time is ``start`` and a number of steps.
    key

    Raises
    ------
    UserError
        If the rate asks for more than one event in every step.

    Notes
    -----
    The waits between the successes of such draws are geometric numbers; drawing the waits gives the
    same process and takes one number an event instead of one a step. A shorter run gets the
    beginning of the trains of a longer one.
    """
    p = rate * dt / MS_PER_S
    if not 0 <= p <= 1:
        raise UserError(
            f"{rate:g} Hz cannot be drawn once every {dt:g} ms; choose 0 to {MS_PER_S / dt:g} Hz"
        )
    n_step = max(0, round((stop - start) / dt))
    if p == 0 or n_step == 0 or count == 0:
        return ((),) * count
    waits = [_waits(p, n_step, d) for d in key.generators(Stream.BACKGROUND_TIME, count)]
    length = np.array([len(w) for w in waits])
    step = np.cumsum(np.concatenate(waits))
    first = np.cumsum(length) - length
    step -= np.repeat(np.where(first > 0, step[first - 1], 0), length) + 1  # each from its start
    inside = step < n_step
    train = np.repeat(np.arange(count), length)[inside]
    times = (start + dt * step[inside].astype(np.int32)).tolist()
    ends = np.cumsum(np.bincount(train, minlength=count)).tolist()
    return tuple(tuple(times[a:b]) for a, b in pairwise([0, *ends]))


def _waits(p: float, n_step: int, draw: np.random.Generator) -> NDArray[np.int64]:
    """Steps from one success of draws of probability p to the next, until the last one is out."""
    found = np.minimum(draw.geometric(p, BLOCK), n_step + 1)  # a number of any size is out
    while found.sum() <= n_step:
        found = np.concatenate([found, np.minimum(draw.geometric(p, BLOCK), n_step + 1)])
    return found


def factors(count: int, low: float, high: float, key: Key) -> Sequence[float]:
    """Uniform numbers that multiply the weights of the background."""
    draw = key.generator(Stream.BACKGROUND_WEIGHT)
    found: list[float] = (low + (high - low) * draw.random(count)).tolist()
    return found
