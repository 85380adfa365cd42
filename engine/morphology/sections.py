"""From points to the unbranched sections that NEURON's Import3d makes of them, point for point.

The rules were read off NEURON 9's behavior and are stated at each function; the tests compare with
a live NEURON. Where NEURON fails or would damage the cell, the rule is ours and says so:

- several roots: each tree keeps its own root section (NEURON hangs the others on the soma, unasked,
  or stops);
- a radius of 0: the section takes the radius of the nearest point towards the soma that has one,
  then of the nearest point away from it, then 0.5 µm (NEURON makes cables with an infinite
  resistance);
- a stem of one point whose children stand later in the file stays a section of its own (NEURON runs
  it into the next branch of the file);
- points out of order were sorted by the reader (NEURON loses their diameters).
"""

from dataclasses import replace
from functools import cache

import numpy as np

from engine.errors import UserError
from engine.morphology.cables import Cables, cables_asc, cables_swc, without_empty
from engine.morphology.model import Morphology, Sections, Tag
from engine.morphology.pointwise import cables_pointwise, is_pointwise
from engine.types import BoolArray, FloatArray, IntArray

DEFAULT_RADIUS = 0.5
"""µm, where a whole tree has no radius."""

_NAMES = {1: "soma", 2: "axon", 3: "dend", 4: "apic"}


def make_sections(morphology: Morphology) -> Sections:
    """Cut a morphology into sections: names, joints, points and diameters as NEURON's Import3d.

    Sections stand in the order in which Import3d reads them, parents first; names count within each
    type.

    Raises
    ------
    ValueError
        If the morphology has no point.
    """
    if morphology.n_point == 0:
        raise ValueError("the morphology has no points, so there are no sections")
    if morphology.source == "asc":
        cables = cables_asc(morphology)
    else:
        morphology = _single_precision(morphology)
        pointwise = is_pointwise(morphology)
        cables = cables_pointwise(morphology) if pointwise else cables_swc(morphology)
    return _assemble(morphology, without_empty(cables, morphology))


def _single_precision(m: Morphology) -> Morphology:
    """NEURON reads the numbers of an SWC file, but not of an ASC file, in single precision."""
    return replace(
        m,
        xyz=m.xyz.astype(np.float32).astype(np.float64),
        radius=m.radius.astype(np.float32).astype(np.float64),
    )


def _assemble(m: Morphology, c: Cables) -> Sections:
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
    """NEURON's names: the type's word and a count within the type; ``dend_7`` for other types,
    ``minus_2`` below 0.
    """
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


STUB_LENGTHS = (30.0, 30.0)
"""µm, of the cylinders that stand for an axon in most published models."""


def stub_axon(
    sections: Sections,
    attach: float = 1.0,
    lengths: tuple[float, ...] = STUB_LENGTHS,
    diameter: float | None = None,
) -> Sections:
    """Replace the reconstructed axon by cylinders in a row, ``axon[0]`` and on, as published
    models do.

    By default there are two. They are as wide as the first section of the old axon in its middle
    (1 µm where there was none); lengths of 30 µm are exact and get one segment under every usual
    rule. ``attach`` is the place on the soma: 1 in the human model of Eyal et al. (2018), 0.5 in
    the L5b model of Hay et al., PLoS Comput. Biol. 7:e1002107 (2011), whose stub is 1 µm wide
    whatever the old axon was. The stub points where the old axon began to
    go, or away from the other branches. Sections of another type that hung on the axon move to
    where it hung.

    Raises
    ------
    UserError
        If the cell consists of an axon only, ``attach`` is not in 0 to 1, or a size is not
        positive.
    """
    if not 0 <= attach <= 1:
        raise UserError(f"the axon cannot be attached at {attach:g} of the soma; use 0 to 1")
    if not lengths or not all(0 < size < np.inf for size in (*lengths, diameter or 1.0)):
        raise UserError(
            f"an axon of lengths {lengths} µm and diameter {diameter} µm cannot be made; "
            "write positive numbers"
        )
    axon = sections.tag == Tag.AXON
    if axon.all():
        raise UserError(
            "the cell consists of an axon only, so nothing would be left; keep the axon"
        )
    rest = _without(sections, axon)
    soma = np.flatnonzero((rest.tag == Tag.SOMA) & (rest.parent < 0))
    host = int(soma[0]) if soma.size else 0
    if diameter is None:
        diameter = _middle_diameter(sections, int(np.flatnonzero(axon)[0])) if axon.any() else 1.0
    begin = (
        np.round(64 * _place(rest, host, attach)) / 64
    )  # so that single precision keeps the 30 µm
    step = _step(_axon_direction(sections, axon, begin))
    way = np.concatenate([[0.0], np.cumsum(lengths)]) / 30.0
    points = begin + np.repeat(way, 2)[1:-1, None] * step
    n, more = rest.n_section, len(lengths)
    tag = np.concatenate([rest.tag, np.full(more, Tag.AXON)]).astype(np.int32)
    return Sections(
        parent=np.concatenate([rest.parent, [host], n + np.arange(more - 1)]).astype(np.int32),
        parent_x=np.concatenate([rest.parent_x, [attach], np.ones(more - 1)]),
        tag=tag,
        name=section_names(tag),
        start=np.concatenate([rest.start, rest.start[-1] + 2 * np.arange(1, more + 1)]).astype(
            np.int32
        ),
        xyz=np.concatenate([rest.xyz, points]).astype(np.float32),
        diameter=np.concatenate([rest.diameter, np.full(2 * more, diameter)]).astype(np.float32),
        point=np.concatenate([rest.point, np.full(2 * more, -1)]).astype(np.int32),
        wired=np.concatenate([rest.wired, np.zeros(more, bool)]),
    )


def _without(s: Sections, gone: BoolArray) -> Sections:
    """The other sections; those that hung on a removed one move to where it hung."""
    parent, x = s.parent.copy(), s.parent_x.copy()
    for i in range(s.n_section):  # parents first
        over = parent[i]
        if over >= 0 and gone[over]:
            parent[i], x[i] = parent[over], x[over]
    keep = ~gone
    number = (np.cumsum(keep) - 1).astype(np.int32)
    n_pt = np.diff(s.start)
    of_kept = np.repeat(keep, n_pt)
    tag = s.tag[keep]
    return Sections(
        parent=np.where(parent < 0, -1, number[parent])[keep].astype(np.int32),
        parent_x=x[keep],
        tag=tag,
        name=tuple(name for name, kept in zip(s.name, keep, strict=True) if kept),
        start=np.concatenate([[0], np.cumsum(n_pt[keep])]).astype(np.int32),
        xyz=s.xyz[of_kept],
        diameter=s.diameter[of_kept],
        point=s.point[of_kept],
        wired=s.wired[keep],
    )


def _way(s: Sections, i: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Points, diameters and distance from the 0 end of a section, in double precision."""
    span = slice(s.start[i], s.start[i + 1])
    xyz = s.xyz[span].astype(np.float64)
    way = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(xyz, axis=0), axis=1))])
    return xyz, s.diameter[span].astype(np.float64), way


def _place(s: Sections, i: int, x: float) -> FloatArray:
    """(3,) µm, the middle line of section i at its normalized position x."""
    xyz, _, way = _way(s, i)
    return np.array([np.interp(x * way[-1], way, column) for column in xyz.T])


def _middle_diameter(s: Sections, i: int) -> float:
    _, diameter, way = _way(s, i)
    return float(np.interp(way[-1] / 2, way, diameter))


def _axon_direction(s: Sections, axon: BoolArray, begin: FloatArray) -> FloatArray:
    """(3,) where the axon's first 30 µm lead, else away from the middle of all points."""
    if axon.any():
        xyz, _, way = _way(s, int(np.flatnonzero(axon)[0]))
        lead = np.array([np.interp(30.0, way, column) for column in xyz.T]) - xyz[0]
    else:
        lead = begin - s.xyz.mean(axis=0)
    return lead if np.linalg.norm(lead) > 0 else np.array([0.0, -1.0, 0.0])


def _step(direction: FloatArray) -> FloatArray:
    """(3,) µm, of the vectors of whole numbers that are exactly 30 long the one nearest to a
    direction.
    """
    steps = _steps_of_30()
    return steps[(steps @ direction).argmax()]


@cache
def _steps_of_30() -> FloatArray:
    whole = np.arange(-30, 31)
    grid = np.stack(np.meshgrid(whole, whole, whole, indexing="ij"), axis=-1).reshape(-1, 3)
    return grid[(grid**2).sum(axis=1) == 30**2].astype(np.float64)
