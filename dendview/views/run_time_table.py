"""Predicted steps beside measured time, a bar each, one row a way to solve."""

import math
from collections.abc import Callable, Sequence

from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QBrush, QColor, QPainter, QPen, QResizeEvent
from PyQt6.QtWidgets import (
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from dendview.colors import THEMES
from dendview.run_time_scene import UNITS, digits, row_tip, steps_a_cell, steps_text
from dendview.state import AppState
from dendview.widgets.lazy import LazyWidget
from dendview.widgets.plain_table import PlainTable
from engine.experiments.timings import Row, Timing

COLUMNS = (
    ("solve", "A way to solve all cells"),
    ("▨ predicted steps", "Steps of the elimination of one cell with k threads, as the schedule "
     "says; not measured"),
    ("■ measured", "Median of the rounds for one solve of all cells; the thin line goes from "
     "the fastest to the slowest round"),
    ("ns per node", "Measured time over cells and nodes"),
    ("s per 1 s", "Measured time of the solves of 1 s of simulated time at dt 0.025 ms"),
)  # fmt: skip
SHARES = Qt.ItemDataRole.UserRole + 1
"""Length of a bar, and ends of its thin line where it has one: shares of the column."""


class _Bars(QStyledItemDelegate):
    """Hatched bars for what is predicted, solid ones with their spread for what is measured."""

    predicted = QColor("#888888")
    measured = QColor("#888888")
    line = QColor("#888888")

    def paint(self, painter: QPainter | None, option: QStyleOptionViewItem, index: object) -> None:
        shares = index.data(SHARES)  # type: ignore[attr-defined]
        if painter is not None and shares:
            room = QRectF(option.rect).adjusted(3, 3, -3, -3)
            bar = QRectF(room)
            bar.setWidth(max(room.width() * shares[0], 1.5))
            if index.column() == 1:  # type: ignore[attr-defined]
                painter.fillRect(bar, QBrush(self.predicted, Qt.BrushStyle.BDiagPattern))
                painter.setPen(QPen(self.predicted, 1))
                painter.drawRect(bar)
            else:
                painter.fillRect(bar, self.measured)
                painter.setPen(QPen(self.line, 1.5))
                low, high = (room.left() + room.width() * s for s in shares[1:])
                y = int(room.bottom()) - 1
                painter.drawLine(int(low), y, max(int(high), int(low) + 1), y)
        super().paint(painter, option, index)  # type: ignore[arg-type]


class RunTimeTable(LazyWidget):
    """The rows for one number of cells; ``n_cells`` chooses it."""

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.n_cells = 1
        self._share = shares([])
        self._bars = _Bars()
        name = "Predicted steps and measured times"
        self.table = PlainTable(COLUMNS, name, self._bars, stretched=(1, 2))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.table)
        for event in (state.events.run_times, state.events.theme):
            event.connect(self.redraw)

    @property
    def is_narrow(self) -> bool:
        return self.width() < 480

    def show_cells(self, n_cells: int) -> None:
        """Another number of cells."""
        self.n_cells = n_cells
        self.redraw()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """The last columns go where there is no room."""
        super().resizeEvent(event)
        self.table.setColumnHidden(4, self.width() < 560)
        self.table.setColumnHidden(3, self.is_narrow)
        self.redraw()

    def _draw(self) -> None:
        theme, result = THEMES[self._state.theme], self._state.run_times
        self._bars.predicted, self._bars.measured = QColor(theme.muted), QColor(theme.accent)
        self._bars.line = QColor(theme.text)
        self._bars.predicted.setAlpha(150)
        self._bars.measured.setAlpha(110)
        rows = () if result is None else result.rows
        self.table.share_height(self.height() - 30, len(rows))
        self.table.clearSpans()
        self.table.setRowCount(len(rows))
        most = max((steps_a_cell(row) for row in rows), default=1.0)
        times = [t for row in rows if (t := row.at(self.n_cells)) is not None]
        self._share = shares(times)
        for i, row in enumerate(rows):
            self._fill(i, row, most, theme.muted)
        self._name_columns(is_wide_range(times))

    def _name_columns(self, logarithmic: bool) -> None:
        names = ("▨ predicted" if self.is_narrow else COLUMNS[1][0], COLUMNS[2][0])
        for column, name in enumerate(names, 1):
            head = self.table.horizontalHeaderItem(column)
            assert head is not None
            head.setText(f"{name} (log)" if column == 2 and logarithmic else name)

    def _fill(self, i: int, row: Row, most: float, muted: str) -> None:
        t = row.at(self.n_cells)
        texts = [row.way.title, f" {steps_text(row)}"]
        if t is None:
            texts += [f" {row.missing}" if row.missing else " …", "", ""]
        else:
            texts += [f" {digits(UNITS['ms'].of(t))} ms"]
            texts += [digits(UNITS[name].of(t)) for name in ("ns", "s")]
        for column, text in enumerate(texts):
            item = QTableWidgetItem(text)
            item.setToolTip(row_tip(row, self.n_cells))
            right = column > 2
            align = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
            item.setTextAlignment(align | Qt.AlignmentFlag.AlignVCenter)
            if column == 1:
                item.setData(SHARES, (steps_a_cell(row) / most,))
            elif column == 2 and t is not None:
                item.setData(SHARES, tuple(map(self._share, (t.seconds, t.lowest, t.highest))))
            elif column == 2:
                item.setForeground(QColor(muted))
            self.table.setItem(i, column, item)
        if t is None:
            self.table.setSpan(i, 2, 1, 3)


WIDE_RANGE = 100.0
"""The longest time over the shortest, from which on bars grow with its logarithm."""


def is_wide_range(times: Sequence[Timing]) -> bool:
    """Whether bars as long as their times would leave the short ones unseen."""
    if not times:
        return False
    return max(t.seconds for t in times) > WIDE_RANGE * min(t.seconds for t in times)


def shares(times: Sequence[Timing]) -> Callable[[float], float]:
    """What turns seconds into the length of a bar, 0 to 1."""
    longest = max((t.highest for t in times), default=1.0)
    if not is_wide_range(times):
        return lambda seconds: seconds / longest
    shortest = min(t.lowest for t in times) / 2

    def share(seconds: float) -> float:
        return max(math.log(seconds / shortest) / math.log(longest / shortest), 0.0)

    return share
