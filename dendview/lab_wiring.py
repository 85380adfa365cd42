"""Which gestures of the spike lab call which controller."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtWidgets import QFileDialog

from dendview.lab import LabPreview
from dendview.runs import shown_study
from dendview.state import Message
from dendview.widgets.background import Background
from dendview.wording import number
from engine.errors import UserError
from engine.experiments.spike_study import Trial

if TYPE_CHECKING:
    from dendview.main_window import MainWindow

USUAL_CELL = "sample:human_l23"


def wire_lab(window: MainWindow) -> None:
    """Cards, curves, trials and spines."""
    docks, lab, state = window.docks, window.controllers.spike_lab, window.state
    plan = window.controllers.spike_plan
    panel, actions = docks.lab, window.actions_table
    panel.preset_chosen.connect(plan.choose)
    panel.conditions_chosen.connect(plan.set_conditions)
    panel.trials_chosen.connect(lambda n: plan.edit(n_trials=n))
    panel.seed_chosen.connect(lambda n: plan.edit(seed=n))
    panel.reshuffle_clicked.connect(actions["reshuffle"].trigger)
    panel.trial_chosen.connect(partial(look_at, window))
    panel.run_clicked.connect(partial(run_study, window))
    panel.cancel_clicked.connect(actions["cancel"].trigger)
    panel.resume_clicked.connect(lambda: lab.resume())
    docks.lab_curves.point_clicked.connect(lab.choose_point)
    docks.lab_curves.deviation_chosen.connect(lambda on: setattr(state, "lab_deviation", on))
    docks.lab_curves.published_chosen.connect(lambda on: setattr(state, "lab_published", on))
    docks.lab_trials.trial_clicked.connect(lab.choose_trial)
    docks.lab_trials.replay_clicked.connect(partial(replay, window))
    docks.lab_spines.spines_chosen.connect(lambda values: plan.set_spines(**values))
    docks.lab_spines.effect_wanted.connect(window.controllers.spine_effect.measure)
    events = state.events
    for event in (
        events.lab_study, events.lab_trial, events.lab_point, events.lab_shown, events.perspective
    ):  # fmt: skip
        event.connect(partial(preview, window))


def preview(window: MainWindow, *_: object) -> None:
    """Find where the synapses of the chosen trial sit, while the window lives on."""
    controller = window.controllers.spike_plan
    if window.state.perspective != "spike_lab" or (work := controller.preview_wanted()) is None:
        return

    def show(found: LabPreview) -> None:
        controller.show_preview(found)

    def tell(error: Exception) -> None:
        if not isinstance(error, UserError):
            raise error
        window.state.message = Message(str(error), "error")

    task = Background(window)
    task.done.connect(show)
    task.failed.connect(tell)
    for over in (task.done, task.failed):
        over.connect(task.deleteLater)
    task.start(work)


def look_at(window: MainWindow, trial: Trial) -> None:
    """Preview a trial: places are seen best on the cell in the colors of its types."""
    if window.state.color_by == "voltage":
        window.state.color_by = "type"
    window.controllers.spike_plan.look_at(trial)


def choose_card(window: MainWindow, name: str) -> None:
    """Go to the lab with a study; where no cell is open, on the human one of the samples."""
    window.controllers.spike_plan.first = name
    if window.state.cell is None:
        window.open_source(USUAL_CELL, "spike_lab")
        return
    window.state.perspective = "spike_lab"
    window.controllers.spike_plan.choose(name)


def run_study(window: MainWindow) -> None:
    """Go to the lab, and run what is planned there."""
    window.state.perspective = "spike_lab"
    window.controllers.spike_lab.start()


def replay(window: MainWindow, trial: Trial | None = None) -> None:
    """Run a trial again, and show its traces."""
    trial = trial or window.state.lab_trial
    if trial is not None and window.controllers.spike_lab.replay(trial):
        dock = window.docks.by_name["traces"]
        dock.show()
        dock.raise_()


def toggle(window: MainWindow, field: str) -> None:
    """Switch a field of the state on or off."""
    setattr(window.state, field, not getattr(window.state, field))


def open_study(window: MainWindow) -> None:
    """Ask for the folder of a study and open it."""
    lab = window.controllers.spike_lab
    folder = QFileDialog.getExistingDirectory(window, "Open a study", str(lab.home()))
    if not folder:
        return
    window.state.perspective = "spike_lab"
    try:
        lab.open_folder(Path(folder))
    except UserError as error:
        window.state.message = Message(str(error), "error")


def resume_text(window: MainWindow) -> str:
    """``Resume 412/1 150``."""
    run = shown_study(window.state)
    return "Resume" if run is None else f"Resume {number(run.n_done)}/{number(run.study.n_total)}"


def resume_study(window: MainWindow) -> None:
    """Go to the lab, and go on with the shown study; an engine that has ended is started again."""
    window.state.perspective = "spike_lab"
    window.controllers.spike_lab.resume()
