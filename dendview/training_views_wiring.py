"""Which gestures of a training's results call which controller."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtWidgets import QFileDialog

from dendview.dialogs.texts import TextDialog
from dendview.state import Message
from dendview.training_findings import Findings, shown_run
from dendview.widgets.background import Background
from engine.errors import UserError
from engine.experiments.robustness import HELP, conclusion

if TYPE_CHECKING:
    from dendview.main_window import MainWindow


def wire_training_views(window: MainWindow) -> None:
    """Answers, responses, voltages and weights."""
    docks, controllers = window.docks, window.controllers
    look, results = controllers.training_look, controllers.training_results
    docks.training_answers.cell_clicked.connect(look.choose_cell)
    docks.training_hidden.neurons_chosen.connect(look.choose_neurons)
    for view in (docks.training_answers, docks.training_hidden, docks.training_voltage):
        view.sample_clicked.connect(look.choose_sample)
    for other in (docks.training_hidden, docks.training_voltage):
        other.mean_chosen.connect(results.choose_mean)
    weights = docks.training_weights
    weights.on_cell_chosen.connect(results.color_cell)
    weights.kind_chosen.connect(results.choose_weights)
    weights.neurons_chosen.connect(look.choose_neurons)
    weights.cell_wanted.connect(partial(open_hidden_neuron, window))
    robustness = docks.training_robustness
    robustness.run_clicked.connect(controllers.robustness.start)
    robustness.cancel_clicked.connect(controllers.robustness.cancel)
    robustness.open_clicked.connect(partial(open_robustness, window))
    robustness.help_clicked.connect(partial(show_robustness_help, window))
    events = window.state.events
    for event in (
        events.training_runs, events.training_shown, events.training_choice,
        events.training_mean, events.perspective, events.color_by,
    ):  # fmt: skip
        event.connect(partial(compute, window))


def compute(window: MainWindow, *_: object) -> None:
    """Compute what is looked at while the window lives on; then what is looked at by then."""
    results = window.controllers.training_results
    if (work := results.work_wanted()) is None:
        return

    def show(found: Findings | tuple[int, ...]) -> None:
        results.show(found)
        compute(window)

    def tell(error: Exception) -> None:
        if not isinstance(error, UserError):
            results.refuse(UserError(f"the results could not be computed ({error})"))
            raise error  # a defect of ours: the excepthook tells it with its traceback
        results.refuse(error)
        compute(window)

    task = Background(window)
    task.done.connect(show)
    task.failed.connect(tell)
    for over in (task.done, task.failed):
        over.connect(task.deleteLater)
    task.start(work)


def open_hidden_neuron(window: MainWindow) -> None:
    """Open the morphology of the shown training's hidden neuron."""
    if (run := shown_run(window.state)) is not None:
        window.open_source(run.training.network.cell.morphology, "training")


def examine(window: MainWindow) -> None:
    """Go to the robustness of the shown training, and examine it on so many images as chosen."""
    window.state.perspective = "training"
    view, dock = window.docks.training_robustness, window.docks.by_name["training_robustness"]
    dock.show()
    dock.raise_()
    window.controllers.robustness.start(view.n_chosen)


def open_robustness(window: MainWindow) -> None:
    """Ask for the result of a study and show it."""
    path, _ = QFileDialog.getOpenFileName(
        window, "Open a robustness study", window.folder, "Robustness studies (*.json)"
    )
    if not path:
        return
    window.state.perspective = "training"
    dock = window.docks.by_name["training_robustness"]
    dock.show()
    dock.raise_()
    try:
        window.controllers.robustness.open_file(Path(path))
    except UserError as error:
        window.state.message = Message(str(error), "error")


def show_robustness_help(window: MainWindow) -> None:
    """What is compared, and what the numbers say."""
    result = window.state.robustness
    said = conclusion(result) if result is not None else ""
    text = HELP if not said else f"{HELP}\nWhat these numbers say\n\n{said}\n"
    lead = "Right answers to disturbed images: what is compared, and with what."
    window.show_sheet(TextDialog("Robustness", lead, text, window))
