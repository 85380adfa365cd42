"""The panel *Run time*: what the schedules predict and what this machine measures."""

from pathlib import Path

from PyQt6.QtCore import QSignalBlocker, Qt, pyqtSignal
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from dendview.run_time_scene import NOTHING, ONE_CORE, UNITS, caption, cells_text, remarks
from dendview.state import AppState
from dendview.status_bar import remaining
from dendview.views.plotting import export_widget
from dendview.views.run_time_curves import RunTimeCurves
from dendview.views.run_time_table import RunTimeTable
from dendview.widgets.elided import ElidedLabel
from dendview.widgets.lazy import LazyWidget
from engine.experiments.timings import table

WIDE = 900
"""Pixels from which on bars and curves stand beside each other."""
FIGURE = 1240, 420


class RunTimeFigure(LazyWidget):
    """Bars and curves, both or one of them, and the line that says what they are."""

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.bars, self.curves = RunTimeTable(state), RunTimeCurves(state)
        self.caption = QLabel()
        self.caption.setWordWrap(True)
        self.caption.setProperty("role", "muted")
        self.caption.setContentsMargins(8, 0, 8, 3)
        self.remark = QLabel(ONE_CORE)
        self.remark.setProperty("role", "muted")
        self.remark.setWordWrap(True)
        self.remark.setContentsMargins(8, 0, 8, 4)
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.bars, 1)
        row.addWidget(self.curves, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(row, 1)
        layout.addWidget(self.caption)
        layout.addWidget(self.remark)
        state.events.run_times.connect(self.redraw)

    def _draw(self) -> None:
        result = self._state.run_times
        self.caption.setText("" if result is None else caption(result))
        self.caption.setToolTip("" if result is None else remarks(result))


class RunTimeView(LazyWidget):
    """Measure, look at bars for a number of cells or at curves over all, keep what was found."""

    measure_clicked = pyqtSignal()
    cancel_clicked = pyqtSignal()

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.setMinimumSize(260, 150)
        self.measure = QPushButton("Measure")
        self.measure.clicked.connect(self._on_measure)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(12)
        self.progress.setRange(0, 1000)
        self.progress.setMinimumWidth(50)
        self.progress.setAccessibleName("Progress of the measurement")
        self.doing = ElidedLabel("")
        self.doing.setProperty("role", "muted")
        self.cells = QComboBox()
        self.cells.setAccessibleName("Number of cells of the bars")
        self.cells.setToolTip("Number of cells the bars are for")
        self.cells.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.unit = QComboBox()
        self.unit.setAccessibleName("Unit of the curves")
        self.unit.setToolTip("What the curves tell")
        for name, unit in UNITS.items():
            self.unit.addItem(unit.title, name)
        self.which = QButtonGroup(self)
        self.figure = RunTimeFigure(state)
        self.nothing = QLabel(NOTHING)
        self.nothing.setWordWrap(True)
        self.nothing.setProperty("role", "muted")
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.nothing.setContentsMargins(24, 8, 24, 24)
        self.pages = QStackedWidget()
        self.pages.addWidget(self.nothing)
        self.pages.addWidget(self.figure)
        self.cells.activated.connect(self._on_cells)
        self.unit.activated.connect(
            lambda row: self.figure.curves.show_unit(self.unit.itemData(row))
        )
        self._arrange()
        self._parts_shown()
        for event in (state.events.run_times, state.events.job, state.events.cell):
            event.connect(self.redraw)

    def _arrange(self) -> None:
        top = QHBoxLayout()
        top.setContentsMargins(8, 4, 8, 2)
        top.setSpacing(8)
        top.addWidget(self.measure)
        top.addWidget(self.progress)
        top.addWidget(self.doing, 1)
        for name in ("Bars", "Curves"):
            button = QToolButton()
            button.setText(name)
            button.setCheckable(True)
            button.setAutoRaise(True)
            button.setChecked(name == "Bars")
            self.which.addButton(button)
            top.addWidget(button)
        self.which.buttonClicked.connect(lambda _: self._parts_shown())
        top.addWidget(self.cells)
        top.addWidget(self.unit)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(top)
        layout.addWidget(self.pages, 1)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self._parts_shown()

    def _parts_shown(self) -> None:
        """Both where there is room, else the one that is chosen."""
        wide = self.width() >= WIDE
        some = self._state.run_times is not None
        bars, curves = self.which.buttons()
        self.figure.remark.setVisible(wide and self.height() >= 300)
        for button in (bars, curves):
            button.setVisible(not wide and some)
        self.figure.bars.setVisible(wide or bars.isChecked())
        self.figure.curves.setVisible(wide or curves.isChecked())
        self.cells.setVisible(some and (wide or bars.isChecked()))
        self.unit.setVisible(some and (wide or curves.isChecked()))

    def _draw(self) -> None:
        state, result, job = self._state, self._state.run_times, self._state.job
        busy = job is not None and job.kind == "run_time"
        self.measure.setText("Cancel" if busy else "Measure again" if result else "Measure")
        self.measure.setEnabled(state.cell is not None and (busy or job is None))
        self.progress.setVisible(busy)
        text = ""
        if busy and job is not None:
            self.progress.setRange(0, 1000 if job.fraction is not None else 0)
            self.progress.setValue(round(1000 * (job.fraction or 0.0)))
            left = "" if job.remaining is None else f"{remaining(job.remaining)} · "
            text = left + job.text.removeprefix("Run time: ")
        self.doing.setText(text)
        sizes = () if result is None else result.measured_sizes
        self.pages.setCurrentIndex(1 if sizes else 0)
        known = tuple(self.cells.itemData(i) for i in range(self.cells.count()))
        if known != sizes:
            last = not known or self.cells.currentIndex() == len(known) - 1
            chosen = self.cells.currentData()
            with QSignalBlocker(self.cells):
                self.cells.clear()
                for n in sizes:
                    self.cells.addItem(cells_text(n), n)
                if sizes:
                    at = len(sizes) - 1 if last or chosen not in sizes else sizes.index(chosen)
                    self.cells.setCurrentIndex(at)
            if sizes:
                self.figure.bars.show_cells(self.cells.currentData())
        self._parts_shown()

    def _on_measure(self) -> None:
        job = self._state.job
        busy = job is not None and job.kind == "run_time"
        (self.cancel_clicked if busy else self.measure_clicked).emit()

    def _on_cells(self, row: int) -> None:
        self.figure.bars.show_cells(self.cells.itemData(row))

    def export(self, path: str | Path) -> None:
        """Write bars and curves as ``.png`` or ``.svg``, or every number as ``.csv``.

        Raises
        ------
        UserError
            If the ending is another or the file cannot be written.
        """
        result = self._state.run_times
        figure = RunTimeFigure(self._state)
        figure.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
        figure.resize(*FIGURE)
        figure.bars.n_cells = self.figure.bars.n_cells
        figure.curves.unit = self.figure.curves.unit
        figure.show()
        for part in (figure, figure.bars, figure.curves):
            part.draw_now()
        export_widget(figure, path, [] if result is None else table(result))
        figure.close()
        figure.deleteLater()
