"""Synapses of a hidden neuron over the 3-D cell: disks for positive, diamonds for negative."""

import numpy as np
from PyQt6.QtCore import QPointF, Qt
from PyQt6.QtGui import QBrush, QColor, QPainter, QPen, QPolygonF

from dendview.colors import Theme, hex_color
from dendview.geometry import CellGeometry
from dendview.scene import CellScene
from dendview.training_synapses import SynapseMap
from dendview.views.cell_camera import Camera

LEAST, MOST = 2.0, 6.5
"""Pixels from the middle to the rim, of a weight of 0 and of one at the limit."""
MANY, NEAR = 80.0, 2.0
"""Marks from which on they are drawn smaller; pixels per µm from which on they need not be."""


def paint_synapses(
    painter: QPainter,
    size: tuple[float, float],
    theme: Theme,
    scene: CellScene,
    synapses: SynapseMap,
    camera: Camera,
    geometry: CellGeometry,
) -> None:
    """Draw a mark per segment with synapses, the larger the larger its weight, large ones last."""
    if not len(synapses.segment):
        return
    limit = max(scene.limits[1], 1e-30)
    share = np.clip(synapses.weight / limit, -1, 1)
    last = len(scene.table) - 1
    colors = scene.table[np.rint((share + 1) / 2 * last).astype(int)]
    at = camera.project(geometry.center[synapses.segment], size)
    room = float(np.clip((MANY / len(share)) ** 0.5, 0.5, 1.0))
    near = float(np.clip(camera.scale / NEAR, 0.0, 1.0))  # from there on they are apart
    most = LEAST + (MOST - LEAST) * max(room, near)
    painter.setPen(QPen(QColor(theme.canvas), 0.8))
    for k in np.argsort(np.abs(share), kind="stable"):
        x, y = at[k]
        if not (-9 < x < size[0] + 9 and -9 < y < size[1] + 9):
            continue
        weight = synapses.weight[k]
        beyond = scene.over if weight > limit else scene.under if weight < -limit else None
        painter.setBrush(QBrush(QColor(beyond or hex_color(colors[k]))))
        r = LEAST + (most - LEAST) * abs(float(share[k]))
        if weight >= 0:
            painter.drawEllipse(QPointF(x, y), r, r)
        else:
            r *= 1.2
            corners = [
                QPointF(x, y - r), QPointF(x + r, y), QPointF(x, y + r), QPointF(x - r, y)
            ]  # fmt: skip
            painter.drawPolygon(QPolygonF(corners))
    painter.setBrush(Qt.BrushStyle.NoBrush)
