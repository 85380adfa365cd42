"""Arrays of the events of a run: what is known before it, and the queue of what is not."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.backends.event_source import TABLES, event_name, relay_name, takes_events
from engine.backends.flat import Flat, Points, expand
from engine.errors import UserError
from engine.mechanisms.model import Mechanism
from engine.placing import Placed

ROOM = 64
"""Events that a queue holds at first, beside four for every point, instance and detector."""
MOST = 2**24
"""Pending events of one mechanism with which a run is given up."""
QUEUE = ("queue_time", "queue_flag", "queue_what")


def event_arrays(placed: Placed, points: Points, flat: Flat) -> dict[str, Any]:
    """Tables of a mechanism that takes events, by their names in the step loop.

    Parameters
    ----------
    placed
    points
        In the order in which they are computed; every one is of one instance.
    flat
    """
    mechanism, connections = placed.mechanism, placed.connections
    if not takes_events(mechanism) or connections is None:
        return {}
    k, n_point = flat.n_instance, len(points.entries.item)
    computed = np.full(len(placed.node) * k, -1, np.int64)
    computed[points.entries.item * k + points.entries.lane] = np.arange(n_point)
    owner = None if placed.instance is None else placed.instance[connections.point]
    each = expand(owner, len(connections.point), k)
    number = np.full(len(connections.point) * k, -1, np.int64)
    number[each.item * k + each.lane] = np.arange(len(each.item))
    of_event = None if owner is None else owner[connections.connection]
    event = expand(of_event, len(connections.time), k)
    of_detector = None if owner is None else owner[connections.detector_connection]
    detector_place, detector = flat.nodes_of(connections.detector_node, of_detector)
    n_detector = len(detector_place)
    n_watch, size = len(mechanism.watches) * n_point, ROOM + 4 * (n_point + n_detector)
    tables = {
        "time": connections.time[event.item],
        "connection": number[connections.connection[event.item] * k + event.lane].astype(np.int32),
        "cursor": np.zeros(1, np.int64),
        "point": computed[connections.point[each.item] * k + each.lane].astype(np.int32),
        "weight": np.zeros((len(each.item) + 1) * connections.weight.shape[1]),
        "detector_node": detector_place,
        "detector_connection": number[
            connections.detector_connection[detector.item] * k + detector.lane
        ].astype(np.int32),
        "detector_threshold": connections.detector_threshold[detector.item],
        "detector_delay": connections.detector_delay[detector.item],
        "above": np.zeros(n_detector, np.bool_),
        "queue_time": np.zeros(size),
        "queue_flag": np.zeros(size),
        "queue_what": np.zeros((size, 5), np.int64),
        "queue_count": np.zeros(3, np.int64),
        "armed": np.zeros(n_watch, np.int8),
        "armed_flag": np.zeros(n_watch),
        "awake": np.zeros(1, np.int64),
    }
    assert set(tables) == set(TABLES)
    sent = [name for send in mechanism.sends for name in (send.time, send.flag)]
    sent += [name for watch in mechanism.watches for name in (watch.flag, watch.value)]
    arrays = {event_name(mechanism, name): table for name, table in tables.items()}
    return arrays | {f"{mechanism.name}__{name}": np.full(n_point, np.nan) for name in sent}


def relays(takers: Sequence[Placed]) -> tuple[tuple[str, str], ...]:
    """Pairs of mechanisms of which one's points send to the other's with ``net_event``."""
    found: dict[tuple[str, str], None] = {}
    for target in takers:
        assert target.connections is not None
        wanted = set(target.connections.relay_synapse.tolist())
        for source in takers if wanted else ():
            if wanted & set(source.synapse):
                found[source.mechanism.name, target.mechanism.name] = None
    return tuple(found)


def relay_arrays(
    source: Placed, target: Placed, points: dict[str, Points], n_instance: int
) -> dict[str, Any]:
    """What points of one mechanism send to those of another, by names in the step loop."""
    k, c = n_instance, target.connections
    assert c is not None
    owner = None if target.instance is None else target.instance[c.point]
    each = expand(owner, len(c.point), k)
    number = np.full(len(c.point) * k, -1, np.int64)
    number[each.item * k + each.lane] = np.arange(len(each.item))
    relay = expand(None if owner is None else owner[c.relay_connection], len(c.relay_synapse), k)
    of = points[source.mechanism.name].entries
    place = {
        (source.synapse[item], lane): n
        for n, (item, lane) in enumerate(zip(of.item.tolist(), of.lane.tolist(), strict=True))
    }
    wanted = zip(c.relay_synapse[relay.item].tolist(), relay.lane.tolist(), strict=True)
    sender = np.array([place.get(pair, -1) for pair in wanted], np.int64)
    order = np.argsort(sender, kind="stable")[np.count_nonzero(sender < 0) :]
    connection = number[c.relay_connection[relay.item] * k + relay.lane]
    start = np.searchsorted(sender[order], np.arange(len(of.item) + 1))
    tables = {
        "start": start.astype(np.int64),
        "connection": connection[order],
        "delay": c.relay_delay[relay.item][order],
    }
    names = source.mechanism, target.mechanism
    return {relay_name(*names, table): values for table, values in tables.items()}


def reset_events(arrays: dict[str, Any], placed: Placed, points: Points, n_instance: int) -> None:
    """Back to t = 0: weights as given, no event delivered, none pending, who can sleep asleep."""
    mechanism, connections = placed.mechanism, placed.connections
    assert connections is not None
    for name in ("cursor", "queue_count", "armed", "above"):
        arrays[event_name(mechanism, name)][:] = 0
    owner = None if placed.instance is None else placed.instance[connections.point]
    each = expand(owner, len(connections.point), n_instance)
    weight = connections.weight[each.item].reshape(-1)
    arrays[event_name(mechanism, "weight")][: len(weight)] = weight
    arrays[event_name(mechanism, "awake")][0] = points.n_awake


def grow(arrays: dict[str, Any], mechanism: Mechanism) -> None:
    """Twice the room for pending events, where half of it is taken.

    Raises
    ------
    UserError
        If there are too many, or more came in one step than there was room for.
    """
    count = arrays[event_name(mechanism, "queue_count")]
    size = len(arrays[event_name(mechanism, "queue_time")])
    if count[2] > 0 or 2 * size > MOST:
        raise UserError(
            f"the points of mechanism '{mechanism.name}' send more events than can be kept "
            f"({size} at once); let them send fewer with net_send, or lengthen the delays"
        )
    if 2 * count[0] <= size:
        return
    for name in (event_name(mechanism, table) for table in QUEUE):
        old = arrays[name]
        arrays[name] = np.zeros((2 * size, *old.shape[1:]), old.dtype)
        arrays[name][:size] = old
