"""Inside the engine's process: take commands from the pipe, send what the runs give.

A listening thread takes the commands, so that a cancel or the end of the pipe is noticed while the
engine is busy; the main thread runs one experiment after the other.
"""

import faulthandler
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import Protocol, assert_never

import numpy as np

from dendview.worker.learning import examine, fetch, train
from dendview.worker.protocol import (
    Cancel,
    Cancelled,
    Checked,
    CheckOrders,
    Command,
    Compiling,
    Examine,
    Failed,
    FailureKind,
    FetchData,
    Finished,
    Grown,
    Measure,
    Measured,
    Ping,
    Pong,
    Ready,
    Reply,
    Run,
    RunStudy,
    Shutdown,
    Started,
    Steer,
    Studied,
    Train,
    Tried,
    TriedSpines,
    TryEngine,
    TrySpines,
    Work,
)
from engine.errors import OutOfDeviceMemoryError, UnstableError, UserError
from engine.experiment import Experiment
from engine.experiments import robustness, timings
from engine.experiments.spike_probability import Progress
from engine.exporting.training_run import Kept, Order
from engine.recording import Chunk
from engine.types import BackendName

SEND_INTERVAL = 1 / 30
"""Seconds between two chunks on the pipe; smaller pieces are joined."""


@dataclass(frozen=True)
class Opened:
    """A run that is ready to step: what :class:`Started` tells, and its chunks.

    ``ran_on`` names what took the first steps, and why; asked after the first chunk.
    """

    started: Started
    chunks: Iterator[Chunk]
    ran_on: Callable[[], tuple[str, str]] | None = None


class Engine(Protocol):
    """What this process needs of an engine."""

    def warm(self) -> Ready:
        """Compile or load what every run needs."""

    def open(self, number: int, experiment: Experiment, backend: BackendName) -> Opened:
        """Build the model of an experiment."""

    def measure(self, job: timings.Job) -> Iterator[timings.Progress]:
        """Measure the run time of the solve."""

    def check_orders(self, number: int, experiment: Experiment) -> Checked:
        """Solve serially and in the order of the schedule."""

    def try_out(self, number: int) -> Tried:
        """Look for a GPU and try it."""

    def study(self, work: RunStudy) -> Iterator[Progress]:
        """Run what is missing of a study."""

    def try_spines(self, work: TrySpines) -> TriedSpines:
        """What the spines of a study do to its cell."""

    def train(self, work: Train) -> Generator[Kept, Order | None, None]:
        """Train a network, and keep what comes out."""

    def fetch(self, work: FetchData) -> Iterator[float]:
        """Fetch a data set; yields which part of it is there."""

    def examine(self, work: Examine) -> Generator[robustness.Progress, None, None]:
        """Disturb the images of a training, and ask its network and others."""


def serve(connection: Connection, load: Callable[[], Engine], log: str) -> None:
    """Answer the window until the pipe closes; the target of the process.

    Parameters
    ----------
    connection
        This side of the pipe.
    load
        Makes the engine; imports happen in it, so that the pipe listens from the first moment.
    log
        Path of a file that takes what would go to the terminal, for a report after a crash.
    """
    _redirect_stderr(log)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the window's to answer
    line = _Line(connection)
    engine = load()
    line.send(engine.warm())
    while True:
        _work(line, engine, line.work.get())


class _Line:
    """The pipe with a thread that listens to it."""

    def __init__(self, connection: Connection) -> None:
        self.work: queue.SimpleQueue[Work] = queue.SimpleQueue()
        self._connection = connection
        self._cancelled: set[int] = set()
        self._orders: queue.SimpleQueue[Steer] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._pongs: queue.SimpleQueue[Pong] = queue.SimpleQueue()
        threading.Thread(target=self._listen, name="listener", daemon=True).start()
        threading.Thread(target=self._answer, name="pongs", daemon=True).start()

    def send(self, reply: Reply) -> None:
        """Send; blocks while the pipe is full, which is what slows a run down to the window."""
        try:
            with self._lock:
                self._connection.send(reply)
        except OSError:
            os._exit(0)  # the window is gone

    def cancelled(self, number: int) -> bool:
        return number in self._cancelled

    def orders(self, number: int) -> list[Order]:
        """What was asked of a piece of work since the last call."""
        found = []
        while not self._orders.empty():
            steer = self._orders.get()
            if steer.number == number:
                found.append(steer.order)
        return found

    def _listen(self) -> None:
        while True:
            try:
                command: Command = self._connection.recv()
            except (EOFError, OSError):
                os._exit(0)  # the window is gone, or it closed the pipe
            match command:
                case Steer():
                    self._orders.put(command)
                case Cancel(number):
                    self._cancelled.add(number)
                case Ping(token):
                    self._pongs.put(Pong(token))
                case Shutdown():
                    os._exit(0)
                case _:
                    self.work.put(command)

    def _answer(self) -> None:
        while True:
            self.send(self._pongs.get())


def _work(line: _Line, engine: Engine, work: Work) -> None:
    """One piece of work from its beginning to its end; whatever goes wrong becomes a reply."""
    number, begin = work.number, time.perf_counter()
    try:
        if not line.cancelled(number):
            match work:
                case Run():
                    begin = _run(line, engine, work)
                case Measure():
                    _measure(line, engine, work)
                case TryEngine():
                    line.send(engine.try_out(number))
                    return
                case CheckOrders():
                    line.send(engine.check_orders(number, work.experiment))
                    return
                case RunStudy():
                    _study(line, engine, work)
                case TrySpines():
                    line.send(engine.try_spines(work))
                    return
                case Train():
                    line.send(Compiling(number))
                    train(line, work.number, engine.train(work))
                case FetchData():
                    fetch(line, work.number, engine.fetch(work))
                case Examine():
                    examine(line, work.number, engine.examine(work))
                case _:
                    assert_never(work)
        seconds = time.perf_counter() - begin
        line.send((Cancelled if line.cancelled(number) else Finished)(number, seconds))
    except Exception as error:
        line.send(_failure(number, error))


def _run(line: _Line, engine: Engine, run: Run) -> float:
    """An experiment from its model to its last chunk; when the stepping began.

    The first chunk compiles; it is waited for before the clock of the stepping starts.
    """
    number = run.number
    opened = engine.open(number, run.experiment, run.backend)
    begin = time.perf_counter()
    if not line.cancelled(number):
        line.send(Compiling(number))
        first = next(opened.chunks, None)
        started = opened.started
        if opened.ran_on is not None:
            engine_name, note = opened.ran_on()
            started = replace(started, engine=engine_name, note=note)
        line.send(started)
        begin = time.perf_counter()
        _step(line, number, [] if first is None else [first], opened.chunks)
    return begin


def _step(line: _Line, number: int, pending: list[Chunk], chunks: Iterator[Chunk]) -> None:
    """Send a run's chunks, at most one in :data:`SEND_INTERVAL`, until it ends or is cancelled."""
    last = 0.0
    try:
        for chunk in chunks:
            pending.append(chunk)
            if (now := time.perf_counter()) - last >= SEND_INTERVAL:
                line.send(Grown(number, join(pending)))
                pending, last = [], now
            if line.cancelled(number):
                break
    finally:
        if close := getattr(chunks, "close", None):
            close()
        if pending:
            line.send(Grown(number, join(pending)))


def _measure(line: _Line, engine: Engine, work: Measure) -> None:
    """Send how far a measurement is, at most once in :data:`SEND_INTERVAL`, and its end."""
    last = 0.0
    steps = engine.measure(work.job)
    progress: timings.Progress | None = None
    for progress in steps:
        if (now := time.perf_counter()) - last >= SEND_INTERVAL:
            line.send(Measured(work.number, progress))
            last = now
        if line.cancelled(work.number):
            break
    if close := getattr(steps, "close", None):
        close()
    if progress is not None:
        line.send(Measured(work.number, progress))


def _study(line: _Line, engine: Engine, work: RunStudy) -> None:
    """Send every trial that ends, until all have or the study is cancelled."""
    steps = engine.study(work)
    try:
        for progress in steps:
            line.send(Studied(work.number, progress))
            if line.cancelled(work.number):
                break
    finally:  # ends the workers at once
        if close := getattr(steps, "close", None):
            close()


def join(chunks: list[Chunk]) -> Chunk:
    """Consecutive chunks as one."""
    if len(chunks) == 1:
        return chunks[0]
    first, last = chunks[0], chunks[-1]
    return Chunk(
        start=first.start,
        stop=last.stop,
        time=np.concatenate([chunk.time for chunk in chunks]),
        traces=np.concatenate([chunk.traces for chunk in chunks], axis=2),
        frame_time=np.concatenate([chunk.frame_time for chunk in chunks]),
        frames=np.concatenate([chunk.frames for chunk in chunks]),
        spikes=np.concatenate([chunk.spikes for chunk in chunks]),
        fraction=last.fraction,
    )


def _failure(number: int, error: Exception) -> Failed:
    kind: FailureKind = "defect"
    sentence = f"The engine failed: {type(error).__name__}: {error}"
    on_device = isinstance(error, OutOfDeviceMemoryError)
    if on_device:
        kind, sentence = "memory", str(error)
    elif isinstance(error, UserError):
        kind, sentence = "unstable" if isinstance(error, UnstableError) else "input", str(error)
    elif isinstance(error, MemoryError):
        kind = "memory"
        sentence = "not enough memory for this run; keep fewer frames, or make the run shorter"
    details = "".join(traceback.format_exception(error))
    return Failed(number, sentence, details, kind, on_device)


def _redirect_stderr(log: str) -> None:
    """Let everything that is written to the terminal, a crash's stack too, go to a file."""
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(handle, 2)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    faulthandler.enable(file=sys.stderr)
