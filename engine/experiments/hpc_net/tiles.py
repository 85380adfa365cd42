# mypy: disable-error-code="no-untyped-def"
"""Small products of matrices whose sums stay in registers: where the shortcut spends its time."""

import llvmlite.binding as llvm
import numpy as np
from numba import njit
from numba.core import config

from engine.mechanisms.lanes import WIDTH, fma, load, splat, store
from engine.mechanisms.narrow import (
    NARROW_WIDTH,
    fma_narrow,
    load_narrow,
    lower_half,
    splat_narrow,
    upper_half,
)

J = {"nogil": True, "cache": True, "error_model": "numpy"}
U = np.uint64
"""Places are unsigned: an index that may be negative costs a test each time."""
ROWS, COLUMNS, SMALL_COLUMNS = 8, 2 * WIDTH, 2 * NARROW_WIDTH
"""Hidden cells and times that are worked on at a time; times in single precision."""


def _many_registers() -> bool:
    """Whether the processor that is compiled for has 32 registers of 64 bytes."""
    features = config.CPU_FEATURES
    if features is None:
        features = llvm.get_host_cpu_features().flatten()
    return "+avx512f" in features


MANY_REGISTERS = _many_registers()


@njit(inline="always", **J)
def _whole_wide_tile(n_slot, n_mode, a, a0, a_slot, b, start, c, c0, c_row):
    """Add to 8 rows x 16 columns of ``c``: rows of ``a`` times blocks of ``b``, slot after slot.

    Arrays are flat. Rows of ``a`` are WIDTH apart, the first one at a0; slots are ``a_slot`` apart
    there and begin at ``start`` in ``b``. The first row of ``c`` is at c0.
    """
    p0, q0 = load(c, c0), load(c, c0 + WIDTH)
    p1, q1 = load(c, c0 + c_row), load(c, c0 + c_row + WIDTH)
    p2, q2 = load(c, c0 + 2 * c_row), load(c, c0 + 2 * c_row + WIDTH)
    p3, q3 = load(c, c0 + 3 * c_row), load(c, c0 + 3 * c_row + WIDTH)
    p4, q4 = load(c, c0 + 4 * c_row), load(c, c0 + 4 * c_row + WIDTH)
    p5, q5 = load(c, c0 + 5 * c_row), load(c, c0 + 5 * c_row + WIDTH)
    p6, q6 = load(c, c0 + 6 * c_row), load(c, c0 + 6 * c_row + WIDTH)
    p7, q7 = load(c, c0 + 7 * c_row), load(c, c0 + 7 * c_row + WIDTH)
    for s in range(n_slot):
        row, at = U(a0) + U(s) * U(a_slot), U(start[s])
        for _ in range(U(n_mode)):
            x, y = load(b, at), load(b, at + U(WIDTH))
            at += U(COLUMNS)
            w = splat(a[row])
            p0, q0 = fma(w, x, p0), fma(w, y, q0)
            w = splat(a[row + U(WIDTH)])
            p1, q1 = fma(w, x, p1), fma(w, y, q1)
            w = splat(a[row + U(2 * WIDTH)])
            p2, q2 = fma(w, x, p2), fma(w, y, q2)
            w = splat(a[row + U(3 * WIDTH)])
            p3, q3 = fma(w, x, p3), fma(w, y, q3)
            w = splat(a[row + U(4 * WIDTH)])
            p4, q4 = fma(w, x, p4), fma(w, y, q4)
            w = splat(a[row + U(5 * WIDTH)])
            p5, q5 = fma(w, x, p5), fma(w, y, q5)
            w = splat(a[row + U(6 * WIDTH)])
            p6, q6 = fma(w, x, p6), fma(w, y, q6)
            w = splat(a[row + U(7 * WIDTH)])
            p7, q7 = fma(w, x, p7), fma(w, y, q7)
            row += U(1)
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


@njit(inline="always", **J)
def _add_narrow(c, at, x, y):
    """Add 32 singles to as many doubles."""
    store(c, at, load(c, at) + lower_half(x))
    store(c, at + WIDTH, load(c, at + WIDTH) + upper_half(x))
    store(c, at + 2 * WIDTH, load(c, at + 2 * WIDTH) + lower_half(y))
    store(c, at + 3 * WIDTH, load(c, at + 3 * WIDTH) + upper_half(y))


@njit(inline="always", **J)
def _whole_narrow_tile(n_slot, n_mode, a, a0, a_slot, b, start, c, c0, c_row):
    """As :func:`_whole_wide_tile` in single precision, 32 columns; added to doubles in the end."""
    p0 = p1 = p2 = p3 = p4 = p5 = p6 = p7 = splat_narrow(0.0)
    q0 = q1 = q2 = q3 = q4 = q5 = q6 = q7 = splat_narrow(0.0)
    for s in range(n_slot):
        row, at = U(a0) + U(s) * U(a_slot), U(start[s])
        for _ in range(U(n_mode)):
            x, y = load_narrow(b, at), load_narrow(b, at + U(NARROW_WIDTH))
            at += U(SMALL_COLUMNS)
            w = splat_narrow(a[row])
            p0, q0 = fma_narrow(w, x, p0), fma_narrow(w, y, q0)
            w = splat_narrow(a[row + U(NARROW_WIDTH)])
            p1, q1 = fma_narrow(w, x, p1), fma_narrow(w, y, q1)
            w = splat_narrow(a[row + U(2 * NARROW_WIDTH)])
            p2, q2 = fma_narrow(w, x, p2), fma_narrow(w, y, q2)
            w = splat_narrow(a[row + U(3 * NARROW_WIDTH)])
            p3, q3 = fma_narrow(w, x, p3), fma_narrow(w, y, q3)
            w = splat_narrow(a[row + U(4 * NARROW_WIDTH)])
            p4, q4 = fma_narrow(w, x, p4), fma_narrow(w, y, q4)
            w = splat_narrow(a[row + U(5 * NARROW_WIDTH)])
            p5, q5 = fma_narrow(w, x, p5), fma_narrow(w, y, q5)
            w = splat_narrow(a[row + U(6 * NARROW_WIDTH)])
            p6, q6 = fma_narrow(w, x, p6), fma_narrow(w, y, q6)
            w = splat_narrow(a[row + U(7 * NARROW_WIDTH)])
            p7, q7 = fma_narrow(w, x, p7), fma_narrow(w, y, q7)
            row += U(1)
    _add_narrow(c, c0, p0, q0)
    _add_narrow(c, c0 + c_row, p1, q1)
    _add_narrow(c, c0 + 2 * c_row, p2, q2)
    _add_narrow(c, c0 + 3 * c_row, p3, q3)
    _add_narrow(c, c0 + 4 * c_row, p4, q4)
    _add_narrow(c, c0 + 5 * c_row, p5, q5)
    _add_narrow(c, c0 + 6 * c_row, p6, q6)
    _add_narrow(c, c0 + 7 * c_row, p7, q7)


@njit(inline="always", **J)
def _add_half(c, at, x):
    """Add 16 singles to as many doubles."""
    store(c, at, load(c, at) + lower_half(x))
    store(c, at + WIDTH, load(c, at + WIDTH) + upper_half(x))


@njit(inline="always", **J)
def _wide_quarter(n_slot, n_mode, a, a0, a_slot, b, start, column, c, c0, c_row):
    """As :func:`_whole_wide_tile`, 4 rows and half the columns from ``column`` on."""
    p0 = load(c, c0 + 0 * c_row)
    p1 = load(c, c0 + 1 * c_row)
    p2 = load(c, c0 + 2 * c_row)
    p3 = load(c, c0 + 3 * c_row)
    for s in range(n_slot):
        row, at = U(a0) + U(s) * U(a_slot), U(start[s] + column)
        for _ in range(U(n_mode)):
            x = load(b, at)
            at += U(COLUMNS)
            p0 = fma(splat(a[row + U(0 * WIDTH)]), x, p0)
            p1 = fma(splat(a[row + U(1 * WIDTH)]), x, p1)
            p2 = fma(splat(a[row + U(2 * WIDTH)]), x, p2)
            p3 = fma(splat(a[row + U(3 * WIDTH)]), x, p3)
            row += U(1)
    store(c, c0 + 0 * c_row, p0)
    store(c, c0 + 1 * c_row, p1)
    store(c, c0 + 2 * c_row, p2)
    store(c, c0 + 3 * c_row, p3)


@njit(inline="always", **J)
def _narrow_quarter(n_slot, n_mode, a, a0, a_slot, b, start, column, c, c0, c_row):
    """As :func:`_whole_narrow_tile`, 4 rows and half the columns from ``column`` on."""
    p0 = p1 = p2 = p3 = splat_narrow(0.0)
    for s in range(n_slot):
        row, at = U(a0) + U(s) * U(a_slot), U(start[s] + column)
        for _ in range(U(n_mode)):
            x = load_narrow(b, at)
            at += U(SMALL_COLUMNS)
            p0 = fma_narrow(splat_narrow(a[row + U(0 * NARROW_WIDTH)]), x, p0)
            p1 = fma_narrow(splat_narrow(a[row + U(1 * NARROW_WIDTH)]), x, p1)
            p2 = fma_narrow(splat_narrow(a[row + U(2 * NARROW_WIDTH)]), x, p2)
            p3 = fma_narrow(splat_narrow(a[row + U(3 * NARROW_WIDTH)]), x, p3)
            row += U(1)
    _add_half(c, c0 + 0 * c_row, p0)
    _add_half(c, c0 + 1 * c_row, p1)
    _add_half(c, c0 + 2 * c_row, p2)
    _add_half(c, c0 + 3 * c_row, p3)


@njit(inline="always", **J)
def wide_tile(n_slot, n_mode, a, a0, a_slot, b, start, c, c0, c_row):
    """:func:`_whole_wide_tile` in as many parts as the registers ask for; the same bits."""
    if MANY_REGISTERS:
        _whole_wide_tile(n_slot, n_mode, a, a0, a_slot, b, start, c, c0, c_row)
    else:
        for r in range(0, ROWS, 4):
            for n in range(0, COLUMNS, WIDTH):
                _wide_quarter(
                    n_slot, n_mode, a, a0 + r * WIDTH, a_slot, b, start, n,
                    c, c0 + r * c_row + n, c_row,
                )  # fmt: skip


@njit(inline="always", **J)
def narrow_tile(n_slot, n_mode, a, a0, a_slot, b, start, c, c0, c_row):
    """:func:`_whole_narrow_tile` in as many parts as the registers ask for; the same bits."""
    if MANY_REGISTERS:
        _whole_narrow_tile(n_slot, n_mode, a, a0, a_slot, b, start, c, c0, c_row)
    else:
        for r in range(0, ROWS, 4):
            for n in range(0, SMALL_COLUMNS, NARROW_WIDTH):
                _narrow_quarter(
                    n_slot, n_mode, a, a0 + r * NARROW_WIDTH, a_slot, b, start, n,
                    c, c0 + r * c_row + n, c_row,
                )  # fmt: skip
