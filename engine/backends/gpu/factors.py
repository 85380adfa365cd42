"""What the equations of a linear membrane leave behind when they are eliminated once."""

import numpy as np

from engine.backends.gpu.arena import Arena
from engine.backends.gpu.system import Nodes, Order, tree_diagonal
from engine.backends.gpu.variants.serial import factor_rounds, factors
from engine.model import Model
from engine.twigs import Twigs
from engine.types import FloatArray


def fill_factors(model: Model, order: Order, nodes: Nodes, common: Arena, given: Arena) -> None:
    """Factors by place: in ``common``, or in ``given`` where a cell has spines, which another
    instance may have elsewhere.
    """
    diagonal, twigs, listed = tree_diagonal(model), model.twigs, nodes.twigs
    if twigs is None or listed is None:
        for name, values in _factored(model, order, diagonal).items():
            common.add(name, values)
        return
    over = over_diagonals(twigs, model.experiment.dt)
    common.add("_over", np.ascontiguousarray(over.T).reshape(-1))
    g = twigs.column("g_neck")
    share = twigs.multiplicity * (g - g * g * over[twigs.kind, np.where(twigs.has_end, 2, 4)])
    found: dict[str, list[FloatArray]] = {}
    for first, count in zip(listed.starts, listed.count, strict=True):
        here, whole = listed.order[first : first + count], diagonal.copy()
        np.add.at(whole, twigs.parent[here], share[here])
        for name, values in _factored(model, order, whole).items():
            found.setdefault(name, []).append(values)
    for name, rows in found.items():
        given.add(name, np.stack(rows))


def over_diagonals(twigs: Twigs, dt: float) -> FloatArray:
    """(n_kind, 5): 1 over the diagonals of a twig's nodes as they are eliminated from its tip: of
    the end; of head and neck where there is one; of head and neck where there is none.
    """
    names = ("g_neck", "g_head", "g_end", "c_neck", "c_head", "leak_g_neck", "leak_g_head")
    g_neck, g_head, g_end, c_neck, c_head, leak_neck, leak_head = (twigs.by_name[n] for n in names)
    with np.errstate(divide="ignore"):  # kinds without an end
        over_end = 1.0 / g_end
    found = [over_end]
    for end in (g_end - g_end * g_end * over_end, 0.0):
        over_head = 1.0 / (c_head / dt + leak_head + g_head + end)
        neck = c_neck / dt + leak_neck + g_neck + g_head
        found += [over_head, 1.0 / (neck - g_head * g_head * over_head)]
    return np.stack(found, axis=1)


def _factored(model: Model, order: Order, diagonal: FloatArray) -> dict[str, FloatArray]:
    """By the names in the kernel's text."""
    tree = model.tree
    if not order.rounds:
        factor, inverse = factors(tree.parent, tree.g_axial, diagonal)
        return {"_inverse": inverse[order.node], "_factor": factor[order.node]}
    x, n = order.rounds, order.n_node
    edge, inverse, factor, down = tree.g_axial[order.node], *np.zeros((3, n))
    gain = np.zeros(len(x["receiver"]))
    lists = x["round"], x["ends"], x["receiver"], x["sibling"]
    factor_rounds(*lists, n, diagonal[order.node], edge, inverse, factor, down, gain)
    named = {"_inverse": inverse, "_factor": factor, "_kept_edge": edge, "_kept_down": down}
    return named | {"_gain": gain}
