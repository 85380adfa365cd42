# mypy: disable-error-code="no-untyped-def, assignment"
"""The tree solve and its neighbors: flat arrays, nothing allocated, no policy.

The system is a symmetric tree matrix: ``d`` on the diagonal, ``-a`` between a node and its parent,
``r`` on the right. Every kernel does the same arithmetic in the same order on every node: its
children's shares, in descending index, then the current from its own parent. So all of them give
the same bits, whatever order they walk the tree in. No fastmath: nothing may be fused or reordered.

``dv`` is the axial current to a node from its parent at the old voltages. NEURON puts it on the
right side before the elimination; here it is added in passing, after the shares of the children.
"""

import numpy as np
from numba import njit

J = {"nogil": True, "cache": True, "error_model": "numpy"}
U, ONE = np.uint64, np.uint64(1)
"""Places are unsigned: an index that may be negative costs a test each time, half of a sweep."""


@njit(**J)
def solve(parent, n_root, a, v, d, r, f):
    """Solve one cell's system for the change of voltage, parents stored before children.

    On entry ``d`` and ``r`` hold the nodes' own terms; on return ``r`` holds the solution. Siblings
    reach their parent in descending index because the walk is in descending index.

    Parameters
    ----------
    parent : (n,) uint32
        Anything at the roots.
    n_root : int
        Nodes 0 … n_root - 1 are the roots.
    a : (n,) µS
    v : (n,) mV
    d, r : (n,) µS, nA
    f : (n,)
        Work space.
    """
    n, root = U(parent.size), U(n_root)
    for k in range(n - root):
        i = n - ONE - k
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
    for i in range(root, n):
        r[i] += f[i] * r[parent[i]]


@njit(**J)
def factor_constant(parent, n_root, a, d, inverse, f):
    """The part of :func:`solve` that depends on the matrix alone; ``d`` is spent."""
    n, root = U(parent.size), U(n_root)
    for k in range(n - root):
        i = n - ONE - k
        inverse[i] = 1.0 / d[i]
        f[i] = a[i] * inverse[i]
        d[parent[i]] -= f[i] * a[i]
    for i in range(root):
        inverse[i] = 1.0 / d[i]


@njit(**J)
def solve_serial(parent, a, v, d, r, f):
    """Serial Hines elimination in the order of the tree, roots anywhere; else as :func:`solve`."""
    n = parent.size
    for i in range(n - 1, -1, -1):
        p = parent[i]
        inverse = 1.0 / d[i]
        if p < 0:
            r[i] = r[i] * inverse
        else:
            dv = a[i] * (v[p] - v[i])
            right = r[i] + dv
            factor = a[i] * inverse
            d[p] -= factor * a[i]
            r[p] += factor * right - dv
            r[i] = right * inverse
            f[i] = factor
    for i in range(n):
        if parent[i] >= 0:
            r[i] += f[i] * r[parent[i]]


@njit(**J)
def solve_scheduled(node, step_start, root, parent, child_start, child, a, v, d, r, f, share, flow):
    """The system in the order of a schedule: nodes gather from their children, none is shared.

    Parameters
    ----------
    node, step_start
        As in :class:`engine.schedule.model.Schedule`.
    root : (n_root,) int32
    parent : (n,) int32
    child_start, child : (n + 1,), (n - n_root,) int32
        Children of node i are ``child[child_start[i]:child_start[i + 1]]`` in descending index.
    a, v, d, r, f
        As in :func:`solve`.
    share, flow : (n,)
        Work space: what a node takes from its parent's diagonal and gives to its right side.
    """
    n_step = step_start.size - 1
    for s in range(n_step):
        for j in range(step_start[s], step_start[s + 1]):
            i = node[j]
            for c in range(child_start[i], child_start[i + 1]):
                d[i] -= share[child[c]]
                r[i] += flow[child[c]]
            dv = a[i] * (v[parent[i]] - v[i])
            inverse = 1.0 / d[i]
            right = r[i] + dv
            factor = a[i] * inverse
            share[i] = factor * a[i]
            flow[i] = factor * right - dv
            r[i] = right * inverse
            f[i] = factor
    for j in range(root.size):
        i = root[j]
        for c in range(child_start[i], child_start[i + 1]):
            d[i] -= share[child[c]]
            r[i] += flow[child[c]]
        r[i] = r[i] * (1.0 / d[i])
    for s in range(n_step - 1, -1, -1):
        for j in range(step_start[s], step_start[s + 1]):
            i = node[j]
            r[i] += f[i] * r[parent[i]]


@njit(**J)
def assemble(own, leak_i, leak_g, area, v, i_membrane, g_membrane, d, r):
    """Diagonal and right side of every node from its membrane, one instance.

    In loops over few arrays, as the compiler makes no vector code of one over many.

    Parameters
    ----------
    own : (n,) µS
        What never changes on the diagonal: capacitance over dt, the axial conductances around the
        node and the conductance of the linear mechanisms.
    leak_i, leak_g : (n,) nA, µS
        The linear mechanisms: their current is ``leak_i + leak_g v``.
    area : (n,)
        Factor from a density per cm² to µS or nA.
    v : (n,) mV
    i_membrane, g_membrane : (n,) mA/cm², S/cm²
        Of all other mechanisms; zero on return.
    d, r : (n,) µS, nA
    """
    for i in range(own.size):
        d[i] = own[i] + g_membrane[i] * area[i]
    for i in range(own.size):
        r[i] = -(i_membrane[i] * area[i] + (leak_i[i] + leak_g[i] * v[i]))
    for i in range(own.size):
        g_membrane[i] = 0.0
    for i in range(own.size):
        i_membrane[i] = 0.0


@njit(**J)
def assemble_rest(rest, n_instance, own, leak_i, leak_g, area, v, i_membrane, g_membrane, d, r):
    """:func:`assemble` at some nodes, for any number of instances."""
    for k in range(rest.size):
        i = rest[k]
        for j in range(i * n_instance, (i + 1) * n_instance):
            d[j] = own[i] + g_membrane[j] * area[i]
            r[j] = -(i_membrane[j] * area[i] + (leak_i[i] + leak_g[i] * v[j]))
            g_membrane[j] = 0.0
            i_membrane[j] = 0.0


@njit(**J)
def inject(time, node, on, off, amplitude, r):
    """Add the clamps that are on at a time to the right side."""
    for c in range(node.size):
        if on[c] <= time < off[c]:
            r[node[c]] += amplitude[c]


@njit(**J)
def update(v, r, limit):
    """Add the change to the voltages; the number of those that left the limits or are NaN."""
    bad = 0
    for i in range(v.size):
        v[i] += r[i]
        bad += 0 if abs(v[i]) <= limit else 1
    return bad


@njit(**J)
def sample(values, slot, place, first, last, traces, column):
    """Copy probed elements of an array, ``place`` (n_probe, n_instance), into a column."""
    for k in range(first, last):
        for j in range(place.shape[1]):
            traces[slot[k], j, column] = values[place[k, j]]


@njit(**J)
def detect(v, node, threshold, n_instance, above, time, spikes, n_spike):
    """Note upward crossings of a threshold as NEURON's NetCon: above now, not above before."""
    for j in range(n_instance):
        now = v[node * n_instance + j] > threshold
        if now and not above[j]:
            spikes[n_spike, 0] = j
            spikes[n_spike, 1] = time
            n_spike += 1
        above[j] = now
    return n_spike


@njit(**J)
def snapshot(v, place, n_instance, frame):
    """The first instance's voltages in the order of the tree, single precision."""
    for i in range(place.size):
        frame[i] = v[place[i] * n_instance]
