"""What a constant matrix leaves behind when it is eliminated once, for all cells of a shape."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.backends.gpu.variants.layout import COLUMNS, ShapeLayout
from engine.backends.gpu.variants.serial import factor_rounds, factors, take_twigs
from engine.backends.gpu.variants.systems import Shape

BY_PLACE = ("kept_inverse", "kept_factor", "kept_edge", "kept_down")
KEPT = (*BY_PLACE, "kept_gain")
"""As the kernels name them; the last by receiver."""


def keep_factors(
    shapes: Sequence[Shape], layouts: Sequence[ShapeLayout], tables: dict[str, NDArray]
) -> dict[str, NDArray]:
    """The factors of all shapes, laid out as the other arrays of places and receivers."""
    begin = tables["shapes"].reshape(-1, len(COLUMNS))
    kept = {name: np.zeros(len(tables["axial"])) for name in BY_PLACE}
    kept["kept_gain"] = np.zeros(max(1, len(tables["receiver"]) // 4))
    for shape, layout, at in zip(shapes, layouts, begin, strict=True):
        first, receivers = at[COLUMNS.index("node")], at[COLUMNS.index("receiver")]
        factor, inverse = (
            x[layout.order] for x in factors(shape.parent, shape.g_axial, shape.diag)
        )
        places = slice(first, first + shape.n_comp)
        found = {"kept_inverse": inverse, "kept_factor": factor}
        if len(layout.arrays["round"]):
            more, gain = _of_rounds(shape, layout, factor, inverse)
            found |= more
            kept["kept_gain"][receivers : receivers + len(gain)] = gain
        for name, values in found.items():
            kept[name][places] = values
    return kept


def _of_rounds(
    shape: Shape, layout: ShapeLayout, factor: NDArray, inverse: NDArray
) -> tuple[dict[str, NDArray], NDArray]:
    """By place, and by receiver; twigs, which are eliminated first, keep what they have."""
    x, diag, edge = layout.arrays, shape.diag[layout.order], shape.g_axial[layout.order]
    take_twigs(x["host"], x["twig_count"], x["rank_start"], edge, factor, diag)
    down, gain = np.zeros_like(diag), np.zeros(len(x["receiver"]))
    lists = x["round"], x["ends"], x["receiver"], x["sibling"]
    factor_rounds(*lists, layout.n_node, diag, edge, inverse, factor, down, gain)
    named = {"kept_inverse": inverse, "kept_factor": factor, "kept_edge": edge, "kept_down": down}
    return named, gain
