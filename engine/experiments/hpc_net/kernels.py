# mypy: disable-error-code="no-untyped-def"
"""The heavy loops of the shortcut, forward: somata and output neurons from images.

An input neuron's trace depends on the pixel's value alone, and the pixels of an image take few
different values: synapses that see the same trace are summed first (``mix``), then each trace is
multiplied in once. A response from a site to the soma is a sum of ``n_mode`` common shapes, so a
synapse is ``n_mode`` numbers and a trace is ``n_mode`` filtered traces.

Modes come by size. The first are summed in double precision; the others, whose sum is so small that
what single precision rounds off does not show, in single precision, twice as many an instruction.

The kernels take some samples of a batch each, so that a batch runs on several cores. Every sample
is summed in its own order, and what goes to a weight is added sample by sample: results do not
depend on the number of cores.

Sizes are padded so that whole tiles fit: hidden cells and traces in use to a multiple of ``ROWS``,
modes to groups of a vector's width, the last axis of every array to one of ``COLUMNS``; what pads
is 0. Traces through modes lie in blocks of times.
"""

import numpy as np
from numba import njit

from engine.experiments.hpc_net.tiles import (
    COLUMNS,
    ROWS,
    SMALL_COLUMNS,
    J,
    U,
    narrow_tile,
    wide_tile,
)
from engine.mechanisms.lanes import WIDTH, fma, load, select, splat, store
from engine.mechanisms.narrow import (
    NARROW_WIDTH,
    fma_narrow,
    load_narrow,
    splat_narrow,
    store_narrow,
)

LINE = 64
"""Bytes of a line of the cache."""


def padded(size: int, multiple: int) -> int:
    """The next multiple."""
    return -(-size // multiple) * multiple


def aligned(shape: tuple[int, ...], dtype: type = np.float64) -> np.ndarray:
    """An empty array that begins where a line of the cache does: no vector lies across two."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    room = np.empty(size + LINE, np.uint8)
    first = -room.ctypes.data % LINE
    return room[first : first + size].view(dtype).reshape(shape)


def to_lines(values: np.ndarray, dtype: type = np.float64) -> np.ndarray:
    """A copy as :func:`aligned` makes them."""
    copy = aligned(values.shape, dtype)
    copy[...] = values
    return copy


@njit(**J)
def slots_of(trace, first, slot, used, count):
    """Number the traces that every sample of a batch uses, the sooner they begin the sooner.

    Parameters
    ----------
    trace : (n_sample, n_in) int32
        Trace of every input, -1 where it stays silent.
    first : (n_trace,) int32
        All traces in the order in which they begin.
    slot : (n_sample, n_in) int32
        Filled: place of an input's trace in ``used``, or -1.
    used : (n_sample, n_slot) int32
        Filled: the traces in use.
    count : (n_sample,) int32
        Filled: how many there are.
    """
    place = np.empty(used.shape[1], np.int32)
    for b in range(trace.shape[0]):
        place[:] = -1
        for i in range(trace.shape[1]):
            t = trace[b, i]
            if t >= 0:
                place[t] = 0
        n = 0
        for t in first:
            if place[t] >= 0:
                place[t] = n
                used[b, n] = t
                n += 1
        count[b] = n
        for i in range(trace.shape[1]):
            t = trace[b, i]
            slot[b, i] = place[t] if t >= 0 else -1


@njit(**J)
def _mix_wide(slot, site, weight, mode, mix, n_slot):
    """Sum the double modes of the synapses of one sample by trace and hidden cell."""
    n_in, n_hidden, n_synapse = weight.shape
    flat, modes, weights, sites = (
        mix.reshape(-1),
        mode.reshape(-1),
        weight.reshape(-1),
        site.reshape(-1),
    )
    row = mix.shape[1] * WIDTH
    for at in range(0, n_slot * row, WIDTH):
        store(flat, at, splat(0.0))
    for i in range(n_in):
        if slot[i] >= 0:
            to, own = np.int64(slot[i]) * row, i * n_hidden * n_synapse
            for _ in range(n_hidden):
                total = load(flat, to)
                for k in range(U(own), U(own + n_synapse)):
                    part = load(modes, np.int64(sites[k]) * WIDTH)
                    total = fma(splat(weights[k]), part, total)
                store(flat, to, total)
                to, own = to + WIDTH, own + n_synapse


@njit(**J)
def _mix_narrow(slot, site, weight, mode, mix, n_slot):
    """As :func:`_mix_wide` for the single modes."""
    n_in, n_hidden, n_synapse = weight.shape
    flat, modes, weights, sites = (
        mix.reshape(-1),
        mode.reshape(-1),
        weight.reshape(-1),
        site.reshape(-1),
    )
    row = mix.shape[1] * NARROW_WIDTH
    for at in range(0, n_slot * row, NARROW_WIDTH):
        store_narrow(flat, at, splat_narrow(0.0))
    for i in range(n_in):
        if slot[i] >= 0:
            to, own = np.int64(slot[i]) * row, i * n_hidden * n_synapse
            for _ in range(n_hidden):
                total = load_narrow(flat, to)
                for k in range(U(own), U(own + n_synapse)):
                    part = load_narrow(modes, np.int64(sites[k]) * NARROW_WIDTH)
                    total = fma_narrow(splat_narrow(weights[k]), part, total)
                store_narrow(flat, to, total)
                to, own = to + NARROW_WIDTH, own + n_synapse


@njit(**J)
def _add_wide(n_mode, used, live, mix, shape, total, to, n_column):
    """Add the double modes of one sample to its voltages, which begin at ``to``."""
    n_block, n_row = shape.shape[1], mix.shape[1]
    flat, shapes = mix.reshape(-1), shape.reshape(-1)
    start, n_slot = np.empty(len(used), np.int64), 0
    for block in range(n_block):
        while n_slot < len(used) and live[used[n_slot]] <= block:
            n_slot += 1
        for s in range(n_slot):
            start[s] = (np.int64(used[s]) * n_block + block) * WIDTH * COLUMNS
        for j in range(0, n_row - 1, ROWS):
            wide_tile(
                n_slot, n_mode, flat, j * WIDTH, n_row * WIDTH, shapes, start,
                total, to + j * n_column + block * COLUMNS, n_column,
            )  # fmt: skip


@njit(**J)
def _add_small(n_mode, used, live, mix, shape, total, to, n_column):
    """As :func:`_add_wide` for the single modes."""
    n_block, n_row = shape.shape[1], mix.shape[1]
    flat, shapes = mix.reshape(-1), shape.reshape(-1)
    start, n_slot = np.empty(len(used), np.int64), 0
    for block in range(n_block):
        while n_slot < len(used) and live[used[n_slot]] // (SMALL_COLUMNS // COLUMNS) <= block:
            n_slot += 1
        for s in range(n_slot):
            start[s] = (np.int64(used[s]) * n_block + block) * NARROW_WIDTH * SMALL_COLUMNS
        for j in range(0, n_row - 1, ROWS):
            narrow_tile(
                n_slot, n_mode, flat, j * NARROW_WIDTH, n_row * NARROW_WIDTH, shapes, start,
                total, to + j * n_column + block * SMALL_COLUMNS, n_column,
            )  # fmt: skip


@njit(**J)
def hidden_voltages(
    samples, slot, used, count, live, site, weight, n_double, mode, shape, n_small, small_mode,
    small_shape, mix, small_mix, bias_weight, bias, voltage,
):  # fmt: skip
    """Voltages of the hidden somata of some samples.

    Parameters
    ----------
    samples : (n,) int32
    slot, used, count
        As :func:`slots_of` gave.
    live : (n_trace,) int32
        First block of times in which a trace is not zero.
    site : (n_in, n_hidden, n_synapse) int32
    weight : (n_in, n_hidden, n_synapse)
    n_double : int
        Modes in double precision.
    mode : (n_group, n_site, WIDTH) mV
        Share of every double mode in a site's response.
    shape : (n_group, n_trace, n_block, WIDTH, COLUMNS)
        Traces through the double modes.
    n_small, small_mode, small_shape
        The same of the modes in single precision, with NARROW_WIDTH and SMALL_COLUMNS; float32.
    mix : (n_trace, n_hidden padded + 1, WIDTH)
        Work space of this thread. With the one row more no slots are a power of 2 apart, which
        would leave most of the cache unused.
    small_mix : (n_trace, n_hidden padded + 1, NARROW_WIDTH) float32
    bias_weight : (n_hidden,)
    bias : (n_time padded,) mV
    voltage : (n_sample, n_hidden padded, n_time padded) mV
        Filled for the samples.
    """
    n_hidden, n_row, n_column = weight.shape[1], voltage.shape[1], voltage.shape[2]
    total = voltage.reshape(-1)
    for b in samples:
        for j in range(n_row):
            w = bias_weight[j] if j < n_hidden else 0.0
            for n in range(n_column):
                voltage[b, j, n] = w * bias[n]
        to, met = b * n_row * n_column, used[b, : count[b]]
        for g in range(mode.shape[0]):
            n_mode = min(n_double - g * WIDTH, WIDTH)
            _mix_wide(slot[b], site, weight, mode[g], mix, count[b])
            _add_wide(n_mode, met, live, mix, shape[g], total, to, n_column)
        for g in range(small_mode.shape[0]):
            n_mode = min(n_small - g * NARROW_WIDTH, NARROW_WIDTH)
            _mix_narrow(slot[b], site, weight, small_mode[g], small_mix, count[b])
            _add_small(n_mode, met, live, small_mix, small_shape[g], total, to, n_column)


@njit(inline="always", **J)
def _positive(x):
    """max(x, 0); no number stays none."""
    return select(x < 0.0, 0.0, x)


@njit(**J)
def output_voltages(samples, voltage, weight, bias, keep, gain, output):
    """Voltages of the output neurons of some samples, from the hidden somata's.

    Parameters
    ----------
    samples : (n,) int32
    voltage : (n_sample, n_hidden padded, n_time padded) mV
    weight : (n_hidden, n_out)
    bias : (n_out,)
    keep, gain : float
        Of an output neuron in a step; the gain from a weighted voltage.
    output : (n_sample, n_out, n_time) mV
        Filled for the samples.
    """
    n_hidden, n_out = weight.shape
    n_row, n_column, n_time = voltage.shape[1], voltage.shape[2], output.shape[2]
    hidden, current = voltage.reshape(-1), np.empty(n_column)
    for b in samples:
        for c in range(n_out):
            for n in range(0, n_column, 4 * WIDTH):
                p = q = r = s = splat(bias[c])
                for j in range(n_hidden):
                    w, at = splat(weight[j, c]), (b * n_row + j) * n_column + n
                    p = fma(w, _positive(load(hidden, at)), p)
                    q = fma(w, _positive(load(hidden, at + WIDTH)), q)
                    r = fma(w, _positive(load(hidden, at + 2 * WIDTH)), r)
                    s = fma(w, _positive(load(hidden, at + 3 * WIDTH)), s)
                store(current, n, p)
                store(current, n + WIDTH, q)
                store(current, n + 2 * WIDTH, r)
                store(current, n + 3 * WIDTH, s)
            v = 0.0
            for n in range(n_time):
                output[b, c, n] = v
                v = keep * v + gain * current[n]
