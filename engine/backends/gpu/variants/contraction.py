# mypy: disable-error-code="no-untyped-def"
"""Elimination in few rounds: tips are taken off, and idle threads take nodes out of cables.

A schedule of tips alone cannot be shorter than its tree is deep. But a node with one child left can
go as well: its parent and its child are then joined by one conductance (Gauss elimination makes no
other entry), and of an unbranched run every other node can go at once, so a run of n nodes takes
log2(n) rounds. Tips first, the deepest ones, as in dendritic hierarchical scheduling; what is left
of the k threads takes nodes out of cables. G. L. Miller & J. H. Reif, FOCS 478 (1985), call the two
rake and compress; the number of rounds grows with the logarithm of the number of nodes.

The order of elimination is not Hines', so the last digits differ from his.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from engine.schedule.dhs import _pop, _push
from engine.schedule.topology import make_topology
from engine.types import IntArray


@dataclass(frozen=True, eq=False)
class Contraction:
    """Rounds of a tree; roots are not taken.

    Attributes
    ----------
    node : (n_comp - n_root,) int32
        In the order of elimination; in each round first the tips, then nodes out of cables.
    round_start : (n_round + 1,) int32
    inner_start : (n_round,) int32
        Where in ``node`` the nodes out of cables begin in each round.
    above, below : (n_comp,) int32
        Parent and, for a node out of a cable, only child at the time a node is taken; else -1.
    parent : (n_comp,) int32
    """

    node: IntArray
    round_start: IntArray
    inner_start: IntArray
    above: IntArray
    below: IntArray
    parent: IntArray

    @property
    def n_round(self) -> int:
        return len(self.round_start) - 1

    @property
    def n_inner(self) -> int:
        """Nodes taken out of cables."""
        return int(np.count_nonzero(self.below >= 0))


def contract(parent: IntArray, n_threads: int) -> Contraction:
    """Rounds for k threads.

    Parameters
    ----------
    parent : (n_comp,) int32
        Parents first, -1 at a root.
    n_threads : int
        Most nodes a round takes.
    """
    tree = make_topology(parent)
    by_depth = tree.order[np.argsort(-tree.depth[tree.order], kind="stable")]
    rank = np.empty_like(by_depth)
    rank[by_depth] = np.arange(tree.n_comp, dtype=np.int32)
    count = tree.child.size
    node, starts = np.empty(count, np.int32), np.zeros((2, count + 1), np.int32)
    above, below = tree.parent.copy(), np.full(tree.n_comp, -1, np.int32)
    n_round = _contract(
        above, below, np.diff(tree.child_start), by_depth, rank, tree.order, n_threads, node, starts
    )
    return Contraction(
        node, starts[0, : n_round + 1].copy(), starts[1, :n_round].copy(), above, below, tree.parent
    )


@njit(nogil=True, cache=True)
def _contract(above, below, n_child, at, rank, order, n_threads, node, starts):
    """Fill ``node``, ``starts``, ``below`` and turn parents into those at the time of taking.

    ``only[i]`` is the exclusive or of the children of i that are left: the child, if there is one.
    ``n_child`` counts those, and is spent.
    """
    n = above.size
    only = np.zeros(n, np.int32)
    for i in range(n):
        if above[i] >= 0:
            only[above[i]] ^= np.int32(i)
    gone = np.zeros(n, np.bool_)
    alive = order.copy()
    n_alive = n
    heap = np.empty(n, np.int32)
    waiting = 0
    for i in at:
        if n_child[i] == 0 and above[i] >= 0:
            _push(heap, waiting, rank[i])
            waiting += 1
    done, n_round = 0, 0
    while done < node.size:
        first = done
        for _ in range(min(n_threads, waiting)):
            i = at[_pop(heap, waiting)]
            waiting -= 1
            node[done] = i
            gone[i] = True
            done += 1
        starts[1, n_round] = done
        if done - first < n_threads:
            left = 0
            for j in range(n_alive):  # roots first, so every other node of a run is found
                i = alive[j]
                if gone[i] and above[i] >= 0:
                    continue
                alive[left] = i
                left += 1
                if above[i] < 0 or n_child[i] != 1 or done - first >= n_threads:
                    continue
                if not gone[above[i]] and not gone[only[i]]:
                    gone[i] = True
                    below[i] = only[i]
                    node[done] = i
                    done += 1
            n_alive = left
        for j in range(first, done):
            i, p = node[j], above[node[j]]
            if below[i] >= 0:
                above[below[i]] = p
                only[p] ^= np.int32(i ^ below[i])
            else:
                only[p] ^= np.int32(i)
                n_child[p] -= 1
                if n_child[p] == 0 and above[p] >= 0:
                    _push(heap, waiting, rank[p])
                    waiting += 1
        n_round += 1
        starts[0, n_round] = done
    return n_round
