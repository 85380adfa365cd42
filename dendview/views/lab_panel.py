"""The panel *Study*: cards to start from, conditions, preview, and the buttons that run it."""

from typing import cast

from PyQt6.QtCore import QSignalBlocker, Qt, pyqtSignal
from PyQt6.QtGui import QKeyEvent
from PyQt6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from dendview.lab import TITLES, progress_text
from dendview.runs import shown_study
from dendview.state import AppState
from dendview.status_bar import remaining
from dendview.widgets.lazy import LazyWidget
from dendview.wording import number, plural
from engine.experiments.spike_presets import PRESETS
from engine.experiments.spike_study import CONDITIONS, Condition, SpikeStudy, Trial

SEEDS = 2**31 - 1


class PresetCard(QFrame):
    """A study to start from; a click or Return chooses it."""

    chosen = pyqtSignal(str)

    def __init__(self, name: str, title: str, note: str) -> None:
        super().__init__()
        self.setObjectName("card")
        self.name = name
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(f"{title}. {note}")
        heading = QLabel(title)
        font = heading.font()
        font.setBold(True)
        heading.setFont(font)
        heading.setWordWrap(True)
        line = QLabel(note)
        line.setProperty("role", "muted")
        line.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 7, 10, 8)
        layout.setSpacing(2)
        layout.addWidget(heading)
        layout.addWidget(line)

    def show_chosen(self, chosen: bool) -> None:
        """Mark the card that the study came from."""
        if self.property("chosen") != chosen:
            self.setProperty("chosen", chosen)
            if (style := self.style()) is not None:
                style.unpolish(self)
                style.polish(self)

    def mouseReleaseEvent(self, event: object) -> None:
        if self.underMouse():
            self.chosen.emit(self.name)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        keys = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)
        if event is not None and event.key() in keys:
            self.chosen.emit(self.name)
        else:
            super().keyPressEvent(event)


class LabPanel(LazyWidget):
    """Reports what the person wants of the study; shows the state's."""

    preset_chosen = pyqtSignal(str)
    conditions_chosen = pyqtSignal(object)  # tuple of Condition
    trials_chosen = pyqtSignal(int)
    seed_chosen = pyqtSignal(int)
    reshuffle_clicked = pyqtSignal()
    trial_chosen = pyqtSignal(object)  # Trial to preview
    run_clicked = pyqtSignal()
    cancel_clicked = pyqtSignal()
    resume_clicked = pyqtSignal()

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.setMinimumWidth(252)
        self.cards = [PresetCard(name, card.title, card.note) for name, card in PRESETS.items()]
        self.boxes: dict[Condition, QCheckBox] = {}
        self.trials = _spin("Trials at every point", 1, 10_000)
        self.seed = _spin("Seed", 0, SEEDS)
        self.point = QComboBox()
        self.point.setAccessibleName("Point that is previewed")
        self.trial = _spin("Trial that is previewed", 1, 1)
        self.reshuffle = QPushButton("Reshuffle")
        self.reshuffle.setToolTip("Draw all places, trains and weights anew, by the next seed")
        self.extent = QLabel()
        self.extent.setProperty("role", "muted")
        self.extent.setWordWrap(True)
        self.drawn = QLabel()
        self.drawn.setProperty("role", "muted")
        self.drawn.setWordWrap(True)
        self.run = QPushButton("Run the study")
        self.run.setProperty("primary", True)
        self.resume = QPushButton("Resume")
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(10)
        self.progress.setAccessibleName("Progress of the study")
        self.doing = QLabel()
        self.doing.setWordWrap(True)
        self._arrange()
        self._connect()
        events = state.events
        for event in (
            events.cell, events.lab_study, events.lab_trial, events.lab_preview, events.lab_runs,
            events.lab_shown, events.job,
        ):  # fmt: skip
            event.connect(self.redraw)

    def _arrange(self) -> None:
        page = QWidget()
        page.setObjectName("panel")
        column = QVBoxLayout(page)
        column.setContentsMargins(10, 8, 10, 8)
        column.setSpacing(6)
        for card in self.cards:
            column.addWidget(card)
        column.addWidget(_heading("Conditions"))
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        for row, (model, text) in enumerate((("few", "Few spines"), ("full", "All spines"))):
            label = QLabel(text)
            label.setProperty("role", "muted")
            grid.addWidget(label, row, 0)
            for at, pattern in enumerate(("distributed", "clustered"), 1):
                name = next(c for c in CONDITIONS if c == f"{model}-{pattern}")
                box = QCheckBox(pattern)
                box.setAccessibleName(TITLES[name])
                self.boxes[name] = box
                grid.addWidget(box, row, at)
        column.addLayout(grid)
        line = QHBoxLayout()
        line.addWidget(QLabel("Trials a point"), 1)
        line.addWidget(self.trials)
        column.addLayout(line)
        column.addWidget(self.extent)
        column.addWidget(_heading("Preview"))
        column.addWidget(self.point)
        line = QHBoxLayout()
        line.addWidget(QLabel("Trial"), 1)
        line.addWidget(self.trial)
        column.addLayout(line)
        line = QHBoxLayout()
        line.addWidget(QLabel("Seed"))
        line.addWidget(self.seed, 1)
        line.addWidget(self.reshuffle)
        column.addLayout(line)
        column.addWidget(self.drawn)
        column.addStretch()
        scroll = QScrollArea()
        scroll.setWidget(page)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        foot = QWidget()
        foot.setObjectName("panel")
        foot.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        below = QVBoxLayout(foot)
        below.setContentsMargins(10, 4, 10, 8)
        below.setSpacing(5)
        below.addWidget(self.doing)
        below.addWidget(self.progress)
        buttons = QHBoxLayout()
        buttons.setSpacing(6)
        buttons.addWidget(self.run, 1)
        buttons.addWidget(self.resume, 1)
        below.addLayout(buttons)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(scroll, 1)
        layout.addWidget(foot)

    def _connect(self) -> None:
        for card in self.cards:
            card.chosen.connect(self.preset_chosen)
        for box in self.boxes.values():
            box.clicked.connect(self._on_condition)
        self.trials.valueChanged.connect(self.trials_chosen)
        self.seed.valueChanged.connect(self.seed_chosen)
        self.reshuffle.clicked.connect(self.reshuffle_clicked)
        self.point.activated.connect(self._on_preview)
        self.trial.valueChanged.connect(self._on_preview)
        self.run.clicked.connect(self._on_run)
        self.resume.clicked.connect(self.resume_clicked)

    def _draw(self) -> None:
        study = self._state.lab_study
        for widget in (self.trials, self.seed, self.point, self.trial, self.reshuffle):
            widget.setEnabled(study is not None)
        if study is not None:
            self._draw_study(study)
        self._draw_run()

    def _draw_study(self, study: SpikeStudy) -> None:
        for card in self.cards:
            card.show_chosen(card.name == study.name)
        for condition, box in self.boxes.items():
            box.setChecked(condition in study.conditions)
        _set(self.trials, study.n_trials)
        _set(self.seed, study.seed)
        n_point = sum(len(study.points(c)) for c in study.conditions)
        cell = self._state.cell
        name = cell.morphology.name if cell is not None else "the cell"
        self.extent.setText(
            f"{n_point} points, {plural(study.n_total, 'trial')} of {study.cell.duration:g} ms on "
            f"{name} with the human L2/3 membrane (Eyal et al. 2018)"
        )
        trial, preview = self._state.lab_trial, self._state.lab_preview
        wanted = [(c, n) for c in study.conditions for n in study.points(c)]
        with QSignalBlocker(self.point):
            if [self.point.itemData(i) for i in range(self.point.count())] != wanted:
                self.point.clear()
                for where, n in wanted:
                    self.point.addItem(f"{n} · {TITLES[where]}", (where, n))
            if trial is not None:
                at = (trial.condition, trial.n_synapses)
                self.point.setCurrentIndex(wanted.index(at) if at in wanted else -1)
        with QSignalBlocker(self.trial):
            self.trial.setMaximum(study.n_trials)
            if trial is not None:
                self.trial.setValue(trial.number + 1)
        self.drawn.setText("" if preview is None else preview.caption)

    def _draw_run(self) -> None:
        state = self._state
        run, job = shown_study(state), state.job
        busy = job is not None and job.kind == "spike_lab"
        self.run.setText("Cancel" if busy else "Run the study")
        stopping = job is not None and job.cancelling
        free = state.lab_study is not None and (job is None or busy) and not stopping
        self.run.setEnabled(free)
        can_resume = run is not None and run.state in ("stopped", "failed") and job is None
        self.resume.setVisible(can_resume)
        if run is not None:
            self.resume.setText(f"Resume {number(run.n_done)}/{number(run.study.n_total)}")
        self.progress.setVisible(busy)
        if busy and job is not None:
            self.progress.setRange(0, 1000 if job.fraction is not None else 0)
            self.progress.setValue(round(1000 * (job.fraction or 0.0)))
            left = "" if job.remaining is None else f" · {remaining(job.remaining)}"
            self.doing.setText(job.text + left)
        else:
            self.doing.setText("" if run is None else f"{run.title}: {progress_text(run)}")
        self.doing.setVisible(bool(self.doing.text()))

    def _on_condition(self, *_: object) -> None:
        chosen = tuple(name for name, box in self.boxes.items() if box.isChecked())
        if chosen:
            self.conditions_chosen.emit(chosen)
        else:  # one is needed
            self.redraw()

    def _on_preview(self, *_: object) -> None:
        if (data := self.point.currentData()) is not None:
            condition, n = cast(tuple[Condition, int], data)
            self.trial_chosen.emit(Trial(condition, n, self.trial.value() - 1))

    def _on_run(self) -> None:
        job = self._state.job
        busy = job is not None and job.kind == "spike_lab"
        (self.cancel_clicked if busy else self.run_clicked).emit()


def _spin(name: str, low: int, high: int) -> QSpinBox:
    box = QSpinBox()
    box.setRange(low, high)
    box.setAccessibleName(name)
    box.setKeyboardTracking(False)
    box.setMinimumWidth(74)
    return box


def _set(box: QSpinBox, value: int) -> None:
    with QSignalBlocker(box):
        box.setValue(value)


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "heading")
    label.setContentsMargins(0, 6, 0, 0)
    return label
