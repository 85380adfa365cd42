"""All methods on the open cell with the same threads (Fig. 1h of Zhang et al. 2023)."""

from pathlib import Path

from PyQt6.QtCore import QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QPainter, QResizeEvent
from PyQt6.QtWidgets import (
    QLabel,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from dendview.colors import THEMES
from dendview.schedule_scene import METHOD_TEXTS
from dendview.state import AppState
from dendview.views.plotting import export_widget
from dendview.widgets.lazy import AskingWidget
from dendview.widgets.plain_table import PlainTable
from dendview.wording import number
from engine.schedule import MethodCost

COLUMNS = (
    ("method", "A click chooses it"),
    ("steps", "Steps of the schedule"),
    ("over bound", "Steps more than the lower bound, which no schedule beats"),
    ("of serial", "Steps as a share of the serial ones"),
    ("busy", "Share of the slots (threads × steps) that do something"),
    ("idle slots", "Slots in which a thread waits"),
)
SHARE = Qt.ItemDataRole.UserRole + 1


class _Bars(QStyledItemDelegate):
    """A bar behind a share, so that lengths compare at a glance."""

    color = QColor("#888888")

    def paint(self, painter: QPainter | None, option: QStyleOptionViewItem, index: object) -> None:
        share = index.data(SHARE)  # type: ignore[attr-defined]
        if painter is not None and share is not None:
            room = QRectF(option.rect).adjusted(3, 4, -3, -4)
            room.setWidth(max(room.width() * float(share), 1.5))
            painter.fillRect(room, self.color)
        super().paint(painter, option, index)  # type: ignore[arg-type]


class MethodTable(AskingWidget):
    """One row a method; ``comparison_wanted`` asks for the numbers when they are missing."""

    comparison_wanted = pyqtSignal()
    method_chosen = pyqtSignal(str)

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.setMinimumSize(260, 150)
        self.caption = QLabel()
        self.caption.setProperty("role", "muted")
        self.caption.setContentsMargins(10, 4, 10, 4)
        self.caption.setWordWrap(True)
        self._bars = _Bars()
        self.table = PlainTable(COLUMNS, "Methods compared", self._bars, stretched=(3,))
        self.table.head.setMinimumSectionSize(64)  # a stretched one would cut its figures
        self.table.cellClicked.connect(self._on_click)
        self.table.cellActivated.connect(self._on_click)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.caption)
        layout.addWidget(self.table)
        events = state.events
        events.schedule.connect(self.ask_soon)
        for event in (events.comparison, events.schedule, events.theme):
            event.connect(self.redraw)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Rows share the height there is; the last columns go where there is no room."""
        super().resizeEvent(event)
        room = self.height() - self.caption.height() - self.table.head.height() - 6
        self.table.share_height(room, len(METHOD_TEXTS))
        for column in (4, 5):
            self.table.setColumnHidden(column, self.is_narrow)
        self.redraw()

    @property
    def is_narrow(self) -> bool:
        return self.width() < 520

    def _ask(self) -> None:
        if self._state.schedule is not None and not self._state.comparison:
            self.comparison_wanted.emit()

    def _draw(self) -> None:
        state, theme = self._state, THEMES[self._state.theme]
        costs, schedule = state.comparison, state.schedule
        self._bars.color = QColor(theme.accent)
        self._bars.color.setAlpha(80)
        if schedule is None or not costs:
            self.caption.setText(
                "Open a cell to compare methods." if schedule is None else "Comparing all methods…"
            )
            self.table.setRowCount(0)
            return
        self.caption.setText(
            f"{number(schedule.n_comp)} nodes, {schedule.n_threads} threads: "
            f"at least {number(schedule.bound)} steps"
        )
        self.table.setRowCount(len(costs))
        for row, cost in enumerate(costs):
            for column, text in enumerate(texts(cost)):
                if column == 0 and self.is_narrow:
                    text = text.replace("CoreNEURON p", "P")
                item = QTableWidgetItem(text)
                right = column and column != 3
                align = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
                item.setTextAlignment(align | Qt.AlignmentFlag.AlignVCenter)
                item.setForeground(QColor(theme.text))
                if column == 0:
                    item.setToolTip(METHOD_TEXTS[cost.method][1])
                if column == 2:
                    item.setForeground(QColor(theme.done if cost.above == 0 else theme.warning))
                if column == 3:
                    item.setData(SHARE, min(cost.relative, 1.0))
                font = item.font()
                font.setBold(cost.method == state.method)
                item.setFont(font)
                self.table.setItem(row, column, item)

    def _on_click(self, row: int, _: int) -> None:
        if row < len(self._state.comparison):
            self.method_chosen.emit(self._state.comparison[row].method)

    def export(self, path: str | Path) -> None:
        """Write the table as ``.csv``, or as a picture: ``.png`` or ``.svg``.

        Raises
        ------
        UserError
            If the ending is another or the file cannot be written.
        """
        rows: list[tuple[object, ...]] = [
            ("method", "threads", "steps", "lower_bound", "idle_slots", "relative", "occupancy")
        ]
        for c in self._state.comparison:
            shares = f"{c.relative:.6f}", f"{c.occupancy:.6f}"
            rows.append((c.method, c.n_threads, c.n_step, c.bound, c.n_idle, *shares))
        export_widget(self, path, rows)


def texts(cost: MethodCost) -> tuple[str, ...]:
    """A row as it is read."""
    above = "✓ optimal" if cost.above == 0 else f"+{number(round(100 * cost.above))} %"
    return (
        METHOD_TEXTS[cost.method][0],
        number(cost.n_step),
        above,
        f" {_share(cost.relative)}",
        _share(cost.occupancy),
        number(cost.n_idle),
    )


def _share(share: float) -> str:
    """``6.5 %``, and ``100 %`` without a decimal."""
    return f"{100 * share:.1f} %".replace("100.0", "100")
