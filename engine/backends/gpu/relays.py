"""Tables of what points send to each other with ``net_event``, and the order they are served in."""

from collections.abc import Sequence

import numpy as np

from engine.backends.events import relays
from engine.backends.gpu.arena import Arena, listing
from engine.backends.gpu.points import Points
from engine.backends.gpu.text import GpuStructure
from engine.backends.structure import state_name
from engine.mechanisms.model import Mechanism
from engine.placing import Placed
from engine.types import IntArray


def pairs(placed: Sequence[Placed]) -> tuple[tuple[str, str], ...]:
    """Mechanisms of which one's points send to the other's."""
    return relays([p for p in placed if p.mechanism.receive is not None])


def relay_table(source: Mechanism, target: Mechanism, what: str) -> str:
    """Name of a table of what points of one mechanism send to those of another."""
    return state_name(source, f"_to_{target.name}_{what}")


def fill_relays(
    structure: GpuStructure, points: Sequence[Points], moving: Arena, given: Arena, where: Arena
) -> None:
    """The order of points in the model, and for every point where its events go."""
    by_name = {p.mechanism.name: p for p in points}
    for mechanism in structure.linked:
        own = by_name[mechanism.name]
        where.add(state_name(mechanism, "_order"), _order(own))
        moving.add(state_name(mechanism, "_arrived"), 1)
    for name, other in structure.relays:
        _fill(by_name[name], by_name[other], given, where)


def _order(points: Points) -> IntArray:
    """(n_row, width): columns of the points as they stand in the model."""
    listed = points.listed
    at = np.lexsort((listed.order, listed.row))
    out = np.zeros((len(listed.count), listed.width), np.int32)
    out[listed.row, np.arange(len(at)) - listed.starts[listed.row]] = listed.column[at]
    return out


def _fill(source: Points, target: Points, given: Arena, where: Arena) -> None:
    connections = target.placed.connections
    assert connections is not None
    instance = source.placed.instance
    lane = np.zeros(len(source.placed.node), np.int64) if instance is None else instance
    sender = {
        pair: i
        for i, pair in enumerate(zip(source.placed.synapse, lane.tolist(), strict=True))
    }  # fmt: skip
    point = connections.point[connections.relay_connection]
    own = target.placed.instance
    owner = np.zeros(len(point), np.int64) if own is None else own[point]
    wanted = zip(connections.relay_synapse.tolist(), owner.tolist(), strict=True)
    found = np.array([sender.get(pair, -1) for pair in wanted], np.int64)
    keep = np.flatnonzero(found >= 0)
    found, point = found[keep], point[keep]
    column = source.columns()
    instances = None if own is None else own[point]
    sent = listing(instances, source.n_row, len(keep), (column[found],))
    names = source.mechanism, target.mechanism
    where.add(relay_table(*names, "start"), source.starts(sent, found.astype(np.int32)))
    where.add(relay_table(*names, "point"), sent.table(target.columns()[point], np.int32))
    slots = target.slots()[connections.relay_connection[keep]]
    where.add(relay_table(*names, "slot"), sent.table(slots, np.int32))
    given.add(relay_table(*names, "delay"), sent.table(connections.relay_delay[keep]))
