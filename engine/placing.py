"""Mechanisms, ions and point processes on the nodes of a tree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.biophysics import Painter
from engine.compartments import CompartmentTree
from engine.connections import Connections, connect
from engine.distributions import Distribution
from engine.errors import UserError
from engine.experiment import Experiment, Insertion
from engine.mechanisms.ions import IonStyle, ion_mechanism, ion_style, starting_value
from engine.mechanisms.loading import library
from engine.mechanisms.model import Mechanism
from engine.places import Places
from engine.types import FloatArray, IntArray
from engine.validation import no_parameter, placed_mechanism

LEAK = "pas"
"""The mechanism whose conductance grows with :class:`engine.spines.FFactor`."""


@dataclass(frozen=True, eq=False)
class Placed:
    """A mechanism and where it sits.

    Attributes
    ----------
    mechanism : Mechanism
    node : (n,) int32
        Ascending; all have membrane. For points ascending within an instance; a node may stand
        several times, have none, or be one of :class:`engine.twigs.Twigs`.
    values : name → (n,)
        Every per-node parameter.
    shared : name → float
        Every parameter with one value for all.
    connections : Connections or None
        Of points; None for others.
    synapse : tuple of int
        Which of the synapses of its experiment each point is; empty for others.
    instance : (n,) int32 or None
        The instance that each point is in, ascending; None: in all.
    """

    mechanism: Mechanism
    node: IntArray
    values: dict[str, FloatArray]
    shared: dict[str, float]
    connections: Connections | None = None
    synapse: tuple[int, ...] = ()
    instance: IntArray | None = None

    @property
    def is_point(self) -> bool:
        return self.mechanism.kind == "point"


def place(
    experiment: Experiment,
    tree: CompartmentTree,
    painter: Painter | None = None,
    known: Mapping[str, Mechanism] | None = None,
) -> tuple[Placed, ...]:
    """Density mechanisms on nodes; where insertions of one overlap, the later one's values win.

    Mechanisms that set concentrations stand first, the last named one before the others, as NEURON
    computes them.

    Raises
    ------
    UserError
        If a mechanism or one of its parameters is not known or is no density mechanism.
    """
    by_name: dict[str, list[Insertion]] = {}
    for insertion in experiment.insertions:
        by_name.setdefault(insertion.mechanism, []).append(insertion)
    known = library() if known is None else known
    painter = painter or Painter(tree)
    placed = [
        _place(placed_mechanism(name, known), insertions, painter)
        for name, insertions in by_name.items()
    ]
    for p in placed:
        if p.mechanism.name == LEAK:
            for f in experiment.f_factors:
                covered = painter.covered(f.region, f.where, f.segment_ends)
                p.values["g"][covered[p.node]] *= f.factor
    writers = [p for p in reversed(placed) if p.mechanism.writes_concentration]
    return (*writers, *(p for p in placed if not p.mechanism.writes_concentration))


def _place(mechanism: Mechanism, insertions: Sequence[Insertion], painter: Painter) -> Placed:
    if mechanism.kind != "density":
        raise UserError(
            f"mechanism '{mechanism.name}' is a point process and no property of a membrane; "
            "put it on a site as a synapse"
        )
    n_comp = painter.tree.n_comp
    here = np.zeros(n_comp, bool)
    values = {p.name: np.full(n_comp, p.default) for p in mechanism.parameters if p.per_node}
    shared = {p.name: p.default for p in mechanism.parameters if not p.per_node}
    for insertion in insertions:
        where = insertion.region, insertion.where, insertion.segment_ends
        mask = painter.covered(*where)
        here |= mask
        for p in mechanism.parameters:
            if p.per_node:
                values[p.name][mask] = p.default
        for name, value in insertion.parameters:
            if name in values:
                painter.paint(values[name], value, *where)
            elif name not in shared:
                raise no_parameter(mechanism, name)
            elif isinstance(value, Distribution):
                raise UserError(
                    f"parameter '{name}' of mechanism '{mechanism.name}' is one number for the "
                    "whole cell (GLOBAL); write a number instead of a distribution"
                )
            else:
                shared[name] = value
    node = np.flatnonzero(here).astype(np.int32)
    return Placed(mechanism, node, {name: a[node] for name, a in values.items()}, shared)


def place_points(
    experiments: Sequence[Experiment],
    places: Places,
    known: Mapping[str, Mechanism],
    tagged: bool = False,
) -> tuple[Placed, ...]:
    """The synapses of all instances, those of one mechanism together, by instance and node.

    Parameters
    ----------
    experiments
        One, or one of every instance.
    places
    known
    tagged
        Every point is of one instance.

    Raises
    ------
    UserError
        If a mechanism or one of its parameters is not known, or it takes no events or fewer
        weights.
    """
    by_name: dict[str, list[tuple[int, int]]] = {}
    for instance, experiment in enumerate(experiments):
        for number, synapse in enumerate(experiment.synapses):
            by_name.setdefault(synapse.mechanism, []).append((instance, number))
    return tuple(
        _place_points(name, known, numbers, experiments, places, tagged)
        for name, numbers in by_name.items()
    )


def _place_points(
    name: str,
    known: Mapping[str, Mechanism],
    numbers: list[tuple[int, int]],
    experiments: Sequence[Experiment],
    places: Places,
    tagged: bool,
) -> Placed:
    mechanism = placed_mechanism(name, known)
    synapses = [experiments[instance].synapses[number] for instance, number in numbers]
    if mechanism.kind != "point":
        raise UserError(
            f"mechanism '{mechanism.name}' is no point process and cannot sit at "
            f"{synapses[0].site}; insert it into a region"
            if mechanism.kind == "density"
            else f"mechanism '{mechanism.name}' is an artificial cell and has no place at "
            f"{synapses[0].site}; use it as the source of a synapse"
        )
    instance = np.array([i for i, _ in numbers], np.int32)
    node = places.nodes([s.site for s in synapses], "synapse", instance.tolist())
    order = np.lexsort((node, instance))
    synapses, numbers = [synapses[i] for i in order], [numbers[i] for i in order]
    node, instance = node[order], instance[order]
    if mechanism.ions and (node >= places.tree.n_comp).any():
        where = synapses[int(np.flatnonzero(node >= places.tree.n_comp)[0])].site
        raise UserError(
            f"mechanism '{mechanism.name}' at {where} uses the ion '{mechanism.ions[0].name}', "
            "which spines do not have; put it on the dendrite"
        )
    values = {p.name: np.full(len(numbers), p.default) for p in mechanism.parameters if p.per_node}
    shared = {p.name: p.default for p in mechanism.parameters if not p.per_node}
    given: dict[str, tuple[int, float]] = {}
    for row, synapse in enumerate(synapses):
        for name, value in synapse.parameters:
            if name in values:
                values[name][row] = value
            elif name in shared:
                owner, before = given.setdefault(name, (numbers[row][0], value))
                if before != value and owner != numbers[row][0]:
                    raise UserError(
                        f"parameter '{name}' of mechanism '{mechanism.name}' is one number for the "
                        f"whole batch (GLOBAL); instances {owner} and {numbers[row][0]} have "
                        f"{before:g} and {value:g}"
                    )
                shared[name] = value
            else:
                raise no_parameter(mechanism, name)
    return Placed(
        mechanism,
        node,
        values,
        shared,
        connect(mechanism, synapses, instance, experiments, places, known),
        tuple(number for _, number in numbers),
        instance if tagged else None,
    )


def written_currents(mechanism: Mechanism) -> tuple[str, ...]:
    """The ion currents a mechanism adds to."""
    return tuple(name for name, _ in mechanism.current.ion_currents)


def ion_currents(placed: Sequence[Placed]) -> tuple[str, ...]:
    """Every ion current that a mechanism writes or reads."""
    ions = [ion for p in placed for ion in p.mechanism.ions]
    used = {ion.current for ion in ions if ion.current in (*ion.read, *ion.write)}
    return tuple(sorted(used | {w for p in placed for w in written_currents(p.mechanism)}))


def place_ions(
    experiment: Experiment, placed: Sequence[Placed], painter: Painter
) -> tuple[tuple[Placed, ...], dict[str, FloatArray]]:
    """The ions that compute their reversal potential, and where every ion starts.

    Returns
    -------
    placed : tuple of Placed
        To be computed before all mechanisms.
    values : name → (n_comp,)
        Every reversal potential (mV) and concentration (mM) that is read or set.

    Raises
    ------
    UserError
        If a given value is of no ion of this experiment.
    """
    n_comp = painter.tree.n_comp
    names = list(dict.fromkeys(ion.name for p in placed for ion in p.mechanism.ions))
    found: list[Placed] = []
    owner: dict[str, str] = {}
    for name in names:
        for p in placed:
            for ion in (i for i in p.mechanism.ions if i.name == name):
                owner |= dict.fromkeys(
                    (v for v in (*ion.read, *ion.write) if v != ion.current), name
                )
        for style, node in _styles(name, placed, n_comp):
            if style.computed:
                owner |= dict.fromkeys((f"e{name}", f"{name}i", f"{name}o"), name)
                fixed = _fixed(experiment, f"e{name}", painter)
                mechanism = ion_mechanism(style)
                if any(p.mechanism.name == mechanism.name for p in found):
                    mechanism = replace(mechanism, name=f"{mechanism.name}_once")
                found.append(Placed(mechanism, node[~fixed[node]], {}, {}))
    given = dict(experiment.reversals)
    regional = [entry.name for entry in experiment.ion_values]
    if unused := [name for name in (*given, *regional) if name not in owner]:
        raise UserError(
            f"reversal '{unused[0]}' is read by no mechanism of this experiment; "
            f"remove it or name one of {', '.join(sorted(owner)) or 'none'}"
        )
    values = {
        variable: np.full(n_comp, given.get(variable, starting_value(variable, owner[variable])))
        for variable in sorted(owner)
    }
    for entry in experiment.ion_values:
        painter.paint(values[entry.name], entry.value, entry.region, entry.where)
    return tuple(p for p in found if len(p.node)), values


def _styles(name: str, placed: Sequence[Placed], n_comp: int) -> list[tuple[IonStyle, IntArray]]:
    """Every style an ion has on this cell, with its nodes: it follows from what sits there."""
    users = [p for p in placed if any(ion.name == name for ion in p.mechanism.ions)]
    there = np.zeros((n_comp, len(users)), bool)
    for column, p in enumerate(users):
        there[p.node, column] = True  # a mechanism with ions is on no twig
    patterns, pattern = np.unique(there, axis=0, return_inverse=True)
    nodes: dict[IonStyle, list[IntArray]] = {}
    for number, row in enumerate(patterns):
        if row.any():
            here = [p.mechanism for p, is_there in zip(users, row, strict=True) if is_there]
            at = np.flatnonzero(pattern.reshape(-1) == number).astype(np.int32)
            nodes.setdefault(ion_style(name, here), []).append(at)
    return [(style, np.sort(np.concatenate(parts))) for style, parts in nodes.items()]


def _fixed(experiment: Experiment, name: str, painter: Painter) -> np.ndarray:
    """(n_comp,) True where a reversal potential is a number whatever the concentrations are."""
    fixed = np.zeros(painter.tree.n_comp, bool)
    for entry in experiment.ion_values:
        if entry.name == name:
            covered = painter.covered(entry.region, entry.where)
            fixed[covered] = entry.fixed
    return fixed
