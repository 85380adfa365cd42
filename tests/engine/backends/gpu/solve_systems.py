"""Populations for the tests of the solves."""

import numpy as np

from engine.backends.gpu.variants import TreeSystem
from engine.types import IntArray


def system_on(parent: IntArray, seed: int = 0, copies: int = 1) -> TreeSystem:
    """A diagonally dominant system on a tree."""
    rng = np.random.default_rng(seed)
    inner = parent >= 0
    g_axial = np.where(inner, rng.uniform(0.01, 10, parent.size), 0.0)
    diag = rng.uniform(0.1, 2, parent.size) + g_axial
    np.add.at(diag, parent[inner], g_axial[inner])
    return TreeSystem(parent, g_axial, diag, rng.normal(0, 1, parent.size), copies)


def random_tree(n: int, reach: int, seed: int = 0) -> IntArray:
    """Every node hangs on one of the ``reach`` before it: 1 makes a cable, n a bush."""
    rng = np.random.default_rng(seed)
    return np.array([-1, *(rng.integers(max(0, i - reach), i) for i in range(1, n))], np.int32)


def spiny_tree(n: int, length: int = 2, seed: int = 0) -> IntArray:
    """A tree of n nodes whose nodes bear from none to five runs of ``length`` nodes."""
    rng = np.random.default_rng(seed)
    parent = random_tree(n, 3, seed).tolist()
    for host in np.repeat(np.arange(n), rng.integers(0, 6, n)):
        for m in range(length):
            parent.append(int(host) if m == 0 else len(parent) - 1)
    return np.array(parent, np.int32)


def mixed_population() -> list[TreeSystem]:
    """Small and large trees, alike and not, some as copies; one has a single node."""
    return [
        system_on(random_tree(60, 2), 1, copies=3),
        system_on(random_tree(33, 5), 2),
        system_on(random_tree(100, 1), 3, copies=2),
        system_on(spiny_tree(20), 4, copies=2),
        system_on(random_tree(60, 2), 5),
        system_on(random_tree(7, 7), 6, copies=5),
        system_on(np.array([-1], np.int32), 7),
    ]
