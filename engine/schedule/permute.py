"""The node orders of CoreNEURON for graphics cards (``--cell-permute`` 1 and 2), for one warp.

P. Kumbhar et al., Front. Neuroinform. 13:63 (2019). Here the warp has k lanes instead of 32.
"""

import numpy as np
from numba import njit

from engine.schedule.topology import Topology
from engine.types import IntArray


def permute1(tree: Topology, n_threads: int) -> tuple[IntArray, IntArray, IntArray]:
    """One thread for each cell, cells interleaved: one cell takes as many steps as serial Hines.

    The nodes of a cell are numbered by visiting its nodes in ascending index and counting their
    children; they are eliminated from the highest number down, all cells beginning together. Where
    there are more cells than threads, thread t takes cells t, t + k, t + 2k, ... of the cells
    sorted by size, one after another.
    """
    number = _visit(tree.parent, tree.child_start, tree.child)
    cell, eliminated = tree.cells(), tree.eliminated
    thread = (cell % n_threads).astype(np.int32)
    key = np.lexsort((-number[eliminated], cell[eliminated], thread[eliminated]))
    by_thread = eliminated[key]  # every thread's nodes in the order it takes them
    count = np.bincount(thread[by_thread], minlength=n_threads)
    turn = np.arange(by_thread.size) - np.repeat(np.cumsum(count) - count, count)
    node = by_thread[np.argsort(turn, kind="stable")].astype(np.int32)
    step_start = np.append(0, np.cumsum(np.bincount(turn))).astype(np.int32)
    return node, step_start, thread[node]


@njit(nogil=True, cache=True)
def _visit(parent, child_start, child):  # type: ignore[no-untyped-def]
    number = np.zeros(parent.size, np.int32)
    n = 0
    for i in range(parent.size):
        for a in range(child_start[i], child_start[i + 1]):
            n += 1
            number[child[a]] = n
    return number


def permute2(tree: Topology, n_threads: int) -> tuple[IntArray, IntArray, IntArray]:
    """All cells on one warp of k lanes: levels from the root, mended by moving tips outwards.

    Nodes are lined up level by level, in a level first children before second children, then in the
    order of the parents. Going back from the end, wherever two children of a node, or a node and
    its child, stand less than k apart, tips that stand before the node are moved in between, as
    long as there are any. The line is then cut, from its beginning, into cycles of at most k nodes,
    earlier where a node's child would fall into the same cycle; elimination runs through the cycles
    from the last.
    """
    line = _level_line(tree)
    at = np.empty(tree.n_comp, np.int32)
    at[line] = np.arange(tree.n_comp, dtype=np.int32)
    _spread(line, at, tree.child_start, tree.child, tree.root.size, n_threads)
    cut = np.array(
        _cut(line, at, tree.child_start, tree.child, tree.root.size, n_threads), np.int64
    )
    width, start = (cut[1:] - cut[:-1])[::-1], cut[-2::-1]
    step_start = np.append(0, np.cumsum(width)).astype(np.int32)
    lane = np.arange(step_start[-1], dtype=np.int32) - np.repeat(step_start[:-1], width)
    return line[np.repeat(start, width) + lane], step_start, lane.astype(np.int32)


def _level_line(tree: Topology) -> IntArray:
    """Nodes by level, in a level by child number, then by the order of the parents."""
    n_root = tree.root.size
    nth = np.arange(tree.child.size) - np.repeat(tree.child_start[:-1], np.diff(tree.child_start))
    child_number = np.zeros(tree.n_comp, np.int64)
    child_number[tree.child] = nth
    by_depth = np.argsort(tree.depth, kind="stable")
    start = np.searchsorted(tree.depth[by_depth], np.arange(tree.depth.max() + 2))
    line = np.empty(tree.n_comp, np.int32)
    at = np.empty(tree.n_comp, np.int64)
    line[:n_root] = tree.root
    at[tree.root] = np.arange(n_root)
    for d in range(1, tree.depth.max() + 1):
        level = by_depth[start[d] : start[d + 1]]
        level = level[np.lexsort((at[tree.parent[level]], child_number[level]))]
        line[start[d] : start[d + 1]] = level
        at[level] = np.arange(start[d], start[d + 1])
    return line


@njit(nogil=True, cache=True)
def _move_tips(behind, before, wanted, line, at, child_start, n_root, tips):  # type: ignore[no-untyped-def]
    """Move up to ``wanted`` of the tips before node ``before`` to right behind node ``behind``.

    ``tips`` is work space for ``wanted`` nodes. False where no tips are left.
    """
    i = at[before]
    while wanted > 0:
        i -= 1
        while i >= n_root and child_start[line[i]] != child_start[line[i] + 1]:
            i -= 1
        if i < n_root:
            return False
        n = 1
        while (
            n < wanted and i > n_root and child_start[line[i - 1]] == child_start[line[i - 1] + 1]
        ):
            i -= 1
            n += 1
        end = at[behind] + 1
        for j in range(n):
            tips[j] = line[i + j]
        for j in range(i, end - n):
            line[j] = line[j + n]
            at[line[j]] = j
        for j in range(n):
            line[end - n + j] = tips[j]
            at[tips[j]] = end - n + j
        wanted -= n
    return True


@njit(nogil=True, cache=True)
def _nearest_child(i, at, child_start, child, far):  # type: ignore[no-untyped-def]
    for a in range(child_start[i], child_start[i + 1]):
        far = min(far, at[child[a]] - at[i])
    return far


@njit(nogil=True, cache=True)
def _spread(line, at, child_start, child, n_root, n_threads):  # type: ignore[no-untyped-def]
    """Keep siblings, and nodes and their children, k apart where there are tips to do it with.

    Goes back from the end, so once no tip stands before a node, none does before any other.
    """
    tips = np.empty(n_threads, np.int32)
    j = line.size - 1
    while j >= n_root:
        i = line[j]
        start, stop = child_start[i], child_start[i + 1]
        if stop - start == 2:
            close = abs(at[child[start + 1]] - at[child[start]]) < n_threads
        else:
            close = False
            for a in range(start + 1, stop):
                close |= 0 <= at[child[a]] - at[child[a - 1]] < n_threads
        if close:
            apart = abs(at[child[start + 1]] - at[child[start]])
            wanted = n_threads - apart
            if not _move_tips(child[start], i, wanted, line, at, child_start, n_root, tips):
                return
        wanted = n_threads - _nearest_child(i, at, child_start, child, n_threads)
        if not _move_tips(i, i, wanted, line, at, child_start, n_root, tips):
            return
        j = at[i] - 1


@njit(nogil=True, cache=True)
def _cut(line, at, child_start, child, n_root, n_threads):  # type: ignore[no-untyped-def]
    """Where the cycles begin, and the end of the line."""
    cut = [n_root]
    while cut[-1] < line.size:
        end = min(cut[-1] + n_threads, line.size)
        j = cut[-1]
        while j < end:
            end = min(end, j + _nearest_child(line[j], at, child_start, child, n_threads))
            j += 1
        cut.append(end)
    return cut
