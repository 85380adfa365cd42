"""Where on a cell a value holds and what it is there, as NEURON's loops over segments assign it."""

from collections.abc import Iterator, Sequence

import numpy as np

from engine.compartments import CompartmentTree, path_distance
from engine.discretize import Rule, discretize
from engine.distributions import Distribution, Value
from engine.errors import UserError
from engine.experiment import Cable
from engine.morphology.model import Sections
from engine.regions import Region, Subset, mask_of_names, mask_of_tags
from engine.stimuli import Site
from engine.types import BoolArray, FloatArray

START, MIDDLE, END = 0, 1, 2


class Painter:
    """Puts values on the nodes of a tree.

    A loop ``for (x)`` of NEURON visits the ends of a section, too. What it assigns at x = 0 goes to
    the first segment, before the value for that segment's middle, and what it assigns at x = 1 to
    the last segment, after that for its middle. ``segment_ends`` does the same: conditions and
    distances are looked at at the 0 end of every section, in the middle of every segment, then at
    the 1 end of every section.

    Parameters
    ----------
    tree : CompartmentTree
    """

    def __init__(self, tree: CompartmentTree) -> None:
        self.tree = tree
        start = tree.segment_start
        self._first = tree.node_of_segment[start[:-1]]
        self._last = tree.node_of_segment[start[1:] - 1]
        self._distances: dict[Site | None, tuple[FloatArray, FloatArray, FloatArray]] = {}

    def covered(
        self, region: Region, where: Subset | None = None, segment_ends: bool = False
    ) -> BoolArray:
        """(n_comp,) True where a node with membrane is meant, by its middle or by an end."""
        mask = np.zeros(self.tree.n_comp, bool)
        for _, chosen in self._passes(region, where, segment_ends):
            mask |= chosen
        return mask

    def paint(
        self,
        values: FloatArray,
        value: Value,
        region: Region,
        where: Subset | None = None,
        segment_ends: bool = False,
    ) -> None:
        """Write a value into ``values`` (n_comp,) at the nodes that are meant."""
        for end, chosen in self._passes(region, where, segment_ends):
            if isinstance(value, Distribution):
                distance = self.distance(value.origin)[end][chosen]
                if value.relative:
                    distance = distance / self.reach(region, value.origin)
                values[chosen] = value.at(distance)
            else:
                values[chosen] = value

    def distance(self, origin: Site | None) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Path distances from a site.

        Returns
        -------
        start, middle, end : (n_comp,) µm
            To the 0 end of the section that a node is the first segment of, to the node, and to the
            1 end of the section that it is the last segment of; elsewhere to the node.
        """
        if origin not in self._distances:
            tree = self.tree
            node = None if origin is None else tree.locate(origin.section, origin.x)
            middle = path_distance(tree, node)
            node = int(np.argmin(middle)) if node is None else node
            start, end = middle.copy(), middle.copy()
            ends = (start, self._first), (end, self._last)
            for (distance, at), toward in zip(ends, self._ends_toward(node), strict=True):
                distance[at] += np.where(toward, -0.5, 0.5) * tree.length[at]
            self._distances[origin] = start, middle, end
        return self._distances[origin]

    def reach(self, region: Region, origin: Site | None) -> float:
        """Largest distance of a section's 1 end in a region, in µm.

        Raises
        ------
        UserError
            If the region has no section away from the origin.
        """
        inside = mask_of_tags(self.tree.sections.tag, region)
        reach = float(np.max(self.distance(origin)[END][self._last[inside]], initial=0.0))
        if not reach > 0:
            raise UserError(
                f"no {region} section ends away from {origin or 'the middle of the soma'}, so no "
                "relative distance can be told; choose another region or an absolute distance"
            )
        return reach

    def _passes(
        self, region: Region, where: Subset | None, segment_ends: bool
    ) -> Iterator[tuple[int, BoolArray]]:
        """What is meant by its 0 end, what by its middle, and what by its 1 end."""
        tree = self.tree
        inside = mask_of_tags(tree.tag, region) & ~tree.massless
        where = where or Subset()
        if where.sections:
            inside &= mask_of_names(tree.sections.name, where.sections)[tree.section]
        look, ends = np.arange(tree.n_comp), (START, MIDDLE, END) if segment_ends else (MIDDLE,)
        if where.whole_sections:
            look = tree.node_of_segment[tree.segment_start[:-1] + tree.nseg // 2][tree.section]
            ends = (MIDDLE,)
        inside &= between(tree.diameter[look], where.thicker, where.thinner)
        bounded = where.farther is not None or where.nearer is not None
        for end in ends:
            chosen = inside.copy()
            if end != MIDDLE:
                chosen[:] = False
                at = self._first if end == START else self._last
                chosen[at] = inside[at]
            if bounded:
                distance = self.distance(where.origin)[end][look]
                chosen &= between(distance, where.farther, where.nearer)
            yield end, chosen

    def _ends_toward(self, node: int) -> tuple[BoolArray, BoolArray]:
        """(n_section,) True where a section's 0 end, or its 1 end, lies on the way to a node."""
        tree, sections = self.tree, self.tree.sections
        start = np.ones(sections.n_section, bool)
        end = np.zeros(sections.n_section, bool)
        section, x = int(tree.section[node]), float(tree.x[node] if tree.is_end[node] else 0.5)
        while section >= 0:
            start[section], end[section] = x == 0, x == 1
            section, x = int(sections.parent[section]), float(sections.parent_x[section])
        return start, end


def between(values: FloatArray, low: float | None, high: float | None) -> BoolArray:
    """low < value < high; None is no bound."""
    inside = np.ones(len(values), bool)
    if low is not None:
        inside &= values > low
    if high is not None:
        inside &= values < high
    return inside


def section_cables(cables: Sequence[Cable], sections: Sections) -> tuple[FloatArray, FloatArray]:
    """Axial resistivity and capacitance of whole sections, which decide how they are cut.

    A section takes what holds at its middle; later cables win.

    Returns
    -------
    ra, cm : (n_section,) Ω·cm, µF/cm²

    Raises
    ------
    UserError
        If a section has no cable.
    """
    if any(cable.where is not None or isinstance(cable.cm, Distribution) for cable in cables):
        tree = discretize(sections, Rule("fixed", 1), nodes="neuron")
        painter = Painter(tree)
        nodes = np.full((2, tree.n_comp), np.nan)
        for cable in cables:
            for row, value in zip(nodes, (cable.ra, cable.cm), strict=True):
                painter.paint(row, value, cable.region, cable.where)
        ra, cm = nodes[:, tree.node_of_segment]
    else:
        ra, cm = np.full((2, sections.n_section), np.nan)
        for cable in cables:
            here = mask_of_tags(sections.tag, cable.region)
            ra[here], cm[here] = cable.ra, cable.cm
    if np.isnan(ra).any():
        raise UserError(
            "some sections have no cable properties; give the experiment a cable for region 'all'"
        )
    return ra, cm
