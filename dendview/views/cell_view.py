"""The 3-D cell: draws the scene of the state, reports what is pointed at."""

from dataclasses import replace
from functools import partial

import numpy as np
import vispy
from PyQt6.QtCore import QPoint, QPointF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QImage, QPainter, QPaintEvent, QResizeEvent, QShowEvent, QSurfaceFormat
from PyQt6.QtWidgets import QVBoxLayout, QWidget

vispy.use("pyqt6", "gl2")
from vispy import app, gloo  # noqa: E402

from dendview.colors import THEMES, ThemeName, rgb  # noqa: E402
from dendview.geometry import CellGeometry, make_geometry  # noqa: E402
from dendview.scene import CellScene, describe, resolve  # noqa: E402
from dendview.state import AppState, Cell  # noqa: E402
from dendview.views.cell_camera import Camera, framed, turn_to_up, upright  # noqa: E402
from dendview.views.cell_gestures import Gestures  # noqa: E402
from dendview.views.cell_look import look_key, look_of, marks_of, unit  # noqa: E402
from dendview.views.cell_overlay import Card, paint  # noqa: E402
from dendview.views.cell_picking import Picker, picture  # noqa: E402
from dendview.views.cell_spines import SpineLayer  # noqa: E402
from dendview.visuals.capsules import CapsuleVisual, Viewport  # noqa: E402

ALWAYS = (
    *("cell", "experiment", "selection", "hovered", "color_by", "voltage_limits", "nodes"),
    *("schedule", "theme", "perspective", "picking", "lab_preview"),
    *("training_findings", "training_choice", "training_weights"),
)
OF_RUNS = ("runs", "shown_run", "time")
OF_PLAYER = ("step", "playing")
"""Fields of the state that change the picture: always, of voltages, of threads and steps."""


class CellView(QWidget):
    """The cell in 3-D; drag turns, right or Shift drag moves, the wheel zooms at the pointer."""

    segment_clicked = pyqtSignal(int)  # -1: the ground
    segment_double_clicked = pyqtSignal(int)
    segment_hovered = pyqtSignal(int)  # -1: none
    context_requested = pyqtSignal(int, QPoint)  # segment or -1, global position

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._camera = Camera()
        self._fitted = True
        self._fitted_to: tuple[object, ...] = ()
        self._scene: CellScene | None = None
        self._cell: Cell | None = None
        self._geometry: CellGeometry | None = None
        self._visual: CapsuleVisual | None = None
        self._drawn: CellScene | None = None  # what the GL buffers hold
        self._spines = SpineLayer()
        self._card_at: QPointF | None = None
        self._pointed = -1

        self._canvas = app.Canvas(
            show=False,
            autoswap=False,
            vsync=True,
            dpi=self.logicalDpiX(),  # VisPy would ask programs that need not be there
            config={"depth_size": 24, "samples": 0},
        )
        native = self._canvas.native
        surface = native.format()
        surface.setRenderableType(QSurfaceFormat.RenderableType.OpenGL)  # never GL ES on Wayland
        native.setFormat(surface)
        self._canvas.events.draw.connect(self._on_draw)
        self._picker = Picker(self._canvas)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(native)
        self._overlay = _Overlay(self)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFocusProxy(native)
        self.setMinimumSize(120, 90)
        self.setAccessibleName("The cell in 3-D")
        self._listen()
        for name in ALWAYS:
            getattr(state.events, name).connect(self._on_state)
        for name in OF_RUNS:
            getattr(state.events, name).connect(self._on_run)
        for name in OF_PLAYER:
            getattr(state.events, name).connect(self._on_player)

    # --- for others ---------------------------------------------------------------------------

    @property
    def canvas(self) -> app.Canvas:
        """The VisPy canvas the cell is drawn on."""
        return self._canvas

    @property
    def camera(self) -> Camera:
        """Where the cell is looked at from."""
        self._current()
        return self._camera

    def set_camera(self, camera: Camera) -> None:
        """Look from elsewhere."""
        self._camera, self._fitted = camera, False
        self._redraw()

    def fit(self) -> None:
        """Show the whole cell, turned as it is."""
        self._fitted, self._fitted_to = True, ()
        self._current()
        self._redraw()

    def align_apical(self) -> None:
        """Turn the apical dendrite up, or back to the file's axes where it is up already."""
        _, geometry = self._current()
        if geometry is None:
            return
        turn = np.eye(3)
        if geometry.apical is not None and np.array_equal(self._camera.upright, turn):
            turn = turn_to_up(geometry.apical)
        self._camera = replace(self._camera, azimuth=0.0, elevation=0.0, upright=turn)
        self.fit()

    def project(self, segment: int) -> QPointF:
        """Where the middle of a segment is drawn, in logical pixels from the top left."""
        _, geometry = self._current()
        if geometry is None:
            return QPointF()
        x, y = self._camera.project(geometry.center[segment], self._logical())[0]
        return QPointF(float(x), float(y))

    def segment_at(self, at: QPointF) -> int:
        """The segment drawn at a logical pixel, the nearest within a few pixels, or -1."""
        if (visual := self._prepare()) is None:
            return -1
        density = self._density()
        pixel = at.x() * density, at.y() * density
        return self._picker.pick(visual, self._camera, self._physical(), density, pixel)

    def segment_numbers(self) -> np.ndarray:
        """(height, width) int32: the segment at every physical pixel, -1 for the ground."""
        visual = self._prepare()
        width, height = self._physical()
        if visual is None:
            return np.full((height, width), -1, np.int32)
        return self._picker.numbers(visual, self._camera, (width, height), self._density())

    def render_image(
        self, width: int, height: int, scale: float = 1, theme: ThemeName | None = None
    ) -> np.ndarray:
        """The picture at ``width`` x ``height`` logical pixels, ``scale`` pixels each.

        A cell that is shown whole is framed anew for that size, else the part that is seen now
        is seen. ``theme`` is the state's where it is not given.

        Returns
        -------
        (height * scale, width * scale, 4) uint8
            Red, green, blue, alpha, with legend, scale bar, axes and marks; supersampled.
        """
        scene, geometry = self._current()
        if theme not in (None, scene.theme):
            scene = resolve(replace(self._state, theme=theme))
        camera = self._camera
        size = round(width * scale), round(height * scale)
        ground = unit(THEMES[scene.theme].canvas)
        visual = self._prepare(scene)
        if visual is None or geometry is None:
            pixels = np.empty((size[1], size[0], 4), np.uint8)
            pixels[:] = (*rgb(THEMES[scene.theme].canvas), 255)
        else:
            if self._fitted:
                camera = framed(camera, geometry, (width, height))
            else:
                now = self._logical()
                camera = replace(camera, scale=camera.scale * min(width / now[0], height / now[1]))
            among = self._spines.prepare(scene, geometry)
            draw = partial(visual.draw, marks=marks_of(scene), among=among)
            pixels = picture(self._canvas, camera, geometry, size, scale, ground, draw)
            self._redraw()
        image = QImage(*size, QImage.Format.Format_RGBA8888)
        bits = image.bits()
        assert bits is not None  # an image of our own has pixels
        bits.setsize(image.sizeInBytes())
        shared = np.asarray(bits).view(np.uint8).reshape(pixels.shape)
        shared[:] = pixels
        painter = QPainter(image)
        painter.scale(scale, scale)
        paint(painter, (width, height), scene, camera, geometry)
        painter.end()
        pixels[:] = shared
        return pixels

    # --- state --------------------------------------------------------------------------------

    def _on_state(self, *_: object) -> None:
        self._scene = None
        asked = self._state.picking is not None
        self.setCursor(Qt.CursorShape.CrossCursor if asked else Qt.CursorShape.ArrowCursor)
        self._redraw()

    def _on_run(self, *_: object) -> None:
        self._scene = None
        if self._state.color_by == "voltage":
            self._redraw()
        elif self._card_at is not None:
            self._overlay.update()

    def _on_player(self, *_: object) -> None:
        self._scene = None
        if self._state.color_by in ("thread", "step"):
            self._redraw()

    def _redraw(self) -> None:
        """Draw soon, if anybody can see it; Qt joins many wishes into one picture."""
        if self.isVisible():
            self._canvas.native.update()
            self._overlay.update()

    def _current(self) -> tuple[CellScene, CellGeometry | None]:
        """The scene and geometry of the state as it is now."""
        if self._scene is None:
            self._scene = resolve(self._state)
            if self._scene.cell is not self._cell:
                self._set_cell(self._scene.cell)
        if self._fitted and self._geometry is not None:
            wanted = (self._geometry, self._logical(), self._camera.upright.tobytes())
            if wanted != self._fitted_to:
                self._camera = framed(self._camera, *wanted[:2])
                self._fitted_to = wanted
        return self._scene, self._geometry

    def _set_cell(self, cell: Cell | None) -> None:
        before, was = self._cell, self._geometry
        self._cell = cell
        self._visual = self._drawn = self._card_at = None
        self._pointed = -1
        self._picker.forget()
        self._geometry = self._geometry_for(cell, before, was) if cell is not None else None

    def _geometry_for(
        self, cell: Cell, before: Cell | None, was: CellGeometry | None
    ) -> CellGeometry:
        """The cell's geometry; a cell only cut anew is looked at from where it was."""
        geometry = make_geometry(cell.sections, cell.trees["neuron"])
        if before is not None and was is not None and cell.morphology is before.morphology:
            center = self._camera.center + was.origin - geometry.origin
            self._camera = replace(self._camera, center=center)
        else:
            self._camera, self._fitted = Camera(upright=upright(geometry)), True
        return geometry

    # --- drawing ------------------------------------------------------------------------------

    def _logical(self) -> tuple[float, float]:
        return float(max(self.width(), 1)), float(max(self.height(), 1))

    def _density(self) -> float:
        return float(self._canvas.native.devicePixelRatioF())

    def _physical(self) -> tuple[int, int]:
        width, height = self._logical()
        density = self._density()
        return int(width * density), int(height * density)

    def _prepare(self, other: CellScene | None = None) -> CapsuleVisual | None:
        """The visual with the present (or another) scene in its buffers, its context current."""
        scene, geometry = self._current()
        scene = other or scene
        if geometry is None:
            return None
        if not self._canvas.native.isValid():
            self._canvas.native.grabFramebuffer()  # a view never shown has no context yet
        self._canvas.set_current()
        if self._visual is None:
            self._visual = CapsuleVisual(geometry)
        old = self._drawn
        if scene is not old:
            if old is None or old.values is not scene.values:
                self._visual.set_values(scene.values)
            if old is None or look_key(old) != look_key(scene):
                self._visual.set_look(look_of(scene))
            if old is None or old.classes is not scene.classes:
                self._visual.set_classes(scene.classes)
            self._drawn = scene
        return self._visual

    def _on_draw(self, _: object = None) -> None:
        visual = self._prepare()
        scene, geometry = self._current()
        size = self._canvas.physical_size
        gloo.set_viewport(0, 0, *size)
        gloo.clear(color=(*unit(THEMES[scene.theme].canvas), 1.0), depth=True)
        if visual is not None and geometry is not None:
            port: Viewport = self._camera.viewport(geometry, size, self._density())
            visual.draw(port, marks_of(scene), self._spines.prepare(scene, geometry))

    def _paint_overlay(self, painter: QPainter) -> None:
        scene, geometry = self._current()
        at, card = self._card_at, None
        if at is not None:  # written when painted: voltage and step change under the pointer
            card = Card(at.x(), at.y(), describe(self._state, self._pointed))
        paint(painter, self._logical(), scene, self._camera, geometry, card)

    # --- gestures -----------------------------------------------------------------------------

    def _listen(self) -> None:
        told = Gestures(self, self._canvas.native, self)
        told.turned.connect(lambda dx, dy: self.set_camera(self.camera.orbit(dx, dy)))
        told.moved.connect(lambda dx, dy: self.set_camera(self.camera.pan(dx, dy)))
        told.zoomed.connect(self._on_zoom)
        told.clicked.connect(lambda at: self.segment_clicked.emit(self.segment_at(at)))
        told.double_clicked.connect(self._on_double_click)
        told.menu_asked.connect(self._on_menu)
        told.rested.connect(self._on_rest)
        told.pressed.connect(self._on_press)
        told.left.connect(lambda: self._point_at(-1, QPointF()))
        told.fit_asked.connect(self.fit)

    def _on_press(self) -> None:
        self._canvas.native.setFocus(Qt.FocusReason.MouseFocusReason)
        self._hide_card()

    def _on_zoom(self, factor: float, at: QPointF | None) -> None:
        width, height = self._logical()
        point = (width / 2, height / 2) if at is None else (at.x(), at.y())
        self._hide_card()
        self.set_camera(self.camera.zoom(factor, point, (width, height)))

    def _on_double_click(self, at: QPointF) -> None:
        if (segment := self.segment_at(at)) >= 0:
            self.segment_double_clicked.emit(segment)

    def _on_menu(self, at: QPointF, on_screen: QPoint) -> None:
        self.context_requested.emit(self.segment_at(at), on_screen)

    def _on_rest(self, at: QPointF) -> None:
        if not (self.isVisible() and self.rect().contains(at.toPoint())):
            return
        if (visual := self._prepare()) is None:
            return
        density, size = self._density(), self._physical()
        pixel = at.x() * density, at.y() * density
        self._point_at(self._picker.hover(visual, self._camera, size, density, pixel), at)

    def _point_at(self, segment: int, at: QPointF) -> None:
        changed, self._pointed = segment != self._pointed, segment
        if segment >= 0:
            self._card_at = at
            self._overlay.update()
        else:
            self._hide_card()
        if changed:
            self.segment_hovered.emit(segment)

    def _hide_card(self) -> None:
        if self._card_at is not None:
            self._card_at = None
            self._overlay.update()

    # --- Qt -----------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self._overlay.setGeometry(self.rect())
        self._overlay.raise_()

    def showEvent(self, event: QShowEvent | None) -> None:
        super().showEvent(event)
        self._redraw()

    def sizeHint(self) -> QSize:
        return QSize(900, 600)


class _Overlay(QWidget):
    """The sheet over the canvas that legend, scale bar and card are painted on."""

    def __init__(self, view: CellView) -> None:
        super().__init__(view)
        self._view = view
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        self._view._paint_overlay(painter)
        painter.end()
