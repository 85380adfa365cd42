"""The player of the schedule: one step after another, forward, back, and by itself."""

from PyQt6.QtCore import QSignalBlocker, Qt, pyqtSignal
from PyQt6.QtGui import QKeyEvent
from PyQt6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSlider, QToolButton, QWidget

from dendview.colors import THEMES
from dendview.resources import line_icon
from dendview.schedule_scene import SPEEDS, progress
from dendview.state import AppState
from dendview.widgets.lazy import LazyWidget

BUTTONS = (
    ("first", "To the start (Home)"),
    ("back", "One step back (←)"),
    ("play", "Play or pause (space)"),
    ("forward", "One step forward (→)"),
    ("last", "To the end (End)"),
)


class StepPlayer(LazyWidget):
    """Buttons, a slider over all steps, the speed, and a counter.

    Keys while it has the focus: space plays and pauses, ← and → step (with Shift ten steps), Home
    and End go to the ends.
    """

    step_chosen = pyqtSignal(int)
    play_toggled = pyqtSignal()
    speed_chosen = pyqtSignal(float)

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.buttons = {name: QToolButton() for name, _ in BUTTONS}
        for name, tip in BUTTONS:
            button = self.buttons[name]
            button.setAutoRaise(True)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.setToolTip(tip)
            button.setAccessibleName(tip)
            button.clicked.connect(lambda _, n=name: self._press(n))
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.slider.setAccessibleName("Step")
        self.slider.setMinimumWidth(80)
        self.slider.valueChanged.connect(self.step_chosen)
        self.speed = QComboBox()
        self.speed.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.speed.setToolTip("Steps per second while playing")
        self.speed.setAccessibleName("Speed")
        for speed in SPEEDS:
            self.speed.addItem(f"{speed:g} {'step' if speed == 1 else 'steps'}/s", speed)
        self.speed.activated.connect(lambda row: self.speed_chosen.emit(self.speed.itemData(row)))
        self.counter = QLabel()
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 4, 10, 4)
        row.setSpacing(2)
        for button in self.buttons.values():
            row.addWidget(button)
        row.addSpacing(6)
        row.addWidget(self.slider, 1)
        row.addSpacing(6)
        row.addWidget(self.speed)
        row.addSpacing(10)
        row.addWidget(self.counter)
        events = state.events
        for event in (
            *(events.schedule, events.step, events.playing),
            *(events.step_speed, events.theme),
        ):
            event.connect(self.redraw)

    def _draw(self) -> None:
        state, schedule = self._state, self._state.schedule
        n_step = schedule.n_step if schedule is not None else 0
        self.setEnabled(n_step > 0)
        blockers = QSignalBlocker(self.slider), QSignalBlocker(self.speed)
        self.slider.setRange(0, n_step)
        self.slider.setPageStep(max(n_step // 20, 1))
        self.slider.setValue(state.step)
        self.speed.setCurrentIndex(self.speed.findData(state.step_speed))
        del blockers
        self.counter.setText(str(progress(schedule, state.step)) if schedule else "no schedule")
        if schedule is not None:  # room for the widest text, so that the slider does not jump
            widest = f"step {n_step}/{n_step} · {schedule.n_threads} taken now · {n_step} done · "
            widest += f"{schedule.n_serial} candidates"
            metrics = self.counter.fontMetrics()
            self.counter.setMinimumWidth(metrics.horizontalAdvance(widest))
        theme = THEMES[state.theme]
        playing = state.playing == "schedule"
        for name, _ in BUTTONS:
            sign = "pause" if name == "play" and playing else name
            self.buttons[name].setIcon(line_icon(sign, theme.text, theme.grid))
        self.buttons["first"].setEnabled(state.step > 0)
        self.buttons["back"].setEnabled(state.step > 0)
        self.buttons["forward"].setEnabled(state.step < n_step)
        self.buttons["last"].setEnabled(state.step < n_step)

    def _press(self, name: str, times: int = 1) -> None:
        if (schedule := self._state.schedule) is None:
            return
        if name == "play":
            self.play_toggled.emit()
            return
        step, n_step = self._state.step, schedule.n_step
        to = {"first": 0, "back": step - times, "forward": step + times, "last": n_step}[name]
        to = min(max(to, 0), n_step)
        if to != step:
            self.step_chosen.emit(to)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        assert event is not None
        keys = {
            Qt.Key.Key_Home: "first",
            Qt.Key.Key_Left: "back",
            Qt.Key.Key_Space: "play",
            Qt.Key.Key_Right: "forward",
            Qt.Key.Key_End: "last",
        }
        name = keys.get(Qt.Key(event.key()))
        if name is None:
            super().keyPressEvent(event)
            return
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if not (name == "play" and event.isAutoRepeat()):
            self._press(name, 10 if shift else 1)
