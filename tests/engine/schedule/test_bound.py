"""The bound is what it says: no schedule is shorter, and one is as short."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.schedule import cost_curve, depths, lower_bound, threads_needed
from tests.reference import fewest_steps
from tests.strategies import parents


@given(parents(max_size=9), st.integers(1, 4))
@settings(max_examples=80, deadline=None)
def test_bound_is_the_shortest_of_all_schedules(parent, k):
    assert lower_bound(parent, k) == fewest_steps(parent, k)


def test_depths_count_ancestors():
    assert depths(np.array([-1, 0, 1, 1, -1, 4])).tolist() == [0, 1, 2, 2, 0, 1]


def test_bound_falls_with_threads_from_the_work_to_the_depth():
    parent = np.array([-1] + [0] * 6 + [6, 7, 8])  # six on the root, a cable of 4 in all
    curve = cost_curve(parent, [1, 2, 3, 4, 1024])
    assert curve.n_step.tolist() == [9, 5, 4, 4, 4]
    assert curve.bound.tolist() == [9, 5, 4, 4, 4]
    assert threads_needed(parent) == 3
    np.testing.assert_allclose(curve.relative, curve.n_step / 9)
