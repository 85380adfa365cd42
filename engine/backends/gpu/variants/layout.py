"""Where our kernels find a shape's nodes and neighbors; arrays are as the kernels declare them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.backends.gpu.variants.contraction import contract
from engine.backends.gpu.variants.twigs import Twigs, find_twigs
from engine.schedule import make_schedule
from engine.types import FloatArray, IntArray, ScheduleMethod

ALIGN = 16
"""Doubles: cells begin at lines of 128 bytes."""
COLUMNS = (
    "n_node", "n_step", "n_host", "n_inner", "node", "step", "host", "rank", "receiver", "item",
)  # fmt: skip
"""Of ``struct Shape``: sizes, then where the shape begins in the arrays of all shapes."""
GROUPS = {
    "node": ("child", "sibling", "above", "below", "axial"),
    "step": ("step_start", "inner_start", "slot_start", "receiver_start"),
    "host": ("host", "twig_count"),
    "rank": ("rank_start", "rank_width"),
    "receiver": ("receiver", "item_start", "from_above", "from_slot"),
    "item": ("item",),
}
"""Arrays that are indexed alike; in a shape they are equally long."""


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
    """

    order: IntArray
    n_node: int
    n_step: int
    n_inner: int
    arrays: dict[str, NDArray]

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        return self.n_node, self.n_step, len(self.arrays["host"]), self.n_inner


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
    end = c.round_start[1:]
    n_inner = end - c.inner_start
    arrays = {
        "above": np.where(c.above[nodes] < 0, -1, place[c.above[nodes]]).astype(np.int32),
        "below": np.where(c.below[nodes] < 0, -1, place[c.below[nodes]]).astype(np.int32),
        "step_start": c.round_start,
        "inner_start": _extend(c.inner_start),
        "slot_start": _extend(np.cumsum(n_inner) - n_inner),
    }
    slot = np.full(len(tree), -1, np.int32)
    taken_inner = c.node[c.below[c.node] >= 0]
    slot[taken_inner] = np.arange(taken_inner.size)
    arrays |= _receivers(c.node, c.round_start, c.above, c.below, place, slot)
    return _finish(arrays, inside, nodes, place, twigs, g_axial, c.n_round, int(n_inner.sum()))


def _receivers(
    node: IntArray,
    round_start: IntArray,
    above: IntArray,
    below: IntArray,
    place: IntArray,
    slot: IntArray,
) -> dict[str, NDArray]:
    """For every round, the places that get something, from which nodes below and which above."""
    n, n_round = len(above), len(round_start) - 1
    in_round = np.repeat(np.arange(n_round), np.diff(round_start)).astype(np.int64)
    up_key = in_round * n + above[node]
    has_below = below[node] >= 0
    down_key = in_round[has_below] * n + below[node[has_below]]
    key = np.unique(np.concatenate([up_key, down_key]))
    by_receiver = np.lexsort((-node, up_key))
    from_above = np.full(len(key), -1, np.int32)
    from_slot = np.full(len(key), -1, np.int32)
    at = np.searchsorted(key, down_key)
    from_above[at] = place[node[has_below]]
    from_slot[at] = slot[node[has_below]]
    return {
        "receiver": _extend(place[key % n]),
        "item_start": np.searchsorted(up_key[by_receiver], np.append(key, n * n_round)),
        "item": place[node[by_receiver]],
        "from_above": _extend(from_above),
        "from_slot": _extend(from_slot),
        "receiver_start": np.searchsorted(key, n * np.arange(n_round + 1)),
    }


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
        name: arrays.get(name, np.zeros(0, np.int32)) for names in GROUPS.values() for name in names
    }
    return ShapeLayout(order, len(inside), n_step, n_inner, filled)


def _gather_lists(parent: IntArray, order: IntArray) -> tuple[IntArray, IntArray]:
    """By place: the place of the highest child, and of the parent's next lower child; -1: none."""
    place = _inverse(order)
    inner = np.flatnonzero(parent >= 0)
    inner = inner[np.lexsort((-inner, parent[inner]))]
    child, sibling = np.full((2, len(parent)), -1, np.int32)
    if inner.size:
        first = np.append(True, parent[inner[1:]] != parent[inner[:-1]])
        child[place[parent[inner[first]]]] = place[inner[first]]
        later = np.flatnonzero(~first)
        sibling[place[inner[later - 1]]] = place[inner[later]]
    return child, sibling


def _inverse(order: IntArray) -> IntArray:
    place = np.empty(len(order), np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    return place


def _extend(values: NDArray) -> NDArray:
    """One more entry, so that arrays used side by side are equally long."""
    return np.append(values, 0)


def join_shapes(layouts: list[ShapeLayout]) -> dict[str, NDArray]:
    """All shapes' arrays one after another, and ``shapes`` (n_shape, 10), where each begins."""
    table = np.zeros((len(layouts), len(COLUMNS)), np.int32)
    joined: dict[str, list[NDArray]] = {name: [] for names in GROUPS.values() for name in names}
    table[:, :4] = [layout.sizes for layout in layouts]
    for column, (_, names) in enumerate(GROUPS.items(), start=4):
        length = [max(len(layout.arrays[n]) for n in names) for layout in layouts]
        table[:, column] = np.cumsum(length) - length
        for layout, size in zip(layouts, length, strict=True):
            for name in names:
                values = layout.arrays[name]
                joined[name].append(np.concatenate([values, np.zeros(size - len(values))]))
    whole = {
        name: np.concatenate(parts).astype(np.float64 if name == "axial" else np.int32)
        for name, parts in joined.items()
    }
    filled = {k: v if v.size else np.zeros(1, v.dtype) for k, v in whole.items()}
    return {"shapes": table.ravel(), **filled}
