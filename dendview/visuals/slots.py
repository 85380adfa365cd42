"""The slots of a schedule in a plot: boxes with numbers when near, a picture when far."""

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPen

from dendview.colors import ColorTable, Theme, contrast, mix, rgb
from dendview.schedule_scene import rows_used, slot_image, visible_slots
from engine.schedule.model import Schedule

NEAR = (13.0, 10.0)
"""Width and height in pixels from which a slot is drawn as a box of its own."""
RING = 11.0
"""Pixels of the ring around a slot at the least, so that it is seen."""


def readable_ink(ground: tuple[int, ...]) -> str:
    """Black or white, whichever reads better."""
    return max(("#101216", "#ffffff"), key=lambda ink: contrast(rgb(ink), ground))


class SlotsItem(pg.GraphicsObject):
    """Thread t of step s is the unit square at (s, t); only what is visible is drawn."""

    def __init__(self) -> None:
        super().__init__()
        self.schedule: Schedule | None = None
        self._colors: ColorTable = np.zeros((1, 3), np.uint8)
        self._inks: list[str] = []
        self._theme: Theme | None = None
        self._cached: tuple[object, QImage, QRectF] | None = None

    def show_schedule(self, schedule: Schedule | None, colors: ColorTable, theme: Theme) -> None:
        """Draw another schedule, or the same in other colors."""
        self.prepareGeometryChange()
        self.schedule, self._colors, self._theme = schedule, colors, theme
        self._inks = [readable_ink(tuple(int(v) for v in c)) for c in colors]
        self._cached = None
        self.update()

    def boundingRect(self) -> QRectF:
        if self.schedule is None:
            return QRectF()
        return QRectF(0, 0, max(self.schedule.n_step, 1), rows_used(self.schedule))

    @property
    def idle_color(self) -> tuple[int, int, int]:
        assert self._theme is not None
        r, g, b = (int(v) for v in mix(rgb(self._theme.canvas), rgb(self._theme.grid), 0.6))
        return r, g, b

    def paint(self, painter: QPainter, *_: object) -> None:
        if self.schedule is None or self._theme is None or not self.schedule.n_step:
            return
        view = self.viewRect().intersected(self.boundingRect())
        to_pixels = painter.transform()
        wide, high = abs(to_pixels.m11()), abs(to_pixels.m22())
        steps = int(np.floor(view.left())), int(np.ceil(view.right()))
        threads = int(np.floor(view.top())), int(np.ceil(view.bottom()))
        if wide >= NEAR[0] and high >= NEAR[1]:
            self._paint_boxes(painter, steps, threads, wide, high)
        else:
            self._paint_picture(painter, steps, threads, wide, high)

    def _paint_boxes(
        self,
        painter: QPainter,
        steps: tuple[int, int],
        threads: tuple[int, int],
        wide: float,
        high: float,
    ) -> None:
        assert self.schedule is not None
        assert self._theme is not None
        gap_x, gap_y = min(1.5 / wide, 0.1), min(1.5 / high, 0.1)
        idle = QPen(QColor(self._theme.grid), 0, Qt.PenStyle.DotLine)
        painter.setPen(idle)
        painter.setBrush(QColor(*self.idle_color))
        for s in range(*steps):
            for t in range(*threads):
                painter.drawRect(QRectF(s + gap_x, t + gap_y, 1 - 2 * gap_x, 1 - 2 * gap_y))
        node, step, thread = visible_slots(self.schedule, *steps)
        painter.setPen(Qt.PenStyle.NoPen)
        boxes = []
        for i, s, t in zip(node.tolist(), step.tolist(), thread.tolist(), strict=True):
            if threads[0] <= t < threads[1]:
                box = QRectF(s + gap_x, t + gap_y, 1 - 2 * gap_x, 1 - 2 * gap_y)
                painter.setBrush(QColor(*self._colors[t % len(self._colors)].tolist()))
                painter.drawRect(box)
                boxes.append((box, str(i), self._inks[t % len(self._inks)]))
        self._paint_numbers(painter, boxes, wide, high)

    def _paint_numbers(
        self, painter: QPainter, boxes: list[tuple[QRectF, str, str]], wide: float, high: float
    ) -> None:
        font = QFont()
        longest = max((text for _, text, _ in boxes), key=len, default="0")
        for size in (15, 13, 11, 10, 9, 8):
            font.setPixelSize(size)
            if QFontMetricsF(font).horizontalAdvance(longest) <= wide - 5 and size + 3 <= high:
                break
        else:
            return
        to_pixels = painter.transform()
        painter.save()
        painter.resetTransform()
        painter.setFont(font)
        for box, text, ink in boxes:
            painter.setPen(QColor(ink))
            painter.drawText(to_pixels.mapRect(box), Qt.AlignmentFlag.AlignCenter, text)
        painter.restore()

    def _paint_picture(
        self,
        painter: QPainter,
        steps: tuple[int, int],
        threads: tuple[int, int],
        wide: float,
        high: float,
    ) -> None:
        assert self.schedule is not None
        n_step, n_thread = steps[1] - steps[0], threads[1] - threads[0]
        height = max(min(n_thread, int(n_thread * high)), 1)
        width = max(min(n_step, int(n_step * wide)), 1)
        key = (steps, threads, height, width)
        if self._cached is None or self._cached[0] != key:
            picture = slot_image(
                self.schedule, self._colors, self.idle_color, steps, threads, (height, width)
            )
            padded = np.empty((height, width, 4), np.uint8)
            padded[..., :3], padded[..., 3] = picture[..., ::-1], 255
            data, form = padded.tobytes(), QImage.Format.Format_RGB32
            image = QImage(data, width, height, 4 * width, form)
            self._cached = key, image.copy(), QRectF(steps[0], threads[0], n_step, n_thread)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.drawImage(self._cached[2], self._cached[1])


class MarksItem(pg.GraphicsObject):
    """Over the slots: what is to come, the step shown, the bound, the compartments meant."""

    def __init__(self) -> None:
        super().__init__()
        self._theme: Theme | None = None
        self._size = (1, 1)
        self._step = 0
        self._bound: int | None = None
        self._meant: tuple[tuple[int, int, bool], ...] = ()
        self.setZValue(10)

    def show_marks(
        self,
        theme: Theme,
        size: tuple[int, int],
        step: int,
        bound: int | None,
        meant: tuple[tuple[int, int, bool], ...],
    ) -> None:
        """Steps and threads in all, steps done, the bound, and ``(step, thread, selected)``."""
        self.prepareGeometryChange()
        self._theme, self._size, self._step = theme, size, step
        self._bound, self._meant = bound, meant
        self.update()

    def boundingRect(self) -> QRectF:
        return QRectF(-1, -1, self._size[0] + 2, self._size[1] + 2)

    def paint(self, painter: QPainter, *_: object) -> None:
        if self._theme is None:
            return
        n_step, n_row = self._size
        to_pixels = painter.transform()
        if 0 < self._step < n_step:
            veil = QColor(self._theme.canvas)
            veil.setAlpha(185)
            painter.fillRect(QRectF(self._step, 0, n_step - self._step, n_row), veil)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if self._bound is not None and self._bound < n_step:
            pen = QPen(QColor(self._theme.done), 2, Qt.PenStyle.DashLine)
            pen.setCosmetic(True)
            painter.setPen(pen)
            edge = QRectF(self._bound, 0, 0, n_row)
            painter.drawLine(edge.topLeft(), edge.bottomLeft())
        painter.save()
        painter.resetTransform()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        seen = to_pixels.mapRect(self.viewRect())
        if self._step > 0:
            step = to_pixels.mapRect(QRectF(self._step - 1, 0, 1, n_row))
            self._paint_frame(painter, step, seen, self._theme.accent, 2.5)
        if self._bound is not None and self._bound < n_step:
            self._paint_bound(painter, to_pixels.map(QPointF(self._bound, 0)), seen.left())
        for column, row, selected in self._meant:
            slot = to_pixels.mapRect(QRectF(column, row, 1, 1))
            grow = max((RING - slot.width()) / 2, 0.0), max((RING - slot.height()) / 2, 0.0)
            ring = slot.adjusted(-grow[0], -grow[1], grow[0], grow[1])
            self._paint_frame(painter, ring, seen, self._theme.text, 2.5 if selected else 1.5)
        painter.restore()

    def _paint_bound(self, painter: QPainter, top: QPointF, left: float) -> None:
        """What the dashed line means, on a ground of its own."""
        assert self._theme is not None
        font = QFont()
        font.setPixelSize(11)
        painter.setFont(font)
        text = f"bound {self._bound}"
        wide = QFontMetricsF(font).horizontalAdvance(text) + 10
        ground = QRectF(top.x() - wide - 4, top.y() + 4, wide, 17)
        if ground.left() < left:
            ground.moveLeft(top.x() + 4)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.canvas))
        painter.drawRoundedRect(ground, 4, 4)
        painter.setPen(QColor(self._theme.done))
        painter.drawText(ground, Qt.AlignmentFlag.AlignCenter, text)
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def _paint_frame(
        self, painter: QPainter, frame: QRectF, seen: QRectF, color: str, width: float
    ) -> None:
        """A frame in two tones for every ground, whole at the edges of the chart too."""
        assert self._theme is not None
        room = seen.adjusted(width / 2, width / 2, -width / 2, -width / 2)
        frame.translate(
            _way_inside(frame.left(), frame.right(), room.left(), room.right()),
            _way_inside(frame.top(), frame.bottom(), room.top(), room.bottom()),
        )
        frame = frame.intersected(room)
        for tone, wide in ((self._theme.canvas, 5.0), (color, width)):
            painter.setPen(QPen(QColor(tone), wide))
            painter.drawRoundedRect(frame, 2, 2)


def _way_inside(first: float, last: float, low: float, high: float) -> float:
    """How far a frame moves to lie within limits; one that is far outside stays, and is cut."""
    way = min(high - last, 0.0) or max(low - first, 0.0)
    return way if abs(way) < RING else 0.0
