"""Play, scrub and step through the shown run's time."""

from collections.abc import Callable

import numpy as np
from PyQt6.QtCore import QElapsedTimer, QSize, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import (
    QColor,
    QHideEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QShowEvent,
)
from PyQt6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QSlider,
    QStyle,
    QToolButton,
    QWidget,
)

from dendview.colors import THEMES
from dendview.resources import line_icon
from dendview.runs import shown_run
from dendview.state import AppState, Run
from dendview.theme_qt import derived_colors

SPEEDS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0)
"""ms of the run in a second of the clock."""
INTERVAL = 33
"""ms between two times while playing."""
TICKS = 10_000
"""Positions of the slider over a whole run."""


class JumpSlider(QSlider):
    """A slider that goes where it is clicked; ``marks`` are shares of its length."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.marks = np.empty(0)
        self.mark_color = QColor("gray")
        self.setMinimumHeight(26)

    def _groove(self) -> tuple[float, float]:
        """Where the middle of the handle can be, in pixels."""
        style = self.style()
        assert style is not None
        half = style.pixelMetric(QStyle.PixelMetric.PM_SliderLength, None, self) / 2
        return half, self.width() - half

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        if event is not None and event.button() == Qt.MouseButton.LeftButton:
            left, right = self._groove()
            share = (event.position().x() - left) / max(right - left, 1.0)
            self.setValue(round(self.maximum() * min(max(share, 0.0), 1.0)))
        super().mousePressEvent(event)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        super().paintEvent(event)
        left, right = self._groove()
        painter = QPainter(self)
        painter.setPen(QPen(self.mark_color, 1))
        for x in np.unique(np.rint(left + self.marks * (right - left))):
            painter.drawLine(int(x), self.height() - 5, int(x), self.height() - 1)


class TimePlayer(QWidget):
    """Draws time, length and spikes of the shown run; reports the wish for another time.

    While ``state.playing`` is ``run`` and the widget is seen, it asks for the next time by itself.
    """

    time_chosen = pyqtSignal(float)  # ms
    play_toggled = pyqtSignal()
    speed_chosen = pyqtSignal(float)  # ms per s

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state = state
        self._previous = self._button("Spike before this time", self.to_spike_before)
        self._play = self._button("Play or pause", self.play_toggled.emit)
        self._next = self._button("Next spike", self.to_spike_after)
        self._slider = JumpSlider()
        self._slider.setRange(0, TICKS)
        self._slider.setSingleStep(TICKS // 500)
        self._slider.setPageStep(TICKS // 20)
        self._slider.setAccessibleName("Time in the run")
        self._slider.setToolTip("Drag to go to a time; arrow keys move by 1/500 of the run")
        self._slider.valueChanged.connect(self._on_slider)
        self._label = QLabel()
        self._label.setMinimumWidth(
            self._label.fontMetrics().horizontalAdvance("t = 8888.88 of 8888 ms")
        )
        self._label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._speed = QComboBox()
        self._speed.setToolTip("Speed of playing: time of the run in a second")
        self._speed.setAccessibleName("Speed of playing")
        for speed in SPEEDS:
            self._speed.addItem(f"{speed:g} ms/s", speed)
        self._speed.setCurrentIndex(SPEEDS.index(20.0))
        self._speed.currentIndexChanged.connect(lambda _: self.speed_chosen.emit(self.speed))
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 4, 10, 4)
        row.setSpacing(6)
        for widget in (self._previous, self._play, self._next):
            row.addWidget(widget)
        row.addWidget(self._slider, 1)
        row.addWidget(self._label)
        row.addWidget(self._speed)

        self._timer = QTimer(self)
        self._timer.setInterval(INTERVAL)
        self._timer.timeout.connect(self._advance)
        self._clock = QElapsedTimer()
        self._writing = False
        self._end = 0.0
        for event in (
            state.events.runs,
            state.events.shown_run,
            state.events.playing,
            state.events.theme,
        ):
            event.connect(self._refresh)
        state.events.time.connect(self._show_time)
        self._refresh()

    @property
    def speed(self) -> float:
        """ms of the run in a second."""
        return float(self._speed.currentData())

    def set_speed(self, speed: float) -> None:
        """Choose the speed nearest to a number of ms per second."""
        self._speed.setCurrentIndex(int(np.argmin(np.abs(np.array(SPEEDS) - speed))))

    def sizeHint(self) -> QSize:
        return QSize(600, super().sizeHint().height())

    def _button(self, tip: str, action: Callable[[], object]) -> QToolButton:
        button = QToolButton()
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.setAutoRaise(True)
        button.setIconSize(QSize(18, 18))
        button.clicked.connect(lambda _: action())
        return button

    # Drawing

    def _refresh(self, *_: object) -> None:
        """Another run, or more of it."""
        run = self._run()
        self._end = 0.0
        if run is not None:  # a growing run already has the length it will have
            running = run.state == "running"
            self._end = run.experiment.duration if running else float(run.recording.time[-1])
        playing = self.state.playing == "run"
        self.setEnabled(run is not None)
        colors = derived_colors(THEMES[self.state.theme])
        for button, name in (
            (self._previous, "previous"),
            (self._play, "pause" if playing else "play"),
            (self._next, "next"),
        ):
            button.setIcon(line_icon(name, colors["text"], colors["disabled"]))
        spikes = bool(run is not None and len(run.recording.spikes))
        self._previous.setEnabled(spikes)
        self._next.setEnabled(spikes)
        self._slider.marks = self._spike_times() / self._end if self._end else np.empty(0)
        self._slider.mark_color = QColor(colors["muted"])
        self._slider.update()
        if playing and run is not None and self.isVisible():
            if not self._timer.isActive():
                self._clock.start()
                self._timer.start()
        else:
            self._timer.stop()
        self._show_time(self.state.time)

    def _show_time(self, time: float) -> None:
        if not self.isVisible():
            return
        self._writing = True
        self._slider.setValue(round(TICKS * time / self._end) if self._end else 0)
        self._writing = False
        if self._end:
            self._label.setText(f"t = {time:.1f} of {round(self._end, 1):g} ms")
        else:
            self._label.setText("no run yet")

    def _run(self) -> Run | None:
        run = shown_run(self.state)
        return run if run is not None and len(run.recording.time) else None

    def _spike_times(self) -> np.ndarray:
        """(n_spike,) ms of the first instance."""
        run = self._run()
        if run is None:
            return np.empty(0)
        spikes = run.recording.spikes
        return np.sort(spikes[spikes[:, 0] == 0, 1])

    # What the person does

    def _on_slider(self, value: int) -> None:
        if not self._writing and self._end:
            self.time_chosen.emit(value / TICKS * self._end)

    def _advance(self) -> None:
        """The next time while playing; at the end it stops."""
        time = self.state.time + self._clock.restart() / 1000.0 * self.speed
        if time >= self._end:
            self.time_chosen.emit(self._end)
            self.play_toggled.emit()
        else:
            self.time_chosen.emit(time)

    def to_spike_before(self) -> None:
        """Go to the last spike before the time shown."""
        times = self._spike_times()
        before = times[times < self.state.time - 1e-6]
        if len(before):
            self.time_chosen.emit(float(before[-1]))

    def to_spike_after(self) -> None:
        """Go to the first spike after the time shown."""
        times = self._spike_times()
        after = times[times > self.state.time + 1e-6]
        if len(after):
            self.time_chosen.emit(float(after[0]))

    def showEvent(self, event: QShowEvent | None) -> None:
        super().showEvent(event)
        self._refresh()

    def hideEvent(self, event: QHideEvent | None) -> None:
        super().hideEvent(event)
        self._timer.stop()
