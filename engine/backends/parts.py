# mypy: disable-error-code="no-untyped-def, assignment"
"""One large cell on several cores: whole subtrees for each, then the trunk on one.

The bits are those of one core. A subtree's top does not touch its parent, which is in the trunk;
what it has for it is kept and given in the order in which one core would have given it.
"""

from numba import njit, prange

from engine.backends.kernels import U
from engine.backends.rows import assemble_lanes
from engine.mechanisms import lanes

SERIAL = {"nogil": True, "cache": True, "error_model": "numpy"}
PARALLEL = {**SERIAL, "parallel": True}
EIGHT = lanes.WIDTH


@njit(**SERIAL)
def share_out(n, part, n_part):
    """Elements ``first`` to ``last`` of a part; whole vectors of eight, so that none is shared."""
    vectors = (n + EIGHT - 1) // EIGHT
    first = vectors * part // n_part * EIGHT
    return first, min(n, vectors * (part + 1) // n_part * EIGHT)


@njit(**PARALLEL)
def assemble_parts(n_part, own, leak_i, leak_g, area, v, i_membrane, g_membrane, d, r):
    """:func:`engine.backends.rows.assemble_lanes` on several cores."""
    for part in prange(n_part):
        first, last = share_out(own.size, part, n_part)
        assemble_lanes(
            own[first:last], leak_i[first:last], leak_g[first:last], area[first:last],
            v[first:last], i_membrane[first:last], g_membrane[first:last],
            d[first:last], r[first:last],
        )  # fmt: skip


@njit(**SERIAL)
def _eliminate(first, last, trunk, parent, a, v, d, r, f, share, flow):
    """A part's nodes, the deepest first; those under the trunk keep what is their parents'."""
    for k in range(last - first):
        i = last - U(1) - k
        p = parent[i]
        dv = a[i] * (v[p] - v[i])
        inverse = 1.0 / d[i]
        right = r[i] + dv
        factor = a[i] * inverse
        if p >= trunk:
            d[p] -= factor * a[i]
            r[p] += factor * right - dv
        else:
            share[i] = factor * a[i]
            flow[i] = factor * right - dv
        r[i] = right * inverse
        f[i] = factor


@njit(**SERIAL)
def _trunk(n_root, trunk, joint, parent, a, v, d, r, f, share, flow):
    """Eliminate the trunk and solve it."""
    for k in range(joint.size):
        i = joint[k]
        p = parent[i]
        if i < trunk:
            _eliminate(i, i + U(1), trunk + U(1), parent, a, v, d, r, f, share, flow)
        d[p] -= share[i]
        r[p] += flow[i]
    for i in range(n_root):
        r[i] = r[i] * (1.0 / d[i])
    for i in range(n_root, trunk):
        r[i] += f[i] * r[parent[i]]


@njit(**SERIAL)
def _substitute(first, last, parent, r, f):
    for i in range(first, last):
        r[i] += f[i] * r[parent[i]]


@njit(**PARALLEL)
def solve_parts(parent, n_root, start, joint, a, v, d, r, f, share, flow, limit):
    """:func:`engine.backends.kernels.solve` and ``update`` on several cores.

    Parameters
    ----------
    start, joint
        As in :class:`engine.backends.layout.Layout`.
    share, flow : (n,)
        Work space.

    Returns
    -------
    int
        Parts in which a voltage left the limits.
    """
    n_part = start.size - 1
    for part in prange(n_part):
        bounds = U(start[part]), U(start[part + 1])
        _eliminate(bounds[0], bounds[1], U(start[0]), parent, a, v, d, r, f, share, flow)
    _trunk(U(n_root), U(start[0]), joint, parent, a, v, d, r, f, share, flow)
    bad = _update(0, start[0], v, r, limit)
    for part in prange(n_part):
        first, last = start[part], start[part + 1]
        _substitute(U(first), U(last), parent, r, f)
        bad += _update(first, last, v, r, limit)
    return bad


@njit(**SERIAL)
def _update(first, last, v, r, limit):
    bad = 0
    for i in range(first, last):
        new = v[i] + r[i]
        v[i] = new
        bad += 0 if abs(new) <= limit else 1
    return bad


@njit(**SERIAL)
def _up(first, last, trunk, parent, f, carry):
    for k in range(last - first):
        i = last - U(1) - k
        if parent[i] >= trunk:
            carry[parent[i]] += f[i] * carry[i]


@njit(**SERIAL)
def _down(first, last, n_root, parent, rate, inverse, f, v, carry, x, limit):
    bad = 0
    for i in range(first, last):
        change = carry[i] * inverse[i]
        if i >= n_root:
            change = change + f[i] * x[parent[i]]
        x[i] = change
        carry[i] = rate[i] * change
        new = v[i] + change
        v[i] = new
        bad += 0 if abs(new) <= limit else 1
    return bad


@njit(**PARALLEL)
def step_parts(parent, n_root, start, joint, rate, inverse, f, v, carry, x, limit):
    """:func:`engine.backends.constant.step_one` on several cores."""
    n_part, trunk, root = start.size - 1, U(start[0]), U(n_root)
    for part in prange(n_part):
        _up(U(start[part]), U(start[part + 1]), trunk, parent, f, carry)
    for k in range(joint.size):
        i = joint[k]
        carry[parent[i]] += f[i] * carry[i]
    bad = _down(U(0), trunk, root, parent, rate, inverse, f, v, carry, x, limit)
    for part in prange(n_part):
        first, last = U(start[part]), U(start[part + 1])
        bad += _down(first, last, root, parent, rate, inverse, f, v, carry, x, limit)
    return bad


@njit(**SERIAL)
def _own_currents(first, last, trunk, parent, a, leak_i, leak_g, v, carry):
    for i in range(first, last):
        carry[i] = -(leak_i[i] + leak_g[i] * v[i])
    for k in range(last - first):
        i = last - U(1) - k
        p = parent[i]
        axial = a[i] * (v[p] - v[i])
        carry[i] += axial
        if p >= trunk:
            carry[p] -= axial


@njit(**PARALLEL)
def right_side_parts(parent, start, joint, a, leak_i, leak_g, v, carry, applied):
    """:func:`engine.backends.constant.right_side` on several cores."""
    n_part, trunk = start.size - 1, U(start[0])
    for k in range(applied.size):
        applied[k] = 0.0
    for i in range(trunk):
        carry[i] = -(leak_i[i] + leak_g[i] * v[i])
    for part in prange(n_part):
        bounds = U(start[part]), U(start[part + 1])
        _own_currents(bounds[0], bounds[1], trunk, parent, a, leak_i, leak_g, v, carry)
    for k in range(joint.size):
        i = joint[k]
        p = parent[i]
        axial = a[i] * (v[p] - v[i])
        if i < trunk:
            carry[i] += axial
        carry[p] -= axial
