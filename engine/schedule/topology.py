"""What the schedules need to know of a tree: sorted children, depths, breadth-first numbers.

The children of a node are ordered by the size of their trees, then by a hash of their shape, then
by index, as CoreNEURON and DeepDendrite order them; so equal cells get equal schedules however
their nodes are numbered.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from engine.compartments import CompartmentTree
from engine.errors import UserError
from engine.schedule.bound import depths
from engine.types import IntArray

MAX_THREADS = 1024
"""Threads of the largest block a GPU runs."""


@dataclass(frozen=True, eq=False)
class Topology:
    """A tree or forest with its children sorted.

    Attributes
    ----------
    parent, depth, size : (n_comp,) int32
        Parent, number of ancestors, and nodes in the tree below and including each node.
    child_start : (n_comp + 1,) int32
    child : (n_comp - n_root,) int32
        The children of i, sorted: ``child[child_start[i]:child_start[i + 1]]``.
    root : (n_root,) int32
        Sorted in the same way.
    order : (n_comp,) int32
        Nodes breadth first, children in sorted order; ``rank`` is its inverse.
    """

    parent: IntArray
    depth: IntArray
    size: IntArray
    child_start: IntArray
    child: IntArray
    root: IntArray
    order: IntArray
    rank: IntArray

    @property
    def n_comp(self) -> int:
        return len(self.parent)

    @property
    def eliminated(self) -> IntArray:
        """(n_comp - n_root,) all nodes but the roots, breadth first."""
        return self.order[self.root.size :]

    def cells(self) -> IntArray:
        """(n_comp,) number of the cell each node belongs to; cell c hangs on ``root[c]``."""
        cell = np.empty(self.n_comp, np.int32)
        cell[self.root] = np.arange(self.root.size)
        above = np.where(self.parent < 0, np.arange(self.n_comp), self.parent)
        return cell[follow(above)]


def follow(above: IntArray) -> IntArray:
    """The last node reached from every node by ``above``, which in the end points at itself."""
    while True:
        further = above[above]
        if np.array_equal(further, above):
            return above
        above = further


def as_parent(tree: CompartmentTree | IntArray) -> IntArray:
    """The parent array of a tree, checked.

    Raises
    ------
    UserError
        If it is not a tree (or forest) with parents before their children.
    """
    parent = np.asarray(tree.parent if isinstance(tree, CompartmentTree) else tree)
    if parent.ndim != 1 or not parent.size or not np.issubdtype(parent.dtype, np.integer):
        raise UserError(
            "a tree is given as a list of parent indices, one whole number for each node; "
            f"this is an array of {parent.dtype} of shape {parent.shape}"
        )
    index = np.arange(parent.size)
    if (bad := np.flatnonzero((parent < -1) | (parent >= parent.size))).size:
        i = bad[0]
        raise UserError(
            f"node {i} has parent {parent[i]}, which is not a node of the tree; "
            f"give 0 to {parent.size - 1}, or -1 for a root"
        )
    if (bad := np.flatnonzero(parent >= index)).size:
        i = bad[0]
        raise UserError(
            f"node {i} has parent {parent[i]}, which does not come before it: "
            "a schedule needs a tree without loops, numbered from the root outwards"
        )
    return np.ascontiguousarray(parent, dtype=np.int32)


def as_thread_count(n_threads: int) -> int:
    """The number of threads, checked.

    Raises
    ------
    UserError
        If it is not a whole number from 1 to 1024.
    """
    if isinstance(n_threads, bool) or not isinstance(n_threads, int | np.integer):
        raise UserError(f"the number of threads must be a whole number; {n_threads!r} is not")
    if not 1 <= n_threads <= MAX_THREADS:
        raise UserError(
            f"a cell cannot be given {n_threads} threads; "
            f"choose 1 to {MAX_THREADS} (the largest block of a GPU)"
        )
    return int(n_threads)


@njit(nogil=True, cache=True)
def _comes_before(i, j, size, shape):  # type: ignore[no-untyped-def]
    if size[i] != size[j]:
        return size[i] < size[j]
    if shape[i] != shape[j]:
        return shape[i] < shape[j]
    return i < j


@njit(nogil=True, cache=True)
def _sort_children(parent, child_start, child, size, shape):  # type: ignore[no-untyped-def]
    """Sizes and shape hashes from the tips to the roots; Shell-sorts children on the way."""
    for i in range(parent.size - 1, -1, -1):
        start, stop = child_start[i], child_start[i + 1]
        gap = 1
        while gap < (stop - start) // 9:
            gap = 3 * gap + 1
        while gap > 0:
            for a in range(start + gap, stop):
                c, b = child[a], a
                while b - gap >= start and _comes_before(c, child[b - gap], size, shape):
                    child[b] = child[b - gap]
                    b -= gap
                child[b] = c
            gap //= 3
        h = np.uint64(stop - start)
        n = 1
        for a in range(start, stop):
            c = child[a]
            h ^= shape[c] + np.uint64(0x9E3779B9) + (h << np.uint64(6)) + (h >> np.uint64(2))
            n += size[c]
        shape[i], size[i] = h, n


@njit(nogil=True, cache=True)
def _breadth_first(root, child_start, child, order, rank):  # type: ignore[no-untyped-def]
    n = 0
    for i in root:
        order[n] = i
        n += 1
    for i in range(order.size):
        rank[order[i]] = i
        for a in range(child_start[order[i]], child_start[order[i] + 1]):
            order[n] = child[a]
            n += 1


def make_topology(parent: IntArray) -> Topology:
    """Children in order, sizes and breadth-first numbers of a tree whose parents come first.

    The hash of a shape starts with the number of children c and takes up the sorted children's
    hashes one by one, ``h ^= hash + 0x9e3779b9 + (h << 6) + (h >> 2)`` in 64 bits; a tip has 0.

    Parameters
    ----------
    parent : (n_comp,) int32
        From :func:`as_parent`.
    """
    n_comp = parent.size
    n_root = int(np.count_nonzero(parent < 0))
    child_start = np.zeros(n_comp + 1, np.int32)
    np.cumsum(np.bincount(parent[parent >= 0], minlength=n_comp), out=child_start[1:])
    child = np.argsort(parent, kind="stable")[n_root:].astype(np.int32)
    size, shape = np.empty(n_comp, np.int32), np.empty(n_comp, np.uint64)
    _sort_children(parent, child_start, child, size, shape)
    root = np.flatnonzero(parent < 0).astype(np.int32)
    root = root[np.lexsort((root, shape[root], size[root]))]
    order, rank = np.empty(n_comp, np.int32), np.empty(n_comp, np.int32)
    _breadth_first(root, child_start, child, order, rank)
    return Topology(parent, depths(parent), size, child_start, child, root, order, rank)
