"""Measured time against the number of cells, on two logarithmic axes."""

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QFontMetricsF, QResizeEvent
from PyQt6.QtWidgets import QVBoxLayout, QWidget

from dendview.colors import OKABE_ITO, THEMES, Theme, hex_color, readable, rgb
from dendview.run_time_scene import UNITS, digits
from dendview.state import AppState
from dendview.views.plotting import color_plot, parted
from dendview.widgets.lazy import LazyWidget
from dendview.wording import number
from engine.experiments.timings import Row

LABEL_ROOM = 186
LABEL_FONT = 11  # pixels
SYMBOLS = "ostd+xph"


class RunTimeCurves(LazyWidget):
    """A curve for each way to solve, with its spread; ``unit`` chooses what is told."""

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.unit = "ms"
        self.plot = pg.PlotWidget()
        self.plot.setFrameShape(self.plot.Shape.NoFrame)
        self.plot.setMenuEnabled(False)
        self.plot.hideButtons()
        self.plot.setMouseEnabled(x=False, y=False)
        self.plot.setLabel("bottom", "cells")
        for name in ("bottom", "left"):
            self.plot.getAxis(name).setStyle(hideOverlappingLabels=False, tickLength=4)
        self.plot.getAxis("left").setWidth(64)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 4, 2)
        layout.addWidget(self.plot)
        for event in (state.events.run_times, state.events.theme):
            event.connect(self.redraw)

    def show_unit(self, unit: str) -> None:
        """Another way to tell the times, a key of :data:`UNITS`."""
        self.unit = unit
        self.redraw()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self.redraw()

    def _draw(self) -> None:
        theme, result = THEMES[self._state.theme], self._state.run_times
        item = self.plot.getPlotItem()
        item.clear()
        self.plot.setLabel("left", UNITS[self.unit].axis)
        color_plot(self.plot, theme)
        rows = [row for row in result.rows if row.timings] if result is not None else []
        if result is None or not rows:
            return
        unit = UNITS[self.unit]
        values = [unit.of(t) for row in rows for t in row.timings]
        low, high = np.log10(min(values)) - 0.1, np.log10(max(values)) + 0.1
        first, last = np.log10(result.sizes[0]), np.log10(result.sizes[-1])
        last = max(last, first + 1)
        wide = max(self.width() - 80, 1.6 * LABEL_ROOM)
        right = last + (last - first) * LABEL_ROOM / (wide - LABEL_ROOM)
        left = first - 0.03 * (last - first)
        self.plot.setRange(xRange=(left, right), yRange=(low, high), padding=0)
        sizes = [(np.log10(n), number(n)) for n in result.sizes]
        self.plot.getAxis("bottom").setTicks([sizes, []])
        self.plot.getAxis("left").setTicks([_ticks(low, high), []])
        ends = [self._draw_curve(i, row, theme) for i, row in enumerate(rows)]
        self._label(ends, last, theme)

    def _draw_curve(self, i: int, row: Row, theme: Theme) -> tuple[float, str, str, float]:
        """One curve; where it ends, its name and color."""
        unit, item = UNITS[self.unit], self.plot.getPlotItem()
        timings = sorted(row.timings, key=lambda t: t.n_cells)
        x = np.log10([t.n_cells for t in timings])
        y = np.log10([unit.of(t) for t in timings])
        own = row.way.name == "cpu-engine"
        color = theme.accent if own else OKABE_ITO[i % 8]
        color = hex_color(readable(rgb(color), rgb(theme.canvas)))
        dashed = row.way.device == "gpu"
        style = Qt.PenStyle.DashLine if dashed else Qt.PenStyle.SolidLine
        pen = pg.mkPen(color, width=2.5 if own else 1, style=style)
        item.addItem(pg.PlotCurveItem(x, y, pen=pen))
        for at, t in zip(x, timings, strict=True):
            ends = unit.of(t) / t.seconds * np.array([t.lowest, t.highest])
            spread = pg.PlotCurveItem([at, at], np.log10(ends), pen=pg.mkPen(color, width=1))
            item.addItem(spread)
        symbol = SYMBOLS[(i + i // 8) % len(SYMBOLS)]  # no color comes twice with one symbol
        dots = pg.ScatterPlotItem(x, y, size=7, symbol=symbol, pen=None, brush=pg.mkBrush(color))
        item.addItem(dots)
        return float(y[-1]), row.way.title, color, float(x[-1])

    def _label(self, ends: list[tuple[float, str, str, float]], last: float, theme: Theme) -> None:
        """Names beside the curves' ends, moved apart."""
        item = self.plot.getPlotItem()
        box = item.getViewBox()
        (left, right), (low, high) = box.viewRange()
        ends.sort()
        line = min(13.5 / max(box.height(), 1), 1 / max(len(ends), 1)) * (high - low)
        places = parted([y for y, *_ in ends], line, low, high)
        gap = 0.02 * (right - left)
        for place, (y, name, color, x) in zip(places, ends, strict=True):
            leader = pg.mkPen(theme.grid)
            item.addItem(pg.PlotCurveItem([x, last + gap], [y, place], pen=leader))
            label = pg.TextItem(color=color, anchor=(0, 0.5))
            font = label.textItem.font()
            font.setPixelSize(LABEL_FONT)
            label.setFont(font)
            elide = Qt.TextElideMode.ElideRight
            label.setText(QFontMetricsF(font).elidedText(name, elide, LABEL_ROOM - 24))
            item.addItem(label)
            label.setPos(last + gap, place)


def _ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Powers of ten; with 2 and 5 between them where there are few."""
    span = high - low
    marks = (1,) if span > 2.5 else (1, 2, 5) if span > 0.7 else (1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9)
    decades = range(int(np.floor(low)), int(np.ceil(high)) + 1)
    places = [(float(d + np.log10(m)), digits(m * 10.0**d)) for d in decades for m in marks]
    return [(place, text) for place, text in places if low <= place <= high]
