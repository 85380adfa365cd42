"""Training lab: download images that are missing, in the engine's process."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from dendview.controllers.run import CANCEL_PATIENCE, RunController
from dendview.controllers.training_plan import TrainingPlanController
from dendview.state import AppState, Job, Message
from dendview.worker import protocol
from dendview.worker.interface import Worker
from dendview.worker.protocol import Reply
from engine.experiments.hpc_net.data import DOWNLOADS

KIND: Literal["training"] = "training"
STOPPED = "The download was stopped; files that are whole are kept."


class TrainingFetchController:
    """Tells the plan's controller how a download goes; call :meth:`poll` now and then."""

    def __init__(
        self,
        state: AppState,
        worker: Worker,
        run: RunController,
        plan: TrainingPlanController,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.state = state
        self._worker, self._run, self._plan, self._clock = worker, run, plan, clock
        self._token: int | None = None
        self._name = self._source = ""  # what is fetched, and the source it was wanted for
        self._cancelled_at: float | None = None
        run.listeners.append(self._take)

    @property
    def fetching(self) -> bool:
        return self._token is not None

    def fetch(self) -> None:
        """Download the data of the plan."""
        state = self.state
        if (data := state.training_data) is None or not data.download:
            return
        if state.job is not None:
            text = "Something else is being computed; wait for it or cancel it first."
            state.message = Message(text, "warning")
            return
        self._run.warm()
        self._token, self._cancelled_at = self._run.next_token(), None
        self._name, self._source = data.download, data.source
        state.job = Job(f"Fetching {DOWNLOADS[data.download].title}…", 0.0, kind=KIND)
        self._plan.fetching(self._source, 0.0)
        folder = str(self._plan.images())
        self._worker.send(protocol.FetchData(self._token, data.download, folder))

    def cancel(self) -> None:
        """Stop; files that are whole stay."""
        if self._token is None or self._cancelled_at is not None:
            return
        self._cancelled_at = self._clock()
        job = self.state.job or Job("", kind=KIND)
        self.state.job = replace(job, text="Stopping…", remaining=None, cancelling=True)
        self._worker.send(protocol.Cancel(self._token))

    def poll(self) -> None:
        """End an engine that does not hear a cancel, as while it waits for the network."""
        late = self._cancelled_at
        if late is not None and self._clock() - late > CANCEL_PATIENCE:
            self._end(STOPPED)
            self._run.restart()

    def drop(self) -> None:
        """The engine is gone or about to be."""
        if self._token is not None:
            self._end(STOPPED)

    def _take(self, reply: Reply) -> None:
        if self._token is None:
            return
        match reply:
            case protocol.Stopped():
                self._end(reply.sentence)
            case protocol.Fetched(number=number, fraction=fraction) if number == self._token:
                self._plan.fetching(self._source, fraction)
                if self._cancelled_at is None and (job := self.state.job) is not None:
                    self.state.job = replace(job, fraction=fraction)
            case protocol.Finished(number=number) if number == self._token:
                self._end("")
            case protocol.Cancelled(number=number) if number == self._token:
                self._end(STOPPED)
            case protocol.Failed(number=number) if number == self._token:
                self._end(reply.sentence[:1].upper() + reply.sentence[1:])

    def _end(self, error: str) -> None:
        self._token = self._cancelled_at = None
        self.state.job = None
        if error:
            self._plan.not_fetched(self._source, error)
            self.state.message = Message(error, "error" if error != STOPPED else "info")
        else:
            self._plan.fetched(self._source, self._name)
