"""Values that change along a cell: a density or a potential as a function of path distance."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from engine.errors import UserError
from engine.stimuli import Site
from engine.types import FloatArray

Shape = Literal["uniform", "linear", "exponential", "sigmoid", "step"]


@dataclass(frozen=True)
class Distribution:
    """``base · (offset + scale · f(d))`` with d the path distance in µm.

    ==============  ==================================================
    shape           f(d)
    ==============  ==================================================
    ``uniform``     1
    ``linear``      d
    ``exponential`` exp(rate · d)
    ``sigmoid``     1 / (1 + exp((d − middle) / width))
    ``step``        1 where start < d < stop, else 0
    ==============  ==================================================

    Attributes
    ----------
    limit : µm
        Places farther away count as this far.
    origin : Site or None
        Where d is measured from; None: the middle of the soma, or of the first section.
    relative : bool
        d is a fraction of the largest distance of any section's end in the region, as the published
        rule of Hay et al. 2011 has it: ``Distribution("exponential", 2e-4, -0.8696, 2.087, 3.6161,
        origin=Site("apic[0]", 0), relative=True)``.
    """

    shape: Shape = "uniform"
    base: float = 1.0
    offset: float = 0.0
    scale: float = 1.0
    rate: float = 1.0
    middle: float = 0.0
    width: float = 1.0
    start: float = 0.0
    stop: float = 1e9
    limit: float = 1e9
    origin: Site | None = None
    relative: bool = False

    def __str__(self) -> str:
        d = "d/d_max" if self.relative else "d"
        d = d if self.limit == 1e9 else f"min({d}, {self.limit:g})"
        function = {
            "uniform": "1",
            "linear": d,
            "exponential": f"exp({self.rate:g}·{d})",
            "sigmoid": f"1/(1 + exp(({d} − {self.middle:g})/{self.width:g}))",
            "step": f"[{self.start:g} < {d} < {self.stop:g}]",
        }[self.shape]
        scaled = function if self.scale == 1 else f"{self.scale:g}·{function}"
        inner = scaled if self.offset == 0 else f"{self.offset:g} + {scaled}"
        return inner if self.base == 1 else f"{self.base:g}·({inner})"

    def __format__(self, spec: str) -> str:
        return str(self)

    def at(self, distance: FloatArray) -> FloatArray:
        """The value at distances (n,) in µm, or in fractions where ``relative``."""
        distance = np.minimum(distance, self.limit)
        match self.shape:
            case "uniform":
                f = np.ones_like(distance)
            case "linear":
                f = distance
            case "exponential":
                f = np.exp(distance * self.rate)
            case "sigmoid":
                f = 1 / (1 + np.exp((distance - self.middle) / self.width))
            case "step":
                f = ((distance > self.start) & (distance < self.stop)).astype(float)
        return self.base * (self.offset + self.scale * f)


Value = float | Distribution
"""A number, or what it is at every distance."""


def check_value(value: Value, what: str) -> None:
    """Refuse what is no number anywhere.

    Raises
    ------
    UserError
        Names ``what`` and the field.
    """
    if not isinstance(value, Distribution):
        if not math.isfinite(value):
            raise UserError(f"{what} is {value}; write a number")
        return
    if value.shape not in get_args(Shape):
        raise UserError(
            f"{what} has the shape '{value.shape}'; there is {', '.join(get_args(Shape))}"
        )
    for name in ("base", "offset", "scale", "rate", "middle", "width", "start", "stop", "limit"):
        if not math.isfinite(number := getattr(value, name)):
            raise UserError(f"{what}: {name} of its distribution is {number}; write a number")
    if value.shape == "sigmoid" and value.width == 0:
        raise UserError(f"{what}: the width of a sigmoid is 0; write a distance such as 30 µm")
    if value.shape == "step" and value.start >= value.stop:
        raise UserError(
            f"{what}: the step goes from {value.start:g} to {value.stop:g}, which holds nothing; "
            "start must lie before stop"
        )
