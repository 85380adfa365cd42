"""Training lab: what is to be learned, by which rule, from which data, and whether it is there."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from dendview.folders import data_folder, whole_path
from dendview.history import History
from dendview.state import AppState, Message
from dendview.training import TrainingData, data_name
from dendview.training_fields import DISAGREEMENTS
from engine.errors import UserError
from engine.experiments.hpc_net.data import DIGITS, DOWNLOADS
from engine.experiments.hpc_net.data_check import DataCheck, check_data, holds_data
from engine.experiments.hpc_net.spec import PRESETS, Conductance, Training


@dataclass(frozen=True)
class Card:
    """Data to start from: a title and a line on it."""

    title: str
    note: str


CARDS: dict[str, Card] = {
    DIGITS: Card("Digits", "1 797 images, 8 × 8 pixels, bundled"),
    "mnist": Card("MNIST", "70 000 digits, 28 × 28, in the paper"),
    "fashion-mnist": Card("Fashion-MNIST", "70 000 clothes, 28 × 28, in the paper"),
}
PRESET_TEXTS: dict[str, Card] = {
    "quick": Card("Quick", "momentum, larger rate: for a CPU"),
    "paper": Card("Paper", "plain descent at 0.005, 30 epochs"),
}


class TrainingPlanController:
    """Replaces ``training_plan`` and ``training_data``.

    Parameters
    ----------
    state
    images
        Folder that has one for each data set.
    """

    def __init__(self, state: AppState, images: Callable[[], Path] | None = None) -> None:
        self.state = state
        self.images = images or images_folder
        self.places: dict[str, str] = {}  # folders the person chose, by card
        self.card = DIGITS
        self._history: History[Training] | None = None
        state.events.perspective.connect(self._on_perspective)

    # The plan

    @property
    def can_undo(self) -> bool:
        return self._history is not None and self._history.can_undo

    @property
    def can_redo(self) -> bool:
        return self._history is not None and self._history.can_redo

    def choose_card(self, name: str) -> None:
        """Data to learn from: the bundled ones, or those of a folder that is known."""
        self.card = name
        self.choose_data(DIGITS if name == DIGITS else str(self.place(name)))

    def place(self, name: str) -> Path:
        """The folder of a data set: the one the person chose, or where it is downloaded to."""
        chosen = self.places.get(name)
        return Path(chosen) if chosen else self.images() / name

    def choose_folder(self, folder: str) -> None:
        """Images of the person's own, or where those of the chosen card are."""
        if self.card != DIGITS:
            self.places[self.card] = folder
        self.choose_data(folder)

    def choose_data(self, source: str) -> None:
        """Data of a source; whether it can be used is looked at in the background."""
        self._put(replace(self._plan(), data=source))

    def choose_preset(self, name: str) -> None:
        """Network and learning of a preset, on the data and the cell that are chosen."""
        plan, fresh = self._plan(), PRESETS[name]
        network = replace(fresh.network, cell=plan.network.cell)
        self._put(replace(fresh, network=network, data=plan.data, way=plan.way))

    def edit(self, group: str, **changes: Any) -> bool:
        """Replace fields of ``learning``, ``network``, ``optimizer``, … or of the plan (``""``)."""
        return self._put(changed(self._plan(), group, changes))

    def follow(self, whose: Literal["code", "text"]) -> bool:
        """Everything on which code and text of the paper disagree, as one of them has it."""
        plan = self._plan()
        for field in DISAGREEMENTS:
            value = field.code if whose == "code" else field.text
            plan = changed(plan, field.group, {field.name: value})
        return self._put(plan)

    def choose_cell(self, source: str) -> bool:
        """Another morphology of the hidden neurons."""
        cell = self._plan().network.cell
        return self.edit("network", cell=replace(cell, morphology=whole_path(source)))

    def take(self, training: Training) -> bool:
        """Plan what a training was."""
        return self._put(training)

    def undo(self) -> None:
        """Back to the plan before."""
        if self._history is not None:
            self._show(self._history.undo())

    def redo(self) -> None:
        """Forward to the plan that was undone."""
        if self._history is not None:
            self._show(self._history.redo())

    def begin(self) -> None:
        """A plan for whoever comes for the first time."""
        if self.state.training_plan is None:
            self._put(PRESETS["quick"])

    def _plan(self) -> Training:
        return self.state.training_plan or PRESETS["quick"]

    def _put(self, plan: Training) -> bool:
        try:
            plan.network.check()
            plan.learning.check(plan.network.cell.duration)
        except UserError as error:
            self.state.message = Message(_sentence(error), "error")
            return False
        plan = replace(plan, name=preset_of(plan))
        self._show(History(plan) if self._history is None else self._history.add(plan))
        return True

    def _show(self, history: History[Training]) -> None:
        self._history = history
        plan, state = history.present, self.state
        state.training_plan = plan
        known = state.training_data
        if known is None or known.source != plan.data:
            state.training_data = TrainingData(plan.data)

    def _on_perspective(self, perspective: str) -> None:
        if perspective == "training":
            self.begin()

    # The data

    def check_wanted(self) -> Callable[[], DataCheck] | None:
        """What has to be called, in another thread, to know the plan's data; None where it is."""
        data = self.state.training_data
        if data is None or data.state != "unchecked":
            return None
        if data.source != DIGITS and not holds_data(Path(data.source)):
            self._missing(data)
            return None
        self.state.training_data = replace(data, state="checking")
        return partial(check_data, data.source)

    def checked(self, source: str, found: DataCheck | None, error: str = "") -> None:
        """What came of it."""
        data = self.state.training_data
        if data is None or data.source != source:
            return
        self.state.training_data = replace(
            data,
            state="ready" if found is not None else "wrong",
            check=found,
            error=error,
            download=self._download(source),
        )

    def check_again(self) -> None:
        """Look at the data once more."""
        if (data := self.state.training_data) is not None:
            self.state.training_data = TrainingData(data.source)

    def fetching(self, source: str, fraction: float | None) -> None:
        """How much is there of a download for a source; told where the plan still has it."""
        data = self.state.training_data
        if data is not None and data.source == source:
            self.state.training_data = replace(data, state="fetching", fraction=fraction, error="")

    def not_fetched(self, source: str, error: str) -> None:
        """A download for a source has failed or was stopped."""
        data = self.state.training_data
        if data is not None and data.source == source:
            self._missing(replace(data, error=error))

    def fetched(self, source: str, name: str) -> None:
        """A data set that was wanted for a source is there, in its own folder.

        The folder that was chosen for it before is forgotten; a plan that has gone on to other
        images keeps them.
        """
        if self.places.get(name) == source:
            del self.places[name]
        data, place = self.state.training_data, str(self.images() / name)
        if data is not None and data.source in (source, place):
            self.choose_data(place)
            self.check_again()

    def _missing(self, data: TrainingData) -> None:
        """Say what is not there; the reader's own sentence where some of it is."""
        folder, error = Path(data.source), data.error
        if not error and folder.is_dir() and any(folder.iterdir()):
            try:
                check_data(data.source)
            except UserError as said:
                error = _sentence(said)
        self.state.training_data = replace(
            data, state="missing", check=None, error=error, download=self._download(data.source)
        )

    def _download(self, source: str) -> str:
        """What may be fetched into the place of a source."""
        name = data_name(source)
        ours = name in DOWNLOADS and Path(source) == self.images() / name
        return name if ours else (self.card if self.card in DOWNLOADS else "")


def changed(plan: Training, group: str, changes: dict[str, Any]) -> Training:
    """A plan with other values in one of its groups of fields."""
    match group:
        case "learning":
            plan = replace(plan, learning=replace(plan.learning, **changes))
        case "network":
            plan = replace(plan, network=replace(plan.network, **changes))
        case "optimizer":
            optimizer = replace(plan.learning.optimizer, **changes)
            plan = replace(plan, learning=replace(plan.learning, optimizer=optimizer))
        case "conductance":
            opened = replace(plan.network.conductance or Conductance(), **changes)
            plan = replace(plan, network=replace(plan.network, conductance=opened))
        case "encoding":
            encoding = replace(plan.network.encoding, **changes)
            plan = replace(plan, network=replace(plan.network, encoding=encoding))
        case _:
            plan = replace(plan, **changes)
    if changes.get("conductance") is not None:  # not linear: there is no shortcut
        plan = replace(plan, way="compartmental")
    return plan


def preset_of(plan: Training) -> str:
    """The preset a plan still is, whatever its data, cell and way; empty where it was changed."""
    for name, preset in PRESETS.items():
        network = replace(preset.network, cell=plan.network.cell)
        same = replace(plan, network=network, learning=preset.learning)
        if same == plan:
            return name
    return ""


def _sentence(error: UserError) -> str:
    text = str(error)
    return text[:1].upper() + text[1:]


def images_folder() -> Path:
    """Where images to learn from are kept: ``$DENDVIEW_IMAGES``, else the system's place."""
    return data_folder("images", "DENDVIEW_IMAGES")
