"""Signs of a player, drawn in any color: the platform's own are black, also on a dark ground."""

from typing import Literal

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QIcon, QPainter, QPixmap, QPolygonF

Sign = Literal["first", "back", "play", "pause", "forward", "last"]


def player_icon(sign: Sign, color: str, disabled: str) -> QIcon:
    """An icon in a color, and in another where its button is disabled."""
    icon = QIcon()
    for mode, ink in ((QIcon.Mode.Normal, color), (QIcon.Mode.Disabled, disabled)):
        for scale in (1, 2):
            icon.addPixmap(_draw(sign, ink, scale), mode)
    return icon


def _draw(sign: Sign, color: str, scale: int) -> QPixmap:
    """16 × 16 logical pixels; signs that point back are the others mirrored."""
    picture = QPixmap(16 * scale, 16 * scale)
    picture.setDevicePixelRatio(scale)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(color))
    if sign in ("first", "back"):
        painter.translate(16, 0)
        painter.scale(-1, 1)
    match sign:
        case "play":
            _triangle(painter, 4, 13, 2, 14)
        case "pause":
            painter.drawRect(QRectF(3.5, 2.5, 3, 11))
            painter.drawRect(QRectF(9.5, 2.5, 3, 11))
        case "forward" | "back":
            painter.drawRect(QRectF(3.5, 3, 2, 10))
            _triangle(painter, 7, 14, 3, 13)
        case "last" | "first":
            _triangle(painter, 2, 7, 3, 13)
            _triangle(painter, 7, 12, 3, 13)
            painter.drawRect(QRectF(12, 3, 2, 10))
    painter.end()
    return picture


def _triangle(painter: QPainter, left: float, right: float, top: float, bottom: float) -> None:
    middle = QPointF(right, (top + bottom) / 2)
    painter.drawPolygon(QPolygonF([QPointF(left, top), middle, QPointF(left, bottom)]))
