"""How a training goes: bars of run and epoch, its speed, the rate that can be dragged, buttons."""

import math

from PyQt6.QtCore import QSignalBlocker, Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QAbstractSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from dendview.state import AppState
from dendview.status_bar import remaining
from dendview.training import TrainingRun, find_run, progress_text
from dendview.widgets.lazy import LazyWidget
from dendview.widgets.quantity import QuantityBox
from dendview.wording import number

LEAST_RATE, MOST_RATE = 1e-5, 10.0
"""Of the slider; the box takes any."""
PER_DECADE = 40
"""Places of the slider between a rate and ten times as much."""

STOP = "End the training; a checkpoint is saved all the same"
END_NOW = "Do not wait for the batch: what was learned since the last checkpoint is lost"


class TrainingFoot(LazyWidget):
    """Reports what is to become of the training that runs or is shown."""

    start_clicked = pyqtSignal()
    pause_clicked = pyqtSignal()
    resume_clicked = pyqtSignal()
    stop_clicked = pyqtSignal()
    save_clicked = pyqtSignal()
    rate_chosen = pyqtSignal(float)

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.setObjectName("panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.doing = QLabel()
        self.doing.setWordWrap(True)
        self.speed = QLabel()
        self.speed.setProperty("role", "muted")
        self.speed.setWordWrap(True)
        self.bars = {"Run": QProgressBar(), "Epoch": QProgressBar()}
        self.bar_labels = {name: QLabel(name) for name in self.bars}
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(place(LEAST_RATE), place(MOST_RATE))
        self.slider.setPageStep(PER_DECADE // 4)
        self.slider.setAccessibleName("Learning rate of the shown training, by tens")
        self.rate = QuantityBox("", minimum=1e-9, maximum=1e6, step=0.01, decimals=6)
        self.rate.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
        self.rate.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.rate.setFixedWidth(84)
        self.rate.setAccessibleName("Learning rate of the shown training")
        self.rate_label = QLabel("Rate")
        for widget in (self.rate_label, self.slider, self.rate):
            widget.setToolTip(
                "Learning rate of the shown training; a change is marked on its curves"
            )
        self.start = QPushButton("Start training")
        self.resume = QPushButton("Resume")
        self.pause = QPushButton("Pause")
        self.stop = QPushButton("Stop")
        self.save = QPushButton("Checkpoint")
        self.start.setToolTip("Train what is planned above, from the beginning")
        self.resume.setToolTip("Go on from the checkpoint of the shown training")
        self.pause.setToolTip("Save a checkpoint and let go of the engine")
        self.stop.setToolTip(STOP)
        self.save.setToolTip("Save a checkpoint now; the training goes on")
        self._arrange()
        self._connect()
        events = state.events
        for event in (
            events.training_runs, events.training_shown, events.training_data, events.training_plan,
            events.job,
        ):  # fmt: skip
            event.connect(self.redraw)

    def _arrange(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 6, 10, 8)
        column.setSpacing(5)
        column.addWidget(self.doing)
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        for row, (name, bar) in enumerate(self.bars.items()):
            bar.setRange(0, 1000)
            bar.setTextVisible(False)
            bar.setFixedHeight(10)
            bar.setAccessibleName(f"Progress of the {name.lower()}")
            self.bar_labels[name].setProperty("role", "muted")
            grid.addWidget(self.bar_labels[name], row, 0)
            grid.addWidget(bar, row, 1, 1, 2)
        self.rate_label.setProperty("role", "muted")
        grid.addWidget(self.rate_label, 2, 0)
        grid.addWidget(self.slider, 2, 1)
        grid.addWidget(self.rate, 2, 2)
        column.addLayout(grid)
        column.addWidget(self.speed)
        for buttons in ((self.pause, self.stop, self.save), (self.resume, self.start)):
            line = QHBoxLayout()
            line.setSpacing(6)
            for button in buttons:
                line.addWidget(button, 1)
            column.addLayout(line)

    def _connect(self) -> None:
        self.start.clicked.connect(self.start_clicked)
        self.resume.clicked.connect(self.resume_clicked)
        self.pause.clicked.connect(self.pause_clicked)
        self.stop.clicked.connect(self.stop_clicked)
        self.save.clicked.connect(self.save_clicked)
        self.rate.valueChanged.connect(self.rate_chosen)
        self.slider.valueChanged.connect(self._on_slide)
        self.slider.sliderReleased.connect(self._on_release)

    # Drawing

    def _draw(self) -> None:
        state = self._state
        runs = state.training_runs
        run = find_run(runs, state.training_shown)
        active = next((r for r in runs if r.state == "running"), None)
        ending = state.job is not None and state.job.cancelling
        shown = active or run
        for widget in (self.pause, self.stop, self.save):
            widget.setVisible(active is not None)
            widget.setEnabled(not ending)
        late = state.job is not None and state.job.late
        self.stop.setText("End now" if late else "Stop")
        self.stop.setToolTip(END_NOW if late else STOP)
        self.stop.setEnabled(late or not ending)
        self.save.setEnabled(not ending and active is not None and active.phase != "preparing")
        ready = state.training_data is not None and state.training_data.state == "ready"
        free = state.job is None
        self.start.setVisible(active is None)
        self.start.setEnabled(ready and free)
        can_resume = active is None and run is not None and run.can_resume
        self.resume.setVisible(can_resume)
        self.resume.setEnabled(free)
        if run is not None and can_resume:
            self.resume.setText("Resume" if run.saved is None else f"Resume at {run.saved:.2f}")
        for button in (self.start, self.resume):
            primary = button is (self.resume if can_resume else self.start)
            if button.property("primary") != primary:
                button.setProperty("primary", primary)
                if (style := button.style()) is not None:
                    style.unpolish(button)
                    style.polish(button)
        self._draw_progress(shown, active is not None)
        self._draw_rate(run)
        for holder in (self, self.parentWidget()):  # else it is painted once in its old height
            if holder is not None and (layout := holder.layout()) is not None:
                layout.invalidate()
                layout.activate()

    def _draw_progress(self, run: TrainingRun | None, active: bool) -> None:
        job = self._state.job
        for name, bar in self.bars.items():
            bar.setVisible(run is not None and active)
            self.bar_labels[name].setVisible(run is not None and active)
        self.doing.setVisible(run is not None)
        self.speed.setVisible(False)
        if run is None:
            return
        if not active:
            self.doing.setText(f"{run.title}: {progress_text(run)}")
            why = run.why if run.trouble else run.warning
            self.speed.setText(why)
            self.speed.setVisible(bool(why))
            return
        preparing = run.phase == "preparing"
        self.bars["Run"].setRange(0, 0 if preparing else 1000)
        self.bars["Run"].setValue(round(1000 * run.fraction))
        testing = run.phase == "testing"
        part = run.batch / run.n_batch if run.n_batch and not preparing else 0.0
        self.bars["Epoch"].setValue(1000 if testing else round(1000 * part))
        at = min(run.n_epoch + 1, run.training.learning.epochs)
        text = f"{run.title}: epoch {at} of {run.training.learning.epochs}"
        if testing:
            text += ", testing"
        elif run.n_batch:
            text += f", batch {number(run.batch)} of {number(run.n_batch)}"
        if (preparing and job is not None) or (job is not None and job.cancelling):
            text = job.text
        self.doing.setText(text)
        speed = f"{number(round(run.samples_per_second))} samples/s"
        if run.remaining is not None:
            speed += f" · {remaining(run.remaining)}"
        what = "test so far" if testing else "batch"
        speed += f"\n{what}: loss {run.loss:.3g}, {100 * run.accuracy:.0f} % right"
        if run.warning:
            speed += f"\n⚠ {run.warning}"
        self.speed.setText("" if preparing else speed)
        self.speed.setVisible(not preparing)

    def _draw_rate(self, run: TrainingRun | None) -> None:
        steered = run is not None and (run.state == "running" or run.can_resume)
        for widget in (self.rate_label, self.slider, self.rate):
            widget.setVisible(steered)
        if run is None or self.slider.isSliderDown() or self.rate.hasFocus():
            return
        value = run.rate_wanted or run.rate or run.training.learning.rate
        with QSignalBlocker(self.rate), QSignalBlocker(self.slider):
            self.rate.setValue(float(f"{value:.3g}"))
            self.slider.setValue(place(value))

    # What the person does

    def _on_slide(self, at: int) -> None:
        """While it is dragged only the number follows; the rate is changed when it is let go."""
        with QSignalBlocker(self.rate):
            self.rate.setValue(rate_at(at))
        if not self.slider.isSliderDown():  # keys and wheel
            self._on_release()

    def _on_release(self) -> None:
        self.rate_chosen.emit(rate_at(self.slider.value()))


def place(rate: float) -> int:
    """Where a rate is on the slider."""
    return round(PER_DECADE * math.log10(max(rate, 1e-12)))


def rate_at(at: int) -> float:
    """The rate of a place, in two digits."""
    return float(f"{10 ** (at / PER_DECADE):.2g}")
