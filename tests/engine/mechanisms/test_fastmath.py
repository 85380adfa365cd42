"""The inlined exponential: as good as the library's, and right at the edges."""

import numpy as np
from numba import njit

from engine.mechanisms.fastmath import BLOCK, EXPREL_NEAR, exp, exprel, stack_array


@njit(error_model="numpy")
def _exp_of(x, out):
    for i in range(x.size):
        out[i] = exp(x[i])


@njit(error_model="numpy")
def _exprel_of(x, out):
    for i in range(x.size):
        out[i] = exprel(x[i])


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


def test_exprel_is_within_three_units_in_the_last_place():
    random = np.random.default_rng(6)
    near = np.nextafter(EXPREL_NEAR, [0, 1])
    parts = [random.uniform(-0.6, 0.6, 200_000), random.uniform(-700, 700, 100_000), near, -near]
    x = np.concatenate([*parts, 10.0 ** random.uniform(-300, -1, 10_000)])
    wide, out = x.astype(np.longdouble), np.empty_like(x)
    _exprel_of(x, out)
    exact = np.expm1(wide) / wide
    error = np.abs(out - exact) / np.spacing(exact.astype(float))
    assert error.max() <= 3
    edges = np.array([0.0, -0.0, -np.inf, 1e-320, np.nan])
    _exprel_of(edges, out := np.empty(5))
    np.testing.assert_array_equal(out, [1, 1, 0, 1, np.nan])


def test_stack_array_holds_a_block():
    x = np.arange(BLOCK, dtype=float)
    assert _sum_through_stack(x) == BLOCK * (BLOCK - 1)
