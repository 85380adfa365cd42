"""The spines of the scene among the cables of the cell: what holds them on the graphics card."""

from collections.abc import Callable
from functools import partial

from dendview.colors import THEMES
from dendview.geometry import CellGeometry
from dendview.scene import CellScene
from dendview.spine_places import DrawnSpines
from dendview.views.cell_look import spine_look, unit
from dendview.visuals.capsules import Viewport
from dendview.visuals.spines import SpineVisual


class SpineLayer:
    """Keeps the visual of the spines that were drawn last."""

    def __init__(self) -> None:
        self._visual: SpineVisual | None = None
        self._shown: tuple[DrawnSpines, CellGeometry] | None = None
        self._theme = ""

    def prepare(
        self, scene: CellScene, geometry: CellGeometry
    ) -> Callable[[Viewport], None] | None:
        """What draws the spines of a scene, if it has any; the GL context must be current."""
        if scene.spines is None:
            self._visual = self._shown = None
            return None
        if self._shown is None or self._shown != (scene.spines, geometry):
            self._visual = SpineVisual(scene.spines, geometry.origin)
            self._shown, self._theme = (scene.spines, geometry), ""
        assert self._visual is not None  # it was made together with what is shown
        if self._theme != scene.theme:
            self._theme = scene.theme
            self._visual.set_colors(spine_look(scene.theme), unit(THEMES[scene.theme].canvas))
        quiet = not scene.categorical  # a quantity is read from the cell itself
        return partial(self._visual.draw_spines, quiet=quiet)
