"""The engine's chip: what runs, why no GPU does, the choice and the test."""

from dataclasses import replace

import pytest
from PyQt6.QtCore import QPoint, Qt

from dendview.controllers.engine import EngineController, chip_text
from dendview.controllers.run import RunController
from dendview.settings import Settings
from dendview.state import AppState
from dendview.worker.protocol import (
    Cancelled,
    Failed,
    Finished,
    Grown,
    Ready,
    Run,
    Stopped,
    Tried,
    TryEngine,
)
from engine.experiment import default_experiment
from tests.dendview.open_window import QuietWorker, open_cell, open_window
from tests.dendview.schedule_cells import sample_cell
from tests.dendview.small_cell import small_state
from tests.dendview.test_run_controller import opened

REASON = "backend 'gpu' is unavailable: no CUDA device was found, or choose 'cpu'"
CPU, GPU = "CPU · 2 threads", "GPU: NVIDIA H200"


@pytest.fixture
def bench():
    state, worker = AppState(), QuietWorker()
    run = RunController(state, worker)
    controller = EngineController(state, worker, run)

    def say(*replies):
        worker.replies.extend(replies)
        run.poll()

    return state, worker, controller, say


def test_without_a_gpu_the_chip_says_what_runs_and_that_there_is_none(bench):
    state, _, controller, say = bench
    assert chip_text(state).startswith("○")
    say(Ready(CPU, None, REASON, CPU))
    assert chip_text(state) == f"●  {CPU} · no GPU"
    controller.choose("gpu")
    assert state.backend == "auto"
    assert "no CUDA device" in state.message.text
    controller.choose("cpu")
    assert chip_text(state) == f"●  {CPU}"
    controller.choose("tpu")
    assert state.message.kind == "error"


def test_with_a_gpu_the_choice_decides(bench):
    state, _, controller, say = bench
    say(Ready(GPU, None, "", CPU, GPU))
    assert chip_text(state) == f"●  {GPU}"
    controller.choose("cpu")
    assert state.engine == CPU
    controller.choose("gpu")
    assert (state.backend, state.engine) == ("gpu", GPU)


def test_single_precision_is_shown_and_kept_while_the_cpu_runs(bench):
    state, _, controller, say = bench
    state.cell, state.experiment = sample_cell("spn"), default_experiment("sample:spn")
    say(Ready(GPU, 1e-8, "", CPU, GPU))
    assert "s on GPU ·" in state.preflight
    controller.turn_precision()
    assert state.backend == "auto-single"
    assert chip_text(state) == f"●  {GPU}, membrane in single precision"
    assert "GPU in single precision" in state.preflight
    assert " s " not in state.preflight  # its speed is another one, not measured yet
    controller.choose("cpu")
    assert (state.backend, state.engine) == ("cpu", CPU)
    controller.choose("gpu")
    assert (state.backend, state.engine) == ("gpu-single", f"{GPU}, membrane in single precision")
    controller.turn_precision()
    assert (state.backend, state.engine) == ("gpu", GPU)
    state.backend = "auto-single"  # as the settings remember it
    controller.turn_precision()
    assert state.backend == "auto"


def test_the_popup_offers_single_precision_where_there_is_a_gpu(qtbot):
    worker, settings = QuietWorker(), Settings()
    window = open_window(qtbot, worker=worker, settings=settings)
    open_cell(qtbot, window, "sample:spn")
    worker.replies = [Ready(CPU, 1e-8, REASON, CPU)]
    qtbot.waitUntil(lambda: window.state.engine == CPU)
    qtbot.mouseClick(window.chip, Qt.MouseButton.LeftButton)
    popup = window.engine_popup
    assert not popup.single.isEnabled()
    worker.replies = [Ready(GPU, 1e-8, "", CPU, GPU)]
    qtbot.waitUntil(lambda: window.state.engine == GPU)
    assert "double precision" in popup.same.text()
    qtbot.mouseClick(popup.single, Qt.MouseButton.LeftButton, pos=QPoint(8, 8))
    assert popup.single.isChecked()
    assert popup.buttons["auto"].isChecked()
    assert "single precision" in popup.same.text()
    qtbot.waitUntil(lambda: "single precision" in window.chip.text())
    assert settings.backend == "auto-single"
    qtbot.keyClick(popup, Qt.Key.Key_Escape)
    qtbot.waitUntil(window.actions_table["single"].isChecked)
    assert window.actions_table["engine:auto"].isChecked()
    window.actions_table["run"].trigger()
    assert worker.sent[-1].backend == "auto-single"
    window.actions_table["single"].trigger()
    assert window.state.backend == "auto"


def test_where_auto_leaves_the_gpu_alone_it_says_why(bench):
    state, _, controller, say = bench
    say(Ready(CPU, 1e-8, "", CPU, GPU, "1 cell would leave most of it idle"))
    assert chip_text(state) == f"●  {CPU}"
    assert "idle" in state.engine_note
    controller.choose("gpu")
    assert state.engine == GPU
    assert state.engine_note == ""


def test_an_estimate_is_made_with_the_speed_of_what_runs(bench):
    state, _, controller, say = bench
    state.cell, state.experiment = sample_cell("spn"), default_experiment("sample:spn")
    say(Ready(CPU, 1e-8, "", CPU, GPU))
    assert "s on CPU" in state.preflight
    controller.choose("gpu")  # nothing was measured on it yet
    assert " s " not in state.preflight
    assert "GPU" in state.preflight


def test_a_test_may_find_a_gpu_that_was_not_there(bench):
    state, worker, controller, say = bench
    say(Ready(CPU, None, REASON, CPU))
    controller.test()
    controller.test()  # one at a time
    (sent,) = worker.sent
    assert isinstance(sent, TryEngine)
    assert state.engine_trial == ("Testing…",)
    say(Tried(sent.number, ("✓ CPU: fine.", "✓ GPU: fine."), GPU, "", GPU))
    assert state.engine_trial[1] == "✓ GPU: fine."
    assert state.no_gpu == ""
    assert state.engine == GPU


@pytest.mark.parametrize("end", [Finished, Cancelled, Failed])
def test_after_one_run_on_the_cpu_the_chip_says_what_the_next_will_use(end):
    state, worker = small_state(), QuietWorker()
    run = RunController(state, worker)
    EngineController(state, worker, run)
    worker.replies = [Ready(GPU, 1e-8, "", CPU, GPU)]
    run.poll()
    run.run_on_cpu()
    (sent,) = worker.sent
    started, chunks = opened(sent)
    worker.replies = [replace(started, engine=CPU), Grown(sent.number, next(iter(chunks)))]
    run.poll()
    assert chip_text(state) == f"●  {CPU}"
    worker.replies = [end(sent.number, "it broke" if end is Failed else 0.1)]
    run.poll()
    assert chip_text(state) == f"●  {GPU}"
    assert state.backend == "auto"


@pytest.mark.parametrize("reply", [Failed(1, "it broke"), Stopped("Engine stopped.")])
def test_a_test_that_breaks_is_over(bench, reply):
    state, worker, controller, say = bench
    controller.test()
    say(reply)
    assert state.engine_trial[0].startswith("✗")
    controller.test()
    assert len(worker.sent) == 2


def test_the_popup_tells_chooses_and_tests(qtbot):
    worker, settings = QuietWorker(), Settings()
    window = open_window(qtbot, worker=worker, settings=settings)
    open_cell(qtbot, window, "sample:spn")
    worker.replies = [Ready(CPU, 1e-8, REASON, CPU)]
    qtbot.waitUntil(lambda: window.state.engine == CPU)
    qtbot.mouseClick(window.chip, Qt.MouseButton.LeftButton)
    popup = window.engine_popup
    assert popup.isVisible()
    assert REASON in popup.reason.text()
    assert "on CPU" in popup.estimate.text()
    assert not popup.buttons["gpu"].isEnabled()
    qtbot.mouseClick(popup.test, Qt.MouseButton.LeftButton)
    assert isinstance(worker.sent[-1], TryEngine)
    assert not popup.test.isEnabled()
    worker.replies = [Tried(worker.sent[-1].number, ("✗ No NVIDIA driver.",), CPU, REASON)]
    qtbot.waitUntil(lambda: "No NVIDIA driver" in popup.trial.text())
    circle = QPoint(8, popup.buttons["cpu"].height() // 2)
    qtbot.mouseClick(popup.buttons["cpu"], Qt.MouseButton.LeftButton, pos=circle)
    assert window.state.backend == "cpu"
    assert settings.backend == "cpu"
    qtbot.keyClick(popup, Qt.Key.Key_Escape)
    assert not popup.isVisible()
    window.actions_table["run"].trigger()
    assert isinstance(worker.sent[-1], Run)
    assert worker.sent[-1].backend == "cpu"
