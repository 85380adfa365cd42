"""Long traces thinned to what a screen can show, without losing a spike."""

import numpy as np

from engine.types import FloatArray


def decimate(time: FloatArray, values: FloatArray, n_bin: int) -> tuple[FloatArray, FloatArray]:
    """Smallest and largest value of each of about ``n_bin`` equal bins, as a line to draw.

    Parameters
    ----------
    time : (n_time,)
        Ascending.
    values : (n_trace, n_time)
    n_bin
        About one per pixel.

    Returns
    -------
    x : (n,)
    y : (n_trace, n)
        The points themselves where there are at most ``2 n_bin``; else two points a bin, at the
        bin's middle: its extremes, in the order that the trace runs through them.
    """
    n_time = len(time)
    if n_time <= 2 * n_bin or n_bin < 1:
        return time, values
    size = -(-n_time // n_bin)
    n_full = n_time // size
    inside = n_full * size
    blocks = values[:, :inside].reshape(len(values), n_full, size)
    low, high = blocks.min(axis=2), blocks.max(axis=2)
    rising = blocks[:, :, -1] >= blocks[:, :, 0]
    x = np.repeat(time[:inside].reshape(n_full, size)[:, size // 2], 2)
    y = np.empty((len(values), 2 * n_full))
    y[:, 0::2] = np.where(rising, low, high)
    y[:, 1::2] = np.where(rising, high, low)
    x[0], x[-1] = time[0], time[inside - 1]
    if inside == n_time:
        return x, y
    rest = values[:, inside:]
    x = np.concatenate([x, np.repeat(time[-1], 2)])
    return x, np.concatenate([y, rest.min(axis=1)[:, None], rest.max(axis=1)[:, None]], axis=1)


def visible(time: FloatArray, start: float, stop: float) -> slice:
    """The samples between two times, with one more on either side so that the line goes on."""
    first, last = np.searchsorted(time, [start, stop])
    return slice(max(int(first) - 1, 0), min(int(last) + 1, len(time)))
