"""The order in which the CPU stores a cell's nodes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.schedule import depths
from engine.types import BoolArray, FloatArray, IntArray

PIECES = (1, 2, 4, 8, 16, 32)
"""Subtrees a part is made of, at least: more balance the parts better and make the trunk larger."""
LARGEST_EXCESS = 0.15
"""Of all nodes: what one core may do beyond its even share; a tree that needs more is not cut."""


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
    level_start : (n_level + 1,) int64
        Where, from the first place that is no root's on, depth or part changes: no node in between
        is another one's parent.
    start : (n_part + 1,) int64
        Places where the parts begin that cores work on at once; before the first one lies the
        trunk. One part, all but the roots, on one core.
    joint : (n_joint,) uint32
        Where there are several parts: places whose parent is in the trunk, in the order in which
        they reach it: deepest first, siblings in descending index.
    """

    order: IntArray
    place: IntArray
    parent: NDArray[np.uint32]
    n_root: int
    level_start: NDArray[np.int64]
    start: NDArray[np.int64]
    joint: NDArray[np.uint32]

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
    return _layout(parent, np.zeros(len(parent), np.int64), 1)


def part_order(parent: IntArray, n_part: int) -> Layout | None:
    """Nodes by part, trunk first, within a part by depth.

    Whole subtrees go to the parts, the largest first, each to the part that has the least. What
    lies above them is the trunk, which one core eliminates when all parts are done.

    Parameters
    ----------
    parent : (n_comp,) int32
        As in :func:`level_order`.
    n_part

    Returns
    -------
    Layout or None
        None where the tree cannot be cut so that the trunk and the largest part are small.
    """
    n = len(parent)
    size = np.ones(n, np.int64)
    for i in range(n - 1, -1, -1):
        if parent[i] >= 0:
            size[parent[i]] += size[i]
    cuts = [_cut(parent, size, n_part, n // (pieces * n_part)) for pieces in PIECES]
    critical, in_trunk, of_top = min(cuts, key=lambda cut: cut[0])
    if critical > n * (1 / n_part + LARGEST_EXCESS):
        return None
    part = np.zeros(n, np.int64)
    for i in range(n):
        if not in_trunk[i]:
            part[i] = 1 + of_top[i] if i in of_top else part[parent[i]]
    return _layout(parent, part, n_part)


def _cut(
    parent: IntArray, size: NDArray[np.int64], n_part: int, small: int
) -> tuple[int, BoolArray, dict[int, int]]:
    """Subtrees of at most ``small`` nodes given to parts.

    Returns
    -------
    critical, in_trunk, of_top
        Nodes that are done one after the other (trunk and largest part), which nodes are in the
        trunk, and the part of each subtree by its top.
    """
    in_trunk = (size > small) | (parent < 0)
    top = np.flatnonzero(~in_trunk & in_trunk[parent])
    load, of_top = np.zeros(n_part, np.int64), {}
    for i in top[np.argsort(-size[top], kind="stable")]:
        of_top[int(i)] = least = int(np.argmin(load))
        load[least] += size[i]
    return int(in_trunk.sum() + load.max()), in_trunk, of_top


def _layout(parent: IntArray, part: NDArray[np.int64], n_part: int) -> Layout:
    depth = depths(parent)
    order = np.lexsort((np.arange(len(parent)), depth, part)).astype(np.int32)
    place = np.empty_like(order)
    place[order] = np.arange(len(order), dtype=np.int32)
    up = parent[order]
    n_root = int(np.count_nonzero(parent < 0))
    joint = np.empty(0, np.int64)
    if n_part > 1:
        start = np.searchsorted(part[order], np.arange(1, n_part + 2)).astype(np.int64)
        joint = np.flatnonzero((parent >= 0) & (part[parent] == 0))
        joint = joint[np.lexsort((-joint, -depth[joint]))]
    else:
        start = np.array([n_root, len(parent)], np.int64)
    new = np.flatnonzero(np.diff(depth[order]) | np.diff(part[order])) + 1
    levels = np.unique([n_root, *new[new > n_root], len(parent)]).astype(np.int64)
    return Layout(
        order=order,
        place=place,
        parent=np.where(up < 0, 0, place[up]).astype(np.uint32),
        n_root=n_root,
        level_start=levels,
        start=start,
        joint=place[joint].astype(np.uint32),
    )
