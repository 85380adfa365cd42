"""Places on a cell and the currents and voltages that are forced on it there."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Site:
    """A place on the cell that does not depend on the discretization: NEURON's ``section(x)``."""

    section: str
    x: float = 0.5

    def __str__(self) -> str:
        return f"{self.section}({self.x:g})"


@dataclass(frozen=True)
class CurrentClamp:
    """A rectangular current pulse, positive into the cell, from ``delay`` to ``delay + duration``.

    As NEURON's IClamp: on where delay <= t < delay + duration, with t the half step. ``delay`` and
    ``duration`` in ms, ``amplitude`` in nA.
    """

    site: Site
    delay: float = 100.0
    duration: float = 100.0
    amplitude: float = 0.3


@dataclass(frozen=True)
class RampClamp:
    """A current that goes straight from ``start`` to ``stop`` (nA); on as a :class:`CurrentClamp`.

    As an IClamp whose amplitude is played from a vector: its value at the half step counts.
    """

    kind: ClassVar[str] = "ramp"
    site: Site
    delay: float = 100.0
    duration: float = 100.0
    start: float = 0.0
    stop: float = 0.5


@dataclass(frozen=True)
class SineClamp:
    """``offset + amplitude · sin(2π · frequency · (t − delay) + phase)``, as a :class:`RampClamp`.

    ``amplitude`` and ``offset`` in nA, ``frequency`` in Hz, ``phase`` in radians.
    """

    kind: ClassVar[str] = "sine"
    site: Site
    delay: float = 100.0
    duration: float = 100.0
    amplitude: float = 0.1
    frequency: float = 10.0
    phase: float = 0.0
    offset: float = 0.0


@dataclass(frozen=True)
class NoiseClamp:
    """A current drawn anew every ``interval`` ms from a normal distribution, in nA.

    Its numbers depend on the experiment's seed and on ``stream`` alone: two clamps of one stream
    get the same ones, and a longer run goes on where a shorter one ended.
    """

    kind: ClassVar[str] = "noise"
    site: Site
    delay: float = 100.0
    duration: float = 100.0
    mean: float = 0.0
    deviation: float = 0.1
    interval: float = 0.5
    stream: int = 0


Waveform = RampClamp | SineClamp | NoiseClamp


@dataclass(frozen=True)
class VoltageClamp:
    """Three voltages (mV) held one after the other for ``durations`` (ms) from t = 0.

    As NEURON's SEClamp: a current (level − v) / resistance, ``resistance`` in MΩ, which stands in
    the equations' diagonal; off after the last level.
    """

    site: Site
    durations: tuple[float, float, float] = (100.0, 0.0, 0.0)
    levels: tuple[float, float, float] = (-65.0, -65.0, -65.0)
    resistance: float = 1.0


@dataclass(frozen=True)
class GapJunction:
    """An electrical synapse: a current conductance · (v − v of the other site) out of either site.

    ``conductance`` in µS. The other site's voltage is that before the step, as in a NEURON
    mechanism that reads it through a pointer; so a large conductance needs a small time step.
    """

    site: Site
    other: Site
    conductance: float = 1e-3
