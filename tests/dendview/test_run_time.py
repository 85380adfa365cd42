"""Run times from the button to the panel, with an engine of our own making."""

import csv
from dataclasses import replace

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QImage

from dendview.controllers.run import RunController
from dendview.controllers.run_time import RunTimeController
from dendview.run_time_scene import caption, digits, remarks
from dendview.state import AppState, Job
from dendview.views.run_time_table import is_wide_range, shares
from dendview.views.run_time_view import RunTimeView
from dendview.worker import protocol
from dendview.worker.protocol import Cancel, Cancelled, Failed, Finished, Measure, Measured, Stopped
from engine.experiment import Experiment
from engine.experiments.timings import Progress, Row, RunTimes, Timing, Way
from engine.spines import SpineDensity
from tests.dendview.open_window import QuietWorker, in_perspective, open_cell, open_window
from tests.dendview.schedule_cells import sample_cell

REASON = "backend 'gpu' is unavailable: no CUDA device found; choose 'cpu' or 'auto'"


def result(complete=True, sizes=(1, 100), threads=16) -> RunTimes:
    serial = Way("cpu-hines", "Serial Hines", "one by one", "cpu", "hines", threads, 268)
    own = Way("cpu-engine", "DendView's CPU solve", "", "cpu", "hines", threads, 268, 8)
    gpu = Way("gpu-dhs", "DHS on a GPU", "", "gpu", "dhs", threads, 21)
    timings = tuple(Timing(n, 269, 2e-6 * n, 1e-6 * n, 3e-6 * n, 5) for n in sizes)
    rows = Row(serial, timings), Row(own, timings), Row(gpu, missing=REASON)
    return RunTimes(
        "spn", 269, threads, (1, 100), rows, ("A core",), "2026-11-22T12:30:00+00:00", "", complete
    )


@pytest.fixture
def state():
    state = AppState()
    state.cell = sample_cell("spn")
    return state


@pytest.fixture
def worker():
    return QuietWorker()


@pytest.fixture
def clock():
    now = [0.0]

    def tell() -> float:
        return now[0]

    tell.now = now
    return tell


@pytest.fixture
def controller(state, worker, clock):
    run = RunController(state, worker, clock)
    made = RunTimeController(state, worker, run, clock)
    made.say = lambda *replies: (worker.replies.extend(replies), run.poll(), made.poll())
    return made


def test_a_measurement_is_followed_to_its_end(state, worker, clock, controller):
    controller.start()
    sent = worker.sent[-1]
    assert isinstance(sent, Measure)
    assert sent.job.n_threads == state.n_threads
    assert sent.job.system.n_comp == state.cell.trees["neuron"].n_comp
    assert state.job is not None
    assert state.job.fraction is None
    controller.say(protocol.Ready("CPU · 2 threads", None, REASON))
    assert state.no_gpu == REASON
    assert "compiling" in state.job.text
    clock.now[0] = 10.0
    controller.say(Measured(sent.number, Progress("Serial · 1 cell", 0.25, result(False, (1,)))))
    assert state.job.fraction == 0.25
    assert state.job.remaining == pytest.approx(30.0)
    assert state.run_times.measured_sizes == (1,)
    controller.say(Measured(sent.number, Progress("done", 1.0, result())), Finished(sent.number, 9))
    assert state.job is None
    assert state.run_times.complete
    assert state.message.kind == "done"


def test_results_come_back_with_their_threads_and_go_with_their_cell(state, controller, worker):
    controller.start()
    number = worker.sent[-1].number
    controller.say(Measured(number, Progress("done", 1.0, result())), Finished(number, 1.0))
    state.n_threads = 4
    assert state.run_times is None
    state.nodes = "merged"
    state.n_threads = 16
    assert state.run_times is None
    state.nodes = "neuron"
    assert state.run_times is not None
    state.cell = sample_cell("toy15")
    assert state.run_times is None


def test_spines_of_the_experiment_are_measured_and_told(state, controller, worker):
    state.experiment = Experiment("sample:spn", spine_density=(SpineDensity(),))
    controller.start()
    job = worker.sent[-1].job
    assert (job.experiment, job.nodes) == (state.experiment, "neuron")
    done = replace(result(), n_comp=4269, n_spine=1000)
    number = worker.sent[-1].number
    controller.say(Measured(number, Progress("done", 1.0, done)), Finished(number, 1.0))
    assert "4\u202f269 nodes, 1\u202f000 spines among them" in caption(state.run_times)
    state.experiment = replace(state.experiment, duration=5.0)
    assert state.run_times is not None
    state.experiment = replace(state.experiment, spine_density=())
    assert state.run_times is None  # another tree
    controller.start()
    assert worker.sent[-1].job.experiment is None


def test_a_cancel_is_heard_at_once_and_keeps_what_is_measured(state, controller, worker):
    controller.start()
    number = worker.sent[-1].number
    controller.say(Measured(number, Progress("x", 0.5, result(False, (1,)))))
    controller.cancel()
    assert state.job.text == "Stopping…"
    assert worker.sent[-1] == Cancel(number)
    controller.say(Measured(number, Progress("x", 0.6, result(False, (1,)))))
    assert state.job.text == "Stopping…"
    controller.say(Cancelled(number, 1.0))
    assert state.job is None
    assert state.run_times.measured_sizes == (1,)
    assert "kept" in state.message.text


def test_an_engine_that_does_not_hear_is_replaced(state, controller, worker, clock):
    controller.start()
    controller.cancel()
    clock.now[0] = 5.0
    controller.poll()
    assert state.job is None
    assert not controller.measuring


@pytest.mark.parametrize(
    "reply", [Failed(1, "a cell of 9 nodes cannot be measured"), Stopped("Engine stopped.")]
)
def test_what_goes_wrong_is_told_and_the_next_one_can_begin(state, controller, worker, reply):
    controller.start()
    controller.say(reply)
    assert state.job is None
    assert state.message.text.startswith(reply.sentence[:10])
    controller.start()
    assert isinstance(worker.sent[-1], Measure)


def test_nothing_is_measured_beside_something_else(state, controller, worker):
    state.job = Job("Run 1")
    controller.start()
    assert worker.sent == []
    assert state.message.kind == "warning"
    assert state.job == Job("Run 1")


def test_another_cell_ends_its_measurement(state, controller, worker):
    controller.start()
    number = worker.sent[-1].number
    state.cell = sample_cell("toy15")
    assert worker.sent[-1] == Cancel(number)
    assert state.job is None
    controller.say(Measured(number, Progress("x", 0.6, result(False, (1,)))))
    assert state.run_times is None


@pytest.fixture
def view(qtbot, state):
    made = RunTimeView(state)
    qtbot.addWidget(made)
    made.resize(1000, 360)
    with qtbot.waitExposed(made):
        made.show()
    return made


def texts(view) -> list[list[str]]:
    table = view.figure.bars.table
    columns = range(table.columnCount())
    return [
        [cell.text().strip() if (cell := table.item(row, c)) else "" for c in columns]
        for row in range(table.rowCount())
    ]


def test_the_panel_tells_predicted_from_measured(qtbot, state, view):
    state.run_times = result()
    qtbot.waitUntil(lambda: len(texts(view)) == 3 and texts(view)[0][2] == "0.2 ms")
    serial, own, gpu = texts(view)
    assert serial == ["Serial Hines", "268", "0.2 ms", "7.43", "8"]  # for 100 cells
    assert own[1] == "268 for 8"
    assert gpu[1] == "21"
    assert gpu[2] == REASON
    heads = [view.figure.bars.table.horizontalHeaderItem(c).text() for c in (1, 2)]
    assert "predicted" in heads[0]
    assert "measured" in heads[1]
    assert "A core" in view.figure.caption.text()
    assert "22 Nov 2026" in view.figure.caption.text()
    assert REASON in remarks(state.run_times)


def test_bars_follow_the_number_of_cells_and_curves_their_unit(qtbot, state, view):
    state.run_times = result()
    qtbot.waitUntil(lambda: view.cells.count() == 2)
    view.cells.setFocus()
    qtbot.keyClick(view.cells, Qt.Key.Key_Up)
    view.cells.activated.emit(view.cells.currentIndex())
    qtbot.waitUntil(lambda: texts(view)[0][2] == "0.002 ms")
    axis = view.figure.curves.plot.getAxis("left")
    qtbot.waitUntil(lambda: axis.labelText == "ms per solve")
    view.unit.setCurrentIndex(1)
    view.unit.activated.emit(1)
    qtbot.waitUntil(lambda: axis.labelText == "ns per node")


def test_the_button_measures_then_cancels(qtbot, state, view):
    qtbot.waitUntil(view.measure.isEnabled)
    with qtbot.waitSignal(view.measure_clicked):
        qtbot.mouseClick(view.measure, Qt.MouseButton.LeftButton)
    state.job = Job("Run time: x", 0.5, 3.0, kind="run_time")
    qtbot.waitUntil(lambda: view.measure.text() == "Cancel")
    assert view.progress.value() == 500
    with qtbot.waitSignal(view.cancel_clicked):
        qtbot.mouseClick(view.measure, Qt.MouseButton.LeftButton)
    state.job = Job("Run 1: 3 of 300 ms", 0.01)
    qtbot.waitUntil(lambda: not view.measure.isEnabled())


def test_a_narrow_panel_shows_bars_or_curves(qtbot, state, view):
    state.run_times = result()
    view.resize(420, 220)
    qtbot.waitUntil(view.figure.bars.isVisible)
    assert not view.figure.curves.isVisible()
    qtbot.mouseClick(view.which.buttons()[1], Qt.MouseButton.LeftButton)
    assert not view.figure.bars.isVisible()
    assert view.figure.curves.isVisible()


def test_table_and_figure_can_be_saved(qtbot, state, view, tmp_path):
    state.run_times = result()
    view.resize(420, 220)  # the figure has both parts all the same
    for ending in ("png", "svg", "csv"):
        view.export(tmp_path / f"times.{ending}")
    image = QImage(str(tmp_path / "times.png"))
    assert image.width() > 2000
    assert b"<svg" in (tmp_path / "times.svg").read_bytes()
    with (tmp_path / "times.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6
    assert rows[0]["predicted_steps"] == "268"
    assert float(rows[1]["measured_ms_per_solve"]) == pytest.approx(0.2)
    assert rows[-1]["not_measured_because"] == REASON


def test_bars_of_a_device_a_thousand_times_as_fast_are_still_seen():
    near = [Timing(1, 9, s, s, s, 5) for s in (1.0, 2.0, 4.0)]
    assert [shares(near)(t.seconds) for t in near] == [0.25, 0.5, 1.0]
    assert not is_wide_range(near)
    far = [Timing(1, 9, s, 0.9 * s, 1.1 * s, 5) for s in (1e-3, 1e-1, 1.0)]
    assert is_wide_range(far)
    lengths = [shares(far)(t.seconds) for t in far]
    assert lengths == sorted(lengths)
    assert lengths[0] > 0.05
    assert shares(far)(1.1) == pytest.approx(1.0)


def test_numbers_are_short_and_dates_that_are_none_stay():
    assert [digits(x) for x in (0.01234, 4.5678, 1234.5, 2e-6)] == [
        "0.0123", "4.57", "1\u202f234", "2.0e-06",
    ]  # fmt: skip
    assert "today" in caption(replace(result(), date="today"))


def test_the_window_measures_by_menu_and_cancels_by_escape(qtbot):
    worker = QuietWorker()
    window = open_window(qtbot, worker=worker)
    open_cell(qtbot, window, "sample:spn")
    in_perspective(qtbot, window, "explore")
    qtbot.keyClick(window, Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)
    assert window.state.perspective == "schedule"
    assert window.controllers.run_time.measuring
    assert window.docks.run_time.isVisible()
    number = worker.sent[-1].number
    qtbot.waitUntil(window.actions_table["cancel"].isEnabled)
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert worker.sent[-1] == Cancel(number)
    worker.replies += [
        Measured(number, Progress("x", 0.6, result(False, (1,)))), Cancelled(number, 1.0),
    ]  # fmt: skip
    qtbot.waitUntil(lambda: window.state.job is None)
    assert window.state.run_times.measured_sizes == (1,)
