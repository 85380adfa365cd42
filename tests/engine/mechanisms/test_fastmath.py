"""The inlined exponential: as good as the library's, and right at the edges."""

import numpy as np
from numba import njit

from engine.mechanisms.fastmath import BLOCK, exp, stack_array


@njit(error_model="numpy")
def _exp_of(x, out):
    for i in range(x.size):
        out[i] = exp(x[i])


@njit
def _sum_through_stack(x):
    held = stack_array()
    for i in range(BLOCK):
        held[i] = 2 * x[i]
    total = 0.0
    for i in range(BLOCK):
        total += held[i]
    return total


def exponential(x: np.ndarray) -> np.ndarray:
    out = np.empty_like(x)
    _exp_of(x, out)
    return out


def test_exp_is_within_two_units_in_the_last_place():
    random = np.random.default_rng(5)
    near_ties = (np.arange(-1021, 1023) + 0.5) * np.log(2)  # where the rounding of k changes
    x = np.concatenate(
        [random.uniform(-708, 709, 300_000), random.uniform(-1, 1, 100_000), near_ties]
    )
    x = x[(x >= -708) & (x <= 709)]
    exact = np.exp(x.astype(np.longdouble))
    error = np.abs(exponential(x) - exact) / np.spacing(exact.astype(float))
    assert error.max() <= 2
    assert np.sqrt(np.mean(error**2)) < 0.5  # and well rounded most of the time


def test_exp_at_the_edges():
    x = np.array(
        [0.0, -0.0, np.inf, -np.inf, 709.782712893384, 709.79, 1e308, -708.0, -709.0, -1e308]
    )
    expected = [1, 1, np.inf, 0, np.exp(709.782712893384), np.inf, np.inf, np.exp(-708.0), 0, 0]
    np.testing.assert_allclose(exponential(x), expected, rtol=4e-16)


def test_nan_stays_nan_in_every_lane():
    x = np.linspace(-5, 5, 67)
    x[[0, 7, 33, 66]] = np.nan
    np.testing.assert_array_equal(np.isnan(exponential(x)), np.isnan(x))


def test_stack_array_holds_a_block():
    x = np.arange(BLOCK, dtype=float)
    assert _sum_through_stack(x) == BLOCK * (BLOCK - 1)
