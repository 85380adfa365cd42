"""Regions of a cell: the nodes a cable, a mechanism or a rule is meant for."""

from typing import Literal, get_args

import numpy as np

from engine.compartments import CompartmentTree
from engine.errors import UserError
from engine.morphology.model import Tag
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
