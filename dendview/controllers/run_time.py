"""Measures the run time of the solve on the open cell, in the engine's process."""

import time
from collections.abc import Callable
from dataclasses import replace

from dendview.controllers.run import CANCEL_PATIENCE, STARTING, RunController
from dendview.state import AppState, Cell, Job, Message
from dendview.worker import protocol
from dendview.worker.interface import Worker
from dendview.worker.protocol import Reply
from engine.experiment import Experiment
from engine.experiments import timings
from engine.experiments.step_system import passive_step
from engine.experiments.timings import RunTimes
from engine.types import NodeSet

Key = tuple[NodeSet, int, tuple[object, ...]]
"""Nodes, threads and spines: what a result depends on, besides the cell."""


def spiny(experiment: Experiment | None) -> Experiment | None:
    """The experiment, if it has spines."""
    has = experiment is not None and (experiment.spines or experiment.spine_density)
    return experiment if has else None


class RunTimeController:
    """Starts, follows and ends a measurement; call :meth:`poll` about 30 times a second.

    Replaces ``run_times``, ``job`` and ``message``. Results are kept until another cell is opened
    and shown where nodes, threads and spines are those they were measured with.
    """

    def __init__(
        self,
        state: AppState,
        worker: Worker,
        run: RunController,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.state = state
        self._worker, self._run, self._clock = worker, run, clock
        self._results: dict[Key, RunTimes] = {}
        self._cell: Cell | None = state.cell
        self._token: int | None = None  # of the measurement that goes on
        self._key = self._now()  # what it measures
        self._begin = 0.0
        self._cancelled_at: float | None = None
        run.listeners.append(self._take)
        events = state.events
        for event in (events.cell, events.nodes, events.n_threads, events.experiment):
            event.connect(self._show)

    @property
    def measuring(self) -> bool:
        return self._token is not None

    def _now(self) -> Key:
        state, given = self.state, spiny(self.state.experiment)
        spines = () if given is None else (given.spines, given.spine_density)
        return state.nodes, state.n_threads, spines

    def start(self) -> None:
        """Measure the open cell, with the spines of its experiment, by the schedule's threads."""
        state = self.state
        if state.cell is None:
            state.message = Message("Open a cell before you measure its run time.", "warning")
            return
        if state.job is not None or self._token is not None:
            text = "Something else is being computed; wait for it or cancel it, then measure."
            state.message = Message(text, "warning")
            return
        self._run.warm()
        starting = state.engine == STARTING
        tree = state.cell.trees[state.nodes]
        job = timings.Job(
            state.cell.morphology.name,
            passive_step(tree),
            state.n_threads,
            experiment=spiny(state.experiment),
            nodes=state.nodes,
        )
        self._token, self._key = self._run.next_token(), self._now()
        self._begin, self._cancelled_at = self._clock(), None
        self._results.pop(self._key, None)
        self._show()
        state.message = None
        state.job = Job(
            f"Run time: {'the engine is starting' if starting else 'compiling'}…", kind="run_time"
        )
        self._worker.send(protocol.Measure(self._token, job))

    def cancel(self) -> None:
        """Stop measuring; what is measured is kept."""
        if self._token is None or self._cancelled_at is not None:
            return
        self._cancelled_at = self._clock()
        job = self.state.job or Job("", kind="run_time")
        self.state.job = replace(job, text="Stopping…", remaining=None, cancelling=True)
        self._worker.send(protocol.Cancel(self._token))

    def drop(self) -> None:
        """The engine is gone or about to: what is measured is kept."""
        if self.measuring:
            self._end(None)

    def poll(self) -> None:
        """End an engine that does not hear a cancel."""
        late = self._cancelled_at is not None
        if late and self._clock() - (self._cancelled_at or 0.0) > CANCEL_PATIENCE:
            self._end(self._stopped())
            self._run.restart()

    def _take(self, reply: Reply) -> None:
        match reply:
            case protocol.Stopped():
                self.drop()
            case protocol.Ready() if self.measuring and self._cancelled_at is None:
                self.state.job = Job("Run time: compiling…", kind="run_time")
            case (
                protocol.Measured(number=number)
                | protocol.Finished(number=number)
                | protocol.Cancelled(number=number)
                | protocol.Failed(number=number)
            ) if number == self._token:
                self._take_of_measurement(reply)

    def _take_of_measurement(self, reply: Reply) -> None:
        match reply:
            case protocol.Measured(progress=progress):
                self._results[self._key] = progress.result
                self._show()
                if self._cancelled_at is None:
                    self.state.job = self._job(progress)
            case protocol.Finished():
                self._end(Message("Run time measured.", "done"))
            case protocol.Cancelled():
                self._end(self._stopped())
            case protocol.Failed():
                self._end(Message(reply.sentence, "error", reply.details))

    def _job(self, progress: timings.Progress) -> Job:
        elapsed, done = self._clock() - self._begin, progress.fraction
        known = elapsed > 1.0 and done > 0.05
        remaining = elapsed * (1 / done - 1) if known else None
        return Job(f"Run time: {progress.text}", done, remaining, kind="run_time")

    def _stopped(self) -> Message:
        result = self._results.get(self._key)
        if result is None or not result.measured_sizes:
            return Message("Stopped before anything was measured.", "warning")
        return Message("Stopped; what was measured is kept.", "warning")

    def _end(self, message: Message | None) -> None:
        self._token = self._cancelled_at = None
        self.state.job = None
        if message is not None:
            self.state.message = message

    def _show(self, *_: object) -> None:
        """The result of the tree and threads that are open; another cell begins anew."""
        state = self.state
        if state.cell is not self._cell:
            if self._token is not None:
                self._worker.send(protocol.Cancel(self._token))
                self._end(None)
            self._cell, self._results = state.cell, {}
        state.run_times = self._results.get(self._now())
