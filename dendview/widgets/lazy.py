"""Widgets that draw themselves, and ask for what they miss, only while they are seen."""

from PyQt6.QtCore import QTimer
from PyQt6.QtGui import QShowEvent
from PyQt6.QtWidgets import QWidget


class LazyWidget(QWidget):
    """Calls :meth:`_draw` once after any number of :meth:`redraw`, and only while it is shown."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._stale = True
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._draw_if_seen)

    def redraw(self, *_: object) -> None:
        """Something changed; connect events of the state to this."""
        self._stale = True
        if self.isVisible():
            self._timer.start()

    def draw_now(self) -> None:
        """Draw what is due, seen or not: a picture of it is wanted."""
        if self._stale:
            self._stale = False
            self._draw()

    def showEvent(self, event: QShowEvent | None) -> None:
        super().showEvent(event)
        self._draw_if_seen()

    def _draw_if_seen(self) -> None:
        if self._stale and self.isVisible():
            self._stale = False
            self._draw()

    def _draw(self) -> None:
        raise NotImplementedError


class AskingWidget(LazyWidget):
    """Calls :meth:`_ask` soon after it is shown or told :meth:`ask_soon`, while it is seen."""

    def __init__(self, parent: QWidget | None = None, interval: int = 0) -> None:
        super().__init__(parent)
        self._asking = QTimer(self)
        self._asking.setSingleShot(True)
        self._asking.setInterval(interval)
        self._asking.timeout.connect(self._ask_if_seen)

    def ask_soon(self, *_: object) -> None:
        """Something may be missing now; connect events of the state to this."""
        if self.isVisible():
            self._asking.start()

    def showEvent(self, event: QShowEvent | None) -> None:
        super().showEvent(event)
        self.ask_soon()

    def _ask_if_seen(self) -> None:
        if self.isVisible():
            self._ask()

    def _ask(self) -> None:
        raise NotImplementedError
