"""Arrays of the events of a run: what is known before it, and the queue of what is not."""

from typing import Any

import numpy as np

from engine.backends.event_source import TABLES, event_name, takes_events
from engine.errors import UserError
from engine.mechanisms.model import Mechanism
from engine.placing import Connections, Placed
from engine.types import IntArray

ROOM = 64
"""Events that a queue holds at first, beside four for every point, instance and detector."""
MOST = 2**24
"""Pending events of one mechanism with which a run is given up."""
QUEUE = ("queue_time", "queue_flag", "queue_what")


def event_arrays(
    placed: Placed, rows: IntArray, place: IntArray, n_instance: int
) -> dict[str, Any]:
    """Tables of a mechanism that takes events, by their names in the step loop.

    Parameters
    ----------
    placed
    rows : (n,) int32
        Which of the mechanism's points each computed one is.
    place : (n_comp,) int32
        Where each node of the tree is stored.
    n_instance
    """
    mechanism, connections = placed.mechanism, placed.connections
    if not takes_events(mechanism) or connections is None:
        return {}
    computed = np.empty(len(rows), np.int32)
    computed[rows] = np.arange(len(rows), dtype=np.int32)
    n_point, n_detector = len(rows) * n_instance, len(connections.detector_node) * n_instance
    n_watch, size = len(mechanism.watches) * n_point, ROOM + 4 * (n_point + n_detector)
    tables = {
        "time": connections.time,
        "connection": connections.connection,
        "cursor": np.zeros(1, np.int64),
        "point": computed[connections.point],
        "weight": np.zeros((len(connections.point) + 1) * n_instance * connections.weight.shape[1]),
        "detector_node": place[connections.detector_node],
        "detector_connection": connections.detector_connection,
        "detector_threshold": connections.detector_threshold,
        "detector_delay": connections.detector_delay,
        "above": np.zeros(n_detector, np.bool_),
        "queue_time": np.zeros(size),
        "queue_flag": np.zeros(size),
        "queue_what": np.zeros((size, 5), np.int64),
        "queue_count": np.zeros(3, np.int64),
        "armed": np.zeros(n_watch, np.int8),
        "armed_flag": np.zeros(n_watch),
    }
    assert set(tables) == set(TABLES)
    sent = [name for send in mechanism.sends for name in (send.time, send.flag)]
    sent += [name for watch in mechanism.watches for name in (watch.flag, watch.value)]
    arrays = {event_name(mechanism, name): table for name, table in tables.items()}
    return arrays | {f"{mechanism.name}__{name}": np.full(n_point, np.nan) for name in sent}


def reset_events(
    arrays: dict[str, Any], mechanism: Mechanism, connections: Connections, n_instance: int
) -> None:
    """Back to t = 0: weights as given, no event delivered, none pending."""
    for name in ("cursor", "queue_count", "armed", "above"):
        arrays[event_name(mechanism, name)][:] = 0
    weight = np.repeat(connections.weight, n_instance, axis=0).reshape(-1)
    arrays[event_name(mechanism, "weight")][: len(weight)] = weight


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
