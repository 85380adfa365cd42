"""What opens below the engine's chip: the choice, the reason, the test, the estimate."""

from PyQt6.QtCore import QPoint, QSignalBlocker, Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from dendview.controllers.engine import CHOICES, SAME, SINGLE, sentence
from dendview.state import AppState
from engine.precision import parts

WIDTH = 430


class EnginePopup(QFrame):
    """Follows the state while it is open; a click outside or Esc closes it."""

    backend_chosen = pyqtSignal(str)
    single_clicked = pyqtSignal()
    test_clicked = pyqtSignal()
    report_clicked = pyqtSignal()

    def __init__(self, state: AppState, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._state = state
        self.setObjectName("palette")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName("Engine")
        self.setFixedWidth(WIDTH)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 16, 18, 14)
        column.setSpacing(8)
        heading = QLabel("Engine")
        heading.setProperty("role", "title")
        column.addWidget(heading)
        self.now = _words()
        column.addWidget(self.now)
        self.choices = QButtonGroup(self)
        self.buttons: dict[str, QRadioButton] = {}
        for name, (title, text) in CHOICES.items():
            button = QRadioButton(title)
            button.setToolTip(text)
            button.clicked.connect(lambda _, n=name: self.backend_chosen.emit(n))
            self.choices.addButton(button)
            self.buttons[name] = button
            column.addWidget(button)
        self.single = QCheckBox("Single precision on the GPU")
        self.single.setToolTip(SINGLE)
        self.single.clicked.connect(self.single_clicked)
        column.addWidget(self.single)
        self.reason, self.estimate, self.same = _words(), _words(), _words()
        self.same.setProperty("role", "muted")
        self.trial = _words()
        for label in (self.reason, self.estimate, self.same, self.trial):
            column.addWidget(label)
        row = QHBoxLayout()
        self.test = QPushButton("Test engines")
        self.test.setToolTip("Look for a GPU anew and let every engine run the same model")
        self.test.clicked.connect(self.test_clicked)
        report = QPushButton("System report")
        report.setProperty("flat_link", True)
        report.clicked.connect(self._on_report)
        row.addWidget(self.test)
        row.addStretch()
        row.addWidget(report)
        column.addLayout(row)
        events = state.events
        for event in (
            *(events.engine, events.no_gpu, events.backend),
            *(events.engine_trial, events.preflight, events.engine_note),
        ):
            event.connect(self._draw)
        self._draw()

    def open_below(self, chip: QWidget) -> None:
        """Show it below the chip, its right edge under the chip's."""
        self._draw()
        corner = chip.mapToGlobal(QPoint(chip.width() - WIDTH, chip.height() + 4))
        self.move(corner)
        self.show()
        self.buttons[parts(self._state.backend)[0]].setFocus()

    def _draw(self, *_: object) -> None:
        state = self._state
        base, precision = parts(state.backend)
        self.now.setText(f"Runs now: <b>{state.engine or 'the engine is not started'}</b>")
        for name, button in self.buttons.items():
            with QSignalBlocker(button):
                button.setChecked(name == base)
        there = bool(state.engine) and not state.no_gpu
        self.buttons["gpu"].setEnabled(there)
        single = precision == "single" and there
        with QSignalBlocker(self.single):
            self.single.setChecked(single)
        self.single.setEnabled(there and base != "cpu")
        self.same.setText(SINGLE if single else SAME)
        no_gpu = f"No GPU: {state.no_gpu.rstrip('.')}." if state.no_gpu else ""
        self.reason.setText(no_gpu or sentence(state.engine_note))
        self.estimate.setText(f"The next run: {state.preflight}" if state.preflight else "")
        lines = state.engine_trial
        self.trial.setText("" if lines is None else "\n".join(sentence(line) for line in lines))
        self.test.setEnabled(lines != ("Testing…",))
        for label in (self.reason, self.estimate, self.trial):
            label.setVisible(bool(label.text()))
        if self.isVisible():
            self.adjustSize()

    def _on_report(self) -> None:
        self.close()
        self.report_clicked.emit()


def _words() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
