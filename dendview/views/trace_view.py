"""Recorded traces over time, earlier runs dimmed behind, the stimulus below."""

from pathlib import Path
from typing import Any

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QEvent, QPointF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QLabel, QScrollArea, QStackedLayout, QToolTip, QVBoxLayout, QWidget

from dendview.colors import THEMES
from dendview.decimate import decimate, visible
from dendview.runs import shown_run, trace_names
from dendview.spine_places import on_cell
from dendview.state import AppState, Run
from dendview.views.plots_area import STIMULUS_HEIGHT, PlotsArea
from dendview.views.plotting import export_widget
from dendview.views.stimulus_bar import StimulusBar
from dendview.views.time_axis import TimeAxis
from dendview.views.trace_hit import nearest_trace
from dendview.views.trace_legend import TraceLegend
from dendview.views.trace_style import STIMULUS, signed, style_plot, trace_color, trace_dash
from dendview.widgets.lazy import LazyWidget
from engine.experiment import Experiment

NOTHING_YET = "Right-click the cell to add a clamp and a probe, then press F5"
N_DIMMED = 5
"""Earlier runs that are drawn."""
N_SMOOTH = 8
"""Traces up to which lines are drawn smoothly; more would take too long."""


class TraceView(LazyWidget):
    """Draws the state's runs; reports clicks on times, traces and runs, and edits of clamps."""

    time_clicked = pyqtSignal(float)  # ms
    probe_clicked = pyqtSignal(int)  # index among the experiment's probes
    site_clicked = pyqtSignal(object)  # Site of a trace, also where it is no longer a probe
    run_clicked = pyqtSignal(int)  # Run.number
    experiment_edited = pyqtSignal(object)  # Experiment

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state = state
        self.setMinimumSize(240, 160)
        self._legend = TraceLegend(state)
        self._legend.probe_chosen.connect(self._on_probe)
        self._legend.run_chosen.connect(self.run_clicked)
        scroll = QScrollArea()
        scroll.setWidget(self._legend)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._legend_area = scroll
        self._graphics = pg.GraphicsLayoutWidget()
        self._graphics.ci.setContentsMargins(4, 4, 14, 4)
        self._graphics.ci.setSpacing(2)
        self._plots_area = PlotsArea(self._graphics)
        self._empty = QLabel(NOTHING_YET)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setWordWrap(True)
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(scroll)
        column.addWidget(self._plots_area, 1)
        column.addWidget(axis := TimeAxis())
        self._time_axis = axis
        self._stack = QStackedLayout(self)
        self._stack.addWidget(page)
        self._stack.addWidget(self._empty)

        self._plots: dict[str, pg.PlotItem] = {}
        self._curves: dict[tuple[int, int], pg.PlotCurveItem] = {}
        self._drawn: dict[int, tuple[Any, ...]] = {}  # by run: what its curves were drawn from
        self._cursors: list[pg.InfiniteLine] = []
        self._stimulus: StimulusBar | None = None
        self._fitted: set[int] = set()
        self._zoomed = False
        self._density = 1.0  # bins per pixel
        self._setting_range = False
        scene = self._graphics.scene()
        scene.sigMouseClicked.connect(self._on_click)
        self._hover = pg.SignalProxy(scene.sigMouseMoved, rateLimit=20, slot=self._on_hover)
        events = state.events
        for event in (events.runs, events.shown_run, events.experiment, events.selection):
            event.connect(self.redraw)
        events.theme.connect(self.redraw)
        events.time.connect(self._move_cursor)

    def sizeHint(self) -> QSize:
        return QSize(640, 320)

    # Drawing

    def _draw(self) -> None:
        state = self.state
        run, experiment = shown_run(state), state.experiment
        clamps = (*experiment.stimuli, *experiment.waveforms) if experiment is not None else ()
        theme = THEMES[state.theme]
        self._empty.setStyleSheet(f"background: {theme.canvas}; color: {theme.muted};")
        self._legend_area.setStyleSheet(f"background: {theme.canvas};")
        self._legend.refresh()
        if not state.runs and not clamps:
            self._stack.setCurrentIndex(1)
            return
        self._stack.setCurrentIndex(0)
        self._legend_area.setVisible(bool(state.runs))
        self._fit_legend()
        self._lay_out(tuple(dict.fromkeys(self._units(run))), bool(clamps))
        self._set_x_range(run, experiment)
        if self._stimulus is not None and experiment is not None:
            self._stimulus.refresh(experiment, state.theme)
        self._draw_runs(run)
        self._fit_y(run)
        self._move_cursor(state.time)

    def _units(self, run: Run | None) -> tuple[str, ...]:
        units = run.recording.units if run is not None else ()
        return ("mV", *units) if "mV" in units or not units else units

    def _lay_out(self, units: tuple[str, ...], with_stimulus: bool) -> None:
        """One plot above the other, one for each unit, the stimulus last; one time axis."""
        wanted = (*units, STIMULUS) if with_stimulus else units
        key = (wanted, self.state.theme)
        if getattr(self, "_layout_key", None) == key:
            return
        self._layout_key = key
        self._time_axis.leave()
        self._graphics.clear()
        self._plots, self._curves, self._drawn, self._cursors = {}, {}, {}, []
        self._fitted, self._stimulus = set(), None
        theme = THEMES[self.state.theme]
        self._graphics.setBackground(theme.canvas)
        for row, unit in enumerate(wanted):
            plot = self._graphics.addPlot(row=row, col=0)
            style_plot(plot, unit, theme, brief=len(wanted) > 3)
            if row:
                plot.setXLink(self._plots[wanted[0]])
            self._plots[unit] = plot
            cursor = pg.InfiniteLine(0.0, movable=row == 0, pen=pg.mkPen(theme.accent, width=1))
            cursor.setHoverPen(pg.mkPen(theme.text, width=1))
            cursor.setZValue(50)
            if row == 0:
                cursor.sigDragged.connect(lambda line: self.time_clicked.emit(float(line.value())))
            plot.addItem(cursor, ignoreBounds=True)
            self._cursors.append(cursor)
        self._plots_area.make_room(len(units), with_stimulus)
        first = self._plots[wanted[0]]
        self._time_axis.follow(first, theme)
        first.getViewBox().sigXRangeChanged.connect(self._on_x_range)
        if with_stimulus:
            plot = self._plots[STIMULUS]
            plot.setMaximumHeight(104)
            plot.setMinimumHeight(STIMULUS_HEIGHT)
            self._stimulus = StimulusBar(plot, self._on_stimulus)

    def _set_x_range(self, run: Run | None, experiment: Experiment | None) -> None:
        """The whole run, unless the person has zoomed in."""
        duration = run.experiment if run is not None else experiment or None
        if self._zoomed or duration is None:
            return
        self._setting_range = True
        first = next(iter(self._plots.values()))
        first.setXRange(0.0, duration.duration, padding=0.0)
        self._setting_range = False

    def _draw_runs(self, run: Run | None) -> None:
        """The shown run in colors, a few earlier ones in gray behind it."""
        others = [r for r in self.state.runs if run is None or r.number != run.number][-N_DIMMED:]
        kept = {r.number for r in others} | ({run.number} if run else set())
        for key in [key for key in self._curves if key[0] not in kept]:
            curve = self._curves.pop(key)
            curve.getViewBox().removeItem(curve)
            self._drawn.pop(key[0], None)
        for age, other in enumerate(reversed(others)):
            self._draw_run(other, bright=False, age=age)
        if run is not None:
            self._draw_run(run, bright=True)

    def _draw_run(self, run: Run, bright: bool, age: int = 0) -> None:
        recording = run.recording
        plot = next(iter(self._plots.values()))
        start, stop = plot.getViewBox().viewRange()[0]
        smooth = bright and len(recording.units) <= N_SMOOTH
        density = max(self._density, 3.0 if smooth else 1.0)
        n_bin = max(int(plot.getViewBox().width() * density), 100)
        chosen = self._selected(run) if bright else frozenset()
        data = len(recording.time), id(recording.values.base)
        key = (*data, start, stop, n_bin, bright, age, chosen)
        if self._drawn.get(run.number) == key or not len(recording.time):
            return
        self._drawn[run.number] = key
        part = visible(recording.time, start, stop)
        x, y = decimate(recording.time[part], recording.values[:, 0, part], n_bin)
        for i, unit in enumerate(recording.units):
            if unit in self._plots:
                curve = self._curve(run.number, i, unit)
                curve.setPen(self._pen(i, bright, age, 2 if i in chosen else 1))
                curve.setZValue(20 if bright else 10 - age)
                curve.setData(x, y[i], skipFiniteCheck=True, antialias=smooth)

    def _curve(self, number: int, index: int, unit: str) -> pg.PlotCurveItem:
        if (number, index) not in self._curves:
            curve = pg.PlotCurveItem(skipFiniteCheck=True)
            self._plots[unit].addItem(curve, ignoreBounds=True)
            self._curves[number, index] = curve
        return self._curves[number, index]

    def _selected(self, run: Run) -> frozenset[int]:
        """Traces of the selected segment: they are drawn thicker."""
        cell, selection = self.state.cell, self.state.selection
        if cell is None or selection is None:
            return frozenset()
        origin = run.recording.origin
        sites = [on_cell(origin, probe.site) for probe in origin.probes]
        known = cell.sections.name
        return frozenset(
            i for i, s in enumerate(sites) if s.section in known and cell.segment(s) == selection
        )

    def _pen(self, index: int, bright: bool, age: int, width: int) -> Any:
        if bright:
            color = trace_color(index, self.state.theme)
            return pg.mkPen(color, width=width, style=trace_dash(index))
        gray = QColor(THEMES[self.state.theme].muted)
        gray.setAlpha(max(150 - 25 * age, 60))
        return pg.mkPen(gray, width=1)

    def _fit_y(self, run: Run | None) -> None:
        """Fit the shown run once when it is over; while it grows only make room."""
        if run is None or not len(run.recording.time) or run.number in self._fitted:
            return
        over = run.state != "running"
        for unit, plot in self._plots.items():
            rows = [i for i, u in enumerate(run.recording.units) if u == unit]
            if not rows:
                continue
            data = run.recording.values[rows, 0] if over else self._tail(run, rows)
            low, high = float(np.nanmin(data)), float(np.nanmax(data))
            if over:
                margin = max(0.06 * (high - low), 0.5 if unit == "mV" else 1e-9)
                plot.setYRange(low - margin, high + margin, padding=0)
            else:
                bottom, top = plot.getViewBox().viewRange()[1]
                if low < bottom or high > top:
                    room = 0.25 * (top - bottom)
                    plot.setYRange(
                        low - room if low < bottom else bottom,
                        high + room if high > top else top,
                        padding=0,
                    )
        if over:
            self._fitted.add(run.number)

    def _tail(self, run: Run, rows: list[int]) -> np.ndarray:
        """What came in lately of a growing run: a tenth of a second at 20 draws each is plenty."""
        return run.recording.values[rows, 0, -4000:]

    def _move_cursor(self, time: float) -> None:
        if not self.isVisible():
            self._stale = True  # drawn when it is shown
            return
        for cursor in self._cursors:
            if not cursor.moving:
                cursor.setValue(time)
            cursor.setVisible(bool(self.state.runs))

    def _fit_legend(self) -> None:
        """As high as its text, at most four lines."""
        width = max(self.width(), 120)
        height = max(self._legend.heightForWidth(width), 0)
        self._legend_area.setFixedHeight(min(height, 4 * self.fontMetrics().height() + 16))

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        self.redraw()

    def changeEvent(self, event: QEvent | None) -> None:
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.FontChange:
            self.redraw()

    # What the person does

    def _on_x_range(self, *_: object) -> None:
        if not self._setting_range:
            self._zoomed = True
        self.redraw()

    def reset_zoom(self) -> None:
        """The whole run again, fitted."""
        self._zoomed = False
        self._fitted.clear()
        self.redraw()

    def _on_click(self, event: Any) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        if event.double():
            self.reset_zoom()
            return
        position = event.scenePos()
        for unit, plot in self._plots.items():
            box = plot.getViewBox()
            if box.sceneBoundingRect().contains(position):
                time = float(box.mapSceneToView(position).x())
                if unit != STIMULUS and (near := self._near(position)) is not None:
                    self._on_probe(near[0])
                run = shown_run(self.state)
                if run is not None and time >= 0:
                    self.time_clicked.emit(time)

    def _on_hover(self, arguments: tuple[QPointF]) -> None:
        near = self._near(arguments[0]) if self.isVisible() else None
        run = shown_run(self.state)
        if near is None or run is None:
            QToolTip.hideText()
            return
        index, time, value = near
        unit = run.recording.units[index]
        digits = 1 if unit == "mV" else 4
        text = (
            f"{trace_names(run.recording)[index]}\n{signed(value, digits)} {unit} at {time:.2f} ms"
        )
        view = self._graphics
        QToolTip.showText(view.mapToGlobal(view.mapFromScene(arguments[0])), text, view)

    def _near(self, position: QPointF) -> tuple[int, float, float] | None:
        """Trace of the shown run under a point of the scene: its index, the time and the value."""
        run = shown_run(self.state)
        if run is None or not len(run.recording.time):
            return None
        for unit, plot in self._plots.items():
            box = plot.getViewBox()
            if box.sceneBoundingRect().contains(position) and (
                near := nearest_trace(run.recording, unit, box, position)
            ):
                return near
        return None

    def _on_stimulus(self, experiment: Experiment) -> None:
        """A pulse was dragged; where the edit is refused it jumps back."""
        self.experiment_edited.emit(experiment)
        self.redraw()

    def _on_probe(self, index: int) -> None:
        """A trace was meant: name its place, and its number among the experiment's probes."""
        run, experiment = shown_run(self.state), self.state.experiment
        if run is None or index >= len(run.recording.origin.probes):
            return
        probe = run.recording.origin.probes[index]
        self.site_clicked.emit(on_cell(run.recording.origin, probe.site))
        if experiment is not None and probe in experiment.probes:
            self.probe_clicked.emit(experiment.probes.index(probe))

    # Export

    def export(self, path: str | Path, scale: float = 2.0) -> None:
        """Save the traces with their legend as they are seen, PNG or SVG by the ending; or a CSV.

        Plots that have to be scrolled to are in the picture, too.

        Parameters
        ----------
        path
        scale
            Pixels of a PNG for one on the screen.

        Raises
        ------
        UserError
            If the file cannot be written.
        """
        is_table = Path(path).suffix.lower() == ".csv"
        self._density = 4.0 * scale  # finer than the screen
        seen = self.size()
        self.resize(seen.width(), seen.height() + self._plots_area.hidden_height)
        self._plots_area.show_bar(False)
        self._draw()
        try:
            export_widget(self, path, self._table() if is_table else (), scale)
        finally:
            self._density = 1.0
            self._plots_area.show_bar(True)
            self.resize(seen)
            self._draw()

    def _table(self) -> list[list[object]]:
        """Time and traces of the shown run, a column each."""
        run = shown_run(self.state)
        if run is None:
            return [["time (ms)"]]
        recording = run.recording
        names = [f"{n} ({u})" for n, u in zip(recording.labels, recording.units, strict=True)]
        columns = np.column_stack([recording.time, *recording.values[:, 0]])
        return [["time (ms)", *names], *columns.tolist()]
