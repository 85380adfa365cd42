"""Robustness of a trained network: make the study, stop it, show what is known."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

from dendview.controllers.run import CANCEL_PATIENCE, RunController
from dendview.state import AppState, Job, Message
from dendview.training import TrainingRun, find_run, shown_epoch
from dendview.worker import protocol
from dendview.worker.interface import Worker
from dendview.worker.protocol import Reply
from engine.errors import UserError
from engine.experiments.robustness import Study, from_json, why_no_torch
from engine.experiments.robustness.study import Result

KIND: Literal["robustness"] = "robustness"
FILE = "robustness.json"


class RobustnessController:
    """Replaces the fields ``robustness…`` of the state; call :meth:`poll` 30 times a second.

    Parameters
    ----------
    state, worker, run
    clock
        Seconds.
    missing
        Why no study can be made here, empty where one can.
    """

    def __init__(
        self,
        state: AppState,
        worker: Worker,
        run: RunController,
        clock: Callable[[], float] = time.monotonic,
        missing: Callable[[], str] = why_no_torch,
    ) -> None:
        self.state = state
        self._worker, self._run, self._clock, self._missing = worker, run, clock, missing
        self._token: int | None = None
        self._number = 0  # of the training that is examined
        self._cancelled_at: float | None = None
        run.listeners.append(self._take)
        for event in (state.events.training_shown, state.events.perspective):
            event.connect(self._look)

    @property
    def examining(self) -> bool:
        return self._token is not None

    def start(self, n: int = 0) -> None:
        """Examine the network of the shown epoch on the first n test images (0: all)."""
        state = self.state
        run = self._shown()
        epoch = shown_epoch(run, state.training_choice)
        if run is None or not epoch:
            state.message = Message("Train a network first; then it can be examined.", "warning")
            return
        if why := self._missing():
            state.message = Message(_sentence(why), "warning")
            return
        if state.job is not None or self._token is not None:
            text = "Something else is being computed; wait for it or cancel it first."
            state.message = Message(text, "warning")
            return
        self._run.warm()
        self._token, self._number, self._cancelled_at = self._run.next_token(), run.number, None
        state.job = Job("Robustness: the network is prepared…", kind=KIND)
        work = protocol.Examine(self._token, run.training, run.folder, epoch, Study(n=n))
        self._worker.send(work)

    def cancel(self) -> None:
        """Stop; what is found stays, and the next start goes on from there."""
        if self._token is None or self._cancelled_at is not None:
            return
        self._cancelled_at = self._clock()
        self._worker.send(protocol.Cancel(self._token))
        job = self.state.job or Job("", kind=KIND)
        self.state.job = replace(job, text="Stopping…", remaining=None, cancelling=True)

    def poll(self) -> None:
        """End an engine that does not hear a cancel."""
        late = self._cancelled_at
        if late is not None and self._clock() - late > CANCEL_PATIENCE:
            self._end(Message("Stopped; what was found is kept.", "warning"))
            self._run.restart()

    def drop(self) -> None:
        """The engine is gone or about to be."""
        if self._token is not None:
            self._end(Message("Stopped; what was found is kept.", "warning"))

    def open_file(self, path: Path) -> None:
        """Show a result of another place.

        Raises
        ------
        UserError
            If the file is none.
        """
        found = read_result(path)
        self.state.robustness_from, self.state.robustness_note = str(path), ""
        self.state.robustness = found

    # What there is

    def _shown(self) -> TrainingRun | None:
        return find_run(self.state.training_runs, self.state.training_shown)

    def _look(self, *_: object) -> None:
        """The result in the folder of the shown training."""
        state = self.state
        if state.perspective != "training":
            return
        run, found, note = self._shown(), None, ""
        path = Path(run.folder) / FILE if run is not None else None
        if path is not None and path.is_file():
            try:
                found = read_result(path)
            except UserError as error:
                note = str(error)
        why = self._missing()
        state.robustness_missing = _sentence(why) if why else ""
        state.robustness_from, state.robustness_note = "", note
        state.robustness = found

    def _take(self, reply: Reply) -> None:
        match reply:
            case protocol.Stopped() if self._token is not None:
                self._end(Message(f"{reply.sentence} What was found is kept.", "error"))
            case protocol.Examined(number=number) if number == self._token:
                self._grow(reply)
            case protocol.Finished(number=number) if number == self._token:
                self._end(Message("The robustness study is done.", "done"))
            case protocol.Cancelled(number=number) if number == self._token:
                self._end(Message("Stopped; what was found is kept.", "warning"))
            case protocol.Failed(number=number) if number == self._token:
                self._end(Message(_sentence(reply.sentence), "error", reply.details))

    def _grow(self, news: protocol.Examined) -> None:
        progress, state = news.progress, self.state
        if state.training_shown == self._number and progress.result != state.robustness:
            state.robustness_from, state.robustness_note = "", ""
            state.robustness = progress.result
        if self._cancelled_at is None:
            left = progress.remaining if progress.remaining < float("inf") else None
            state.job = Job(f"Robustness: {progress.phase}", progress.fraction, left, kind=KIND)

    def _end(self, message: Message) -> None:
        self._token = self._cancelled_at = None
        self.state.job = None
        self.state.message = message


def read_result(path: Path) -> Result:
    """The result of a study.

    Raises
    ------
    UserError
        If the file cannot be read, or is none.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise UserError(f"{path}: the result cannot be read ({why}); choose another") from None
    return from_json(text, str(path))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."
