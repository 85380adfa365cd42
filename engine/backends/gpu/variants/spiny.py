"""A cell with thousands of spines as one large tree, as the paper solves it."""

from dataclasses import dataclass

import numpy as np

from engine.backends.gpu.variants.systems import TreeSystem, step_system
from engine.compartments import CompartmentTree, path_distance
from engine.morphology.model import Tag
from engine.spines import FIRST_SPINE, PER_UM, SpineShape
from engine.types import FloatArray, IntArray
from engine.units import MOHM_UM_PER_OHM_CM

RA = 150.0
"""Ω·cm in the spines."""
NODES = 4
"""Of a spine in NEURON: neck, its end, head, its end."""


@dataclass(frozen=True, eq=False)
class SpinyTree:
    """A tree with four nodes for every spine behind those of the cell; (n_comp,), µS and µm²."""

    parent: IntArray
    g_axial: FloatArray
    area: FloatArray
    n_spine: int


def with_spines(
    tree: CompartmentTree,
    per_um: float = PER_UM,
    min_distance: float = FIRST_SPINE,
    shape: SpineShape | None = None,
) -> SpinyTree:
    """⌊L · per_um⌋ spines on every dendritic segment of L µm farther than that from the soma.

    Eyal et al., Front. Cell. Neurosci. 12:181 (2018); on their cell these are 24,994.
    """
    shape = shape or SpineShape()
    dendrite = np.isin(tree.tag, (Tag.BASAL, Tag.APICAL)) & (path_distance(tree) > min_distance)
    count = np.where(dendrite, np.floor(per_um * tree.length), 0).astype(int)
    host = np.repeat(np.arange(tree.n_comp, dtype=np.int32), count)
    first = tree.n_comp + NODES * np.arange(host.size, dtype=np.int32)
    parent = np.stack([host, first, first + 1, first + 2], axis=1)
    neck = _half(shape.neck_length, shape.neck_diameter)
    head = _half(shape.head_length, shape.head_diameter)
    g_axial = np.tile([neck, neck, head, head], host.size)
    area = np.tile([shape.neck_area, 0.0, shape.head_area, 0.0], host.size)
    return SpinyTree(
        np.concatenate([tree.parent, parent.ravel()]).astype(np.int32),
        np.concatenate([np.where(tree.parent < 0, 0.0, tree.g_axial), g_axial]),
        np.concatenate([tree.area, area]),
        host.size,
    )


def _half(length: float, diameter: float) -> float:
    """µS from the middle of a cylinder to its end."""
    return np.pi * diameter**2 / 4 / (RA * MOHM_UM_PER_OHM_CM * length / 2)


def spiny_system(tree: SpinyTree, dt: float = 0.025, copies: int = 1, seed: int = 0) -> TreeSystem:
    """A step of it, as :func:`engine.backends.gpu.variants.systems.passive_system`."""
    return step_system(tree.parent, tree.g_axial, tree.area, dt, copies, seed)
