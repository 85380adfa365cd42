"""A run that does not fit into the memory: refused first, with the ways out."""

from dataclasses import replace

import pytest
from PyQt6.QtCore import Qt

from dendview.controllers.run import RunController
from dendview.runs import estimate
from dendview.state import KEEP_ALL, Keeping
from dendview.worker import protocol
from dendview.worker.serving import _failure
from engine.errors import OutOfDeviceMemoryError
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


def test_only_what_helps_is_offered(short):
    state, _, controller = short
    controller.start()
    assert controller.ways_out() == ("thin", "sites", "disk")
    controller._free_memory = lambda: 1000
    assert controller.ways_out() == ("disk",)  # nothing else makes it fit
    state.keeping = Keeping(frames=False)
    controller._free_memory = lambda: 10**9
    assert controller.ways_out() == ("thin", "disk")
    state.keeping = Keeping(on_disk=True)
    assert controller.ways_out() == ()


def begin(short):
    """A run of which the first fifth is there."""
    state, worker, controller = short
    controller.keep_less("disk")
    (command,) = worker.sent
    started, chunks = opened(command)
    worker.replies = [started, protocol.Grown(command.number, next(iter(chunks)))]
    controller.poll()
    return state, worker, controller, command


SENTENCE = "this needs 9.1 GB of the GPU's memory, 7.6 GB are free; choose backend 'cpu'"


def test_a_gpu_whose_memory_ends_keeps_what_is_done_and_offers_the_cpu(short):
    state, worker, controller, command = begin(short)
    failed = protocol.Failed(command.number, SENTENCE, kind="memory", on_device=True)
    worker.replies = [failed]
    controller.poll()
    (kept,) = state.runs
    end = kept.recording.time[-1]
    assert 0 < end < 100.0
    assert (kept.state, kept.recording.complete) == ("failed", False)
    assert state.message.text.startswith("This needs 9.1 GB of the GPU's memory")
    assert state.message.text.endswith(f"The first {end:.1f} ms are kept as partial Run 1.")
    assert state.message.action == "use_cpu"
    controller.run_on_cpu()
    assert worker.sent[-1].backend == "cpu"
    assert worker.sent[-1].experiment == command.experiment
    assert state.backend == "auto"  # this once


def test_memory_that_ends_in_the_middle_keeps_what_is_done(short):
    state, worker, controller, command = begin(short)
    worker.replies = [protocol.Failed(command.number, "not enough memory", kind="memory")]
    controller.poll()
    end = state.runs[0].recording.time[-1]
    assert f"The first {end:.1f} ms are kept as partial Run 1." in state.message.text
    assert state.message.action == "keep_less"


def test_the_engine_tells_which_memory_it_was():
    told = _failure(3, OutOfDeviceMemoryError(10**10, 10**9, 0))
    assert (told.number, told.kind, told.on_device) == (3, "memory", True)
    assert "close what else uses the GPU" in told.sentence
    told = _failure(3, MemoryError())
    assert (told.kind, told.on_device) == ("memory", False)


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
    with pytest.raises(LookupError):  # it is of no help
        window.toast.button("Only recorded sites")
    needed = estimate(window.state.cell, window.state.experiment).memory
    window.controllers.run._free_memory = lambda: needed
    window.state.message = None
    window.actions_table["run"].trigger()
    for text in ("Record every 4th step", "Only recorded sites"):
        assert window.toast.button(text).isVisible()
    window.toast.button("Write to disk").click()
    assert isinstance(worker.sent[-1], protocol.Run)
    assert window.state.keeping.on_disk


def test_the_window_offers_the_cpu_where_the_gpus_memory_is_too_small(qtbot):
    worker = QuietWorker()
    window = open_window(qtbot, worker=worker)
    open_cell(qtbot, window, "sample:spn")
    window.actions_table["run"].trigger()
    number = worker.sent[-1].number
    worker.replies = [protocol.Failed(number, SENTENCE, kind="memory", on_device=True)]
    qtbot.waitUntil(lambda: window.state.message is not None)
    qtbot.mouseClick(window.toast.button("Run on the CPU"), Qt.MouseButton.LeftButton)
    assert worker.sent[-1].backend == "cpu"
