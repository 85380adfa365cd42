"""Where our kernels find a shape's nodes and neighbors; arrays are as the kernels declare them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.backends.gpu.variants.contraction import Contraction, contract
from engine.backends.gpu.variants.twigs import Twigs, find_twigs, twig_length
from engine.schedule import make_schedule
from engine.types import FloatArray, IntArray, ScheduleMethod

ALIGN = 16
"""Doubles: cells begin at lines of 128 bytes."""
COLUMNS = ("n_node", "n_step", "n_host", "alike", "node", "step", "host", "rank", "receiver")
"""Of ``struct Shape``: sizes, then where the shape begins in the arrays of all shapes."""
GROUPS = {
    "node": ("child", "sibling", "above", "ends", "axial"),
    "step": ("step_start", "round"),
    "host": ("host", "twig_count"),
    "rank": ("rank_start", "rank_width"),
    "receiver": ("receiver",),
}
"""Arrays that are indexed alike; in a shape they are equally long."""
WIDTHS = {"ends": 2, "round": 4, "receiver": 4}
"""Numbers of an entry, where there are several."""


@dataclass(frozen=True, eq=False)
class ShapeLayout:
    """One shape.

    Attributes
    ----------
    order : (n_comp,) int32
        The node at each place: the tree's in the order of elimination, roots last, then twigs.
    n_node, n_step, n_inner : int
        Nodes but those of twigs, steps, and nodes taken out of cables.
    arrays
        By the names in ``GROUPS``.
    alike : bool
        All twigs have the same axial conductances.
    """

    order: IntArray
    n_node: int
    n_step: int
    n_inner: int
    arrays: dict[str, NDArray]
    alike: bool

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        return self.n_node, self.n_step, len(self.arrays["host"]), int(self.alike)


def lay_steps(
    parent: IntArray, g_axial: FloatArray, method: ScheduleMethod, n_threads: int, twig: int = 0
) -> ShapeLayout:
    """A schedule of steps, children gathered in descending index.

    Parameters
    ----------
    parent, g_axial : (n_comp,)
    method, n_threads
        As :func:`engine.schedule.make_schedule`.
    twig : int
        Nodes of the twigs to be set apart; 0 sets none apart.
    """
    twigs, inside, tree = _cut_twigs(parent, twig)
    schedule = make_schedule(tree, method, n_threads)
    nodes = np.concatenate([schedule.node, np.flatnonzero(tree < 0)])
    child, sibling = _gather_lists(tree, nodes)
    place = _inverse(nodes)
    arrays = {
        "child": child,
        "sibling": sibling,
        "above": np.where(tree[nodes] < 0, -1, place[tree[nodes]]).astype(np.int32),
        "step_start": schedule.step_start,
    }
    return _finish(arrays, inside, nodes, place, twigs, g_axial, schedule.n_step, 0)


def lay_contraction(
    parent: IntArray, g_axial: FloatArray, n_threads: int, twig: int = 0
) -> ShapeLayout:
    """Rounds of a contraction and who receives what in them."""
    twigs, inside, tree = _cut_twigs(parent, twig)
    c = contract(tree, n_threads)
    nodes = np.concatenate([c.node, np.flatnonzero(tree < 0)])
    place = _inverse(nodes)
    n_inner = np.diff(c.round_start) - (c.inner_start - c.round_start[:-1])
    slot_start = np.cumsum(n_inner) - n_inner
    slot = np.full(len(tree), -1, np.int32)
    taken_inner = c.node[c.below[c.node] >= 0]
    slot[taken_inner] = np.arange(taken_inner.size)
    receiver, receiver_start, sibling = _receivers(c, place, slot)
    below = np.where(c.below[nodes] < 0, -1, place[c.below[nodes]])
    above = np.where(c.above[nodes] < 0, -1, place[c.above[nodes]])
    arrays = {
        "sibling": sibling,
        "ends": np.stack([above, below], axis=1),
        "round": np.stack(
            [c.round_start, np.append(c.inner_start, 0), np.append(slot_start, 0), receiver_start],
            axis=1,
        ),
        "receiver": receiver,
    }
    return _finish(arrays, inside, nodes, place, twigs, g_axial, c.n_round, int(n_inner.sum()))


def _receivers(
    c: Contraction, place: IntArray, slot: IntArray
) -> tuple[IntArray, IntArray, IntArray]:
    """(n_receiver, 4) place, link to what is taken below, place and slot of what is taken above;
    where every round's receivers begin; links to the next that is taken below the same one.
    """
    n, node = len(c.above), c.node
    in_round = np.repeat(np.arange(c.n_round), np.diff(c.round_start)).astype(np.int64)
    up_key = in_round * n + c.above[node]
    has_below = c.below[node] >= 0
    inner = node[has_below]
    down_key = in_round[has_below] * n + c.below[inner]
    key = np.unique(np.concatenate([up_key, down_key]))
    receiver = np.full((len(key), 4), -1, np.int32)
    receiver[:, 0] = place[key % n]
    at = np.searchsorted(key, down_key)
    receiver[at, 2], receiver[at, 3] = place[inner], slot[inner]
    by_receiver = np.lexsort((-node, up_key))
    first, link = _links(up_key[by_receiver], place[node[by_receiver]], len(place))
    receiver[np.searchsorted(key, up_key[by_receiver][first >= 0]), 1] = first[first >= 0]
    start = np.searchsorted(key, n * np.arange(c.n_round + 1))
    return receiver, start.astype(np.int32), link


def _links(key: NDArray, place: IntArray, n: int) -> tuple[IntArray, IntArray]:
    """Entries with equal keys, side by side, as lists.

    A link is twice a place, and one more where another entry follows.

    Returns
    -------
    first : (n_entry,) int32
        At the first entry of each key the link to it, else -1.
    sibling : (n,) int32
        By place, the link to the next entry, -1 at the last.
    """
    first, sibling = np.full(len(key), -1, np.int32), np.full(n, -1, np.int32)
    if key.size:
        begins = np.append(True, key[1:] != key[:-1])
        more = np.append(~begins[1:], False)
        link = 2 * place + more
        first[begins] = link[begins]
        sibling[place[:-1][more[:-1]]] = link[1:][more[:-1]]
    return first, sibling


def tree_beside_twigs(parent: IntArray) -> IntArray:
    """Parents of what is left of a tree whose twigs are set apart."""
    return _cut_twigs(parent, twig_length(parent))[2]


def _cut_twigs(parent: IntArray, length: int) -> tuple[Twigs, IntArray, IntArray]:
    """The twigs, the nodes that are in none, and the parents among those."""
    twigs = find_twigs(parent, length)
    inside = np.ones(len(parent), bool)
    inside[twigs.node] = False
    nodes = np.flatnonzero(inside).astype(np.int32)
    new = np.cumsum(inside) - 1
    above = parent[nodes]
    return twigs, nodes, np.where(above < 0, -1, new[above]).astype(np.int32)


def _finish(
    arrays: dict[str, NDArray],
    inside: IntArray,
    nodes: IntArray,
    place: IntArray,
    twigs: Twigs,
    g_axial: FloatArray,
    n_step: int,
    n_inner: int,
) -> ShapeLayout:
    """Add the twigs behind the tree, and what goes with every place."""
    width = twigs.rank_width
    start = np.cumsum(width) - width
    outward = [twigs.node[s : s + w].T.ravel() for s, w in zip(start, width, strict=True)]
    order = np.concatenate([inside[nodes], *outward]).astype(np.int32)
    new = np.full(len(order), -1)
    new[inside] = np.arange(len(inside))
    arrays |= {
        "axial": g_axial[order],
        "host": place[new[twigs.host]],
        "twig_count": twigs.count,
        "rank_start": len(inside) + twigs.length * start,
        "rank_width": width,
    }
    filled = {
        name: arrays.get(name, np.zeros((0, WIDTHS.get(name, 1)), np.int32))
        for names in GROUPS.values()
        for name in names
    }
    g_twig = g_axial[twigs.node]
    alike = bool(len(g_twig)) and bool((g_twig == g_twig[0]).all())
    return ShapeLayout(order, len(inside), n_step, n_inner, filled, alike)


def _gather_lists(parent: IntArray, order: IntArray) -> tuple[IntArray, IntArray]:
    """By place: links to the highest child, and to the parent's next lower child; -1: none."""
    place = _inverse(order)
    inner = np.flatnonzero(parent >= 0)
    inner = inner[np.lexsort((-inner, parent[inner]))]
    first, sibling = _links(parent[inner], place[inner], len(parent))
    child = np.full(len(parent), -1, np.int32)
    child[place[parent[inner[first >= 0]]]] = first[first >= 0]
    return child, sibling


def _inverse(order: IntArray) -> IntArray:
    place = np.empty(len(order), np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    return place


def join_shapes(layouts: list[ShapeLayout]) -> dict[str, NDArray]:
    """All shapes' arrays one after another, and ``shapes`` (n_shape, 9), where each begins."""
    table = np.zeros((len(layouts), len(COLUMNS)), np.int32)
    table[:, :4] = [layout.sizes for layout in layouts]
    whole: dict[str, NDArray] = {}
    for column, (group, names) in enumerate(GROUPS.items(), start=4):
        length = np.array([max(len(layout.arrays[n]) for n in names) for layout in layouts])
        if group == "node":
            length = -(-length // ALIGN) * ALIGN  # a shape's conductances begin at a line
        table[:, column] = np.cumsum(length) - length
        for name in names:
            shape = (max(1, int(length.sum())), WIDTHS.get(name, 1))
            whole[name] = np.zeros(shape, np.float64 if name == "axial" else np.int32)
            for layout, begin in zip(layouts, table[:, column], strict=True):
                values = layout.arrays[name]
                whole[name][begin : begin + len(values)] = values.reshape(-1, shape[1])
    return {"shapes": table.ravel(), **{name: values.ravel() for name, values in whole.items()}}
