"""The training lab in a real window: what is shown of a state, what gestures report, a journey."""

import json
import os
import signal

import h5py
import pytest
from PyQt6.QtCore import QPointF, Qt
from PyQt6.QtTest import QTest

from dendview.training import TrainingRun, find_run
from dendview.views.training_foot import place, rate_at
from dendview.worker import protocol
from dendview.worker.process import EngineProcess
from engine.experiments.hpc_net.spec import PRESETS, hidden_cell
from engine.experiments.hpc_net.state import Epoch, Point, RateChange
from engine.exporting.training_run import Order

from .open_window import cut_off, open_cell, open_window

LEFT = Qt.MouseButton.LeftButton


def at_home(window, folder):
    window.controllers.training.home = lambda: folder / "trainings"
    window.controllers.training_plan.images = lambda: folder / "images"


@pytest.fixture
def lab(qtbot, window, tmp_path):
    """A window in the training lab, its digits looked at."""
    at_home(window, tmp_path)
    open_cell(qtbot, window, "sample:human_l23", "training")
    ready(qtbot, window)
    return window


def ready(qtbot, window):
    qtbot.waitUntil(lambda: window.state.training_data.state == "ready", timeout=20_000)
    qtbot.wait(40)


def finished(window, n_epoch=4, number=1, state="paused"):
    """A training with curves, without files."""
    learned = PRESETS["quick"]
    points = tuple(
        Point((k + 1) / 10, 2.3 / (1 + k / 5), min(0.1 + k / 40, 1.0), 0.05)
        for k in range(10 * n_epoch)
    )
    epochs = tuple(
        Epoch(k + 1, 1 / (k + 1), 0.9, 1.1 / (k + 1), 0.9 + k / 100, 0.05, 0.4)
        for k in range(n_epoch)
    )
    run = TrainingRun(
        number, learned, "nowhere", points, epochs, (RateChange(2.3, 0.02),), state=state,
        n_batch=90, fraction=n_epoch / 25, rate=0.02, saved=float(n_epoch),
        kept=tuple(range(n_epoch + 1)),
    )  # fmt: skip
    window.state.training_runs = (*window.state.training_runs, run)
    window.state.training_shown = number
    return run


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_nothing_is_cut_off_at_the_smallest_size(qtbot, theme, tmp_path):
    window = open_window(qtbot, theme=theme)
    at_home(window, tmp_path)
    open_cell(qtbot, window, perspective="training")
    ready(qtbot, window)
    finished(window)
    qtbot.wait(200)
    least = window.minimumSizeHint()
    assert (least.width() <= 1280, least.height() <= 800) == (True, True)
    assert cut_off(window) == []
    page = window.docks.training.form.parentWidget()
    assert page.minimumSizeHint().width() <= page.parentWidget().width()


def test_the_start_page_leads_to_a_training_of_the_digits(qtbot, window, tmp_path):
    at_home(window, tmp_path)
    (card, *_) = window.start_page.image_cards
    card.setFocus()
    QTest.keyClick(card, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.state.perspective == "training", timeout=30_000)
    ready(qtbot, window)
    assert window.state.cell.source == window.state.training_plan.network.cell.morphology
    assert "1\u202f437 to learn from" in window.docks.training.data.found.text()
    assert window.docks.training.data.pictures.pixmap().width() > 100


def test_missing_images_are_offered_in_three_ways(qtbot, lab):
    view = lab.docks.training.data
    view.cards[1].setFocus()
    QTest.keyClick(view.cards[1], Qt.Key.Key_Space)
    qtbot.wait(50)
    assert "not on this machine: 11.6 MB" in view.found.text()
    assert not lab.docks.training.foot.start.isEnabled()
    qtbot.mouseClick(view.download, LEFT)
    assert isinstance(lab.controllers.training._worker.sent[-1], protocol.FetchData)
    qtbot.wait(50)
    assert view.bar.isVisible()
    lab.controllers.training_fetch.drop()
    qtbot.wait(50)
    assert "stopped" in view.error.text()
    qtbot.mouseClick(view.digits, LEFT)
    ready(qtbot, lab)
    assert lab.state.training_plan.data == "digits"


def test_settings_are_edited_switched_and_taken_back(qtbot, lab):
    form, state = lab.docks.training.form, lab.state
    rate = form.boxes["learning", "rate", "Learning rate"]
    rate.setValue(0.25)
    assert state.training_plan.learning.rate == 0.25
    assert state.training_plan.name == ""
    _, text = form.switches["sign"]
    qtbot.mouseClick(text, LEFT)
    assert state.training_plan.learning.sign == "ascend"
    form.all_chosen.emit("text")
    learning, network = state.training_plan.learning, state.training_plan.network
    assert (learning.start, learning.softmax) == (30.0, "mean")
    assert (network.placement, network.biases) == ("dendrite", False)
    qtbot.wait(50)
    assert all(text.isChecked() and not code.isChecked() for code, text in form.switches.values())
    lab.refresh()
    for _ in range(3):  # the five lines are one step
        lab.actions_table["undo"].trigger()
    assert state.training_plan.learning == PRESETS["quick"].learning
    assert state.training_plan.name == "quick"


def test_a_refused_setting_is_shown_as_it_was(qtbot, lab):
    box = lab.docks.training.form.boxes["learning", "stop", "Learn until"]
    box.setValue(90.0)
    qtbot.wait(50)
    assert box.value() == 50.0
    assert "does not fit into a sample" in lab.state.message.text


def test_buttons_start_pause_and_resume_and_the_slider_steers(qtbot, lab):
    foot, worker = lab.docks.training.foot, lab.controllers.training._worker
    qtbot.mouseClick(foot.start, LEFT)
    work = worker.sent[-1]
    assert isinstance(work, protocol.Train)
    qtbot.wait(50)
    assert (foot.pause.isVisible(), foot.start.isVisible()) == (True, False)
    foot.slider.setValue(place(0.5))
    assert worker.sent[-1] == protocol.Steer(work.number, Order(rate=rate_at(place(0.5))))
    qtbot.mouseClick(foot.pause, LEFT)
    assert worker.sent[-1] == protocol.Cancel(work.number)
    qtbot.wait(50)
    assert (foot.doing.text(), foot.stop.isEnabled()) == ("Pausing…", False)
    worker.replies = [protocol.Cancelled(work.number, 0.1)]
    qtbot.waitUntil(lambda: foot.resume.isVisible())
    qtbot.mouseClick(foot.resume, LEFT)
    assert (worker.sent[-1].resume, worker.sent[-1].folder) == (True, work.folder)


def test_a_pause_that_takes_long_is_told_and_may_be_ended_at_once(qtbot, lab):
    foot, training = lab.docks.training.foot, lab.controllers.training
    worker = training._worker
    qtbot.mouseClick(foot.start, LEFT)
    work = worker.sent[-1]
    worker.replies = [
        protocol.Trained(
            work.number, (), (), (), "learning", 3, 90, 2.1, 0.3, 0.01, 0.05, 3.0, 4000.0, 0.0,
            (0,), "", "", False,
        )
    ]  # fmt: skip
    qtbot.waitUntil(foot.save.isEnabled)
    qtbot.mouseClick(foot.pause, LEFT)
    training._cancelled_at -= 10.0
    qtbot.waitUntil(lambda: foot.stop.text() == "End now")
    qtbot.wait(50)
    assert foot.doing.text() == "Pausing after this batch…"
    assert "is lost" in foot.stop.toolTip()
    assert (foot.pause.isEnabled(), foot.save.isEnabled()) == (False, False)
    assert lab.toast.isVisible()
    assert cut_off(foot) == []
    qtbot.mouseClick(lab.toast.button("End now"), LEFT)
    qtbot.waitUntil(foot.resume.isVisible)
    assert not training.running


def test_closing_the_window_lets_a_training_save_first(qtbot, lab):
    foot, worker = lab.docks.training.foot, lab.controllers.training._worker
    qtbot.mouseClick(foot.start, LEFT)
    work = worker.sent[-1]
    begun = protocol.Trained(
        work.number, (), (), (), "learning", 3, 90, 2.1, 0.3, 0.01, 0.05, 3.0, 4000.0, None, (0,),
        "", "", False,
    )  # fmt: skip
    worker.replies = [begun]
    qtbot.waitUntil(foot.save.isEnabled)
    ended = []

    def send(command):
        worker.sent.append(command)
        if isinstance(command, protocol.Cancel):
            worker.replies = [protocol.Cancelled(command.number, 0.1)]

    worker.send = send
    worker.close = lambda: ended.append((worker.sent[-1], worker.replies))
    lab.close()
    assert ended == [(protocol.Cancel(work.number), [])]
    assert find_run(lab.state.training_runs, 1).state == "paused"


def test_a_smaller_batch_is_for_the_training_that_did_not_fit(qtbot, lab):
    other = finished(lab, number=1)
    foot, worker = lab.docks.training.foot, lab.controllers.training._worker
    qtbot.mouseClick(foot.start, LEFT)
    work = worker.sent[-1]
    lab.controllers.training.show(1)
    worker.replies = [protocol.Failed(work.number, "not enough memory", kind="memory")]
    qtbot.waitUntil(lambda: lab.toast.isVisible())
    qtbot.mouseClick(lab.toast.button("Halve the batch"), LEFT)
    again = worker.sent[-1]
    assert isinstance(again, protocol.Train)
    assert (again.folder, again.batch) == (work.folder, work.training.learning.batch // 2)
    assert find_run(lab.state.training_runs, 1) == other


def test_a_click_on_the_curves_chooses_an_epoch(qtbot, lab):
    finished(lab)
    curves = lab.docks.training_curves
    qtbot.wait(200)
    assert "test" in curves.legend.text()
    box = curves.accuracy.getPlotItem().getViewBox()
    low, high = box.viewRange()[1]
    at = curves.accuracy.mapFromScene(box.mapViewToScene(QPointF(2.1, (low + high) / 2)))
    qtbot.mouseClick(curves.accuracy.viewport(), LEFT, pos=at)
    assert lab.state.training_choice.epoch == 2
    lab.refresh()
    lab.actions_table["epoch_back"].trigger()
    assert lab.state.training_choice.epoch == 1
    lab.actions_table["epoch_last"].trigger()
    assert lab.state.training_choice.epoch is None


def test_earlier_trainings_stand_in_the_table_and_are_brought_to_the_front(qtbot, lab):
    finished(lab, 4, 1, "done")
    finished(lab, 2, 2, "stopped")
    table = lab.docks.training_runs.table
    qtbot.wait(50)
    texts = [[table.item(r, c).text() for c in range(table.columnCount())] for r in range(2)]
    assert texts[0][:4] == ["2", "digits · quick", "2/25", "91.00 %"]
    assert texts[1][3:5] == ["93.00 %", "93.00 %"]
    at = table.visualItemRect(table.item(1, 1)).center()
    qtbot.mouseClick(table.viewport(), LEFT, pos=at)
    assert lab.state.training_shown == 1
    lab.docks.training_runs.plan_wanted.emit(1)
    assert lab.state.training_plan == find_run(lab.state.training_runs, 1).training
    lab.docks.training_runs.forget_wanted.emit(2)
    assert [run.number for run in lab.state.training_runs] == [1]


def test_trainings_stand_in_the_project(qtbot, lab):
    finished(lab, 4, 1, "done")
    tree = lab.docks.project
    tree.draw_now()
    flags = Qt.MatchFlag.MatchStartsWith | Qt.MatchFlag.MatchRecursive
    (row,) = tree.tree.findItems("Training 1", flags)
    assert "4 of 25 epochs · test 93.00 % · done" in row.text(0)


def test_conductances_are_simulated_and_bring_their_numbers(qtbot, lab):
    form, state = lab.docks.training.form, lab.state
    peak = form.boxes["conductance", "peak", "Peak of a synapse"]
    assert not peak.isVisibleTo(form)
    combo = form.combos["conductance"]
    combo.setCurrentIndex(1)
    combo.activated.emit(1)
    assert state.training_plan.way == "compartmental"
    qtbot.wait(50)
    assert peak.isVisibleTo(form)
    peak.setValue(5e-4)
    assert state.training_plan.network.conductance.peak == 5e-4
    qtbot.wait(50)
    assert (combo.currentIndex(), form.combos["way"].currentIndex()) == (1, 1)


def test_a_training_runs_longer_where_the_plan_has_more_epochs(qtbot, lab):
    finished(lab, 4, 1, "done")
    lab.controllers.training_plan.edit("learning", epochs=9)
    lab.docks.training_runs.longer_wanted.emit(1)
    work = lab.controllers.training._worker.sent[-1]
    assert (work.resume, work.training.learning.epochs) == (True, 9)
    assert lab.state.training_runs[0].state == "running"


# With the real engine


@pytest.fixture(scope="module")
def engine():
    process = EngineProcess()
    yield process
    process.close()


N_EPOCH = 20


def small(window):
    """A network that learns in a second: few neurons on a small cell."""
    plan = window.controllers.training_plan
    cell = hidden_cell("sample:spn", axon="keep")
    plan.edit("network", n_hidden=12, cell=cell)
    plan.edit("learning", epochs=N_EPOCH)


def test_a_training_is_paused_survives_its_engine_and_is_taken_home(
    qtbot, engine, monkeypatch, tmp_path
):
    monkeypatch.setattr(engine, "close", lambda *_, **__: None)
    window = open_window(qtbot, worker=engine, size=(1600, 1000))
    state, controllers = window.state, window.controllers
    at_home(window, tmp_path)
    open_cell(qtbot, window, "sample:spn", "training")
    ready(qtbot, window)
    small(window)
    foot = window.docks.training.foot

    def run():
        return find_run(state.training_runs, state.training_shown)

    qtbot.mouseClick(foot.start, LEFT)
    qtbot.waitUntil(lambda: run().n_epoch >= 1, timeout=120_000)
    controllers.training.set_rate(0.04)
    qtbot.waitUntil(lambda: bool(run().changes), timeout=20_000)
    controllers.training.pause()
    assert state.job.text == "Pausing…"  # said at once
    qtbot.waitUntil(lambda: state.job is None, timeout=20_000)
    assert run().saved == pytest.approx(run().at)
    assert run().state == "paused"

    qtbot.waitUntil(foot.resume.isEnabled)
    qtbot.mouseClick(foot.resume, LEFT)
    assert state.job is not None
    qtbot.waitUntil(lambda: run().phase != "preparing" or state.job is None, timeout=60_000)
    if state.job is not None:  # else it was done before it could be killed
        os.kill(engine.pid, signal.SIGKILL)
        qtbot.waitUntil(lambda: state.job is None, timeout=20_000)
        assert (run().state, run().trouble) == ("stopped", "engine")
        assert state.message.text.startswith("Engine stopped (signal 9).")
        button = next(b for b in window.toast._buttons if b.text().startswith("Resume at epoch"))
        button.click()
    qtbot.waitUntil(lambda: run().state == "done", timeout=120_000)
    assert run().n_epoch == N_EPOCH
    assert run().changes[0].rate == 0.04
    assert run().kept == tuple(range(N_EPOCH + 1))
    assert run().test_accuracy > 0.5

    again = open_window(qtbot, size=(1280, 800))  # the next day
    at_home(again, tmp_path)
    open_cell(qtbot, again, "sample:spn", "training")
    (found,) = again.state.training_runs
    assert (found.state, found.epochs, found.number) == ("done", run().epochs, 1)
    again.close()

    window.settings.folder = str(tmp_path)
    for target, ending in (
        ("training_curves", "svg"), ("training_tables", "csv"), ("training_weights", "h5"),
        ("training_checkpoint", "h5"), ("training_recipe", "json"),
    ):  # fmt: skip
        window.refresh()
        window.actions_table["export"].trigger()
        window.sheet.choose(target)
        window.sheet.format.setCurrentIndex(window.sheet.format.findData(ending))
        window.sheet.export.click()
        assert not window.sheet.isVisible(), window.sheet.error.text()
    recipe = json.loads(next(tmp_path.glob("*_training_recipe_*.json")).read_text())
    assert recipe["network"]["n_hidden"] == 12
    with h5py.File(next(tmp_path.glob("*_training_weights_*.h5"))) as file:
        assert file["hidden"].shape == (64, 12, 1)
    assert len(list(tmp_path.glob("*_training_tables_*.csv"))) == 2


def test_a_rate_that_is_much_too_large_pauses_the_training(qtbot, engine, monkeypatch, tmp_path):
    monkeypatch.setattr(engine, "close", lambda *_, **__: None)
    window = open_window(qtbot, worker=engine, size=(1280, 800))
    state, controllers = window.state, window.controllers
    at_home(window, tmp_path)
    open_cell(qtbot, window, "sample:spn", "training")
    ready(qtbot, window)
    small(window)
    controllers.run._last_token = 100  # the engine has heard the numbers of another window
    controllers.training_plan.edit("learning", rate=1e150)
    controllers.training.start()
    qtbot.waitUntil(lambda: state.job is None, timeout=120_000)
    (run,) = state.training_runs
    assert (run.state, run.trouble, run.rate_wanted) == ("paused", "loss", 1e149)
    assert "is no number any more" in state.message.text
    button = next(b for b in window.toast._buttons if b.text().startswith("Resume at epoch 0.00"))
    assert "rate 1e+149" in button.text()


def test_the_plan_says_what_a_folder_holds(qtbot, lab, tmp_path):
    folder = tmp_path / "wrong"
    folder.mkdir()
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (folder / f"{name}-ubyte").write_bytes(b"no images")
    lab.controllers.training_plan.choose_folder(str(folder))
    qtbot.waitUntil(lambda: lab.state.training_data.state == "wrong", timeout=10_000)
    qtbot.wait(50)
    assert "no IDX file" in lab.docks.training.data.error.text()
