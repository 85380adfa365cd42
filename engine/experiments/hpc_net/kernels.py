# mypy: disable-error-code="no-untyped-def"
"""The heavy loops of the shortcut: hidden somata from images, and errors back onto the synapses.

An input neuron's trace depends on the pixel's value alone, and the pixels of an image take few
different values: synapses that see the same trace are summed first (``mix``), then each trace is
multiplied in once. A response from a site to the soma is a sum of ``n_mode`` common shapes, so a
synapse is ``n_mode`` numbers and a trace is ``n_mode`` filtered traces.

The kernels take part of a batch each, so that a batch runs on several cores. Every sample is
summed in its own order, and what goes to a weight is added sample by sample: results do not depend
on the number of cores.

Sizes are padded so that whole tiles fit: hidden cells and traces in use to a multiple of ``ROWS``,
modes to one of ``WIDTH``, the last axis of every array to one of ``COLUMNS``; what pads is 0.
"""

import numpy as np
from numba import njit

from engine.mechanisms.lanes import WIDTH, fma, load, splat, store

J = {"nogil": True, "cache": True, "error_model": "numpy"}
U = np.uint64
"""Places are unsigned: an index that may be negative costs a test each time."""
ROWS, COLUMNS = 4, 2 * WIDTH
"""Of a tile, whose sums stay in registers."""


def padded(size: int, multiple: int) -> int:
    """The next multiple."""
    return -(-size // multiple) * multiple


@njit(inline="always", **J)
def _tile(n, a, a0, a1, a2, a3, b, b0, b_stride, c, c0, c1, c2, c3):
    """Add 4 rows of ``a`` times 16 columns of ``b``, over n products, to 4 x 16 numbers of ``c``.

    Arrays are flat; a0 … a3 and c0 … c3 are where the rows begin, b0 the first row of the columns.
    """
    p0, q0 = load(c, c0), load(c, c0 + WIDTH)
    p1, q1 = load(c, c1), load(c, c1 + WIDTH)
    p2, q2 = load(c, c2), load(c, c2 + WIDTH)
    p3, q3 = load(c, c3), load(c, c3 + WIDTH)
    u0, u1, u2, u3 = U(a0), U(a1), U(a2), U(a3)
    for k in range(U(n)):
        at = U(b0) + k * U(b_stride)
        x, y = load(b, at), load(b, at + WIDTH)
        w = splat(a[u0 + k])
        p0, q0 = fma(w, x, p0), fma(w, y, q0)
        w = splat(a[u1 + k])
        p1, q1 = fma(w, x, p1), fma(w, y, q1)
        w = splat(a[u2 + k])
        p2, q2 = fma(w, x, p2), fma(w, y, q2)
        w = splat(a[u3 + k])
        p3, q3 = fma(w, x, p3), fma(w, y, q3)
    store(c, c0, p0)
    store(c, c0 + WIDTH, q0)
    store(c, c1, p1)
    store(c, c1 + WIDTH, q1)
    store(c, c2, p2)
    store(c, c2 + WIDTH, q2)
    store(c, c3, p3)
    store(c, c3 + WIDTH, q3)


@njit(**J)
def slots_of(trace, slot, used, count):
    """Number the traces that every sample of a batch uses.

    Parameters
    ----------
    trace : (n_sample, n_in) int32
        Trace of every input, -1 where it stays silent.
    slot : (n_sample, n_in) int32
        Filled: place of an input's trace in ``used``, or -1.
    used : (n_sample, n_slot) int32
        Filled: the traces in use, in the order in which they are met.
    count : (n_sample,) int32
        Filled: how many there are.
    """
    place = np.empty(used.shape[1], np.int32)
    for b in range(trace.shape[0]):
        place[:] = -1
        n = 0
        for i in range(trace.shape[1]):
            t = trace[b, i]
            slot[b, i] = -1
            if t >= 0:
                if place[t] < 0:
                    place[t] = n
                    used[b, n] = t
                    n += 1
                slot[b, i] = place[t]
        count[b] = n


@njit(**J)
def hidden_voltages(
    thread, slot, used, count, site, weight, n_used, mode, filtered, first, mix, voltage
):
    """Add what the inputs do to the hidden somata.

    Parameters
    ----------
    thread : int
        Whose work space is used.
    slot, used, count
        As :func:`slots_of` gave.
    site : (n_in, n_hidden, n_synapse) int32
    weight : (n_in, n_hidden, n_synapse)
    n_used : int
        Modes that are not padding.
    mode : (n_site, n_mode) mV
        Share of every mode in a site's response.
    filtered : (n_trace, n_mode, n_time)
        Traces through the modes.
    first : (n_trace,) int32
        Time from which a trace is not zero.
    mix : (n_thread, n_hidden padded, n_trace, n_mode)
        Work space.
    voltage : (n_sample, n_hidden padded, n_time padded) mV
    """
    n_in, n_hidden, n_synapse = weight.shape
    n_mode, n_row, n_column = mode.shape[1], voltage.shape[1], voltage.shape[2]
    n_trace = filtered.shape[0]
    flat, shapes, total = mix.reshape(-1), filtered.reshape(-1), voltage.reshape(-1)
    modes, a_row = mode.reshape(-1), n_trace * n_mode
    for b in range(slot.shape[0]):
        for j in range(n_hidden):
            own = (thread * n_row + j) * n_trace * n_mode
            for at in range(own, own + count[b] * n_mode, WIDTH):
                store(flat, at, 0.0)
            for i in range(n_in):
                if slot[b, i] >= 0:
                    to = own + np.int64(slot[b, i]) * n_mode
                    for q in range(n_synapse):
                        w, k = splat(weight[i, j, q]), np.int64(site[i, j, q]) * n_mode
                        for r in range(0, n_mode, WIDTH):
                            store(flat, to + r, fma(w, load(modes, k + r), load(flat, to + r)))
        for s in range(count[b]):
            t = used[b, s]
            begin = first[t] // COLUMNS * COLUMNS
            for j in range(0, n_row, ROWS):
                a = ((thread * n_row + j) * n_trace + s) * n_mode
                for n in range(begin, n_column, COLUMNS):
                    c = (b * n_row + j) * n_column + n
                    _tile(
                        n_used,
                        flat, a, a + a_row, a + 2 * a_row, a + 3 * a_row,
                        shapes, t * n_mode * n_column + n, n_column,
                        total, c, c + n_column, c + 2 * n_column, c + 3 * n_column,
                    )  # fmt: skip


@njit(**J)
def project_traces(used, count, trace, error, share):
    """Every trace in use times the errors of the hidden somata, summed over time.

    Parameters
    ----------
    used, count
        As :func:`slots_of` gave; ``used`` with ROWS entries to spare.
    trace : (n_trace, n_time)
    error : (n_sample, n_time, n_hidden padded)
        0 where nothing is learned.
    share : (n_sample, n_slot, n_hidden padded)
        Filled for the traces in use.
    """
    n_time, n_column = error.shape[1], error.shape[2]
    n_slot, width = share.shape[1], trace.shape[1]
    shapes, errors, total = trace.reshape(-1), error.reshape(-1), share.reshape(-1)
    for b in range(used.shape[0]):
        for s in range(0, count[b], ROWS):
            a = used[b, s : s + ROWS] * np.int64(width)
            for n in range(0, n_column, COLUMNS):
                c = (b * n_slot + s) * n_column + n
                for k in range(ROWS):
                    store(total, c + k * n_column, 0.0)
                    store(total, c + k * n_column + WIDTH, 0.0)
                _tile(
                    n_time,
                    shapes, a[0], a[1], a[2], a[3],
                    errors, b * n_time * n_column + n, n_column,
                    total, c, c + n_column, c + 2 * n_column, c + 3 * n_column,
                )  # fmt: skip


@njit(**J)
def project_modes(used, count, filtered, error, share):
    """As :func:`project_traces` with the traces through every mode.

    Parameters
    ----------
    filtered : (n_trace, n_mode, n_time padded)
    share : (n_sample, n_slot, n_mode, n_hidden padded)
    """
    n_time, n_column = error.shape[1], error.shape[2]
    n_slot, n_mode, width = share.shape[1], share.shape[2], filtered.shape[2]
    shapes, errors, total = filtered.reshape(-1), error.reshape(-1), share.reshape(-1)
    for b in range(used.shape[0]):
        for s in range(count[b]):
            for r in range(0, n_mode, ROWS):
                a = (used[b, s] * n_mode + r) * width
                for n in range(0, n_column, COLUMNS):
                    c = ((b * n_slot + s) * n_mode + r) * n_column + n
                    for k in range(ROWS):
                        store(total, c + k * n_column, 0.0)
                        store(total, c + k * n_column + WIDTH, 0.0)
                    _tile(
                        n_time,
                        shapes, a, a + width, a + 2 * width, a + 3 * width,
                        errors, b * n_time * n_column + n, n_column,
                        total, c, c + n_column, c + 2 * n_column, c + 3 * n_column,
                    )  # fmt: skip


@njit(**J)
def gather_traces(slot, share, factor, update):
    """Sum over the samples what every synapse saw; sample after sample.

    Parameters
    ----------
    slot : (n_sample, n_in) int32
    share
        As :func:`project_traces` gave.
    factor, update : (n_in, n_hidden, n_synapse)
        Factor of every synapse; the sums.
    """
    n_in, n_hidden, n_synapse = update.shape
    for i in range(n_in):
        seen = np.zeros(n_hidden)
        for b in range(slot.shape[0]):
            s = slot[b, i]
            if s >= 0:
                for j in range(n_hidden):
                    seen[j] += share[b, s, j]
        for j in range(n_hidden):
            for q in range(n_synapse):
                update[i, j, q] = factor[i, j, q] * seen[j]


@njit(**J)
def gather_modes(slot, share, site, mode, update):
    """Sum over the samples and the modes; arguments as before."""
    n_in, n_hidden, n_synapse = update.shape
    n_mode = mode.shape[1]
    for i in range(n_in):
        seen = np.zeros((n_mode, n_hidden))
        for b in range(slot.shape[0]):
            s = slot[b, i]
            if s >= 0:
                for r in range(n_mode):
                    for j in range(n_hidden):
                        seen[r, j] += share[b, s, r, j]
        for j in range(n_hidden):
            for q in range(n_synapse):
                total = 0.0
                for r in range(n_mode):
                    total += mode[site[i, j, q], r] * seen[r, j]
                update[i, j, q] = total
