# mypy: disable-error-code="no-untyped-def, assignment"
"""The spines of a step: eliminated into the tree before it is solved, substituted after it.

No twig depends on another one, so eight of them are one vector; what they give to their parents is
added one by one in their order. Every twig's own equations are solved as in
:mod:`engine.backends.kernels`: ``r`` gets the change of voltage without that of the parent, ``f``
the factor that goes with the parent's.

Twigs of one kind lie together: first all necks, then all heads, then the ends, if there are any.
``group`` (n_group, 3) int64 holds the first entry in the arrays of twigs, the number of twigs
(whole vectors) and the place of the first neck in the arrays of nodes; ``numbers`` what
:func:`silent_numbers` and :func:`active_numbers` give. ``host`` are the places of the parents.
"""

import numpy as np
from numba import njit

from engine.mechanisms import lanes
from engine.mechanisms.fastmath import stack_array, wide_vectors
from engine.types import FloatArray

J = {"nogil": True, "cache": True, "error_model": "numpy"}
EIGHT = lanes.WIDTH


def active_numbers(column: dict[str, FloatArray], dt: float) -> FloatArray:
    """(n_kind, 9) conductances, own diagonals and leaks of twigs with anything on them."""
    names = ("g_neck", "g_head", "g_end")
    table = [column[name] for name in names]
    for part in ("neck", "head"):
        table.append(column[f"c_{part}"] / dt + column[f"leak_g_{part}"])
    for part in ("neck", "head"):
        table += [column[f"leak_i_{part}"], column[f"leak_g_{part}"]]
    return np.stack(table, axis=1)


def silent_numbers(column: dict[str, FloatArray], dt: float) -> FloatArray:
    """(n_kind, 11) the same of twigs with nothing on them, whose equations are factored."""
    g_neck, g_head, _, own_neck, own_head, *leaks = active_numbers(column, dt).T
    d_head = own_head + g_head
    own_neck = own_neck + g_head / d_head * own_head
    d_neck = own_neck + g_neck
    table = [g_neck, g_head, 1 / d_neck, 1 / d_head, g_neck / d_neck, g_head / d_head, *leaks]
    return np.stack([*table, g_neck / d_neck * own_neck], axis=1)


@njit(**J)
def _silent(number, n_at, h_at, v, r, above):
    """Eliminate eight twigs: what one of each gives to its parent's right side."""
    g_neck, g_head = number[0], number[1]
    neck, head = lanes.load(v, n_at), lanes.load(v, h_at)
    dv = g_head * (neck - head)
    right = dv - (number[8] + number[9] * head)
    lanes.store(r, h_at, right * number[3])
    up = number[5] * right - dv
    dv = g_neck * (above - neck)
    right = (up - (number[6] + number[7] * neck)) + dv
    lanes.store(r, n_at, right * number[2])
    return number[4] * right - dv


@njit(**J)
def hang_silent(group, numbers, host, count, v, d, r):
    """Eliminate twigs that stand for ``count`` equal ones each, of one instance."""
    wide_vectors()
    flows, shares = stack_array(), stack_array()
    for g in range(group.shape[0]):
        first, size, base = group[g, 0], group[g, 1], group[g, 2]
        number = numbers[g]
        for e in range(0, size, EIGHT):
            at = first + e
            m = lanes.load(count, at)
            flow = _silent(number, base + e, base + size + e, v, r, lanes.gather(v, host, at))
            lanes.store(flows, 0, m * flow)
            lanes.store(shares, 0, m * number[10])
            for k in range(EIGHT):
                i = host[at + k]
                d[i] += shares[k]
                r[i] += flows[k]


@njit(**J)
def hang_silent_eights(group, numbers, host, count, v, d, r):
    """:func:`hang_silent` for eight instances: eight twigs are one of each, on one parent."""
    wide_vectors()
    for g in range(group.shape[0]):
        first, size, base = group[g, 0], group[g, 1], group[g, 2]
        number = numbers[g]
        for e in range(0, size, EIGHT):
            at = first + e
            up = np.int64(host[at])
            m = lanes.load(count, at)
            flow = _silent(number, base + e, base + size + e, v, r, lanes.load(v, up))
            lanes.store(d, up, lanes.load(d, up) + m * number[10])
            lanes.store(r, up, lanes.load(r, up) + m * flow)


@njit(**J)
def hang_active(group, numbers, host, v, d, r, f):
    """Eliminate twigs with points or clamps; ``d`` and ``r`` hold what those give."""
    wide_vectors()
    flows, shares = stack_array(), stack_array()
    for g in range(group.shape[0]):
        first, size, base = group[g, 0], group[g, 1], group[g, 2]
        number = numbers[g]
        g_neck, g_head, g_end = number[0], number[1], number[2]
        for e in range(0, size, EIGHT):
            at, n_at = first + e, base + e
            h_at, e_at = n_at + size, n_at + 2 * size
            above = lanes.gather(v, host, at)
            neck, head, end = lanes.load(v, n_at), lanes.load(v, h_at), lanes.load(v, e_at)
            own = lanes.load(d, e_at)
            inverse = 1.0 / (own + g_end)
            factor = g_end * inverse
            dv = g_end * (head - end)
            right = lanes.load(r, e_at) + dv
            lanes.store(r, e_at, right * inverse)
            lanes.store(f, e_at, factor)
            up = factor * right - dv
            own = (number[4] + lanes.load(d, h_at)) + factor * own
            inverse = 1.0 / (own + g_head)
            factor = g_head * inverse
            dv = g_head * (neck - head)
            right = ((lanes.load(r, h_at) - (number[7] + number[8] * head)) + up) + dv
            lanes.store(r, h_at, right * inverse)
            lanes.store(f, h_at, factor)
            up = factor * right - dv
            own = (number[3] + lanes.load(d, n_at)) + factor * own
            inverse = 1.0 / (own + g_neck)
            factor = g_neck * inverse
            dv = g_neck * (above - neck)
            right = ((lanes.load(r, n_at) - (number[5] + number[6] * neck)) + up) + dv
            lanes.store(r, n_at, right * inverse)
            lanes.store(f, n_at, factor)
            lanes.store(flows, 0, factor * right - dv)
            lanes.store(shares, 0, factor * own)
            lanes.store(d, n_at, 0.0)
            lanes.store(d, h_at, 0.0)
            lanes.store(d, e_at, 0.0)
            for k in range(EIGHT):
                i = host[at + k]
                d[i] += shares[k]
                r[i] += flows[k]


@njit(**J)
def _move(v, at, change, limit):
    new = lanes.load(v, at) + change
    lanes.store(v, at, new)
    return lanes.fabs(new) <= limit


@njit(**J)
def _drop(number, n_at, h_at, above, v, r, limit):
    """Voltages of eight twigs whose parents' changes are known; a mask of those in range."""
    change = lanes.load(r, n_at) + number[4] * above
    fine = _move(v, n_at, change, limit)
    return fine & _move(v, h_at, lanes.load(r, h_at) + number[5] * change, limit)


@njit(**J)
def drop_silent(group, numbers, host, v, r, limit):
    """Voltages of the twigs of one instance, ``r`` of their parents being solved; 1 if bad."""
    wide_vectors()
    fine = lanes.splat(0.0) == 0.0
    for g in range(group.shape[0]):
        first, size, base = group[g, 0], group[g, 1], group[g, 2]
        for e in range(0, size, EIGHT):
            above = lanes.gather(r, host, first + e)
            fine = fine & _drop(numbers[g], base + e, base + size + e, above, v, r, limit)
    return 0 if lanes.every(fine) else 1


@njit(**J)
def drop_silent_eights(group, numbers, host, v, r, limit):
    """:func:`drop_silent` for eight instances."""
    wide_vectors()
    fine = lanes.splat(0.0) == 0.0
    for g in range(group.shape[0]):
        first, size, base = group[g, 0], group[g, 1], group[g, 2]
        for e in range(0, size, EIGHT):
            above = lanes.load(r, np.int64(host[first + e]))
            fine = fine & _drop(numbers[g], base + e, base + size + e, above, v, r, limit)
    return 0 if lanes.every(fine) else 1


@njit(**J)
def drop_active(group, host, v, r, f, limit):
    """:func:`drop_silent` of twigs with points or clamps; leaves 0 in their ``r``."""
    wide_vectors()
    fine = lanes.splat(0.0) == 0.0
    for g in range(group.shape[0]):
        first, size, base = group[g, 0], group[g, 1], group[g, 2]
        for e in range(0, size, EIGHT):
            change = lanes.gather(r, host, first + e)
            for part in range(3):
                at = base + part * size + e
                change = lanes.load(r, at) + lanes.load(f, at) * change
                fine = fine & _move(v, at, change, limit)
                lanes.store(r, at, 0.0)
    return 0 if lanes.every(fine) else 1
