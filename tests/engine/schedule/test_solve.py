"""Whatever the schedule, the voltages are those of serial Hines, bit for bit."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.backends import kernels
from engine.schedule import METHODS, make_schedule
from tests.reference import dense_matrix, solve_by_schedule, solve_serial
from tests.strategies import tree_systems


@given(tree_systems(max_size=40), st.integers(1, 20))
@settings(max_examples=40, deadline=None)
def test_every_method_solves_the_system_with_the_bits_of_serial_hines(system, k):
    parent, g_axial, diag, rhs = system
    expected = np.linalg.solve(dense_matrix(parent, g_axial, diag), rhs)
    serial = solve_serial(parent, g_axial, diag, rhs)
    np.testing.assert_allclose(serial, expected, rtol=1e-9, atol=1e-12)  # cond. number < 1e5
    for method in METHODS:
        solution = solve_by_schedule(make_schedule(parent, method, k), g_axial, diag, rhs)
        np.testing.assert_array_equal(solution, serial)


def roots_first(parent: np.ndarray) -> np.ndarray:
    """The same forest numbered with all roots first, as the serial kernel wants it."""
    order = np.argsort(parent >= 0, kind="stable")
    number = np.argsort(order)
    moved = parent[order]
    return np.where(moved < 0, -1, number[moved]).astype(np.int32)


def descending_children(parent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    child_start = np.zeros(parent.size + 1, np.int32)
    child_start[1:] = np.cumsum(np.bincount(parent[parent >= 0], minlength=parent.size))
    node = np.arange(parent.size)
    child = np.lexsort((-node, parent))[np.count_nonzero(parent < 0) :]
    return child_start, child.astype(np.int32)


@given(tree_systems(max_size=60), st.integers(1, 20), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_the_engine_s_kernel_gives_the_same_bits_under_every_schedule(system, k, seed):
    parent, g_axial, diag, rhs = system
    parent = roots_first(parent)
    g_axial = np.where(parent >= 0, np.maximum(g_axial, 0.01), 0.0)
    diag = np.random.default_rng(seed).uniform(0.1, 2, parent.size) + g_axial
    np.add.at(diag, parent[parent >= 0], g_axial[parent >= 0])
    v = np.random.default_rng(seed).normal(-65, 20, parent.size)
    n_root = int(np.count_nonzero(parent < 0))
    flow = np.where(parent >= 0, g_axial * (v[parent] - v), 0.0)  # from the parent
    total = rhs + flow
    np.subtract.at(total, parent[parent >= 0], flow[parent >= 0])
    expected = np.linalg.solve(dense_matrix(parent, g_axial, diag), total)

    serial = rhs.copy()
    work = np.empty_like(rhs)
    kernels.solve(parent, n_root, g_axial, v, diag.copy(), serial, work)
    np.testing.assert_allclose(serial, expected, rtol=1e-8, atol=1e-9)  # sums of ±1000 nA cancel

    child_start, child = descending_children(parent)
    root = np.arange(n_root, dtype=np.int32)
    for method in METHODS:
        s = make_schedule(parent, method, k)
        solution = rhs.copy()
        order = s.node, s.step_start, root, parent, child_start, child
        own = [np.empty_like(rhs) for _ in range(3)]
        kernels.solve_scheduled(*order, g_axial, v, diag.copy(), solution, *own)
        np.testing.assert_array_equal(solution, serial)
