"""Colors of the 3-D view, and what is drawn anew when they change."""

import numpy as np
import pytest

from dendview.colors import rgb
from dendview.scene import resolve
from dendview.state import AppState, Run
from dendview.views.cell_overlay import taken_dots
from engine.experiment import Experiment
from engine.schedule import make_schedule
from tests.dendview.made_cells import y_cell
from tests.dendview.shown_view import ground_mask, recording_of, settle


@pytest.mark.parametrize("color_by", ["type", "depth", "distance", "thread", "step"])
def test_every_coloring_is_drawn(show, qtbot, color_by):
    cell = y_cell()
    state = AppState(cell=cell, schedule=make_schedule(cell.trees["neuron"], "dhs", 4))
    state.color_by = color_by
    view = show(state)
    image = view.render_image(600, 450)[30:400, 170:]
    colors = {tuple(c) for c in image[ground_mask(image)][:, :3]}
    assert len(colors) > 5


def test_another_frame_is_one_upload_of_values(show, monkeypatch):
    """Nothing else is sent to the graphics card: that is what makes playing quick."""
    cell = y_cell()
    frames = (-65 + 40 * np.random.default_rng(0).random((4, cell.n_segment))).astype(np.float32)
    run = Run(1, Experiment("made"), recording_of(frames), "done")
    state = AppState(cell=cell, runs=(run,), shown_run=1, color_by="voltage")
    view = show(state, (300, 200))
    visual, sent = view._prepare(), []
    for name in ("set_values", "set_look", "set_classes"):
        monkeypatch.setattr(visual, name, lambda value, name=name: sent.append((name, value)))
    for k in range(1, 4):
        state.time = float(k)
        assert view._prepare() is visual
        ((name, values),) = sent
        assert name == "set_values"
        np.testing.assert_array_equal(values, frames[k])
        sent.clear()


@pytest.mark.parametrize("color_by", ["thread", "step"])
def test_what_is_taken_now_is_seen_from_afar(show, color_by):
    """Compartments of a few pixels get a dot in their color; those that are seen need none."""
    cell = y_cell()
    schedule = make_schedule(cell.trees["neuron"], "dhs", 4)
    state = AppState(cell=cell, schedule=schedule, step=2, perspective="schedule")
    state.color_by = color_by
    taken = np.flatnonzero(schedule.step == 1)
    segment, color = taken_dots(resolve(state), 0.01)
    assert sorted(segment) == sorted(cell.trees["neuron"].segment[taken])
    assert taken_dots(resolve(state), 10.0)[0].size == 0
    view = show(state, (260, 190))
    image = view.render_image(260, 190)
    assert set(taken_dots(resolve(state), view.camera.scale)[0]) == set(segment)
    for number, wanted in zip(segment, color, strict=True):
        at = view.project(int(number))
        found = image[int(at.y()), int(at.x()), :3].astype(int)
        assert np.abs(found - wanted).max() < 40


def test_voltages_beyond_the_limits_have_colors_of_their_own(show):
    cell = y_cell()
    for value, name in ((99.0, "over"), (-150.0, "under")):
        frames = np.full((1, cell.n_segment), value, np.float32)
        run = Run(1, Experiment("made"), recording_of(frames), "done")
        state = AppState(cell=cell, runs=(run,), shown_run=1, color_by="voltage")
        view = show(state)
        image = view.render_image(600, 450)
        at = view.project(8).toPoint()
        near = image[at.y() - 2 : at.y() + 3, at.x() - 2 : at.x() + 3, :3].astype(int)
        wanted = np.array(rgb(getattr(resolve(state), name)))
        assert np.abs(near - wanted).max(axis=2).min() < 20


def test_playing_redraws_only_what_it_changes(show, qtbot):
    """A clock that runs while the cell shows its types draws nothing; with voltages it does."""
    cell = y_cell()
    frames = np.zeros((3, cell.n_segment), np.float32)
    run = Run(1, Experiment("made"), recording_of(frames), "done")
    state = AppState(cell=cell, runs=(run,), shown_run=1)
    view = show(state)
    drawn = []
    view.canvas.events.draw.connect(lambda _: drawn.append(1), position="last")
    qtbot.wait(50)
    drawn.clear()
    state.time = 1.0
    qtbot.wait(80)
    assert not drawn
    state.color_by = "voltage"
    qtbot.waitUntil(lambda: bool(drawn))
    drawn.clear()
    state.time = 2.0
    qtbot.waitUntil(lambda: bool(drawn))


def test_the_card_follows_the_time(show, qtbot):
    """While the pointer rests, the voltage it shows is that of the frame on the screen."""
    cell = y_cell()
    frames = np.array([[-65.0] * cell.n_segment, [-20.0] * cell.n_segment], np.float32)
    run = Run(1, Experiment("made"), recording_of(frames), "done")
    state = AppState(cell=cell, runs=(run,), shown_run=1, color_by="voltage")
    view = show(state)
    view._on_rest(view.project(3))
    before = view.grab().toImage()
    state.time = 1.0
    settle(qtbot, view)
    state.color_by = "type"  # the cell itself looks the same now; only the card can differ
    settle(qtbot, view)
    later = view.grab().toImage()
    state.time = 0.0
    settle(qtbot, view)
    assert view.grab().toImage() != later != before


def test_recoloring_changes_the_pixels(show, qtbot):
    state = AppState(cell=y_cell())
    view = show(state)
    before = view.canvas.native.grabFramebuffer().copy()
    where = view.project(3).toPoint()
    old = before.pixelColor(where)
    state.color_by = "distance"
    settle(qtbot, view)
    assert view.canvas.native.grabFramebuffer().pixelColor(where) != old
