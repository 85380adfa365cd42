"""Work that would freeze the window, done in another thread; the answer comes back as a signal."""

import contextlib
from collections.abc import Callable

from PyQt6.QtCore import QObject, QRunnable, QThreadPool, pyqtSignal

from dendview.widgets.garbage import hold, release


class Background(QObject):
    """Calls a function in Qt's thread pool; ``done`` or ``failed`` fires in this object's thread.

    The function must touch neither widgets nor the state.
    """

    done = pyqtSignal(object)
    failed = pyqtSignal(Exception)

    def start(self, work: Callable[[], object], priority: int = 0) -> None:
        """Begin as soon as a thread is free, those of a higher priority first."""
        pool = QThreadPool.globalInstance()
        assert pool is not None
        hold()  # the collector must not start in the other thread
        pool.start(_Task(self, work), priority)


class _Task(QRunnable):
    def __init__(self, owner: Background, work: Callable[[], object]) -> None:
        super().__init__()
        self._owner, self._work = owner, work

    def run(self) -> None:
        try:
            signal, answer = self._owner.done, self._work()
        except Exception as error:  # handed to the window, which tells the person
            signal, answer = self._owner.failed, error
        with contextlib.suppress(RuntimeError):  # the window was closed meanwhile
            signal.emit(answer)
        release()
