"""Places on a cell and what is done to them."""

from dataclasses import dataclass


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
