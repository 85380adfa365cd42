"""Spines on a cell as numbers: each a twig of two or three nodes beside the tree.

What a neck and a head do to the segment they hang on is a linear equation of their own, and equal
spines on one segment of which nothing more is known obey the same one from the same start. So one
twig with a multiplicity stands for all of them, exactly: what it gives to its segment counts so
many times.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from engine.biophysics import MIDDLE, Painter
from engine.compartments import CompartmentTree
from engine.discretize import ROUNDING
from engine.errors import UserError
from engine.experiment import Experiment
from engine.spines import PARTS, Spine, SpineDensity, SpineShape, place_on_spine
from engine.types import BoolArray, FloatArray, IntArray
from engine.units import (
    MOHM_UM_PER_OHM_CM,
    NA_PER_MA_CM2_UM2,
    NF_PER_UF_CM2_UM2,
    US_PER_S_CM2_UM2,
)
from engine.validation import locate, locate_all, sites

COLUMNS = (
    "g_neck", "g_head", "g_end", "c_neck", "c_head", "leak_i_neck", "leak_g_neck", "leak_i_head",
    "leak_g_head", "area_neck", "area_head", "diameter_neck", "diameter_head",
)  # fmt: skip
"""Of :attr:`Twigs.kinds`: axial conductances (µS) from the parent's node to the neck, from there to
the head and from there to its end; capacitances (nF); the leak's current at 0 mV (nA) and its
conductance (µS); µm² and µm."""
N_PART = len(PARTS)


@dataclass(frozen=True, eq=False)
class Twigs:
    """All spines of a run.

    The nodes of twig e have numbers after those of the tree: ``n_comp + 3 e`` is the neck,
    ``+ 1`` the head, ``+ 2`` the massless end of the head.

    Attributes
    ----------
    n_comp : int
        Of the tree.
    parent : (n_twig,) int32
        Node of the tree that the neck hangs on. Of each instance first those of
        ``Experiment.spines``, in their order, then those of each density by node.
    instance : (n_twig,) int32 or None
        Ascending; None: every twig is there in every instance.
    multiplicity : (n_twig,)
        Equal spines that the twig stands for; 1 for those of ``Experiment.spines``.
    spine : (n_twig,) int32
        Which of ``Experiment.spines`` it is, -1 for a density's.
    has_end : (n_twig,) bool
        Something sits on the end of the head; else that node carries no current.
    kind : (n_twig,) int32
        Row of ``kinds``.
    kinds : (n_kind, 13)
        The numbers of :data:`COLUMNS`, rows in ascending order.
    """

    n_comp: int
    parent: IntArray
    instance: IntArray | None
    multiplicity: FloatArray
    spine: IntArray
    has_end: BoolArray
    kind: IntArray
    kinds: FloatArray

    @property
    def n_twig(self) -> int:
        return len(self.parent)

    @cached_property
    def by_name(self) -> dict[str, FloatArray]:
        """Every column of ``kinds``."""
        return dict(zip(COLUMNS, self.kinds.T, strict=True))

    def column(self, name: str) -> FloatArray:
        """(n_twig,) one of :data:`COLUMNS` of every twig."""
        return self.by_name[name][self.kind]

    @cached_property
    def entry(self) -> dict[tuple[int, int], int]:
        """Twig of (instance, spine); of instance 0 where all instances have the same."""
        own = np.flatnonzero(self.spine >= 0)
        of = np.zeros(len(own), int) if self.instance is None else self.instance[own]
        return dict(zip(zip(of.tolist(), self.spine[own].tolist(), strict=True), own.tolist(),
                        strict=True))  # fmt: skip

    def geometry(self, node: IntArray) -> tuple[FloatArray, FloatArray]:
        """Membrane area (µm²) and diameter (µm) of nodes of twigs; the end has no area."""
        twig, part = np.divmod(node - self.n_comp, N_PART)
        area = np.stack([self.column("area_neck"), self.column("area_head"), np.zeros(self.n_twig)])
        wide = self.column("diameter_head")
        diameter = np.stack([self.column("diameter_neck"), wide, wide])
        return area[part, twig], diameter[part, twig]

    def select(self, first: int, count: int) -> "Twigs":
        """The twigs of some instances, which count from 0 then."""
        if self.instance is None:
            return self
        start, stop = np.searchsorted(self.instance, (first, first + count))
        here = slice(start, stop)
        return replace(
            self,
            parent=self.parent[here],
            instance=self.instance[here] - np.int32(first),
            multiplicity=self.multiplicity[here],
            spine=self.spine[here],
            has_end=self.has_end[here],
            kind=self.kind[here],
        )


@dataclass(frozen=True, eq=False)
class Membrane:
    """What spines take from the segment that bears them.

    ``cm`` (n_comp,) µF/cm², ``leak_i`` and ``leak_g`` (n_comp,) mA/cm² at 0 mV and S/cm², ``ra``
    (n_section,) Ω·cm.
    """

    cm: FloatArray
    leak_i: FloatArray
    leak_g: FloatArray
    ra: FloatArray


def density_counts(density: SpineDensity, painter: Painter) -> IntArray:
    """(n_comp,) spines of a density at every node.

    ⌊L · per_um⌋ on a segment of L µm whose middle is farther than ``min_distance`` from the
    soma's: Eyal et al. 2018 as Zhang et al. 2023 ran it, 24,994 spines on their cell.
    """
    tree = painter.tree
    far = painter.distance(None)[MIDDLE] > density.min_distance
    there = far & painter.covered(density.region, density.where)
    return np.where(there, np.floor(tree.length * density.per_um + ROUNDING), 0).astype(np.int32)


def count_spines(experiment: Experiment, tree: CompartmentTree) -> int:
    """All spines of an experiment on its cell: explicit ones and those of densities."""
    painter, density = Painter(tree), experiment.spine_density
    counts = [density_counts(d, painter) for d in density]
    left = [n.copy() for n in counts]
    for spine in experiment.spines:
        _take(spine, locate(tree, spine.site, "spine"), density, counts, left)
    return len(experiment.spines) + sum(int(n.sum()) for n in left)


def f_factor(tree: CompartmentTree, density: SpineDensity, necks: bool = False) -> float:
    """(dendrite + spines) / dendrite in membrane area, over the segments that bear spines.

    Parameters
    ----------
    tree : CompartmentTree
    density : SpineDensity
    necks
        Count the necks' membrane, too. Eyal et al. counted the heads' (2.8 µm² a spine).

    Raises
    ------
    UserError
        If no segment bears a spine.
    """
    count = density_counts(density, Painter(tree))
    area = float(tree.area[count > 0].sum())
    if not area > 0:
        raise UserError(
            "no segment bears a spine, so there is no factor for them; choose another region, "
            "more spines per µm or a smaller min_distance"
        )
    shape = density.shape
    spine = shape.head_area + necks * shape.neck_area
    return 1 + float(count.sum()) * spine / area


def make_twigs(
    experiments: Sequence[Experiment],
    painter: Painter,
    membrane: Membrane,
    tagged: bool,
    merge: bool = True,
) -> Twigs | None:
    """The spines of all instances.

    Parameters
    ----------
    experiments
        One, or one of every instance.
    painter
    membrane : Membrane
    tagged
        Every twig is of one instance.
    merge
        False leaves every spine of a density a twig of its own.

    Returns
    -------
    Twigs or None
        None where there are no spines.

    Raises
    ------
    UserError
        If a shape is impossible or a site is not on the cell.
    """
    density = experiments[0].spine_density
    counts = [density_counts(d, painter) for d in density]
    kinds = _Kinds(painter.tree, membrane)
    silent = [
        np.array([kinds.of(d.shape, node) for node in np.flatnonzero(n).tolist()], np.int64)
        for d, n in zip(density, counts, strict=True)
    ]
    explicit, left = _explicit(experiments, painter.tree, counts, kinds)
    columns = []  # instance, node, multiplicity, spine, has_end, kind
    for instance, of_instance in enumerate(left):
        columns.append(explicit[:, explicit[0] == instance])
        for n, of_density, kind in zip(counts, of_instance, silent, strict=True):
            bearing = np.flatnonzero(n)
            m = of_density[bearing]
            zero = np.zeros(len(bearing), np.int64)
            table = np.stack([zero + instance, bearing, m, zero - 1, zero, kind])
            if not merge:
                table = np.repeat(table, m, axis=1)
                table[2] = 1
            columns.append(table[:, table[2] > 0])
    owner, parent, m, number, has_end, kind = np.concatenate(columns, axis=1)
    if not len(parent):
        return None
    rows, place = np.unique(np.array(kinds.rows), axis=0, return_inverse=True)
    return Twigs(
        n_comp=painter.tree.n_comp,
        parent=parent.astype(np.int32),
        instance=owner.astype(np.int32) if tagged else None,
        multiplicity=m.astype(np.float64),
        spine=number.astype(np.int32),
        has_end=has_end.astype(bool),
        kind=place.reshape(-1)[kind].astype(np.int32),
        kinds=rows,
    )


def _explicit(
    experiments: Sequence[Experiment],
    tree: CompartmentTree,
    counts: Sequence[IntArray],
    kinds: "_Kinds",
) -> tuple[NDArray[np.int64], list[list[IntArray]]]:
    """The spines of which something is known, of all instances.

    Returns
    -------
    (6, n) instance, node, multiplicity, spine, has_end, kind
    left
        Of every instance, what each density has left on every node.
    """
    density = experiments[0].spine_density
    spines = [spine for experiment in experiments for spine in experiment.spines]
    sizes = [len(experiment.spines) for experiment in experiments]
    owner = np.repeat(np.arange(len(sizes)), sizes)
    number = np.arange(len(spines)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    node = locate_all(tree, [spine.site for spine in spines], "spine")
    taken = np.array([spine.taken for spine in spines], bool)
    left: list[list[IntArray]] = []
    shapes: list[SpineShape | None] = [None] * len(spines)
    if len(density) > 1:
        left = [[n.copy() for n in counts] for _ in experiments]
        places = zip(owner.tolist(), node.tolist(), strict=True)
        shapes = [
            _take(spine, at, density, counts, left[instance])
            for spine, (instance, at) in zip(spines, places, strict=True)
        ]
    else:
        for instance in range(len(experiments)):
            here = np.bincount(node[taken & (owner == instance)], minlength=tree.n_comp)
            left.append([np.maximum(n - here, 0).astype(np.int32) for n in counts])
        if density:
            shapes = [density[0].shape if spine.taken else None for spine in spines]
    usual = SpineShape()
    kind = [
        kinds.of(spine.shape or shape or usual, at)
        for spine, shape, at in zip(spines, shapes, node.tolist(), strict=True)
    ]
    ends = [k in found for e in experiments if e.spines for found in (_ends(e),)
            for k in range(len(e.spines))]  # fmt: skip
    one = np.ones(len(spines), np.int64)
    table = np.array([owner, node, one, number, ends, kind], np.int64).reshape(6, -1)
    return table, left


def _take(
    spine: Spine,
    node: int,
    density: Sequence[SpineDensity],
    counts: Sequence[IntArray],
    left: Sequence[IntArray],
) -> SpineShape | None:
    """Take a spine out of what a density has left on a node; the shape it has there."""
    if not spine.taken:
        return None
    bearing = [k for k, n in enumerate(counts) if n[node] > 0]
    for k in bearing:
        if left[k][node] > 0:
            left[k][node] -= 1
            return density[k].shape
    return density[(bearing or [0])[0]].shape if density else None


class _Kinds:
    """The numbers of spines, each set once."""

    def __init__(self, tree: CompartmentTree, membrane: Membrane) -> None:
        self.rows: list[FloatArray] = []
        self._tree, self._membrane = tree, membrane
        self._known: dict[tuple[SpineShape, int], int] = {}
        self._seen: dict[tuple[int, int], tuple[SpineShape, int]] = {}  # by identity of the shape

    def of(self, shape: SpineShape, node: int) -> int:
        """Row of a shape on a node."""
        seen = self._seen.get((id(shape), node))
        if seen is not None:
            return seen[1]
        follows = None in (shape.cm, shape.g_pas, shape.e_pas, shape.ra)
        key = shape, node if follows else -1
        if key not in self._known:
            self._known[key] = len(self.rows)
            self.rows.append(_numbers(shape, node, self._tree, self._membrane))
        self._seen[id(shape), node] = shape, self._known[key]  # kept alive: its id stays its own
        return self._known[key]


def _ends(experiment: Experiment) -> set[int]:
    """Spines with something on the end of their heads."""
    places = (place_on_spine(site) for _, site in sites(experiment))
    return {place[0] for place in places if place is not None and place[1] == "end"}


def _numbers(shape: SpineShape, node: int, tree: CompartmentTree, membrane: Membrane) -> FloatArray:
    """(13,) the columns of a kind on a node."""
    segment = int(tree.node_of_segment[tree.segment[node]])  # where an end has no membrane
    cm = membrane.cm[segment] if shape.cm is None else shape.cm
    ra = membrane.ra[tree.section[node]] if shape.ra is None else shape.ra
    host_g = membrane.leak_g[segment]
    g = host_g if shape.g_pas is None else shape.g_pas
    e = shape.e_pas
    if e is None:
        e = -membrane.leak_i[segment] / host_g if host_g > 0 else 0.0
    neck, head = (
        (shape.neck_length, shape.neck_diameter, shape.neck_area),
        (shape.head_length, shape.head_diameter, shape.head_area),
    )
    half_neck, half_head = (
        ra * MOHM_UM_PER_OHM_CM * (length / 2) / (np.pi * wide**2 / 4) for length, wide, _ in
        (neck, head)
    )  # fmt: skip
    leaks = [
        value
        for area in (neck[2], head[2])
        for value in (-g * e * area * NA_PER_MA_CM2_UM2, g * area * US_PER_S_CM2_UM2)
    ]
    return np.array(
        [
            1 / half_neck,
            1 / (half_neck + half_head),
            1 / half_head,
            cm * neck[2] * NF_PER_UF_CM2_UM2,
            cm * head[2] * NF_PER_UF_CM2_UM2,
            *leaks,
            neck[2],
            head[2],
            neck[1],
            head[1],
        ]
    )
