"""GLSL 1.20 of the round cones: every capsule is a rectangle that covers its outline.

The camera is orthographic, so in coordinates of the view (pixels; x right, y up, z to the viewer)
all rays are parallel to z. A round cone is the union of spheres of center ``a + t d`` and radius
``ra + t dr``, 0 <= t <= 1, and a ray at distance (qs, qp) from ``a``, along and across the axis as
seen on the screen, meets the nearest of them at

    z(t) = t dz + sqrt(Q(t)),    Q(t) = (ra + t dr)^2 - (qs - t l)^2 - qp^2

which is greatest at t = 0, t = 1, or where dz/dt = 0. With A = dr^2 - l^2, B = ra dr + qs l,
C = ra^2 - qs^2 - qp^2 and H = sqrt((B^2 - A C) / (l^2 + dz^2 - dr^2)), that is t = -(B + dz H) / A,
or, where this cancels, (dz^2 C - B^2) / ((l^2 + dz^2 - dr^2) (dz H - B)).

A capsule about as thin as the least width needs none of this: ``THIN_FRAGMENT`` is a flat line of
the same colors and numbers, at the depth of its axis.

``EDGE_FRAGMENT`` smooths edges: bodies are drawn half a pixel narrower, then a border of one pixel
is blended over what lies behind. The outline is the hull of two circles; with b = (ra - rb) / l and
a = sqrt(1 - b^2) its straight sides have the normal (b, a), and a point (s, p), p >= 0, lies
s b + p a - ra outside them where 0 < s a - p b < a l, else by the nearer circle.
"""

_ATTRIBUTES = """
#version 120
attribute vec4 a_first;     // x, y, z, radius in um
attribute vec4 a_second;
attribute vec2 a_along;     // segment coordinate at both ends, from the first segment
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
"""

VERTEX = (
    _ATTRIBUTES
    + """
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
    float s = a_corner.x < 0.0 ? min(-ra, l - rb) : max(ra, l + rb);
    float p = a_corner.y * w;
    v_at = vec2(s, p);
    v_shape = vec4(l, b.z - a.z, ra, rb);
    v_axis = vec4(e, a.z, w - u_grow);
    v_along = vec4(a_along, a_segments);
    gl_Position = u_project * vec4(a.xy + e * s + vec2(-e.y, e.x) * p,
                                   a_corner.x < 0.0 ? a.z : b.z, 1.0);
}
"""
)

_COLORS = """
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
uniform vec2 u_share;       // of its color a segment keeps: waiting, candidate
uniform float u_mode;       // 0 draw, 1 write numbers, 2 flat color
varying vec2 v_at;
varying vec4 v_shape;
varying vec4 v_axis;
varying vec4 v_along;

vec2 texel_of(float i) {
    float row = floor((i + 0.5) / u_texture.x);
    return vec2((i - row * u_texture.x + 0.5) / u_texture.x, (row + 0.5) / u_texture.y);
}
float segment_at(float s) {
    float first = floor(v_along.z + 0.5), last = floor(v_along.w + 0.5);
    return first + clamp(floor(mix(v_along.x, v_along.y, s)), 0.0, last - first);
}
vec4 number(float segment) {
    float id = segment + 1.0;
    return vec4(mod(id, 256.0), mod(floor(id / 256.0), 256.0), floor(id / 65536.0), 255.0) / 255.0;
}
float class_of(float segment) {
    return u_classed > 0.5 ? floor(texture2D(u_classes, texel_of(segment)).r + 0.5) : -1.0;
}
vec3 color_of(float segment) {
    float x = texture2D(u_values, texel_of(segment)).r;
    if (x < -1e29) return u_missing;
    if (u_categorical < 0.5) {
        x = (x - u_limits.x) / (u_limits.y - u_limits.x);
        if (x < 0.0) return u_under;
        if (x > 1.0) return u_over;
        x *= u_entries - 1.0;
    }
    return texture2D(u_table, vec2((x + 0.5) / u_entries, 0.5)).rgb;
}
float thickness() {  // 0: a flat line, 1: round
    return smoothstep(1.2, 5.0, v_axis.w);
}
vec3 lit(vec3 color, vec3 n, float thick) {
    float light = 0.62 + 0.38 * clamp(0.80 * n.z - 0.30 * n.x + 0.48 * n.y, 0.0, 1.0);
    return color * mix(1.0, light * 1.04, thick);
}
vec3 classed(vec3 color, float kind, float rim) {
    if (kind > 2.5) return u_done;
    if (kind > 1.5 || kind < 0.0) return color;
    if (kind < 0.5) return mix(u_ground, color, u_share.x);
    return mix(mix(u_ground, color, u_share.y), u_rim, 0.75 * rim);
}
"""

FRAGMENT = (
    _COLORS
    + """
uniform vec3 u_flat;
uniform float u_only_segment;  // -1: all
uniform float u_only_class;    // -1: all
uniform float u_push;       // px to move away from the viewer
uniform float u_depth;      // half the depth of the view in px

float q_of(float t, float l, float ra, float dr) {
    float r = ra + t * dr;
    float s = v_at.x - t * l;
    return r * r - s * s - v_at.y * v_at.y;
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
    float disc = big * big - v_at.y * v_at.y * (l * l - dr * dr);  // B^2 - A C
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
    vec2 across = vec2(v_at.x - t * l, v_at.y) / r;
    float nz = sqrt(max(0.0, 1.0 - dot(across, across)));
    // the place along the axis in space gives the segment
    float segment = segment_at((v_at.x * l + best * dz) / max(l * l + dz * dz, 1e-9));
    if (u_only_segment >= 0.0 && abs(segment - u_only_segment) > 0.5) discard;
    float kind = class_of(segment);
    if (u_only_class >= 0.0 && abs(kind - u_only_class) > 0.5) discard;

    gl_FragDepth = 0.5 - 0.5 * (v_axis.z + best - u_push) / u_depth;
    if (u_mode > 1.5) { gl_FragColor = vec4(u_flat, 1.0); return; }
    if (u_mode > 0.5) { gl_FragColor = number(segment); return; }
    float thick = thickness();
    float rim = max(1.0 - thick, 1.0 - smoothstep(0.35, 0.6, nz));
    vec3 color = classed(color_of(segment), kind, rim);
    vec2 n = v_axis.xy * across.x + vec2(-v_axis.y, v_axis.x) * across.y;
    gl_FragColor = vec4(lit(color, vec3(n, nz), thick), 1.0);
}
"""
)

THIN_FRAGMENT = (
    _COLORS
    + """
void main() {
    float l = v_shape.x;
    float t = l > 0.0 ? clamp(v_at.x / l, 0.0, 1.0) : 0.0;
    vec2 across = vec2(v_at.x - t * l, v_at.y);
    float r = mix(v_shape.z, v_shape.w, t);
    if (dot(across, across) > r * r) discard;
    float segment = segment_at(t);
    if (u_mode > 0.5) { gl_FragColor = number(segment); return; }
    gl_FragColor = vec4(classed(color_of(segment), class_of(segment), 1.0), 1.0);
}
"""
)

EDGE_FRAGMENT = (
    _COLORS
    + """
void main() {
    float l = v_shape.x, ra = v_shape.z, rb = v_shape.w, p = abs(v_at.y);
    float b = l > 0.0 ? (ra - rb) / l : 2.0;
    vec2 n;
    float outside;
    if (b >= 1.0 || b <= -1.0) {
        bool first = ra > rb || l <= 0.0;
        vec2 from = first ? v_at : vec2(v_at.x - l, v_at.y);
        outside = length(from) - max(ra, rb);
        n = from;
    } else {
        float a = sqrt(1.0 - b * b);
        float k = v_at.x * a - p * b;
        if (k <= 0.0) { n = v_at; outside = length(n) - ra; }
        else if (k >= a * l) { n = vec2(v_at.x - l, v_at.y); outside = length(n) - rb; }
        else { n = vec2(b, v_at.y < 0.0 ? -a : a); outside = v_at.x * b + p * a - ra; }
    }
    if (outside > 0.0 || outside < -1.0) discard;   // radii are half a pixel too large here
    float segment = segment_at(l > 0.0 ? clamp(v_at.x / l, 0.0, 1.0) : 0.0);
    n = normalize(n + vec2(1e-6, 0.0));
    n = v_axis.xy * n.x + vec2(-v_axis.y, v_axis.x) * n.y;
    vec3 color = classed(color_of(segment), class_of(segment), 1.0);
    gl_FragColor = vec4(lit(color, vec3(n, 0.0), thickness()), -outside);
}
"""
)
