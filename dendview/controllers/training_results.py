"""What is computed of a training for its views, and which weights the cell shows."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import get_args

from dendview.state import AppState
from dendview.training_finding import find, keep_epochs
from dendview.training_findings import (
    Findings,
    Wanted,
    WeightsShown,
    shown_run,
    wanted,
)
from dendview.training_synapses import segments_of
from engine.errors import UserError

TESTING = "Testing the last network of this training…"
COMPUTING = "Computing the responses…"


class TrainingResultsController:
    """Replaces ``training_findings``, ``training_note``, ``training_mean``, ``training_weights``.

    The window asks :meth:`work_wanted` after every change, does the work in the background, and
    gives the result to :meth:`show`, or the reason why there is none to :meth:`refuse`.
    """

    def __init__(self, state: AppState) -> None:
        self.state = state
        self._asked: Wanted | None = None  # what is computed now, or was last
        self._busy = False
        self._tried: dict[str, str] = {}  # folders whose last network was tested, or why not
        self._testing = ""  # the one that is tested now
        self._colored = False  # the cell was, by weights, without being asked to
        state.events.training_shown.connect(self._on_run)

    # What is looked at

    def choose_mean(self, mean: bool) -> None:
        """Responses to the whole class of the image, or to the image."""
        self.state.training_mean = mean

    def choose_weights(self, kind: str) -> None:
        """Which weights the cell shows."""
        if kind in get_args(WeightsShown):
            self.state.training_weights = next(k for k in get_args(WeightsShown) if k == kind)

    def color_cell(self, on: bool) -> None:
        """Color the cell by weights, or by type again."""
        self.state.color_by = "weight" if on else "type"

    # What is computed of it

    def work_wanted(self) -> Callable[[], Findings | tuple[int, ...]] | None:
        """The work that is due, or None; one at a time."""
        state = self.state
        if self._busy or (state.perspective != "training" and state.color_by != "weight"):
            return None
        try:
            asked = wanted(state)
        except UserError as error:
            self._forget(str(error))
            return None
        if asked is None:
            return self._epochs_wanted()
        if self._asked is not None and self._asked.key == asked.key:
            return None
        self._asked, self._busy = asked, True
        if state.training_findings is None:
            state.training_note = COMPUTING
        return partial(find, asked)

    def _epochs_wanted(self) -> Callable[[], tuple[int, ...]] | None:
        """Where a finished training has its checkpoint alone, its last network is tested."""
        run = shown_run(self.state)
        if run is None or not run.n_epoch or run.state == "running" or run.folder in self._tried:
            self._forget("" if run is None else self._tried.get(run.folder, ""))
            return None
        self._forget("")
        self._tried[run.folder], self._testing = "", run.folder
        self._busy = True
        self.state.training_note = TESTING
        return partial(keep_epochs, run)

    def show(self, found: Findings | tuple[int, ...]) -> None:
        """What was computed."""
        self._busy = False
        state = self.state
        if isinstance(found, tuple):
            self._show_epochs(found)
            return
        if state.training_shown == found.wanted.run:
            state.training_note = ""
            state.training_findings = found
            self._color_once(found)

    def _show_epochs(self, kept: tuple[int, ...]) -> None:
        state = self.state
        state.training_runs = tuple(
            replace(run, kept=kept) if run.folder == self._testing and not run.kept else run
            for run in state.training_runs
        )
        self._testing = ""

    def _color_once(self, found: Findings) -> None:
        """The first results bring the weights to the cell, as a run brings the voltage."""
        state = self.state
        if self._colored or state.perspective != "training" or state.cell is None:
            return
        if segments_of(found.network, state.cell.trees["neuron"]) is not None:
            self._colored = True
            if state.color_by == "type":
                state.color_by = "weight"

    def refuse(self, error: UserError) -> None:
        """Nothing could be computed."""
        self._busy = False
        if self._testing:
            self._tried[self._testing], self._testing = str(error), ""
        self._forget(str(error), self._asked)

    def _forget(self, why: str, asked: Wanted | None = None) -> None:
        self._asked = asked
        state = self.state
        if state.training_note != why:
            state.training_note = why
        if state.training_findings is not None:
            state.training_findings = None

    def _on_run(self, *_: object) -> None:
        """Another training: its samples have other numbers."""
        run, found = shown_run(self.state), self.state.training_findings
        if run is None or (found is not None and found.wanted.run != run.number):
            self._forget("")
