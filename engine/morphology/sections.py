"""From points to the unbranched sections that NEURON's Import3d makes of them, point for point.

The rules were read off NEURON 9's behavior and are stated at each function; the tests compare with a live NEURON.
Where NEURON fails or would damage the cell, the rule is ours and says so:

- several roots: each tree keeps its own root section (NEURON stops);
- a radius of 0: the section takes the radius of the nearest point towards the soma that has one, then of the nearest
  point away from it, then 0.5 µm (NEURON makes cables with an infinite resistance);
- a stem of one point whose children stand later in the file stays a section of its own (NEURON runs it into the
  next branch of the file);
- points out of order were sorted by the reader (NEURON loses their diameters).
"""

from dataclasses import dataclass, replace

import numpy as np

from engine.morphology.model import Morphology, Sections, Tag
from engine.types import BoolArray, FloatArray, IntArray

DEFAULT_RADIUS = 0.5
"""µm, where a whole tree has no radius."""

_NAMES = {1: "soma", 2: "axon", 3: "dend", 4: "apic"}


@dataclass(frozen=True, eq=False)
class _Cables:
    """Runs of points before they become sections; arrays are (n_run,) unless said otherwise.

    ``first`` and ``n_own`` give each run's own points, ``lead`` the point copied to its front (-1: none), ``own_width``
    whether that copy takes the width of the run's first own point, ``parent`` the run it hangs on.
    """

    first: IntArray
    n_own: IntArray
    lead: IntArray
    own_width: BoolArray
    parent: IntArray
    parent_x: FloatArray
    wired: BoolArray


def make_sections(morphology: Morphology) -> Sections:
    """Cut a morphology into sections: names, joints, points and diameters as NEURON's Import3d.

    Sections stand in the order in which Import3d reads them, parents first; names count within each type.

    Raises
    ------
    ValueError
        If the morphology has no point.
    """
    if morphology.n_point == 0:
        raise ValueError("the morphology has no points, so there are no sections")
    if morphology.source == "asc":
        cables = _cables_asc(morphology)
    else:
        morphology = _single_precision(morphology)
        cables = _cables_swc(morphology)
    return _assemble(morphology, _without_empty(cables, morphology))


def _single_precision(m: Morphology) -> Morphology:
    """NEURON reads the numbers of an SWC file (but not those of an ASC file) in single precision."""
    return replace(
        m,
        xyz=m.xyz.astype(np.float32).astype(np.float64),
        radius=m.radius.astype(np.float32).astype(np.float64),
    )


def _cables_swc(m: Morphology) -> _Cables:
    """Runs by the rules of Import3d_SWC_read.

    A run ends at a point without exactly one child of its type that follows it in the file. Somata are kept in
    one piece through their interior points, wherever dendrites leave them.
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
    return _Cables(first, n_own, np.where(wired, -1, joint), leaves_soma, over, x, wired)


def _sphere_root(m: Morphology, n_child: IntArray) -> int:
    """First point of NeuroMorpho's three-point soma, which stands for a sphere; -1 if there is none.

    All three are of one width, the two others are childless children of the first, and their distances to it add up
    to the diameter within 1 %.
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


def _stems(
    parent: IntArray, tag: IntArray, root: BoolArray, up: IntArray
) -> tuple[BoolArray, BoolArray]:
    """Stems that start with a branch point, and the points that join such a stem at its 0 end.

    A dendrite's first point, hung on the soma by a wire, may branch at once. To avoid a section of one point the run
    goes on through it, and the branches that stand later in the file join the 0 end. The same holds for a root that
    is no soma. The second point of a file is never taken so.
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
    first: IntArray,
    n_own: IntArray,
    joint: IntArray,
    over: IntArray,
    soma: BoolArray,
    n_soma_child: IntArray,
) -> tuple[FloatArray, BoolArray]:
    """Where each run joins its parent, and whether by a wire.

    A point soma is joined at 0.5, by a wire if the branch has two points. The first point of the root is joined at 0,
    an interior point of a soma at 0.5 by a wire, everything else at 1. Where a soma branches at the joint, dendrites
    go by a wire too.
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


def _cables_asc(m: Morphology) -> _Cables:
    """Runs by the rules of Import3d_Neurolucida3.

    Every branch of the file is a run. Trees hang on the middle of their soma by a wire; a branch starts with a copy of
    its parent's last point, in its own width, unless its first point lies there already.
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
    return _Cables(first, n_own, lead, np.ones(len(first), bool), over, x, wired)


def _without_empty(c: _Cables, m: Morphology) -> _Cables:
    """Leave out what NEURON leaves out: branches of one point, or of two at one place; their children move up."""
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
    return _Cables(
        c.first[keep],
        c.n_own[keep],
        c.lead[keep],
        c.own_width[keep],
        parent,
        x[keep],
        c.wired[keep],
    )


def _assemble(m: Morphology, c: _Cables) -> Sections:
    """Lay the runs' points one behind the other, in single precision as NEURON keeps them."""
    has_lead = c.lead >= 0
    single = c.n_own + has_lead == 1  # a root of one point: a cylinder as long as wide, along x
    n_pt = np.where(single, 3, c.n_own + has_lead)
    start = np.concatenate([[0], np.cumsum(n_pt)]).astype(np.int32)
    run_of_pt = np.repeat(np.arange(len(n_pt)), n_pt)
    place = np.arange(start[-1]) - start[run_of_pt]
    point = c.first[run_of_pt] + place - has_lead[run_of_pt]
    point[start[:-1][has_lead]] = c.lead[has_lead]
    for run in np.flatnonzero(single):
        point[start[run] : start[run + 1]] = c.first[run]

    radius = _positive_radius(m)
    width = 2 * radius[point]
    own = has_lead & c.own_width
    width[start[:-1][own]] = 2 * radius[c.first[own]]
    xyz = m.xyz[point]
    for run in np.flatnonzero(single):
        at = start[run]
        xyz[at, 0] -= width[at] / 2
        xyz[at + 2, 0] += width[at] / 2
        point[[at, at + 2]] = -1
    tag = m.tag[c.first].astype(np.int32)
    return Sections(
        parent=c.parent.astype(np.int32),
        parent_x=c.parent_x,
        tag=tag,
        name=section_names(tag),
        start=start,
        xyz=xyz.astype(np.float32),
        diameter=width.astype(np.float32),
        point=point.astype(np.int32),
        wired=c.wired,
    )


def section_names(tag: IntArray) -> tuple[str, ...]:
    """NEURON's names: the type's word and a count within the type; ``dend_7`` for other types, ``minus_2`` below 0."""
    counts: dict[int, int] = {}
    names = []
    for t in tag.tolist():
        count = counts.get(t, 0)
        counts[t] = count + 1
        word = _NAMES.get(t) or (f"minus_{-t}" if t < 0 else f"dend_{t}")
        names.append(f"{word}[{count}]")
    return tuple(names)


def _positive_radius(m: Morphology) -> FloatArray:
    """(n_point,) µm; radii of 0 are replaced as the module's text says."""
    if (m.radius > 0).all():
        return m.radius
    radius = m.radius.copy()
    parent = m.parent.tolist()
    for i in np.flatnonzero(radius == 0).tolist():
        if parent[i] >= 0:
            radius[i] = radius[parent[i]]
    for i in range(len(parent) - 1, 0, -1):
        if parent[i] >= 0 and radius[parent[i]] == 0:
            radius[parent[i]] = radius[i]
    # a tree whose stem had no radius: now its points of 0 can take the stem's
    for i in np.flatnonzero(radius == 0).tolist():
        radius[i] = radius[parent[i]] if parent[i] >= 0 and radius[parent[i]] else DEFAULT_RADIUS
    return radius


def stub_axon(
    sections: Sections, length: float = 30.0, number: int = 2, attach: float = 1.0
) -> Sections:
    raise NotImplementedError
