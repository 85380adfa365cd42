"""The orthographic camera of the cell: y up, orbit, pan, zoom at the pointer. No Qt."""

from dataclasses import dataclass, field, replace

import numpy as np

from dendview.geometry import CellGeometry
from dendview.visuals.capsules import Viewport
from engine.types import FloatArray

LEGEND_ROOM = (150.0, 220.0)  # logical pixels kept free of the cell at the top left
MARGINS = (24.0, 24.0, 24.0, 44.0)
LEANING = 0.25
"""Apical dendrites that lean less than this (rad) stay as they were recorded."""

MIN_SCALE, MAX_SCALE = 1e-4, 1e4
"""Pixels per µm."""


def rotation(axis: FloatArray | tuple[float, float, float], angle: float) -> FloatArray:
    """(3, 3) turn by an angle (rad) about a unit axis (Rodrigues)."""
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)


def turn_to_up(direction: FloatArray) -> FloatArray:
    """(3, 3) a turn that brings a unit direction to +y and leaves z to the viewer as far as it can.

    Cells are mostly cut in slices, flat in z. A direction along z itself leaves x to the right.
    """
    right = np.cross(direction, (0.0, 0.0, 1.0))
    if np.linalg.norm(right) < 0.1:
        right = np.array([1.0, 0.0, 0.0]) - direction[0] * direction
    right /= np.linalg.norm(right)
    return np.stack([right, direction, np.cross(right, direction)])


@dataclass(frozen=True, eq=False)
class Camera:
    """Looks along -z of the view at ``center`` (µm), which is drawn in the middle.

    ``azimuth`` turns the cell about its up axis and ``elevation`` about the screen's x, both rad;
    ``upright`` is the turn before them, for example the apical dendrite to y. ``scale`` is in
    logical pixels per µm.
    """

    center: FloatArray = field(default_factory=lambda: np.zeros(3))
    azimuth: float = 0.0
    elevation: float = 0.0
    upright: FloatArray = field(default_factory=lambda: np.eye(3))
    scale: float = 1.0

    @property
    def turn(self) -> FloatArray:
        """(3, 3) from the cell's axes to the screen's: x right, y up, z to the viewer."""
        tilt = rotation((1.0, 0.0, 0.0), self.elevation)
        return tilt @ rotation((0.0, 1.0, 0.0), self.azimuth) @ self.upright

    def project(self, points: FloatArray, size: tuple[float, float]) -> FloatArray:
        """(n, 2) logical pixels from the top left corner of a view of this size."""
        xy = self.scale * ((np.atleast_2d(points) - self.center) @ self.turn.T)[:, :2]
        return np.stack([size[0] / 2 + xy[:, 0], size[1] / 2 - xy[:, 1]], axis=1)

    def orbit(self, dx: float, dy: float, per_pixel: float = 0.008) -> "Camera":
        """Turn as if the cell were dragged by (dx, dy) pixels."""
        limit = np.pi / 2
        elevation = float(np.clip(self.elevation + dy * per_pixel, -limit, limit))
        return replace(self, azimuth=self.azimuth + dx * per_pixel, elevation=elevation)

    def pan(self, dx: float, dy: float) -> "Camera":
        """Move the cell with the pointer by (dx, dy) pixels, y down."""
        move = np.array([-dx, dy, 0.0]) / self.scale
        return replace(self, center=self.center + move @ self.turn)

    def zoom(self, factor: float, at: tuple[float, float], size: tuple[float, float]) -> "Camera":
        """Scale by a factor; what is under the pointer (pixels from the top left) stays there."""
        scale = float(np.clip(self.scale * factor, MIN_SCALE, MAX_SCALE))
        x, y = at[0] - size[0] / 2, size[1] / 2 - at[1]
        shift = np.array([x, y, 0.0]) * (1 / self.scale - 1 / scale)
        return replace(self, center=self.center + shift @ self.turn, scale=scale)

    def fit(
        self,
        geometry: CellGeometry,
        size: tuple[float, float],
        margins: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0),
    ) -> "Camera":
        """Show the whole cell inside margins (left, top, right, bottom; logical pixels)."""
        left, top, right, bottom = margins
        room = max(size[0] - left - right, 40.0), max(size[1] - top - bottom, 40.0)
        turn = self.turn
        points = geometry.ends[..., :3].reshape(-1, 3) @ turn.T
        radius = geometry.ends[..., 3].reshape(-1, 1)
        low, high = (points - radius).min(axis=0), (points + radius).max(axis=0)
        extent = np.maximum(high - low, 1e-3)
        scale = float(np.clip(min(room[0] / extent[0], room[1] / extent[1]), MIN_SCALE, MAX_SCALE))
        middle = (low + high) / 2
        middle[0] += (size[0] / 2 - (left + room[0] / 2)) / scale
        middle[1] += (top + room[1] / 2 - size[1] / 2) / scale
        return replace(self, center=middle @ turn, scale=scale)

    def viewport(
        self,
        geometry: CellGeometry,
        size: tuple[int, int],
        density: float,
        middle: tuple[float, float] = (0.0, 0.0),
    ) -> Viewport:
        """What the visual needs to draw ``size`` physical pixels around ``middle`` (px, y up)."""
        k = self.scale * density
        view = np.eye(4)
        view[:3, :3] = k * self.turn
        view[:3, 3] = -k * (self.turn @ self.center)
        reach = float(np.linalg.norm(self.center)) + geometry.diagonal
        return Viewport(view, k, size, middle, k * reach + 64 * density, density)


def upright(geometry: CellGeometry) -> FloatArray:
    """Apical up, unless it nearly is."""
    if geometry.apical is None or geometry.apical[1] > np.cos(LEANING):
        return np.eye(3)
    return turn_to_up(geometry.apical)


def framed(camera: Camera, geometry: CellGeometry, size: tuple[float, float]) -> Camera:
    """The whole cell, beside the legend where it would lie under it."""
    fitted = camera.fit(geometry, size, MARGINS)
    at = fitted.project(geometry.ends[::7, 0, :3].astype(float), size)
    if np.any((at[:, 0] < LEGEND_ROOM[0]) & (at[:, 1] < LEGEND_ROOM[1])):
        beside = camera.fit(geometry, size, (LEGEND_ROOM[0], *MARGINS[1:]))
        if beside.scale > 0.72 * fitted.scale:
            return beside
    return fitted
