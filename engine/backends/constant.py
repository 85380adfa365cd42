# mypy: disable-error-code="no-untyped-def, assignment"
"""Steps of a cell whose membrane is linear: the matrix never changes and is factored once.

With M x = r for the change of voltage x, where M = C / dt + G, the right side of the next step is
r - G x = (C / dt) x: it needs no currents, only what the clamps change. So a step is one sweep to
the root and one back. What is lost by rounding is relative to x, which goes to 0 at rest; every
:data:`REFRESH` steps the right side is computed from the voltages anew, so that a run of any length
stays exact. (Against NEURON: 1e-10 mV, as the engine promises.)

The sums run in the order of :mod:`engine.backends.kernels`, for one instance and for eight.
"""

import numpy as np
from numba import njit

from engine.mechanisms import lanes
from engine.mechanisms.fastmath import wide_vectors

J = {"nogil": True, "cache": True, "error_model": "numpy"}
U, ONE = np.uint64, np.uint64(1)
EIGHT = lanes.WIDTH
REFRESH = 32
"""Steps between two computations of the right side from the voltages."""


@njit(**J)
def right_side(parent, n_root, a, leak_i, leak_g, v, carry, applied):
    """All currents into the nodes of one instance at its voltages; no clamp is applied yet."""
    n, root = U(parent.size), U(n_root)
    for k in range(applied.size):
        applied[k] = 0.0
    for i in range(n):
        carry[i] = -(leak_i[i] + leak_g[i] * v[i])
    for k in range(n - root):
        i = n - ONE - k
        axial = a[i] * (v[parent[i]] - v[i])
        carry[i] += axial
        carry[parent[i]] -= axial


@njit(**J)
def right_side_eights(parent, n_root, a, leak_i, leak_g, v, carry, applied):
    """:func:`right_side` for eight instances."""
    wide_vectors()
    n = parent.size
    for k in range(applied.size):
        applied[k] = 0.0
    for i in range(n):
        lanes.store(carry, i * EIGHT, -(leak_i[i] + leak_g[i] * lanes.load(v, i * EIGHT)))
    for i in range(n - 1, n_root - 1, -1):
        row, up = i * EIGHT, np.int64(parent[i]) * EIGHT
        axial = a[i] * (lanes.load(v, up) - lanes.load(v, row))
        lanes.store(carry, row, lanes.load(carry, row) + axial)
        lanes.store(carry, up, lanes.load(carry, up) - axial)


@njit(**J)
def clamp_changes(time, node, on, off, amplitude, applied, carry):
    """Add what the clamps inject at a time and did not inject before."""
    for c in range(node.size):
        now = amplitude[c] if on[c] <= time < off[c] else 0.0
        if now != applied[c]:
            carry[node[c]] += now - applied[c]
            applied[c] = now


@njit(**J)
def step_one(parent, n_root, level_start, rate, inverse, f, v, carry, x, limit):
    """One step of one instance; not 0 where voltages left the limits or are NaN.

    Parameters
    ----------
    parent, n_root
        As in :func:`engine.backends.kernels.solve`.
    level_start
        As in :class:`engine.backends.layout.Layout`: eight nodes of a level are one vector.
    rate : (n,) µS
        Capacitance over dt.
    inverse, f : (n,)
        As :func:`engine.backends.kernels.factor_constant` leaves them.
    v : (n,) mV
    carry : (n,) nA
        The right side of this step; on return that of the next.
    x : (n,)
        Work space.
    """
    wide_vectors()
    n, root = U(parent.size), U(n_root)
    for k in range(n - root):
        i = n - ONE - k
        carry[parent[i]] += f[i] * carry[i]
    bad = 0
    for i in range(root):
        x[i] = carry[i] * inverse[i]
        carry[i] = rate[i] * x[i]
        v[i] += x[i]
        bad += 0 if abs(v[i]) <= limit else 1
    fine = lanes.splat(0.0) == 0.0
    for level in range(level_start.size - 1):
        first, last = level_start[level], level_start[level + 1]
        whole = first + (last - first) // EIGHT * EIGHT
        for i in range(first, whole, EIGHT):
            above = lanes.gather(x, parent, i)
            change = lanes.load(carry, i) * lanes.load(inverse, i) + lanes.load(f, i) * above
            lanes.store(x, i, change)
            lanes.store(carry, i, lanes.load(rate, i) * change)
            new = lanes.load(v, i) + change
            lanes.store(v, i, new)
            fine = fine & (lanes.fabs(new) <= limit)
        for i in range(U(whole), U(last)):
            change = carry[i] * inverse[i] + f[i] * x[parent[i]]
            x[i] = change
            carry[i] = rate[i] * change
            v[i] += change
            bad += 0 if abs(v[i]) <= limit else 1
    return bad if lanes.every(fine) else bad + 1


@njit(**J)
def step_eights(parent, n_root, rate, inverse, f, v, carry, x, limit):
    """:func:`step_one` for eight instances, which share the matrix."""
    wide_vectors()
    n = parent.size
    for i in range(n - 1, n_root - 1, -1):
        up = np.int64(parent[i]) * EIGHT
        lanes.store(carry, up, lanes.load(carry, up) + f[i] * lanes.load(carry, i * EIGHT))
    fine = lanes.splat(0.0) == 0.0
    for i in range(n):
        row = i * EIGHT
        change = lanes.load(carry, row) * inverse[i]
        if i >= n_root:
            change = change + f[i] * lanes.load(x, np.int64(parent[i]) * EIGHT)
        lanes.store(x, row, change)
        lanes.store(carry, row, rate[i] * change)
        new = lanes.load(v, row) + change
        lanes.store(v, row, new)
        fine = fine & (lanes.fabs(new) <= limit)
    return 0 if lanes.every(fine) else 1
