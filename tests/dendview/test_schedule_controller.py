"""The controller of the schedule, without a window."""

import numpy as np
import pytest

from dendview.controllers.files import FilesController
from dendview.controllers.schedule import ScheduleController, sample_curve
from dendview.state import AppState
from engine.morphology.samples import SAMPLES
from engine.schedule import METHODS, cost_curve
from tests.dendview.schedule_cells import TOY, cell_with_tree, sample_cell


@pytest.fixture(scope="module")
def cell():
    return sample_cell("spn")


@pytest.fixture
def state(cell):
    state = AppState(n_threads=4)
    state.cell = cell_with_tree(cell, TOY)
    return state


@pytest.fixture
def controller(state):
    return ScheduleController(state, lambda name, nodes: cost_curve(TOY) if name != "ca1" else None)


def test_schedule_follows_the_settings(state, controller, cell):
    assert state.schedule.n_step == 5
    controller.choose_threads(2)
    assert state.schedule.n_step == 7
    controller.choose_method("hines")
    assert (state.schedule.method, state.schedule.n_step) == ("hines", 14)
    state.cell = cell
    assert state.schedule.n_comp == cell.trees["neuron"].n_comp
    controller.choose_nodes("merged")
    assert state.schedule.n_comp == cell.trees["merged"].n_comp < cell.trees["neuron"].n_comp
    state.cell = None
    assert state.schedule is None


@pytest.mark.parametrize(
    ("choose", "value", "words"),
    [
        ("choose_threads", 0, "cannot be given 0 threads"),
        ("choose_threads", 5000, "choose 1 to 1024"),
        ("choose_method", "magic", "no method 'magic'"),
        ("choose_nodes", "all", "choose neuron or merged"),
    ],
)
def test_impossible_input_gives_a_message_and_changes_nothing(
    state, controller, choose, value, words
):
    schedule = state.schedule
    getattr(controller, choose)(value)
    assert state.schedule is schedule
    assert state.message.kind == "error"
    assert words in state.message.text


def test_steps_are_clamped(state, controller):
    controller.advance()
    assert state.step == 1
    controller.advance(-3)
    assert state.step == 0
    controller.go_to(99)
    assert state.step == 5
    state.cell = None
    controller.advance()
    assert state.step == 0


def test_playing_takes_steps_in_time_and_stops_at_the_end(state, controller):
    controller.set_speed(10)
    controller.toggle_play()
    assert state.playing == "schedule"
    controller.tick(0.25)
    assert state.step == 2
    controller.tick(0.05)  # the half step kept from before
    assert state.step == 3
    controller.tick(10)
    assert (state.step, state.playing) == (5, "")
    controller.toggle_play()  # at the end it begins anew
    assert (state.step, state.playing) == (0, "schedule")
    controller.toggle_play()
    assert state.playing == ""
    controller.tick(1)
    assert state.step == 0
    controller.set_speed(0)
    assert state.step_speed == 10


def test_another_schedule_stops_playing_and_begins_at_the_start(state, controller):
    controller.toggle_play()
    controller.tick(3)
    controller.choose_threads(8)
    assert (state.step, state.playing) == (0, "")


def test_curves_come_one_by_one_the_open_cell_first(state, controller):
    while controller.add_curve():
        pass
    own, *samples = state.cost_curves
    assert own.own
    assert own.curve.n_step.tolist() == [14, 7, 5, 5, 5, 5, 5, 5, 5, 5, 5]
    expected = [
        i.title.removesuffix(" cell") for n, i in SAMPLES.items() if n not in ("ca1", "spn")
    ]  # spn is open
    assert [curve.name for curve in samples] == expected
    controller.choose_threads(2)  # does not matter to the curves
    assert len(state.cost_curves) == 1 + len(samples)
    state.nodes = "merged"
    assert state.cost_curves == ()


def test_a_sample_costs_what_it_costs_when_it_is_opened():
    state = AppState()
    files, controller = FilesController(state), ScheduleController(state)
    files.open_sample("ca1")
    controller.add_curve()
    expected = sample_curve("ca1", state.nodes)
    assert expected.n_serial == state.schedule.n_serial
    assert state.cost_curves[0].curve.n_step.tolist() == expected.n_step.tolist()


def test_sample_curves_are_real_and_the_toys_are_left_out():
    curve = sample_curve("spn", "neuron")
    assert curve.n_step[-1] == curve.depth
    assert np.all(curve.n_step == curve.bound)
    assert sample_curve("toy15", "neuron") is None


def test_comparison_is_made_once_for_a_schedule(state, controller):
    assert state.comparison == ()
    controller.compare()
    table = state.comparison
    assert [row.method for row in table] == list(METHODS)
    controller.compare()
    assert state.comparison is table
    controller.choose_threads(2)
    assert state.comparison == ()
