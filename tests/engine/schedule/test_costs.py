"""Costs by threads and by method."""

import time

import numpy as np

from engine.schedule import (
    METHODS,
    POWERS,
    compare,
    cost_curve,
    idle_slots,
    make_schedule,
    occupancy,
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
    assert idle_slots(schedule) == 4 * schedule.n_step - 14
    assert occupancy(schedule) == 14 / (14 + idle_slots(schedule))


def test_curve_never_rises():
    curve = cost_curve(TOY)
    assert curve.n_threads.tolist() == list(POWERS)
    assert np.all(np.diff(curve.n_step) <= 0)
    assert curve.n_step[-1] == curve.depth == 5


def test_a_hundred_thousand_nodes_are_scheduled_at_once():
    """As many nodes and as deep as the full-spine human cell; 0.3 s is wanted, 1 s allowed here."""
    rng = np.random.default_rng(1)
    shaft = np.maximum(np.arange(1200) - rng.integers(1, 15, 1200), 0)
    shaft[0] = -1
    first = 1200 + 4 * np.arange(25_000)
    spine = np.stack([rng.integers(0, 1200, 25_000), first, first + 1, first + 2], axis=1)
    parent = np.concatenate([shaft, spine.ravel()])
    make_schedule(parent, "dhs", 16)  # compiled
    for k in (16, 1024):
        start = time.perf_counter()
        schedule = make_schedule(parent, "dhs", k)
        assert time.perf_counter() - start < 1.0
        assert schedule.optimal
