"""Thinned traces keep their extremes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dendview.decimate import decimate, visible


@given(st.integers(1, 3000), st.integers(1, 200), st.integers(1, 4), st.integers(0, 2**32 - 1))
@settings(max_examples=80, deadline=None)
def test_a_thinned_trace_keeps_ends_and_extremes(n_time, n_bin, n_trace, seed):
    values = np.random.default_rng(seed).normal(size=(n_trace, n_time))
    time = np.arange(n_time) * 0.025
    x, y = decimate(time, values, n_bin)
    assert y.shape == (n_trace, len(x))
    assert len(x) <= max(2 * n_bin + 2, 2)
    assert np.all(np.diff(x) >= 0)
    assert (x[0], x[-1]) == (time[0], time[-1])
    np.testing.assert_array_equal(y.min(axis=1), values.min(axis=1))
    np.testing.assert_array_equal(y.max(axis=1), values.max(axis=1))


def test_a_spike_of_one_sample_survives_in_its_place():
    time, values = np.arange(40_000) * 0.025, np.zeros((1, 40_000))
    values[0, 12_345] = 1.0
    x, y = decimate(time, values, 1000)
    assert y.max() == 1.0
    assert x[y[0].argmax()] == pytest.approx(time[12_345], abs=40 * 0.025)


def test_a_short_trace_is_left_as_it_is():
    time, values = np.arange(100.0), np.ones((2, 100))
    x, y = decimate(time, values, 50)
    assert x is time
    assert y is values


def test_what_is_visible_reaches_one_sample_beyond_the_edges():
    time = np.arange(0.0, 10.0)
    assert visible(time, 2.5, 4.5) == slice(2, 6)
    assert visible(time, -5, 50) == slice(0, 10)
    assert visible(time, 20, 30) == slice(9, 10)
