"""The order in which the CPU stores a cell's nodes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.schedule import depths
from engine.types import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Layout:
    """Nodes by depth, roots first; within a depth as in the tree.

    Neighbors in memory are then nodes that do not depend on each other, so one core works on many
    of them at once (the sweep takes half the time it takes along the branches). Siblings keep their
    order, so the arithmetic is that of the serial elimination, bit for bit.

    Attributes
    ----------
    order : (n_comp,) int32
        The tree's node at each place.
    place : (n_comp,) int32
        The place of each node of the tree.
    parent : (n_comp,) uint32
        Place of the parent of the node at each place; 0, which means nothing, at roots.
    n_root : int
    """

    order: IntArray
    place: IntArray
    parent: NDArray[np.uint32]
    n_root: int

    def arrange(self, values: FloatArray) -> FloatArray:
        """Values by node of the tree to values by place."""
        return np.ascontiguousarray(values[self.order])


def level_order(parent: IntArray) -> Layout:
    """Nodes by depth.

    Parameters
    ----------
    parent : (n_comp,) int32
        ``parent[i] < i``, -1 at roots.
    """
    depth = depths(parent)
    order = np.argsort(depth, kind="stable").astype(np.int32)
    place = np.empty_like(order)
    place[order] = np.arange(len(order), dtype=np.int32)
    up = parent[order]
    return Layout(
        order=order,
        place=place,
        parent=np.where(up < 0, 0, place[up]).astype(np.uint32),
        n_root=int(np.count_nonzero(parent < 0)),
    )
