"""What the plots of the schedule share: axes that count, colors of the theme, and saving."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QRect, QSize
from PyQt6.QtGui import QImage, QPainter
from PyQt6.QtSvg import QSvgGenerator
from PyQt6.QtWidgets import QWidget

from dendview.colors import Theme
from engine.errors import UserError


class CountAxis(pg.AxisItem):
    """Ticks in the middle of unit slots, labeled with whole numbers that begin at ``first``."""

    def __init__(self, orientation: str, first: int) -> None:
        super().__init__(orientation)
        self._first = first
        self.count = 0  # slots there are; no tick beyond
        self.enableAutoSIPrefix(False)
        self.setStyle(hideOverlappingLabels=False, tickLength=4)  # no label left out at the ends

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list:
        minVal, maxVal = sorted((minVal, maxVal))  # an inverted axis gives them the other way round
        low, high = int(np.floor(minVal)), int(np.ceil(maxVal))
        room = 52 if self.orientation in ("bottom", "top") else 20  # pixels for a label
        step = round_step((high - low) * room / max(size, 1))
        labels = np.arange((low + self._first) // step * step, high + self._first + 1, step)
        if step > 1 and self._first == 1:
            labels = np.union1d(labels[labels > 0], [1])
            labels = labels[(labels == 1) | (labels >= 1 + 0.6 * step)]
        places = labels - self._first + 0.5
        low_end, high_end = max(minVal, 0), min(maxVal, self.count)
        return [(step, [float(p) for p in places if low_end <= p <= high_end])]

    def tickStrings(self, values: Iterable[float], scale: float, spacing: float) -> list[str]:
        return [str(round(v - 0.5 + self._first)) for v in values]


def round_step(least: float) -> int:
    """The first of 1, 2, 5, 10, 20, 50, … not below ``least``."""
    decade = 10 ** max(int(np.floor(np.log10(max(least, 1)))), 0)
    return next(m * decade for m in (1, 2, 5, 10) if m * decade >= least)


def parted(places: Sequence[float], line: float, low: float, high: float) -> list[float]:
    """Places of labels in ascending order, moved apart by a line's height, inside low to high."""
    moved = list(places)
    for i in range(1, len(moved)):
        moved[i] = max(moved[i], moved[i - 1] + line)
    if not moved:
        return moved
    over = moved[-1] - (high - line / 2)
    moved = [y - max(over, 0.0) for y in moved]
    under = low + line / 2 - moved[0]
    return [y + max(under, 0.0) for y in moved]


def color_plot(plot: pg.PlotWidget, theme: Theme) -> None:
    """Give a plot the theme's ground, axes and letters."""
    plot.getPlotItem().setContentsMargins(7, 2, 2, 0)  # else the left label is cut
    plot.setBackground(theme.canvas)
    for name in ("left", "bottom"):
        axis = plot.getAxis(name)
        axis.setPen(pg.mkPen(theme.grid))
        axis.setTextPen(pg.mkPen(theme.muted))
        if axis.labelText:
            axis.setLabel(axis.labelText, color=theme.muted)


def export_widget(
    widget: QWidget, path: str | Path, rows: Sequence[Sequence[object]], scale: float = 2.0
) -> None:
    """Write what a widget shows: a picture (``.png``, ``.svg``) or its numbers (``.csv``).

    Parameters
    ----------
    widget
    path
        The ending decides.
    rows
        Of the CSV, the header first.
    scale
        Pixels of the PNG for one on the screen.

    Raises
    ------
    UserError
        If the ending is another or the file cannot be written.
    """
    path = Path(path)
    try:
        match path.suffix.lower():
            case ".png":
                _write_png(widget, path, scale)
            case ".svg":
                _write_svg(widget, path)
            case ".csv":
                with path.open("w", newline="", encoding="utf-8") as file:
                    csv.writer(file).writerows(rows)
            case _:
                raise UserError(
                    f"{path}: a chart is written as .png, .svg or .csv; give the file one of these "
                    "endings"
                )
    except OSError as error:
        raise UserError(
            f"{path}: cannot be written ({error.strerror}); choose another folder"
        ) from error


def _write_png(widget: QWidget, path: Path, scale: float) -> None:
    size = widget.size() * scale
    image = QImage(QSize(size.width(), size.height()), QImage.Format.Format_ARGB32)
    image.fill(widget.palette().window().color())
    painter = QPainter(image)
    painter.scale(scale, scale)
    widget.render(painter)
    painter.end()
    if not image.save(str(path)):
        raise OSError(0, "no picture can be written there")


def _write_svg(widget: QWidget, path: Path) -> None:
    with path.open("wb"):
        pass  # says why, where QSvgGenerator would be silent
    generator = QSvgGenerator()
    generator.setFileName(str(path))
    generator.setSize(widget.size())
    generator.setViewBox(QRect(0, 0, widget.width(), widget.height()))
    painter = QPainter(generator)
    widget.render(painter)
    painter.end()
