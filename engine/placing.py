"""Mechanisms, ions and point processes on the nodes of a tree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.biophysics import Painter
from engine.compartments import CompartmentTree
from engine.distributions import Distribution
from engine.errors import UserError
from engine.experiment import Experiment, Insertion
from engine.mechanisms.ions import IonStyle, ion_mechanism, ion_style, starting_value
from engine.mechanisms.loading import library
from engine.mechanisms.model import Mechanism
from engine.synapses import DETECTION, PointSource, SpikeSource, Synapse, event_times
from engine.twigs import Places
from engine.types import FloatArray, IntArray
from engine.validation import no_parameter, placed_mechanism

LEAK = "pas"
"""The mechanism whose conductance grows with :class:`engine.spines.FFactor`."""


@dataclass(frozen=True, eq=False)
class Connections:
    """What reaches the points of one mechanism.

    Attributes
    ----------
    point : (n_connection,) int32
        Position of the target among the mechanism's points.
    weight : (n_connection, n_weight)
        Arguments of NET_RECEIVE at t = 0.
    time : (n_event,) ms
        Arrivals known before the run, ascending.
    connection : (n_event,) int32
    detector_node, detector_connection : (n_detector,) int32
        Where a threshold is watched, and the connection that a crossing goes to.
    detector_threshold, detector_delay : (n_detector,) mV, ms
    relay_synapse, relay_connection : (n_relay,) int32
        A synapse of the target's instance whose ``net_event`` goes to a connection.
    relay_delay : (n_relay,) ms
    """

    point: IntArray
    weight: FloatArray
    time: FloatArray
    connection: IntArray
    detector_node: IntArray
    detector_connection: IntArray
    detector_threshold: FloatArray
    detector_delay: FloatArray
    relay_synapse: IntArray
    relay_connection: IntArray
    relay_delay: FloatArray


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
    pairs = zip(synapses, instance.tolist(), strict=True)
    node = np.array([places.node(s.site, "synapse", i) for s, i in pairs], np.int32)
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
        _connections(mechanism, synapses, instance, experiments, places, known),
        tuple(number for _, number in numbers),
        instance if tagged else None,
    )


def _connections(
    mechanism: Mechanism,
    synapses: Sequence[Synapse],
    instance: IntArray,
    experiments: Sequence[Experiment],
    places: Places,
    known: Mapping[str, Mechanism],
) -> Connections:
    """One connection for every synapse that has a source."""
    end = experiments[0].duration + experiments[0].dt
    rows = [(row, s) for row, s in enumerate(synapses) if s.source is not None]
    for _, synapse in rows:
        if mechanism.receive is None:
            raise UserError(
                f"mechanism '{mechanism.name}' at {synapse.site} takes no events (it has no "
                "NET_RECEIVE); give it no source"
            )
        if len(synapse.weights) > len(mechanism.weights):
            raise UserError(
                f"the synapse at {synapse.site} has {len(synapse.weights)} weights; NET_RECEIVE of "
                f"'{mechanism.name}' takes {len(mechanism.weights)}: "
                f"{', '.join(mechanism.weights) or 'none'}"
            )
    weight = np.zeros((len(rows), max(1, len(mechanism.weights))))
    times, detectors, relays = [np.empty(0)], [], []
    for c, (row, synapse) in enumerate(rows):
        weight[c, : len(synapse.weights)] = synapse.weights
        own = int(instance[row])
        times.append(event_times(synapse.source, end, experiments[own].seed) + synapse.delay)
        if isinstance(synapse.source, SpikeSource):
            node = places.node(synapse.source.site, "source of a synapse", own)
            detectors.append((node, c, synapse.source.threshold, DETECTION + synapse.delay))
        if isinstance(synapse.source, PointSource):
            sender = experiments[own].synapses[synapse.source.synapse].mechanism
            if not any(send.kind == "event" for send in placed_mechanism(sender, known).sends):
                raise UserError(
                    f"the source of the synapse at {synapse.site} is a point of mechanism "
                    f"'{sender}', which sends nothing (it has no net_event); name another one"
                )
            relays.append((synapse.source.synapse, c, synapse.delay))
    time = np.concatenate(times)
    connection = np.repeat(np.arange(len(rows)), [len(t) for t in times[1:]]).astype(np.int32)
    order = np.argsort(time, kind="stable")
    relayed = np.array(relays, np.float64).reshape(-1, 3).T
    watched = np.array(detectors, np.float64).reshape(-1, 4).T
    return Connections(
        point=np.array([row for row, _ in rows], np.int32),
        weight=weight,
        time=time[order],
        connection=connection[order],
        detector_node=watched[0].astype(np.int32),
        detector_connection=watched[1].astype(np.int32),
        detector_threshold=watched[2].copy(),
        detector_delay=watched[3].copy(),
        relay_synapse=relayed[0].astype(np.int32),
        relay_connection=relayed[1].astype(np.int32),
        relay_delay=relayed[2].copy(),
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
