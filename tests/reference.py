"""Slow, obvious solutions."""

import itertools

import numpy as np

from engine.schedule.model import Schedule
from engine.types import FloatArray, IntArray


def dense_matrix(parent: IntArray, g_axial: FloatArray, diag: FloatArray) -> FloatArray:
    """The tree system as a full matrix, ``-g_axial`` between every node and its parent."""
    matrix = np.diag(diag)
    for i, p in enumerate(parent):
        if p >= 0:
            matrix[i, p] = matrix[p, i] = -g_axial[i]
    return matrix


def solve_serial(
    parent: IntArray, g_axial: FloatArray, diag: FloatArray, rhs: FloatArray
) -> FloatArray:
    """Hines' elimination as it is taught: from the highest index down, each into its parent."""
    d, r = diag.copy(), rhs.copy()
    for i in range(len(parent) - 1, -1, -1):
        if parent[i] >= 0:
            factor = g_axial[i] / d[i]
            d[parent[i]] -= factor * g_axial[i]
            r[parent[i]] += factor * r[i]
    for i, p in enumerate(parent):
        if p >= 0:
            r[i] += g_axial[i] * r[p]
        r[i] /= d[i]
    return r


def solve_by_schedule(
    schedule: Schedule, g_axial: FloatArray, diag: FloatArray, rhs: FloatArray
) -> FloatArray:
    """Step by step; a node first subtracts its children one by one, the highest index first."""
    d, r, parent = diag.copy(), rhs.copy(), schedule.parent
    children = [np.flatnonzero(parent == i)[::-1] for i in range(len(parent))]

    def gather(i: int) -> None:
        for c in children[i]:
            factor = g_axial[c] / d[c]
            d[i] -= factor * g_axial[c]
            r[i] += factor * r[c]

    roots = np.flatnonzero(parent < 0)
    for i in [*schedule.node, *roots]:
        gather(i)
    for i in roots:
        r[i] /= d[i]
    for i in schedule.node[::-1]:
        r[i] += g_axial[i] * r[parent[i]]
        r[i] /= d[i]
    return r


def fewest_steps(parent: IntArray, n_threads: int) -> int:
    """The shortest schedule of a small tree, by trying every choice in every step."""
    todo = frozenset(int(i) for i in np.flatnonzero(parent >= 0))
    reached, steps = {todo}, 0
    while frozenset() not in reached:
        further = set()
        for left in reached:
            blocked = {int(parent[i]) for i in left}
            free = sorted(left - blocked)
            for chosen in itertools.combinations(free, min(n_threads, len(free))):
                further.add(left - set(chosen))
        reached, steps = further, steps + 1
    return steps


def subtree_sizes(parent: IntArray) -> list[int]:
    size = [1] * len(parent)
    for i in range(len(parent) - 1, -1, -1):
        if parent[i] >= 0:
            size[parent[i]] += size[i]
    return size
