"""From sections to compartments: nseg rules, areas, axial conductances (NEURON's numbers)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Literal

import numpy as np

from engine.compartments import CompartmentTree, offsets
from engine.errors import UserError
from engine.morphology.model import Sections
from engine.segments import SHORTEST, SegmentGeometry, arc_lengths, integrate_segments
from engine.stimuli import Site
from engine.types import FloatArray, IntArray, NodeSet
from engine.units import MOHM_UM_PER_OHM_CM

RULE_KINDS = ("max_length", "d_lambda", "fixed")


@dataclass(frozen=True)
class Rule:
    """How sections are cut into segments.

    ``max_length``: nseg = 1 + 2 int(L / value), value in µm; ``d_lambda``: nseg odd and segments at
    most value times the length constant at 100 Hz; ``fixed``: value segments in every section.
    """

    kind: Literal["max_length", "d_lambda", "fixed"] = "max_length"
    value: float = 40.0

    @classmethod
    def parse(cls, text: str) -> "Rule":
        """``max_length:40``, ``d_lambda:0.1`` or ``fixed:5``.

        Raises
        ------
        UserError
            If the rule is none of the three or its value is not a positive number.
        """
        kind, _, number = (part.strip() for part in text.partition(":"))
        if kind not in RULE_KINDS:
            near = get_close_matches(kind, RULE_KINDS, 1)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            raise UserError(
                f"rule '{text}' is not one of max_length:40, d_lambda:0.1, fixed:5{hint}"
            )
        try:
            value = float(number)
        except ValueError:
            example = {"max_length": 40, "d_lambda": 0.1, "fixed": 5}[kind]
            what = f"has '{number}' where a number belongs" if number else "lacks its value"
            raise UserError(f"rule '{text}' {what}; write for example {kind}:{example}") from None
        rule = cls(kind, value)  # type: ignore[arg-type]
        rule.check()
        return rule

    def check(self) -> None:
        """Refuse values no cell can be cut by.

        Raises
        ------
        UserError
        """
        if self.kind not in RULE_KINDS:
            raise UserError(f"rule kind '{self.kind}' is not one of {', '.join(RULE_KINDS)}")
        if not 0 < self.value < float("inf"):
            raise UserError(f"rule '{self}' needs a positive value")
        if self.kind == "fixed" and self.value != int(self.value):
            raise UserError(f"rule '{self}' needs a whole number of segments")
        if self.kind == "fixed" and self.value > 32767:
            raise UserError(f"rule '{self}' asks for more than 32767 segments in a section")

    def __str__(self) -> str:
        return f"{self.kind}:{repr(self.value).removesuffix('.0')}"


DEFAULT_RULE = Rule()

ROUNDING = 1e-11
"""Added before a number is cut to an integer, as NEURON's interpreter does (``hoc_epsilon``)."""
MOST_SEGMENTS = 10_000_000
"""A hundred times the largest cell with all its spines; cutting takes 460 bytes a segment."""
LEAST_RESISTANCE = 1e-6
"""MΩ between nodes of sections without length, so that the solver keeps ten digits."""


def count_segments(
    sections: Sections,
    rule: Rule = DEFAULT_RULE,
    cm: float | FloatArray = 1.0,
    ra: float | FloatArray = 150.0,
    arc: FloatArray | None = None,
) -> IntArray:
    """Segments of every section.

    Parameters
    ----------
    sections : Sections
    rule : Rule
    cm, ra : scalar or (n_section,), µF/cm² and Ω·cm
        Only ``d_lambda`` needs them.
    arc : (n_pt,) µm, optional
        What :func:`arc_lengths` gave.

    Returns
    -------
    (n_section,) int32

    Raises
    ------
    UserError
        If a section would need more than NEURON's 32767 segments, or the cell MOST_SEGMENTS.

    Notes
    -----
    λ(f) integrates over all points as ``lambda_f`` of NEURON's ``fixnseg.hoc`` does
    (Hines & Carnevale, Neuroscientist 7:123, 2001).
    """
    rule.check()
    arc = arc_lengths(sections) if arc is None else arc
    length = np.maximum(arc[sections.start[1:] - 1], SHORTEST)
    if rule.kind == "fixed":
        wanted = np.full(sections.n_section, rule.value)
    elif rule.kind == "max_length":
        wanted = 1 + 2 * np.floor(length / rule.value + ROUNDING)
    else:
        d = sections.diameter.astype(float)
        interval = np.diff(arc)
        inside = np.ones(len(interval), bool)
        inside[sections.start[1:-1] - 1] = False
        inside &= d[:-1] + d[1:] > 0  # λ is zero there; NEURON would ask for endless segments
        part = np.divide(
            interval, np.sqrt(d[:-1] + d[1:]), out=np.zeros_like(interval), where=inside
        )
        owner = np.repeat(np.arange(sections.n_section), np.diff(sections.start))[:-1]
        lam = np.bincount(owner, part, minlength=sections.n_section)
        electrotonic = lam * (
            np.sqrt(2) * 1e-5 * np.sqrt(4 * np.pi * 100 * np.asarray(ra) * np.asarray(cm))
        )
        wanted = np.floor((electrotonic / rule.value + 0.9) / 2 + ROUNDING) * 2 + 1
    if (bad := np.flatnonzero(~(wanted <= 32767))).size:
        s = int(bad[0])
        raise UserError(
            f"rule '{rule}' cuts {sections.name[s]} ({length[s]:g} µm long) into more than "
            "32767 segments; choose a coarser one or check the diameters of this section"
        )
    if (total := int(wanted.sum())) > MOST_SEGMENTS:
        raise UserError(
            f"rule '{rule}' cuts the cell into {total:,} segments, more than the "
            f"{MOST_SEGMENTS:,} there is room for; choose a coarser one"
        )
    return wanted.astype(np.int32)


def discretize(
    sections: Sections,
    rule: Rule = DEFAULT_RULE,
    *,
    nodes: NodeSet = "merged",
    cm: float | FloatArray = 1.0,
    ra: float | FloatArray = 150.0,
    n_point: int | None = None,
    keep: Iterable[int | tuple[str, float] | Site] = (),
) -> CompartmentTree:
    """Cut sections into compartments.

    Parameters
    ----------
    sections : Sections
        Of one cell or several (a forest), parents first.
    rule : Rule
    nodes : {"merged", "neuron"}
        ``neuron`` is NEURON's matrix: the root's massless 0 end, then of every section its segments
        and a massless 1 end. ``merged`` leaves out the massless nodes at which nothing branches;
        those that join two cables are eliminated exactly (resistances in series).
    cm, ra : scalar or (n_section,), µF/cm² and Ω·cm
        ``cm`` matters for the rule ``d_lambda`` only.
    n_point : int, optional
        Points of the morphology; by default as many as the sections mention.
    keep
        Nodes of the ``neuron`` set, or places ``(section, x)`` with x 0 or 1, whose massless node
        stays in the merged set, for instance because a synapse sits there.

    Returns
    -------
    CompartmentTree

    Raises
    ------
    UserError
        If the rule, ``ra`` or ``cm`` is impossible, or ``keep`` names no place of the cell.

    Notes
    -----
    Bit for bit NEURON's numbers, with two exceptions where NEURON's are useless: a segment without
    any diameter gets 1e-6 µm, and nodes of sections without length are at least 1e-6 MΩ apart.
    """
    if not sections.n_section:
        raise UserError("there is no section to cut: the morphology has no cable")
    for name, given, unit in (("ra", ra, "Ω·cm"), ("cm", cm, "µF/cm²")):
        if not (np.asarray(given) > 0).all() or not np.isfinite(given).all():
            raise UserError(f"{name} must be positive in every section, in {unit}")
    arc = arc_lengths(sections)
    nseg = count_segments(sections, rule, cm, ra, arc)
    segments = integrate_segments(sections, nseg, arc)
    tree, resistance = assemble(sections, nseg, segments, ra)
    tree = replace(tree, center=node_centers(tree, arc))
    if nodes == "merged":
        tree = merge(tree, resistance, [massless_node(tree, place) for place in keep])
    return replace(tree, comp_of_point=nodes_of_points(tree, arc, n_point))


def assemble(
    sections: Sections, nseg: IntArray, segments: SegmentGeometry, ra: float | FloatArray
) -> tuple[CompartmentTree, FloatArray]:
    """NEURON's node set and the (n_comp,) axial resistance in MΩ of each node to its parent."""
    root = sections.parent < 0
    size = nseg + 1 + root
    first = offsets(size)[:-1] + root  # node of each section's first segment
    n_comp = int(size.sum())
    section = np.repeat(np.arange(sections.n_section), size)
    place = np.arange(n_comp) - first[section]  # -1 at a root's 0 end, nseg at a 1 end
    is_segment = (place >= 0) & (place < nseg[section])
    node_of_segment = np.flatnonzero(is_segment)

    parent = np.arange(-1, n_comp - 1)
    parent[first[root] - 1] = -1
    hook = attachments(sections, nseg, first)
    parent[first[~root]] = hook[~root]

    value = np.zeros((4, n_comp))
    value[:3, node_of_segment] = segments.length, segments.diameter, segments.area
    rate = np.broadcast_to(np.asarray(ra, float), sections.n_section)[section]
    left, right = np.zeros(n_comp), np.zeros(n_comp)
    left[node_of_segment] = segments.left
    right[node_of_segment] = segments.right
    left, right = (half * rate / np.pi * (4.0 * MOHM_UM_PER_OHM_CM) for half in (left, right))
    resistance = np.where(place > 0, np.roll(right, 1), 0.0) + left  # half of the segment before
    pointlike = (segments.length[offsets(nseg)[:-1]] * nseg <= SHORTEST * (1 + 1e-6))[section]
    resistance[pointlike] = np.maximum(resistance[pointlike], LEAST_RESISTANCE)
    resistance[parent < 0] = 0.0
    with np.errstate(divide="ignore"):
        g_axial = np.where(parent < 0, 0.0, 1.0 / resistance)

    x = np.clip((place + 0.5) / nseg[section], 0.0, 1.0)
    x[place < 0] = 0.0
    x[place == nseg[section]] = 1.0
    segment = offsets(nseg)[section] + np.clip(place, 0, nseg[section] - 1)
    tree = CompartmentTree(
        parent=parent.astype(np.int32),
        length=value[0],
        diameter=value[1],
        area=value[2],
        g_axial=g_axial,
        center=np.zeros((n_comp, 3)),
        section=section.astype(np.int32),
        x=x,
        segment=segment.astype(np.int32),
        node_of_segment=node_of_segment.astype(np.int32),
        comp_of_point=np.zeros(0, np.int32),
        sections=sections,
        nseg=nseg,
        nodes="neuron",
    )
    return tree, resistance


def attachments(sections: Sections, nseg: IntArray, first: IntArray) -> IntArray:
    """Node on which each section's first segment hangs, in NEURON's numbering.

    A child at 1 hangs on its parent's massless end, one between the ends on the segment there; one
    at 0 hangs where its parent itself hangs.
    """
    hook = np.where(sections.parent < 0, first - 1, -1)
    ups, places = sections.parent.tolist(), sections.parent_x.tolist()
    counts, firsts = nseg.tolist(), first.tolist()
    for s, (up, x) in enumerate(zip(ups, places, strict=True)):
        if up < 0:
            continue
        if x == 0:
            hook[s] = hook[up]
        elif x == 1:
            hook[s] = firsts[up] + counts[up]
        else:
            hook[s] = firsts[up] + min(int(x * counts[up]), counts[up] - 1)
    return hook


def merge(tree: CompartmentTree, resistance: FloatArray, kept: list[int]) -> CompartmentTree:
    """Leave out the massless nodes at which nothing branches, except ``kept``.

    A leaf carries no current, so it goes; one between two cables becomes one resistance; a root
    with one child goes, and the child becomes the root.
    """
    parent = tree.parent
    is_root = parent < 0
    n_children = np.bincount(parent[~is_root], minlength=tree.n_comp)
    drop = np.ones(tree.n_comp, bool)
    drop[tree.node_of_segment] = False
    drop &= n_children <= 1
    drop[kept] = False

    over = ~is_root & drop[parent]  # hangs on a node that goes; what that hangs on always stays
    up = np.where(over, parent[parent], parent)
    total = resistance + np.where(over, resistance[parent], 0.0)
    with np.errstate(divide="ignore"):
        g_axial = np.where(over, 1.0 / total, tree.g_axial)
    g_axial[up < 0] = 0.0
    number = np.cumsum(~drop) - 1
    stay = ~drop
    return replace(
        tree,
        parent=np.where(up < 0, -1, number[up])[stay].astype(np.int32),
        length=tree.length[stay],
        diameter=tree.diameter[stay],
        area=tree.area[stay],
        g_axial=g_axial[stay],
        center=tree.center[stay],
        section=tree.section[stay],
        x=tree.x[stay],
        segment=tree.segment[stay],
        node_of_segment=number[tree.node_of_segment].astype(np.int32),
        nodes="merged",
    )


def massless_node(tree: CompartmentTree, place: int | tuple[str, float] | Site) -> int:
    """The node of the ``neuron`` set meant by an entry of ``keep``."""
    if isinstance(place, Site):
        return tree.locate(place.section, place.x)
    if isinstance(place, tuple):
        return tree.locate(*place)
    if not 0 <= place < tree.n_comp:
        raise UserError(f"keep names node {place}, but the cell has nodes 0 to {tree.n_comp - 1}")
    return int(place)


def node_centers(tree: CompartmentTree, arc: FloatArray) -> FloatArray:
    """(n_comp, 3) µm: every node's place on the middle line of its section."""
    start = tree.sections.start
    first, last = start[:-1][tree.section], start[1:][tree.section] - 1
    at = tree.x * arc[last]
    # one rising array for all sections, so that one search finds every interval
    begin = np.concatenate([[0.0], np.cumsum(arc[start[1:] - 1] + 1.0)])[:-1]
    rising = arc + np.repeat(begin, np.diff(start))
    j = np.searchsorted(rising, at + begin[tree.section], side="right") - 1
    j = np.clip(j, first, last - 1)
    span = arc[j + 1] - arc[j]
    fraction = np.clip((at - arc[j]) / np.where(span > 0, span, 1.0), 0.0, 1.0)[:, None]
    xyz = tree.sections.xyz.astype(float)
    return (1 - fraction) * xyz[j] + fraction * xyz[j + 1]


def nodes_of_points(tree: CompartmentTree, arc: FloatArray, n_point: int | None) -> IntArray:
    """(n_point,) the node of the segment that each point of the morphology lies in, else -1."""
    sections = tree.sections
    point = sections.point
    if n_point is None:
        n_point = int(point.max(initial=-1)) + 1
    owner = np.repeat(np.arange(sections.n_section), np.diff(sections.start))
    ds = np.maximum(arc[sections.start[1:] - 1], SHORTEST) / tree.nseg
    place = np.minimum((arc / ds[owner]).astype(int), tree.nseg[owner] - 1)
    node = tree.node_of_segment[offsets(tree.nseg)[owner] + place]
    result = np.full(n_point, -1, np.int32)
    copied = np.zeros(len(point), bool)  # a child's first point is often its parent's last
    copied[sections.start[:-1][sections.parent >= 0]] = True
    for some in (copied & (point >= 0), ~copied & (point >= 0)):
        result[point[some]] = node[some]
    return result
