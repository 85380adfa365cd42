"""Cells made by hand for tests of the drawing: known places, no file, no discretization."""

import numpy as np

from dendview.state import Cell
from engine.compartments import CompartmentTree
from engine.morphology.model import Morphology, Sections


def made_sections(paths, radii, parents, tags, wired=None) -> Sections:
    """Sections from lists of polylines (n, 3) and radii (n,)."""
    names, count = [], {}
    for tag in tags:
        kind = {1: "soma", 2: "axon", 3: "dend", 4: "apic"}.get(tag, f"dend_{tag}")
        names.append(f"{kind}[{count.get(kind, 0)}]")
        count[kind] = count.get(kind, 0) + 1
    start = np.concatenate([[0], np.cumsum([len(p) for p in paths])]).astype(np.int32)
    return Sections(
        parent=np.array(parents, np.int32),
        parent_x=np.where(np.array(parents) >= 0, 1.0, 0.0),
        tag=np.array(tags, np.int32),
        name=tuple(names),
        start=start,
        xyz=np.concatenate(paths).astype(np.float32),
        diameter=2 * np.concatenate(radii).astype(np.float32),
        point=np.arange(start[-1], dtype=np.int32),
        wired=np.zeros(len(paths), bool) if wired is None else np.array(wired),
    )


def made_tree(sections: Sections, nseg) -> CompartmentTree:
    """One node per segment, chained; conductances are not meant to be used."""
    nseg = np.broadcast_to(np.asarray(nseg, np.int32), sections.n_section).astype(np.int32)
    first = np.concatenate([[0], np.cumsum(nseg)])
    n = int(first[-1])
    section = np.repeat(np.arange(sections.n_section), nseg).astype(np.int32)
    k = np.arange(n) - first[section]
    x = (k + 0.5) / nseg[section]
    parent = np.arange(n, dtype=np.int32) - 1
    for s in range(sections.n_section):
        p = sections.parent[s]
        parent[first[s]] = -1 if p < 0 else first[p + 1] - 1
    center, length = np.zeros((n, 3)), np.zeros(n)
    diameter = np.zeros(n)
    for s in range(sections.n_section):
        of = slice(sections.start[s], sections.start[s + 1])
        p = sections.xyz[of].astype(float)
        arc = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(p, axis=0), axis=1))])
        here = slice(first[s], first[s + 1])
        for c in range(3):
            center[here, c] = np.interp(x[here] * arc[-1], arc, p[:, c])
        diameter[here] = np.interp(x[here] * arc[-1], arc, sections.diameter[of])
        length[here] = arc[-1] / nseg[s]
    ids = np.arange(n, dtype=np.int32)
    return CompartmentTree(
        parent=parent,
        length=length,
        diameter=diameter,
        area=np.pi * diameter * length,
        g_axial=np.where(parent >= 0, 0.01, 0.0),
        center=center,
        section=section,
        x=x,
        segment=ids,
        node_of_segment=ids,
        comp_of_point=np.full(len(sections.point), -1, np.int32),
        sections=sections,
        nseg=nseg,
        nodes="neuron",
    )


def made_cell(sections: Sections, nseg=1) -> Cell:
    """A cell whose two node sets are the same."""
    tree = made_tree(sections, nseg)
    points = sections.xyz.astype(float)
    parent = np.arange(len(points), dtype=np.int32) - 1
    morphology = Morphology(
        xyz=points,
        radius=sections.diameter.astype(float) / 2,
        parent=parent,
        tag=np.repeat(sections.tag, np.diff(sections.start)).astype(np.int32),
        line=np.full(len(points), -1, np.int32),
        name="made",
        source="made",
    )
    distance = np.linalg.norm(tree.center - tree.center[0], axis=1)
    return Cell("made", morphology, sections, {"neuron": tree, "merged": tree}, distance)


def y_cell(nseg=5, thin=0.5) -> Cell:
    """A soma of 20 µm, an apical trunk up to y = 210, two tufts, and a basal dendrite down."""
    line = np.linspace(0, 1, 11)[:, None]

    def path(a, b):
        return np.array(a) + line * (np.array(b, float) - np.array(a, float))

    paths = [
        np.array([[-10, 0, 0], [0, 0, 0], [10, 0, 0]], float),
        path((0, 10, 0), (0, 210, 0)),
        path((0, 210, 0), (100, 310, 20)),
        path((0, 210, 0), (-100, 310, -20)),
        path((0, -10, 0), (60, -150, 10)),
    ]
    radii = [np.full(3, 10.0), np.full(11, 2.0), *[np.full(11, thin)] * 3]
    return made_cell(
        made_sections(paths, radii, [-1, 0, 1, 1, 0], [1, 4, 4, 4, 3]), [1, *[nseg] * 4]
    )


def bush(n_section=600, n_point=40, nseg=20, seed=0) -> Cell:
    """A random tree of wiggly cables, for size and speed."""
    rng = np.random.default_rng(seed)
    paths, radii = [np.array([[-8, 0, 0], [0, 0, 0], [8, 0, 0]], float)], [np.full(3, 8.0)]
    parents, tags = [-1], [1]
    for s in range(1, n_section):
        p = 0 if s < 8 else int(rng.integers(max(1, s // 2 - 3), s // 2 + 1))
        heading = (
            rng.normal(size=3) if p == 0 else paths[p][-1] - paths[p][0] + 40 * rng.normal(size=3)
        )
        step = heading / np.linalg.norm(heading) * 2.0 + rng.normal(scale=0.5, size=(n_point, 3))
        step[0] = 0
        begin = np.zeros(3) if p == 0 else paths[p][-1]
        paths.append(begin + np.cumsum(step, axis=0))
        radii.append(np.linspace(1.0, 0.7, n_point) * 2.0 ** (-0.12 * np.log2(s + 1)))
        parents.append(p)
        tags.append(4 if s % 3 == 0 else 3)
    nsegs = np.full(n_section, nseg)
    nsegs[0] = 1
    return made_cell(made_sections(paths, radii, parents, tags), nsegs)
