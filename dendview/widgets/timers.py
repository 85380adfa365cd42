"""Timers that end with their owner."""

from collections.abc import Callable

from PyQt6.QtCore import QObject, QTimer


def make_timer(
    owner: QObject, milliseconds: int, call: Callable[[], object], *, once: bool = False
) -> QTimer:
    """A timer of an object, not yet started; ``once`` makes it fire a single time."""
    timer = QTimer(owner)
    timer.setInterval(milliseconds)
    timer.setSingleShot(once)
    timer.timeout.connect(lambda: call())
    return timer
