"""A message that comes up over the view, with what can be done about it."""

from collections.abc import Callable, Sequence

from PyQt6.QtCore import QEvent, QObject, Qt, QTimer
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from dendview.state import Message

SHOWN_MS = {"info": 6000, "done": 6000, "warning": 12000, "error": 0}
"""How long a message stays; 0: until it is closed."""

Button = tuple[str, Callable[[], object]]


class Toast(QFrame):
    """One message at the bottom of its parent; a new one replaces it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("toast")
        self.setAutoFillBackground(True)
        self._label = QLabel()
        self._label.setWordWrap(True)
        self._label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(14, 6, 8, 6)
        self._row.setSpacing(6)
        self._row.addWidget(self._label, 1)
        self._buttons: list[QPushButton] = []
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.hide)
        parent.installEventFilter(self)
        self.hide()

    def show_message(self, message: Message, buttons: Sequence[Button] = ()) -> None:
        """Show a message with its buttons; it goes by itself unless it is an error."""
        for old in self._buttons:
            self._row.removeWidget(old)
            old.deleteLater()
        self._buttons = []
        self._label.setText(message.text)
        for text, call in (*buttons, ("✕", self.hide)):
            button = QPushButton(text)
            button.setProperty("flat_link", True)
            button.setCursor(Qt.CursorShape.PointingHandCursor)
            button.setAccessibleName("Close" if text == "✕" else text)
            button.clicked.connect(lambda _=False, call=call: call())
            self._row.addWidget(button)
            self._buttons.append(button)
        self.setProperty("kind", message.kind)
        if (style := self.style()) is not None:
            style.unpolish(self)
            style.polish(self)
        self._place()
        self.show()
        self.raise_()
        self._timer.stop()
        if SHOWN_MS[message.kind]:
            self._timer.start(SHOWN_MS[message.kind])

    @property
    def text(self) -> str:
        return self._label.text()

    def button(self, text: str) -> QPushButton:
        """The button of that text.

        Raises
        ------
        LookupError
        """
        for button in self._buttons:
            if button.text() == text:
                return button
        raise LookupError(text)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        if event is not None and event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        parent = self.parentWidget()
        assert parent is not None
        room = max(parent.width() - 48, 200)
        metrics = self._label.fontMetrics()
        text = max(metrics.horizontalAdvance(line) for line in (self._label.text().split("\n")))
        beside = sum(button.sizeHint().width() + 6 for button in self._buttons) + 40
        width = min(room, max(280, text + beside), 860)
        self.setFixedWidth(width)
        inner = self._label.heightForWidth(max(width - beside, 80))
        buttons = max((button.sizeHint().height() for button in self._buttons), default=0)
        self.setFixedHeight(max(inner, buttons) + 18)
        self.move((parent.width() - width) // 2, parent.height() - self.height() - 20)
