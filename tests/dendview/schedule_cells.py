"""Cells for the schedule views: a sample, and the paper's toy tree in a shape of no meaning."""

from dataclasses import replace

import numpy as np

from dendview.controllers.cells import make_cell
from dendview.state import Cell
from engine.experiment import Experiment
from engine.morphology.reading import read_morphology
from engine.morphology.samples import sample_path
from engine.types import IntArray

TOY = np.array([-1, 0, 0, 0, 0, 0, 5, 6, 6, 7, 7, 8, 11, 8, 13], np.int32)
"""Fig. 2d of Zhang et al. 2023."""


def sample_cell(name: str) -> Cell:
    source = f"sample:{name}"
    return make_cell(source, read_morphology(sample_path(name)), Experiment(morphology=source))


def cell_with_tree(cell: Cell, parent: IntArray) -> Cell:
    """The cell with another tree, whose node i is segment i of its first section."""
    tree, n = cell.trees["neuron"], len(parent)
    index = np.arange(n, dtype=np.int32)
    sizes = {
        name: np.resize(getattr(tree, name), (n, *getattr(tree, name).shape[1:]))
        for name in ("length", "diameter", "area", "g_axial", "center")
    }
    other = replace(
        tree,
        parent=parent,
        segment=index,
        node_of_segment=index,
        section=np.zeros(n, np.int32),
        x=(index + 0.5) / n,
        **sizes,
    )
    return replace(cell, trees={"neuron": other, "merged": other}, distance=np.zeros(n))
