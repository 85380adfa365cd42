"""From the numbers of a scene to what the graphics card is given."""

from dendview.colors import THEMES, rgb
from dendview.scene import CANDIDATE_SHARE, WAITING_SHARE, CellScene, done_color
from dendview.visuals.capsules import Look, Mark

HOVERED_WIDTH, SELECTED_WIDTH = 2.5, 3.2
"""Halos, logical pixels."""


def unit(color: str) -> tuple[float, float, float]:
    """``#rrggbb`` as numbers 0..1."""
    r, g, b = rgb(color)
    return r / 255, g / 255, b / 255


def look_key(scene: CellScene) -> tuple[object, ...]:
    """Equal for scenes of the same look."""
    return (
        scene.table.tobytes(), scene.categorical, scene.limits, scene.missing, scene.theme,
    )  # fmt: skip


def look_of(scene: CellScene) -> Look:
    """Colors of a scene."""
    theme = THEMES[scene.theme]
    return Look(
        table=scene.table,
        categorical=scene.categorical,
        limits=scene.limits,
        missing=unit(scene.missing),
        under=unit(scene.under),
        over=unit(scene.over),
        ground=unit(theme.canvas),
        done=unit(done_color(scene.theme)),
        rim=unit(theme.text),
        share=(WAITING_SHARE, CANDIDATE_SHARE),
    )


def marks_of(scene: CellScene) -> tuple[Mark, ...]:
    """Halos around the hovered and the selected segment."""
    theme = THEMES[scene.theme]
    marks: list[Mark] = []
    if scene.hovered is not None and scene.hovered != scene.selection:
        marks.append((scene.hovered, unit(theme.muted), HOVERED_WIDTH))
    if scene.selection is not None:
        marks.append((scene.selection, unit(theme.text), SELECTED_WIDTH))
    return tuple(marks)
