"""The study that is planned in the spike lab: cards, edits, undo, and where everything sits."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from dendview.folders import whole_path
from dendview.history import History
from dendview.lab import LabPreview, Point, make_preview, points_of
from dendview.runs import shown_study
from dendview.state import AppState, Message
from engine.errors import UserError
from engine.experiments.spike_presets import human_cell, preset
from engine.experiments.spike_study import (
    CONDITIONS,
    GROUPS,
    Condition,
    SpikeStudy,
    Trial,
    check,
)


class SpikePlanController:
    """Replaces ``lab_study``, ``lab_trial`` and ``lab_preview`` of the state."""

    def __init__(self, state: AppState) -> None:
        self.state = state
        self._history: History[SpikeStudy] | None = None
        self.first = "quick"  # the card that is chosen for whoever comes to the lab
        state.events.perspective.connect(self._on_perspective)

    def begin_anew(self) -> None:
        """Forget the plan: the open cell is another one."""
        state = self.state
        self._history = None
        state.lab_study = state.lab_trial = state.lab_preview = None
        self._on_perspective(state.perspective)

    def _on_perspective(self, perspective: str) -> None:
        """Whoever comes to the lab finds the quick study planned."""
        planned = self.state.lab_study is not None
        if perspective == "spike_lab" and self.state.cell is not None and not planned:
            self.choose(self.first)

    @property
    def can_undo(self) -> bool:
        return self._history is not None and self._history.can_undo

    @property
    def can_redo(self) -> bool:
        return self._history is not None and self._history.can_redo

    def choose(self, name: str) -> None:
        """A study from a card, on the open cell, in the conditions that are chosen."""
        state = self.state
        if state.cell is None:
            state.message = Message("Open a cell before you plan a study on it.", "warning")
            return
        before = state.lab_study
        conditions = before.conditions if before is not None else GROUPS["few"]
        try:
            study = preset(name, human_cell(whole_path(state.cell.source)), conditions)
            study = replace(study, seed=before.seed, spines=before.spines) if before else study
            self.put(study)
        except UserError as error:
            state.message = Message(str(error), "error")

    def edit(self, **changes: Any) -> bool:
        """Replace fields of the study; False, with a message, where it could not be run."""
        study = self.state.lab_study
        return study is not None and self.put(replace(study, **changes))

    def set_conditions(self, conditions: tuple[Condition, ...]) -> bool:
        """Which of the four conditions are run; the points of a preset follow."""
        study = self.state.lab_study
        ordered = tuple(c for c in CONDITIONS if c in conditions)
        if study is None or not ordered:
            return False
        after = replace(study, conditions=ordered)
        if study.name in ("quick", "paper"):
            usual = preset(study.name, study.cell, study.conditions)
            if (usual.distributed, usual.clusters) == (study.distributed, study.clusters):
                fresh = preset(study.name, study.cell, ordered)
                after = replace(after, distributed=fresh.distributed, clusters=fresh.clusters)
        return self.put(after)

    def set_spines(self, **values: float) -> bool:
        """Density (``per_um``) or numbers of the shape, in µm."""
        if (study := self.state.lab_study) is None:
            return False
        spines = study.spines
        if "per_um" in values:
            spines = replace(spines, per_um=values.pop("per_um"))
        return self.edit(spines=replace(spines, shape=replace(spines.shape, **values)))

    def reshuffle(self) -> None:
        """The next seed: all places, trains and weights are drawn anew."""
        if (study := self.state.lab_study) is not None:
            self.edit(seed=study.seed + 1)

    def undo(self) -> None:
        """Back to the plan before."""
        if self._history is not None:
            self._show(self._history.undo())

    def redo(self) -> None:
        """Forward to the plan that was undone."""
        if self._history is not None:
            self._show(self._history.redo())

    def put(self, study: SpikeStudy) -> bool:
        try:
            check(study)
        except UserError as error:
            self.state.message = Message(str(error), "error")
            return False
        first = self._history is None
        self._show(History(study) if self._history is None else self._history.add(study))
        return first or self.state.lab_study == study

    def _show(self, history: History[SpikeStudy]) -> None:
        self._history = history
        study = history.present
        trial = self.state.lab_trial
        self.state.lab_study = study
        points = points_of(study)
        if trial is None or (trial.condition, trial.n_synapses) not in points:
            self.state.lab_trial = Trial(*_middle(points, trial), 0)
        elif trial.number >= study.n_trials:
            self.state.lab_trial = replace(trial, number=0)

    # The preview

    def preview_wanted(self) -> Callable[[], LabPreview] | None:
        """Work that finds where everything sits, or None where it is known."""
        study, trial, known = self.state.lab_study, self.state.lab_trial, self.state.lab_preview
        if (shown := self.shown_trial_study()) is not None:
            study = shown
        if study is None or trial is None:
            return None
        if known is not None and known.study == study and known.trial == trial:
            return None
        return lambda: make_preview(study, trial)

    def shown_trial_study(self) -> SpikeStudy | None:
        """The study of a run whose trial is looked at; None while a plan is."""
        if self.state.lab_point is None or (run := shown_study(self.state)) is None:
            return None
        return run.study

    def show_preview(self, preview: LabPreview) -> None:
        """Draw a preview that was made, if it still is the one that is wanted."""
        study = self.shown_trial_study() or self.state.lab_study
        if preview.study == study and preview.trial == self.state.lab_trial:
            self.state.lab_preview = preview

    def look_at(self, trial: Trial) -> None:
        """Preview another trial of the plan."""
        self.state.lab_point = None
        self.state.lab_trial = trial


def _middle(points: tuple[Point, ...], like: Trial | None) -> Point:
    """The point to look at first: of the same condition if there is one, in its middle."""
    same = [p for p in points if like is not None and p[0] == like.condition]
    same = same or [p for p in points if p[0] == points[0][0]]
    return same[len(same) // 2]
