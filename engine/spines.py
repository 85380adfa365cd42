"""Dendritic spines as descriptions: their shape, single ones, and so many on every micrometer."""

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from engine.errors import UserError
from engine.regions import Region, Subset
from engine.stimuli import Site

HEAD = 2 * math.sqrt(2.8 / (4 * math.pi))
"""µm: length and diameter of a cylinder of 2.8 µm², the head of Eyal et al. 2018."""
PER_UM = 1.3
"""Spines on a µm of dendrite of a human L2/3 cell, Eyal et al. 2018."""
FIRST_SPINE = 60.0
"""µm of path from the soma up to which dendrites bear none, Eyal et al. 2018."""
Part = Literal["neck", "head", "end"]
PARTS: tuple[Part, ...] = ("neck", "head", "end")
_NAME = re.compile(r"(spine|neck)\[(\d+)\]")
_MANY = 2**14
"""Places on spines that are kept: the cells of a batch have theirs under the same names."""


@dataclass(frozen=True)
class SpineShape:
    """Two cylinders, the neck on the dendrite and the head on the neck; one segment each.

    Lengths and diameters in µm. ``cm`` (µF/cm²), ``ra`` (Ω·cm) and the leak (``g_pas`` in S/cm²,
    ``e_pas`` in mV) are those of the segment that bears the spine where they are None.
    """

    neck_length: float = 1.35
    neck_diameter: float = 0.25
    head_length: float = HEAD
    head_diameter: float = HEAD
    cm: float | None = None
    g_pas: float | None = None
    e_pas: float | None = None
    ra: float | None = None

    @property
    def neck_area(self) -> float:
        """µm² of membrane, without ends."""
        return math.pi * self.neck_diameter * self.neck_length

    @property
    def head_area(self) -> float:
        """µm² of membrane, without ends."""
        return math.pi * self.head_diameter * self.head_length

    def check(self, what: str) -> None:
        """Refuse cylinders that are none and a membrane that cannot be.

        Raises
        ------
        UserError
            Names ``what``.
        """
        for name in ("neck_length", "neck_diameter", "head_length", "head_diameter"):
            if not (math.isfinite(value := getattr(self, name)) and value > 0):
                kind, _, side = name.partition("_")
                raise UserError(
                    f"{what}: the {kind}'s {side} is {value:g} µm; it must be positive, such as "
                    f"{getattr(SpineShape(), name):.3g} µm"
                )
        for name, unit in (("cm", "µF/cm²"), ("ra", "Ω·cm")):
            given = getattr(self, name)
            if given is not None and not (math.isfinite(given) and given > 0):
                raise UserError(
                    f"{what}: {name} is {given:g} {unit}; it must be positive, or nothing for that "
                    "of the dendrite"
                )
        if self.g_pas is not None and not (math.isfinite(self.g_pas) and self.g_pas >= 0):
            raise UserError(f"{what}: g_pas is {self.g_pas:g} S/cm²; it must be 0 or more")
        if self.e_pas is not None and not math.isfinite(self.e_pas):
            raise UserError(f"{what}: e_pas is {self.e_pas} mV; write a number")


HUMAN_SPINE = SpineShape(cm=0.44, g_pas=1 / 48300, e_pas=-86.0, ra=261.97)
"""A spine of the human L2/3 cell of Eyal et al. 2018."""


@dataclass(frozen=True)
class Spine:
    """One spine of which something is known: a synapse sits on it, or it is recorded.

    Attributes
    ----------
    site : Site
        Where its neck begins.
    shape : SpineShape or None
        None: that of the density whose spine it is, else the one of :class:`SpineShape` as it is.
    taken : bool
        It is one of those that a density has put on this segment, which has one fewer left; where
        none is left it is one more.
    """

    site: Site
    shape: SpineShape | None = None
    taken: bool = False


@dataclass(frozen=True)
class SpineDensity:
    """Equal spines on every segment of a region: ⌊L · per_um⌋ on one of L µm.

    Attributes
    ----------
    region, where
        As of :class:`engine.experiment.Insertion`.
    per_um : 1/µm
    min_distance : µm
        Segments whose middle is not farther than this from the middle of the soma bear none.
    shape : SpineShape
    """

    region: Region = "dendrite"
    where: Subset | None = None
    per_um: float = PER_UM
    min_distance: float = FIRST_SPINE
    shape: SpineShape = SpineShape()

    def check(self, what: str) -> None:
        """Refuse numbers that mean nothing.

        Raises
        ------
        UserError
            Names ``what``.
        """
        if not (math.isfinite(self.per_um) and self.per_um >= 0):
            raise UserError(f"{what}: {self.per_um:g} spines per µm; write 0 or more, such as 1.3")
        if not math.isfinite(self.min_distance):
            raise UserError(f"{what}: min_distance is {self.min_distance} µm; write a number")
        if self.where is not None:
            self.where.check(what)
        self.shape.check(what)


SPINY = Subset(farther=FIRST_SPINE)


@dataclass(frozen=True)
class FFactor:
    """Spines that are not there as a factor on the membrane's capacitance and leak (``pas``).

    Attributes
    ----------
    factor
        (dendrite + spines) / dendrite in membrane area, see :func:`engine.twigs.f_factor`.
    region, where, segment_ends
        As of :class:`engine.experiment.Insertion`.
    """

    factor: float
    region: Region = "dendrite"
    where: Subset | None = SPINY
    segment_ends: bool = True


def place_on_spine(site: Site) -> tuple[int, Part] | None:
    """Which spine of ``Experiment.spines`` a site means and what of it; None on the cell itself.

    ``spine[7]`` at 1 is the end of the head of spine 7, at any other x its middle; ``neck[7]`` is
    the middle of its neck.

    Raises
    ------
    UserError
        If the x is at a place that has no node of its own.
    """
    if not site.section.startswith(("spine[", "neck[")):
        return None
    return _place_on_spine(site)


@lru_cache(_MANY)
def _place_on_spine(site: Site) -> tuple[int, Part] | None:
    found = _NAME.fullmatch(site.section)
    if not found:
        return None
    kind, number = found.group(1), int(found.group(2))
    if kind == "spine" and 0 < site.x <= 1:
        return number, "end" if site.x == 1 else "head"
    if kind == "neck" and 0 < site.x < 1:
        return number, "neck"
    if 0 <= site.x <= 1:
        raise UserError(
            f"{site}: where a neck begins and where it ends there is nothing to sit on; use "
            f"neck[{number}](0.5), spine[{number}](0.5) or spine[{number}](1)"
        )
    raise UserError(f"{site}: position {site.x:g} is outside the spine; use 0 to 1")


@lru_cache(_MANY)
def on_spine(part: Part, number: int) -> Site:
    """The site of a part of a spine: :func:`place_on_spine` the other way round."""
    if part == "neck":
        return Site(f"neck[{number}]", 0.5)
    return Site(f"spine[{number}]", 1.0 if part == "end" else 0.5)
