"""Dendritic hierarchical scheduling: in every step the k deepest nodes whose children are all done.

Y. Zhang et al., Nat. Commun. 14:5798 (2023). It is Hu's "highest level first" (1961), so no
schedule is shorter.
"""

import heapq

import numpy as np
from numba import njit

from engine.schedule.topology import Topology
from engine.types import IntArray


@njit(nogil=True, cache=True)
def _deepest_first(parent, n_child, at, rank, n_threads, node, step_start):  # type: ignore[no-untyped-def]
    """Fill ``node`` and ``step_start``; ``at`` holds nodes by priority, ``rank`` is its inverse."""
    waiting = n_child.copy()  # children not yet done
    candidates = [rank[i] for i in at if n_child[i] == 0 and parent[i] >= 0]  # sorted, hence a heap
    n_step, done = 0, 0
    while done < node.size:
        taken = min(n_threads, len(candidates))
        for i in range(done, done + taken):
            node[i] = at[heapq.heappop(candidates)]
        for i in range(done, done + taken):
            p = parent[node[i]]
            waiting[p] -= 1
            if waiting[p] == 0 and parent[p] >= 0:
                heapq.heappush(candidates, rank[p])
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
    n_child = np.diff(tree.child_start)
    n_step = _deepest_first(tree.parent, n_child, by_depth, rank, n_threads, node, step_start)
    step_start = step_start[: n_step + 1].copy()
    return node, step_start, position_in_step(step_start)


def position_in_step(step_start: IntArray) -> IntArray:
    """0, 1, 2, ... within every step: the threads where they are filled from the first."""
    width = np.diff(step_start)
    return (np.arange(step_start[-1]) - np.repeat(step_start[:-1], width)).astype(np.int32)
