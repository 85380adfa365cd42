"""The window's side of the engine's process: start it, talk to it, notice its end."""

import atexit
import contextlib
import multiprocessing
import os
import queue
import tempfile
import threading
import weakref
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from dendview.worker.loading import load_engine
from dendview.worker.protocol import Command, Reply, Shutdown, Stopped
from dendview.worker.serving import Engine, serve

QUEUE_LENGTH = 64
"""Replies kept for the window; when it does not fetch them the engine waits."""


class EngineProcess:
    """The engine behind a pipe. No method waits for it, except :meth:`close` for a moment.

    Parameters
    ----------
    load
        Makes the engine in the new process; a function of a module, since it is pickled by name.
    """

    def __init__(self, load: Callable[[], Engine] = load_engine) -> None:
        self._load = load
        self._process: BaseProcess | None = None
        self._connection: Connection | None = None
        self._replies: queue.Queue[Reply | None] = queue.Queue(QUEUE_LENGTH)
        self._closing = threading.Event()
        self._log: Path | None = None
        self._ended = True
        _close_at_exit(self)

    @property
    def alive(self) -> bool:
        """True while the process runs."""
        return self._process is not None and self._process.is_alive()

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start the process and let it warm up; a :class:`Ready` follows."""
        if self.alive:
            return
        context = multiprocessing.get_context("spawn")  # a fork after OpenMP kills the child
        ours, theirs = context.Pipe()
        handle, log = tempfile.mkstemp(prefix="dendview-engine-", suffix=".log")
        os.close(handle)
        self._process = context.Process(
            target=serve, args=(theirs, self._load, log), name="engine", daemon=False
        )
        self._process.start()
        theirs.close()  # else the end of the process would not close the pipe
        self._connection, self._log, self._ended = ours, Path(log), False
        self._replies, self._closing = queue.Queue(QUEUE_LENGTH), threading.Event()
        threading.Thread(
            target=_read, args=(ours, self._replies, self._closing), name="engine pipe", daemon=True
        ).start()

    def send(self, command: Command) -> bool:
        """Send a command; False where there is no process to hear it."""
        if self._connection is None:
            return False
        try:
            self._connection.send(command)
        except OSError:
            return False
        return True

    def poll(self) -> list[Reply]:
        """All that was said since the last call; :class:`Stopped` is a process's last word."""
        replies: list[Reply] = []
        while True:
            try:
                reply = self._replies.get_nowait()
            except queue.Empty:
                break
            if reply is None:
                self._ended = True
            else:
                replies.append(reply)
        if self._ended and self._process is not None and not self._process.is_alive():
            replies.append(Stopped(_reason(self._process.exitcode), self._last_words()))
            self._forget()
        return replies

    def restart(self) -> None:
        """End the process, whatever it does, and start a new one."""
        self.close(patience=0.0)
        self.start()

    def close(self, patience: float = 1.0) -> None:
        """End the process; it is killed if it has not ended after ``patience`` seconds."""
        if self._process is None:
            return
        self._closing.set()
        self.send(Shutdown())
        if patience:
            self._process.join(patience)
        if self._process.is_alive():
            self._process.kill()
            self._process.join(2.0)
        self._forget()

    def _forget(self) -> None:
        """Let go of an ended process and of its log."""
        self._closing.set()
        self._process = self._connection = None  # the reader holds the pipe until it has ended
        self._replies = queue.Queue(QUEUE_LENGTH)
        if self._log is not None:
            with contextlib.suppress(OSError):
                self._log.unlink()

    def _last_words(self) -> str:
        try:
            return "" if self._log is None else self._log.read_text(errors="replace")[-4000:]
        except OSError:
            return ""


def _read(
    connection: Connection, replies: "queue.Queue[Reply | None]", closing: threading.Event
) -> None:
    """Move replies from the pipe to the queue until the pipe ends; a full queue is the brake."""
    reply: Reply | None
    while True:
        try:
            reply = connection.recv()
        except (EOFError, OSError):
            reply = None
        while not closing.is_set():
            with contextlib.suppress(queue.Full):
                replies.put(reply, timeout=0.1)
                break
        if reply is None or closing.is_set():
            return


def _reason(exitcode: int | None) -> str:
    """The sentence for the end of a process."""
    if exitcode is not None and exitcode < 0:
        return f"Engine stopped (signal {-exitcode})."
    return f"Engine stopped (exit status {exitcode})."


def _close_at_exit(engine: EngineProcess) -> None:
    """Python joins processes that are no daemons when it ends: end ours before that.

    Exit functions run last in, first out; importing multiprocessing has registered its own.
    """
    reference = weakref.ref(engine)

    def close() -> None:
        if (still := reference()) is not None:
            still.close(patience=0.2)

    atexit.register(close)
