"""A small training of the digits on disk, as the window keeps it."""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp

from dendview.controllers.cells import make_cell
from dendview.state import AppState, Cell
from dendview.training import TrainingChoice, TrainingRun
from dendview.training_finding import find
from dendview.training_findings import wanted
from engine.discretize import Rule
from engine.experiments.hpc_net import HpcNet, Learning, Shortcut, Training, hidden_cell, load
from engine.experiments.hpc_net.training import prepare
from engine.exporting.training_run import Folder, kept_epochs, kept_run
from engine.morphology.reading import read_morphology
from engine.morphology.samples import resolve

N_HIDDEN = 6


@lru_cache(maxsize=1)
def trained() -> TrainingRun:
    """Two epochs of the digits with six hidden neurons; wrong on many images."""
    cell = replace(hidden_cell("sample:spn", axon="keep"), rule=Rule("fixed", 1))
    network = HpcNet(cell=cell, n_hidden=N_HIDDEN)
    learning = Learning(rate=0.05, epochs=2, shuffle=True)
    training, folder = Training(network, learning), Path(mkdtemp(prefix="training"))
    data = load("digits")
    *_, last = kept_run(
        Shortcut(prepare(training, data), threads=1), data, Folder(folder, training)
    )
    state = last.progress.state
    return TrainingRun(
        1, training, str(folder), state.points, state.epochs, state="done",
        kept=kept_epochs(folder),
    )  # fmt: skip


@lru_cache(maxsize=2)
def cell_of(source: str = "sample:spn") -> Cell:
    """An open cell, cut as the hidden neuron is."""
    experiment = replace(trained().training.network.cell, morphology=source)
    return make_cell(source, read_morphology(resolve(source)), experiment)


def state_with(choice: TrainingChoice | None = None, **fields) -> AppState:
    """The training is shown, and what is looked at of it is computed."""
    state = AppState(
        cell=cell_of(), training_runs=(trained(),), training_shown=1,
        training_choice=choice or TrainingChoice(), perspective="training", **fields,
    )  # fmt: skip
    state.training_findings = find(wanted(state))
    return state
