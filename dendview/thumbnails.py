"""Small pictures of cells for the start page: the x-y projection, colored by type."""

import hashlib
from pathlib import Path

import numpy as np
from PyQt6.QtCore import QLineF, QPointF, QRectF, QSize, QStandardPaths, Qt
from PyQt6.QtGui import QColor, QImage, QPainter, QPen

from dendview.colors import THEMES, ThemeName, readable, rgb, type_color
from engine.morphology.model import Morphology, Tag
from engine.types import FloatArray

MIN_WIDTH = 0.9
"""Pixels; thinner branches would vanish."""


def project(
    xyz: FloatArray, width: float, height: float, margin: float
) -> tuple[FloatArray, float]:
    """Points on a picture, y up, centered and as large as fits.

    Returns
    -------
    points : (n, 2) pixels
    scale : pixels per µm
    """
    low, high = xyz[:, :2].min(axis=0), xyz[:, :2].max(axis=0)
    room = np.array([width - 2 * margin, height - 2 * margin])
    scale = float((room / np.maximum(high - low, 1e-3)).min())
    flat = (xyz[:, :2] - (low + high) / 2) * scale
    return np.column_stack([width / 2 + flat[:, 0], height / 2 - flat[:, 1]]), scale


def draw_cell(morphology: Morphology, size: QSize, theme: ThemeName, ratio: float = 2.0) -> QImage:
    """The picture of a cell on a transparent ground.

    Parameters
    ----------
    morphology
    size
        In points of the screen.
    theme
        Colors are made readable on its panels.
    ratio
        Pixels per point.
    """
    image = QImage(size * ratio, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    image.fill(Qt.GlobalColor.transparent)
    ground = rgb(THEMES[theme].panel)
    points, scale = project(morphology.xyz, size.width(), size.height(), 10)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    order = np.argsort(morphology.xyz[:, 2], kind="stable")  # the nearest last
    order = order[(morphology.parent[order] >= 0) & (morphology.tag[order] != Tag.SOMA)]
    widths = np.maximum(np.round(2 * morphology.radius * scale * 4) / 4, MIN_WIDTH)
    inks = {int(tag): _ink(int(tag), ground) for tag in np.unique(morphology.tag)}
    for i in order:
        pen = QPen(inks[int(morphology.tag[i])], float(widths[i]))
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.drawLine(QLineF(QPointF(*points[morphology.parent[i]]), QPointF(*points[i])))
    _draw_soma(painter, morphology, points, scale, ground)
    painter.end()
    return image


def _draw_soma(
    painter: QPainter,
    morphology: Morphology,
    points: FloatArray,
    scale: float,
    ground: tuple[int, int, int],
) -> None:
    soma = np.flatnonzero(morphology.tag == Tag.SOMA)
    if not soma.size:
        return
    radius = max(float(morphology.radius[soma].max()) * scale, 2.2)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_ink(int(Tag.SOMA), ground))
    x, y = points[soma].mean(axis=0)
    painter.drawEllipse(QRectF(x - radius, y - radius, 2 * radius, 2 * radius))


def _ink(tag: int, ground: tuple[int, int, int]) -> QColor:
    return QColor(*(int(v) for v in np.ravel(readable(rgb(type_color(tag)), ground))[:3]))


def cache_file(path: Path, size: QSize, theme: ThemeName) -> Path:
    """Where the picture of a file is kept; another file, size or theme has another name."""
    stat = path.stat()
    key = f"{path}|{stat.st_size}|{stat.st_mtime_ns}|{size.width()}x{size.height()}|{theme}|1"
    folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.GenericCacheLocation)
    return (
        Path(folder) / "dendview" / "cards" / f"{hashlib.sha1(key.encode()).hexdigest()[:16]}.png"
    )
