"""Intervals and half points against published values, brute force and simulated truth."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.experiments.proportions import (
    Interval,
    deviation_band,
    difference,
    half_point,
    mcnemar,
    overlap,
    wilson,
)
from engine.experiments.published_spikes import N_TRIALS, published
from engine.experiments.spike_presets import CLUSTERS, DISTRIBUTED
from engine.experiments.spike_study import CONDITIONS


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),  # Newcombe, Stat. Med. 17:857 (1998), Table I, method 3
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_newcombes_examples(k, n, low, high):
    found = wilson(k, n)
    assert (found.value, found.low, found.high) == (
        k / n,
        pytest.approx(low, abs=6e-5),
        pytest.approx(high, abs=6e-5),
    )


@given(st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
@settings(max_examples=40, deadline=None)
def test_the_ends_of_wilson_are_as_far_from_the_value_as_the_normal_distribution_says(counts):
    k, n = counts
    found = wilson(k, n)
    assert 0 <= found.low <= found.value <= found.high <= 1
    for end in (found.low, found.high):
        if 0 < end < 1:
            score = abs(found.value - end) / math.sqrt(end * (1 - end) / n)
            assert score == pytest.approx(1.95996, abs=1e-4)


def test_trials_without_an_outcome_stay_in_n_and_widen_the_interval_upwards():
    sure, unsure = wilson(5, 10), wilson(5, 10, unknown=2)
    assert (unsure.value, unsure.low) == (sure.value, sure.low)
    assert unsure.high == wilson(7, 10).high > sure.high


def test_nothing_is_known_without_trials():
    found = wilson(0, 0)
    assert math.isnan(found.value)
    assert (found.low, found.high) == (0, 1)


def test_the_publications_band_is_the_deviation_of_single_outcomes():
    outcomes = np.array([1] * 13 + [0] * 37)
    assert deviation_band(13, 50) == pytest.approx(
        (max(0, outcomes.mean() - outcomes.std()), outcomes.mean() + outcomes.std())
    )
    assert deviation_band(0, 50) == (0, 0)


@pytest.mark.parametrize(
    ("a", "b", "p"),
    [(0, 0, 1.0), (5, 5, 1.0), (1, 0, 1.0), (6, 0, 2 / 64), (1, 6, 16 / 128), (17, 7, 0.063915)],
)
def test_mcnemars_p_counts_splits_at_least_as_uneven(a, b, p):
    """By hand; the last one from SciPy's exact binomial test."""
    assert mcnemar(a, b) == pytest.approx(p, rel=1e-5)
    assert mcnemar(b, a) == mcnemar(a, b)


def test_mcnemars_p_of_many_cases_is_no_overflow():
    assert mcnemar(5000, 5000) == 1.0
    assert mcnemar(5000, 0) < 1e-300


def test_overlap_counts_touching_ends():
    assert overlap((0, 0.5), (0.5, 1))
    assert not overlap((0, 0.4), (0.5, 1))


def test_the_half_point_of_a_logistic_curve_is_found():
    x = np.arange(60, 180, 10)
    many = 10_000
    p = 1 / (1 + np.exp((117.3 - x) / 9.0))
    found = half_point(x, np.round(p * many).astype(int), [many] * len(x))
    assert found is not None
    assert found.at.value == pytest.approx(117.3, abs=0.05)
    assert found.width == pytest.approx(9.0, rel=0.03)
    # its standard error is about width / sqrt(sum of n p (1 - p)), 1.96 of which are an end away
    error = 1.96 * 9.0 / math.sqrt((many * p * (1 - p)).sum())
    assert found.at.high - found.at.value == pytest.approx(error, rel=0.1)
    assert found.at.value - found.at.low == pytest.approx(error, rel=0.1)


def test_the_interval_of_the_half_point_covers_the_truth_about_as_often_as_it_says():
    draw = np.random.default_rng(3)
    x = np.array([80, 90, 100, 110, 120, 130, 140])
    p = 1 / (1 + np.exp((108.0 - x) / 8.0))
    n_covered = n_told = 0
    for _ in range(200):
        found = half_point(x, draw.binomial(20, p), [20] * len(x))
        if found is not None:
            n_told += 1
            n_covered += found.at.low <= 108.0 <= found.at.high
    assert n_told > 190
    assert n_covered / n_told > 0.91  # three standard errors below 0.95


def test_a_jump_from_none_to_all_has_its_half_point_between():
    found = half_point([90, 110, 120, 140], [0, 0, 10, 10], [10] * 4)
    assert found is not None
    assert found.at.value == pytest.approx(115, abs=0.3)
    assert 109 < found.at.low < 111
    assert 119 < found.at.high < 121


@pytest.mark.parametrize(
    ("x", "fired", "trials"),
    [
        ([100, 120], [0, 0], [9, 9]),
        ([100, 120], [9, 9], [9, 9]),
        ([100, 120], [9, 0], [9, 9]),
        ([100, 120], [0, 0], [9, 0]),
        ([100], [5], [9]),
        ([], [], []),
    ],
)
def test_there_is_no_half_point_where_outcomes_do_not_rise_through_one_half(x, fired, trials):
    assert half_point(x, fired, trials) is None


def test_few_trials_may_leave_an_end_open():
    found = half_point([100, 120], [1, 2], [2, 2])
    assert found is not None
    assert math.isinf(found.at.low)


def test_the_difference_of_half_points_adds_distances_in_squares():
    a = half_point([0, 10, 20], [0, 5, 10], [10] * 3)
    b = half_point([30, 40, 50], [0, 5, 10], [10] * 3)
    assert a is not None
    assert b is not None
    shift = difference(a, b)
    assert shift.value == pytest.approx(30, abs=0.1)
    assert shift.high - shift.value == pytest.approx(
        math.hypot(b.at.high - b.at.value, a.at.value - a.at.low)
    )
    assert isinstance(shift, Interval)


def test_the_published_curves_are_whole_and_rise():
    points = {c: published(c) for c in CONDITIONS}
    assert sum(len(p) for p in points.values()) == 46
    for condition, curve in points.items():
        clustered = condition.endswith("clustered")
        assert list(curve) == [20 * c for c in CLUSTERS] if clustered else list(DISTRIBUTED)
        assert list(curve.values()) == sorted(curve.values())
        for p in curve.values():
            assert p * N_TRIALS == pytest.approx(round(p * N_TRIALS))
    assert published("something") == {}


def test_the_published_curves_are_those_of_the_spike_files(data_dir):
    table = data_dir / "datasets" / "deepdendrite_reference" / "fig5_spike_probability.csv"
    lines = table.read_text().splitlines()[1:]
    for case, n, few, full in (line.split(",") for line in lines):
        assert published(f"few-{case}")[int(n)] == float(few)
        assert published(f"full-{case}")[int(n)] == float(full)
