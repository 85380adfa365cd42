# mypy: disable-error-code="no-untyped-def"
"""The heavy loops of the shortcut, backward: errors of the hidden somata onto their synapses.

Sizes, slots and what cores have to do with it as in ``kernels``.
"""

import numpy as np
from numba import njit

from engine.experiments.hpc_net.kernels import COLUMNS, J, U
from engine.mechanisms.lanes import WIDTH, fma, load, splat, store

TRACES = 4
"""Traces or modes that are worked on at a time."""


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
def _turn(error, turned):
    """Copy (n_hidden, n_time) to (n_time, n_hidden padded)."""
    for j in range(error.shape[0]):
        for n in range(error.shape[1]):
            turned[n, j] = error[j, n]


@njit(**J)
def project_traces(samples, used, count, trace, error, turned, share):
    """Every trace in use times the errors of the hidden somata, summed over time.

    Parameters
    ----------
    samples : (n,) int64
    used, count
        As ``kernels.slots_of`` gave; ``used`` with TRACES entries to spare.
    trace : (n_trace, n_time)
    error : (n_sample, n_hidden, n_time)
        0 where nothing is learned.
    turned : (n_time, n_hidden padded)
        Work space, 0 where it pads.
    share : (n_sample, n_slot, n_hidden padded)
        Filled for the traces in use.
    """
    n_time, n_column = turned.shape
    n_slot, width = share.shape[1], trace.shape[1]
    shapes, errors, total = trace.reshape(-1), turned.reshape(-1), share.reshape(-1)
    for b in samples:
        _turn(error[b], turned)
        for s in range(0, count[b], TRACES):
            a = used[b, s : s + TRACES] * np.int64(width)
            for n in range(0, n_column, COLUMNS):
                c = (b * n_slot + s) * n_column + n
                for k in range(TRACES):
                    store(total, c + k * n_column, 0.0)
                    store(total, c + k * n_column + WIDTH, 0.0)
                _tile(
                    n_time,
                    shapes, a[0], a[1], a[2], a[3],
                    errors, n, n_column,
                    total, c, c + n_column, c + 2 * n_column, c + 3 * n_column,
                )  # fmt: skip


@njit(**J)
def project_modes(samples, used, count, filtered, error, turned, share):
    """As :func:`project_traces` with the traces through every mode.

    Parameters
    ----------
    filtered : (n_trace, n_mode, n_time padded)
    share : (n_sample, n_slot, n_mode, n_hidden padded)
    """
    n_time, n_column = turned.shape
    n_slot, n_mode, width = share.shape[1], share.shape[2], filtered.shape[2]
    shapes, errors, total = filtered.reshape(-1), turned.reshape(-1), share.reshape(-1)
    for b in samples:
        _turn(error[b], turned)
        for s in range(count[b]):
            for r in range(0, n_mode, TRACES):
                a = (used[b, s] * n_mode + r) * width
                for n in range(0, n_column, COLUMNS):
                    c = ((b * n_slot + s) * n_mode + r) * n_column + n
                    for k in range(TRACES):
                        store(total, c + k * n_column, 0.0)
                        store(total, c + k * n_column + WIDTH, 0.0)
                    _tile(
                        n_time,
                        shapes, a, a + width, a + 2 * width, a + 3 * width,
                        errors, n, n_column,
                        total, c, c + n_column, c + 2 * n_column, c + 3 * n_column,
                    )  # fmt: skip


@njit(**J)
def gather_traces(inputs, slot, share, factor, update):
    """Sum over the samples what the synapses of some inputs saw; sample after sample.

    Parameters
    ----------
    inputs : (n,) int64
    slot : (n_sample, n_in) int32
    share
        As :func:`project_traces` gave.
    factor, update : (n_in, n_hidden, n_synapse)
        Factor of every synapse; the sums.
    """
    n_hidden, n_synapse = update.shape[1:]
    seen = np.empty(n_hidden)
    for i in inputs:
        seen[:] = 0.0
        for b in range(slot.shape[0]):
            s = slot[b, i]
            if s >= 0:
                for j in range(n_hidden):
                    seen[j] += share[b, s, j]
        for j in range(n_hidden):
            for q in range(n_synapse):
                update[i, j, q] = factor[i, j, q] * seen[j]


@njit(**J)
def gather_modes(inputs, slot, share, site, mode, update):
    """Sum over the samples and the modes; arguments as before."""
    n_hidden, n_synapse = update.shape[1:]
    n_mode = mode.shape[1]
    for i in inputs:
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
