"""Whole branches to threads: the paper's comparison (``primary_branch_split`` of DeepDendrite).

One node is chosen to split the cell at; each tree below it goes whole to a thread, and what is left
(the trunk) is done by one thread after all the others have ended.
"""

import heapq

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
    offset = 0
    for nodes in np.split(by_cell, np.flatnonzero(np.diff(cell[by_cell])) + 1):
        if nodes.size:
            group, largest = _groups(tree, nodes, n_threads)
            step[nodes] = offset + _steps(group, largest, n_threads)
            thread[nodes] = np.where(group < 0, largest, group)
            offset = int(step[nodes].max()) + 1
    node = eliminated[np.lexsort((thread[eliminated], step[eliminated]))]
    step_start = np.searchsorted(step[node], np.arange(offset + 1)).astype(np.int32)
    return node, step_start, thread[node]


def _groups(tree: Topology, nodes: IntArray, n_threads: int) -> tuple[np.ndarray, int]:
    """Thread of each of a cell's nodes, -1 for the trunk, and the thread with most to do."""
    root = tree.parent[nodes[-1]]  # of the first node breadth first
    inside = np.concatenate(([root], nodes[::-1]))
    is_branch = (tree.size > SPINE_SIZE) & (tree.parent >= 0)
    n_branch = np.bincount(tree.parent[nodes], weights=is_branch[nodes], minlength=tree.n_comp)
    split = inside[np.argmax(n_branch[inside])]
    tops = tree.child[tree.child_start[split] : tree.child_start[split + 1]]  # ascending size
    group_of = np.full(tree.n_comp, -1, np.int32)
    load = [(0, t) for t in range(n_threads)]
    for top in tops:
        size, t = load[0]
        group_of[top] = t
        heapq.heapreplace(load, (size + int(tree.size[top]), t))
    largest = max(load, key=lambda entry: (entry[0], -entry[1]))[1]
    above = np.where(tree.parent < 0, np.arange(tree.n_comp), tree.parent)
    above[tops] = tops
    return group_of[follow(above)[nodes]], largest


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
