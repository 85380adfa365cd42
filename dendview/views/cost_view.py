"""Steps against threads: the open cell beside the sample cells (Fig. 2f of Zhang et al. 2023)."""

from pathlib import Path

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QFontMetricsF, QResizeEvent
from PyQt6.QtWidgets import QVBoxLayout, QWidget

from dendview.colors import THEMES, Theme
from dendview.state import AppState, NamedCurve
from dendview.views.plotting import color_plot, export_widget, parted
from dendview.widgets.lazy import AskingWidget

LABEL_ROOM = 170, 120
"""Pixels for the names, right of 1024 threads, in a wide and in a narrow chart."""
LABEL_FONT = 11  # pixels


class CostView(AskingWidget):
    """Steps relative to serial, on two logarithmic axes; the open cell bold, with its knee.

    ``curve_wanted`` asks for one more curve; it is repeated until the state's curves stop growing.
    """

    curve_wanted = pyqtSignal()
    threads_clicked = pyqtSignal(int)

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent, interval=15)
        self._state = state
        self.setMinimumSize(240, 160)
        self.plot = pg.PlotWidget()
        self.plot.setFrameShape(self.plot.Shape.NoFrame)
        self.plot.setMenuEnabled(False)
        self.plot.hideButtons()
        self.plot.setMouseEnabled(x=False, y=False)
        self.plot.getAxis("bottom").setStyle(hideOverlappingLabels=False, tickLength=4)
        self.plot.setLabel("bottom", "threads k")
        self.plot.setLabel("left", "steps, % of serial")
        self.plot.getAxis("left").setStyle(tickLength=4)
        self.plot.getAxis("left").setWidth(58)
        self.plot.scene().sigMouseClicked.connect(self._on_click)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 4, 2)
        layout.addWidget(self.plot)
        self._labels: list[tuple[float, pg.TextItem]] = []
        events = state.events
        events.cost_curves.connect(self.ask_soon)
        for event in (events.cost_curves, events.schedule, events.theme):
            event.connect(self.redraw)

    @property
    def is_narrow(self) -> bool:
        return self.width() < 560

    def _ask(self) -> None:
        if self._state.cell is not None:
            self.curve_wanted.emit()

    def _draw(self) -> None:
        state, theme = self._state, THEMES[self._state.theme]
        item = self.plot.getPlotItem()
        item.clear()
        self._labels = []
        color_plot(self.plot, theme)
        curves = state.cost_curves
        lowest = min([0.5, *(float(c.curve.relative.min()) for c in curves)])
        top = np.log10(1.25)
        room = LABEL_ROOM[self.is_narrow]
        wide = max(self.width() - 70, 1.5 * room)
        right = 10 + 10.3 * room / (wide - room)
        self.plot.setRange(xRange=(-0.3, right), yRange=(np.log10(lowest) - 0.12, top), padding=0)
        self._set_ticks(lowest)
        ideal = pg.mkPen(theme.muted, style=Qt.PenStyle.DotLine)
        end = min(-np.log2(lowest), 10.0)
        item.addItem(pg.PlotCurveItem([0, end], [0, -end * np.log10(2)], pen=ideal))
        for curve in sorted(curves, key=lambda c: c.own):
            self._draw_curve(curve, theme)
        self._draw_now(theme)
        self._part_labels()

    def _draw_curve(self, named: NamedCurve, theme: Theme) -> None:
        x, y = np.log2(named.curve.n_threads), np.log10(named.curve.relative)
        item = self.plot.getPlotItem()
        color = theme.accent if named.own else theme.muted
        item.addItem(pg.PlotCurveItem(x, y, pen=pg.mkPen(color, width=2.5 if named.own else 1)))
        if named.own:
            item.addItem(pg.ScatterPlotItem(x, y, size=6, pen=None, brush=pg.mkBrush(theme.accent)))
        label = pg.TextItem(color=theme.text if named.own else theme.muted, anchor=(0, 0.5))
        font = label.textItem.font()
        font.setBold(named.own)
        font.setPixelSize(LABEL_FONT)
        label.setFont(font)
        room, elide = LABEL_ROOM[self.is_narrow] - 24, Qt.TextElideMode.ElideRight
        label.setText(QFontMetricsF(font).elidedText(named.name, elide, room))
        item.addItem(label)
        self._labels.append((float(y[-1]), label))

    def _draw_now(self, theme: Theme) -> None:
        """The schedule that is open: where it stands, and from where more threads cannot help."""
        schedule = self._state.schedule
        if schedule is None or not schedule.n_step:
            return
        item = self.plot.getPlotItem()
        place = [np.log2(schedule.n_threads)], [np.log10(schedule.relative)]
        item.addItem(
            pg.ScatterPlotItem(
                *place, size=13, pen=pg.mkPen(theme.text, width=2), brush=pg.mkBrush(theme.accent)
            )
        )
        if (enough := schedule.n_threads_enough) <= 1024:
            pen = pg.mkPen(theme.done, style=Qt.PenStyle.DashLine)
            item.addItem(pg.InfiniteLine(np.log2(enough), pen=pen))
            label = pg.TextItem(
                f"from {enough} threads on\nmore cannot help", color=theme.done, anchor=(0, 0)
            )
            font = label.textItem.font()
            font.setPixelSize(LABEL_FONT)
            label.setFont(font)
            label.setPos(np.log2(enough) + 0.05, np.log10(1.2))
            item.addItem(label)

    def _set_ticks(self, lowest: float) -> None:
        powers = [(i, str(2**i)) for i in range(11)]
        self.plot.getAxis("bottom").setTicks([powers[:: 2 if self.is_narrow else 1], []])
        shares = [100, 50, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01]
        marks = [(np.log10(s / 100), f"{s:g} %") for s in shares if s / 100 >= lowest * 0.8]
        self.plot.getAxis("left").setTicks([marks, []])

    def _part_labels(self) -> None:
        """Move names apart, so that none covers another."""
        if not self._labels:
            return
        box = self.plot.getPlotItem().getViewBox()
        _, (low, high) = box.viewRange()
        line = 13.5 * (high - low) / max(box.height(), 1)
        self._labels.sort(key=lambda entry: entry[0])
        places = parted([y for y, _ in self._labels], line, low, high)
        item, color = self.plot.getPlotItem(), THEMES[self._state.theme].grid
        for place, (y, label) in zip(places, self._labels, strict=True):
            item.addItem(pg.PlotCurveItem([10, 10.45], [y, place], pen=pg.mkPen(color)))
            label.setPos(10.45, place)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self.redraw()

    def _on_click(self, event: object) -> None:
        box = self.plot.getPlotItem().getViewBox()
        position = event.scenePos()  # type: ignore[attr-defined]
        if self._state.cell is not None and box.sceneBoundingRect().contains(position):
            power = round(box.mapSceneToView(position).x())
            if 0 <= power <= 10:
                self.threads_clicked.emit(2**power)

    def export(self, path: str | Path) -> None:
        """Write the chart as ``.png`` or ``.svg``, or its numbers as ``.csv``.

        Raises
        ------
        UserError
            If the ending is another or the file cannot be written.
        """
        rows: list[tuple[object, ...]] = [
            ("cell", "threads", "steps", "lower_bound", "serial_steps", "relative")
        ]
        for named in self._state.cost_curves:
            c = named.curve
            for k, n, bound in zip(c.n_threads, c.n_step, c.bound, strict=True):
                share = f"{n / max(c.n_serial, 1):.6f}"
                rows.append((named.name, int(k), int(n), int(bound), c.n_serial, share))
        export_widget(self, path, rows)
