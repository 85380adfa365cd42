"""What is drawn of a cell: its cables as round cones that know the segments along them. No Qt.

A *capsule* is a round cone, the union of the spheres between two ends. It need not stop where a
segment stops: it carries the segment coordinate ``u`` of its two ends (3.4 is 40 % into segment 3),
and whoever draws it reads the segment off the coordinate. So a cable takes as many capsules as its
shape needs, not as many as it has segments.
"""

from dataclasses import dataclass

import numpy as np

from engine.compartments import CompartmentTree
from engine.morphology.model import Sections, Tag
from engine.types import Float32Array, FloatArray, IntArray

N_SOMA_SAMPLE = 17
"""Spheres tried along a soma section, beside those at its own points."""


@dataclass(frozen=True, eq=False)
class CellGeometry:
    """Capsules to draw, relative to ``origin`` so that float32 keeps its digits.

    Attributes
    ----------
    ends : (n_capsule, 2, 4) float32 µm
        x, y, z, radius of the two ends.
    along : (n_capsule, 2)
        Segment coordinate u at the two ends.
    segments : (n_capsule, 2) int32
        First and last segment a capsule may show; u beyond is held at them.
    center : (n_segment, 3) µm
        Middle of every segment, relative to ``origin``.
    origin : (3,) µm
        Middle of the cell's bounding box.
    low, high : (3,) µm
        Bounding box, relative to ``origin``.
    apical : (3,) or None
        Unit vector from the soma to the middle of the apical dendrite; None where there is none.
    n_segment : int
    """

    ends: Float32Array
    along: FloatArray
    segments: IntArray
    center: FloatArray
    origin: FloatArray
    low: FloatArray
    high: FloatArray
    apical: FloatArray | None
    n_segment: int

    @property
    def n_capsule(self) -> int:
        return len(self.ends)

    @property
    def diagonal(self) -> float:
        """Of the bounding box, µm."""
        return float(np.linalg.norm(self.high - self.low))

    def capsules_of(self, chosen: np.ndarray) -> IntArray:
        """Capsules that show at least one of the segments chosen by a (n_segment,) mask."""
        before = np.concatenate([[0], np.cumsum(chosen)])
        count = before[self.segments[:, 1] + 1] - before[self.segments[:, 0]]
        return np.flatnonzero(count).astype(np.int32)


def make_geometry(sections: Sections, tree: CompartmentTree) -> CellGeometry:
    """Capsules of a cell.

    Parameters
    ----------
    sections : Sections
    tree : CompartmentTree
        Any tree of these sections; only its segments matter.

    Returns
    -------
    CellGeometry

    Notes
    -----
    A soma is drawn round: at distance s from its free end a sphere is at most s wide, so the
    sphere that NEURON turns into a cylinder is a sphere again, and keeps its length. A section
    wired to the soma starts at its own first point; the wire is a line without thickness.
    """
    xyz = sections.xyz.astype(np.float64)
    radius = sections.diameter.astype(np.float64) / 2
    arc, total = _arc_length(xyz, sections.start)
    section = np.repeat(np.arange(sections.n_section), np.diff(sections.start))
    first = np.concatenate([[0], np.cumsum(tree.nseg)])
    u = first[section] + arc * (tree.nseg / np.maximum(total, 1e-12))[section]

    soma = sections.tag == Tag.SOMA
    kept = _needed_points(xyz, radius, arc, np.where(soma[section], -1, section))
    pair = (section[kept[1:]] == section[kept[:-1]]) & ~soma[section[kept[1:]]]
    a, b = kept[:-1][pair], kept[1:][pair]
    ball = np.concatenate([xyz, radius[:, None]], axis=1)
    ends = [np.stack([ball[a], ball[b]], axis=1)]
    along = [np.stack([u[a], u[b]], axis=1)]
    least, most = first[section[a]], first[section[a] + 1] - 1
    last = np.clip(np.ceil(u[b] - 1e-6) - 1, least, most)
    segments = [np.stack([np.clip(np.floor(u[a] + 1e-6), least, last), last], axis=1)]

    for s in np.flatnonzero(soma):
        here = slice(sections.start[s], sections.start[s + 1])
        children = (sections.parent == s) & soma
        free = (
            sections.parent[s] < 0 or not soma[sections.parent[s]],
            not np.any(children & (sections.parent_x == 1)),
        )
        e, v = _soma(ball[here], arc[here], u[here], free)
        ends.append(e)
        along.append(v)
        segments.append(np.broadcast_to([first[s], first[s + 1] - 1], v.shape))
    e, v = _wires(sections, xyz, arc, total, first)
    ends.append(e)
    along.append(v)
    segments.append(np.floor(v))

    all_ends = np.concatenate(ends)
    low, high = _bounds(all_ends)
    origin = (low + high) / 2
    all_ends[..., :3] -= origin
    return CellGeometry(
        ends=all_ends.astype(np.float32),
        along=np.concatenate(along),
        segments=np.concatenate(segments).astype(np.int32),
        center=tree.center[tree.node_of_segment] - origin,
        origin=origin,
        low=low - origin,
        high=high - origin,
        apical=_apical(sections, xyz, arc, section),
        n_segment=tree.n_segment,
    )


def _arc_length(xyz: FloatArray, start: IntArray) -> tuple[FloatArray, FloatArray]:
    """Distance of every point from its section's first, and every section's length, µm."""
    step = np.zeros(len(xyz))
    step[1:] = np.linalg.norm(np.diff(xyz, axis=0), axis=1)
    step[start[:-1]] = 0
    run = np.cumsum(step)
    arc = run - np.repeat(run[start[:-1]], np.diff(start))
    return arc, arc[start[1:] - 1]


def _needed_points(
    xyz: FloatArray, radius: FloatArray, arc: FloatArray, section: np.ndarray
) -> IntArray:
    """Points that cannot be left out without a visible change; points of section -1 stay.

    Rounds of leaving out every second point that lies on the cone between its neighbors, to a
    fifth of its radius and at most 0.3 µm; errors of earlier rounds are added up.
    """
    ball = np.concatenate([xyz, radius[:, None]], axis=1)
    tolerance = np.clip(0.2 * radius, 0.03, 0.3)
    kept = np.arange(len(xyz), dtype=np.int32)
    error = np.zeros(max(len(xyz) - 1, 0))  # of the interval after each kept point
    for turn in range(24):
        if len(kept) < 3:
            break
        i, j, k = kept[:-2], kept[1:-1], kept[2:]
        inner = (section[i] == section[j]) & (section[j] == section[k]) & (section[j] >= 0)
        share = (arc[j] - arc[i]) / np.maximum(arc[k] - arc[i], 1e-12)
        off = np.abs(ball[j] - (ball[i] + share[:, None] * (ball[k] - ball[i])))
        wrong = np.linalg.norm(off[:, :3], axis=1) + off[:, 3]
        wrong += np.maximum(error[:-1], error[1:])
        drop = inner & (wrong < tolerance[j])
        drop[(np.arange(len(drop)) + turn) % 2 == 0] = False
        n = np.count_nonzero(drop)
        if not n and turn % 2:
            break
        error[:-1] = np.where(drop, wrong, error[:-1])
        stay = np.concatenate([[True], ~drop, [True]])
        kept, error = kept[stay], error[stay[:-1]]
    return kept


def _soma(
    ball: FloatArray, arc: FloatArray, u: FloatArray, free: tuple[bool, bool]
) -> tuple[FloatArray, FloatArray]:
    """Ends (n, 2, 4) and segment coordinates (n, 2) of a soma section, rounded at its free ends."""
    length = arc[-1]
    at = np.unique(np.concatenate([arc, np.linspace(0, length, N_SOMA_SAMPLE)]))
    spheres = np.stack([np.interp(at, arc, ball[:, c]) for c in range(4)], axis=1)
    if length > 0:
        limit = np.minimum(at if free[0] else np.inf, length - at if free[1] else np.inf)
        spheres[:, 3] = np.minimum(spheres[:, 3], limit)
    gap = np.linalg.norm(spheres[:, None, :3] - spheres[None, :, :3], axis=2)
    inside = gap + spheres[:, None, 3] <= spheres[None, :, 3] * (1 + 1e-4)
    rank = np.arange(len(at))
    first_of_equals = inside & inside.T & (rank[:, None] < rank[None, :])
    np.fill_diagonal(inside, False)
    spheres_u = np.interp(at, arc, u)
    out = ~np.any(inside & ~first_of_equals, axis=1)
    if not out.any():
        out[np.argmax(spheres[:, 3])] = True
    spheres, spheres_u, at = spheres[out], spheres_u[out], at[out]
    if len(at) > 1:
        return np.stack([spheres[:-1], spheres[1:]], 1), np.stack(
            [spheres_u[:-1], spheres_u[1:]], 1
        )
    axis = (ball[-1, :3] - ball[0, :3]) / max(length, 1e-12)  # one sphere: a hint of an axis for u
    tiny = 0.01 * spheres[0, 3]
    pair = np.repeat(spheres, 2, axis=0)
    pair[:, :3] += np.array([[-tiny], [tiny]]) * axis
    slope = (u[-1] - u[0]) / max(length, 1e-12)
    return pair[None], (spheres_u[0] + np.array([-tiny, tiny]) * slope)[None]


def _wires(
    sections: Sections, xyz: FloatArray, arc: FloatArray, total: FloatArray, first: np.ndarray
) -> tuple[FloatArray, FloatArray]:
    """Lines from where a wired section is attached to its first point."""
    ends, along = [np.zeros((0, 2, 4))], [np.zeros((0, 2))]
    for s in np.flatnonzero(sections.wired & (sections.parent >= 0)):
        p = sections.parent[s]
        of_parent = slice(sections.start[p], sections.start[p + 1])
        at = sections.parent_x[s] * total[p]
        start = [np.interp(at, arc[of_parent], xyz[of_parent, c]) for c in range(3)]
        wire = np.zeros((1, 2, 4))
        wire[0, :, :3] = start, xyz[sections.start[s]]
        ends.append(wire)
        along.append(np.full((1, 2), first[s]))
    return np.concatenate(ends), np.concatenate(along)


def _bounds(ends: FloatArray) -> tuple[FloatArray, FloatArray]:
    r = ends[..., 3:]
    return (ends[..., :3] - r).min(axis=(0, 1)), (ends[..., :3] + r).max(axis=(0, 1))


def _apical(
    sections: Sections, xyz: FloatArray, arc: FloatArray, section: np.ndarray
) -> FloatArray | None:
    """Direction from the soma (or the first point) to the middle of the apical cable."""
    tag = sections.tag[section]
    apical = (tag == Tag.APICAL) | (tag == 41) | (tag == 42) | (tag == 43)
    if not apical.any():
        return None
    soma = tag == Tag.SOMA
    start = xyz[soma].mean(axis=0) if soma.any() else xyz[0]
    weight = np.gradient(arc) if len(arc) > 1 else np.ones(1)
    weight = np.maximum(weight, 0) * apical
    if weight.sum() == 0:
        return None
    direction = (weight @ xyz) / weight.sum() - start
    norm = np.linalg.norm(direction)
    return direction / norm if norm > 0 else None
