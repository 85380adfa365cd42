"""Spines and synapses on the graphics card: they hide behind cables and one another."""

import numpy as np
from vispy import gloo

from dendview.geometry import CellGeometry
from dendview.spine_places import DrawnSpines
from dendview.visuals.capsules import CapsuleVisual, Look, Viewport
from engine.types import FloatArray

NECK, HEAD, ACTIVE_NECK, ACTIVE_HEAD, DOT, ACTIVE_DOT = range(6)
"""Classes of capsules; each has its color and its least width."""
LEAST = {NECK: 0.4, HEAD: 0.5, ACTIVE_NECK: 0.7, ACTIVE_HEAD: 2.6, DOT: 1.4, ACTIVE_DOT: 2.6}
"""Half widths in logical pixels that they have at the least."""
QUIET_LEAST = 1.7
"""The same of what is active where a quantity is to be read from the cell."""
DOT_RADIUS = 0.25
"""µm of a synapse that sits on the cell itself."""
SEEN_FROM = 1.5
"""Logical pixels per µm from which on spines without an active synapse are drawn: in smaller
pictures thousands of them would be all that is seen of the cell."""
RIM = 0.8
"""Logical pixels of the ground's color around what is active."""


class SpineVisual(CapsuleVisual):
    """Spines of one cell in one GL context, which must be current when they are drawn."""

    def __init__(self, spines: DrawnSpines, origin: FloatArray) -> None:
        super().__init__(spine_geometry(spines, origin))
        n = self.geometry.n_segment
        self.set_values(np.arange(n, dtype=np.float32))
        self._of_class = [self._showing(np.arange(n) == k) for k in range(n)]
        self._ground = (0.0, 0.0, 0.0)

    def set_colors(self, look: Look, ground: tuple[float, float, float]) -> None:
        """A table with a color for each class, and the color around what is active."""
        self.set_look(look)
        self._ground = ground

    def draw_spines(self, port: Viewport, quiet: bool) -> None:
        """Draw into a picture whose depths are known; ``quiet``: only what is active, smaller."""
        self._aim(port)
        shown = [ACTIVE_NECK, ACTIVE_HEAD, ACTIVE_DOT] if quiet else list(range(len(LEAST)))
        if port.scale < SEEN_FROM * port.density:
            shown = [k for k in shown if k not in (NECK, HEAD)]
        for k in shown:
            index = self._of_class[k]
            if index is None:
                continue
            least = min(LEAST[k], QUIET_LEAST) if quiet else LEAST[k]
            self._set(u_least=least * port.density)
            if k in (ACTIVE_HEAD, ACTIVE_DOT) and not quiet:
                gloo.set_state(depth_mask=False)  # what it hides is hidden by the head, too
                self._round["u_flat"] = self._ground
                self._draw_round(index, mode=2, grow=RIM * port.density)
                gloo.set_state(depth_mask=True)
            self._draw_round(index)


def spine_geometry(spines: DrawnSpines, origin: FloatArray) -> CellGeometry:
    """Capsules whose segments are classes: a neck and a head for each spine, and dots."""
    foot, tip, along = spines.foot - origin, spines.tip - origin, spines.along
    inner = np.maximum(spines.head_length / 2 - spines.head_radius, 0.0)[:, None]
    head = spines.head - origin
    base = tip - along * spines.head_length[:, None]
    dots = spines.dots - origin
    dot_radius = np.full(len(dots), DOT_RADIUS)
    ends = np.concatenate([
        _capsules(foot, base, spines.neck_radius),
        _capsules(head - inner * along, head + inner * along, spines.head_radius),
        _capsules(dots, dots, dot_radius),
    ])  # fmt: skip
    active = spines.active.astype(np.int32)
    kinds = np.concatenate([
        np.where(active, ACTIVE_NECK, NECK),
        np.where(active, ACTIVE_HEAD, HEAD),
        np.where(spines.dot_active, ACTIVE_DOT, DOT),
    ]).astype(np.int32)  # fmt: skip
    middle = np.zeros(3)
    return CellGeometry(
        ends=ends,
        along=np.repeat(kinds[:, None] + 0.5, 2, axis=1),
        segments=np.repeat(kinds[:, None], 2, axis=1),
        center=np.zeros((len(LEAST), 3)),
        origin=origin,
        low=middle,
        high=middle,
        apical=None,
        n_segment=len(LEAST),
    )


def _capsules(first: FloatArray, second: FloatArray, radius: FloatArray) -> np.ndarray:
    """(n, 2, 4) float32."""
    ends = np.empty((len(first), 2, 4), np.float32)
    ends[:, 0, :3], ends[:, 1, :3] = first, second
    ends[..., 3] = radius[:, None]
    return ends
