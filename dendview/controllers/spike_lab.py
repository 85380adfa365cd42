"""Spike lab: run the planned study, stop it, go on with it, look at single trials."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

from dendview.controllers.cells import same_cut
from dendview.controllers.experiment import ExperimentController
from dendview.controllers.run import CANCEL_PATIENCE, STARTING, RunController, Worker
from dendview.controllers.spike_plan import SpikePlanController
from dendview.folders import data_folder, stamped
from dendview.lab import (
    LabRun,
    LabState,
    Point,
    points_of,
    with_outcomes,
)
from dendview.runs import shown_study
from dendview.state import AppState, Cell, Job, Message
from dendview.wording import number as number_text
from dendview.worker import protocol
from dendview.worker.protocol import Reply
from engine.errors import UserError
from engine.experiments.spike_probability import Progress, curves
from engine.experiments.spike_store import read_run
from engine.experiments.spike_study import (
    Trial,
)
from engine.experiments.spike_trials import replay

KIND: Literal["spike_lab"] = "spike_lab"


class SpikeLabController:
    """Replaces ``lab_runs`` and what is shown of them; call :meth:`poll` about 30 times a second.

    Parameters
    ----------
    state, worker, run, experiment
    plan
        What is run.
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
        plan: SpikePlanController,
        clock: Callable[[], float] = time.monotonic,
        home: Callable[[], Path] | None = None,
    ) -> None:
        self.state = state
        self.home = home or partial(data_folder, "spike-lab", "DENDVIEW_STUDIES")
        self._worker, self._run, self._clock = worker, run, clock
        self._experiment, self._plan = experiment, plan
        self._token: int | None = None  # of the study that runs
        self._number = 0  # of that study
        self._n_restart = 0  # times that its workers died
        self._cancelled_at: float | None = None
        self._cell: Cell | None = state.cell
        run.listeners.append(self._take)
        state.events.cell.connect(self._on_cell)

    @property
    def running(self) -> bool:
        return self._token is not None

    def _on_cell(self, cell: Cell | None) -> None:
        """Another cell begins anew; studies of the one before stay readable in their folders."""
        before, self._cell = self._cell, cell
        if cell is None or before is None or cell.morphology is not before.morphology:
            if self._token is not None:
                self._worker.send(protocol.Cancel(self._token))
                self._end("stopped", None)
            state = self.state
            state.lab_effect = None
            state.lab_point, state.lab_shown, state.lab_runs = None, None, ()
            self._plan.begin_anew()

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
        self._plan.put(study)

    # Small things

    def _find(self, number: int) -> LabRun | None:
        return next((run for run in self.state.lab_runs if run.number == number), None)

    def _replace(self, run: LabRun) -> None:
        runs = self.state.lab_runs
        self.state.lab_runs = tuple(run if old.number == run.number else old for old in runs)
