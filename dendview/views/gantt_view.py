"""The schedule as a chart of threads against steps, linked to the cell both ways."""

from pathlib import Path

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QEvent, QPointF, Qt, pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget
from pyqtgraph.GraphicsScene.mouseEvents import MouseClickEvent

from dendview.colors import THEMES, thread_colors
from dendview.schedule_scene import node_at, rows_used
from dendview.state import AppState
from dendview.views.plotting import CountAxis, color_plot, export_widget
from dendview.visuals.slots import MarksItem, SlotsItem
from dendview.widgets.lazy import LazyWidget
from engine.compartments import CompartmentTree
from engine.schedule.model import Schedule

HINT = "Click a box for its compartment, the axis for its step."


class GanttView(LazyWidget):
    """Threads down, steps across; every box is one compartment, every empty one an idle thread.

    A click on a box means its node; a click on an idle slot or on the axis means the step. Steps
    are counted from 1 (``step_clicked(n)``: show the schedule when n steps are done), threads and
    nodes from 0.
    """

    node_clicked = pyqtSignal(int)
    node_hovered = pyqtSignal(int)  # -1: none
    step_clicked = pyqtSignal(int)

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._drawn: tuple[Schedule | None, str] | None = None
        self.setMinimumSize(260, 150)
        self.plot = pg.PlotWidget(
            axisItems={"bottom": CountAxis("bottom", 1), "left": CountAxis("left", 0)}
        )
        self.plot.setFrameShape(self.plot.Shape.NoFrame)
        self.plot.setMenuEnabled(False)
        self.plot.hideButtons()
        self.plot.setLabel("bottom", "step")
        self.plot.setLabel("left", "thread")
        self.plot.getAxis("left").setWidth(52)
        self.box = self.plot.getPlotItem().getViewBox()
        self.box.invertY(True)
        self.box.disableAutoRange()
        self.slots, self.marks = SlotsItem(), MarksItem()
        self.plot.addItem(self.slots, ignoreBounds=True)
        self.plot.addItem(self.marks, ignoreBounds=True)
        self.line = QLabel(HINT)
        self.line.setProperty("role", "muted")
        self.line.setMinimumWidth(60)
        self.line.setToolTip("The wheel zooms, dragging moves, a double click fits the chart.")
        self.fit_button = QToolButton()
        self.fit_button.setText("Fit")
        self.fit_button.setAutoRaise(True)
        self.fit_button.setToolTip("Show the whole schedule")
        self.fit_button.clicked.connect(self.fit)
        below = QHBoxLayout()
        below.setContentsMargins(10, 0, 6, 3)
        below.addWidget(self.line, 1)
        below.addWidget(self.fit_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 4, 0)
        layout.setSpacing(0)
        layout.addWidget(self.plot, 1)
        layout.addLayout(below)
        scene = self.plot.scene()
        scene.sigMouseClicked.connect(self._on_click)
        scene.sigMouseMoved.connect(self._on_move)
        self.plot.viewport().installEventFilter(self)
        events = state.events
        for event in (events.schedule, events.step, events.selection, events.hovered, events.theme):
            event.connect(self.redraw)

    # what is drawn

    @property
    def _tree(self) -> CompartmentTree | None:
        """The tree of the schedule shown, None where they do not belong together (yet)."""
        cell, schedule = self._state.cell, self._state.schedule
        if cell is None or schedule is None:
            return None
        tree = cell.trees[self._state.nodes]
        return tree if tree.n_comp == schedule.n_comp else None

    def _draw(self) -> None:
        state = self._state
        schedule, theme = state.schedule, THEMES[state.theme]
        if self._drawn is None or self._drawn[0] is not schedule or self._drawn[1] != state.theme:
            colors = thread_colors(schedule.n_threads if schedule else 1)
            self.slots.show_schedule(schedule, colors, theme)
            color_plot(self.plot, theme)
            if self._drawn is None or self._drawn[0] is not schedule:
                self._limit(schedule)
                self.fit()
                self.line.setText(self._resting_text())
            self._drawn = (schedule, state.theme)
        if schedule is None:
            self.marks.show_marks(theme, (0, 0), 0, None, ())
            return
        size = schedule.n_step, rows_used(schedule)
        self.marks.show_marks(theme, size, state.step, schedule.bound, self._meant(schedule))
        self._follow(schedule)

    def _meant(self, schedule: Schedule) -> tuple[tuple[int, int, bool], ...]:
        """Slots of the hovered and of the selected segment."""
        meant = []
        for segment, selected in ((self._state.hovered, False), (self._state.selection, True)):
            if (
                segment is not None
                and (tree := self._tree) is not None
                and segment < tree.n_segment
            ):
                node = tree.node_of_segment[segment]
                if schedule.step[node] >= 0:
                    place = int(schedule.step[node]), int(schedule.thread[node])
                    meant.append((*place, selected))
        return tuple(meant)

    def _limit(self, schedule: Schedule | None) -> None:
        n_step, n_row = (schedule.n_step, rows_used(schedule)) if schedule else (1, 1)
        self.plot.getAxis("bottom").count, self.plot.getAxis("left").count = n_step, n_row
        self.box.setLimits(
            xMin=-0.02 * n_step - 0.5,
            xMax=1.02 * n_step + 0.5,
            yMin=-0.5,
            yMax=n_row + 0.5,
            minXRange=min(4, n_step),
            minYRange=min(4, n_row),
        )
        self.plot.setMouseEnabled(x=True, y=n_row > 16)

    def fit(self) -> None:
        """Show the whole schedule."""
        schedule = self._state.schedule
        n_step, n_row = (schedule.n_step, rows_used(schedule)) if schedule else (1, 1)
        self.box.setRange(xRange=(0, max(n_step, 1)), yRange=(0, n_row), padding=0)

    def _follow(self, schedule: Schedule) -> None:
        """Keep the step shown in sight when zoomed in."""
        (low, high), _ = self.box.viewRange()
        step = self._state.step
        if step and not low <= step - 0.5 <= high:
            span = high - low
            start = min(max(step - 0.5 - span / 4, 0), max(schedule.n_step - span, 0))
            self.box.setXRange(start, start + span, padding=0)

    # what is told

    def _resting_text(self) -> str:
        schedule = self._state.schedule
        if schedule is None:
            return "Open a cell to see its schedule."
        used, k = rows_used(schedule), schedule.n_threads
        if used < k:
            if used < k - 1:
                return f"Threads {used} to {k - 1} are always idle, not drawn."
            return f"Thread {used} is always idle, not drawn."
        return HINT

    def describe_slot(self, step: int, thread: int) -> str:
        """A line on a slot, both counted from 0."""
        schedule, tree = self._state.schedule, self._tree
        if schedule is None or not (
            0 <= step < schedule.n_step and 0 <= thread < schedule.n_threads
        ):
            return ""
        head = f"step {step + 1} · thread {thread}"
        node = node_at(schedule, step, thread)
        if node < 0:
            return f"{head} · idle"
        if tree is None:
            return f"{head} · node {node}"
        name = tree.sections.name[tree.section[node]]
        return f"{head} · node {node} · {name}({tree.x[node]:.3g})"

    def _slot(self, position: QPointF) -> tuple[int, int]:
        """Step and thread under a position of the scene; -1 where it is outside."""
        place = self.box.mapSceneToView(position)
        across, down = int(np.floor(place.x())), int(np.floor(place.y()))
        if self.box.sceneBoundingRect().contains(position):
            return across, down
        if self.plot.getAxis("bottom").sceneBoundingRect().contains(position):
            return across, -1
        return -1, -1

    def _on_click(self, event: MouseClickEvent) -> None:
        schedule = self._state.schedule
        if schedule is None or event.button() != Qt.MouseButton.LeftButton:
            return
        step, thread = self._slot(event.scenePos())
        if event.double():
            self.fit()
        elif 0 <= step < schedule.n_step:
            if (node := node_at(schedule, step, thread)) >= 0:
                self.node_clicked.emit(node)
            else:
                self.step_clicked.emit(step + 1)

    def _on_move(self, position: QPointF) -> None:
        schedule = self._state.schedule
        if schedule is None:
            return
        step, thread = self._slot(position)
        text = self.describe_slot(step, thread)
        self.line.setText(text or self._resting_text())
        self.node_hovered.emit(node_at(schedule, step, thread) if text else -1)

    def eventFilter(self, watched: object, event: QEvent | None) -> bool:
        if event is not None and event.type() == QEvent.Type.Leave:
            self.line.setText(self._resting_text())
            self.node_hovered.emit(-1)
        return False

    def export(self, path: str | Path) -> None:
        """Write the chart as ``.png`` or ``.svg``, or its slots as ``.csv``.

        Raises
        ------
        UserError
            If the ending is another or the file cannot be written.
        """
        rows: list[tuple[object, ...]] = [("step", "thread", "node")]
        if (schedule := self._state.schedule) is not None:
            step, thread = schedule.step[schedule.node] + 1, schedule.thread[schedule.node]
            rows += zip(step.tolist(), thread.tolist(), schedule.node.tolist(), strict=True)
        export_widget(self, path, rows)
