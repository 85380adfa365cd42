"""Runs from the button to the saved recording, over the engine's process."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import cast

from dendview.controllers.active_run import ActiveRun, RunState
from dendview.runs import (
    Less,
    engine_kind,
    estimate,
    kept_interval,
    kept_less,
    seconds_text,
    shortage,
    shown_run,
    speed_key,
    ways_out,
    with_probe,
)
from dendview.state import KEEP_ALL, Action, AppState, Job, Message, Run
from dendview.worker import protocol
from dendview.worker.interface import Worker
from dendview.worker.protocol import Reply
from engine.errors import UserError
from engine.experiment import Experiment
from engine.model import Model
from engine.morphology.model import Morphology
from engine.recording import RecordingBuilder
from engine.types import BackendName
from engine.validation import free_memory

PUBLISH_INTERVAL = 0.05
"""Seconds between two replacements of the growing run: 20 drawings a second at most."""
MAX_PUBLISH_INTERVAL = 0.3
"""The same where drawing is slow, so that half of the time is left for the person."""
CANCEL_PATIENCE = 2.0
"""Seconds a run may take to end after a cancel; then its process is ended."""
STARTING = "Engine starting…"


class RunController:
    """Starts, follows and ends runs; call :meth:`poll` about 30 times a second.

    Replaces ``runs``, ``shown_run``, ``job``, ``message``, ``engine``, ``preflight`` and, while a
    run grows, ``time``.
    """

    def __init__(
        self,
        state: AppState,
        worker: Worker,
        clock: Callable[[], float] = time.monotonic,
        free: Callable[[], int | None] = free_memory,
    ) -> None:
        self.state = state
        self._worker, self._clock, self._free_memory = worker, clock, free
        self._active: ActiveRun | None = None
        self._last_number = self._last_token = 0
        self._morphology: Morphology | None = None
        self._polled, self._slowness = clock(), 0.0  # s; the longest time between two polls lately
        self._rate: float | None = None  # s per compartment and step, of the warm-up
        self._rate_of = ""  # the engine of the warm-up
        self._rates: dict[tuple[str, ...], float] = {}  # by engine and mechanisms, of real runs
        self._refused: Experiment | None = None  # what was given to the last run
        self.last: tuple[int, BackendName] = 0, "auto"  # token and wanted engine of the last run
        self._told = ""  # why the CPU took a run, as it was told last
        self.listeners: list[Callable[[Reply], None]] = []  # hear all that the engine says
        self.restarting: list[Callable[[], None]] = []  # called where the engine is ended
        events = state.events
        for event in (events.cell, events.experiment, events.keeping, events.engine):
            event.connect(self._on_change)
        self._on_change()

    # What a person does

    def warm(self) -> None:
        """Start the engine while the window opens."""
        if not self._worker.alive:
            self.state.engine = STARTING
            self._worker.start()

    def start(self, given: Experiment | None = None, backend: BackendName | None = None) -> None:
        """Run the experiment, or another one of the open cell in the same compartments.

        On the chosen engine, unless another one is asked for.
        """
        state = self.state
        if state.cell is None or state.experiment is None:
            state.message = Message("Open a cell before you run.", "warning")
            return
        if self._active is not None:
            return
        experiment, self._refused = given or state.experiment, given
        needed = estimate(state.cell, experiment, keeping=state.keeping)
        if why := shortage(needed, self._free_memory()):
            state.message = Message(why, "error", action="keep_less")
            return
        self.warm()
        self._last_number += 1
        number, token = self._last_number, self.next_token()
        self.last = token, backend or state.backend
        self._active = ActiveRun(number, token, experiment, given=given is not None)
        state.playing, state.message = "", None
        what = "the engine is starting" if state.engine == STARTING else "building the model"
        state.job = Job(f"Run {number}: {what}…")
        asked = with_probe(experiment, state.cell)
        asked = replace(asked, frame_interval=kept_interval(asked, state.keeping))
        self._worker.send(protocol.Run(token, asked, self.last[1]))

    def keep_less(self, how: Less) -> None:
        """Keep every 4th sample and frame, no frames, or all of it on disk; then run."""
        self.state.keeping = kept_less(self.state.keeping, how)
        if self.state.experiment is not None:
            self.start(self._refused)

    def ways_out(self) -> tuple[Less, ...]:
        """What of :meth:`keep_less` helps the run that did not fit."""
        cell, experiment = self.state.cell, self._refused or self.state.experiment
        if cell is None or experiment is None:
            return ()
        return ways_out(cell, experiment, self.state.keeping, self._free_memory())

    def run_on_cpu(self) -> None:
        """Run what did not fit into a GPU's memory on the CPU, this once."""
        self.start(self._refused, "cpu")

    def next_token(self) -> int:
        """A number for a piece of work on the pipe, never used twice."""
        self._last_token += 1
        return self._last_token

    def cancel(self) -> None:
        """Stop the run; what is done of it is kept."""
        if (active := self._active) is None or active.cancelled_at is not None:
            return
        active.cancelled_at = self._clock()
        job = self.state.job or Job("")
        self.state.job = replace(job, text="Stopping…", remaining=None, cancelling=True)
        self._worker.send(protocol.Cancel(active.token))

    def restart(self) -> None:
        """End the engine's process, whatever it does, and start another."""
        if self._active is not None:
            self._end("cancelled")
        self.state.message = Message("Engine restarting…")
        self._restart()

    def _restart(self) -> None:
        for forget in self.restarting:
            forget()
        self.state.engine = STARTING
        self._worker.restart()

    def discard(self, number: int) -> None:
        """Forget a run that is over."""
        if self._active is not None and self._active.number == number:
            return
        state = self.state
        left = tuple(run for run in state.runs if run.number != number)
        if state.shown_run == number:
            state.shown_run = left[-1].number if left else None
        if len(left) < len(state.runs):
            state.runs = left
            state.message = Message(f"Run {number} discarded.")

    def show(self, number: int) -> None:
        """Bring a run to the front."""
        if any(run.number == number for run in self.state.runs):
            self.state.shown_run = number
            self.set_time(self.state.time)

    def set_time(self, time: float) -> None:
        """Go to a time of the shown run; a growing run no longer takes the cursor along."""
        if (run := shown_run(self.state)) is None:
            return
        if self._active is not None:
            self._active.follow = False
        end = float(run.recording.time[-1]) if len(run.recording.time) else 0.0
        self.state.time = min(max(float(time), 0.0), end)

    def toggle_play(self) -> None:
        """Play the shown run, from the start where it is at its end; or pause."""
        run = shown_run(self.state)
        if self.state.playing == "run" or run is None or not len(run.recording.time):
            self.state.playing = ""
            return
        if self.state.time >= run.recording.time[-1]:
            self.set_time(0.0)
        self.state.playing = "run"

    def close(self) -> None:
        """End the engine with the window."""
        self._active = None
        self._worker.close()

    # What the engine says

    def poll(self) -> None:
        """Take in what the engine said; quick, and never waits."""
        now = self._clock()
        self._slowness = max(now - self._polled, 0.9 * self._slowness)
        self._polled = now
        for reply in self._worker.poll():
            self._take(reply)
            for listener in self.listeners:
                listener(reply)
        if (active := self._active) is None:
            return
        interval = min(max(PUBLISH_INTERVAL, 2 * self._slowness), MAX_PUBLISH_INTERVAL)
        if active.cancelled_at is not None and now - active.cancelled_at > CANCEL_PATIENCE:
            self._restart()
            self._end("cancelled")
        elif active.fresh and now - active.published >= interval:
            self._publish(now)

    def _take(self, reply: Reply) -> None:
        match reply:
            case protocol.Ready(engine, rate, no_gpu):
                self._rate, self._rate_of = rate, engine_kind(engine)
                self.state.engine, self.state.no_gpu = engine, no_gpu
                self._on_change()
                if (active := self._active) is not None and active.cancelled_at is None:
                    self.state.job = Job(f"Run {active.number}: building the model…")
                if self.state.message == Message("Engine restarting…"):
                    self.state.message = Message("Engine restarted.", "done")
            case protocol.Stopped():
                self._stopped(reply)
            case (
                protocol.Compiling(number=number)
                | protocol.Started(number=number)
                | protocol.Grown(number=number)
                | protocol.Finished(number=number)
                | protocol.Cancelled(number=number)
                | protocol.Failed(number=number)
            ) if self._active is not None and self._active.token == number:
                self._take_of_run(self._active, reply)

    def _take_of_run(self, active: ActiveRun, reply: Reply) -> None:
        match reply:
            case protocol.Compiling():
                if active.cancelled_at is None:
                    self.state.job = Job(f"Run {active.number}: compiling…")
            case protocol.Started():
                self._started(active, reply)
            case protocol.Grown(chunk=chunk):
                if active.builder is not None:
                    active.builder.append(chunk)
                    active.fresh = True
            case protocol.Finished():
                self._learn(active, reply.seconds)
                self._end("done", reply.seconds)
            case protocol.Cancelled():
                self._end("cancelled", reply.seconds)
            case protocol.Failed():
                self._failed(reply)

    def _started(self, active: ActiveRun, started: protocol.Started) -> None:
        active.started, active.begin = started, self._clock()
        state, keeping = self.state, self.state.keeping
        model = cast(Model, started)  # it has what the builder asks for
        try:
            active.builder = RecordingBuilder(model, keeping.every, keeping.on_disk)
            active.builder.engine = started.engine
        except (MemoryError, UserError) as error:
            self._worker.send(protocol.Cancel(active.token))
            text = str(error) or "there is not enough memory for the samples of this run"
            self._end("failed", message=Message(text, "error", action="keep_less"))
            return
        state.engine, state.engine_note = started.engine, started.note
        state.runs = (*state.runs, self._run(active, "running"))
        state.shown_run, state.time = active.number, 0.0
        state.color_by = "voltage"
        if active.cancelled_at is None:
            state.job = Job(f"Run {active.number}: 0 of {active.experiment.duration:g} ms", 0.0)

    def _publish(self, now: float) -> None:
        """Let the views see how far the run is."""
        active, state = self._active, self.state
        assert active is not None
        assert active.builder is not None
        active.published, active.fresh = now, False
        self._replace(run := self._run(active, "running", seconds=now - active.begin))
        done = active.builder.fraction
        if active.cancelled_at is None:
            elapsed = now - active.begin
            remaining = elapsed * (1 / done - 1) if elapsed > 0.5 and done > 0 else None
            duration = active.experiment.duration
            text = f"Run {active.number}: {done * duration:.0f} of {duration:g} ms"
            state.job = Job(text, done, remaining)
        if active.follow and state.shown_run == active.number and len(run.recording.time):
            state.time = float(run.recording.time[-1])

    def _end(self, how: RunState, seconds: float = 0.0, message: Message | None = None) -> None:
        """The run is over: keep what there is of it and say so."""
        active, state = self._active, self.state
        assert active is not None
        self._active = None
        end = 0.0
        if active.builder is not None:
            seconds = seconds or self._clock() - active.begin
            run = self._run(active, how, seconds=seconds, message=message.text if message else "")
            if len(run.recording.time):
                end = float(run.recording.time[-1])
                self._replace(run)
                if active.follow and state.shown_run == active.number:
                    state.time = end
            else:
                self._drop(active.number)
        if message is None and how == "done":
            message = self._done(active, seconds)
        elif message is None and end > 0:
            text = f"Stopped at {end:.1f} ms — kept as partial Run {active.number}"
            message = Message(text, "warning", action="discard_run")
        elif message is None:
            message = Message("Stopped before the first step; nothing was kept.", "warning")
        state.job = None
        state.message = message

    def _done(self, active: ActiveRun, seconds: float) -> Message:
        """A run is whole; where it fell back to the CPU that is told, once for each reason."""
        text = f"Done in {seconds_text(seconds)} · saved as Run {active.number}"
        started = active.started
        note = started.note if started and engine_kind(started.engine) == "CPU" else ""
        if not note or note == self._told:
            return Message(text, "done")
        self._told = note
        return Message(f"{text}, on the CPU", "done", f"{note}.")

    def _failed(self, failed: protocol.Failed) -> None:
        actions: dict[str, Action] = {
            "unstable": "halve_dt", "memory": "keep_less", "defect": "restart_engine",
        }  # fmt: skip
        action: Action = "use_cpu" if failed.on_device else actions.get(failed.kind, "")
        assert self._active is not None
        text = self._active.memory_text(failed) if failed.kind == "memory" else failed.sentence
        self._end("failed", message=Message(text, "error", failed.details, action))

    def _stopped(self, stopped: protocol.Stopped) -> None:
        """The engine's process is gone; the window and what it has of the run stay."""
        self.state.engine = "Engine stopped"
        message = Message(stopped.sentence, "error", stopped.details, "restart_engine")
        if self._active is None:
            self.state.message = message
        elif self._active.cancelled_at is not None:
            self._end("cancelled")
        else:
            self._end("failed", message=message)

    # Small things

    def _run(
        self, active: ActiveRun, how: RunState, seconds: float = 0.0, message: str = ""
    ) -> Run:
        assert active.builder is not None
        recording = active.builder.recording()
        run = Run(active.number, active.experiment, recording, how, seconds, message)
        return replace(run, given=active.given)

    def _replace(self, run: Run) -> None:
        runs = self.state.runs
        self.state.runs = tuple(run if old.number == run.number else old for old in runs)

    def _drop(self, number: int) -> None:
        self.state.runs = tuple(run for run in self.state.runs if run.number != number)
        if self.state.shown_run == number:
            self.state.shown_run = self.state.runs[-1].number if self.state.runs else None

    def _abandon(self) -> None:
        """Forget the run that goes on; nobody waits for it."""
        if self._active is not None:
            self._worker.send(protocol.Cancel(self._active.token))
            self._active = None
            self.state.job = None

    def _learn(self, active: ActiveRun, seconds: float) -> None:
        """Remember how fast runs of this kind are."""
        if (started := active.started) is not None and seconds > 0.05:
            work = started.tree.n_comp * started.n_step
            self._rates[speed_key(started.engine, active.experiment)] = seconds / work
            self._on_change()

    def _on_change(self, _: object = None) -> None:
        """Another cell ends its run; any change makes another estimate."""
        cell, experiment = self.state.cell, self.state.experiment
        morphology = None if cell is None else cell.morphology
        if morphology is not self._morphology:
            self._morphology, self._last_number = morphology, 0
            self.state.keeping = KEEP_ALL
            self._abandon()
        if cell is None or experiment is None:
            self.state.preflight = ""
            return
        device = engine_kind(self.state.engine)
        warm = self._rate if self._rate_of == device else None
        rate = self._rates.get(speed_key(device, experiment), warm)
        keeping = self.state.keeping
        self.state.preflight = str(estimate(cell, experiment, rate, device, keeping))
