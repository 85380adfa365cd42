"""Python's cycle collector kept out of other threads: it would end Qt objects there, and crash.

While anybody holds it, the collector does not start by itself; the window's timer starts it, in the
thread that Qt's objects belong to.
"""

import gc
import threading

from PyQt6.QtCore import QObject

from dendview.widgets.timers import make_timer

INTERVAL_MS = 1000

_lock = threading.Lock()
_holders = 0


def hold() -> None:
    """From now on no thread collects by itself, until :func:`release` is called as often.

    The program itself never lets go: work that ends after the window is closed must not start the
    collector either.
    """
    global _holders
    with _lock:
        _holders += 1
        gc.disable()


def release() -> None:
    """Let go; with the last holder gone the collector starts by itself again."""
    global _holders
    with _lock:
        _holders -= 1
        if _holders == 0:
            gc.enable()


class Collector(QObject):
    """Holds the collector and starts it from the window's thread, as often as Python would."""

    def __init__(self, owner: QObject) -> None:
        super().__init__(owner)
        hold()
        self._timer = make_timer(self, INTERVAL_MS, self.collect)
        self._timer.start()
        self._ended = False

    def collect(self) -> None:
        """Collect the oldest generation that is due."""
        for generation in (2, 1, 0):
            if gc.get_count()[generation] > gc.get_threshold()[generation]:
                gc.collect(generation)
                return

    def end(self) -> None:
        """The window is closed."""
        if not self._ended:
            self._ended = True
            self._timer.stop()
            release()
