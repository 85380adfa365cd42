"""The responses of a network in few modes: what every synapse's site shares with all others.

What a synapse of weight 1 at a site does to the soma, when its input has a given trace, is that
trace through the site's impulse response. All these responses lie, to ``TOLERANCE``, in a space of
a few tens of modes. A mode's share of the responses falls fast from one to the next, so that single
precision does for most of them.
"""

from dataclasses import dataclass

import numpy as np

from engine.experiments.hpc_net.kernels import padded, to_lines
from engine.experiments.hpc_net.spec import Precision
from engine.experiments.hpc_net.tiles import COLUMNS, SMALL_COLUMNS
from engine.mechanisms.lanes import WIDTH
from engine.mechanisms.narrow import NARROW_WIDTH
from engine.types import FloatArray, IntArray

TOLERANCE = 1e-9
"""Of the largest response: what leaving out modes may change in any response, and what rounding
some to single precision may. A neuron's voltage sums many responses with both signs."""
ROUNDING = 2.0**-21
"""Of a product of singles and its share of a sum: both factors and the product are rounded by up
to 2**-24, and so are the sums."""


@dataclass(frozen=True, eq=False)
class Modes:
    """Tables of the shortcut.

    Attributes
    ----------
    mode : (n_site, n_mode padded)
        Share of every mode in a site's response; what pads is 0.
    filtered : (n_trace, n_mode padded, n_time padded) mV
        Traces through the modes.
    n_mode : int
    n_double : int
        The first modes, which need double precision.
    """

    mode: FloatArray
    filtered: FloatArray
    n_mode: int
    n_double: int

    def wide(self) -> tuple[FloatArray, FloatArray]:
        """Modes for double precision in groups, and traces through them.

        (n_group, n_site, WIDTH) and (n_group, n_trace, n_block, WIDTH, COLUMNS).
        """
        return self._groups(slice(0, self.n_double), WIDTH, COLUMNS)

    def narrow(self) -> tuple[np.ndarray, np.ndarray]:
        """As :meth:`wide` the others, float32."""
        some = slice(self.n_double, self.n_mode)
        mode, shape = self._groups(some, NARROW_WIDTH, SMALL_COLUMNS)
        return to_lines(mode, np.float32), to_lines(shape, np.float32)

    def _groups(self, some: slice, width: int, columns: int) -> tuple[FloatArray, FloatArray]:
        n_site, (n_trace, _, n_time) = len(self.mode), self.filtered.shape
        n_group = -(-(some.stop - some.start) // width)
        more = n_group * width - (some.stop - some.start)
        mode = np.pad(self.mode[:, some], ((0, 0), (0, more))).reshape(n_site, n_group, width)
        shape = np.pad(self.filtered[:, some], ((0, 0), (0, more), (0, 0)))
        shape = shape.reshape(n_trace, n_group, width, n_time // columns, columns)
        return to_lines(mode.transpose(1, 0, 2)), to_lines(shape.transpose(1, 0, 3, 2, 4))


def make_modes(response: FloatArray, trace: FloatArray, precision: Precision) -> Modes:
    """Modes of the sites' responses to all traces, by size.

    Parameters
    ----------
    response : (n_step, n_site) mV
        At the soma, n steps after a current of the synapse's conductance times 1 mV for one step.
    trace : (n_trace, n_step + 1) mV
    precision
    """
    n_step = len(response)
    site, size, shape = np.linalg.svd(response.T, full_matrices=False)
    keep = size > 1e-15 * size[0]
    site, size, shape = site[:, keep], size[keep], shape[keep]
    through = np.zeros((len(size), len(trace), n_step + 1))
    for n in range(n_step):  # causal: what arrives by step n
        through[:, :, n + 1] = shape[:, n::-1] @ trace[:, : n + 1].T
    flat = (size[:, None, None] * through).reshape(len(size), -1)
    turn, size, _ = np.linalg.svd(flat, full_matrices=False)
    mode, filtered = site @ turn, turn.T @ flat
    n_mode, n_double = _enough(mode, filtered, precision)
    more = padded(n_mode, WIDTH) - n_mode
    filtered = filtered[:n_mode].reshape(n_mode, len(trace), n_step + 1)
    gap = padded(n_step + 1, SMALL_COLUMNS) - (n_step + 1)
    return Modes(
        np.ascontiguousarray(np.pad(mode[:, :n_mode], ((0, 0), (0, more)))),
        np.ascontiguousarray(np.pad(filtered.transpose(1, 0, 2), ((0, 0), (0, more), (0, gap)))),
        n_mode,
        n_double,
    )


def beginnings(trace: FloatArray) -> tuple[IntArray, IntArray]:
    """First block of times in which every trace is not zero, and the traces in that order."""
    first = np.argmax(trace > 0, axis=1)
    order = np.argsort(first, kind="stable")
    return (first // COLUMNS).astype(np.int32), order.astype(np.int32)


def _enough(mode: FloatArray, filtered: FloatArray, precision: Precision) -> tuple[int, int]:
    """The fewest modes that surely leave out no more than TOLERANCE of the largest response.

    And the fewest in double precision with which rounding the others changes no more than that.
    """
    if not filtered.size:
        return 1, 1
    parts = np.array_split(mode, max(1, len(mode) // 32))
    largest = max(float(np.abs(part @ filtered).max()) for part in parts)
    each = np.abs(mode).max(axis=0) * np.abs(filtered).max(axis=1)
    left_out = np.append(np.cumsum(each[::-1])[::-1], 0.0)  # by keeping the first 0, 1, …
    n_mode = max(1, int(np.argmax(left_out <= TOLERANCE * largest)))
    if precision == "double":
        return n_mode, n_mode
    return n_mode, max(1, int(np.argmax(ROUNDING * left_out[: n_mode + 1] <= TOLERANCE * largest)))
