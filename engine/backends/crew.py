"""Threads that share the parts of a run."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class Crew:
    """Threads that live as long as a run and keep to their own parts, which stay in the cache of
    one core; who is done first takes over one of another's.

    Parameters
    ----------
    work
        Of every part, in any unit: large parts come first, and go to who has least to do.
    threads
    """

    def __init__(self, work: Sequence[float], threads: int) -> None:
        self.n_part = len(work)
        self.threads = max(1, min(threads, self.n_part))
        self._own: list[list[int]] = [[] for _ in range(self.threads)]
        load = [0.0] * self.threads
        for part in sorted(range(self.n_part), key=lambda k: -work[k]):
            least = load.index(min(load))
            load[least] += work[part]
            self._own[least].append(part)
        self._pool = ThreadPoolExecutor(max(self.threads - 1, 1))  # idle until it is given work

    def do(self, tasks: Sequence[Callable[[], T]]) -> list[T]:
        """Do one task for every part; gives what they gave, in their order."""
        left = [deque(parts) for parts in self._own]
        done: dict[int, T] = {}

        def work(thread: int) -> None:  # the loops hold no lock of Python's
            while todo := left[thread] or max(left, key=len):
                try:
                    part = todo.popleft() if todo is left[thread] else todo.pop()
                except IndexError:
                    continue  # another thread was sooner
                done[part] = tasks[part]()

        others = [self._pool.submit(work, thread) for thread in range(1, self.threads)]
        work(0)
        for other in others:
            other.result()
        return [done[part] for part in range(self.n_part)]
