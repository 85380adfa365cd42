"""Which gestures of the training lab call which controller."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QUrl
from PyQt6.QtGui import QDesktopServices
from PyQt6.QtWidgets import QFileDialog

from dendview.controllers.training_plan import CARDS
from dendview.state import Message
from dendview.training import find_run
from dendview.widgets.background import Background
from engine.errors import UserError
from engine.experiments.hpc_net.data_check import DataCheck

if TYPE_CHECKING:
    from dendview.main_window import MainWindow


def wire_training(window: MainWindow) -> None:
    """Data, settings, progress, curves and runs."""
    docks, controllers, actions = window.docks, window.controllers, window.actions_table
    plan, training = controllers.training_plan, controllers.training
    data, form, foot = docks.training.data, docks.training.form, docks.training.foot
    data.card_chosen.connect(plan.choose_card)
    data.folder_wanted.connect(lambda: choose_folder(window))
    data.download_clicked.connect(controllers.training_fetch.fetch)
    data.digits_clicked.connect(lambda: plan.choose_card("digits"))
    data.check_clicked.connect(plan.check_again)
    form.preset_chosen.connect(plan.choose_preset)
    form.edited.connect(lambda group, name, value: plan.edit(group, **{name: value}))
    form.cell_chosen.connect(plan.choose_cell)
    form.all_chosen.connect(plan.follow)
    foot.start_clicked.connect(actions["train"].trigger)
    foot.resume_clicked.connect(actions["resume_training"].trigger)
    foot.pause_clicked.connect(actions["pause_training"].trigger)
    foot.stop_clicked.connect(actions["cancel"].trigger)
    foot.save_clicked.connect(actions["checkpoint"].trigger)
    foot.rate_chosen.connect(training.set_rate)
    docks.training_curves.epoch_clicked.connect(controllers.training_look.choose_epoch)
    runs = docks.training_runs
    runs.run_clicked.connect(training.show)
    runs.resume_wanted.connect(training.resume)
    runs.forget_wanted.connect(training.discard)
    runs.longer_wanted.connect(lambda number: train_longer(window, number))
    runs.plan_wanted.connect(lambda number: plan_again(window, number))
    runs.folder_wanted.connect(lambda number: show_folder(window, number))
    plan.places = window.settings.image_folders
    events = window.state.events
    for event in (events.training_data, events.perspective):
        event.connect(lambda *_: check(window))


def training_handlers(window: MainWindow) -> dict[str, Callable[[], object]]:
    """What the actions of the training lab do."""
    training, look = window.controllers.training, window.controllers.training_look
    handlers: dict[str, Callable[[], object]] = {
        "perspective:training": partial(enter, window),
        "train": partial(train, window),
        "pause_training": training.pause,
        "resume_training": partial(resume, window),
        "checkpoint": training.save,
        "epoch_back": partial(look.step_epoch, -1),
        "epoch_forward": partial(look.step_epoch, 1),
        "epoch_last": partial(look.choose_epoch, None),
        "open_training": partial(open_training, window),
    }
    return handlers | {f"images:{name}": partial(choose_card, window, name) for name in CARDS}


def cancel(window: MainWindow) -> bool:
    """Stop a training or a download; False where there is none."""
    controllers = window.controllers
    if controllers.training.running:
        controllers.training.stop()
        return True
    if controllers.training_fetch.fetching:
        controllers.training_fetch.cancel()
        return True
    return False


def resume(window: MainWindow, number: int | None = None) -> None:
    """Go to the training lab, and go on with a training; the shown one by default."""
    window.state.perspective = "training"
    window.controllers.training.resume(number)


def enter(window: MainWindow) -> None:
    """Go to the training lab; where no cell is open, with the hidden neuron of the plan."""
    controllers = window.controllers
    controllers.training_plan.begin()
    plan = window.state.training_plan
    if window.state.cell is None and plan is not None:
        window.open_source(plan.network.cell.morphology, "training")
    else:
        window.state.perspective = "training"


def choose_card(window: MainWindow, name: str) -> None:
    """Go to the training lab with a data set."""
    enter(window)
    window.controllers.training_plan.choose_card(name)


def train(window: MainWindow) -> None:
    """Go to the training lab, and train what is planned there."""
    window.state.perspective = "training"
    window.controllers.training.start()


def choose_folder(window: MainWindow) -> None:
    """Ask for a folder of images."""
    folder = QFileDialog.getExistingDirectory(window, "Images to learn from", window.folder)
    if folder:
        window.controllers.training_plan.choose_folder(folder)
        window.settings.image_folders = window.controllers.training_plan.places


def open_training(window: MainWindow) -> None:
    """Ask for the folder of a training and open it."""
    training = window.controllers.training
    folder = QFileDialog.getExistingDirectory(window, "Open a training", str(training.home()))
    if not folder:
        return
    enter(window)
    try:
        training.open_folder(Path(folder))
    except UserError as error:
        window.state.message = Message(str(error), "error")


def plan_again(window: MainWindow, number: int) -> None:
    """Plan what a training was."""
    if (run := find_run(window.state.training_runs, number)) is not None:
        window.controllers.training_plan.take(run.training)


def train_longer(window: MainWindow, number: int) -> None:
    """Let a training have as many epochs as are planned, and go on."""
    training, plan = window.controllers.training, window.state.training_plan
    if plan is not None:
        training.show(number)
        training.train_longer(plan.learning.epochs)
        training.resume(number)


def show_folder(window: MainWindow, number: int) -> None:
    """Open a training's folder outside."""
    if (run := find_run(window.state.training_runs, number)) is not None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(run.folder))


def resume_text(window: MainWindow, number: int | None) -> str:
    """``Resume at epoch 3.25`` of a training, with the rate where it is another one."""
    run = find_run(window.state.training_runs, number)
    if run is None or run.saved is None:
        return "Resume"
    rate = "" if run.rate_wanted is None else f", rate {run.rate_wanted:g}"
    return f"Resume at epoch {run.saved:.2f}{rate}"


def check(window: MainWindow) -> None:
    """Look at the plan's data in the background, when somebody can see it."""
    plan = window.controllers.training_plan
    if window.state.perspective != "training" or (work := plan.check_wanted()) is None:
        return
    data = window.state.training_data
    assert data is not None  # a check was wanted of it
    source = data.source

    def show(found: DataCheck) -> None:
        plan.checked(source, found)

    def tell(error: Exception) -> None:
        if not isinstance(error, UserError):
            raise error
        text = str(error)
        plan.checked(source, None, text[:1].upper() + text[1:])

    task = Background(window)
    task.done.connect(show)
    task.failed.connect(tell)
    for over in (task.done, task.failed):
        over.connect(task.deleteLater)
    task.start(work)
