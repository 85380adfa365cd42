"""From the numbers of a scene to what the graphics card is given."""

import numpy as np

from dendview.colors import THEMES, ThemeName, rgb
from dendview.scene import CANDIDATE_SHARE, WAITING_SHARE, CellScene, done_color
from dendview.visuals.capsules import Look, Mark
from dendview.visuals.spines import ACTIVE_DOT, ACTIVE_HEAD, ACTIVE_NECK, DOT, HEAD, NECK

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


def spine_look(theme: ThemeName) -> Look:
    """Colors of spines by their class: what is active stands out, the others step back."""
    colors = THEMES[theme]
    other, active = rgb(colors.muted), rgb(colors.text)
    by_class = {NECK: other, HEAD: other, ACTIVE_NECK: active, ACTIVE_HEAD: active,
                DOT: other, ACTIVE_DOT: active}  # fmt: skip
    table = np.array([by_class[k] for k in range(len(by_class))], np.uint8)
    gray, ground = unit(colors.muted), unit(colors.canvas)
    return Look(
        table=table,
        categorical=True,
        limits=(0.0, float(len(table))),
        missing=gray,
        under=gray,
        over=gray,
        ground=ground,
        done=gray,
        rim=unit(colors.text),
        share=(1.0, 1.0),
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
