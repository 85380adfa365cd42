"""How short a schedule of a tree can be, from the depths of its nodes alone (T. C. Hu, 1961)."""

import numpy as np
from numba import njit

from engine.types import IntArray


@njit(nogil=True, cache=True)
def _depths(parent: IntArray) -> IntArray:
    depth = np.zeros(parent.size, np.int32)
    for i in range(parent.size):
        if parent[i] >= 0:
            depth[i] = depth[parent[i]] + 1
    return depth


def depths(parent: IntArray) -> IntArray:
    """Number of ancestors of every node.

    Parameters
    ----------
    parent : (n_comp,) int32
        Parents first; -1 at a root.

    Returns
    -------
    (n_comp,) int32
        0 at a root.
    """
    return _depths(np.ascontiguousarray(parent, dtype=np.int32))


def _deeper(parent: IntArray) -> IntArray:
    """``deeper[d]``: nodes with more than d ancestors, for d from 0 to the depth of the tree."""
    count = np.bincount(depths(parent))
    return count.sum() - np.cumsum(count)


def lower_bound(parent: IntArray, n_threads: int) -> int:
    """Fewest steps any schedule of a tree (or forest) can have; roots are not counted.

    Whatever the order, after the last of the nodes deeper than d is done, its ancestors at depths
    d, d-1, ..., 1 still wait for one another. So the steps are at least

        max over d of  d + ceil(number of nodes deeper than d / k).

    Taking the k deepest candidates meets this on every tree: T. C. Hu, Operations Research 9:841
    (1961).

    Parameters
    ----------
    parent : (n_comp,) int32
        Parents first; -1 at a root.
    n_threads : int
        k, at least 1.
    """
    deeper = _deeper(parent)
    return int(np.max(np.arange(deeper.size) - (-deeper // n_threads)))


def threads_needed(parent: IntArray) -> int:
    """Fewest threads with which a schedule is as short as the tree is deep; more cannot help.

    The smallest k with ``ceil(deeper[d] / k) <= depth - d`` for every d.
    """
    deeper = _deeper(parent)[:-1]
    if not deeper.size:
        return 1
    return int(np.max(-(-deeper // np.arange(deeper.size, 0, -1))))
