"""Whole branches to threads: the paper's comparison (``primary_branch_split`` of DeepDendrite).

One node is chosen to split the cell at; each tree below it goes whole to a thread, and what is left
(the trunk) is done by one thread after all the others have ended.
"""

import heapq
from collections.abc import Sequence

import numpy as np

from engine.schedule.topology import Topology, follow
from engine.types import IntArray

SPINE_SIZE = 4
"""A tree of so few nodes is a spine and no branch."""


def branches(tree: Topology, n_threads: int) -> tuple[IntArray, IntArray, IntArray]:
    """Split a cell at the node with most branches; each branch goes to the thread with least work.

    The cost is the largest group of branches and then the trunk. Every thread takes its branches'
    nodes one by one in reverse breadth-first order, beginning at the first step; the trunk follows
    on the thread of the largest group, when every branch is done, so children always come earlier.
    Several cells follow one another.

    Returns
    -------
    node, step_start, thread
        As :func:`engine.schedule.dhs.dhs`.
    """
    eliminated = tree.eliminated[::-1]
    step = np.zeros(tree.n_comp, np.int64)
    thread = np.zeros(tree.n_comp, np.int32)
    cell = tree.cells()
    by_cell = eliminated[np.argsort(cell[eliminated], kind="stable")]
    cells = np.split(by_cell, np.flatnonzero(np.diff(cell[by_cell])) + 1)
    cells = [nodes for nodes in cells if nodes.size]
    group, largest = _groups(tree, cells, n_threads)
    offset = 0
    for nodes, most in zip(cells, largest, strict=True):
        own = group[nodes]
        step[nodes] = offset + _steps(own, most, n_threads)
        thread[nodes] = np.where(own < 0, most, own)
        offset = int(step[nodes].max()) + 1
    node = eliminated[np.lexsort((thread[eliminated], step[eliminated]))]
    step_start = np.searchsorted(step[node], np.arange(offset + 1)).astype(np.int32)
    return node, step_start, thread[node]


def _groups(
    tree: Topology, cells: Sequence[IntArray], n_threads: int
) -> tuple[IntArray, list[int]]:
    """Thread of every node, -1 for trunks and roots, and each cell's thread with most to do."""
    is_branch = (tree.size > SPINE_SIZE) & (tree.parent >= 0)
    n_branch = np.bincount(tree.parent[is_branch], minlength=tree.n_comp)
    group = np.full(tree.n_comp, -1, np.int32)
    above = np.where(tree.parent < 0, np.arange(tree.n_comp), tree.parent)
    largest = []
    for nodes in cells:
        root = tree.parent[nodes[-1]]  # of the first node breadth first
        inside = np.concatenate(([root], nodes[::-1]))
        split = inside[np.argmax(n_branch[inside])]
        load = [(0, t) for t in range(n_threads)]
        tops = tree.child[tree.child_start[split] : tree.child_start[split + 1]]  # ascending size
        for top in tops.tolist():
            size, t = load[0]
            group[top] = t
            heapq.heapreplace(load, (size + int(tree.size[top]), t))
        largest.append(max(load, key=lambda entry: (entry[0], -entry[1]))[1])
        above[tops] = tops
    return group[follow(above)], largest


def _steps(group: np.ndarray, largest: int, n_threads: int) -> np.ndarray:
    """Step of every node, given in reverse breadth-first order with its group."""
    count = np.bincount(group[group >= 0], minlength=n_threads)
    step = np.empty(group.size, np.int64)
    by_group = np.argsort(group, kind="stable")
    n_trunk = int(np.count_nonzero(group < 0))
    step[by_group[:n_trunk]] = count[largest] + np.arange(n_trunk)
    start = n_trunk + np.cumsum(count) - count
    step[by_group[n_trunk:]] = np.arange(n_trunk, group.size) - np.repeat(start, count)
    return step
