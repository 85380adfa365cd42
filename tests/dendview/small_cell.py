"""A cell small enough to count by hand: soma, a forked dendrite and an axon."""

import numpy as np

from dendview.controllers.cells import make_cell
from dendview.state import AppState, Cell
from engine.experiment import Experiment, Insertion
from engine.morphology.model import Morphology


def small_morphology() -> Morphology:
    """Seven points: a soma of one point, a trunk with two twigs of 200 µm, an axon of 300 µm."""
    rows = [
        # x, y, z, radius, parent, tag
        (0, 0, 0, 10, -1, 1),
        (0, 12, 0, 1.5, 0, 4),
        (0, 150, 0, 1.2, 1, 4),
        (150, 300, 0, 0.8, 2, 4),
        (-150, 300, 0, 0.8, 2, 4),
        (0, -12, 0, 0.6, 0, 2),
        (0, -300, 0, 0.5, 5, 2),
    ]
    table = np.array(rows, float)
    return Morphology(
        xyz=table[:, :3],
        radius=table[:, 3],
        parent=table[:, 4].astype(np.int32),
        tag=table[:, 5].astype(np.int32),
        line=np.arange(1, len(rows) + 1, dtype=np.int32),
        name="small",
    )


def small_experiment(**fields: object) -> Experiment:
    base = Experiment(
        "small.swc", insertions=(Insertion("hh", "soma"), Insertion("pas", "dendrite"))
    )
    from dataclasses import replace

    return replace(base, **fields)  # type: ignore[arg-type]


def small_cell(experiment: Experiment | None = None) -> Cell:
    return make_cell("small.swc", small_morphology(), experiment or small_experiment())


def small_state(**fields: object) -> AppState:
    """A state with the cell open; ``fields`` change its experiment."""
    experiment = small_experiment(**fields)
    return AppState(cell=small_cell(experiment), experiment=experiment)
