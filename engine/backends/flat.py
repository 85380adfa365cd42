"""Where everything of a run lies in flat arrays: nodes of the tree, then nodes of twigs.

Node n of the tree in instance j is at ``place[n] * n_instance + j``. What sits on single nodes (a
point, a clamp) is listed once for every instance it is in, each entry with a place of its own, so
instances may have other ones. A spare row, to which nothing real belongs, follows the tree.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.backends.base import VOLTAGE_LIMIT
from engine.backends.layout import Layout
from engine.backends.twigs import active_numbers, silent_numbers
from engine.mechanisms.lanes import WIDTH
from engine.mechanisms.sleep import sleeps
from engine.model import Model
from engine.placing import Placed
from engine.twigs import N_PART, Twigs
from engine.types import FloatArray, IntArray

Places = NDArray[np.int64]
TWIG_TABLES = (
    "silent_group", "silent_numbers", "silent_host", "silent_count",
    "active_group", "active_numbers", "active_host",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Entries:
    """What sits on single nodes, once for every instance it is in.

    ``item`` (n,) says which of the model's list each is, ``lane`` (n,) its instance.
    """

    item: Places
    lane: Places

    def take(self, order: Places) -> "Entries":
        return Entries(self.item[order], self.lane[order])


@dataclass(frozen=True, eq=False)
class Points:
    """The points of a mechanism in the order in which they are computed.

    Those that sleep until their first event stand in the order of these, behind ``n_awake`` others:
    so the ones that are awake are always the first ones. Points on one node of an instance keep
    their order whatever other instances there are.
    """

    entries: Entries
    n_awake: int


def expand(instance: IntArray | None, n: int, n_instance: int) -> Entries:
    """A list of ``n`` things, each in its instance, or in every one where that is None."""
    if instance is not None:
        return Entries(np.arange(n), instance.astype(np.int64))
    return Entries(np.repeat(np.arange(n), n_instance), np.tile(np.arange(n_instance), n))


def round_up(n: int) -> int:
    return -(-n // WIDTH) * WIDTH


class Flat:
    """Places of one run.

    Attributes
    ----------
    spare : int
        Eight places of which nothing is read.
    size : int
        Of an array over all nodes.
    arrays : dict
        Tables of the twigs by their names in the step loop.
    """

    def __init__(self, model: Model, layout: Layout) -> None:
        self.model, self.layout = model, layout
        self.n_instance = model.n_instance
        self.spare = round_up(model.n_comp * self.n_instance)
        self.size = self.spare + WIDTH
        self._twig_place = np.empty((N_PART, 0), np.int64)
        self.arrays: dict[str, Any] = {}
        if model.twigs is not None:
            self._lay_out_twigs(model.twigs)

    def places(self, node: IntArray, lane: Places) -> Places:
        """(n,) where nodes of instances are."""
        node = node.astype(np.int64)
        twig, part = np.divmod(node - self.model.n_comp, N_PART)
        own = self.layout.place[np.minimum(node, self.model.n_comp - 1)] * self.n_instance + lane
        if not self._twig_place.size:
            return own
        other = self._twig_place[part, np.maximum(twig, 0) * self.n_instance + lane]
        return np.where(node < self.model.n_comp, own, other)

    def nodes_of(self, node: IntArray, instance: IntArray | None) -> tuple[Places, Entries]:
        """Places of a list of things, and which each is."""
        entries = expand(instance, len(node), self.n_instance)
        return self.places(node[entries.item], entries.lane), entries

    def points(self, placed: Placed) -> Points:
        """The points of a mechanism, see :class:`Points`."""
        entries = expand(placed.instance, len(placed.node), self.n_instance)
        first = first_events(placed)[entries.item]
        if not sleeps(placed.mechanism):
            first[:] = -np.inf
        order = np.lexsort((entries.lane, placed.node[entries.item], first))
        return Points(entries.take(order), int(np.isneginf(first).sum()))

    def bad_twig(self, v: FloatArray) -> tuple[int, int]:
        """The node of the tree and the instance of the first twig with a bad voltage."""
        assert self.model.twigs is not None
        k = self.n_instance
        where = self._twig_place
        bad = (where != self.spare) & ~(np.abs(v[where]) <= VOLTAGE_LIMIT)
        twig, lane = divmod(int(np.flatnonzero(bad.any(axis=0))[0]), k)
        return int(self.model.twigs.parent[twig]), lane

    def _lay_out_twigs(self, twigs: Twigs) -> None:
        """Twigs of one kind together, silent ones and those that anything may be on."""
        k, dt = self.n_instance, self.model.experiment.dt
        entries = expand(twigs.instance, twigs.n_twig, k)
        silent = twigs.spine[entries.item] < 0
        host = self.places(twigs.parent[entries.item], entries.lane)
        kind = twigs.kind[entries.item]
        self._twig_place = np.full((N_PART, twigs.n_twig * k), self.spare, np.int64)
        tables: dict[str, list[Any]] = {"silent": [], "active": []}
        hosts: dict[str, list[Places]] = {"silent": [], "active": []}
        counts: list[FloatArray] = []
        numbers = {
            "silent": silent_numbers(twigs.by_name, dt),
            "active": active_numbers(twigs.by_name, dt),
        }
        for name, among, parts in (("silent", silent, 2), ("active", ~silent, 3)):
            for number in np.unique(kind[among]):
                mine = np.flatnonzero(among & (kind == number))
                at, count = self._rows(entries.take(mine), host[mine], name == "silent")
                start = sum(len(h) for h in hosts[name])
                tables[name].append((start, count, self.size, number))
                every = np.full(count, self.spare, np.int64)
                if name == "silent" and k == WIDTH:  # a row is one of each instance, on one node
                    row = np.zeros(count // WIDTH, np.int64)
                    row[at // WIDTH] = host[mine] - entries.lane[mine]
                    every = np.repeat(row, WIDTH)
                else:
                    every[at] = host[mine]
                hosts[name].append(every)
                if name == "silent":
                    m = np.zeros(count)
                    m[at] = twigs.multiplicity[entries.item[mine]]
                    counts.append(m)
                where = entries.item[mine] * k + entries.lane[mine]
                for part in range(parts):
                    self._twig_place[part, where] = self.size + part * count + at
                self.size += parts * count
        for name, table in tables.items():
            rows = np.array(table, np.int64).reshape(-1, 4)
            empty = np.empty(0, np.int64)
            self.arrays[f"{name}_group"] = np.ascontiguousarray(rows[:, :3])
            self.arrays[f"{name}_numbers"] = np.ascontiguousarray(numbers[name][rows[:, 3]])
            self.arrays[f"{name}_host"] = np.concatenate([empty, *hosts[name]]).astype(np.uint32)
        self.arrays["silent_count"] = np.concatenate([np.empty(0), *counts])

    def _rows(self, entries: Entries, host: Places, silent: bool) -> tuple[Places, int]:
        """Where twigs of one kind lie among each other, and how many places they take.

        Twigs of one instance keep their order. Silent ones of eight instances are in rows, each
        for one parent, where some may be missing.
        """
        if not (silent and self.n_instance == WIDTH):
            return np.arange(len(host)), round_up(len(host))
        node = host - entries.lane
        order = np.lexsort((entries.item, entries.lane, node))
        same = (np.diff(node[order], prepend=-1) == 0) & (
            np.diff(entries.lane[order], prepend=-1) == 0
        )
        begin = np.maximum.accumulate(np.where(same, 0, np.arange(len(order))))
        rank = np.empty(len(order), np.int64)  # among those of one instance on one parent
        rank[order] = np.arange(len(order)) - begin
        _, row = np.unique(np.stack([node, rank]), axis=1, return_inverse=True)
        row = row.reshape(-1)
        return row * WIDTH + entries.lane, (int(row.max(initial=-1)) + 1) * WIDTH


def attached_arrays(model: Model, flat: Flat) -> dict[str, Any]:
    """Clamps, gap junctions and the nodes of points by their names in the step loop."""
    clamp, c = flat.nodes_of(model.clamp_node, model.clamp_instance)
    played, p = flat.nodes_of(model.played_node, model.played_instance)
    hold, h = flat.nodes_of(model.hold_node, model.hold_instance)
    gaps = [flat.nodes_of(node, model.gap_instance) for node in model.gap_node.T]
    gap = gaps[0][1].item
    points = [flat.nodes_of(q.node, q.instance)[0] for q in model.placed if q.is_point]
    size = flat.size if points else 0
    return {
        "clamp_node": clamp,
        "clamp_on": model.clamp_on[c.item],
        "clamp_off": model.clamp_off[c.item],
        "clamp_amplitude": model.clamp_amplitude[c.item],
        "applied": np.zeros(len(clamp)),
        "played_node": played,
        "played_column": p.item,
        "played": model.played,
        "hold_node": hold,
        "hold_until": model.hold_until[h.item],
        "hold_level": model.hold_level[h.item],
        "hold_conductance": model.hold_conductance[h.item],
        "hold_current": np.zeros(len(hold)),
        "gap_node": np.stack([node for node, _ in gaps], axis=1),
        "gap_conductance": model.gap_conductance[gap],
        "gap_current": np.zeros(len(gap)),
        "point_node": np.unique(np.concatenate([np.empty(0, np.int64), *points])),
        "i_point": np.zeros(size),
        "g_point": np.zeros(size),
    }


def first_events(placed: Placed) -> FloatArray:
    """(n,) ms: when the first event can reach each point; never is infinity."""
    first = np.full(len(placed.node), np.inf)
    if (c := placed.connections) is not None:
        np.minimum.at(first, c.point[c.connection], c.time)
        first[c.point[c.detector_connection]] = -np.inf
        first[c.point[c.relay_connection]] = -np.inf
    return first
