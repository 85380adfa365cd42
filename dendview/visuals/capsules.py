"""Round cones cast pixel by pixel: one program draws the cell, its highlights and the ids to pick.

Every capsule is a rectangle that covers its outline; the fragment shader finds the surface in it.

The camera is orthographic, so in coordinates of the view (pixels; x right, y up, z to the viewer)
all rays are parallel to z. A round cone is the union of spheres of center ``a + t d`` and radius
``ra + t dr``, 0 <= t <= 1, and a ray at distance (qs, qp) from ``a``, along and across the axis as
seen on the screen, meets the nearest of them at

    z(t) = t dz + sqrt(Q(t)),    Q(t) = (ra + t dr)^2 - (qs - t l)^2 - qp^2

which is greatest at t = 0, t = 1, or where dz/dt = 0. With A = dr^2 - l^2, B = ra dr + qs l,
C = ra^2 - qs^2 - qp^2 and H = sqrt((B^2 - A C) / (l^2 + dz^2 - dr^2)), that is t = -(B + dz H) / A,
or, where this cancels, (dz^2 C - B^2) / ((l^2 + dz^2 - dr^2) (dz H - B)).
"""

import warnings
from dataclasses import dataclass

import numpy as np
from vispy import gloo

from dendview.geometry import CellGeometry
from engine.types import Float32Array, FloatArray, IntArray

MISSING = np.float32(-1e30)
"""Value of a segment that has none."""

TEXTURE_WIDTH = 512

VERTEX = """
#version 120
attribute vec4 a_first;     // x, y, z, radius in um
attribute vec4 a_second;
attribute vec2 a_along;     // segment coordinate at both ends
attribute vec2 a_segments;  // first and last segment
attribute vec2 a_corner;    // -1 or 1
uniform mat4 u_view;        // um to px
uniform mat4 u_project;     // px to clip
uniform float u_scale;      // px per um
uniform float u_least;      // least radius in px
uniform float u_grow;       // px added to every radius
varying vec2 v_at;          // pixel from the first end, along and across the axis on the screen
varying vec4 v_shape;       // l, dz, ra, rb
varying vec4 v_axis;        // axis on the screen (x, y), z of the first end, how wide (px)
varying vec4 v_along;
void main() {
    vec3 a = (u_view * vec4(a_first.xyz, 1.0)).xyz;
    vec3 b = (u_view * vec4(a_second.xyz, 1.0)).xyz;
    float ra = max(a_first.w * u_scale, u_least) + u_grow;
    float rb = max(a_second.w * u_scale, u_least) + u_grow;
    vec2 d = b.xy - a.xy;
    float l = length(d);
    vec2 e = l > 1e-5 ? d / l : vec2(1.0, 0.0);
    l = l > 1e-5 ? l : 0.0;
    float w = max(ra, rb);
    float s = a_corner.x < 0.0 ? min(-ra, l - rb) - 1.0 : max(ra, l + rb) + 1.0;
    float p = a_corner.y * (w + 1.0);
    v_at = vec2(s, p);
    v_shape = vec4(l, b.z - a.z, ra, rb);
    v_axis = vec4(e, a.z, w - u_grow);
    v_along = vec4(a_along, a_segments);
    gl_Position = u_project * vec4(a.xy + e * s + vec2(-e.y, e.x) * p, 0.5 * (a.z + b.z), 1.0);
}
"""

FRAGMENT = """
#version 120
uniform sampler2D u_values;
uniform sampler2D u_classes;
uniform sampler2D u_table;
uniform vec2 u_texture;     // width and height of u_values
uniform vec2 u_limits;
uniform float u_entries;    // of the table
uniform float u_categorical;
uniform vec3 u_missing;
uniform vec3 u_under;
uniform vec3 u_over;
uniform vec3 u_ground;
uniform vec3 u_done;
uniform vec3 u_rim;
uniform float u_classed;
uniform float u_mode;       // 0 draw, 1 write ids, 2 flat color
uniform vec3 u_flat;
uniform float u_only_segment;  // -1: all
uniform float u_only_class;    // -1: all
uniform float u_push;       // px to move away from the viewer
uniform float u_depth;      // half the depth of the view in px
varying vec2 v_at;
varying vec4 v_shape;
varying vec4 v_axis;
varying vec4 v_along;

float q_of(float t, float l, float ra, float dr) {
    float r = ra + t * dr;
    float s = v_at.x - t * l;
    return r * r - s * s - v_at.y * v_at.y;
}
vec2 cell_of(float i) {
    float row = floor((i + 0.5) / u_texture.x);
    return vec2((i - row * u_texture.x + 0.5) / u_texture.x, (row + 0.5) / u_texture.y);
}
vec3 color_of(float segment) {
    float value = texture2D(u_values, cell_of(segment)).r;
    if (value < -1e29) return u_missing;
    float x = value;
    if (u_categorical < 0.5) {
        x = (value - u_limits.x) / (u_limits.y - u_limits.x);
        if (x < 0.0) return u_under;
        if (x > 1.0) return u_over;
        x *= u_entries - 1.0;
    }
    return texture2D(u_table, vec2((x + 0.5) / u_entries, 0.5)).rgb;
}
void main() {
    float l = v_shape.x, dz = v_shape.y, ra = v_shape.z, dr = v_shape.w - v_shape.z;
    float best = -1e30, t = 0.0;
    float q = q_of(0.0, l, ra, dr);
    if (q >= 0.0) best = sqrt(q);
    q = q_of(1.0, l, ra, dr);
    if (q >= 0.0 && dz + sqrt(q) > best) { best = dz + sqrt(q); t = 1.0; }
    float d2 = l * l + dz * dz - dr * dr;
    float big = l * ra + dr * v_at.x;
    float disc = big * big - v_at.y * v_at.y * (l * l - dr * dr);
    if (disc > 0.0 && d2 > 0.0) {
        float A = dr * dr - l * l;
        float B = ra * dr + v_at.x * l;
        float C = ra * ra - dot(v_at, v_at);
        float h = dz * sqrt(disc / d2);
        float u;
        if (B * h < 0.0) u = (dz * dz * C - B * B) / (d2 * (h - B));
        else u = -(B + h) / (abs(A) > 1e-9 ? A : -1e-9);
        if (u > 0.0 && u < 1.0) {
            float z = u * dz + sqrt(max(q_of(u, l, ra, dr), 0.0));
            if (z > best) { best = z; t = u; }
        }
    }
    if (best < -1e29) discard;

    float r = ra + t * dr;
    vec2 across = vec2(v_at.x - t * l, v_at.y);
    float nz = sqrt(max(0.0, 1.0 - dot(across, across) / (r * r)));
    // the point's place along the axis in space gives the segment
    float s = (v_at.x * l + best * dz) / max(l * l + dz * dz, 1e-9);
    float segment = clamp(floor(mix(v_along.x, v_along.y, s)),
                          floor(v_along.z + 0.5), floor(v_along.w + 0.5));
    if (u_only_segment >= 0.0 && abs(segment - u_only_segment) > 0.5) discard;
    float kind = u_classed > 0.5 ? floor(texture2D(u_classes, cell_of(segment)).r + 0.5) : -1.0;
    if (u_only_class >= 0.0 && abs(kind - u_only_class) > 0.5) discard;

    gl_FragDepth = 0.5 - 0.5 * (v_axis.z + best - u_push) / u_depth;
    if (u_mode > 1.5) { gl_FragColor = vec4(u_flat, 1.0); return; }
    if (u_mode > 0.5) {
        float id = segment + 1.0;
        gl_FragColor = vec4(mod(id, 256.0), mod(floor(id / 256.0), 256.0),
                            floor(id / 65536.0), 255.0) / 255.0;
        return;
    }
    vec3 color = color_of(segment);
    float thick = smoothstep(1.2, 5.0, v_axis.w);   // thin cables are flat, thick ones round
    if (kind >= 0.0) {
        if (kind > 2.5) color = u_done;
        else if (kind < 0.5) color = mix(u_ground, color, 0.30);
        else if (kind < 1.5)
            color = mix(mix(u_ground, color, 0.55), u_rim,
                        0.75 * max(1.0 - thick, 1.0 - smoothstep(0.35, 0.6, nz)));
    }
    vec2 side = across / r;
    vec2 n = v_axis.xy * side.x + vec2(-v_axis.y, v_axis.x) * side.y;
    float light = 0.62 + 0.38 * clamp(0.80 * nz - 0.30 * n.x + 0.48 * n.y, 0.0, 1.0);
    gl_FragColor = vec4(color * mix(1.0, light * 1.04, thick), 1.0);
}
"""


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
        vertices["a_along"] = geometry.along[:, None]
        vertices["a_segments"] = geometry.segments[:, None]
        vertices["a_corner"] = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], "f4")[None]
        self._program = gloo.Program(VERTEX, FRAGMENT)
        with warnings.catch_warnings():  # 64-byte records: vispy remarks on the stride
            warnings.simplefilter("ignore")
            self._program.bind(gloo.VertexBuffer(vertices.reshape(-1)))
        self._all = gloo.IndexBuffer(_corners(np.arange(n, dtype=np.uint32)))
        self._values = _SegmentTexture(geometry.n_segment)
        self._classes = _SegmentTexture(geometry.n_segment)
        self._table = gloo.Texture2D(np.zeros((1, 2, 4), np.uint8), interpolation="linear")
        self._n_class = 0
        self._taken: gloo.IndexBuffer | None = None
        p = self._program
        p["u_values"], p["u_classes"] = self._values.texture, self._classes.texture
        p["u_table"] = self._table
        p["u_texture"] = self._values.shape[1], self._values.shape[0]
        p["u_classed"] = 0.0
        p["u_flat"] = (1.0, 1.0, 1.0)

    def set_values(self, values: Float32Array) -> None:
        """(n_segment,) values, :data:`MISSING` where there is none."""
        self._values.set(values)

    def set_look(self, look: Look) -> None:
        """Replace the color table, limits and special colors."""
        p, n = self._program, len(look.table)
        rgba = np.full((1, n, 4), 255, np.uint8)
        rgba[0, :, :3] = look.table
        self._table.set_data(rgba) if self._table.shape == rgba.shape else self._replace_table(rgba)
        self._table.interpolation = "nearest" if look.categorical else "linear"
        p["u_entries"], p["u_categorical"] = float(n), float(look.categorical)
        p["u_limits"] = look.limits
        p["u_missing"], p["u_under"], p["u_over"] = look.missing, look.under, look.over
        p["u_ground"], p["u_done"], p["u_rim"] = look.ground, look.done, look.rim

    def _replace_table(self, rgba: np.ndarray) -> None:
        self._table = gloo.Texture2D(rgba, interpolation="nearest", wrapping="clamp_to_edge")
        self._program["u_table"] = self._table

    def set_classes(self, classes: IntArray | None) -> None:
        """(n_segment,) 0 waiting, 1 candidate, 2 taken now, 3 done; None draws all alike."""
        self._program["u_classed"] = float(classes is not None)
        self._taken = None
        if classes is not None:
            self._classes.set(classes)
            self._taken = self._subset(classes == 2)

    def _subset(self, chosen: np.ndarray) -> gloo.IndexBuffer | None:
        capsules = self.geometry.capsules_of(chosen).astype(np.uint32)
        return gloo.IndexBuffer(_corners(capsules)) if len(capsules) else None

    def _segment(self, segment: int | None) -> gloo.IndexBuffer | None:
        if segment is None or not 0 <= segment < self.geometry.n_segment:
            return None
        chosen = np.zeros(self.geometry.n_segment, bool)
        chosen[segment] = True
        return self._subset(chosen)

    def draw(
        self,
        port: Viewport,
        marks: tuple[tuple[int, tuple[float, float, float], float], ...] = (),
    ) -> None:
        """Draw the cell, then each mark (segment, color, width in logical px) as a halo."""
        self._aim(port)
        gloo.set_state(depth_test=True, blend=False, cull_face=False)
        self._pass()
        if self._taken is not None:
            self._pass(self._taken, only_class=2, grow=0.9 * port.density)
        for segment, color, width in marks:
            if (index := self._segment(segment)) is None:
                continue
            gloo.clear(color=False, depth=True)
            push = 0.25 * port.depth
            self._program["u_flat"] = color
            grow = width * port.density
            self._pass(index, mode=2, only_segment=segment, grow=grow, push=push)
            self._pass(index, only_segment=segment, grow=0.4 * port.density)

    def draw_ids(self, port: Viewport) -> None:
        """Write segment + 1 into red, green, blue (low byte first); nothing else is drawn."""
        self._aim(port)
        gloo.set_state(depth_test=True, blend=False, cull_face=False)
        self._pass(mode=1)

    def _aim(self, port: Viewport) -> None:
        p = self._program
        p["u_view"] = np.ascontiguousarray(port.view.T, np.float32)
        p["u_project"] = np.ascontiguousarray(port.projection().T, np.float32)
        p["u_scale"], p["u_depth"] = port.scale, port.depth
        p["u_least"] = self.LEAST_RADIUS * port.density

    def _pass(
        self,
        index: gloo.IndexBuffer | None = None,
        mode: int = 0,
        only_segment: int = -1,
        only_class: int = -1,
        grow: float = 0.0,
        push: float = 0.0,
    ) -> None:
        p = self._program
        p["u_mode"], p["u_grow"], p["u_push"] = float(mode), grow, push
        p["u_only_segment"], p["u_only_class"] = float(only_segment), float(only_class)
        p.draw("triangles", index or self._all)


def _corners(capsules: np.ndarray) -> np.ndarray:
    """Two triangles of each capsule's rectangle."""
    return (4 * capsules[:, None] + np.array([0, 1, 2, 0, 2, 3], np.uint32)).reshape(-1)
