# mypy: disable-error-code="no-untyped-def"
"""The heavy loops of the shortcut, backward: errors of the hidden somata onto their synapses.

Sizes, slots and what cores have to do with it as in ``kernels``.
"""

import numpy as np
from numba import njit

from engine.experiments.hpc_net.tiles import COLUMNS, J, U
from engine.mechanisms.lanes import WIDTH, fma, lane, load, select, splat, store

TRACES = 8
"""Traces or modes that are worked on at a time."""


@njit(inline="always", **J)
def _tile(n, a, a0, b, b0, b_row, c, c0, c_row):
    """Put 8 rows of ``a`` times 16 columns of ``b``, over n products, into ``c``.

    Arrays are flat; a0 are the places where the rows of ``a`` begin, b0 and c0 the first ones of
    the columns.
    """
    p0 = p1 = p2 = p3 = p4 = p5 = p6 = p7 = splat(0.0)
    q0 = q1 = q2 = q3 = q4 = q5 = q6 = q7 = splat(0.0)
    u0, u1, u2, u3 = U(a0[0]), U(a0[1]), U(a0[2]), U(a0[3])
    u4, u5, u6, u7 = U(a0[4]), U(a0[5]), U(a0[6]), U(a0[7])
    at = U(b0)
    for k in range(U(n)):
        x, y = load(b, at), load(b, at + U(WIDTH))
        at += U(b_row)
        w = splat(a[u0 + k])
        p0, q0 = fma(w, x, p0), fma(w, y, q0)
        w = splat(a[u1 + k])
        p1, q1 = fma(w, x, p1), fma(w, y, q1)
        w = splat(a[u2 + k])
        p2, q2 = fma(w, x, p2), fma(w, y, q2)
        w = splat(a[u3 + k])
        p3, q3 = fma(w, x, p3), fma(w, y, q3)
        w = splat(a[u4 + k])
        p4, q4 = fma(w, x, p4), fma(w, y, q4)
        w = splat(a[u5 + k])
        p5, q5 = fma(w, x, p5), fma(w, y, q5)
        w = splat(a[u6 + k])
        p6, q6 = fma(w, x, p6), fma(w, y, q6)
        w = splat(a[u7 + k])
        p7, q7 = fma(w, x, p7), fma(w, y, q7)
    store(c, c0, p0)
    store(c, c0 + WIDTH, q0)
    store(c, c0 + c_row, p1)
    store(c, c0 + c_row + WIDTH, q1)
    store(c, c0 + 2 * c_row, p2)
    store(c, c0 + 2 * c_row + WIDTH, q2)
    store(c, c0 + 3 * c_row, p3)
    store(c, c0 + 3 * c_row + WIDTH, q3)
    store(c, c0 + 4 * c_row, p4)
    store(c, c0 + 4 * c_row + WIDTH, q4)
    store(c, c0 + 5 * c_row, p5)
    store(c, c0 + 5 * c_row + WIDTH, q5)
    store(c, c0 + 6 * c_row, p6)
    store(c, c0 + 6 * c_row + WIDTH, q6)
    store(c, c0 + 7 * c_row, p7)
    store(c, c0 + 7 * c_row + WIDTH, q7)


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
    samples : (n,) int32
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
                _tile(n_time, shapes, a, errors, n, n_column, total, c, n_column)


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
    rows = np.arange(TRACES)
    for b in samples:
        _turn(error[b], turned)
        for s in range(count[b]):
            for r in range(0, n_mode, TRACES):
                a = (used[b, s] * n_mode + r + rows) * width
                for n in range(0, n_column, COLUMNS):
                    c = ((b * n_slot + s) * n_mode + r) * n_column + n
                    _tile(n_time, shapes, a, errors, n, n_column, total, c, n_column)


@njit(**J)
def gather_traces(inputs, slot, share, factor, update):
    """Sum over the samples what the synapses of some inputs saw; sample after sample.

    Parameters
    ----------
    inputs : (n,) int32
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


@njit(inline="always", **J)
def _sum(x):
    """Of the eight numbers."""
    total = lane(x, 0)
    for k in range(1, WIDTH):
        total += lane(x, k)
    return total


@njit(**J)
def soma_errors(samples, hidden, judged, weight, delta, back, per_neuron, per_output):
    """Errors of the hidden somata from those of the output neurons, and their sums over time.

    Parameters
    ----------
    samples : (n,) int32
    hidden : (n_sample, n_hidden, n_time) mV
    judged : (n_sample, n_hidden, n_time or 1)
        Where it is not above 0, no error passes.
    weight : (n_hidden, n_out)
    delta : (n_sample, n_out, n_time)
    back : (n_sample, n_hidden, n_time)
        Filled for the samples.
    per_neuron : (n_sample, n_hidden)
        Filled: sums of the errors.
    per_output : (n_sample, n_hidden, n_out)
        Filled: sums of the output neurons' errors times max(hidden, 0).
    """
    n_hidden, n_out = weight.shape
    n_time, steady = delta.shape[2], judged.shape[2] == 1
    width = -(-n_time // WIDTH) * WIDTH
    wide = np.zeros(n_out * width)  # errors of the output neurons, filled up with 0
    seen, open_, row = np.zeros(width), np.zeros(width), np.zeros(width)
    for b in samples:
        for c in range(n_out):
            for n in range(n_time):
                wide[c * width + n] = delta[b, c, n]
        for j in range(n_hidden):
            for n in range(n_time):
                seen[n] = max(hidden[b, j, n], 0.0)
                open_[n] = judged[b, j, 0 if steady else n]
            total = splat(0.0)
            for n in range(0, width, WIDTH):
                error = splat(0.0)
                for c in range(n_out):
                    error = fma(splat(weight[j, c]), load(wide, c * width + n), error)
                error = select(load(open_, n) > 0.0, error, 0.0)
                store(row, n, error)
                total = total + error
            per_neuron[b, j] = _sum(total)
            for n in range(n_time):
                back[b, j, n] = row[n]
            for c in range(n_out):
                total = splat(0.0)
                for n in range(0, width, WIDTH):
                    total = fma(load(seen, n), load(wide, c * width + n), total)
                per_output[b, j, c] = _sum(total)
