"""Probabilities from counts: intervals, the curve through them, and where it crosses one half."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from engine.types import FloatArray

Z = 1.959963984540054
"""Of the normal distribution at 97.5 %: intervals here hold 95 %."""
DROP = Z * Z / 2
"""How far the log-likelihood may fall below its maximum inside a 95 % profile interval."""
N_WIDTH = 241
"""Widths of logistic curves tried, 4 % apart; the likelihood is flat at its peak."""
N_GRID, N_FINE, N_ZOOM = 201, 21, 5
"""Half points tried, then those between the neighbors of the best one, so many times."""
EQUAL = 1e-6
"""Log-likelihoods that differ by less are taken for equal."""
STEEPEST = 1e-3
"""The least width of a logistic curve, in parts of the range of its points."""
WIDEST = 10.0
"""And the largest; flatter than this says that nothing is known."""


@dataclass(frozen=True)
class Interval:
    """An estimate and its 95 % interval; an open end is infinite."""

    value: float
    low: float
    high: float


def wilson(k: int, n: int, unknown: int = 0) -> Interval:
    """The 95 % interval of Wilson for ``k`` successes in ``n`` trials.

    Parameters
    ----------
    k, n
        0 <= k <= n; with n = 0 nothing is known.
    unknown
        So many of the n have no outcome. They stay in n: the value counts them as no success, the
        lower end too, the upper end as successes.

    Notes
    -----
    Wilson, J. Am. Stat. Assoc. 22:209 (1927), without continuity correction.
    """
    if n == 0:
        return Interval(math.nan, 0.0, 1.0)
    return Interval(k / n, _wilson(k, n)[0], _wilson(k + unknown, n)[1])


def _wilson(k: int, n: int) -> tuple[float, float]:
    p, z2 = k / n, Z * Z
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z / (1 + z2 / n) * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return (0.0 if k == 0 else middle - half), (1.0 if k == n else middle + half)


def deviation_band(k: int, n: int) -> tuple[float, float]:
    """Mean ± standard deviation of the single outcomes (0 or 1), kept inside 0..1.

    The band of Zhang et al. 2023, Fig. 5; it does not narrow with the number of trials.
    """
    if n == 0:
        return 0.0, 1.0
    p = k / n
    spread = math.sqrt(p * (1 - p))
    return max(0.0, p - spread), min(1.0, p + spread)


def mcnemar(a: int, b: int) -> float:
    """How probable a split as uneven as ``a`` to ``b`` is where both sides are equally likely.

    Parameters
    ----------
    a, b
        Cases in which only the one, and only the other, of two things asked the same succeeded;
        where both or none did, nothing is said about their difference.

    Returns
    -------
    float
        The two-sided p of McNemar's test (Psychometrika 12:153, 1947), exact: binomial.
    """
    n = a + b
    tail = sum(math.comb(n, k) for k in range(min(a, b) + 1))
    return min(1.0, 2 * tail / 2**n)


def overlap(a: tuple[float, float], b: tuple[float, float]) -> bool:
    """Whether two closed intervals share a point."""
    return a[0] <= b[1] and b[0] <= a[1]


@dataclass(frozen=True)
class HalfPoint:
    """Where a curve of probabilities crosses one half.

    ``at`` in the unit of the curve's x; ``width`` is that of the logistic curve fitted,
    p = 1 / (1 + exp((at − x) / width)).
    """

    at: Interval
    width: float


def half_point(x: Sequence[float], fired: Sequence[int], trials: Sequence[int]) -> HalfPoint | None:
    """The half point of a rising logistic curve through counts, with its profile interval.

    Parameters
    ----------
    x, fired, trials : (n,)
        Of every point; those without trials say nothing.

    Returns
    -------
    HalfPoint or None
        None where the outcomes do not rise through one half between the first and the last point
        (all silent, all fired, fewer than two points): there is no half point to tell.

    Notes
    -----
    Maximum likelihood of two parameters. The interval is that of the profile likelihood: all half
    points whose best curve is less than χ²(1, 95 %) / 2 below the maximum (Venzon & Moolgavkar,
    Appl. Stat. 37:87, 1988). It stays honest where the points jump from none to all, which a
    standard error does not; there the value is the middle of the range of equally good ones.
    """
    points = [(float(a), int(k), int(n)) for a, k, n in zip(x, fired, trials, strict=True) if n > 0]
    if len({a for a, _, _ in points}) < 2:
        return None
    place, k, n = (np.array(column, float) for column in zip(*sorted(points), strict=True))
    first, last = k[0] / n[0], k[-1] / n[-1]
    if not (first < last and first <= 0.5 <= last):
        return None
    span = place[-1] - place[0]
    widths = np.geomspace(STEEPEST * span, WIDEST * span, N_WIDTH)

    def profile(at: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(m,) log-likelihood of the best curve with each half point, and (m,) its width."""
        u = (place - at[:, None, None]) / widths[:, None]
        height = -(k * np.logaddexp(0, -u) + (n - k) * np.logaddexp(0, u)).sum(axis=2)
        return height.max(axis=1), widths[height.argmax(axis=1)]

    def above(at: float) -> bool:
        return bool(profile(np.array([at]))[0][0] > top - DROP)

    grid = np.linspace(place[0], place[-1], N_GRID)
    for _ in range(N_ZOOM):
        heights, _ = profile(grid)
        best = int(np.argmax(heights))
        equal = np.flatnonzero(heights >= heights[best] - EQUAL)
        if len(equal) > 3:  # a jump from none to all leaves a plateau
            break
        step = grid[1] - grid[0]
        grid = np.linspace(
            max(grid[best] - step, place[0]), min(grid[best] + step, place[-1]), N_FINE
        )
    at, top = float(grid[equal[0]] + grid[equal[-1]]) / 2, float(heights[best])
    low = _edge(above, at, float(place[0] - span))
    high = _edge(above, at, float(place[-1] + span))
    return HalfPoint(Interval(at, low, high), float(profile(np.array([at]))[1][0]))


def difference(a: HalfPoint, b: HalfPoint) -> Interval:
    """How much later ``b`` crosses one half than ``a``, the two being independent.

    Notes
    -----
    Zou & Donner, Stat. Med. 27:1693 (2008): the distances of the ends are added in squares. Trials
    that share their places and trains make the true interval narrower.
    """
    value = b.at.value - a.at.value
    low = math.hypot(b.at.value - b.at.low, a.at.high - a.at.value)
    high = math.hypot(b.at.high - b.at.value, a.at.value - a.at.low)
    return Interval(value, value - low, value + high)


def _edge(inside: Callable[[float], bool], at: float, far: float) -> float:
    """Where an interval around ``at`` ends towards ``far``; infinite if not before it."""
    if inside(far):
        return math.copysign(math.inf, far - at)
    near, reach = at, abs(far - at)
    while abs(far - near) > 1e-6 * reach:
        middle = (near + far) / 2
        near, far = (middle, far) if inside(middle) else (near, middle)
    return (near + far) / 2
