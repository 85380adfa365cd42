"""Integrals over segments: areas, mean diameters, half resistances (NEURON's numbers)."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from engine.compartments import offsets
from engine.morphology.model import Sections
from engine.types import FloatArray, IntArray

SHORTEST = 1e-9
"""µm; NEURON's least section length."""
LEAST_DIAMETER = 1e-6
"""µm; given to a segment without any diameter, which NEURON could not simulate."""


@dataclass(frozen=True, eq=False)
class SegmentGeometry:
    """Integrals over every segment of a cell, section by section.

    Attributes
    ----------
    length, diameter : (n_segment,) µm
    area : (n_segment,) µm²
    left, right : (n_segment,) 1/µm
        Σ ds/(d1 d2) from the middle to the 0 and the 1 end; times 4 Ra/π the half resistances.
    """

    length: FloatArray
    diameter: FloatArray
    area: FloatArray
    left: FloatArray
    right: FloatArray


def arc_lengths(sections: Sections) -> FloatArray:
    """Distance of every point from the 0 end of its section.

    Returns
    -------
    (n_pt,) µm
        Differences in float32, sums in float64, as NEURON's ``arc3d``.
    """
    step = np.diff(sections.xyz, axis=0, prepend=sections.xyz[:1]).astype(float)
    x, y, z = step.T
    length = np.sqrt(x * x + y * y + z * z)
    length[sections.start[:-1]] = 0.0
    arc = np.empty_like(length)
    start = sections.start.tolist()
    for a, b in pairwise(start):
        np.cumsum(length[a:b], out=arc[a:b])
    return arc


def integrate_segments(
    sections: Sections, nseg: IntArray, arc: FloatArray | None = None
) -> SegmentGeometry:
    """Areas, mean diameters and half resistances of all segments, with NEURON's last bit.

    Every section is cut at its points and at the middles and ends of its segments; each piece is a
    frustum. Pieces are summed in the order in which NEURON's ``diam_from_list`` (treeset.cpp) walks
    along the section.

    Parameters
    ----------
    sections : Sections
    nseg : (n_section,) int32
    arc : (n_pt,) µm, optional
        What :func:`arc_lengths` gave.

    Returns
    -------
    SegmentGeometry
    """
    arc = arc_lengths(sections) if arc is None else arc
    first, last = sections.start[:-1], sections.start[1:] - 1
    n_segment = int(nseg.sum())
    segment_start = offsets(nseg)
    owner = np.repeat(np.arange(sections.n_section), nseg)
    number = np.arange(n_segment) - segment_start[owner]
    ds = (arc[last] / nseg)[owner]
    middle = number * ds + ds / 2
    cut = np.stack([middle, middle + ds / 2], axis=1).ravel()
    cut_owner = np.repeat(owner, 2)

    d = np.abs(sections.diameter.astype(float))
    inner = np.ones(len(arc), bool)
    inner[first] = inner[last] = False
    inner = np.flatnonzero(inner)
    n_inner = np.diff(sections.start) - 2
    inner_owner = np.repeat(np.arange(sections.n_section), n_inner)

    # walk: points and cuts of each section by distance, a point before a cut at the same place
    where = np.concatenate([arc[inner], cut])
    who = np.concatenate([inner_owner, cut_owner])
    is_cut = np.repeat([False, True], [len(inner), len(cut)])
    order = np.lexsort((is_cut, where, who))
    where, who, is_cut = where[order], who[order], is_cut[order]
    half = np.cumsum(is_cut) - is_cut
    passed = np.cumsum(~is_cut) - offsets(n_inner)[who]  # points passed in this section

    j = first[who] + passed  # last point passed; at a point event, the point itself
    following = np.minimum(j + 1, last[who])
    span = arc[following] - arc[j]
    with np.errstate(divide="ignore", invalid="ignore"):
        fraction = np.where(np.abs(span) < 1e-10, 1.0, (where - arc[j]) / span)
    at_cut = (1.0 - fraction) * d[j] + fraction * d[following]
    x2, y2 = where, np.where(is_cut, at_cut, d[j])
    begins = np.diff(who, prepend=-1) != 0
    x1 = np.where(begins, 0.0, np.roll(x2, 1))
    y1 = np.where(begins, d[first[who]], np.roll(y2, 1))
    valid = half < 2 * segment_start[who + 1]  # rounding can leave points behind the last cut
    x1, x2, y1, y2, half = x1[valid], x2[valid], y1[valid], y2[valid], half[valid]

    delta = np.maximum(x2 - x1, 1e-15)
    inverse = y1 * y2 / delta
    inverse[inverse == 0] = 1e-15
    slant = 0.5 * (y2 - y1)
    surface = (y1 + y2) * np.sqrt(delta * delta + slant * slant)
    shape = _sums(half, 1 / inverse, 2 * n_segment)
    area = _sums(half // 2, surface, n_segment) * 0.5 * np.pi
    with np.errstate(divide="ignore", invalid="ignore"):
        diameter = _sums(half // 2, (y1 + y2) * (x2 - x1), n_segment) * (0.5 / ds)
    pointlike = ds <= 0
    diameter[pointlike] = d[first[owner]][pointlike]
    flat = area == 0
    diameter[flat] = LEAST_DIAMETER
    length = np.where(pointlike, SHORTEST / nseg[owner], ds)
    area[flat] = np.pi * LEAST_DIAMETER * length[flat]
    left, right = shape.reshape(-1, 2).T
    return SegmentGeometry(length, diameter, area, left, right)


def _sums(group: IntArray, value: FloatArray, n_group: int) -> FloatArray:
    """(n_group,) sums of the values of each group, added one by one in the order given."""
    return np.bincount(group, value, n_group).astype(np.float64)
