"""Text and grounds that stay readable over a drawn cell."""

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QBrush, QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen

from dendview.colors import Theme


def font(size: float, bold: bool = False) -> QFont:
    """The overlay's font, by its height in logical pixels."""
    result = QFont()
    result.setPixelSize(round(size))
    result.setBold(bold)
    return result


def panel(painter: QPainter, theme: Theme, box: QRectF) -> None:
    """A rounded, slightly transparent ground for text."""
    ground = QColor(theme.panel)
    ground.setAlphaF(0.92)
    painter.setPen(QPen(QColor(theme.grid), 1))
    painter.setBrush(QBrush(ground))
    painter.drawRoundedRect(box, 6, 6)
    painter.setBrush(Qt.BrushStyle.NoBrush)


def haloed(
    painter: QPainter,
    theme: Theme,
    box: QRectF,
    text: str,
    centered: bool = False,
    color: QColor | None = None,
) -> None:
    """Text with an edge in the canvas color, readable over the cell."""
    metrics = QFontMetricsF(painter.font())
    x = box.left() + ((box.width() - metrics.horizontalAdvance(text)) / 2 if centered else 0)
    y = box.center().y() + (metrics.ascent() - metrics.descent()) / 2
    path = QPainterPath()
    path.addText(QPointF(x, y), painter.font(), text)
    edge = QPen(QColor(theme.canvas), 3.5, join=Qt.PenJoinStyle.RoundJoin)
    painter.strokePath(path, edge)
    painter.setPen(color or QColor(theme.text))
    painter.drawText(QPointF(x, y), text)
