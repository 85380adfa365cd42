"""The compartment tree: what the solver and the schedules see of a cell."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property

import numpy as np

from engine.errors import UserError
from engine.morphology.model import Sections, Tag
from engine.types import BoolArray, FloatArray, IntArray, NodeSet


@dataclass(frozen=True, eq=False)
class CompartmentTree:
    """Compartments (nodes) of one or several cells, parents first.

    A *segment* is a piece of cable with membrane; sections are cut into ``nseg`` equal segments,
    numbered section by section, so segment numbers do not depend on the node set. A *massless* node
    has no membrane: NEURON has one at the 1 end of every section and one at the 0 end of the root;
    ``merged`` keeps only those that join several cables.

    Attributes
    ----------
    parent : (n_comp,) int32
        ``parent[i] < i``, -1 at a root.
    length, diameter : (n_comp,) µm
        Of the segment; 0 for a massless node.
    area : (n_comp,) µm²
        Membrane area; 0 for a massless node.
    g_axial : (n_comp,) µS
        Axial conductance to the parent; 0 at a root.
    center : (n_comp, 3) µm
        On the cable's middle line at the node.
    section : (n_comp,) int32
    x : (n_comp,)
        Normalized position of the node in its section, 0 to 1.
    segment : (n_comp,) int32
        The segment a node is; for a massless node the segment it ends.
    node_of_segment : (n_segment,) int32
        The inverse: the node of each segment.
    comp_of_point : (n_point,) int32
        The node of the segment each point of the morphology lies in, -1 where it makes no cable.
    sections : Sections
    nseg : (n_section,) int32
    nodes : {"neuron", "merged"}
    """

    parent: IntArray
    length: FloatArray
    diameter: FloatArray
    area: FloatArray
    g_axial: FloatArray
    center: FloatArray
    section: IntArray
    x: FloatArray
    segment: IntArray
    node_of_segment: IntArray
    comp_of_point: IntArray
    sections: Sections
    nseg: IntArray
    nodes: NodeSet

    @property
    def n_comp(self) -> int:
        return len(self.parent)

    @property
    def n_segment(self) -> int:
        return len(self.node_of_segment)

    @property
    def massless(self) -> BoolArray:
        """(n_comp,) True where a node has no membrane."""
        return self.area == 0

    @property
    def tag(self) -> IntArray:
        """(n_comp,) SWC structure type of each node's section."""
        return self.sections.tag[self.section]

    @cached_property
    def section_index(self) -> dict[str, int]:
        """Number of every section by its name."""
        return {name: s for s, name in enumerate(self.sections.name)}

    @cached_property
    def end_node(self) -> IntArray:
        """(n_section,) the massless node at each section's 1 end, -1 where the tree has none."""
        node = np.full(self.sections.n_section, -1, np.int32)
        ends = np.flatnonzero(self.is_end & (self.x == 1))
        node[self.section[ends]] = ends
        return node

    @cached_property
    def is_end(self) -> BoolArray:
        """(n_comp,) True where a node is no segment but the end of a section."""
        end = np.ones(self.n_comp, bool)
        end[self.node_of_segment] = False
        return end

    @cached_property
    def segment_start(self) -> IntArray:
        """(n_section + 1,) number of each section's first segment."""
        return offsets(self.nseg)

    def locate(self, section: str, x: float) -> int:
        """Node that holds position x of a section, as NEURON's ``section(x)``.

        Inside a section that is the segment ``int(x * nseg)``. At x = 1 it is the massless node
        there, or the last segment where the tree has none. At x = 0 it is the node the section
        hangs on (for a root its massless 0 end), or the first segment where the tree has left that
        node out.

        Raises
        ------
        UserError
            If there is no such section or x is outside 0..1.
        """
        s = self.section_index.get(section)
        if s is None:
            near = get_close_matches(section, self.sections.name, 1)
            known = ", ".join(self.sections.name[:3])
            hint = f"did you mean '{near[0]}'?" if near else f"it has {known} …"
            n = self.sections.n_section
            raise UserError(f"the cell has no section '{section}' among its {n}; {hint}")
        if not 0 <= x <= 1:
            raise UserError(f"position {x:g} on {section} is outside 0..1")
        begin, nseg = int(self.segment_start[s]), int(self.nseg[s])
        if x == 1:
            end = int(self.end_node[s])
            return end if end >= 0 else int(self.node_of_segment[begin + nseg - 1])
        first = int(self.node_of_segment[begin])
        if x == 0:
            above = int(self.parent[first])
            return above if above >= 0 and self._hangs_directly(s, above) else first
        return int(self.node_of_segment[begin + int(x * nseg)])

    def locate_all(self, sections: Sequence[str], x: Sequence[float]) -> IntArray:
        """(n,) nodes of many positions; each that of :meth:`locate`, which says what is wrong."""
        known = self.section_index
        s = np.fromiter((known.get(name, -1) for name in sections), np.int64, len(sections))
        at = np.asarray(x, np.float64)
        inside = (s >= 0) & (at > 0) & (at < 1)
        node = np.empty(len(at), np.int32)
        s, within = s[inside], at[inside]
        segment = self.segment_start[s] + (within * self.nseg[s]).astype(np.int64)
        node[inside] = self.node_of_segment[segment]
        for k in np.flatnonzero(~inside).tolist():
            node[k] = self.locate(sections[k], x[k])
        return node

    def _hangs_directly(self, section: int, node: int) -> bool:
        """Whether the 0 end of a section is at a node: none was left out between them."""
        return bool(self.is_end[node] or self.sections.parent_x[section] < 1)


def offsets(count: IntArray) -> IntArray:
    """Where each part of a concatenation begins: (n + 1,) with 0 first and the sum last."""
    start = np.zeros(len(count) + 1, np.int32)
    np.cumsum(count, out=start[1:])
    return start


def path_distance(tree: CompartmentTree, origin: int | None = None) -> FloatArray:
    """Distance along the cable from a node to every node of the tree.

    Parameters
    ----------
    tree : CompartmentTree
    origin : int, optional
        Node to measure from; by default the middle of the soma (or of the first section where
        there is no soma).

    Returns
    -------
    (n_comp,) µm
        As NEURON's ``h.distance``; infinite for nodes of another tree.

    Raises
    ------
    UserError
        If there is no such node.
    """
    if origin is None:
        soma = np.flatnonzero(tree.sections.tag == Tag.SOMA)
        origin = tree.locate(tree.sections.name[soma[0] if soma.size else 0], 0.5)
    if not 0 <= origin < tree.n_comp:
        raise UserError(f"there is no node {origin}; the cell has nodes 0 to {tree.n_comp - 1}")
    depth = sum_to_root(tree.parent, edge_length(tree))
    on_path = np.zeros(tree.n_comp, bool)
    node, up = origin, tree.parent.tolist()
    while node >= 0:
        on_path[node] = True
        node = up[node]
    # where each node's way to the root meets the origin's way
    meet = np.where(on_path | (tree.parent < 0), np.arange(tree.n_comp), tree.parent)
    while not np.array_equal(higher := meet[meet], meet):
        meet = higher
    distance = (depth - depth[meet]) + (depth[origin] - depth[meet])
    distance[~on_path[meet]] = np.inf
    return distance


def edge_length(tree: CompartmentTree) -> FloatArray:
    """(n_comp,) µm of cable between each node and its parent; 0 at a root."""
    parent, section = tree.parent, tree.section
    first = tree.node_of_segment[tree.segment_start[:-1]]
    total = tree.length[first] * tree.nseg  # (n_section,)
    same = section == section[parent]
    edge = np.where(same, tree.x - tree.x[parent], tree.x) * total[section]
    # a massless node left out at the parent's 1 end leaves the rest of the parent to add
    skipped = ~same & ~tree.is_end[parent] & (tree.sections.parent_x[section] == 1)
    edge += np.where(skipped, (1 - tree.x[parent]) * total[section[parent]], 0.0)
    edge[parent < 0] = 0.0
    return edge


def sum_to_root(parent: IntArray, value: FloatArray) -> FloatArray:
    """(n,) sum of a value over every node and all its ancestors, in log2(depth) passes."""
    total = value.copy()
    jump = parent.copy()
    while (live := np.flatnonzero(jump >= 0)).size:
        total[live] += total[jump[live]]
        jump[live] = jump[jump[live]]
    return total
