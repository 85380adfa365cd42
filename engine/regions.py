"""Regions of a cell: the nodes a cable, a mechanism or a rule is meant for."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, get_args

import numpy as np

from engine.compartments import CompartmentTree
from engine.errors import UserError
from engine.morphology.model import Tag
from engine.stimuli import Site
from engine.types import BoolArray, IntArray

Region = Literal["all", "soma", "axon", "basal", "apical", "dendrite", "other"]

TAGS: dict[str, tuple[int, ...]] = {
    "soma": (Tag.SOMA,),
    "axon": (Tag.AXON,),
    "basal": (Tag.BASAL,),
    "apical": (Tag.APICAL,),
    "dendrite": (Tag.BASAL, Tag.APICAL),
}
"""SWC structure types of each region; ``other`` is every type that stands here nowhere."""


@dataclass(frozen=True)
class Subset:
    """What of a region is meant; every condition must hold, None and () are no condition.

    Attributes
    ----------
    sections : tuple of str
        Names of sections (``apic[3]``) or of all sections of an array (``apic``).
    farther, nearer : µm
        Path distance from ``origin``: farther < d < nearer.
    thicker, thinner : µm
        Diameter of the segment: thicker < diameter < thinner.
    origin : Site or None
        None: the middle of the soma, or of the first section.
    whole_sections : bool
        Distance and diameter are looked at in the middle of a section and hold for all of it.
    """

    sections: tuple[str, ...] = ()
    farther: float | None = None
    nearer: float | None = None
    thicker: float | None = None
    thinner: float | None = None
    origin: Site | None = None
    whole_sections: bool = False

    def check(self, what: str) -> None:
        """Refuse bounds that are no numbers or hold nothing.

        Raises
        ------
        UserError
            Names ``what``.
        """
        for low, high in (("farther", "nearer"), ("thicker", "thinner")):
            a, b = getattr(self, low), getattr(self, high)
            for name, bound in ((low, a), (high, b)):
                if bound is not None and not math.isfinite(bound):
                    raise UserError(f"{what}: {name} is {bound}; write a number of µm or nothing")
            if a is not None and b is not None and a >= b:
                raise UserError(
                    f"{what}: nothing is {low} than {a:g} µm and {high} than {b:g} µm; "
                    "exchange the two"
                )


def mask_of_names(names: Sequence[str], wanted: Sequence[str]) -> BoolArray:
    """True where a section is meant by a name or by the name of its array.

    Raises
    ------
    UserError
        If a wanted name means no section; names a close match.
    """
    arrays = [name.partition("[")[0] for name in names]
    chosen = np.zeros(len(names), bool)
    for want in wanted:
        here = np.array([want in (name, array) for name, array in zip(names, arrays, strict=True)])
        if not here.any():
            known = list(dict.fromkeys((*names, *arrays)))
            near = get_close_matches(want, known, 1)
            hint = f"did you mean '{near[0]}'?" if near else f"it has {', '.join(names[:3])} …"
            raise UserError(f"the cell has no section '{want}'; {hint}")
        chosen |= here
    return chosen


def mask_of_tags(tag: IntArray, region: Region) -> BoolArray:
    """True where a structure type belongs to a region.

    Parameters
    ----------
    tag : (n,) int32
        SWC structure types.
    region : Region

    Raises
    ------
    UserError
        If there is no such region.
    """
    if region not in get_args(Region):
        known = ", ".join(get_args(Region))
        raise UserError(f"region '{region}' is not one of {known}")
    if region == "all":
        return np.ones(len(tag), bool)
    if region == "other":
        return ~np.isin(tag, [t for tags in TAGS.values() for t in tags])
    return np.isin(tag, TAGS[region])


def select(tree: CompartmentTree, region: Region) -> IntArray:
    """Nodes of a region, massless ones included, in ascending order.

    Parameters
    ----------
    tree : CompartmentTree
    region : Region
        By the structure type of the file: ``dendrite`` is basal and apical, ``other`` whatever is
        neither soma, axon nor dendrite.

    Returns
    -------
    (n,) int32

    Raises
    ------
    UserError
        If the cell has no such region; names those it has.
    """
    nodes = np.flatnonzero(mask_of_tags(tree.tag, region)).astype(np.int32)
    if not nodes.size:
        names = ("soma", "axon", "basal", "apical", "other")
        present = ", ".join(r for r in names if mask_of_tags(tree.tag, r).any())  # type: ignore[arg-type]
        raise UserError(f"the cell has no {region} compartments; it has {present}")
    return nodes
