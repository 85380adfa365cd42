"""The schedules without choice: one node after another, and whole levels cut into chunks."""

from typing import Literal

import numpy as np

from engine.schedule.dhs import position_in_step
from engine.schedule.topology import Topology
from engine.types import IntArray


def hines(tree: Topology) -> tuple[IntArray, IntArray, IntArray]:
    """One thread takes one node after another, from the highest index down: M. Hines (1984)."""
    node = np.flatnonzero(tree.parent >= 0)[::-1].astype(np.int32)
    return node, np.arange(node.size + 1, dtype=np.int32), np.zeros(node.size, np.int32)


def heights(tree: Topology) -> IntArray:
    """(n_comp,) int32, edges from every node down to its farthest tip; 0 at a tip."""
    height = np.zeros(tree.n_comp, np.int32)
    by_depth = np.argsort(tree.depth, kind="stable")
    start = np.searchsorted(tree.depth[by_depth], np.arange(tree.depth.max() + 2))
    for d in range(tree.depth.max(), 0, -1):
        level = by_depth[start[d] : start[d + 1]]
        np.maximum.at(height, tree.parent[level], height[level] + 1)
    return height


def levels(
    tree: Topology, n_threads: int, by: Literal["depth", "height"]
) -> tuple[IntArray, IntArray, IntArray]:
    """Level by level, each cut into chunks of k; a step never mixes levels.

    By depth the deepest level comes first; by height the tips come first, wherever they are.
    """
    level = -tree.depth if by == "depth" else heights(tree)
    node = tree.eliminated[np.argsort(level[tree.eliminated], kind="stable")]
    if not node.size:
        return node, np.zeros(1, np.int32), node
    first = np.flatnonzero(np.diff(level[node], prepend=level[node[0]] - 1))
    position = np.arange(node.size) - np.repeat(first, np.diff(first, append=node.size))
    start = np.flatnonzero(position % n_threads == 0)
    step_start = np.append(start, node.size).astype(np.int32)
    return node, step_start, position_in_step(step_start)
