"""Costs by threads and by method."""

import numpy as np

from engine.schedule import (
    METHODS,
    POWERS,
    check,
    compare,
    cost_curve,
    make_schedule,
)
from tests.engine.schedule.test_methods import TOY


def test_comparison_lists_every_method_against_the_bound():
    table = compare(TOY, 4)
    assert tuple(row.method for row in table) == METHODS
    by = {row.method: row for row in table}
    assert (by["dhs"].n_step, by["dhs"].bound, by["dhs"].above) == (5, 5, 0)
    assert (by["hines"].n_step, by["hines"].n_idle) == (14, 42)
    assert by["hines"].above == 14 / 5 - 1
    assert by["dhs"].relative == 5 / 14
    assert by["dhs"].occupancy == 14 / 20


def test_idle_slots_and_occupancy_add_up():
    schedule = make_schedule(TOY, "permute2", 4)
    assert schedule.n_idle == 4 * schedule.n_step - 14
    assert schedule.occupancy == 14 / (14 + schedule.n_idle)


def test_curve_never_rises():
    curve = cost_curve(TOY)
    assert curve.n_threads.tolist() == list(POWERS)
    assert np.all(np.diff(curve.n_step) <= 0)
    assert curve.n_step[-1] == curve.depth == 5


def test_a_lone_compartment_costs_what_it_costs_serially():
    assert set(cost_curve(np.array([-1])).relative) == {1.0}  # its logarithm is drawn


def test_a_hundred_thousand_nodes_are_scheduled_with_a_block_of_threads():
    """As many nodes and as deep as the full-spine human cell."""
    rng = np.random.default_rng(1)
    shaft = np.maximum(np.arange(1200) - rng.integers(1, 15, 1200), 0)
    shaft[0] = -1
    first = 1200 + 4 * np.arange(25_000)
    spine = np.stack([rng.integers(0, 1200, 25_000), first, first + 1, first + 2], axis=1)
    parent = np.concatenate([shaft, spine.ravel()])
    for k in (16, 1024):
        schedule = make_schedule(parent, "dhs", k)
        check(schedule)
        assert schedule.optimal
