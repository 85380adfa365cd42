"""Trainings and downloads on the pipe: what they say, how often, and how they are steered."""

from collections.abc import Generator, Iterator
from time import perf_counter
from typing import Protocol

from dendview.worker.protocol import Examined, Fetched, Reply, Trained
from engine.experiments.robustness import Progress
from engine.exporting.training_run import Kept, Order

TELL_INTERVAL = 1 / 15
"""Seconds between two words on a training; the end of an epoch is always told."""


class Line(Protocol):
    """What is needed of the pipe."""

    def send(self, reply: Reply) -> None: ...

    def cancelled(self, number: int) -> bool: ...

    def orders(self, number: int) -> list[Order]: ...


def train(line: Line, number: int, steps: Generator[Kept, Order | None, None]) -> None:
    """Send where a training is until it ends or is cancelled, and hand on what is asked of it."""
    last = 0.0
    kept: Kept | None = None
    try:
        kept = next(steps, None)
        told = False
        while kept is not None:
            now, order = perf_counter(), joined(line.orders(number))
            ended = bool(kept.trouble) or kept.progress.test is not None
            told = ended or order is not None or now - last >= TELL_INTERVAL
            if told:
                line.send(Trained.of(number, kept))
                last = now
            if line.cancelled(number) and order is None:  # else what was asked would be lost
                break
            try:
                following = steps.send(order)
            except StopIteration:
                break
            if order is not None:  # what came of it is told at once
                last = 0.0
            kept = following
        if kept is not None and not told:
            line.send(Trained.of(number, kept))
    finally:
        steps.close()  # saves a checkpoint


def joined(orders: list[Order]) -> Order | None:
    """All that was asked as one order: the last rate, and a checkpoint if any wanted one."""
    if not orders:
        return None
    rates = [order.rate for order in orders if order.rate is not None]
    return Order(rates[-1] if rates else None, any(order.save for order in orders))


def fetch(line: Line, number: int, steps: Iterator[float]) -> None:
    """Send how much of a data set is there, until all is or it is cancelled."""
    for fraction in steps:
        line.send(Fetched(number, fraction))
        if line.cancelled(number):
            return


def examine(line: Line, number: int, steps: Generator[Progress, None, None]) -> None:
    """Send how far a robustness study is until it ends or is cancelled; all found is kept."""
    last, told, progress = 0.0, True, None
    try:
        for progress in steps:
            now = perf_counter()
            if told := now - last >= TELL_INTERVAL:
                line.send(Examined(number, progress))
                last = now
            if line.cancelled(number):
                break
    finally:
        steps.close()
    if progress is not None and not told:
        line.send(Examined(number, progress))
