"""Drawing off the screen: which segment lies under a pixel, and pictures of any size."""

from collections.abc import Callable
from functools import partial

import numpy as np
from vispy import gloo
from vispy.app import Canvas

from dendview.geometry import CellGeometry
from dendview.views.cell_camera import Camera
from dendview.visuals.capsules import CapsuleVisual, Viewport
from engine.types import IntArray

DEPTH_24 = 0x81A6  # GL_DEPTH_COMPONENT24; vispy's own choice has 16 bits
TILE = 2048
SUPERSAMPLING = 2


class Offscreen:
    """A frame buffer of a canvas's context, read back as an array."""

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self._buffer: gloo.FrameBuffer | None = None
        self._shape = (0, 0)

    def render(
        self, size: tuple[int, int], ground: tuple[float, ...], draw: Callable[[], None]
    ) -> np.ndarray:
        """(height, width, 4) uint8, top row first, of what ``draw`` draws on a ground color."""
        width, height = size
        self._canvas.set_current()
        if self._buffer is None or self._shape != (height, width):
            color = gloo.RenderBuffer((height, width), "color")
            depth = gloo.RenderBuffer((height, width), DEPTH_24)
            self._buffer = gloo.FrameBuffer(color, depth)
            self._shape = (height, width)
        with self._buffer:
            gloo.set_viewport(0, 0, width, height)
            gloo.set_state(blend=False, depth_test=True)
            gloo.clear(color=ground, depth=True)
            draw()
            pixels = gloo.read_pixels((0, 0, width, height), alpha=True)
        return np.array(pixels)


class Picker:
    """Finds segments under the pointer by drawing their numbers."""

    def __init__(self, canvas: Canvas) -> None:
        self._small = Offscreen(canvas)
        self._full = Offscreen(canvas)
        self._key: object = None
        self._image: IntArray = np.zeros((0, 0), np.int32)

    def pick(
        self,
        visual: CapsuleVisual,
        camera: Camera,
        size: tuple[int, int],
        density: float,
        at: tuple[float, float],
        reach: int = 4,
    ) -> int:
        """Segment at a pixel (physical, from the top left), else the nearest within reach, or -1.

        Only a few pixels around the pointer are drawn.
        """
        side = 2 * reach + 1
        x, y = int(at[0]), int(at[1])
        middle = (x + 0.5 - size[0] / 2, size[1] / 2 - (y + 0.5))
        port = camera.viewport(visual.geometry, (side, side), density, middle)
        return nearest(self._draw(self._small, visual, port), (reach, reach), reach)

    def hover(
        self,
        visual: CapsuleVisual,
        camera: Camera,
        size: tuple[int, int],
        density: float,
        at: tuple[float, float],
        reach: int = 4,
    ) -> int:
        """The same from a whole picture of numbers, drawn once per camera."""
        key = (visual, camera, size, density)
        if self._key != key:
            self._image = self.numbers(visual, camera, size, density)
            self._key = key
        return nearest(self._image, (int(at[0]), int(at[1])), reach)

    def forget(self) -> None:
        """Drop the cached picture."""
        self._key = None

    def numbers(
        self, visual: CapsuleVisual, camera: Camera, size: tuple[int, int], density: float
    ) -> IntArray:
        """(height, width) int32 segment of every physical pixel, -1 where there is none."""
        return self._draw(self._full, visual, camera.viewport(visual.geometry, size, density))

    def _draw(self, buffer: Offscreen, visual: CapsuleVisual, port: Viewport) -> IntArray:
        pixels = buffer.render(port.size, (0, 0, 0, 0), lambda: visual.draw_numbers(port))
        low, middle, high = (pixels[..., c].astype(np.int32) for c in range(3))
        return low + 256 * middle + 65536 * high - 1


def nearest(image: IntArray, at: tuple[int, int], reach: int) -> int:
    """The value >= 0 nearest to a pixel (x, y), within reach; -1 where there is none."""
    x, y = at
    height, width = image.shape
    if not (0 <= x < width and 0 <= y < height):
        return -1
    if image[y, x] >= 0:
        return int(image[y, x])
    left, top = max(x - reach, 0), max(y - reach, 0)
    part = image[top : y + reach + 1, left : x + reach + 1]
    rows, columns = np.nonzero(part >= 0)
    if not len(rows):
        return -1
    distance = (rows + top - y) ** 2 + (columns + left - x) ** 2
    best = int(np.argmin(distance))
    return int(part[rows[best], columns[best]]) if distance[best] <= reach**2 else -1


def picture(
    canvas: Canvas,
    camera: Camera,
    geometry: CellGeometry,
    size: tuple[int, int],
    density: float,
    ground: tuple[float, float, float],
    draw: Callable[[Viewport], None],
) -> np.ndarray:
    """(height, width, 4) uint8 of physical ``size``, drawn in tiles at twice the density."""
    width, height = size[0] * SUPERSAMPLING, size[1] * SUPERSAMPLING
    result = np.empty((size[1], size[0], 4), np.uint8)
    buffer = Offscreen(canvas)
    for top in range(0, height, TILE):
        for left in range(0, width, TILE):
            w, h = min(TILE, width - left), min(TILE, height - top)
            middle = (left + w / 2 - width / 2, height / 2 - top - h / 2)
            port = camera.viewport(geometry, (w, h), density * SUPERSAMPLING, middle)
            tile = buffer.render((w, h), (*ground, 1.0), partial(draw, port))
            s = SUPERSAMPLING
            mean = tile.reshape(h // s, s, w // s, s, 4).mean(axis=(1, 3))
            result[top // s : (top + h) // s, left // s : (left + w) // s] = np.rint(mean)
    return result
