"""Spike lab: choose a study, see its synapses, run it, stop it, go on, look at single trials."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from dendview.controllers.cells import same_cut
from dendview.controllers.experiment import ExperimentController
from dendview.controllers.run import CANCEL_PATIENCE, STARTING, RunController, Worker
from dendview.folders import data_folder, stamped, whole_path
from dendview.history import History
from dendview.lab import (
    LabPreview,
    LabRun,
    LabState,
    Point,
    make_preview,
    points_of,
    with_outcomes,
)
from dendview.runs import shown_study
from dendview.state import AppState, Cell, Job, Message
from dendview.wording import number as number_text
from dendview.worker import protocol
from dendview.worker.protocol import Reply
from engine.errors import UserError
from engine.experiments.spike_presets import human_cell, preset
from engine.experiments.spike_probability import Progress, curves
from engine.experiments.spike_store import read_run
from engine.experiments.spike_study import (
    CONDITIONS,
    GROUPS,
    Condition,
    SpikeStudy,
    Trial,
    check,
)
from engine.experiments.spike_trials import replay

KIND: Literal["spike_lab"] = "spike_lab"


class SpikeLabController:
    """Replaces the fields ``lab_…`` of the state; call :meth:`poll` about 30 times a second.

    Parameters
    ----------
    state, worker, run, experiment
    clock
        Seconds.
    home
        Folder that gets a folder for each study.
    """

    def __init__(
        self,
        state: AppState,
        worker: Worker,
        run: RunController,
        experiment: ExperimentController,
        clock: Callable[[], float] = time.monotonic,
        home: Callable[[], Path] | None = None,
    ) -> None:
        self.state = state
        self.home = home or partial(data_folder, "spike-lab", "DENDVIEW_STUDIES")
        self._worker, self._run, self._experiment, self._clock = worker, run, experiment, clock
        self._history: History[SpikeStudy] | None = None
        self._token: int | None = None  # of the study that runs
        self._number = 0  # of that study
        self._n_restart = 0  # times that its workers died
        self._cancelled_at: float | None = None
        self._cell: Cell | None = state.cell
        self.first = "quick"  # the card that is chosen for whoever comes to the lab
        run.listeners.append(self._take)
        state.events.cell.connect(self._on_cell)
        state.events.perspective.connect(self._on_perspective)

    # The study that is planned

    @property
    def running(self) -> bool:
        return self._token is not None

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
            self._put(study)
        except UserError as error:
            state.message = Message(str(error), "error")

    def edit(self, **changes: Any) -> bool:
        """Replace fields of the study; False, with a message, where it could not be run."""
        study = self.state.lab_study
        return study is not None and self._put(replace(study, **changes))

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
        return self._put(after)

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

    def _put(self, study: SpikeStudy) -> bool:
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

    def _on_cell(self, cell: Cell | None) -> None:
        """Another cell begins anew; studies of the one before stay readable in their folders."""
        before, self._cell = self._cell, cell
        if cell is None or before is None or cell.morphology is not before.morphology:
            if self._token is not None:
                self._worker.send(protocol.Cancel(self._token))
                self._end("stopped", None)
            state = self.state
            self._history = None
            state.lab_study = state.lab_trial = state.lab_preview = state.lab_effect = None
            state.lab_point, state.lab_shown, state.lab_runs = None, None, ()
            self._on_perspective(state.perspective)

    def _on_perspective(self, perspective: str) -> None:
        """Whoever comes to the lab finds the quick study planned."""
        planned = self.state.lab_study is not None
        if perspective == "spike_lab" and self.state.cell is not None and not planned:
            self.choose(self.first)

    def _cut_as_studied(self) -> None:
        """The open cell in the compartments that trials have, so that they can be shown on it."""
        state = self.state
        study = state.lab_study
        if study is None or state.experiment is None:
            return
        if not same_cut(state.experiment, study.cell):
            done = self._experiment.replace(study.cell)
            if done:
                text = "The cell has the study's membrane and compartments now; undo brings back"
                state.message = Message(f"{text} what was there before.")

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

    # Running

    def start(self) -> None:
        """Run the planned study; where the same one was stopped it goes on."""
        state = self.state
        if (study := state.lab_study) is None or state.cell is None:
            state.message = Message("Choose a card first.", "warning")
            return
        if self._busy():
            return
        number = max((run.number for run in state.lab_runs), default=0) + 1
        folder = self.home() / stamped(study.name or "study", number)
        begun = LabRun(number, study, str(folder), curves=curves(study, ()))
        state.lab_runs = (*state.lab_runs, begun)
        self._begin(number)

    def resume(self, number: int | None = None) -> None:
        """Go on with a study that was stopped; nothing that is finished runs again."""
        run = shown_study(self.state) if number is None else self._find(number)
        if run is None or run.state not in ("stopped", "failed") or self._busy():
            return
        self._begin(run.number)

    def cancel(self) -> None:
        """Stop; trials that are finished are kept."""
        if self._token is None or self._cancelled_at is not None:
            return
        self._cancelled_at = self._clock()
        job = self.state.job or Job("", kind=KIND)
        self.state.job = replace(job, text="Stopping…", remaining=None, cancelling=True)
        self._worker.send(protocol.Cancel(self._token))

    def drop(self) -> None:
        """The engine is gone or about to be: all that is on disk is kept."""
        if self._token is not None:
            self._end("stopped", None)

    def poll(self) -> None:
        """End an engine that does not hear a cancel."""
        late = self._cancelled_at
        if late is not None and self._clock() - late > CANCEL_PATIENCE:
            self._end("stopped", self._kept("Stopped"))
            self._run.restart()

    def _busy(self) -> bool:
        if self.state.job is None and self._token is None:
            return False
        text = "Something else is being computed; wait for it or cancel it, then run the study."
        self.state.message = Message(text, "warning")
        return True

    def _begin(self, number: int) -> None:
        state = self.state
        run = self._find(number)
        assert run is not None
        self._run.warm()
        self._token, self._number, self._cancelled_at = self._run.next_token(), number, None
        self._n_restart = 0
        state.playing, state.message = "", None
        state.lab_shown = number
        self._replace(replace(run, state="running", n_running=0, remaining=None, why=""))
        starting = state.engine == STARTING
        text = "the engine is starting" if starting else "the cell is prepared"
        state.job = Job(f"Study {number}: {text}…", kind=KIND)
        self._worker.send(protocol.RunStudy(self._token, run.study, run.folder, state.backend))

    # What the engine says

    def _take(self, reply: Reply) -> None:
        match reply:
            case protocol.Stopped() if self._token is not None:
                late = self._cancelled_at is not None
                why = "Stopped" if late else reply.sentence.rstrip(".")
                self._end("stopped", self._kept(why, reply.details))
            case protocol.Studied(number=number, progress=progress) if number == self._token:
                self._grow(progress)
            case protocol.Finished(number=number) if number == self._token:
                self._finished()
            case protocol.Cancelled(number=number) if number == self._token:
                self._end("stopped", self._kept("Stopped"))
            case protocol.Failed(number=number) if number == self._token:
                self._end("failed", Message(reply.sentence, "error", reply.details))

    def _grow(self, progress: Progress) -> None:
        run = self._find(self._number)
        assert run is not None
        now = replace(run, n_running=progress.n_running, remaining=progress.seconds_left)
        if progress.finished:
            now = with_outcomes(now, progress.finished)
        if progress.n_restart > self._n_restart:
            text = "A worker process ended; finished trials are kept, those at work run again."
            self.state.message = Message(text, "warning")
        self._n_restart = progress.n_restart
        if progress.finished or now.n_running != run.n_running:
            self._replace(now)
        if self._cancelled_at is None:
            done, total = number_text(now.n_done), number_text(run.study.n_total)
            text = f"Study {run.number}: {done} of {total} trials"
            if not now.n_done:
                text = f"Study {run.number}: compiling and running the first trials"
            share = now.n_done / max(run.study.n_total, 1)
            self.state.job = Job(text, share, progress.seconds_left, kind=KIND)

    def _finished(self) -> None:
        run = self._find(self._number)
        assert run is not None
        text = f"Study {run.number} is done: {number_text(run.n_done)} trials"
        failed = f", {run.n_failed} of them failed" if run.n_failed else ""
        self._end("done", Message(text + failed, "warning" if failed else "done"))

    def _kept(self, why: str, details: str = "") -> Message:
        """What is left of a study that has stopped, counted where it is kept."""
        run = self._find(self._number)
        assert run is not None
        run = self._read(run)
        text = f"{why}; {number_text(run.n_done)} of {number_text(run.study.n_total)} trials"
        kind: Literal["warning", "error"] = "warning" if why == "Stopped" else "error"
        tail = " are kept" if why == "Stopped" else " are kept, those at work run again"
        return Message(text + tail + ".", kind, details, action="resume_study")

    def _read(self, run: LabRun) -> LabRun:
        """The run with all that is in its folder: more than was said, where the engine died."""
        try:
            _, found = read_run(Path(run.folder))
        except UserError:  # nothing was written yet
            return run
        news = tuple(outcome for trial, outcome in found.items() if trial not in run.outcomes)
        run = with_outcomes(run, news) if news else run
        self._replace(run)
        return run

    def _end(self, how: LabState, message: Message | None) -> None:
        run = self._find(self._number)
        self._token = self._cancelled_at = None
        if run is not None:
            run = self._read(run)
            why = "" if message is None or how == "done" else message.text
            if run.n_done >= run.study.n_total:
                how = "done"
            self._replace(replace(run, state=how, n_running=0, remaining=None, why=why))
        self.state.job = None
        if message is not None:
            self.state.message = message

    # Looking at what came out

    def show(self, number: int) -> None:
        """Bring a study to the front."""
        if self._find(number) is not None:
            self.state.lab_shown = number
            self.state.lab_point = None

    def discard(self, number: int) -> None:
        """Forget a study that is over; its folder stays."""
        if self.running and number == self._number:
            return
        state = self.state
        left = tuple(run for run in state.lab_runs if run.number != number)
        if state.lab_shown == number:
            state.lab_shown, state.lab_point = left[-1].number if left else None, None
        state.lab_runs = left

    def choose_point(self, point: Point) -> None:
        """Show the trials of a point."""
        run = shown_study(self.state)
        if run is not None and point in points_of(run.study):
            self.state.lab_point = point
            self.state.lab_trial = Trial(*point, 0)

    def choose_trial(self, trial: Trial) -> None:
        """Show where the synapses of a trial of the shown study sit."""
        run = shown_study(self.state)
        if run is not None and (trial.condition, trial.n_synapses) in points_of(run.study):
            self.state.lab_point = trial.condition, trial.n_synapses
            self.state.lab_trial = trial

    def replay(self, trial: Trial) -> bool:
        """Run one trial of the shown study again, with traces and the voltage of the whole cell."""
        run = shown_study(self.state)
        if run is None or self.state.cell is None:
            return False
        self.choose_trial(trial)
        if self.state.job is not None:
            text = "The trial is replayed when nothing else runs; wait, or cancel the study first."
            self.state.message = Message(text, "warning")
            return False
        self._cut_as_studied()
        try:
            given = replay(run.study, trial)
        except UserError as error:
            self.state.message = Message(str(error), "error")
            return False
        self._run.start(given)
        return True

    def open_folder(self, folder: Path) -> None:
        """Open a study of an earlier day, whole or not, on the open cell.

        Raises
        ------
        UserError
            If the folder holds none.
        """
        state = self.state
        study, found = read_run(folder)
        number = max((run.number for run in state.lab_runs), default=0) + 1
        wanted = set(study.trials())
        run = LabRun(number, study, str(folder), state="stopped")
        run = with_outcomes(run, tuple(o for t, o in found.items() if t in wanted))
        if run.n_done >= study.n_total:
            run = replace(run, state="done")
        state.lab_runs = (*state.lab_runs, run)
        state.lab_shown, state.lab_point = number, None
        self._put(study)

    # Small things

    def _find(self, number: int) -> LabRun | None:
        return next((run for run in self.state.lab_runs if run.number == number), None)

    def _replace(self, run: LabRun) -> None:
        runs = self.state.lab_runs
        self.state.lab_runs = tuple(run if old.number == run.number else old for old in runs)


def _middle(points: tuple[Point, ...], like: Trial | None) -> Point:
    """The point to look at first: of the same condition if there is one, in its middle."""
    same = [p for p in points if like is not None and p[0] == like.condition]
    same = same or [p for p in points if p[0] == points[0][0]]
    return same[len(same) // 2]
