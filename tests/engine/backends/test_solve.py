"""The CPU's tree solves against the dense solution and against each other, bit for bit."""

from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.backends import constant, kernels, rows
from engine.backends.layout import level_order
from engine.mechanisms.lanes import WIDTH
from engine.schedule import make_schedule
from engine.simulation import solve_by_schedule, solve_in_order
from engine.types import ScheduleMethod
from tests.reference import dense_matrix
from tests.strategies import tree_systems


def voltages(parent):
    return np.random.default_rng(len(parent)).uniform(-90, 40, len(parent))


def axial(parent, a, v):
    """Axial current into every node, slowly."""
    current = np.zeros(len(parent))
    for i, p in enumerate(parent):
        if p >= 0:
            current[i] += a[i] * (v[p] - v[i])
            current[p] -= a[i] * (v[p] - v[i])
    return current


@settings(max_examples=80, deadline=None)
@given(tree_systems())
def test_serial_equals_the_dense_solution(system):
    parent, a, d, r = system
    v = voltages(parent)
    expected = np.linalg.solve(dense_matrix(parent, a, d), r + axial(parent, a, v))
    x = solve_in_order(a, v, d, r, parent)
    np.testing.assert_allclose(x, expected, rtol=1e-9, atol=1e-10)  # cond. number < 1e4


@settings(max_examples=80, deadline=None)
@given(tree_systems(), st.sampled_from(get_args(ScheduleMethod)), st.integers(1, 8))
def test_every_schedule_gives_the_bits_of_the_serial_order(system, method, n_threads):
    parent, a, d, r = system
    v = voltages(parent)
    schedule = make_schedule(parent, method, n_threads)
    serial = solve_in_order(a, v, d, r, parent)
    np.testing.assert_array_equal(solve_by_schedule(a, v, d, r, schedule), serial)


@settings(max_examples=80, deadline=None)
@given(tree_systems())
def test_level_order_gives_the_bits_of_the_serial_order(system):
    parent, a, d, r = system
    v = voltages(parent)
    serial = solve_in_order(a, v, d, r, parent)
    layout = level_order(parent)
    stored = [layout.arrange(x) for x in (a, v, d, r)]
    a1, v1, d1, r1 = (x.copy() for x in stored)
    kernels.solve(layout.parent, layout.n_root, a1, v1, d1, r1, np.empty_like(a1))
    np.testing.assert_array_equal(r1[layout.place], serial)

    a1, v1, d1, r1 = (x.copy() for x in stored)
    f = np.empty_like(a1)
    rows.eliminate(layout.parent, layout.n_root, a1, v1, d1, r1, f)
    bad = rows.substitute(layout.parent, layout.n_root, layout.level_start, v1, r1, f, np.inf)
    assert bad == 0
    np.testing.assert_array_equal(r1[layout.place], serial)
    np.testing.assert_array_equal(v1[layout.place], v + serial)

    v2, d2, r2 = (np.repeat(x, WIDTH) for x in stored[1:])
    rows.solve_eights(layout.parent, layout.n_root, stored[0], v2, d2, r2, np.empty_like(v2))
    eight = r2.reshape(-1, WIDTH)[layout.place]
    np.testing.assert_array_equal(eight, np.repeat(serial[:, None], WIDTH, axis=1))


@settings(max_examples=60, deadline=None)
@given(tree_systems())
def test_steps_of_a_constant_matrix_solve_it_and_carry_the_next_right_side(system):
    """One sweep from factors made before; what it carries is r - G x, with G = M - rate."""
    parent, a, d, r = system
    rate = d - 0.5 * d  # any part of the diagonal
    layout, dense = level_order(parent), dense_matrix(parent, a, d)
    expected = np.linalg.solve(dense, r)
    stored = [layout.arrange(x) for x in (a, d, r, rate)]
    inverse, f = np.zeros((2, len(parent)))
    kernels.factor_constant(layout.parent, layout.n_root, stored[0], stored[1], inverse, f)
    v, x, carry = np.zeros((3, len(parent)))
    carry[:] = stored[2]
    place = layout.parent, layout.n_root
    matrix = stored[3], inverse, f
    bad = constant.step_one(*place, layout.level_start, *matrix, v, carry, x, np.inf)
    assert bad == 0
    np.testing.assert_allclose(v[layout.place], expected, rtol=1e-9, atol=1e-10)
    remaining = r - (dense - np.diag(rate)) @ expected
    np.testing.assert_allclose(carry[layout.place], remaining, rtol=1e-8, atol=1e-9)

    v8, x8, carry8 = np.zeros((3, len(parent) * WIDTH))
    carry8[:] = np.repeat(stored[2], WIDTH)
    constant.step_eights(*place, *matrix, v8, carry8, x8, np.inf)
    np.testing.assert_array_equal(v8, np.repeat(v, WIDTH))
    np.testing.assert_array_equal(carry8, np.repeat(carry, WIDTH))


@settings(max_examples=50, deadline=None)
@given(tree_systems())
def test_level_order_is_a_permutation_with_roots_first_and_parents_before_children(system):
    parent = system[0]
    layout = level_order(parent)
    np.testing.assert_array_equal(np.sort(layout.order), np.arange(len(parent)))
    np.testing.assert_array_equal(layout.order[layout.place], np.arange(len(parent)))
    assert (parent[layout.order[: layout.n_root]] == -1).all()
    inner = np.arange(layout.n_root, len(parent))
    assert (layout.parent[inner] < inner).all()
    np.testing.assert_array_equal(layout.order[layout.parent[inner]], parent[layout.order[inner]])


def test_nan_is_counted_as_bad():
    v = np.array([0.0, -65.0, 9e3, -65.0])
    assert kernels.update(v, np.array([0.0, np.nan, 2e3, 1.0]), 1e4) == 2


@pytest.mark.parametrize("threshold", [10.0, -20.0])
def test_a_spike_is_a_step_above_the_threshold_after_one_that_was_not(threshold):
    above = np.zeros(2, bool)
    spikes = np.empty((10, 2))
    trace = np.array([[-65, 20], [threshold, 20], [30, -65], [30, -65], [-65, 30]], float)
    count = 0
    for step, v in enumerate(trace):
        count = kernels.detect(v, 0, threshold, 2, above, step * 0.5, spikes, count)
    np.testing.assert_array_equal(spikes[:count], [[1, 0.0], [0, 1.0], [1, 2.0]])
