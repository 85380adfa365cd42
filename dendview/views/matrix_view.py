"""The matrix lens: what a step of the schedule does to the equations."""

from pathlib import Path

from PyQt6.QtCore import QEvent, QPointF, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import (
    QLabel,
    QPushButton,
    QStackedWidget,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from dendview.colors import THEMES, Theme, hex_color, thread_colors
from dendview.matrix_lens import LARGEST, Lens, look
from dendview.state import AppState
from dendview.views.plotting import export_widget
from dendview.widgets.lazy import LazyWidget
from dendview.wording import number

COLUMN = 76.0
"""Pixels of a column of numbers."""
HEAD = 18.0


class MatrixView(LazyWidget):
    """The matrix of the open tree at the step of the player, where it can be read."""

    node_clicked = pyqtSignal(int)
    sample_wanted = pyqtSignal()

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.setMinimumSize(260, 150)
        self.why = QLabel()
        self.why.setWordWrap(True)
        self.why.setProperty("role", "muted")
        self.why.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.why.setContentsMargins(24, 12, 24, 8)
        self.sample = QPushButton("Open the toy sample")
        self.sample.clicked.connect(self.sample_wanted)
        self.grid = _Grid(self)
        off = QWidget()
        column = QVBoxLayout(off)
        column.addStretch()
        column.addWidget(self.why)
        column.addWidget(self.sample, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch()
        self.pages = QStackedWidget()
        self.pages.addWidget(off)
        self.pages.addWidget(self.grid)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addWidget(self.pages)
        events = state.events
        for event in (events.schedule, events.step, events.selection, events.theme):
            event.connect(self.redraw)

    @property
    def lens(self) -> Lens | None:
        """What is drawn; None where the lens is off."""
        return self.grid.lens

    def _draw(self) -> None:
        state = self._state
        cell, schedule = state.cell, state.schedule
        tree = None if cell is None else cell.trees[state.nodes]
        lens = None
        if schedule is None or tree is None or tree.n_comp != schedule.n_comp:
            self.why.setText("Open a cell to see its equations.")
        elif tree.n_comp > LARGEST:
            self.why.setText(
                f"The lens is off: a matrix of {number(tree.n_comp)} nodes cannot be read; "
                f"it shows up to {LARGEST}."
            )
        else:
            lens = look(tree, schedule, state.step)
        self.pages.setCurrentIndex(0 if lens is None else 1)
        selected = -1
        if lens is not None and tree is not None and state.selection is not None:
            selected = int(tree.node_of_segment[state.selection])
        k = 1 if schedule is None else schedule.n_threads
        self.grid.show_lens(lens, THEMES[state.theme], k, selected)

    def export(self, path: str | Path) -> None:
        """Write the matrix as ``.png`` or ``.svg``, or its numbers as ``.csv``.

        Raises
        ------
        UserError
            If the ending is another or the file cannot be written.
        """
        rows: list[tuple[object, ...]] = []
        if (lens := self.lens) is not None:
            n = range(lens.n_comp)
            rows = [("row", *(f"column_{j}_uS" for j in n), "b_nA")]
            for i in n:
                values = [lens.entry(i, j) for j in n]
                rows.append((i, *("" if v is None else f"{v:.9g}" for v in values), lens.b[i]))
        export_widget(self.grid, path, rows)


class _Grid(QWidget):
    """Draws the lens: the matrix as a square, its diagonal and right side as numbers beside it."""

    def __init__(self, owner: MatrixView) -> None:
        super().__init__(owner)
        self._owner = owner
        self.lens: Lens | None = None
        self._theme: Theme = THEMES["dark"]
        self._threads, self._selected = 1, -1
        self.setMouseTracking(True)
        self.setAccessibleName("Matrix of the equations")

    def show_lens(self, lens: Lens | None, theme: Theme, n_threads: int, selected: int) -> None:
        self.lens, self._theme, self._threads, self._selected = lens, theme, n_threads, selected
        self.update()

    @property
    def cell(self) -> float:
        """Pixels of a row."""
        n = max(self.lens.n_comp, 1) if self.lens else 1
        wide = self.width() - 2 * COLUMN - 34
        return max(min((self.height() - HEAD - 4) / n, wide / n, 34.0), 3.0)

    def place(self, point: QPointF) -> tuple[int, int] | None:
        """Row and column under a point; column n_comp is the right side."""
        if self.lens is None:
            return None
        n, cell = self.lens.n_comp, self.cell
        row = int((point.y() - HEAD) // cell)
        column = int((point.x() - 26) // cell)
        if not 0 <= row < n or column < 0:
            return None
        if column >= n:
            right = point.x() - 26 - n * cell - 8
            column = row if right < COLUMN else n
        return row, column

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        assert event is not None
        if (place := self.place(event.position())) is not None:
            self._owner.node_clicked.emit(place[0])

    def event(self, event: QEvent | None) -> bool:
        if isinstance(event, QHelpEvent):
            place = self.place(QPointF(event.pos()))
            text = "" if place is None or self.lens is None else self.lens.tell(*place)
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)

    def paintEvent(self, _: QPaintEvent | None) -> None:
        lens, theme = self.lens, self._theme
        if lens is None:
            return
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.canvas))
        cell, n = self.cell, lens.n_comp
        colors = [QColor(hex_color(c)) for c in thread_colors(max(self._threads, 2))]
        font = painter.font()
        font.setPixelSize(int(max(min(cell - 2, 12), 7)))
        painter.setFont(font)
        right = 26 + n * cell + 8
        painter.setPen(QColor(theme.muted))
        middle = Qt.AlignmentFlag.AlignCenter
        for x, text in ((right, "d (µS)"), (right + COLUMN, "b (nA)")):
            painter.drawText(QRectF(x, 0, COLUMN, HEAD), middle, text)
        for i in range(n):
            self._draw_row(painter, lens, i, colors)
        painter.setPen(QPen(QColor(theme.muted), 1))
        painter.drawRect(QRectF(26, HEAD, n * cell, n * cell))
        painter.end()

    def _draw_row(self, painter: QPainter, lens: Lens, i: int, colors: list[QColor]) -> None:
        theme, cell = self._theme, self.cell
        top, n = HEAD + i * cell, lens.n_comp
        taken, gone, changed = lens.taken[i] >= 0, bool(lens.gone[i]), bool(lens.changed[i])
        color = colors[lens.taken[i]] if taken else QColor(theme.accent)
        for j in range(n):
            if (value := lens.entry(i, j)) is None:
                continue
            box = QRectF(26 + j * cell, top, cell, cell).adjusted(0.5, 0.5, -0.5, -0.5)
            if value == 0.0:
                self._draw_zero(painter, box, lens.taken[j] >= 0)
                continue
            fill = QColor(theme.muted) if gone and not taken else QColor(color)
            fill.setAlpha(60 if gone and not taken else 255 if i == j or taken else 130)
            painter.fillRect(box, fill)
            if changed and i == j:
                painter.setPen(QPen(QColor(theme.warning), 2))
                painter.drawRect(box)
        right = 26 + n * cell + 8
        row = QRectF(0, top, 24, cell)
        ink = QColor(theme.muted if gone and not taken else theme.text)
        painter.setPen(QColor(theme.accent) if i == self._selected else ink)
        vertical = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        painter.drawText(row, vertical, str(i))
        painter.setPen(QColor(theme.warning) if changed else ink)
        for x, value in ((right, lens.d[i]), (right + COLUMN, lens.b[i])):
            painter.drawText(QRectF(x, top, COLUMN - 10, cell), vertical, f"{value:.4g}")

    def _draw_zero(self, painter: QPainter, box: QRectF, now: bool) -> None:
        """An entry that an elimination has made 0; with a bright cross in the step that did it."""
        theme = self._theme
        painter.setPen(QPen(QColor(theme.warning if now else theme.grid), 2 if now else 1))
        inner = box.adjusted(2, 2, -2, -2)
        painter.drawLine(inner.topLeft(), inner.bottomRight())
        painter.drawLine(inner.topRight(), inner.bottomLeft())
