"""Many independent tasks on the processes of this machine or on a cluster.

A task is a picklable value, the work a function of it at the top of a module. What comes back
depends on neither the number of workers nor the order in which they end.
"""

import importlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from concurrent.futures.process import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import connection
from typing import Any, Generic, Protocol, TypeVar

from engine.backends.cpu import available_cores
from engine.errors import UserError

Task = TypeVar("Task")
Result = TypeVar("Result")

MOST_CRASHES = 3
"""So many times a task may be at work while its process dies before it is given up."""
DIED = (
    f"its process ended {MOST_CRASHES} times without an answer; it may have been killed, or there "
    "is too little memory"
)
POLL = 0.2
"""Seconds between two looks at whether the caller wants to stop."""


class Pool(Protocol):
    """Where tasks are done."""

    @property
    def size(self) -> int:
        """Tasks at work at once."""

    def submit(self, work: Callable[[Task], Result], task: Task) -> "Future[Result]":
        """Do one task, some time."""

    def restart(self) -> None:
        """Take new workers after one has died."""

    def stop(self) -> None:
        """End the workers, whatever they are doing."""


class LocalPool:
    """Processes of this machine, started when the first task comes.

    Parameters
    ----------
    size
        Processes; by default one for every core this process may use.
    """

    def __init__(self, size: int | None = None) -> None:
        if size is not None and size < 1:
            raise UserError(f"{size} workers cannot work; ask for at least 1")
        self._size = size or available_cores()
        self._executor: ProcessPoolExecutor | None = None

    @property
    def size(self) -> int:
        return self._size

    def submit(self, work: Callable[[Task], Result], task: Task) -> "Future[Result]":
        if self._executor is None:
            context = multiprocessing.get_context("spawn")  # numba's threads do not survive a fork
            self._executor = ProcessPoolExecutor(self._size, context, initializer=_start_worker)
        return self._executor.submit(work, task)

    def restart(self) -> None:
        self.stop()

    def stop(self) -> None:
        if self._executor is None:
            return
        executor, self._executor = self._executor, None
        workers = list((getattr(executor, "_processes", None) or {}).values())
        executor.shutdown(wait=False, cancel_futures=True)
        for worker in workers:
            with suppress(Exception):  # it may have ended by itself
                worker.terminate()
        for worker in workers:
            with suppress(Exception):
                worker.join(1.0)


class OwnProcess:
    """No other process: every task is done when it is submitted, for debugging and small jobs."""

    size = 1

    def submit(self, work: Callable[[Task], Result], task: Task) -> "Future[Result]":
        future: Future[Result] = Future()
        try:
            future.set_result(work(task))
        except Exception as error:
            future.set_exception(error)
        return future

    def restart(self) -> None:
        pass

    def stop(self) -> None:
        pass


class ExecutorPool:
    """Any :class:`concurrent.futures.Executor`; it is left running at the end.

    Parameters
    ----------
    executor
    size
        Tasks that it does at once.
    leave
        Called at the end.
    """

    def __init__(
        self, executor: Executor, size: int, leave: Callable[[], object] = lambda: None
    ) -> None:
        self._executor, self._size, self._leave = executor, size, leave
        self._given: set[Future[Any]] = set()

    @property
    def size(self) -> int:
        return self._size

    def submit(self, work: Callable[[Task], Result], task: Task) -> "Future[Result]":
        future = self._executor.submit(work, task)
        self._given.add(future)
        future.add_done_callback(self._given.discard)
        return future

    def restart(self) -> None:
        pass

    def stop(self) -> None:
        for future in tuple(self._given):
            future.cancel()
        self._leave()


def dask_pool(address: str) -> ExecutorPool:
    """The workers of a Dask scheduler.

    Parameters
    ----------
    address
        Such as ``tcp://10.0.0.1:8786``. Its workers need the same version of DendView, and the
        files that tasks name.

    Raises
    ------
    UserError
        If Dask is not installed or the scheduler does not answer.
    """
    try:
        distributed = importlib.import_module("distributed")
    except ImportError:
        raise UserError(
            f"the scheduler {address} cannot be asked because Dask is not installed here; "
            "pip install distributed, or leave the address out to use this machine's cores"
        ) from None
    try:
        client = distributed.Client(address, timeout="10s")
    except (OSError, ValueError, TimeoutError) as error:
        raise UserError(
            f"no Dask scheduler answers at {address} ({error}); start one with "
            "'dask scheduler', or leave the address out to use this machine's cores"
        ) from None
    workers = sum(client.ncores().values())
    if workers < 1:
        raise UserError(
            f"the scheduler {address} has no workers; start some with 'dask worker {address}'"
        )
    return ExecutorPool(client.get_executor(pure=False), workers, client.close)


@dataclass(frozen=True)
class Done(Generic[Task, Result]):
    """A task that ended: its result, or one sentence on why there is none."""

    task: Task
    result: Result | None
    failed: str | None = None


def run_tasks(
    pool: Pool, work: Callable[[Task], Result], tasks: Sequence[Task]
) -> Generator[Done[Task, Result] | None, None, None]:
    """Do tasks in their order, as many at once as there are workers.

    Parameters
    ----------
    pool
    work
        At the top of a module.
    tasks
        Picklable.

    Yields
    ------
    Done or None
        Every task once, as it ends; None several times a second in between, so that the caller can
        look at the clock or stop. Closing the generator ends the workers; what has not been yielded
        is lost.

    Notes
    -----
    An error of ``work`` ends that task alone. Where a process dies (no memory, killed), all that
    were at work are done again, each at most MOST_CRASHES times.
    """
    todo = list(range(len(tasks)))[::-1]
    crashes = [0] * len(tasks)
    running: dict[Future[Result], int] = {}
    try:
        while todo or running:
            broken = False
            while todo and len(running) < _at_once(pool, crashes, (*running.values(), todo[-1])):
                try:
                    future = pool.submit(work, tasks[todo[-1]])
                except BrokenExecutor:
                    broken = True
                    break
                running[future] = todo.pop()
            ended, _ = wait(running, timeout=POLL, return_when=FIRST_COMPLETED)
            for future in ended:
                if isinstance(future.exception(), BrokenExecutor):
                    broken = True
                else:
                    yield _done(tasks[running.pop(future)], future)
            if broken:
                suspects = sorted(running.values(), reverse=True)
                running.clear()
                pool.restart()
                for number in suspects:
                    crashes[number] += 1
                    if crashes[number] < MOST_CRASHES:
                        todo.append(number)
                    else:
                        yield Done(tasks[number], None, DIED)
            elif not ended:
                yield None
    finally:
        for future in running:
            future.cancel()
        pool.stop()


def _at_once(pool: Pool, crashes: Sequence[int], at_work: Iterable[int]) -> int:
    """Tasks that may work at once: one where a process died with it, to find who killed it."""
    return 1 if any(crashes[number] for number in at_work) else pool.size


def _done(task: Task, future: "Future[Result]") -> Done[Task, Result]:
    error = future.exception()
    if error is None:
        return Done(task, future.result())
    sentence = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
    return Done(task, None, sentence)


def _start_worker() -> None:
    """A worker leaves Ctrl-C to its parent and ends with it, also where that was killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def follow() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
