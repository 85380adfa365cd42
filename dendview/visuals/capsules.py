"""The cell's capsules on the graphics card: the picture, its highlights, and numbers to pick by."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from vispy import gloo

from dendview.geometry import CellGeometry
from dendview.visuals.capsule_shaders import EDGE_FRAGMENT, FRAGMENT, THIN_FRAGMENT, VERTEX
from engine.types import Float32Array, FloatArray, IntArray

TEXTURE_WIDTH = 512

Mark = tuple[int, tuple[float, float, float], float]
"""A segment to point out, its color, and the width of the halo in logical pixels."""


@dataclass(frozen=True, eq=False)
class Look:
    """How values become colors; colors are 0..1."""

    table: np.ndarray  # (n, 3) uint8
    categorical: bool
    limits: tuple[float, float]
    missing: tuple[float, float, float]
    under: tuple[float, float, float]
    over: tuple[float, float, float]
    ground: tuple[float, float, float]
    done: tuple[float, float, float]
    rim: tuple[float, float, float]
    share: tuple[float, float]  # of its color a segment keeps: waiting, candidate


@dataclass(frozen=True, eq=False)
class Viewport:
    """Where to draw: ``view`` takes µm to pixels from the middle of the picture, x right, y up,
    z to the viewer; the viewport shows ``size`` pixels around ``middle``."""

    view: FloatArray  # (4, 4)
    scale: float  # px per µm
    size: tuple[int, int]
    middle: tuple[float, float]
    depth: float  # half of what fits in depth, px
    density: float = 1.0  # physical per logical pixel

    def projection(self) -> FloatArray:
        """(4, 4) pixels to clip coordinates."""
        sx, sy = 2 / self.size[0], 2 / self.size[1]
        result = np.diag([sx, sy, -1 / self.depth, 1.0])
        result[:2, 3] = -self.middle[0] * sx, -self.middle[1] * sy
        return result


class _SegmentTexture:
    """A float per segment, in rows of 512; one upload replaces them all."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.shape = (max(1, -(-n // TEXTURE_WIDTH)), TEXTURE_WIDTH)
        self._buffer = np.zeros((*self.shape, 1), np.float32)
        self.texture = gloo.Texture2D(
            self._buffer,
            format="luminance",
            internalformat="r32f",
            interpolation="nearest",
            wrapping="clamp_to_edge",
        )

    def set(self, values: np.ndarray) -> None:
        self._buffer.reshape(-1)[: self.n] = values
        self.texture.set_data(self._buffer)  # copied: vispy keeps what it is given until it draws


class CapsuleVisual:
    """The capsules of one cell in one GL context.

    The context must be current when a ``draw`` method is called.
    """

    LEAST_RADIUS = 0.9
    """Half width in logical pixels below which no cable is drawn, so that it never breaks up."""

    THIN_RADIUS = 1.3
    """Half width in logical pixels up to which a cable is drawn as a flat line."""

    MOST_SMOOTHED = 40_000
    """Capsules up to which edges are smoothed; more are slow without a graphics card."""

    def __init__(self, geometry: CellGeometry) -> None:
        self.geometry = geometry
        n = geometry.n_capsule
        kind = np.dtype(
            {
                "names": ["a_first", "a_second", "a_along", "a_segments", "a_corner"],
                "formats": ["4f4", "4f4", "2f4", "2f4", "2f4"],
            }
        )
        vertices = np.empty((n, 4), kind)
        vertices["a_first"] = geometry.ends[:, None, 0]
        vertices["a_second"] = geometry.ends[:, None, 1]
        first = geometry.segments[:, :1]  # counted from it, u keeps its digits in float32
        vertices["a_along"] = (geometry.along - first)[:, None]
        vertices["a_segments"] = geometry.segments[:, None]
        vertices["a_corner"] = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], "f4")[None]
        buffer = gloo.VertexBuffer(vertices.reshape(-1))
        self._round = gloo.Program(VERTEX, FRAGMENT)
        self._thin = gloo.Program(VERTEX, THIN_FRAGMENT)
        self._edge = gloo.Program(VERTEX, EDGE_FRAGMENT)
        self._programs = {
            self._round: _uniforms(VERTEX, FRAGMENT),
            self._thin: _uniforms(VERTEX, THIN_FRAGMENT),
            self._edge: _uniforms(VERTEX, EDGE_FRAGMENT),
        }
        for program in self._programs:
            program.bind(buffer)
        radius = geometry.ends[..., 3].max(axis=1)
        self._by_radius = np.argsort(radius).astype(np.uint32)
        self._radius = radius[self._by_radius]
        self._split = -1.0  # radius in µm between thin and round
        self._thin_index: gloo.IndexBuffer | None = None
        self._round_index: gloo.IndexBuffer | None = None
        self._values = _SegmentTexture(geometry.n_segment)
        self._classes = _SegmentTexture(geometry.n_segment)
        self._table: gloo.Texture2D | None = None
        self._taken: gloo.IndexBuffer | None = None
        self._set(
            u_values=self._values.texture,
            u_classes=self._classes.texture,
            u_texture=self._values.shape[::-1],
            u_classed=0.0,
            u_flat=(1.0, 1.0, 1.0),
        )

    def set_values(self, values: Float32Array) -> None:
        """(n_segment,) values, :data:`dendview.scene.MISSING` where there is none."""
        self._values.set(values)

    def set_look(self, look: Look) -> None:
        """Replace the color table, limits and special colors."""
        n = len(look.table)
        rgba = np.full((1, n, 4), 255, np.uint8)
        rgba[0, :, :3] = look.table
        smooth = "nearest" if look.categorical else "linear"
        self._table = gloo.Texture2D(rgba, interpolation=smooth, wrapping="clamp_to_edge")
        self._set(
            u_table=self._table,
            u_entries=float(n),
            u_categorical=float(look.categorical),
            u_limits=look.limits,
            u_missing=look.missing,
            u_under=look.under,
            u_over=look.over,
            u_ground=look.ground,
            u_done=look.done,
            u_rim=look.rim,
            u_share=look.share,
        )

    def set_classes(self, classes: IntArray | None) -> None:
        """(n_segment,) 0 waiting, 1 candidate, 2 taken now, 3 done; None draws all alike."""
        self._set(u_classed=float(classes is not None))
        self._taken = None
        if classes is not None:
            self._classes.set(classes)
            self._taken = self._showing(classes == 2)

    def draw(
        self,
        port: Viewport,
        marks: tuple[Mark, ...] = (),
        among: Callable[[Viewport], None] | None = None,
    ) -> None:
        """Draw the cell, what stands ``among`` its cables, then each mark as a halo over it."""
        self._aim(port)
        smooth = self.geometry.n_capsule <= self.MOST_SMOOTHED
        self._draw_all(mode=0, grow=-0.5 if smooth else 0.0)
        if smooth:
            self._draw_edges()
        if self._taken is not None:
            self._draw_round(self._taken, only_class=2, grow=0.9 * port.density)
        if among is not None:
            among(port)
            self._aim(port)
        for segment, color, width in marks:
            chosen = np.zeros(self.geometry.n_segment, bool)
            chosen[segment] = True
            if (index := self._showing(chosen)) is None:
                continue
            gloo.clear(color=False, depth=True)
            self._round["u_flat"] = color
            grow, push = width * port.density, 0.25 * port.depth
            self._draw_round(index, mode=2, only_segment=segment, grow=grow, push=push)
            self._draw_round(index, only_segment=segment, grow=0.4 * port.density)

    def draw_numbers(self, port: Viewport) -> None:
        """Write segment + 1 into red, green, blue (low byte first); nothing else is drawn."""
        self._aim(port)
        self._draw_all(mode=1)

    def _set(self, **uniforms: object) -> None:
        for program, known in self._programs.items():
            for name, value in uniforms.items():
                if name in known:
                    program[name] = value

    def _aim(self, port: Viewport) -> None:
        gloo.set_state(depth_test=True, blend=False, cull_face=False)
        self._set(
            u_view=np.ascontiguousarray(port.view.T, np.float32),
            u_project=np.ascontiguousarray(port.projection().T, np.float32),
            u_scale=port.scale,
            u_depth=port.depth,
            u_least=self.LEAST_RADIUS * port.density,
        )
        limit = self.THIN_RADIUS * port.density / port.scale
        if not 0.7 * limit <= self._split <= limit:  # within it, moving a few changes no picture
            self._split = limit
            count = int(np.searchsorted(self._radius, limit))
            self._thin_index = self._index(self._by_radius[:count])
            self._round_index = self._index(self._by_radius[count:])

    def _draw_all(self, mode: int, grow: float = 0.0) -> None:
        if self._round_index is not None:
            self._draw_round(self._round_index, mode, grow=grow)
        if self._thin_index is not None:
            self._thin["u_mode"], self._thin["u_grow"] = float(mode), grow
            self._thin.draw("triangles", self._thin_index)

    def _draw_edges(self) -> None:
        """Blend the borders over what lies behind them; the picture stays opaque."""
        over = ("src_alpha", "one_minus_src_alpha", "zero", "one")
        gloo.set_state(blend=True, blend_func=over, depth_mask=False)
        self._edge["u_grow"] = 0.5
        for index in (self._round_index, self._thin_index):
            if index is not None:
                self._edge.draw("triangles", index)
        gloo.set_state(blend=False, depth_mask=True)

    def _draw_round(
        self,
        index: gloo.IndexBuffer,
        mode: int = 0,
        only_segment: int = -1,
        only_class: int = -1,
        grow: float = 0.0,
        push: float = 0.0,
    ) -> None:
        p = self._round
        p["u_mode"], p["u_grow"], p["u_push"] = float(mode), grow, push
        p["u_only_segment"], p["u_only_class"] = float(only_segment), float(only_class)
        p.draw("triangles", index)

    def _showing(self, chosen: np.ndarray) -> gloo.IndexBuffer | None:
        return self._index(self.geometry.capsules_of(chosen).astype(np.uint32))

    def _index(self, capsules: np.ndarray) -> gloo.IndexBuffer | None:
        """Two triangles of each capsule's rectangle."""
        if not len(capsules):
            return None
        corners = 4 * capsules[:, None] + np.array([0, 1, 2, 0, 2, 3], np.uint32)
        return gloo.IndexBuffer(corners.reshape(-1))


def _uniforms(*sources: str) -> frozenset[str]:
    return frozenset(re.findall(r"uniform \w+ (\w+);", "".join(sources)))
