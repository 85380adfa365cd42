"""The compartment tree: what the solver and the schedules see of a cell."""

from dataclasses import dataclass

import numpy as np

from engine.morphology.model import Sections
from engine.types import BoolArray, FloatArray, IntArray, NodeSet


@dataclass(frozen=True, eq=False)
class CompartmentTree:
    """Compartments (nodes) of one or several cells, parents first.

    A *segment* is a piece of cable with membrane; sections are cut into ``nseg`` equal segments, numbered section by
    section, so segment numbers do not depend on the node set. A *massless* node has no membrane: NEURON has one at the
    1 end of every section and one at the 0 end of the root; ``merged`` keeps only those that join several cables.

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
        The node nearest to each point of the morphology, -1 where the point makes no cable.
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

    def locate(self, section: str, x: float) -> int:
        """Node that holds position x of a section, as NEURON's ``section(x)``: the segment ``int(x * nseg)``.

        A point exactly at an end belongs to the massless node there where the tree has one, else to the last (first)
        segment.

        Raises
        ------
        UserError
            If there is no such section or x is outside 0..1.
        """
        from engine.errors import UserError

        if section not in self.sections.name:
            known = ", ".join(self.sections.name[:3])
            raise UserError(f"the cell has no section '{section}'; it has {known} … ({self.sections.n_section} in all)")
        if not 0 <= x <= 1:
            raise UserError(f"position {x:g} on {section} is outside 0..1")
        s = self.sections.name.index(section)
        here = np.flatnonzero(self.section == s)
        if (end := here[self.massless[here] & (self.x[here] == x)]).size:
            return int(end[0])
        with_membrane = here[~self.massless[here]]
        return int(with_membrane[min(int(x * self.nseg[s]), self.nseg[s] - 1)])


def path_distance(tree: CompartmentTree, origin: int | None = None) -> FloatArray:
    """Distance along the cable from a node to every node of the tree.

    Parameters
    ----------
    tree : CompartmentTree
    origin : int, optional
        Node to measure from; by default the middle of the soma (or of the first section where there is no soma).

    Returns
    -------
    (n_comp,) µm
        As NEURON's ``h.distance``; infinite for nodes of another tree.
    """
    raise NotImplementedError
