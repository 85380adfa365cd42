"""Which trace is meant by a point of a plot."""

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QPointF

from dendview.decimate import visible
from engine.recording import Recording

REACH = 7
"""Pixels from a trace within which it is meant."""


def nearest_trace(
    recording: Recording, unit: str, box: pg.ViewBox, position: QPointF
) -> tuple[int, float, float] | None:
    """The trace of a unit nearest to a point of the scene: its index, the time and the value.

    None where none comes within :data:`REACH`.
    """
    point = box.mapSceneToView(position)
    per_x, per_y = box.viewPixelSize()
    part = visible(recording.time, point.x() - REACH * per_x, point.x() + REACH * per_x)
    dx = (recording.time[part] - point.x()) / per_x
    best: tuple[float, int, int] | None = None
    for i, own in enumerate(recording.units):
        if own == unit and len(dx):
            far = np.hypot(dx, (recording.values[i, 0, part] - point.y()) / per_y)
            at = int(np.argmin(far))
            if far[at] <= REACH and (best is None or far[at] < best[0]):
                best = float(far[at]), i, at
    if best is None:
        return None
    _, index, at = best
    at += part.start
    return index, float(recording.time[at]), float(recording.values[index, 0, at])
