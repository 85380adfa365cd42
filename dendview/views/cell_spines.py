"""Synapses and spines of a previewed trial over the 3-D cell: necks and heads."""

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QLineF, QPointF, Qt
from PyQt6.QtGui import QBrush, QColor, QPainter, QPen

from dendview.colors import Theme
from dendview.geometry import CellGeometry
from dendview.lab import LabPreview
from dendview.views.cell_camera import Camera

LEAST_NECK, LEAST_HEAD = 6.0, 2.6
"""Pixels that the neck and the head of an active spine have at the least."""
MOST_DRAWN = 4000
"""Further spines in sight that are drawn; of more an even share is."""


def paint_spines(
    painter: QPainter,
    size: tuple[float, float],
    theme: Theme,
    preview: LabPreview,
    camera: Camera,
    geometry: CellGeometry,
    quiet: bool,
) -> str:
    """Draw a preview, ``quiet`` as dots that let the cell be seen; a line on what is left out."""
    head = preview.study.spines.shape.head_diameter * camera.scale / 2

    def flat(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return camera.project(points - geometry.origin, size) if len(points) else points[:, :2]

    if quiet:
        painter.setPen(QPen(QColor(theme.canvas), 0.8))
        painter.setBrush(QBrush(QColor(theme.text)))
        for x, y in flat(preview.active):
            painter.drawEllipse(QPointF(x, y), 1.8, 1.8)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        return ""
    others = flat(preview.other), flat(preview.other_tip)
    left_out = _paint_others(painter, size, theme, *others, head)
    painter.setPen(Qt.PenStyle.NoPen)
    gray = QColor(theme.muted)
    gray.setAlpha(170)
    painter.setBrush(QBrush(gray))
    for x, y in flat(preview.background):
        painter.drawEllipse(QPointF(x, y), 1.6, 1.6)
    foot, tip = flat(preview.active), flat(preview.active_tip)
    long = np.linalg.norm(tip - foot, axis=1) if len(foot) else np.zeros(0)
    stretch = np.maximum(LEAST_NECK / np.maximum(long, 1e-6), 1.0)
    tip = foot + (tip - foot) * np.minimum(stretch, 1e4)[:, None] if len(foot) else foot
    ink, ground = QColor(theme.text), QColor(theme.canvas)
    radius = max(head, LEAST_HEAD)
    necks = [QLineF(*a, *b) for a, b, on in zip(foot, tip, preview.on_spine, strict=True) if on]
    for pen in (QPen(ground, 3.2), QPen(ink, 1.4)):
        painter.setPen(pen)
        if necks:
            painter.drawLines(*necks)
    painter.setPen(QPen(ground, 1.0))
    painter.setBrush(QBrush(ink))
    for a, b, on in zip(foot, tip, preview.on_spine, strict=True):
        painter.drawEllipse(QPointF(*(b if on else a)), radius, radius)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    return left_out


def _paint_others(
    painter: QPainter,
    size: tuple[float, float],
    theme: Theme,
    foot: NDArray[np.float64],
    tip: NDArray[np.float64],
    head: float,
) -> str:
    """Spines without an active synapse, as fine necks with heads where these can be seen."""
    if not len(foot):
        return ""
    seen = ((foot >= 0) & (foot <= np.array(size))).all(axis=1)
    foot, tip = foot[seen], tip[seen]
    n, every = len(foot), 1
    if n > MOST_DRAWN:
        every = -(-n // MOST_DRAWN)
        foot, tip = foot[::every], tip[::every]
    ink = QColor(theme.muted)
    painter.setPen(QPen(ink, 1.0))
    if len(foot):
        painter.drawLines(*(QLineF(*a, *b) for a, b in zip(foot, tip, strict=True)))
    if head > 1.2:
        painter.setPen(QPen(QColor(theme.canvas), 0.7))
        painter.setBrush(QBrush(ink))
        for x, y in tip:
            painter.drawEllipse(QPointF(x, y), head, head)
        painter.setBrush(Qt.BrushStyle.NoBrush)
    return "" if every == 1 else f"1 of {every} spines shown"
