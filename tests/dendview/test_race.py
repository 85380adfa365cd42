"""The race: the same beat for all, the best schedule first."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import Qt

from dendview.controllers.race import RaceController
from dendview.race import RACERS, make_race
from dendview.state import AppState
from dendview.views.race_view import RaceView, told
from engine.schedule import make_schedule
from tests.dendview.open_window import in_perspective, open_cell, open_window
from tests.dendview.schedule_cells import TOY, cell_with_tree, sample_cell


def lane_of(race, method):
    return next(lane for lane in race.lanes if lane.method == method)


def test_every_lane_is_its_schedule():
    race = make_race(TOY, 4)
    assert [lane.method for lane in race.lanes] == list(RACERS)
    for lane in race.lanes:
        schedule = make_schedule(TOY, lane.method, 4)
        assert lane.n_step == schedule.n_step
        assert [lane.busy(s) for s in range(lane.n_step)] == schedule.width.tolist()
        assert lane.busy(lane.n_step) == 0
        assert lane.share(0) == 0
        assert lane.share(race.length) == 1
    assert race.length == 14
    assert race.bound == 5


def test_places_and_verdicts_come_when_a_lane_is_through():
    race = make_race(TOY, 4)
    best, serial = lane_of(race, "dhs"), lane_of(race, "hines")
    assert race.place(best) == 0
    assert race.verdict(best) == ""
    end = replace(race, step=14.0)
    assert end.over
    assert end.place(best) == 1
    assert end.place(serial) == len(RACERS)
    assert end.verdict(best) == "5 = bound 5 ✓ optimal"
    assert end.verdict(serial) == "14 (+180 %)"
    assert "No schedule of 4 threads has fewer than 5." in told(end)
    assert "2.8 times fewer" in told(end)


@pytest.fixture
def state():
    state = AppState(n_threads=4)
    state.cell = cell_with_tree(sample_cell("spn"), TOY)
    return state


def test_time_runs_to_the_end_and_never_back(state):
    controller = RaceController(state)
    controller.begin(controller.preparation()())
    assert state.playing == "race"
    steps = []
    while state.playing == "race":
        controller.tick(0.5)
        steps.append(state.race.step)
        assert len(steps) < 200
    assert (np.diff(steps) > 0).all()
    assert steps[-1] == state.race.length
    controller.toggle()
    assert state.race.step == 0
    assert state.playing == "race"
    controller.toggle()
    assert state.playing == ""
    controller.tick(9.0)
    assert state.race.step == 0
    controller.finish()
    assert state.race.over


def test_other_threads_end_the_race(state):
    controller = RaceController(state)
    race = controller.preparation()()
    controller.begin(race)
    state.n_threads = 8
    assert state.race is None
    assert state.playing == ""
    controller.begin(race)  # it was prepared for four
    assert state.race is None


def test_lanes_can_be_saved(qtbot, state, tmp_path):
    view = RaceView(state)
    qtbot.addWidget(view)
    view.resize(600, 260)
    view.show()
    controller = RaceController(state)
    controller.begin(controller.preparation()())
    controller.finish()
    for ending in ("png", "svg", "csv"):
        view.export(tmp_path / f"race.{ending}")
    with (tmp_path / "race.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["method"]: row for row in csv.DictReader(file)}
    assert rows["dhs"]["steps"] == "5"
    assert rows["hines"]["steps"] == "14"
    assert (tmp_path / "race.png").stat().st_size > 1000


def test_the_window_races_pauses_and_ends(qtbot):
    window = open_window(qtbot)
    open_cell(qtbot, window, "sample:toy15")
    in_perspective(qtbot, window, "schedule")
    window.docks.by_name["race"].raise_()
    view, state = window.docks.race, window.state
    qtbot.waitUntil(view.go.isVisible)
    qtbot.mouseClick(view.go, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: state.race is not None and state.race.step > 0.1)
    qtbot.mouseClick(view.go, Qt.MouseButton.LeftButton)
    assert state.playing == ""
    qtbot.waitUntil(view.end.isVisible)
    qtbot.mouseClick(view.end, Qt.MouseButton.LeftButton)
    assert state.race.over
    qtbot.waitUntil(lambda: view.go.text() == "Race again")


def test_gantt_and_costs_stand_beside_each_other_with_tabs_behind_them(qtbot):
    window = open_window(qtbot)
    open_cell(qtbot, window, "sample:toy15")
    in_perspective(qtbot, window, "schedule")
    by_name = window.docks.by_name
    gantt, costs = (by_name[name].geometry() for name in ("gantt", "costs"))
    assert gantt.right() < costs.left()
    tabs = {dock.objectName() for dock in window.tabifiedDockWidgets(by_name["gantt"])}
    assert "race" in tabs
    assert "costs" not in tabs
