"""The line at the bottom: what was said last, the job, the cell, and what draws it."""

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import (
    QLabel,
    QProgressBar,
    QSizePolicy,
    QStatusBar,
    QToolButton,
    QWidget,
)

from dendview.describe import summary
from dendview.state import AppState, Job, Message
from dendview.widgets.elided import ElidedLabel

LEAST_MESSAGE, WIDEST_MESSAGE = 80, 720
"""Pixels that a message has at the least, and from which on it is cut."""


class StatusBar(QStatusBar):
    """Follows the state; a click on the message opens its details."""

    message_clicked = pyqtSignal()

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.setSizeGripEnabled(False)
        self.message = QToolButton()
        self.message.setObjectName("message")
        self.message.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.message.setAccessibleName("Last message")
        self.message.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.message.setMinimumWidth(LEAST_MESSAGE)
        self.message.clicked.connect(self.message_clicked)
        self.progress = QProgressBar()
        self.progress.setFixedSize(140, 14)
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName("Progress of the job")
        self.job = QLabel()
        self.summary = ElidedLabel("")
        self.summary.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.summary.setContentsMargins(8, 0, 0, 0)
        self.renderer = QLabel()
        self.addWidget(self.message)
        for widget in (self.job, self.progress, self.summary, self.renderer):
            self.addPermanentWidget(widget)
        events = state.events
        events.message.connect(self._show_message)
        events.job.connect(self._show_job)
        for event in (events.cell, events.schedule, events.nodes):
            event.connect(self._show_summary)
        self._show_message(state.message)
        self._show_job(state.job)
        self._show_summary()

    def show_renderer(self, text: str, details: str) -> None:
        """Name what draws the 3-D view."""
        self.renderer.setText(text)
        self.renderer.setToolTip(details)

    def _show_message(self, message: Message | None) -> None:
        self.message.setToolTip(message.text if message else "")
        self._fit_message()
        self.message.setProperty("kind", message.kind if message else "")
        if (style := self.message.style()) is not None:
            style.unpolish(self.message)
            style.polish(self.message)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self._fit_message()

    def _fit_message(self) -> None:
        """As much of the message as there is room for; a line must not widen the window."""
        others = self.job, self.progress, self.summary, self.renderer
        taken = sum(w.sizeHint().width() + 14 for w in others if not w.isHidden())
        room = min(max(self.width() - taken, LEAST_MESSAGE), WIDEST_MESSAGE)
        text, metrics = self.message.toolTip(), self.message.fontMetrics()
        self.message.setText(metrics.elidedText(text, Qt.TextElideMode.ElideRight, room))

    def _show_job(self, job: Job | None) -> None:
        self.job.setVisible(job is not None)
        self.progress.setVisible(job is not None)
        if job is None:
            self._fit_message()
            return
        left = "" if job.remaining is None else f" · {remaining(job.remaining)}"
        self.job.setText(job.text + left)
        self._fit_message()
        if job.fraction is None:
            self.progress.setRange(0, 0)
        else:
            self.progress.setRange(0, 1000)
            self.progress.setValue(round(job.fraction * 1000))

    def _show_summary(self, *_: object) -> None:
        self.summary.setText(summary(self._state))
        self.summary.setToolTip(self.summary.text())
        self.summary.setVisible(bool(self.summary.text()))
        self._fit_message()


def remaining(seconds: float) -> str:
    """Time to go, as coarse as it is known."""
    if seconds < 1:
        return "less than 1 s left"
    if seconds < 100:
        return f"{seconds:.0f} s left"
    return f"{seconds / 60:.0f} min left"
