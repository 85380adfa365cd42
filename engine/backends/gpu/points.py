"""Tables of the points of a model: where they sit, what they are given, which events reach them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.backends.gpu.arena import Arena, Listing, listing
from engine.backends.gpu.system import Nodes
from engine.backends.structure import state_name, table_name
from engine.connections import Connections
from engine.mechanisms.model import Mechanism
from engine.model import Model
from engine.placing import Placed
from engine.types import IntArray


def is_queued(placed: Placed) -> bool:
    """Whether events come that are not known before the run."""
    mechanism, connections = placed.mechanism, placed.connections
    if mechanism.receive is None:
        return False
    sources = connections is not None and (
        len(connections.detector_node) > 0 or len(connections.relay_synapse) > 0
    )
    return bool(sources or mechanism.sends or mechanism.watches)


class Points:
    """The points of one mechanism.

    Parameters
    ----------
    model, placed, nodes
    n_row
        Instances, or 1 where none differs from another.
    """

    def __init__(self, model: Model, placed: Placed, nodes: Nodes, n_row: int) -> None:
        self.placed, self.nodes, self.n_row = placed, nodes, n_row
        self.place = nodes.place(placed.node)
        self.listed = listing(placed.instance, n_row, len(placed.node), (self.place,))
        self.diameter = np.zeros(len(placed.node))
        self.area = np.zeros(len(placed.node))
        on_tree = placed.node < model.n_comp
        self.area[on_tree] = model.tree.area[placed.node[on_tree]]
        self.diameter[on_tree] = model.tree.diameter[placed.node[on_tree]]
        if model.twigs is not None and not on_tree.all():
            geometry = model.twigs.geometry(placed.node[~on_tree])
            self.area[~on_tree], self.diameter[~on_tree] = geometry

    @property
    def mechanism(self) -> Mechanism:
        return self.placed.mechanism

    def columns(self) -> NDArray[np.int64]:
        """(n,): where a point stands among those of its instance."""
        return self.listed.columns(len(self.placed.node))

    def slots(self) -> NDArray[np.int64]:
        """(n_connection,): where the weights of a connection are among those of its instance."""
        assert self.placed.connections is not None
        point = self.placed.connections.point
        return self._by_point(point).columns(len(point))

    def fill(
        self, common: Arena, table: Arena, own: Arena, moving: Arena, given: Arena, where: Arena
    ) -> None:
        """All tables but those of the queue."""
        mechanism, listed = self.mechanism, self.listed
        where.add(table_name(mechanism, "n"), listed.count[:, None])
        where.add(table_name(mechanism, "node"), listed.table(self.place, np.int32))
        for name, values in self.placed.values.items():
            given.add(state_name(mechanism, name), listed.table(values))
        given.add(state_name(mechanism, "diam"), listed.table(self.diameter))
        given.add(state_name(mechanism, "area"), listed.table(self.area))
        for name, value in self.placed.shared.items():
            common.add(state_name(mechanism, name), np.array([value]))
        slots = [name for send in mechanism.sends for name in (send.time, send.flag)]
        slots += [name for watch in mechanism.watches for name in (watch.flag, watch.value)]
        for name in (*(x.name for x in (*mechanism.states, *mechanism.assigned)), *slots):
            own.add(state_name(mechanism, name), listed.width)
        if mechanism.receive is not None:
            assert self.placed.connections is not None
            self._fill_events(self.placed.connections, common, table, own, moving, given, where)

    def _fill_events(
        self,
        connections: Connections,
        common: Arena,
        table: Arena,
        own: Arena,
        moving: Arena,
        given: Arena,
        where: Arena,
    ) -> None:
        mechanism, width = self.mechanism, self.listed.width
        n_weight = connections.weight.shape[1]

        def name(what: str) -> str:
            return state_name(mechanism, what)

        slots = self._by_point(connections.point)
        given.add(name("_weights"), _rows(slots, connections.weight, n_weight))
        own.add(name("_weight"), (slots.width + width) * n_weight)
        where.add(name("_n_slot"), np.full((self.n_row, 1), slots.width, np.int32))
        where.add(name("_first"), self.starts(slots, connections.point))
        slot = slots.columns(len(connections.point))

        at = connections.connection
        point = connections.point[at]
        events = self._by_point(point)
        common.add(name("_time"), np.append(connections.time[events.order], np.inf))
        table.add(name("_slot"), np.append(slot[at[events.order]], 0))
        first = events.starts[:, None]
        bounds = first + self.starts(events, point)
        where.add(name("_begin"), bounds[:, :-1].astype(np.int32))
        where.add(name("_end"), bounds[:, 1:].astype(np.int32))
        own.add(name("_next"), width)
        moving.add(name("_cursor"), width)
        if not is_queued(self.placed):
            return
        at = connections.detector_connection
        sources = self._by_point(connections.point[at])
        node = self.nodes.place(connections.detector_node)
        where.add(name("_source"), self.starts(sources, connections.point[at]))
        where.add(name("_source_node"), sources.table(node, np.int32))
        where.add(
            name("_source_slot"),
            sources.table(slot[at], np.int32),
        )
        given.add(name("_threshold"), sources.table(connections.detector_threshold))
        given.add(name("_delay"), sources.table(connections.detector_delay))
        moving.add(name("_above"), sources.width)
        moving.add(name("_waiting"), 2 * width)
        for i in range(len(mechanism.watches)):
            moving.add(name(f"_armed_{i}"), width)
            own.add(name(f"_armed_flag_{i}"), width)

    def _by_point(self, point: IntArray) -> Listing:
        """Things that go to points (n,), by instance and point."""
        instance = None if self.placed.instance is None else self.placed.instance[point]
        column = self.columns()
        return listing(instance, self.n_row, len(point), (column[point],))

    def starts(self, listed: Listing, point: IntArray) -> IntArray:
        """(n_row, width + 1): where the things of each point begin in a row."""
        width = self.listed.width
        column = self.columns()[point][listed.order]
        counts = np.zeros((self.n_row, width + 1), np.int64)
        np.add.at(counts, (listed.row, column + 1), 1)
        return np.cumsum(counts, axis=1).astype(np.int32)


def _rows(listed: Listing, values: NDArray[Any], n: int) -> NDArray[Any]:
    """(n_row, width * n) of values (n_entry, n)."""
    out = np.zeros((len(listed.count), listed.width, n))
    out[listed.row, listed.column] = values[listed.order]
    return out.reshape(len(listed.count), -1)


def point_nodes(points: list[Points], n_row: int) -> tuple[IntArray, IntArray]:
    """Every place with points once.

    Returns
    -------
    count : (n_row, 1) int32
    place : (n_row, most) int32
    """
    found: list[IntArray] = []
    for row in range(n_row):
        here = []
        for p in points:
            first = p.listed.starts[row]
            here.append(p.place[p.listed.order[first : first + p.listed.count[row]]])
        found.append(np.unique(np.concatenate([np.empty(0, np.int32), *here])))
    most = max(len(f) for f in found)
    count = np.array([[len(f)] for f in found], np.int32)
    return count, np.stack([np.pad(f, (0, most - len(f))) for f in found]).astype(np.int32)
