"""Settings of the schedule and what they give, in numbers and in words."""

from collections.abc import Mapping
from typing import Any

from PyQt6.QtCore import QSignalBlocker, Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSlider,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from dendview.colors import THEMES
from dendview.schedule_scene import METHOD_TEXTS, NODE_TEXTS, badge, binding_text
from dendview.state import AppState, Check
from dendview.widgets.lazy import LazyWidget
from dendview.wording import number
from engine.schedule import MAX_THREADS
from engine.schedule.model import Schedule

ROWS = (
    ("compartments", "Nodes of the tree, roots counted"),
    ("depth", "Ancestors of the deepest node: no schedule has fewer steps"),
    ("steps", "Steps of this schedule; roots are not eliminated"),
    ("lower bound", "No schedule with so many threads has fewer steps (Hu 1961)"),
    ("serial steps", "Steps of one thread"),
    ("of serial", "Steps as a share of the serial ones"),
    ("idle slots", "A slot is one thread in one step"),
    ("busy", "Share of the slots that do something"),
)


class SchedulePanel(LazyWidget):
    """Method, threads and node set; the numbers of the schedule and why it is no shorter."""

    method_chosen = pyqtSignal(str)
    threads_chosen = pyqtSignal(int)
    nodes_chosen = pyqtSignal(str)
    check_clicked = pyqtSignal()

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.setObjectName("panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setMinimumWidth(230)
        self.method, self.nodes = _combo("Method", METHOD_TEXTS), _combo("Nodes", NODE_TEXTS)
        self.method_text, self.nodes_text = _text(), _text()
        self.method.activated.connect(
            lambda row: self.method_chosen.emit(self.method.itemData(row))
        )
        self.nodes.activated.connect(lambda row: self.nodes_chosen.emit(self.nodes.itemData(row)))
        self.threads = QSpinBox()
        self.threads.setRange(1, MAX_THREADS)
        self.threads.setKeyboardTracking(False)
        self.threads.setAccessibleName("Threads")
        self.threads.valueChanged.connect(self.threads_chosen)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, MAX_THREADS.bit_length() - 1)
        self.slider.setPageStep(1)
        self.slider.setTickPosition(QSlider.TickPosition.TicksBelow)
        self.slider.setToolTip("1, 2, 4, … 1024 threads")
        self.slider.setAccessibleName("Threads, in powers of two")
        self.slider.valueChanged.connect(lambda power: self.threads_chosen.emit(2**power))
        self.badge = QLabel()
        self.badge.setWordWrap(True)
        self.badge.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.why = _text()
        self.check = QPushButton("Check the voltages")
        self.check.setToolTip("Solve the experiment serially and in this order, and compare")
        self.check.clicked.connect(self.check_clicked)
        self.checked = _text()
        self.values = {name: QLabel() for name, _ in ROWS}
        self._arrange()
        events = state.events
        for event in (
            *(events.schedule, events.method, events.n_threads),
            *(events.nodes, events.check, events.theme),
        ):
            event.connect(self.redraw)

    def _arrange(self) -> None:
        page = QWidget()
        page.setObjectName("panel")
        column = QVBoxLayout(page)
        column.setContentsMargins(12, 10, 12, 12)
        column.setSpacing(6)
        column.addWidget(_heading("Method"))
        column.addWidget(self.method)
        column.addWidget(self.method_text)
        column.addSpacing(4)
        column.addWidget(_heading("Threads k"))
        row = QHBoxLayout()
        row.addWidget(self.slider, 1)
        row.addWidget(self.threads)
        column.addLayout(row)
        column.addSpacing(4)
        column.addWidget(_heading("Nodes"))
        column.addWidget(self.nodes)
        column.addWidget(self.nodes_text)
        column.addSpacing(6)
        column.addWidget(self.badge)
        column.addWidget(self.why)
        column.addWidget(self.check)
        column.addWidget(self.checked)
        grid = QGridLayout()
        grid.setColumnStretch(1, 1)
        grid.setVerticalSpacing(4)
        for i, (name, tip) in enumerate(ROWS):
            label = QLabel(name)
            label.setProperty("role", "muted")
            label.setToolTip(tip)
            self.values[name].setToolTip(tip)
            self.values[name].setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            grid.addWidget(label, i, 0)
            grid.addWidget(self.values[name], i, 1, Qt.AlignmentFlag.AlignRight)
        column.addLayout(grid)
        column.addStretch()
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scroll)

    def _draw(self) -> None:
        state = self._state
        widgets = self.method, self.nodes, self.threads, self.slider
        blockers = [QSignalBlocker(w) for w in widgets]
        self.method.setCurrentIndex(self.method.findData(state.method))
        self.nodes.setCurrentIndex(self.nodes.findData(state.nodes))
        self.threads.setValue(state.n_threads)
        self.slider.setValue(state.n_threads.bit_length() - 1)
        del blockers
        self.method_text.setText(METHOD_TEXTS[state.method][1])
        self.nodes_text.setText(NODE_TEXTS[state.nodes][1])
        schedule = state.schedule
        self.badge.setVisible(schedule is not None)
        self._draw_check()
        if schedule is None:
            self.why.setText("Open a cell to see its schedule.")
            for label in self.values.values():
                label.setText("–")
            return
        text, optimal = badge(schedule)
        theme = THEMES[state.theme]
        color = theme.done if optimal else theme.warning
        self.badge.setText(text)
        self.badge.setStyleSheet(
            f"color: {color}; border: 1px solid {color}; border-radius: 6px; padding: 6px;"
            "font-weight: 600;"
        )
        self.why.setText(binding_text(schedule))
        for name, value in numbers(schedule).items():
            self.values[name].setText(value)

    def _draw_check(self) -> None:
        """What came of the last check of this schedule."""
        check, theme = self._state.check, THEMES[self._state.theme]
        self.check.setEnabled(self._state.schedule is not None and not _runs(check))
        self.checked.setVisible(check is not None)
        if check is None:
            return
        self.checked.setText(CHECK_SIGNS[check.state] + check.text)
        inks = {"same": theme.done, "differs": theme.warning, "failed": theme.error}
        self.checked.setStyleSheet(f"color: {inks.get(check.state, theme.muted)};")


def _runs(check: Check | None) -> bool:
    return check is not None and check.state == "running"


CHECK_SIGNS = {"running": "", "same": "✓ ", "differs": "≠ ", "failed": "✗ "}


def numbers(schedule: Schedule) -> dict[str, str]:
    """The rows of the panel; thousands are parted by thin spaces."""
    slots = schedule.n_threads * schedule.n_step
    return {
        "compartments": number(schedule.n_comp),
        "depth": number(schedule.depth),
        "steps": number(schedule.n_step),
        "lower bound": number(schedule.bound),
        "serial steps": number(schedule.n_serial),
        "of serial": f"{100 * schedule.relative:.2f} %",
        "idle slots": f"{number(schedule.n_idle)} of {number(slots)}",
        "busy": f"{100 * schedule.occupancy:.1f} %",
    }


def _combo(name: str, texts: Mapping[Any, tuple[str, str]]) -> QComboBox:
    combo = QComboBox()
    combo.setAccessibleName(name)
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    for i, (value, (title, text)) in enumerate(texts.items()):
        combo.addItem(title, value)
        combo.setItemData(i, text, Qt.ItemDataRole.ToolTipRole)
    return combo


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "heading")
    return label


def _text() -> QLabel:
    label = QLabel()
    label.setProperty("role", "muted")
    label.setWordWrap(True)
    return label
