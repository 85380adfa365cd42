"""A run that does not fit into the memory: refused first, with the ways out."""

from dataclasses import replace

import pytest

from dendview.controllers.run import RunController
from dendview.runs import estimate
from dendview.state import KEEP_ALL, Keeping
from dendview.worker import protocol
from tests.dendview.open_window import QuietWorker, open_cell, open_window
from tests.dendview.small_cell import small_state
from tests.dendview.test_run_controller import opened


@pytest.fixture
def short():
    """A run of some kB on a machine with a few bytes less than it needs."""
    state, worker = small_state(duration=100.0), QuietWorker()
    free = estimate(state.cell, state.experiment).memory
    return state, worker, RunController(state, worker, free=lambda: free)


def test_a_run_that_does_not_fit_is_refused_first(short):
    state, worker, controller = short
    controller.start()
    assert worker.sent == []
    assert state.job is None
    assert state.message.action == "keep_less"
    assert "are free" in state.message.text


def test_every_fourth_step(short):
    state, worker, controller = short
    controller.keep_less("thin")
    (command,) = worker.sent
    assert command.experiment.frame_interval == 4 * state.experiment.frame_interval
    started, chunks = opened(command)
    worker.replies = [started, *(protocol.Grown(command.number, chunk) for chunk in chunks)]
    worker.replies.append(protocol.Finished(command.number, 0.1))
    controller.poll()
    recording = state.runs[-1].recording
    assert recording.complete
    assert recording.time[1] == pytest.approx(0.1)
    assert len(recording.time) == 1001
    assert (recording.values[0, 0] == recording.time).all()  # the engine says v = t
    assert state.runs[-1].experiment is state.experiment


def test_only_the_recorded_sites(short):
    state, worker, controller = short
    before = estimate(state.cell, state.experiment).memory
    assert estimate(state.cell, state.experiment, keeping=Keeping(frames=False)).memory < before
    controller.keep_less("sites")
    assert worker.sent[0].experiment.frame_interval == state.experiment.duration


def test_on_disk_there_is_room_whatever_the_memory(short):
    state, worker, controller = short
    controller.keep_less("disk")
    (command,) = worker.sent
    assert "on disk" in state.preflight
    started, chunks = opened(command)
    worker.replies = [started, *(protocol.Grown(command.number, chunk) for chunk in chunks)]
    worker.replies.append(protocol.Finished(command.number, 0.1))
    controller.poll()
    recording = state.runs[-1].recording
    assert recording.complete
    assert (recording.values[0, 0] == recording.time).all()


def test_where_memory_ends_in_the_middle_the_same_ways_out_are_offered(short):
    state, worker, controller = short
    controller.keep_less("sites")
    number = worker.sent[0].number
    worker.replies = [protocol.Failed(number, "not enough memory", kind="memory")]
    controller.poll()
    assert state.message.action == "keep_less"


def test_another_cell_is_kept_whole_again(short):
    state, _, controller = short
    controller.keep_less("disk")
    state.cell = replace(state.cell, morphology=replace(state.cell.morphology))
    assert state.keeping == KEEP_ALL


def test_the_window_offers_three_ways(qtbot):
    worker = QuietWorker()
    window = open_window(qtbot, worker=worker)
    open_cell(qtbot, window, "sample:spn")
    window.controllers.run._free_memory = lambda: 1000
    window.actions_table["run"].trigger()
    assert worker.sent == []
    for text in ("Record every 4th step", "Only recorded sites"):
        assert window.toast.button(text).isVisible()
    window.toast.button("Write to disk").click()
    assert isinstance(worker.sent[-1], protocol.Run)
    assert window.state.keeping.on_disk
