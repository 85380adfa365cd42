"""Training lab: start, follow, pause, steer and resume trainings; find those of earlier days."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

from dendview.controllers.run import CANCEL_PATIENCE, STARTING, RunController
from dendview.state import AppState, Job, Message
from dendview.training import (
    NOTHING_CHOSEN,
    TrainingRun,
    TrainingState,
    find_run,
)
from dendview.training_folders import (
    at_checkpoint,
    earlier_runs,
    folder_name,
    found_run,
    last_number,
    trainings_folder,
)
from dendview.training_news import begun, grown, kept_message, waiting_message
from dendview.wording import number as number_text
from dendview.worker import protocol
from dendview.worker.interface import Worker
from dendview.worker.protocol import Reply
from engine.errors import UserError
from engine.experiments.hpc_net.spec import bad_rate
from engine.exporting.training_run import Order, read_folder

KIND: Literal["training"] = "training"
Wish = Literal["paused", "stopped"]


class TrainingController:
    """Replaces ``training_runs``, ``training_shown``; call :meth:`poll` about 30 times a second.

    Parameters
    ----------
    state, worker, run
    clock
        Seconds.
    home
        Folder that gets a folder for each training.
    """

    def __init__(
        self,
        state: AppState,
        worker: Worker,
        run: RunController,
        clock: Callable[[], float] = time.monotonic,
        home: Callable[[], Path] | None = None,
    ) -> None:
        self.state = state
        self.home = home or trainings_folder
        self._worker, self._run, self._clock = worker, run, clock
        self._token: int | None = None  # of the training that goes on
        self._number = 0  # of that training
        self._wish: Wish = "stopped"  # what a cancel was for
        self._cancelled_at: float | None = None
        self._saving = False
        self._searched = False
        run.listeners.append(self._take)
        state.events.perspective.connect(self._on_perspective)

    # What a person does

    @property
    def running(self) -> bool:
        return self._token is not None

    def start(self) -> None:
        """Train what is planned, from the beginning."""
        state = self.state
        plan, data = state.training_plan, state.training_data
        if plan is None or data is None:
            state.message = Message("Choose what to learn from first.", "warning")
            return
        if data.state != "ready":
            text = data.error or "The images are not there yet; choose others, or wait for them."
            state.message = Message(text, "warning")
            return
        if self._busy():
            return
        number = self._next_number()
        folder = self.home() / folder_name(plan, number)
        run = TrainingRun(number, plan, str(folder), rate=plan.learning.rate)
        state.training_runs = (*state.training_runs, run)
        self._begin(number, resume=False)

    def resume(
        self, number: int | None = None, rate: float | None = None, batch: int | None = None
    ) -> None:
        """Go on from the checkpoint of a training, with another rate or batch if given."""
        run = find_run(self.state.training_runs, self._or_shown(number))
        if run is None or not run.can_resume or self._busy():
            return
        wanted = run.rate_wanted if rate is None else rate
        self._begin(run.number, resume=True, rate=wanted, batch=batch)

    def resume_smaller(self, number: int | None = None) -> None:
        """Go on after the memory was too small, with batches of half the size."""
        run = find_run(self.state.training_runs, self._or_shown(number))
        if run is not None:
            self.resume(run.number, batch=max(run.training.learning.batch // 2, 1))

    def train_longer(self, epochs: int) -> None:
        """Let the shown training have so many epochs; it goes on when it is resumed."""
        run = self.shown
        if run is None or run.number == self._active or epochs <= run.n_epoch:
            return
        learning = replace(run.training.learning, epochs=epochs)
        state: TrainingState = "paused" if run.state == "done" else run.state
        training = replace(run.training, learning=learning)
        fraction = run.at / epochs
        self._replace(replace(run, training=training, state=state, fraction=fraction))

    def pause(self) -> None:
        """Save a checkpoint and let the engine free; :meth:`resume` goes on with the same bits."""
        self._end_soon("paused", "Pausing…")

    def stop(self) -> None:
        """End the training; its checkpoint is saved all the same. At once, if that takes long."""
        if (job := self.state.job) is not None and job.late:
            self.end_now()
        else:
            self._end_soon("stopped", "Stopping…")

    def end_now(self) -> None:
        """End the engine under a training that is to end: what its checkpoint has not is lost."""
        if self._cancelled_at is not None:
            self._end(self._wish, self._kept("Stopped"))
            self._run.restart()

    def save(self) -> None:
        """Write a checkpoint now."""
        if self._token is not None:
            self._saving = True
            self._worker.send(protocol.Steer(self._token, Order(save=True)))

    def set_rate(self, rate: float) -> bool:
        """Change the rate of the shown training while it runs, or before it goes on."""
        run = self.shown
        if run is None:
            return False
        if not 0 < rate < float("inf"):
            self.state.message = Message(str(bad_rate(rate)), "error")
            return False
        if rate == (run.rate_wanted or run.rate):
            return True
        if run.number == self._active and self._token is not None:
            self._worker.send(protocol.Steer(self._token, Order(rate=rate)))
            self._replace(replace(run, rate=rate))
        elif run.can_resume:
            self._replace(replace(run, rate_wanted=rate))
        return True

    def show(self, number: int) -> None:
        """Bring a training to the front."""
        state = self.state
        if find_run(state.training_runs, number) is not None and state.training_shown != number:
            state.training_shown, state.training_choice = number, NOTHING_CHOSEN

    def discard(self, number: int) -> None:
        """Forget a training that does not run; its folder stays."""
        state = self.state
        if number == self._active:
            return
        left = tuple(run for run in state.training_runs if run.number != number)
        if state.training_shown == number:
            state.training_shown = left[-1].number if left else None
            state.training_choice = NOTHING_CHOSEN
        state.training_runs = left

    def open_folder(self, folder: Path) -> None:
        """Open a training of another place.

        Raises
        ------
        UserError
            If the folder holds none.
        """
        state = self.state
        known = next((r for r in state.training_runs if Path(r.folder) == folder), None)
        if known is None:
            known = found_run(folder, self._next_number())
            state.training_runs = (*state.training_runs, known)
        self.show(known.number)

    def find_earlier(self) -> None:
        """Bring back the trainings of earlier days, once."""
        if self._searched:
            return
        self._searched = True
        state = self.state
        found = earlier_runs(self.home(), {Path(run.folder) for run in state.training_runs})
        mine = {run.number for run in state.training_runs}
        if earlier := tuple(run for run in found if run.number not in mine):
            state.training_runs = (*earlier, *state.training_runs)
            if state.training_shown is None:
                self.show(earlier[-1].number)

    # Running

    @property
    def shown(self) -> TrainingRun | None:
        return find_run(self.state.training_runs, self.state.training_shown)

    @property
    def _active(self) -> int | None:
        return self._number if self._token is not None else None

    def poll(self) -> None:
        """Say what an end waits for: a batch may take minutes where currents are computed."""
        late, job = self._cancelled_at, self.state.job
        if late is None or job is None or job.late or self._clock() - late <= CANCEL_PATIENCE:
            return
        run = self._find(self._number)
        if run.phase == "preparing":  # nothing is lost
            self.end_now()
            return
        self.state.job = replace(job, text=f"{job.text.rstrip('…')} after this batch…", late=True)
        self.state.message = waiting_message(run)

    def close(self) -> None:
        """Let a checkpoint be saved before the engine ends with the window; waits for a moment."""
        if self._token is None or self._find(self._number).phase == "preparing":
            return
        self.pause()
        end = self._clock() + CANCEL_PATIENCE
        while self._token is not None and self._clock() < end:
            time.sleep(0.005)
            self._run.poll()

    def drop(self) -> None:
        """The engine is gone or about to be: all that is on disk is kept."""
        if self._token is not None:
            self._end("stopped", None)

    def _or_shown(self, number: int | None) -> int | None:
        return self.state.training_shown if number is None else number

    def _next_number(self) -> int:
        mine = max((run.number for run in self.state.training_runs), default=0)
        return max(mine, last_number(self.home())) + 1

    def _busy(self) -> bool:
        if self.state.job is None and self._token is None:
            return False
        text = "Something else is being computed; wait for it or cancel it first."
        self.state.message = Message(text, "warning")
        return True

    def _begin(
        self, number: int, resume: bool, rate: float | None = None, batch: int | None = None
    ) -> None:
        state = self.state
        run = self._find(number)
        self._run.warm()
        self._token, self._number = self._run.next_token(), number
        self._cancelled_at, self._wish, self._saving = None, "stopped", False
        training = run.training
        if batch is not None:
            training = replace(training, learning=replace(training.learning, batch=batch))
        state.playing, state.message = "", None
        self._replace(begun(run, training))
        self.show(number)
        starting = state.engine == STARTING
        text = "the engine is starting" if starting else "the network is prepared"
        state.job = Job(f"Training {number}: {text}…", kind=KIND)
        self._worker.send(
            protocol.Train(
                self._token, run.training, run.folder, resume, rate, batch, state.backend
            )
        )

    def _end_soon(self, wish: Wish, text: str) -> None:
        if self._token is None or self._cancelled_at is not None:
            return
        self._cancelled_at, self._wish = self._clock(), wish
        job = self.state.job or Job("", kind=KIND)
        self.state.job = replace(job, text=text, remaining=None, cancelling=True)
        self._worker.send(protocol.Cancel(self._token))

    # What the engine says

    def _take(self, reply: Reply) -> None:
        match reply:
            case protocol.Stopped():
                self._engine_gone(reply)
            case protocol.Trained(number=number) if number == self._token:
                self._grow(reply)
            case protocol.Finished(number=number) if number == self._token:
                self._finished()
            case protocol.Cancelled(number=number) if number == self._token:
                self._end(self._wish, self._kept(self._wish.capitalize()))
            case protocol.Failed(number=number) if number == self._token:
                self._failed(reply)

    def _grow(self, news: protocol.Trained) -> None:
        before = self._find(self._number)
        run = grown(before, news)
        self._replace(run)
        if self._saving and news.saved is not None and news.saved != before.saved:
            self._saving = False
            self.state.message = Message(f"Checkpoint saved at epoch {news.saved:.2f}.", "done")
        elif news.warning and not before.warning:
            self.state.message = Message(f"{news.warning}; the training goes on.", "warning")
        if self._cancelled_at is None:
            of = run.training.learning.epochs
            text = f"Training {run.number}: epoch {min(run.n_epoch + 1, of)} of {of}"
            self.state.job = Job(text, news.fraction, run.remaining, kind=KIND)

    def _finished(self) -> None:
        run = self._find(self._number)
        if run.trouble:
            text = f"Training {run.number} is paused: {_small(run.why)}."
            self._end(
                "paused", Message(text, "error", action="resume_training", training=run.number)
            )
            return
        accuracy = "" if run.test_accuracy is None else f": test {100 * run.test_accuracy:.2f} %"
        self._end("done", Message(f"Training {run.number} is done{accuracy}", "done"))

    def _failed(self, reply: protocol.Failed) -> None:
        if reply.kind != "memory":
            self._end("failed", Message(_capital(reply.sentence), "error", reply.details))
            return
        run = self._find(self._number)
        batch = run.training.learning.batch
        self._replace(replace(run, trouble="memory"))
        text = f"A batch of {number_text(batch)} samples does not fit into the memory"
        if batch == 1:
            self._end("failed", Message(f"{text}; take fewer hidden neurons.", "error"))
            return
        text += f"; the training is paused and can go on with {number_text(batch // 2)}."
        self._end("paused", Message(text, "error", reply.details, "halve_batch", run.number))

    def _engine_gone(self, reply: protocol.Stopped) -> None:
        if self._token is not None:
            late = self._cancelled_at is not None
            if not late:
                self._replace(replace(self._find(self._number), trouble="engine"))
            why = "Stopped" if late else reply.sentence
            self._end("stopped", self._kept(why, reply.details))

    def _kept(self, why: str, details: str = "") -> Message:
        """What is left of a training that has ended early."""
        return kept_message(self._read(self._find(self._number)), why, details)

    def _read(self, run: TrainingRun) -> TrainingRun:
        """The run as its checkpoint has it; as it is where there is none."""
        try:
            _, state = read_folder(Path(run.folder))
        except UserError:
            return run
        if state is not None:
            run = at_checkpoint(run, state)
            self._replace(run)
        return run

    def _end(self, how: TrainingState, message: Message | None) -> None:
        run = self._read(self._find(self._number))
        self._token = self._cancelled_at = None
        why = "" if message is None or how == "done" else message.text
        if run.n_epoch >= run.training.learning.epochs and how != "failed":
            how, why = "done", ""
        self._replace(replace(run, state=how, remaining=None, samples_per_second=0.0, why=why))
        self.state.job = None
        if message is not None:
            self.state.message = message

    # Small things

    def _on_perspective(self, perspective: str) -> None:
        if perspective == "training":
            self.find_earlier()

    def _find(self, number: int) -> TrainingRun:
        run = find_run(self.state.training_runs, number)
        assert run is not None  # a training that goes on is never discarded
        return run

    def _replace(self, run: TrainingRun) -> None:
        runs = self.state.training_runs
        self.state.training_runs = tuple(run if r.number == run.number else r for r in runs)


def _small(text: str) -> str:
    return text[:1].lower() + text[1:]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".")
