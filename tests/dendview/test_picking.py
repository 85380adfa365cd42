"""Picking: the segment under the pointer is the one drawn there."""

import gc

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, Qt

from dendview.geometry import make_geometry
from dendview.state import AppState
from dendview.views.cell_camera import Camera, rotation
from dendview.views.cell_picking import nearest
from dendview.views.cell_view import CellView
from tests.dendview.made_cells import bush, made_cell, made_sections, y_cell


@pytest.fixture
def show(qtbot):
    views = []

    def make(cell, size=(640, 480)):
        view = CellView(AppState(cell=cell))
        qtbot.addWidget(view)
        view.resize(*size)
        with qtbot.waitExposed(view):
            view.show()
        views.append(view)
        return view

    yield make
    for view in views:
        view.canvas.close()
    gc.collect()


def test_clicks_give_the_segment_drawn_there(show, qtbot):
    view = show(bush(120, 12, 4))
    numbers = view.segment_numbers()
    places = np.argwhere(numbers >= 0)
    clicked = []
    view.segment_clicked.connect(clicked.append)
    chosen = places[:: len(places) // 25]
    for y, x in chosen:
        qtbot.mouseClick(view.canvas.native, Qt.MouseButton.LeftButton, pos=QPoint(int(x), int(y)))
    assert clicked == [numbers[y, x] for y, x in chosen]
    assert len(set(clicked)) > 10


def test_a_click_beside_a_cable_takes_it_and_one_on_the_ground_takes_nothing(show, qtbot):
    view = show(y_cell())
    at = view.project(3).toPoint()
    clicked = []
    view.segment_clicked.connect(clicked.append)
    width = np.count_nonzero(view.segment_numbers()[at.y()] == 3)
    for dx in (width // 2 + 3, width // 2 + 15):
        spot = at + QPoint(dx, 0)
        qtbot.mouseClick(view.canvas.native, Qt.MouseButton.LeftButton, pos=spot)
    assert clicked == [3, -1]


def test_a_drag_is_no_click_and_a_double_click_is_one_signal(show, qtbot):
    view = show(y_cell())
    native, at = view.canvas.native, view.project(3).toPoint()
    clicked, doubled, asked = [], [], []
    view.segment_clicked.connect(clicked.append)
    view.segment_double_clicked.connect(doubled.append)
    view.context_requested.connect(lambda segment, _: asked.append(segment))
    for button in (Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton):
        qtbot.mousePress(native, button, pos=at)
        qtbot.mouseMove(native, at + QPoint(40, 0))
        qtbot.mouseMove(native, at + QPoint(80, 0))
        qtbot.mouseRelease(native, button, pos=at + QPoint(80, 0))
    assert not clicked
    assert not asked
    view.fit()
    view.align_apical()
    at = view.project(3).toPoint()
    qtbot.mouseDClick(native, Qt.MouseButton.LeftButton, pos=at)
    assert doubled == [3]
    assert len(clicked) <= 1
    qtbot.mouseClick(native, Qt.MouseButton.RightButton, pos=at)
    assert asked == [3]


def test_hovering_names_the_segment_and_leaving_says_none(show, qtbot):
    view = show(y_cell())
    hovered = []
    view.segment_hovered.connect(hovered.append)
    at = view.project(3).toPoint()
    qtbot.mouseMove(view.canvas.native, at + QPoint(1, 1))
    qtbot.mouseMove(view.canvas.native, at)
    qtbot.waitUntil(lambda: hovered == [3], timeout=5000)
    qtbot.mouseMove(view.canvas.native, QPoint(5, 470))
    qtbot.waitUntil(lambda: hovered == [3, -1], timeout=5000)


def test_what_is_behind_is_not_picked(show):
    """Two crossing cables, the nearer one wins, and the other once the cell is turned around."""
    front = np.array([[-50, 0, 10], [50, 0, 10]], float)
    back = np.array([[0, -50, -10], [0, 50, -10]], float)
    cell = made_cell(made_sections([front, back], [np.full(2, 4.0)] * 2, [-1, -1], [3, 3]), 1)
    view = show(cell)
    view.set_camera(Camera(scale=4.0))
    numbers = view.segment_numbers()
    assert numbers[240, 320] == 0
    view.set_camera(Camera(scale=4.0, azimuth=np.pi))
    assert view.segment_numbers()[240, 320] == 1


def test_hover_agrees_with_click_and_follows_the_camera(show):
    view = show(bush(60, 12, 4))
    picker, visual = view._picker, view._prepare()
    for camera in (view.camera, view.camera.orbit(60, 20)):
        view.set_camera(camera)
        numbers = view.segment_numbers()
        for y, x in np.argwhere(numbers >= 0)[::400]:
            at = (float(x), float(y))
            same = (visual, camera, (640, 480), 1.0, at)
            assert picker.hover(*same) == picker.pick(*same) == numbers[y, x]


@pytest.mark.parametrize("seed", range(6))
def test_round_cones_are_drawn_where_they_are(show, seed):
    """Every pixel against 801 spheres along one cone: outline, and the segment at the surface."""
    rng = np.random.default_rng(seed)
    turn = rotation(np.array([0.6, 0.0, 0.8]), rng.uniform(0, np.pi))
    b = turn @ np.array([rng.uniform(5, 30), 0, 0])
    ra, rb = rng.uniform(1, 6, 2)
    n_segment = 9
    sections = made_sections([np.array([[0, 0, 0], b])], [np.array([ra, rb])], [-1], [3])
    view = show(made_cell(sections, n_segment), (160, 120))
    scale = 3.5
    view.set_camera(Camera(scale=scale))
    numbers = view.segment_numbers()
    geometry = make_geometry(sections, made_cell(sections, n_segment).trees["neuron"])
    a, b = geometry.ends[0, 0, :3].astype(float), geometry.ends[0, 1, :3].astype(float)
    y, x = np.mgrid[0:120, 0:160]
    ray = np.stack([(x + 0.5 - 80) / scale, (60 - y - 0.5) / scale], axis=-1)
    depth = np.full(x.shape, -np.inf)
    for t in np.linspace(0, 1, 801):
        c, r = a + t * (b - a), ra + t * (rb - ra)
        q = r * r - ((ray - c[:2]) ** 2).sum(axis=-1)
        depth = np.maximum(depth, np.where(q >= 0, c[2] + np.sqrt(np.maximum(q, 0)), -np.inf))
    inside = np.isfinite(depth)
    assert np.count_nonzero(inside != (numbers >= 0)) < 0.02 * np.count_nonzero(inside)
    hit = np.concatenate([ray, np.where(inside, depth, 0)[..., None]], axis=-1)
    share = np.clip(((hit - a) @ (b - a)) / ((b - a) @ (b - a)), 0, 1 - 1e-9)
    expected = np.where(inside, np.floor(share * n_segment), -1)
    wrong = (expected != numbers) & inside & (numbers >= 0)
    assert np.count_nonzero(wrong) < 0.02 * np.count_nonzero(inside)  # pixels on a border


def test_nearest_prefers_the_pixel_itself_then_the_closest():
    image = np.full((20, 20), -1, np.int32)
    image[5, 5], image[5, 9] = 3, 7
    assert nearest(image, (5, 5), 4) == 3
    assert nearest(image, (6, 5), 4) == 3
    assert nearest(image, (8, 5), 4) == 7
    assert nearest(image, (15, 15), 4) == -1
    assert nearest(image, (-1, 3), 4) == -1
    assert nearest(image, (8, 8), 4) == 7
    assert nearest(image, (0, 9), 4) == -1
