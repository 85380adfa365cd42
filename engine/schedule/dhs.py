"""Dendritic hierarchical scheduling: in every step the k deepest nodes whose children are all done.

Y. Zhang et al., Nat. Commun. 14:5798 (2023). It is Hu's "highest level first" (1961), so no
schedule is shorter.
"""

import numpy as np
from numba import njit

from engine.schedule.topology import Topology
from engine.types import IntArray


@njit(nogil=True, cache=True)
def _push(heap, n, rank):  # type: ignore[no-untyped-def]
    """Put a rank into a heap of n, the least on top."""
    i = n
    while i > 0 and heap[(i - 1) >> 1] > rank:
        heap[i] = heap[(i - 1) >> 1]
        i = (i - 1) >> 1
    heap[i] = rank


@njit(nogil=True, cache=True)
def _pop(heap, n):  # type: ignore[no-untyped-def]
    """Take the least rank out of a heap of n."""
    least, last = heap[0], heap[n - 1]
    i, child = 0, 1
    while child < n - 1:
        if child + 1 < n - 1 and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= last:
            break
        heap[i] = heap[child]
        i, child = child, 2 * child + 1
    heap[i] = last
    return least


@njit(nogil=True, cache=True)
def _deepest_first(parent, waiting, at, rank, n_threads, node, step_start):  # type: ignore[no-untyped-def]
    """Fill ``node`` and ``step_start``; ``at`` holds nodes by priority, ``rank`` is its inverse.

    ``waiting`` counts the children not yet done, and is spent.
    """
    heap = np.empty(at.size, np.int32)
    n = 0
    for i in at:
        if waiting[i] == 0 and parent[i] >= 0:
            _push(heap, n, rank[i])
            n += 1
    n_step, done = 0, 0
    while done < node.size:
        taken = min(n_threads, n)
        for i in range(done, done + taken):
            node[i] = at[_pop(heap, n)]
            n -= 1
        for i in range(done, done + taken):
            p = parent[node[i]]
            waiting[p] -= 1
            if waiting[p] == 0 and parent[p] >= 0:
                _push(heap, n, rank[p])
                n += 1
        done += taken
        n_step += 1
        step_start[n_step] = done
    return n_step


def dhs(tree: Topology, n_threads: int) -> tuple[IntArray, IntArray, IntArray]:
    """Order of elimination with k threads; ties go to the smaller breadth-first number.

    Parents that become free in a step wait for the next. The i-th node of a step goes to thread i,
    so threads fall idle from the last to the first and a thread once idle stays so: candidates
    never grow in number.

    Returns
    -------
    node : (n_comp - n_root,) int32
    step_start : (n_step + 1,) int32
    thread : (n_comp - n_root,) int32
        Of ``node``.
    """
    by_depth = tree.order[np.argsort(-tree.depth[tree.order], kind="stable")]
    rank = np.empty_like(by_depth)
    rank[by_depth] = np.arange(tree.n_comp, dtype=np.int32)
    node = np.empty(tree.child.size, np.int32)
    step_start = np.zeros(node.size + 1, np.int32)
    waiting = np.diff(tree.child_start)
    n_step = _deepest_first(tree.parent, waiting, by_depth, rank, n_threads, node, step_start)
    step_start = step_start[: n_step + 1].copy()
    return node, step_start, position_in_step(step_start)


def position_in_step(step_start: IntArray) -> IntArray:
    """0, 1, 2, ... within every step: the threads where they are filled from the first."""
    width = np.diff(step_start)
    return (np.arange(step_start[-1]) - np.repeat(step_start[:-1], width)).astype(np.int32)
