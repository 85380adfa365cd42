"""A message of the state on the window: in the status bar, or over the view with buttons."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from dendview import training_wiring
from dendview.dialogs.texts import TextDialog
from dendview.lab_wiring import resume_study, resume_text
from dendview.runs import Less
from dendview.state import Message

if TYPE_CHECKING:
    from dendview.main_window import MainWindow

LOUD = ("warning", "error")
ACTION_TEXTS = {
    "restart_engine": "Restart engine",
    "halve_dt": "Halve dt",
    "discard_run": "Discard",
    "halve_batch": "Halve the batch",
    "end_training": "End now",
    "use_cpu": "Run on the CPU",
}


KEEP_LESS: dict[Less, str] = {
    "thin": "Record every 4th step",
    "sites": "Only recorded sites",
    "disk": "Write to disk",
}
"""Ways out where a run does not fit into the memory."""


def restart_engine(window: MainWindow) -> None:
    """End the engine's process and start a new one; what it was doing ends with it."""
    window.controllers.run_time.drop()
    window.controllers.spike_lab.drop()
    window.controllers.robustness.drop()
    window.controllers.training.drop()
    window.controllers.training_fetch.drop()
    window.controllers.run.restart()


def show_details(window: MainWindow) -> None:
    """The details of the last message, if it has any; else the message once more."""
    if (message := window.state.message) is None:
        return
    if message.details:
        window.show_sheet(TextDialog("Details", message.text, message.details, window))
    else:
        window.toast.show_message(message)


def show_message(window: MainWindow, message: Message | None) -> None:
    """A message that asks for something comes up over the view; others stay in the status bar."""
    if message is None or not (message.action or message.details or message.kind in LOUD):
        window.toast.hide()
        return
    controllers, state = window.controllers, window.state

    def act() -> None:
        window.toast.hide()
        if message.action == "restart_engine":
            restart_engine(window)
        elif message.action == "halve_dt":
            controllers.experiment.halve_dt()
        elif message.action == "use_cpu":
            controllers.run.run_on_cpu()
        elif message.action == "resume_study":
            resume_study(window)
        elif message.action == "resume_training":
            training_wiring.resume(window, message.training)
        elif message.action == "halve_batch":
            controllers.training.resume_smaller(message.training)
        elif message.action == "end_training":
            controllers.training.end_now()
        elif message.action == "discard_run" and state.runs:
            controllers.run.discard(state.runs[-1].number)

    buttons: list[tuple[str, Callable[[], object]]] = []
    if message.action == "keep_less":
        for how in controllers.run.ways_out():
            buttons.append((KEEP_LESS[how], partial(controllers.run.keep_less, how)))
    elif message.action:
        if message.action == "resume_training":
            text = training_wiring.resume_text(window, message.training)
        else:
            text = ACTION_TEXTS.get(message.action) or resume_text(window)
        buttons.append((text, act))
    if message.details:
        buttons.append(("Details", partial(show_details, window)))
    window.toast.show_message(message, buttons)
