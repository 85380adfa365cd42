"""Scale bar, axes, marks, card and sentences over the 3-D cell, on any paint device."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QBrush, QColor, QFontMetricsF, QPainter, QPainterPath, QPen

from dendview.colors import THEMES, ColorTable, Theme, luminance, rgb
from dendview.geometry import CellGeometry
from dendview.markers import Link, Marker, MarkerKind
from dendview.scene import CellScene, round_below
from dendview.schedule_scene import TAKEN
from dendview.views.cell_camera import Camera
from dendview.views.cell_legend import paint_legend
from dendview.views.cell_synapses import paint_synapses
from dendview.views.cell_text import font, haloed, panel
from dendview.visuals.spines import SEEN_FROM

MARGIN = 14.0
BADGE = 20.0
MAX_LABELS = 40
SEEN, DOT = 16.0, 4.0
"""Pixels below which a compartment is too short to be seen, and the radius of the dot it gets."""
LOW = 260.0
"""A view lower than this has no room for the axes."""
AXES_ROOM = 88.0
"""Height of the axes; where the legend reaches down to them they stand beside it."""
LINE_HEIGHT = 28.0
LEGEND_WIDTH = 140.0
"""Room of a legend with the classes of the schedule player."""

AXES = (("x", "#e5484d", "#c62a2f"), ("y", "#46a758", "#2b7a3e"), ("z", "#5b8def", "#2457c5"))
"""Letter, color on dark, color on light."""


BOLT = ((2, -8), (-5, 1.5), (-0.8, 1.5), (-2, 8), (5, -1.5), (0.8, -1.5))
WAVE = ((-7, 2), (-4, 2), (-1.5, -6), (1.5, 6), (3.5, 2), (7, 2))
STAIRS = ((-7, 4), (-3, 4), (-3, -4), (3, -4), (3, 4), (7, 4))
BOUTON = ((0, -7), (0, -1), (-5, 5), (5, 5), (0, -1))
GAP = ((-7, 0), (-4, 0), (-2.5, -4), (0, 4), (2.5, -4), (4, 0), (7, 0))
"""Signs on the pins, from the middle of the badge."""
SIGNS: dict[MarkerKind, tuple[tuple[float, float], ...]] = {
    "clamp": BOLT,
    "probe": WAVE,
    "voltage_clamp": STAIRS,
    "synapse": BOUTON,
    "gap_junction": GAP,
}
FILLED = ("clamp",)
MAX_PINS = 60
"""Places of more synapses than this are dots without pins."""


@dataclass(frozen=True)
class Card:
    """Lines to show beside a point (logical pixels)."""

    x: float
    y: float
    lines: tuple[str, ...]


def paint(
    painter: QPainter,
    size: tuple[float, float],
    scene: CellScene,
    camera: Camera,
    geometry: CellGeometry | None,
    card: Card | None = None,
) -> None:
    """Paint everything that lies over the cell, in logical pixels."""
    theme = THEMES[scene.theme]
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
    if scene.cell is None or geometry is None:
        _paint_empty(painter, size, theme, scene.reason)
        return
    _paint_taken(painter, size, theme, scene, camera, geometry)
    if len(scene.links) <= MAX_PINS:
        _paint_links(painter, size, theme, scene.links, camera, geometry)
    _paint_markers(painter, size, theme, scene.markers, camera, geometry)
    if scene.synapses is not None:
        paint_synapses(painter, size, theme, scene, scene.synapses, camera, geometry)
    below = paint_legend(painter, size, theme, scene)
    if size[1] >= LOW:
        left = MARGIN if below < size[1] - AXES_ROOM else LEGEND_WIDTH
        _paint_axes(painter, QPointF(left, size[1]), scene.theme == "dark", theme, camera)
    _paint_scale_bar(painter, size, theme, camera.scale)
    unseen = unseen_text(scene, camera.scale)
    said = ((scene.asked, theme.text), (scene.reason, theme.warning), (unseen, theme.muted))
    top = size[1] - MARGIN - LINE_HEIGHT
    for text, ink in said:
        if text:
            _paint_line(painter, size, theme, text, ink, top)
            top -= LINE_HEIGHT + 6
    if card is not None and card.lines:
        _paint_card(painter, size, theme, card)


def unseen_text(scene: CellScene, scale: float) -> str:
    """A line on spines that are drawn only from closer up, where there are any."""
    if scene.spines is None or not scene.categorical or scale >= SEEN_FROM:
        return ""
    return "" if scene.spines.active.all() else "Zoom in for all spines"


def taken_dots(scene: CellScene, scale: float) -> tuple[NDArray[np.intp], ColorTable]:
    """Segments the schedule takes now that are too short to be seen, and their colors.

    Returns
    -------
    segment : (n,)
    color : (n, 3) uint8
    """
    none = np.zeros(0, np.intp), np.zeros((0, 3), np.uint8)
    if scene.classes is None or scene.cell is None:
        return none
    tree = scene.cell.trees["neuron"]
    taken = np.flatnonzero(scene.classes == TAKEN)
    taken = taken[tree.length[tree.node_of_segment[taken]] * scale < SEEN]
    low, high = scene.limits if not scene.categorical else (0.0, float(len(scene.table)))
    share = (scene.values[taken] - low) / max(high - low, 1e-9)
    last = len(scene.table) - 1
    return taken, scene.table[np.clip(share * (last + 1), 0, last).astype(int)]


def _paint_taken(
    painter: QPainter,
    size: tuple[float, float],
    theme: Theme,
    scene: CellScene,
    camera: Camera,
    geometry: CellGeometry,
) -> None:
    """Dots on what is taken now, where it alone would be a few pixels."""
    segment, color = taken_dots(scene, camera.scale)
    if not segment.size:
        return
    painter.setPen(QPen(QColor(theme.canvas), 1.5))
    for (x, y), rgb_ in zip(camera.project(geometry.center[segment], size), color, strict=True):
        painter.setBrush(QBrush(QColor(*rgb_.tolist())))
        painter.drawEllipse(QPointF(x, y), DOT, DOT)
    painter.setBrush(Qt.BrushStyle.NoBrush)


def scale_bar(scale: float, width: float) -> tuple[float, str]:
    """Length in µm of a round scale bar of at most a sixth of the width, and its text."""
    length = round_below(min(max(width / 6, 60.0), 180.0) / scale)
    if length >= 1000:
        return length, f"{length / 1000:g} mm"
    return length, f"{length:g} µm" if length >= 1 else f"{length * 1000:g} nm"


def _paint_scale_bar(
    painter: QPainter, size: tuple[float, float], theme: Theme, scale: float
) -> None:
    length, text = scale_bar(scale, size[0])
    right, y = size[0] - MARGIN, size[1] - MARGIN
    left = right - length * scale
    painter.setPen(QPen(QColor(theme.text), 2, cap=Qt.PenCapStyle.FlatCap))
    painter.drawLine(QPointF(left, y), QPointF(right, y))
    painter.setFont(font(12))
    haloed(painter, theme, QRectF(left - 60, y - 22, right - left + 120, 18), text, centered=True)


def _paint_axes(
    painter: QPainter, corner: QPointF, dark: bool, theme: Theme, camera: Camera
) -> None:
    """The file's axes, in a corner at the bottom."""
    middle, reach = corner + QPointF(30, -MARGIN - 30), 24.0
    turn = camera.turn
    for axis in np.argsort(turn[2]):  # the axis that points at the viewer last
        letter, on_dark, on_light = AXES[axis]
        color = QColor(on_dark if dark else on_light)
        tip = middle + QPointF(turn[0, axis] * reach, -turn[1, axis] * reach)
        painter.setPen(QPen(color, 2.2, cap=Qt.PenCapStyle.RoundCap))
        painter.drawLine(middle, tip)
        at = middle + QPointF(turn[0, axis], -turn[1, axis]) * (reach + 9)
        painter.setFont(font(12, bold=True))
        haloed(painter, theme, QRectF(at.x() - 8, at.y() - 9, 16, 18), letter, True, color)


def _paint_links(
    painter: QPainter,
    size: tuple[float, float],
    theme: Theme,
    links: tuple[Link, ...],
    camera: Camera,
    geometry: CellGeometry,
) -> None:
    """A dashed line between two places that belong together; a dot where it starts."""
    if not links:
        return
    start = camera.project(geometry.center[[link.start for link in links]], size)
    stop = camera.project(geometry.center[[link.stop for link in links]], size)
    for link, one, other in zip(links, start, stop, strict=True):
        ends = QPointF(*one), QPointF(*other)
        painter.setPen(QPen(QColor(theme.canvas), 3.5))
        painter.drawLine(*ends)
        painter.setPen(QPen(QColor(link.color), 1.5, Qt.PenStyle.DashLine))
        painter.drawLine(*ends)
        painter.setPen(QPen(QColor(theme.canvas), 1.5))
        painter.setBrush(QBrush(QColor(link.color)))
        painter.drawEllipse(ends[0], DOT, DOT)
        painter.setBrush(Qt.BrushStyle.NoBrush)


def _paint_markers(
    painter: QPainter,
    size: tuple[float, float],
    theme: Theme,
    markers: tuple[Marker, ...],
    camera: Camera,
    geometry: CellGeometry,
) -> None:
    synapses = tuple(m for m in markers if m.kind == "synapse")
    if len(synapses) > MAX_PINS:
        markers = tuple(m for m in markers if m.kind != "synapse")
        _paint_dots(painter, theme, synapses, camera.project(_centers(geometry, synapses), size))
    if not markers:
        return
    at = camera.project(_centers(geometry, markers), size)
    placed: list[tuple[Marker, QPointF, QRectF]] = []
    for marker, (x, y) in sorted(zip(markers, at, strict=True), key=lambda m: -m[1][1]):
        badge = QRectF(x - BADGE / 2, y - BADGE - 14, BADGE, BADGE)
        step = QPointF(0, -BADGE - 2)
        taken = [other for _, _, other in placed]
        while badge.top() >= 2 and any(badge.intersects(other) for other in taken):
            badge.translate(step)
        if badge.top() < 2:  # no room above: beside it
            badge.moveTopLeft(QPointF(x + 12, max(y - BADGE / 2, 2)))
            while any(badge.intersects(other) for other in taken):
                badge.translate(QPointF(BADGE + 2, 0))
        placed.append((marker, QPointF(x, y), badge))
    for marker, foot, badge in reversed(placed):
        _paint_stalk(painter, theme, marker, foot, badge)
    for marker, _, badge in placed:
        _paint_badge(painter, theme, marker, badge)
    if len(markers) > MAX_LABELS:
        return
    painter.setFont(font(12))
    metrics = QFontMetricsF(painter.font())
    taken = [badge for _, _, badge in placed]
    for marker, _, badge in placed:
        wide = metrics.horizontalAdvance(marker.label)
        right = QRectF(badge.right() + 5, badge.center().y() - 9, wide, 18)
        left = right.translated(-wide - BADGE - 10, 0)
        for box in (right, left):
            inside = box.left() >= 4 and box.right() <= size[0] - 4
            if inside and not any(box.intersects(other) for other in taken):
                taken.append(box)
                haloed(painter, theme, box, marker.label)
                break


def _centers(geometry: CellGeometry, markers: tuple[Marker, ...]) -> NDArray[np.float64]:
    """(n, 3) µm."""
    at = geometry.center[[m.segment for m in markers]]
    for row, marker in enumerate(markers):
        if marker.at is not None:
            at[row] = np.array(marker.at) - geometry.origin
    return at


def _paint_dots(
    painter: QPainter, theme: Theme, markers: tuple[Marker, ...], at: NDArray[np.float64]
) -> None:
    """Places of which there are too many for pins."""
    painter.setPen(QPen(QColor(theme.canvas), 1.0))
    for marker, (x, y) in zip(markers, at, strict=True):
        painter.setBrush(QBrush(QColor(marker.color)))
        painter.drawEllipse(QPointF(x, y), 3.0, 3.0)
    painter.setBrush(Qt.BrushStyle.NoBrush)


def _paint_stalk(
    painter: QPainter, theme: Theme, marker: Marker, foot: QPointF, badge: QRectF
) -> None:
    """The line from a badge to its place on the cell."""
    color, ground = QColor(marker.color), QColor(theme.canvas)
    for pen in (QPen(ground, 4), QPen(color, 2)):
        painter.setPen(pen)
        painter.drawLine(badge.center(), foot)
    painter.setPen(QPen(ground, 1.5))
    painter.setBrush(QBrush(color))
    painter.drawEllipse(foot, 3.5, 3.5)
    painter.setBrush(Qt.BrushStyle.NoBrush)


def _paint_badge(painter: QPainter, theme: Theme, marker: Marker, badge: QRectF) -> None:
    """A round badge with the sign of its kind."""
    painter.setPen(QPen(QColor(theme.canvas), 1.5))
    painter.setBrush(QBrush(QColor(marker.color)))
    painter.drawEllipse(badge)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    sign = QPainterPath()
    center = badge.center()
    points = SIGNS[marker.kind]
    sign.moveTo(center + QPointF(*points[0]))
    for point in points[1:]:
        sign.lineTo(center + QPointF(*point))
    ink = QColor("#14161a") if luminance(rgb(marker.color)) > 0.2 else QColor("#ffffff")
    if marker.kind in FILLED:
        sign.closeSubpath()
        painter.fillPath(sign, QBrush(ink))
    else:
        painter.setPen(QPen(ink, 1.6, join=Qt.PenJoinStyle.RoundJoin))
        painter.drawPath(sign)


def _paint_card(painter: QPainter, size: tuple[float, float], theme: Theme, card: Card) -> None:
    fonts = [font(13, bold=True)] + [font(12)] * (len(card.lines) - 1)
    widths = [QFontMetricsF(f).horizontalAdvance(t) for f, t in zip(fonts, card.lines, strict=True)]
    line = 18.0
    box = QRectF(card.x + 16, card.y + 16, max(widths) + 20, line * len(card.lines) + 12)
    if box.right() > size[0] - 4:
        box.moveRight(card.x - 10)
    if box.bottom() > size[1] - 4:
        box.moveBottom(card.y - 10)
    box.moveLeft(max(box.left(), 4))
    box.moveTop(max(box.top(), 4))
    panel(painter, theme, box)
    for i, (f, text) in enumerate(zip(fonts, card.lines, strict=True)):
        painter.setFont(f)
        painter.setPen(QColor(theme.text if i == 0 else theme.muted))
        row = QRectF(box.left() + 10, box.top() + 6 + i * line, box.width(), line)
        painter.drawText(row, Qt.AlignmentFlag.AlignVCenter, text)


def _paint_line(
    painter: QPainter, size: tuple[float, float], theme: Theme, text: str, color: str, top: float
) -> None:
    """A sentence on a panel in the middle, at a height."""
    painter.setFont(font(13))
    metrics = QFontMetricsF(painter.font())
    wide = min(metrics.horizontalAdvance(text) + 28, max(size[0] - 330, 120.0))
    box = QRectF((size[0] - wide) / 2, top, wide, LINE_HEIGHT)
    panel(painter, theme, box)
    painter.setPen(QColor(color))
    text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, wide - 16)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


def _paint_empty(painter: QPainter, size: tuple[float, float], theme: Theme, text: str) -> None:
    painter.setFont(font(15))
    painter.setPen(QColor(theme.muted))
    painter.drawText(QRectF(0, 0, *size), Qt.AlignmentFlag.AlignCenter, text)
