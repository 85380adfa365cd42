"""Check: the open schedule's voltages against serial Hines."""

import pytest
from PyQt6.QtCore import Qt

from dendview.controllers.check import CheckController
from dendview.controllers.run import RunController
from dendview.state import AppState
from dendview.worker.protocol import Checked, CheckOrders, Failed, Stopped
from engine.experiment import default_experiment
from engine.schedule import make_schedule
from tests.dendview.open_window import QuietWorker, in_perspective, open_cell, open_window
from tests.dendview.schedule_cells import sample_cell


@pytest.fixture
def bench():
    state, worker = AppState(n_threads=4), QuietWorker()
    state.cell = sample_cell("spn")
    state.experiment = default_experiment("sample:spn")
    state.schedule = make_schedule(state.cell.trees["neuron"], "dhs", 4)
    run = RunController(state, worker)
    controller = CheckController(state, worker, run)

    def say(*replies):
        worker.replies.extend(replies)
        run.poll()

    return state, worker, controller, say


def test_the_schedule_that_is_open_is_checked(bench):
    state, worker, controller, say = bench
    state.method = "branches"
    controller.start()
    controller.start()  # one at a time
    (sent,) = worker.sent
    assert isinstance(sent, CheckOrders)
    asked = sent.experiment
    assert (asked.method, asked.n_threads, asked.nodes) == ("branches", 4, "neuron")
    assert state.check.state == "running"
    say(Checked(sent.number, 0.0, 269))
    assert state.check.state == "same"
    assert "max |ΔV| = 0" in state.check.text
    assert "Branches" in state.check.text


def test_a_difference_is_told_with_its_size(bench):
    state, worker, controller, say = bench
    controller.start()
    say(Checked(worker.sent[-1].number, 3.2e-13, 269))
    assert state.check.state == "differs"
    assert "3.2e-13 mV" in state.check.text


@pytest.mark.parametrize("reply", [Failed(1, "it broke"), Stopped("Engine stopped.")])
def test_what_breaks_is_told(bench, reply):
    state, worker, controller, say = bench
    controller.start()
    say(reply)
    assert state.check.state == "failed"
    controller.start()
    assert len(worker.sent) == 2


def test_another_schedule_has_not_been_checked(bench):
    state, worker, controller, say = bench
    controller.start()
    number = worker.sent[-1].number
    state.schedule = make_schedule(state.cell.trees["neuron"], "dhs", 8)
    assert state.check is None
    say(Checked(number, 0.0, 269))  # of the schedule before
    assert state.check is None


def test_the_button_of_the_panel_checks(qtbot):
    worker = QuietWorker()
    window = open_window(qtbot, worker=worker)
    open_cell(qtbot, window, "sample:spn")
    in_perspective(qtbot, window, "schedule")
    panel = window.docks.schedule
    qtbot.waitUntil(panel.check.isEnabled)
    qtbot.mouseClick(panel.check, Qt.MouseButton.LeftButton)
    worker.replies = [Checked(worker.sent[-1].number, 0.0, 269)]
    qtbot.waitUntil(lambda: panel.checked.text().startswith("✓"))
