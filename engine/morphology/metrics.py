"""Numbers that describe a cell: sizes, counts and extents."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from engine.morphology.model import Morphology, Sections, Tag
from engine.types import FloatArray, IntArray

TYPE_NAMES = {Tag.SOMA: "soma", Tag.AXON: "axon", Tag.BASAL: "basal", Tag.APICAL: "apical"}


class Compartments(Protocol):
    """What is measured of a compartment tree."""

    @property
    def area(self) -> FloatArray: ...
    @property
    def length(self) -> FloatArray: ...
    @property
    def section(self) -> IntArray: ...
    @property
    def nseg(self) -> IntArray: ...
    @property
    def n_comp(self) -> int: ...


@dataclass(frozen=True)
class TypeMetrics:
    """One structure type of a cell: ``length`` in µm, ``area`` in µm²."""

    name: str
    n_section: int
    n_segment: int
    length: float
    area: float


@dataclass(frozen=True)
class Metrics:
    """A cell in numbers.

    Attributes
    ----------
    n_point, n_section, n_segment, n_node, n_tree : int
        ``n_node`` counts the compartments of the tree's node set, ``n_tree`` the roots.
    length, area : µm, µm²
        Of all cable with membrane.
    soma_length, soma_diameter, soma_area : µm, µm, µm²
        Of the sections of type soma, the diameter weighted by length; 0 without a soma.
    max_path_distance : µm
        Along the cable from the middle of the soma (else of the first section) to the farthest end.
    max_branch_order : int
        Branch points between the root section and the farthest tip; a stem has order 1 with a soma.
    n_branch_point, n_tip : int
        Section ends where several sections begin, and where none does, the soma's left out.
    low, high : (x, y, z) µm
        Bounding box of the middle lines.
    by_type : tuple of TypeMetrics
        In the order of the structure types.
    """

    n_point: int
    n_section: int
    n_segment: int
    n_node: int
    n_tree: int
    length: float
    area: float
    soma_length: float
    soma_diameter: float
    soma_area: float
    max_path_distance: float
    max_branch_order: int
    n_branch_point: int
    n_tip: int
    low: tuple[float, float, float]
    high: tuple[float, float, float]
    by_type: tuple[TypeMetrics, ...]


def type_name(tag: int) -> str:
    """``soma``, ``axon``, ``basal``, ``apical``, or ``type 7``."""
    return TYPE_NAMES.get(Tag(tag) if tag in TYPE_NAMES else Tag.UNDEFINED, f"type {tag}")


def measure(morphology: Morphology, sections: Sections, tree: Compartments) -> Metrics:
    """Describe a cell in numbers.

    Parameters
    ----------
    morphology : Morphology
    sections : Sections
        Made of it.
    tree : CompartmentTree
        Made of the sections.

    Returns
    -------
    Metrics
    """
    n = sections.n_section
    length = np.bincount(tree.section, tree.length, n).astype(float)
    area = np.bincount(tree.section, tree.area, n).astype(float)
    soma = sections.tag == Tag.SOMA
    around = np.bincount(tree.section, tree.area / np.pi, n)  # length times diameter, nearly
    soma_length = float(length[soma].sum())

    n_children = np.bincount(sections.parent[sections.parent >= 0], minlength=n)
    tips = (n_children == 0) & ~soma
    by_type = tuple(
        TypeMetrics(
            name=type_name(int(tag)),
            n_section=int(of.sum()),
            n_segment=int(tree.nseg[of].sum()),
            length=float(length[of].sum()),
            area=float(area[of].sum()),
        )
        for tag in np.unique(sections.tag)
        for of in (sections.tag == tag,)
    )
    return Metrics(
        n_point=morphology.n_point,
        n_section=n,
        n_segment=int(tree.nseg.sum()),
        n_node=tree.n_comp,
        n_tree=int((sections.parent < 0).sum()),
        length=float(length.sum()),
        area=float(area.sum()),
        soma_length=soma_length,
        soma_diameter=float(around[soma].sum() / soma_length) if soma_length else 0.0,
        soma_area=float(area[soma].sum()),
        max_path_distance=float(tip_distances(sections, length).max()),
        max_branch_order=int(branch_orders(sections).max()),
        n_branch_point=int((n_children > 1).sum()),
        n_tip=int(tips.sum()),
        low=_triple(sections.xyz.min(axis=0)),
        high=_triple(sections.xyz.max(axis=0)),
        by_type=by_type,
    )


def tip_distances(sections: Sections, length: FloatArray) -> FloatArray:
    """(n_section,) µm along the cable from the soma's middle to every section's 1 end.

    Sections of other trees measure from their own root's middle.
    """
    soma = np.flatnonzero(sections.tag == Tag.SOMA)
    origin = int(soma[0]) if soma.size else 0
    begin, end = np.zeros(sections.n_section), np.zeros(sections.n_section)
    above, at = set(), origin
    while at >= 0:  # distances turn round where the way leads up to the root
        above.add(at)
        at = int(sections.parent[at])
    below = origin  # the way's section below the one looked at
    way = sorted(above, reverse=True)
    place = {origin: 0.5 * float(length[origin])}  # µm from the 0 end where the way enters
    gone = {origin: 0.0}
    for s in way[1:]:
        gone[s] = gone[below] + place[below]
        place[s] = float(sections.parent_x[below] * length[s])
        below = s
    for s in range(sections.n_section):
        up = int(sections.parent[s])
        if s in above:
            begin[s] = gone[s] + place[s]
            end[s] = gone[s] + length[s] - place[s]
            continue
        if up < 0:
            begin[s] = end[s] = 0.5 * length[s]
            continue
        x = sections.parent_x[s] * length[up]
        if up in above:
            begin[s] = gone[up] + abs(x - place[up])
        elif sections.parent[up] < 0:
            begin[s] = abs(x - 0.5 * length[up])
        else:
            begin[s] = begin[up] + x
        end[s] = begin[s] + length[s]
    return np.maximum(begin, end)


def branch_orders(sections: Sections) -> IntArray:
    """(n_section,) branch points between each section and its root section's middle."""
    order = np.zeros(sections.n_section, np.int32)
    n_children = np.bincount(sections.parent[sections.parent >= 0], minlength=sections.n_section)
    for s, up in enumerate(sections.parent.tolist()):
        if up >= 0:
            order[s] = order[up] + int(n_children[up] > 1 or sections.parent[up] < 0)
    return order


def _triple(values: FloatArray) -> tuple[float, float, float]:
    x, y, z = (float(v) for v in values)
    return x, y, z
