"""The 3-D view in a real window: what is drawn, framed, labelled and exported."""

from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt6.QtGui import QMouseEvent, QWheelEvent
from PyQt6.QtWidgets import QApplication
from scipy import ndimage

from dendview.colors import THEMES, rgb
from dendview.geometry import make_geometry
from dendview.state import AppState
from dendview.views.cell_camera import Camera, turn_to_up
from dendview.views.cell_overlay import scale_bar
from dendview.views.cell_view import CellView
from tests.dendview.made_cells import bush, made_cell, made_sections, y_cell
from tests.dendview.shown_view import cell_pixels, ground_mask, settle


def test_an_empty_view_says_what_to_do(show, qtbot):
    view = show(AppState())
    image = view.render_image(600, 450)
    assert ground_mask(image)[200:250].any()  # the sentence in the middle
    assert view.segment_at(QPointF(300, 225)) == -1


def test_the_whole_cell_is_framed_and_in_the_middle(show):
    view = show(AppState(cell=y_cell()))
    rows, columns = np.nonzero(cell_pixels(view))
    height, width = view.segment_numbers().shape
    assert rows.min() >= 15
    assert rows.max() <= height - 30
    assert rows.max() - rows.min() > 0.75 * height  # and it fills the view
    assert abs((columns.min() + columns.max()) / 2 - width / 2) < 0.1 * width


def test_the_cell_stays_framed_when_the_window_changes(show, qtbot):
    view = show(AppState(cell=y_cell()))
    view.resize(300, 700)
    settle(qtbot, view)
    rows, columns = np.nonzero(cell_pixels(view))
    assert columns.min() > 0
    assert columns.max() < 299
    assert rows.max() < 699


def test_a_theme_changes_the_ground(show, qtbot):
    state = AppState(cell=y_cell())
    view = show(state)
    for theme in ("light", "dark"):
        state.theme = theme
        settle(qtbot, view)
        color = view.canvas.native.grabFramebuffer().pixelColor(5, 300)
        assert (color.red(), color.green(), color.blue()) == rgb(THEMES[theme].canvas)


def test_a_thin_cell_stays_connected_however_far_away(show, qtbot):
    """A cable of 0.02 px true width is one unbroken line of pixels."""
    line = np.linspace((0, 0, 0), (3000, 2200, 500), 300)
    wave = line + np.stack([np.zeros(300), 40 * np.sin(np.arange(300) / 9), np.zeros(300)], axis=1)
    cell = made_cell(made_sections([wave], [np.full(300, 0.05)], [-1], [3]), 50)
    view = show(AppState(cell=cell))
    assert view.camera.scale * 0.1 < 0.05
    mask = cell_pixels(view)
    assert mask.sum() > 400
    _, n = ndimage.label(mask, structure=np.ones((3, 3)))
    assert n == 1


def test_near_cables_have_their_true_width(show, qtbot):
    view = show(AppState(cell=y_cell()))
    geometry = make_geometry(y_cell().sections, y_cell().trees["neuron"])
    view.set_camera(Camera(center=geometry.center[3], scale=20.0))
    settle(qtbot, view)
    row = view.segment_numbers()[225]
    assert np.count_nonzero(row >= 0) == pytest.approx(4.0 * 20, abs=2)  # Ø 4 µm at 20 px/µm


def test_segments_are_cut_where_they_end(show, qtbot):
    """Seen across, the trunk of 200 µm in 5 segments changes every 40 µm, to a pixel."""
    view = show(AppState(cell=y_cell()))
    geometry = make_geometry(y_cell().sections, y_cell().trees["neuron"])
    view.set_camera(Camera(center=geometry.center[3], scale=2.5))
    settle(qtbot, view)
    column = view.segment_numbers()[:, 300]
    trunk = column[(column >= 1) & (column <= 5)]
    borders = np.flatnonzero(np.diff(trunk))
    assert list(trunk[[0, -1]]) == [5, 1]
    np.testing.assert_allclose(np.diff(borders), 100, atol=1)


def test_the_selection_is_drawn(show, qtbot):
    state = AppState(cell=y_cell())
    view = show(state)
    before = view.render_image(600, 450)
    state.selection = 8
    settle(qtbot, view)
    changed = np.abs(view.render_image(600, 450).astype(int) - before).max(axis=2) > 30
    rows, columns = np.nonzero(changed)
    at = view.project(8)
    assert len(rows) > 20
    assert abs(rows.mean() - at.y()) < 6
    assert abs(columns.mean() - at.x()) < 6


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_pictures_are_framed_alike_at_every_scale(show, scale):
    """The drawn box, as a share of the picture, does not move by more than a pixel at 1x."""
    state = AppState(cell=y_cell())
    view = show(state)

    def box(k):
        mask = ground_mask(view.render_image(500, 400, k))
        mask[:, : 160 * k] = False  # legend and axes
        mask[int(340 * k) :] = False  # scale bar
        rows, columns = np.nonzero(mask)
        return np.array([rows.min(), rows.max() + 1, columns.min(), columns.max() + 1]) / k

    image = view.render_image(500, 400, scale)
    assert image.shape == (400 * scale, 500 * scale, 4)
    assert image[..., 3].min() == 255
    np.testing.assert_allclose(box(scale), box(1), atol=1.5)


def test_a_picture_shows_what_the_screen_shows(show):
    view = show(AppState(cell=y_cell()))
    numbers = ground_mask(view.render_image(600, 450))[:, 160:]
    screen = cell_pixels(view)[:, 160:]
    part = (slice(30, 390), slice(0, 300))
    both = np.count_nonzero(numbers[part] & screen[part])
    assert both > 0.8 * np.count_nonzero(screen[part]) > 0


def test_a_picture_in_another_theme_leaves_the_screen_alone(show, qtbot):
    state = AppState(cell=y_cell(), color_by="distance")
    view = show(state)
    image = view.render_image(600, 450, theme="light")
    assert tuple(image[440, 300, :3]) == rgb(THEMES["light"].canvas)
    dark = ground_mask(view.render_image(600, 450))
    light = ground_mask(image, "light")
    part = (slice(30, 390), slice(170, 600))
    assert np.count_nonzero(dark[part] ^ light[part]) < 0.3 * np.count_nonzero(dark[part])
    settle(qtbot, view)
    color = view.canvas.native.grabFramebuffer().pixelColor(300, 440)
    assert (color.red(), color.green(), color.blue()) == rgb(THEMES["dark"].canvas)
    assert state.theme == "dark"


def test_a_large_picture_has_no_seams(show):
    """Tiles of 2048 px meet: the cable crosses their borders without a gap."""
    line = np.linspace((-500, -400, 0), (500, 400, 0), 50)
    cell = made_cell(made_sections([line], [np.full(50, 3.0)], [-1], [3]), 9)
    view = show(AppState(cell=cell))
    image = view.render_image(900, 720, 3)  # 5400 x 4320 after supersampling
    mask = ground_mask(image)
    mask[:, :500] = False
    mask[1900:] = False
    _, n = ndimage.label(mask, structure=np.ones((3, 3)))
    assert n == 1


def test_a_view_that_was_never_shown_makes_pictures(qtbot):
    view = CellView(AppState(cell=y_cell()))
    qtbot.addWidget(view)
    image = view.render_image(500, 400)
    assert ground_mask(image)[30:340, 170:].sum() > 300
    view.canvas.close()


def test_a_hidden_view_does_not_draw(show, qtbot):
    state = AppState(cell=y_cell())
    view = show(state)
    drawn = []
    view.canvas.events.draw.connect(lambda _: drawn.append(1), position="last")
    view.hide()
    drawn.clear()
    state.color_by = "distance"
    state.selection = 3
    qtbot.wait(80)
    assert not drawn
    view.show()
    qtbot.waitUntil(lambda: bool(drawn))


def test_the_scale_bar_is_as_long_as_it_says(show):
    """The bar of the picture, measured in pixels, is the length of its text in the projection."""
    view = show(AppState(cell=y_cell()))
    image = view.render_image(600, 450)
    length, text = scale_bar(view.camera.scale, 600)
    bar = np.nonzero(ground_mask(image)[450 - 14, 400:])[0]
    at = view.camera.project(np.array([[0, 0, 0], [length, 0, 0]]), (600, 450))
    assert text == f"{length:g} µm"
    assert bar.max() - bar.min() + 1 == pytest.approx(at[1, 0] - at[0, 0], abs=1.5)


@pytest.mark.parametrize("scale", [1e-3, 0.037, 0.9, 17.0, 900.0])
def test_scale_bars_fit(scale):
    length, text = scale_bar(scale, 800)
    assert 40 < length * scale <= 180
    number, unit = text.split()
    assert float(number) * {"nm": 1e-3, "µm": 1, "mm": 1e3}[unit] == pytest.approx(length)


def test_the_apical_dendrite_goes_up(show, qtbot):
    upside_down = y_cell()
    points = upside_down.sections.xyz * np.array([1, -1, -1], np.float32)
    cell = made_cell(
        made_sections(
            np.split(points, upside_down.sections.start[1:-1]),
            np.split(upside_down.sections.diameter / 2, upside_down.sections.start[1:-1]),
            upside_down.sections.parent,
            upside_down.sections.tag,
        ),
        [1, 5, 5, 5, 5],
    )
    view = show(AppState(cell=cell))
    assert view.project(3).y() < view.project(0).y()
    view.align_apical()  # back to the file's axes
    assert view.project(3).y() > view.project(0).y()
    view.align_apical()
    assert view.project(3).y() < view.project(0).y()


@pytest.mark.parametrize("direction", [(0, -1, 0), (0, 1, 0), (0.6, -0.64, 0.48), (0, 0, 1)])
def test_turning_up_is_a_rotation(direction):
    turn = turn_to_up(np.array(direction, float))
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(turn) == pytest.approx(1)
    np.testing.assert_allclose(turn @ direction, (0, 1, 0), atol=1e-12)


def test_a_new_cell_replaces_the_old_one(show, qtbot):
    state = AppState(cell=y_cell())
    view = show(state)
    state.selection = 20
    state.cell = bush(60, 10, 3)
    settle(qtbot, view)
    assert set(np.unique(view.segment_numbers())) > {-1, 0, 100}
    state.cell = None
    settle(qtbot, view)
    assert view.segment_at(QPointF(300, 200)) == -1


def test_a_cell_cut_anew_is_looked_at_from_where_it_was(show, qtbot):
    state = AppState(cell=y_cell(nseg=5))
    view = show(state)
    view.set_camera(view.camera.orbit(40, 10).zoom(3.0, (200, 100), (600, 450)))
    before = view.camera
    finer = y_cell(nseg=9)
    state.cell = replace(finer, morphology=state.cell.morphology)
    settle(qtbot, view)
    assert view.camera.scale == before.scale
    np.testing.assert_array_equal(view.camera.turn, before.turn)
    np.testing.assert_allclose(view.camera.center, before.center, atol=1e-9)
    state.cell = y_cell()  # another one is framed
    settle(qtbot, view)
    assert view.camera.scale != before.scale


def test_dragging_turns_wheel_zooms_at_the_pointer_and_f_fits(show, qtbot):
    view = show(AppState(cell=y_cell()))
    native = view.canvas.native
    start = view.camera
    drag(qtbot, native, (300, 200), (380, 200), Qt.MouseButton.LeftButton)
    assert view.camera.azimuth > start.azimuth
    assert view.camera.scale == start.scale
    before = view.project(8)
    wheel(native, before, 240)
    after = view.project(8)
    assert view.camera.scale > start.scale * 1.2
    assert (after - before).manhattanLength() < 1.0  # what is under the pointer stays
    drag(qtbot, native, (300, 200), (340, 230), Qt.MouseButton.RightButton)
    moved = view.project(8) - after
    assert (moved - QPointF(40, 30)).manhattanLength() < 1.0
    qtbot.keyClick(native, Qt.Key.Key_F)
    assert view.camera.azimuth != start.azimuth  # fitting does not turn the cell back
    assert cell_pixels(view)[0].sum() == 0


def drag(qtbot, widget, start, stop, button):
    qtbot.mousePress(widget, button, pos=QPoint(*start))
    for share in (0.3, 0.6, 1.0):
        at = QPoint(*(round(a + share * (b - a)) for a, b in zip(start, stop, strict=True)))
        move_with(widget, at, button)
    qtbot.mouseRelease(widget, button, pos=QPoint(*stop))


def move_with(widget, at, button):
    place, none = QPointF(at), Qt.KeyboardModifier.NoModifier
    event = QMouseEvent(
        QEvent.Type.MouseMove,
        place,
        widget.mapToGlobal(place),
        Qt.MouseButton.NoButton,
        button,
        none,
    )
    QApplication.sendEvent(widget, event)


def wheel(widget, at, turn):
    event = QWheelEvent(
        at,
        widget.mapToGlobal(at),
        QPoint(),
        QPoint(0, turn),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)
