"""Which points make a cable and where it joins the one before: NEURON's rules for SWC and for ASC.

Two small grammars of their own: an SWC file says only which point follows which, so that cables are
found from the tree and from the order of the rows; an ASC file writes its branches down.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.morphology.model import Morphology, Tag
from engine.types import BoolArray, FloatArray

Index = NDArray[np.signedinteger[Any]]


@dataclass(frozen=True, eq=False)
class Cables:
    """Runs of points before they become sections; arrays are (n_run,) unless said otherwise.

    ``first`` and ``n_own`` give each run's own points, ``lead`` the point copied to its front (-1:
    none), ``own_width`` whether that copy takes the width of the run's first own point, ``parent``
    the run it hangs on.
    """

    first: Index
    n_own: Index
    lead: Index
    own_width: BoolArray
    parent: Index
    parent_x: FloatArray
    wired: BoolArray


def cables_swc(m: Morphology) -> Cables:
    """Runs by the rules of Import3d_SWC_read.

    A run ends at a point without exactly one child of its type that follows it in the file. Somata
    are kept in one piece through their interior points, wherever dendrites leave them.
    """
    parent, tag, n = m.parent.astype(np.int64), m.tag, m.n_point
    index = np.arange(n)
    root = parent < 0
    up = np.where(root, 0, parent)
    soma = tag == Tag.SOMA
    soma_child = soma & ~root & soma[up]
    n_child = np.bincount(parent[~root], minlength=n)
    n_soma_child = np.bincount(parent[soma_child], minlength=n)
    sphere = _sphere_root(m, n_child)
    if sphere >= 0:
        parent = parent.copy()
        parent[sphere + 2] = sphere + 1

    follows = np.zeros(n, bool)  # the next point is a child of this one
    follows[:-1] = parent[1:] == index[:-1]
    alike = np.zeros(n, bool)
    alike[:-1] = follows[:-1] & (tag[1:] == tag[:-1])
    goes_on = alike & (n_child == 1)
    goes_on |= alike & soma & (root | (n_soma_child <= 1))
    stem, at_start = _stems(parent, tag, root, up)
    goes_on |= alike & stem
    at_start &= ~(stem & ~alike)[up]

    first = np.flatnonzero(np.concatenate([[True], ~goes_on[:-1]]))
    n_own = np.diff(np.append(first, n))
    run_of_point = np.repeat(np.arange(len(first)), n_own)
    joint = np.where(root[first], -1, parent[first])
    over = np.where(joint < 0, -1, run_of_point[joint])
    if sphere >= 0:
        n_own[run_of_point[sphere]] = 1
    x, wired = _joints_swc(first, n_own, joint, over, soma, n_soma_child)
    x[at_start[first]] = 0.0
    x[joint < 0] = 0.0
    leaves_soma = (joint >= 0) & soma[first[over]] & ~soma[first]
    return Cables(first, n_own, np.where(wired, -1, joint), leaves_soma, over, x, wired)


def _sphere_root(m: Morphology, n_child: Index) -> int:
    """First point of NeuroMorpho's three-point soma, which stands for a sphere; -1 if there is
    none.

    All three are of one width, the two others are childless children of the first, and their
    distances to it add up to the diameter within 1 %.
    """
    soma = np.flatnonzero(m.tag == Tag.SOMA)
    if len(soma) != 3 or soma[2] != soma[0] + 2 or m.parent[soma[0]] != -1:
        return -1
    a, b, c = soma
    if m.parent[b] != a or m.parent[c] != a or n_child[b] or n_child[c]:
        return -1
    diameter = 2 * m.radius[a]
    if not m.radius[a] == m.radius[b] == m.radius[c] or diameter == 0:
        return -1
    length = np.linalg.norm(m.xyz[[b, c]] - m.xyz[a], axis=1).sum()
    return int(a) if abs(length / diameter - 1) < 0.01 else -1


def _stems(parent: Index, tag: Index, root: BoolArray, up: Index) -> tuple[BoolArray, BoolArray]:
    """Stems that start with a branch point, and the points that join such a stem at its 0 end.

    A dendrite's first point, hung on the soma by a wire, may branch at once. To avoid a section of
    one point the run goes on through it, and the branches that stand later in the file join the 0
    end. The same holds for a root that is no soma. The second point of a file is never taken so.
    """
    n = len(parent)
    later = ~root & (parent != np.arange(n) - 1)
    grows_from_soma = ~root & (tag[up] == Tag.SOMA) & (np.arange(n) > 1)
    start = (tag != Tag.SOMA) & (root | grows_from_soma)
    at_start = later & start[up]
    last = np.full(n, -1)
    np.maximum.at(last, parent[at_start], np.flatnonzero(at_start))
    return (last >= 0) & (tag[last] == tag), at_start


def _joints_swc(
    first: Index,
    n_own: Index,
    joint: Index,
    over: Index,
    soma: BoolArray,
    n_soma_child: Index,
) -> tuple[FloatArray, BoolArray]:
    """Where each run joins its parent, and whether by a wire.

    A point soma is joined at 0.5, by a wire if the branch has two points. The first point of the
    root is joined at 0, an interior point of a soma at 0.5 by a wire, everything else at 1. Where a
    soma branches at the joint, dendrites go by a wire too.
    """
    x = np.ones(len(first))
    wired = np.zeros(len(first), bool)
    child = joint >= 0
    on_root = child & (over >= 0) & (joint[over] < 0)
    on_soma = child & soma[first[over]]
    dendrite = ~soma[first]
    long = n_own > 1
    branched = n_soma_child[joint] > 1
    n_over = n_own[over]

    point_soma = on_root & on_soma & dendrite & (n_over == 1)
    x[point_soma] = 0.5
    wired |= point_soma & long
    at_root_start = on_root & ~point_soma & (joint == first[over])
    x[at_root_start] = 0.0
    wired |= at_root_start & dendrite & branched
    rest = on_soma & ~point_soma & ~at_root_start
    inside = rest & (joint < first[over] + n_over - 1)
    x[inside] = 0.5
    wired |= inside & dendrite & long
    wired |= rest & ~inside & dendrite & long & branched
    return x, wired


def cables_asc(m: Morphology) -> Cables:
    """Runs by the rules of Import3d_Neurolucida3.

    Every branch of the file is a run. Trees hang on the middle of their soma by a wire; a branch
    starts with a copy of its parent's last point, in its own width, unless its first point lies
    there already.
    """
    parent, n = m.parent.astype(np.int64), m.n_point
    root = parent < 0
    up = np.where(root, 0, parent)
    soma = m.tag == Tag.SOMA
    n_child = np.bincount(parent[~root], minlength=n)
    starts = root | (~soma & ((parent != np.arange(n) - 1) | (n_child[up] > 1) | soma[up]))
    starts[m.cuts] = True
    first = np.flatnonzero(starts)
    n_own = np.diff(np.append(first, n))
    run_of_point = np.repeat(np.arange(len(first)), n_own)
    joint = np.where(root[first], -1, parent[first])
    over = np.where(joint < 0, -1, run_of_point[joint])
    wired = (joint >= 0) & soma[joint] & ~soma[first]
    there = (m.xyz[joint] == m.xyz[first]).all(axis=1)
    lead = np.where(wired | there, -1, joint)
    x = np.where(wired, 0.5, np.where(joint < 0, 0.0, 1.0))
    return Cables(first, n_own, lead, np.ones(len(first), bool), over, x, wired)


def without_empty(c: Cables, m: Morphology) -> Cables:
    """Leave out what NEURON leaves out: branches of one point, or of two at one place; their
    children move up.
    """
    n_pt = c.n_own + (c.lead >= 0)
    start = np.where(c.lead >= 0, c.lead, c.first)
    end = c.first + c.n_own - 1
    nowhere = (n_pt == 2) & (np.abs(m.xyz[start] - m.xyz[end]) <= 1e-11).all(axis=1)
    empty = (c.parent >= 0) & ((n_pt < 2) | nowhere)
    if not empty.any():
        return c
    parent, x = c.parent.copy(), c.parent_x.copy()
    for run in range(len(parent)):  # parents come first, so one step up is enough
        over = parent[run]
        if over >= 0 and empty[over]:
            parent[run], x[run] = parent[over], x[over]
    keep = ~empty
    number = np.cumsum(keep) - 1
    parent = np.where(parent < 0, -1, number[parent])[keep]
    return Cables(
        c.first[keep],
        c.n_own[keep],
        c.lead[keep],
        c.own_width[keep],
        parent,
        x[keep],
        c.wired[keep],
    )
