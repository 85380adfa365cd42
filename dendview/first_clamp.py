"""How strong a new clamp is: enough to make this cell fire (no Qt)."""

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from dendview.attaching import MOST, RISE
from dendview.membranes import ON_CELL, published_in
from dendview.state import Cell
from engine.errors import UserError
from engine.experiment import Experiment
from engine.resistance import steady_conductance, transfer_resistance
from engine.types import FloatArray

FALLBACK = 0.3
"""nA where the cell's mechanisms cannot be placed."""
FRIENDLY = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


def amplitude_at(experiment: Experiment, cell: Cell, segment: int) -> float:
    """nA of a new clamp at a segment, a round number."""
    tree = cell.trees["neuron"]
    site = experiment.spike_site
    known = site is not None and site.section in tree.section_index
    counted = tree.locate(site.section, site.x) if site is not None and known else None
    if counted is None:
        counted = tree.locate(cell.sections.name[0], 0.5)
    try:
        nothing_on_it: dict[str, Any] = dict.fromkeys(ON_CELL, ())
        conductance = _conductance(replace(experiment, **nothing_on_it), cell)
    except UserError:
        return FALLBACK
    node = int(tree.node_of_segment[segment])
    moved = transfer_resistance(tree, conductance, node)
    info = published_in(experiment)
    rise = info.rise if info is not None else RISE
    needed, most = rise / max(moved[counted], 1e-9), MOST / max(moved[node], 1e-9)
    return friendly(min(needed, most))


@lru_cache(maxsize=2)
def _conductance(experiment: Experiment, cell: Cell) -> FloatArray:
    """At rest; kept while more clamps are put on, which do not change it."""
    return steady_conductance(experiment, cell.trees["neuron"], at_rest=True)


def friendly(value: float) -> float:
    """The next round number from a positive value on: 0.12, 0.15, 0.2 …, 1, 1.2."""
    power = 10.0 ** np.floor(np.log10(value))
    digits = next(d for d in FRIENDLY if d * power >= value * (1 - 1e-9))
    return float(f"{digits * power:.3g}")
