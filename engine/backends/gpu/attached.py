"""Tables of what sits on single nodes: clamps, played currents, voltage clamps, gap junctions."""

import numpy as np
from numpy.typing import NDArray

from engine.backends.gpu.arena import Arena, listing
from engine.backends.gpu.system import Nodes
from engine.model import Model


def fill_attached(model: Model, nodes: Nodes, own: Arena, given: Arena, where: Arena) -> None:
    """Everything on single nodes but points, instance by instance, sorted by place."""
    n_row = where.n_row
    if len(model.clamp_node):
        place = nodes.place(model.clamp_node)
        listed = listing(model.clamp_instance, n_row, len(place), (place,))
        where.add("_n_clamp", listed.count[:, None])
        where.add("_clamp_node", listed.table(place, np.int32))
        given.add("_clamp_on", listed.table(model.clamp_on))
        given.add("_clamp_off", listed.table(model.clamp_off))
        given.add("_clamp_i", listed.table(model.clamp_amplitude))
    if len(model.played_node):
        place = nodes.place(model.played_node)
        listed = listing(model.played_instance, n_row, len(place), (place,))
        where.add("_n_played", listed.count[:, None])
        where.add("_played_node", listed.table(place, np.int32))
        where.add("_played_column", listed.table(np.arange(len(place)), np.int32))
    if len(model.hold_node):
        _fill_holds(model, nodes, own, given, where)
    if len(model.gap_node):
        _fill_gaps(model, nodes, own, given, where)


def hold_columns(model: Model, nodes: Nodes, n_row: int) -> NDArray[np.int64]:
    """(n_hold,): where each voltage clamp's current is among those of its instance."""
    place = nodes.place(model.hold_node)
    return listing(model.hold_instance, n_row, len(place), (place,)).columns(len(place))


def gap_columns(model: Model, n_row: int) -> NDArray[np.int64]:
    """(n_gap,): as :func:`hold_columns`, of gap junctions."""
    n = len(model.gap_node)
    return listing(model.gap_instance, n_row, n).columns(n)


def _fill_holds(model: Model, nodes: Nodes, own: Arena, given: Arena, where: Arena) -> None:
    place = nodes.place(model.hold_node)
    listed = listing(model.hold_instance, where.n_row, len(place), (place,))
    where.add("_n_hold", listed.count[:, None])
    where.add("_hold_node", listed.table(place, np.int32))
    for name, values in (("_hold_until", model.hold_until), ("_hold_level", model.hold_level)):
        columns = [listed.table(column) for column in values.T]
        given.add(name, np.stack(columns, axis=2).reshape(len(listed.count), -1))
    given.add("_hold_g", listed.table(model.hold_conductance))
    own.add("hold_current", listed.width)


def _fill_gaps(model: Model, nodes: Nodes, own: Arena, given: Arena, where: Arena) -> None:
    n_row, n = where.n_row, len(model.gap_node)
    listed = listing(model.gap_instance, n_row, n)
    where.add("_n_gap", listed.count[:, None])
    place = nodes.place(model.gap_node)
    where.add("_gap_a", listed.table(place[:, 0], np.int32))
    where.add("_gap_b", listed.table(place[:, 1], np.int32))
    given.add("_gap_g", listed.table(model.gap_conductance))
    own.add("gap_current", listed.width)
    # either side is an entry of its own
    column = listed.columns(n)
    side, other = place.T.reshape(-1), place[:, ::-1].T.reshape(-1)
    owner = None if model.gap_instance is None else np.tile(model.gap_instance, 2)
    sides = listing(owner, n_row, 2 * n, (side,))
    where.add("_n_side", sides.count[:, None])
    where.add("_side_node", sides.table(side, np.int32))
    where.add("_side_other", sides.table(other, np.int32))
    where.add("_side_gap", sides.table(np.tile(column, 2), np.int32))
    where.add("_side_first", sides.table(np.arange(2 * n) < n, np.int32))
