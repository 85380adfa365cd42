"""How many events may come to wait for one point within a step.

A queue grows between two steps, once it is half full; within a step it cannot. So it is given room
from the start for twice what may come in one step, as far as that can be told from the connections.
"""

from collections.abc import Sequence

import numpy as np

from engine.connections import Connections
from engine.mechanisms.model import Mechanism
from engine.placing import Placed
from engine.types import FloatArray, IntArray

MOST_ROOM = 2**16
"""Events that may wait for one point."""


def room_for(placed: Sequence[Placed], dt: float, least: int) -> int:
    """A power of two, at least ``least`` and at most :data:`MOST_ROOM`.

    Counted are, point by point and at their worst together: the crossings of all sources at once,
    what points that fire then send, and what a point sends itself for every event that it takes.
    What points send because others have sent to them in the same step is left out.

    Parameters
    ----------
    placed
        The mechanisms of a model.
    dt : ms
    least
    """
    taken = {p.mechanism.name: _taken(p, dt) for p in placed if p.connections is not None}
    fires = [
        taken.get(p.mechanism.name, 1) * count
        for p in placed
        if (count := _sends(p.mechanism, "event"))
    ]
    most = 0
    for p in placed:
        if (connections := p.connections) is None:
            continue
        heard = _most(connections.point[connections.relay_connection]) * max(fires, default=0)
        pushed = _crossings(p.mechanism, connections) + heard
        itself = _sends(p.mechanism, "send") * (taken[p.mechanism.name] + heard)
        most = max(most, pushed + itself)
    return min(max(least, 1 << (2 * most - 1).bit_length() if most else 0), MOST_ROOM)


def _taken(placed: Placed, dt: float) -> int:
    """Events that one point takes in a step, but for those of other points; at least 1."""
    connections = placed.connections
    assert connections is not None
    point = connections.point[connections.connection]
    known = most_within(point, connections.time, dt)
    return max(1, known + _crossings(placed.mechanism, connections))


def _crossings(mechanism: Mechanism, connections: Connections) -> int:
    """Events of sources and of watched conditions, each of which gives one in a step at most."""
    detectors = _most(connections.point[connections.detector_connection])
    return detectors + len(mechanism.watches)


def _sends(mechanism: Mechanism, kind: str) -> int:
    """What one call of NET_RECEIVE sends at most."""
    return sum(send.kind == kind and send.where == "receive" for send in mechanism.sends)


def _most(point: IntArray) -> int:
    """How often the most frequent point stands in (n,)."""
    return int(np.bincount(point).max()) if len(point) else 0


def most_within(point: IntArray, time: FloatArray, dt: float) -> int:
    """Most events of one point in any span of ``dt``, its ends among it.

    Parameters
    ----------
    point : (n,)
    time : (n,) ms
    dt : ms
    """
    if not len(point):
        return 0
    order = np.lexsort((time, point))
    point, time = point[order], time[order]
    first = np.flatnonzero(np.append(True, point[1:] != point[:-1]))
    most = 0
    for times in np.split(time, first[1:]):
        ends = np.searchsorted(times, times + dt, side="right")
        most = max(most, int((ends - np.arange(len(times))).max()))
    return most
