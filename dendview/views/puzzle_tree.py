"""A small tree to schedule by hand: nodes are clicked, or reached by arrow keys."""

import numpy as np
from PyQt6.QtCore import QPointF, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import (
    QColor,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PyQt6.QtWidgets import QToolTip, QWidget

from dendview.colors import Theme, hex_color, thread_colors
from dendview.puzzle import Puzzle, layout
from dendview.visuals.slots import readable_ink

RADIUS = 17.0
MARGIN = 34.0


class PuzzleTree(QWidget):
    """Draws a puzzle; ``node_clicked`` on a mouse click or the space bar."""

    node_clicked = pyqtSignal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._puzzle: Puzzle | None = None
        self._place = np.zeros((0, 2))
        self._at = -1  # the node the keys mean
        self.setMinimumSize(420, 320)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Tree to schedule: arrows choose a node, space takes it")
        self.setMouseTracking(True)

    def show_puzzle(self, puzzle: Puzzle) -> None:
        """Draw a puzzle as it stands."""
        if self._puzzle is None or self._puzzle.parent is not puzzle.parent:
            self._place = layout(puzzle.parent)
            self._at = -1
        self._puzzle = puzzle
        self.update()

    def position(self, node: int) -> QPointF:
        """Where a node is drawn."""
        wide, deep = (max(float(v), 1.0) for v in self._place.max(axis=0))
        x, y = self._place[node]
        room = QRectF(self.rect()).adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)
        return QPointF(room.left() + room.width() * x / wide, room.top() + room.height() * y / deep)

    def node_at(self, point: QPointF) -> int:
        """The node under a point, or -1."""
        for node in range(len(self._place)):
            away = self.position(node) - point
            if away.x() ** 2 + away.y() ** 2 <= (self._radius + 3) ** 2:
                return node
        return -1

    @property
    def _radius(self) -> float:
        tips = max(float(self._place[:, 0].max()), 1.0) if len(self._place) else 1.0
        return min(RADIUS, max(0.42 * (self.width() - 2 * MARGIN) / tips, 8.0))

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        assert event is not None
        if event.button() == Qt.MouseButton.LeftButton and (
            (node := self.node_at(event.position())) >= 0
        ):
            self._at = node
            self.node_clicked.emit(node)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Arrows go to the nearest node that way, space takes or puts back."""
        assert event is not None
        ways = {
            Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0),
            Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1),
        }  # fmt: skip
        key = Qt.Key(event.key())
        if key in ways and self._puzzle is not None:
            self._at = self._next(*ways[key])
            self.update()
        elif key == Qt.Key.Key_Space and self._at >= 0:
            self.node_clicked.emit(self._at)
        else:
            super().keyPressEvent(event)

    def _next(self, dx: int, dy: int) -> int:
        """The nearest node in a direction; a free one to begin with."""
        assert self._puzzle is not None
        if self._at < 0:
            return self._puzzle.candidates[0] if self._puzzle.candidates else 0
        here = self.position(self._at)
        best, nearest = self._at, np.inf
        for node in range(len(self._place)):
            away = self.position(node) - here
            along, across = dx * away.x() + dy * away.y(), abs(dy * away.x()) + abs(dx * away.y())
            if along > 1 and along + 2 * across < nearest:
                best, nearest = node, along + 2 * across
        return best

    def focusOutEvent(self, event: QFocusEvent | None) -> None:
        super().focusOutEvent(event)
        self.update()

    def event(self, event: object) -> bool:
        if isinstance(event, QHelpEvent) and self._puzzle is not None:
            node = self.node_at(QPointF(event.pos()))
            free = node in self._puzzle.candidates
            text = f"Node {node} is free." if free else self._puzzle.why_not(node)
            QToolTip.showText(event.globalPos(), text if node >= 0 else "", self)
            return True
        return super().event(event)  # type: ignore[arg-type]

    def paintEvent(self, _: QPaintEvent | None) -> None:
        puzzle, theme = self._puzzle, self._theme
        if puzzle is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(theme.canvas))
        painter.setPen(QPen(QColor(theme.grid), 2))
        for node, up in enumerate(puzzle.parent.tolist()):
            if up >= 0:
                painter.drawLine(self.position(node), self.position(up))
        colors = thread_colors(max(puzzle.n_threads, 2))
        for node in range(len(puzzle.parent)):
            self._draw_node(painter, puzzle, node, colors)
        painter.end()

    def _draw_node(self, painter: QPainter, puzzle: Puzzle, node: int, colors: np.ndarray) -> None:
        theme, radius, at = self._theme, self._radius, self.position(node)
        fill, ring, ink, text = theme.canvas, QPen(QColor(theme.grid), 2), theme.muted, str(node)
        step = int(puzzle.step_of[node])
        if step:
            fill, ink, text = theme.grid, theme.text, f"✓{step}"
        elif node in puzzle.chosen:
            color = colors[puzzle.chosen.index(node)]
            fill = hex_color(color)
            ink = readable_ink(tuple(int(v) for v in color))
            ring = QPen(QColor(theme.text), 3)
        elif node in puzzle.candidates:
            ring, ink = QPen(QColor(theme.accent), 3), theme.text
        painter.setPen(ring)
        painter.setBrush(QColor(fill))
        if puzzle.parent[node] < 0:
            box = QRectF(at.x() - radius, at.y() - radius, 2 * radius, 2 * radius)
            painter.drawRoundedRect(box, 5, 5)
        else:
            painter.drawEllipse(at, radius, radius)
        font = painter.font()
        font.setPixelSize(int(min(13, radius)))
        painter.setFont(font)
        painter.setPen(QColor(ink))
        around = QRectF(at.x() - 20, at.y() - 12, 40, 24)
        painter.drawText(around, Qt.AlignmentFlag.AlignCenter, text)
        if node == self._at and self.hasFocus():
            painter.setPen(QPen(QColor(theme.text), 1, Qt.PenStyle.DotLine))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(at, radius + 5, radius + 5)
