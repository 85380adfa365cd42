"""The cell's equations in the order in which a device eliminates them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.backends.gpu.arena import Arena, Listing, listing
from engine.backends.gpu.shape import Shape
from engine.backends.gpu.variants.layout import lay_contraction
from engine.compartments import CompartmentTree
from engine.linear import leak
from engine.model import Model
from engine.schedule import make_schedule
from engine.types import FloatArray, IntArray
from engine.units import NA_PER_MA_CM2_UM2


@dataclass(frozen=True, eq=False)
class Order:
    """Where the nodes of the tree are stored: step by step of a schedule, or round by round of a
    contraction, the roots last.

    Steps follow each other without gaps. To begin each of them at a sector of memory (32 bytes,
    four doubles) would save a step of w nodes 0.375 of its (w + 3) / 4 sectors on average: with 32
    threads 1 % for the sample cells (8 % for the SPN), which the step before has just brought into
    the cache, and nothing in shared memory. It would add 1.5 places a step to all that goes over
    every node (currents, gates, equations, voltages): 1 % (Purkinje) to 22 % (L5b).

    Attributes
    ----------
    node : (n_node,) int32
        The tree's node at each place.
    place : (n_comp,) int32
    start : (n_step + 1,) int32
        Places that each step or round eliminates.
    above : (n_node,) int32
        Place of the parent, -1 at roots.
    child, sibling : (n_node,) int32
        Links as :file:`cuda/solve.cuh` follows them: to the child with the highest index of the
        tree, and to the parent's next child downwards.
    rounds
        Of a contraction, by their names in :file:`cuda/contract.cuh`; empty for a schedule.
    n_inner
        Nodes that a contraction takes out of cables.
    """

    node: IntArray
    place: IntArray
    start: IntArray
    above: IntArray
    child: IntArray
    sibling: IntArray
    rounds: dict[str, NDArray[Any]]
    n_inner: int = 0

    @property
    def n_node(self) -> int:
        return len(self.node)

    @property
    def n_step(self) -> int:
        return len(self.start) - 1


def order_of(tree: CompartmentTree, shape: Shape) -> Order:
    """Storage in the order of processing, so that threads of a step read neighbors."""
    if shape.solve == "contract":
        laid = lay_contraction(tree.parent, tree.g_axial, shape.lanes)
        rounds = {name: laid.arrays[name] for name in ("round", "ends", "receiver", "sibling")}
        start = rounds["round"][:, 0]
        return _stored(tree.parent, laid.order, start, rounds, laid.n_inner)
    schedule = make_schedule(tree, "dhs", shape.lanes)
    root = np.flatnonzero(tree.parent < 0)
    node = np.concatenate([schedule.node, root]).astype(np.int32)
    return _stored(tree.parent, node, schedule.step_start, {})


def _stored(
    parent: IntArray,
    node: IntArray,
    start: IntArray,
    rounds: dict[str, NDArray[Any]],
    n_inner: int = 0,
) -> Order:
    """Nodes in their order, and how they find each other there."""
    place = np.empty(len(parent), np.int32)
    place[node] = np.arange(len(node), dtype=np.int32)
    up = parent[node]
    child, sibling = np.full((2, len(node)), -1, np.int32)
    for i in np.flatnonzero(parent >= 0):  # ascending: the last one found is the first child
        p, at = place[parent[i]], place[i]
        sibling[at] = child[p]
        child[p] = 2 * at + (child[p] >= 0)
    return Order(
        node=node,
        place=place,
        start=start,
        above=np.where(up < 0, -1, place[up]).astype(np.int32),
        child=child,
        sibling=sibling,
        rounds=rounds,
        n_inner=n_inner,
    )


def tree_diagonal(model: Model) -> FloatArray:
    """(n_comp,) µS: what stands on the diagonal but for mechanisms, twigs and clamps."""
    tree = model.tree
    _, g = leak(model.placed, model.n_comp, model.experiment.celsius)
    diagonal = model.capacitance / model.experiment.dt + tree.g_axial
    diagonal += g * (tree.area * NA_PER_MA_CM2_UM2)
    inner = np.flatnonzero(tree.parent >= 0)
    np.add.at(diagonal, tree.parent[inner], tree.g_axial[inner])
    return diagonal


def fill_tree(model: Model, order: Order, common: Arena, table: Arena) -> None:
    """What never changes in the tree's equations."""
    tree = model.tree
    area = tree.area * NA_PER_MA_CM2_UM2
    i, g = leak(model.placed, model.n_comp, model.experiment.celsius)
    columns: dict[str, FloatArray] = {
        "_a": tree.g_axial, "_diagonal": tree_diagonal(model), "_area": area,
        "_leak_i": i * area, "_leak_g": g * area,
        "_rate": model.capacitance / model.experiment.dt,
    }  # fmt: skip
    for name, values in columns.items():
        common.add(name, values[order.node])
    table.add("_start", order.start)
    table.add("_child", order.child)
    table.add("_sibling", order.sibling)
    table.add("_above", order.above)
    table.add("_place", order.place)
    for name, values in order.rounds.items():
        table.add(f"_{name}" if name != "sibling" else "_after", values.reshape(-1))


class Nodes:
    """Places of the nodes of every instance, those of its twigs among them.

    Parameters
    ----------
    model : Model
    order : Order
    n_row
        Instances, or 1 where none differs from another.
    """

    def __init__(self, model: Model, order: Order, n_row: int) -> None:
        self._order, self._n_comp = order, model.n_comp
        self.n_node = order.n_node
        self.twigs: Listing | None = None
        self.n_twig = 0
        twigs = model.twigs
        if twigs is not None and twigs.n_twig:
            bearer = order.place[twigs.parent]
            self.twigs = listing(twigs.instance, n_row, twigs.n_twig, (bearer,))
            self.n_twig = self.twigs.width
            self._column = self.twigs.columns(twigs.n_twig)

    @property
    def n_all(self) -> int:
        return self.n_node + 3 * self.n_twig

    def place(self, node: IntArray) -> IntArray:
        """Places of nodes by their numbers in the model."""
        node = np.asarray(node, np.int64)
        out = np.zeros(node.shape, np.int64)
        on_tree = node < self._n_comp
        out[on_tree] = self._order.place[node[on_tree]]
        if not on_tree.all():
            twig, part = np.divmod(node[~on_tree] - self._n_comp, 3)
            out[~on_tree] = self.n_node + part * self.n_twig + self._column[twig]
        return out.astype(np.int32)


def fill_twigs(model: Model, nodes: Nodes, common: Arena, given: Arena, where: Arena) -> None:
    """Spines: what hangs where, and the nodes that bear them."""
    twigs, listed = model.twigs, nodes.twigs
    if twigs is None or listed is None:
        return
    common.add("_kinds", np.ascontiguousarray(twigs.kinds.T).reshape(-1))
    parent = nodes.place(twigs.parent)
    where.add("_n_twigs", listed.count[:, None])
    where.add("_twig_parent", listed.table(parent, np.int32))
    where.add("_twig_end", listed.table(twigs.has_end, np.int32))
    where.add("_twig_kind", listed.table(twigs.kind, np.int32))
    given.add("_twig_many", listed.table(twigs.multiplicity))
    bearers: list[IntArray] = []
    starts: list[IntArray] = []
    for first, count in zip(listed.starts, listed.count, strict=True):
        here = parent[listed.order[first : first + count]]
        at, start = np.unique(here, return_index=True)
        bearers.append(at)
        starts.append(np.append(start, count).astype(np.int32))
    most = max(len(b) for b in bearers)
    where.add("_n_bearer", np.array([[len(b)] for b in bearers], np.int32))
    where.add("_bearer", np.stack([np.pad(b, (0, most - len(b))) for b in bearers]))
    where.add("_bearer_start", np.stack([np.pad(s, (0, most + 1 - len(s))) for s in starts]))
