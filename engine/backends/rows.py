# mypy: disable-error-code="no-untyped-def, assignment"
"""The step's kernels in explicit vectors: eight nodes of a cell, or eight instances of one.

The arithmetic of every number is that of :mod:`engine.backends.kernels`, so the bits are the same.
Arrays of nodes are :func:`engine.mechanisms.lanes.roomy`.
"""

import numpy as np
from numba import njit

from engine.mechanisms import lanes
from engine.mechanisms.fastmath import wide_vectors

J = {"nogil": True, "cache": True, "error_model": "numpy"}
EIGHT = lanes.WIDTH


@njit(**J)
def assemble_lanes(own, leak_i, leak_g, area, v, i_membrane, g_membrane, d, r):
    """:func:`engine.backends.kernels.assemble`."""
    wide_vectors()
    for i in range(0, own.size, EIGHT):
        g, current = lanes.load(g_membrane, i), lanes.load(i_membrane, i)
        factor = lanes.load(area, i)
        leak = lanes.load(leak_i, i) + lanes.load(leak_g, i) * lanes.load(v, i)
        lanes.store(d, i, lanes.load(own, i) + g * factor)
        lanes.store(r, i, -(current * factor + leak))
        lanes.store(g_membrane, i, 0.0)
        lanes.store(i_membrane, i, 0.0)


@njit(**J)
def assemble_eights(own, leak_i, leak_g, area, v, i_membrane, g_membrane, d, r):
    """:func:`engine.backends.kernels.assemble` for eight instances."""
    wide_vectors()
    for i in range(own.size):
        j = i * EIGHT
        g, current = lanes.load(g_membrane, j), lanes.load(i_membrane, j)
        leak = leak_i[i] + leak_g[i] * lanes.load(v, j)
        lanes.store(d, j, own[i] + g * area[i])
        lanes.store(r, j, -(current * area[i] + leak))
        lanes.store(g_membrane, j, 0.0)
        lanes.store(i_membrane, j, 0.0)


@njit(**J)
def solve_eights(parent, n_root, a, v, d, r, f):
    """:func:`engine.backends.kernels.solve` for eight instances."""
    wide_vectors()
    n = parent.size
    for i in range(n - 1, n_root - 1, -1):
        ai, row, up = a[i], i * EIGHT, np.int64(parent[i]) * EIGHT
        dv = ai * (lanes.load(v, up) - lanes.load(v, row))
        inverse = 1.0 / lanes.load(d, row)
        right = lanes.load(r, row) + dv
        factor = ai * inverse
        lanes.store(d, up, lanes.load(d, up) - factor * ai)
        lanes.store(r, up, lanes.load(r, up) + (factor * right - dv))
        lanes.store(r, row, right * inverse)
        lanes.store(f, row, factor)
    for i in range(n_root):
        row = i * EIGHT
        lanes.store(r, row, lanes.load(r, row) * (1.0 / lanes.load(d, row)))
    for i in range(n_root, n):
        row, up = i * EIGHT, np.int64(parent[i]) * EIGHT
        lanes.store(r, row, lanes.load(r, row) + lanes.load(f, row) * lanes.load(r, up))


@njit(**J)
def update_lanes(v, r, limit):
    """:func:`engine.backends.kernels.update`; 1 where any voltage left the limits."""
    wide_vectors()
    fine = lanes.splat(0.0) == 0.0
    for i in range(0, v.size, EIGHT):
        new = lanes.load(v, i) + lanes.load(r, i)
        lanes.store(v, i, new)
        fine = fine & (lanes.fabs(new) <= limit)
    return 0 if lanes.every(fine) else 1


@njit(**J)
def eliminate(parent, n_root, a, v, d, r, f):
    """The first half of :func:`engine.backends.kernels.solve`: to the roots, which are solved."""
    n, root = np.uint64(parent.size), np.uint64(n_root)
    for k in range(n - root):
        i = n - np.uint64(1) - k
        p = parent[i]
        dv = a[i] * (v[p] - v[i])
        inverse = 1.0 / d[i]
        right = r[i] + dv
        factor = a[i] * inverse
        d[p] -= factor * a[i]
        r[p] += factor * right - dv
        r[i] = right * inverse
        f[i] = factor
    for i in range(root):
        r[i] = r[i] * (1.0 / d[i])


@njit(**J)
def substitute(parent, n_root, level_start, v, r, f, limit):
    """The second half and :func:`engine.backends.kernels.update`; not 0 where voltages are bad.

    Eight nodes of a level are one vector.
    """
    wide_vectors()
    bad = 0
    for i in range(n_root):
        v[i] += r[i]
        bad += 0 if abs(v[i]) <= limit else 1
    fine = lanes.splat(0.0) == 0.0
    for level in range(level_start.size - 1):
        first, last = level_start[level], level_start[level + 1]
        whole = first + (last - first) // EIGHT * EIGHT
        for i in range(first, whole, EIGHT):
            change = lanes.load(r, i) + lanes.load(f, i) * lanes.gather(r, parent, i)
            lanes.store(r, i, change)
            new = lanes.load(v, i) + change
            lanes.store(v, i, new)
            fine = fine & (lanes.fabs(new) <= limit)
        for i in range(np.uint64(whole), np.uint64(last)):
            r[i] += f[i] * r[parent[i]]
            v[i] += r[i]
            bad += 0 if abs(v[i]) <= limit else 1
    return bad if lanes.every(fine) else bad + 1
