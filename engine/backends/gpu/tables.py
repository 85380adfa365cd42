"""Everything a device holds of a model, array by array."""

from functools import cached_property
from typing import Literal

import numpy as np

from engine.backends.gpu.arena import Arena
from engine.backends.gpu.attached import fill_attached, gap_columns, hold_columns
from engine.backends.gpu.device import Properties
from engine.backends.gpu.factors import fill_factors
from engine.backends.gpu.points import Points, is_queued, point_nodes
from engine.backends.gpu.relays import fill_relays, pairs
from engine.backends.gpu.room import room_for
from engine.backends.gpu.shape import Shape, Solve, Store
from engine.backends.gpu.system import Nodes, fill_tree, fill_twigs, order_of
from engine.backends.gpu.text import GpuStructure
from engine.backends.structure import ion_name, state_name, table_name
from engine.instances import is_mixed
from engine.linear import is_linear
from engine.model import Model
from engine.placing import Placed
from engine.probes import ProbeTarget
from engine.types import IntArray

ROOM = 64
"""Events that a point's queue holds at first, or more where more may come at once."""
STATIC_SHARED = 1024
"""Bytes of shared memory that a device keeps of every block's."""


def kept(model: Model) -> list[Placed]:
    """The mechanisms that are code."""
    return [p for p in model.placed if len(p.node) and not is_linear(p.mechanism)]


def structure_of(model: Model, single: bool = False, solve: Solve = "dhs") -> GpuStructure:
    """What a model's kernel depends on."""
    placed = kept(model)
    mechanisms = tuple(p.mechanism for p in placed)
    read = {name for m in mechanisms for ion in m.ions for name in ion.read}
    probed = {probe.variable for probe in model.probes if probe.kind == "ion"}
    sets = {name for m in mechanisms for name in m.ion_sets}
    return GpuStructure(
        mechanisms,
        silent=tuple(n for n in model.ion_currents if n not in read | probed),
        varying=tuple(n for n in model.ions if n in sets | probed),
        relays=pairs(placed),
        queued=tuple(p.mechanism.name for p in placed if p.is_point and is_queued(p)),
        clamps=len(model.clamp_node) > 0,
        played=len(model.played_node) > 0,
        holds=len(model.hold_node) > 0,
        gaps=len(model.gap_node) > 0,
        twigs=model.twigs is not None and model.twigs.n_twig > 0,
        single=single,
        solve=solve,
    )


def place_of(
    store: Store, whole: int, tree: int, most: int
) -> tuple[Literal["shared", "tree", "global"], int]:
    """Where a cell's numbers lie, and how many of them in shared memory.

    Parameters
    ----------
    store
        As of :class:`engine.backends.gpu.shape.Shape`.
    whole, tree
        Numbers with those of spines and without.
    most
        How many there is room for.
    """
    if (store == "auto" or whole == tree) and store != "global" and whole <= most:
        return "shared", whole
    if store != "global" and tree <= most:
        return "tree", tree
    return "global", 0


class Tables:
    """Arenas of a model.

    ``common`` and ``table`` are one for all instances; ``given`` and ``where`` do not change, and
    have one row where all instances have the same; ``own`` and ``moving`` change, and have a row
    for every instance (here a single one, with the values they start from).

    Parameters
    ----------
    model : Model
    shape : Shape
    properties : Properties
        Of the device.
    single
        As of :class:`GpuStructure`.
    """

    def __init__(
        self, model: Model, shape: Shape, properties: Properties, single: bool = False
    ) -> None:
        self.model, self.structure = model, structure_of(model, single, shape.solve)
        self.n_row = model.n_instance if is_mixed(model) else 1
        self.order = order_of(model.tree, shape)
        self.nodes = Nodes(model, self.order, self.n_row)
        self.common, self.table = Arena(np.float64), Arena(np.int32)
        self.given = Arena(np.float64, self.n_row)
        self.where = Arena(np.int32, self.n_row)
        self.own, self.moving = Arena(np.float64), Arena(np.int32)
        self._counts: dict[str, int] = {}
        self._point_columns: dict[str, np.ndarray] = {}
        self._fill_state(shape, properties)
        fill_tree(model, self.order, self.common, self.table)
        fill_twigs(model, self.nodes, self.common, self.given, self.where)
        if self.structure.constant:
            fill_factors(model, self.order, self.nodes, self.common, self.given)
        if model.twigs is not None:
            self._counts["_n_kind"] = len(model.twigs.kinds)
        fill_attached(model, self.nodes, self.own, self.given, self.where)
        self._counts["_played_width"] = max(1, model.played.shape[1])
        self._fill_mechanisms()
        self._fill_probes()

    def _fill_state(self, shape: Shape, properties: Properties) -> None:
        n_all, n_tree = self.nodes.n_all, self.order.n_node
        constant = self.structure.constant
        n_kept = 2 if constant else 3
        work = n_tree + self.order.n_inner if shape.solve == "contract" and not constant else 0
        most = (properties.shared_memory - STATIC_SHARED) // (8 * shape.cells)
        self.store, shared = place_of(
            shape.store, n_kept * n_all + work, n_kept * n_tree + work, most
        )
        self.shared_bytes = 8 * shared
        self._counts["_width"] = shared
        outside = {"shared": 0, "tree": n_all - n_tree, "global": n_all}[self.store]
        self.own.add("_clock", 1)
        self.own.add("_v", n_all)
        self.own.add("_rest", (n_kept - 1) * outside)
        self.own.add("_work", 0 if shared else work)
        self.own.add("_carry", n_all - outside if constant else 0)
        for name in ("_done", "_status", "_spikes", "_high"):
            self.moving.add(name, 1)
        for name, values in self.model.ions.items():
            arena = self.own if name in self.structure.varying else self.common
            arena.add(ion_name(name), values[self.order.node])
        for name in self.model.ion_currents:
            if name not in self.structure.silent:
                self.own.add(ion_name(name), self.order.n_node)

    def _fill_mechanisms(self) -> None:
        self.n_queue = 0
        points: list[Points] = []
        for placed in kept(self.model):
            if not placed.is_point:
                self._fill_density(placed)
                continue
            one = Points(self.model, placed, self.nodes, self.n_row)
            one.fill(self.common, self.table, self.own, self.moving, self.given, self.where)
            self._point_columns[placed.mechanism.name] = one.columns()
            if is_queued(placed):
                self._counts[state_name(placed.mechanism, "_queue")] = self.n_queue
                self.n_queue += one.listed.width
            points.append(one)
        fill_relays(self.structure, points, self.moving, self.given, self.where)
        if points:
            count, place = point_nodes(points, self.n_row)
            self.where.add("_n_point", count)
            self.where.add("_point_node", place)
            self.own.add("_i_point", self.nodes.n_all)
            self.own.add("_g_point", self.nodes.n_all)

    def _fill_density(self, placed: Placed) -> None:
        mechanism, tree = placed.mechanism, self.model.tree
        place = self.order.place[placed.node]
        entry = np.argsort(place)
        self._counts[table_name(mechanism, "n")] = len(place)
        self.table.add(table_name(mechanism, "node"), place[entry])
        for name, values in placed.values.items():
            self.common.add(state_name(mechanism, name), values[entry])
        for name, value in placed.shared.items():
            self.common.add(state_name(mechanism, name), np.array([value]))
        self.common.add(state_name(mechanism, "diam"), tree.diameter[placed.node][entry])
        self.common.add(state_name(mechanism, "area"), tree.area[placed.node][entry])
        for variable in (*mechanism.states, *mechanism.assigned):
            self.own.add(state_name(mechanism, variable.name), len(place))

    def _fill_probes(self) -> None:
        rows = [self._probe_rows(probe) for probe in self.model.probes]
        table = np.stack(rows, axis=1) if rows else np.zeros((self.n_row, 1), np.int32)
        self.where.add("_probe", table)

    def _probe_rows(self, probe: ProbeTarget) -> IntArray:
        """(n_row,): where in ``own`` a probe reads, or -1 - place for a voltage."""
        index = np.array(probe.rows or [probe.index] * self.n_row)[: self.n_row]
        if probe.kind == "voltage":
            return (-1 - self.nodes.place(index)).astype(np.int32)
        if probe.kind == "ion":
            found = self.own.start[ion_name(probe.variable)] + self.nodes.place(index)
        elif probe.kind == "hold":
            columns = hold_columns(self.model, self.nodes, self.n_row)
            found = self.own.start["hold_current"] + columns[index]
        elif probe.kind == "gap":
            found = self.own.start["gap_current"] + gap_columns(self.model, self.n_row)[index]
        else:
            placed = self.model.placed[probe.mechanism]
            start = self.own.start[state_name(placed.mechanism, probe.variable)]
            found = start + self._column(placed, index)
        return found.astype(np.int32)

    def _column(self, placed: Placed, index: np.ndarray) -> np.ndarray:
        """Where entries of a mechanism stand among those of their instance."""
        if placed.is_point:
            return self._point_columns[placed.mechanism.name][index]
        place = self.order.place[placed.node]
        rank = np.empty(len(place), np.int64)
        rank[np.argsort(place)] = np.arange(len(place))
        return rank[index]

    @cached_property
    def room(self) -> int:
        """Events that a point's queue holds at first."""
        if not self.n_queue:
            return ROOM
        return room_for(kept(self.model), self.model.experiment.dt, ROOM)

    @property
    def numbers(self) -> dict[str, int]:
        """Integers that every kernel takes."""
        order, nodes = self.order, self.nodes
        return {
            "n_comp": self.model.n_comp,
            "n_node": order.n_node,
            "n_solve": order.n_step,
            "n_all": nodes.n_all,
            "n_twig": nodes.n_twig,
            "n_probe": len(self.model.probes),
            "n_queue": self.n_queue,
            "spike_node": int(order.place[self.model.spike_node]),
        }

    def place(self, name: str, arena: str) -> int:
        """Where an array starts in an arena, or a number."""
        if arena == "number":
            return self._counts[name]
        arenas: dict[str, Arena] = {
            "common": self.common, "table": self.table, "given": self.given, "where": self.where,
            "own": self.own, "moving": self.moving,
        }  # fmt: skip
        return arenas[arena].start[name]

    def base(self) -> Arena:
        """The values that every instance starts from."""
        return self.own

    @property
    def bytes_once(self) -> int:
        """Memory of the device that a run takes whatever the number of instances."""
        shared = (self.common, self.table, self.own)
        return sum(arena.nbytes for arena in shared) + 8 * self.model.played.size

    @property
    def bytes_each(self) -> int:
        """What it takes more for every instance."""
        queues = self.n_queue * self.room * (2 * 8 + 3 * 4)
        fixed = (self.given.nbytes + self.where.nbytes) // self.n_row
        return self.own.nbytes + self.moving.nbytes + fixed + queues
