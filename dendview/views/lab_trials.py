"""The trials of a study: a grid that fills, and the list of one point."""

from PyQt6.QtCore import QPoint, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QScrollArea,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from dendview.colors import THEMES
from dendview.lab import (
    TITLES,
    LabRun,
    Point,
    TrialState,
    at_work,
    points_of,
    state_of,
    trial_text,
)
from dendview.runs import shown_study
from dendview.state import AppState
from dendview.views.cell_text import font
from dendview.widgets.lazy import LazyWidget
from dendview.wording import plural
from engine.experiments.spike_study import Condition, Trial
from engine.exporting.spike_figure import COLORS

LABEL = 36
"""Pixels beside a row for its number of synapses."""
LEAST, MOST = 7.0, 15.0
"""Height of a row in pixels."""
HEADING = 17.0
GAP = 1.5


class TrialGrid(QWidget):
    """A square for every trial: rows are points, columns trials."""

    trial_clicked = pyqtSignal(object)  # Trial
    trial_opened = pyqtSignal(object)  # Trial

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.setAccessibleName("Trials of the study")
        self.setMouseTracking(True)
        self._boxes: list[tuple[QRectF, Trial]] = []

    def sizeHint(self) -> QSize:
        run = shown_study(self._state)
        if run is None:
            return QSize(200, 80)
        rows, heads = len(points_of(run.study)), len(run.study.conditions)
        return QSize(220, int(rows * (LEAST + GAP) + heads * HEADING + 8))

    def refresh(self) -> None:
        """Another study, or more of it."""
        self.setMinimumHeight(self.sizeHint().height())
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        theme = THEMES[self._state.theme]
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.canvas))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._boxes = []
        run = shown_study(self._state)
        if run is None:
            painter.setPen(QColor(theme.muted))
            painter.setFont(font(12))
            text = "Every trial gets a square here when the study runs"
            box = QRectF(self.rect()).adjusted(12, 0, -12, 0)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, text)
            return
        rows = points_of(run.study)
        n_head = len(run.study.conditions)
        height = (self.height() - 8 - n_head * HEADING) / max(len(rows), 1) - GAP
        height = min(max(height, LEAST), MOST)
        room = (self.width() - LABEL - 10) / run.study.n_trials
        width = max(min(room - (GAP if room > 6 else 0.8), 1.6 * height), 1.2)
        working, y, before = at_work(run), 4.0, ""
        for condition, n in rows:
            if condition != before:
                self._head(painter, condition, y)
                before, y = condition, y + HEADING
            self._row(painter, run, (condition, n), working, y, QRectF(0, 0, width, height))
            y += height + GAP
        painter.end()

    def _head(self, painter: QPainter, condition: Condition, y: float) -> None:
        painter.setFont(font(11, bold=True))
        painter.setPen(QColor(COLORS[self._state.theme][condition]))
        box = QRectF(8, y, self.width() - 12, HEADING)
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, TITLES[condition])

    def _row(
        self,
        painter: QPainter,
        run: LabRun,
        point: Point,
        working: frozenset[Trial],
        y: float,
        shape: QRectF,
    ) -> None:
        theme, state = THEMES[self._state.theme], self._state
        painter.setFont(font(min(11, max(8, int(shape.height()) + 1))))
        painter.setPen(QColor(theme.text if state.lab_point == point else theme.muted))
        box = QRectF(0, y - 2, LABEL - 8, shape.height() + 4)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(box, right, str(point[1]))
        color = COLORS[state.theme][point[0]]
        for i in range(run.study.n_trials):
            trial = Trial(*point, i)
            gap = GAP if shape.width() > 4.5 else 0.8
            box = QRectF(LABEL + i * (shape.width() + gap), y, shape.width(), shape.height())
            self._square(painter, box, state_of(run, trial, working), color)
            if state.lab_trial == trial and state.lab_point == point:
                painter.setPen(QPen(QColor(theme.text), 1.5))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(box.adjusted(-1, -1, 1, 1))
            self._boxes.append((box, trial))

    def _square(self, painter: QPainter, box: QRectF, how: TrialState, color: str) -> None:
        """Filled: fired; a pale one: silent; a frame: at work; a dot: waits; ✕: failed."""
        theme = THEMES[self._state.theme]
        painter.setPen(Qt.PenStyle.NoPen)
        if how == "fired":
            painter.fillRect(box, QColor(color))
        elif how == "silent":
            pale = QColor(theme.muted)
            pale.setAlpha(70)
            painter.fillRect(box, pale)
        elif how == "running":
            painter.setPen(QPen(QColor(theme.accent), 1.2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(box.adjusted(0.5, 0.5, -0.5, -0.5))
        elif how == "failed":
            painter.setPen(QPen(QColor(theme.error), 1.6))
            painter.drawLine(box.topLeft(), box.bottomRight())
            painter.drawLine(box.bottomLeft(), box.topRight())
        else:
            painter.setBrush(QColor(theme.grid))
            painter.drawEllipse(box.center(), 1.2, 1.2)

    def trial_at(self, at: QPoint) -> Trial | None:
        """The trial of a place, or None."""
        place = at.toPointF()
        return next(
            (t for box, t in self._boxes if box.adjusted(-1, -1, 1, 1).contains(place)), None
        )

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        if event is not None and (trial := self.trial_at(event.pos())) is not None:
            self.trial_clicked.emit(trial)

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:
        if event is not None and (trial := self.trial_at(event.pos())) is not None:
            self.trial_opened.emit(trial)

    def event(self, event: object) -> bool:
        if isinstance(event, QHelpEvent):
            trial, run = self.trial_at(event.pos()), shown_study(self._state)
            if trial is not None and run is not None:
                text = trial_text(run.outcomes.get(trial), run.study.seed, trial)
                title = f"{TITLES[trial.condition]}, {trial.n_synapses} synapses"
                QToolTip.showText(event.globalPos(), f"{title}\n{text}", self)
            else:
                QToolTip.hideText()
            return True
        return super().event(event)  # type: ignore[arg-type]


class LabTrials(LazyWidget):
    """The grid, and beside it the trials of the chosen point, to be replayed."""

    trial_clicked = pyqtSignal(object)  # Trial
    replay_clicked = pyqtSignal(object)  # Trial

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.setMinimumSize(300, 150)
        self.grid = TrialGrid(state)
        scroll = QScrollArea()
        scroll.setWidget(self.grid)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.title = QLabel()
        self.title.setWordWrap(True)
        self.list = QListWidget()
        self.list.setAccessibleName("Trials of the chosen point")
        self.list.setUniformItemSizes(True)
        self.replay = QPushButton("Replay on the cell")
        self.replay.setToolTip("Run the trial again with traces and the voltage of the whole cell")
        self.side = QWidget()
        column = QVBoxLayout(self.side)
        column.setContentsMargins(6, 5, 8, 6)
        column.setSpacing(5)
        column.addWidget(self.title)
        column.addWidget(self.list, 1)
        column.addWidget(self.replay)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(scroll, 5)
        row.addWidget(self.side, 4)
        self.grid.trial_clicked.connect(self.trial_clicked)
        self.grid.trial_opened.connect(self.replay_clicked)
        self.list.itemClicked.connect(self._on_item)
        self.list.currentItemChanged.connect(lambda item, _: self._on_item(item))
        self.list.itemActivated.connect(self._on_open)
        self.replay.clicked.connect(self._on_replay)
        events = state.events
        for event in (
            events.lab_runs, events.lab_shown, events.lab_point, events.lab_trial, events.job,
            events.theme,
        ):  # fmt: skip
            event.connect(self.redraw)

    def _draw(self) -> None:
        self.grid.refresh()
        state = self._state
        run, point = shown_study(state), state.lab_point
        self.replay.setEnabled(run is not None and point is not None and state.job is None)
        waits = state.job is not None
        self.replay.setToolTip(
            "Possible when nothing else is computed"
            if waits
            else "Run the trial again with traces and the voltage of the whole cell"
        )
        self.list.blockSignals(True)
        if run is None or point is None:
            self.list.clear()
            self.title.setText("Click a point of the curve or a square: its trials appear here.")
        else:
            self._fill(run, point)
        self.list.blockSignals(False)

    def _fill(self, run: LabRun, point: Point) -> None:
        trials = [Trial(*point, i) for i in range(run.study.n_trials)]
        done = [run.outcomes[t] for t in trials if t in run.outcomes]
        fired = sum(o.fired for o in done)
        self.title.setText(
            f"{TITLES[point[0]]}, {plural(point[1], 'synapse')}: {fired} of {len(done)} fired"
        )
        texts = [trial_text(run.outcomes.get(t), run.study.seed, t) for t in trials]
        old = [self.list.item(i) for i in range(self.list.count())]
        same = len(old) == len(texts) and all(
            item is not None and item.data(Qt.ItemDataRole.UserRole) == trial
            for item, trial in zip(old, trials, strict=False)
        )
        if not same:
            self.list.clear()
        for i, (trial, text) in enumerate(zip(trials, texts, strict=True)):
            item = self.list.item(i) if same else QListWidgetItem()
            assert item is not None
            if not same:
                item.setData(Qt.ItemDataRole.UserRole, trial)
                self.list.addItem(item)
            item.setText(text)
            item.setToolTip(text)
            if trial == self._state.lab_trial:
                self.list.setCurrentItem(item)

    def _on_item(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self.trial_clicked.emit(item.data(Qt.ItemDataRole.UserRole))

    def _on_open(self, item: QListWidgetItem) -> None:
        self.replay_clicked.emit(item.data(Qt.ItemDataRole.UserRole))

    def _on_replay(self) -> None:
        if self._state.lab_trial is not None:
            self.replay_clicked.emit(self._state.lab_trial)
