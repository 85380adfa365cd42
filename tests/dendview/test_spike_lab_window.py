"""The spike lab in a real window: what is shown of a state, what gestures report, and a journey."""

import json
import os
import signal
from dataclasses import replace

import h5py
import pytest
from PyQt6.QtCore import QPointF, Qt
from PyQt6.QtGui import QImage

from dendview.lab import LabRun, with_outcomes
from dendview.runs import shown_study
from dendview.worker.process import EngineProcess
from engine.experiments.spike_study import GROUPS, Background, Trial
from engine.experiments.spike_trials import Outcome

from .open_window import cut_off, in_perspective, open_cell, open_window


@pytest.fixture
def lab(qtbot, window, tmp_path):
    """A window in the lab, with a cell."""
    window.controllers.spike_lab.home = lambda: tmp_path
    open_cell(qtbot, window, "sample:human_l23", "spike_lab")
    in_perspective(qtbot, window, "spike_lab")
    return window


def finished(window, conditions=GROUPS["all"]):
    """A study that is done: fired from the middle of the points on; one trial failed."""
    plan = window.controllers.spike_plan
    plan.set_conditions(conditions)
    plan.edit(distributed=(100, 120, 140), clusters=(4, 6, 8), n_trials=4)
    study = window.state.lab_study
    outcomes = []
    for trial in study.trials():
        line = 130 if trial.condition.startswith("full") else 110
        fired = trial.n_synapses + 8 * (trial.number % 2) > line
        outcomes.append(Outcome(trial, (540.0,) if fired else (), 0.5))
    outcomes[0] = replace(outcomes[0], spikes=(), failed="the voltage left its range")
    run = with_outcomes(LabRun(1, study, "nowhere", state="done"), tuple(outcomes))
    window.state.lab_runs, window.state.lab_shown = (run,), 1
    return run


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_nothing_is_cut_off_at_the_smallest_size(qtbot, theme):
    window = open_window(qtbot, theme=theme)
    open_cell(qtbot, window, perspective="spike_lab")
    finished(window)
    in_perspective(qtbot, window, "spike_lab")
    least = window.minimumSizeHint()
    assert (least.width() <= 1280, least.height() <= 800) == (True, True)
    assert cut_off(window) == []


def test_half_points_and_their_differences_are_told(qtbot, lab):
    finished(lab)
    qtbot.wait(50)
    text = lab.docks.lab_curves.numbers.toolTip()
    assert "All spines − few spines, distributed" in text
    assert "Clustered − distributed, few spines" in text
    table = lab.docks.lab_curves.numbers.text()
    assert table.count("…") == 8  # four half points and as many differences
    lab.docks.lab_curves.deviation.click()
    assert lab.state.lab_deviation


def test_a_point_leads_to_its_trials_and_a_trial_to_its_place(qtbot, lab):
    run = finished(lab)
    qtbot.wait(50)
    curves, trials = lab.docks.lab_curves, lab.docks.lab_trials
    curve, _, x, y = curves._at[0]
    box = curves.plot.getPlotItem().getViewBox()
    at = curves.plot.mapFromScene(box.mapViewToScene(QPointF(x, y)))
    qtbot.mouseClick(curves.plot.viewport(), Qt.MouseButton.LeftButton, pos=at)
    qtbot.wait(50)
    assert lab.state.lab_point == (curve.condition, 100)
    rows = [trials.list.item(i).text() for i in range(trials.list.count())]
    assert len(rows) == run.study.n_trials
    assert rows[0].startswith("✕")
    assert "the voltage left its range" in rows[0]
    box, trial = trials.grid._boxes[5]
    qtbot.mouseClick(trials.grid, Qt.MouseButton.LeftButton, pos=box.center().toPoint())
    assert lab.state.lab_trial == trial


def test_run_cancel_and_resume_from_the_panel(qtbot, lab):
    panel, worker = lab.docks.lab, lab.controllers.spike_lab._worker
    qtbot.mouseClick(panel.run, Qt.MouseButton.LeftButton)
    work = worker.sent[-1]
    assert work.study == lab.state.lab_study
    qtbot.wait(30)
    assert panel.run.text() == "Cancel"
    qtbot.mouseClick(panel.run, Qt.MouseButton.LeftButton)
    assert lab.state.job.text == "Stopping…"
    lab.controllers.spike_lab.drop()
    qtbot.wait(30)
    assert panel.resume.text() == "Resume 0/200"
    qtbot.mouseClick(panel.resume, Qt.MouseButton.LeftButton)
    assert worker.sent[-1].folder == work.folder


def test_undo_belongs_to_the_plan_in_the_lab(qtbot, lab):
    qtbot.mouseClick(lab.docks.lab.reshuffle, Qt.MouseButton.LeftButton)
    assert lab.state.lab_study.seed == 2
    lab.refresh()
    lab.actions_table["undo"].trigger()
    assert lab.state.lab_study.seed == 1


def test_studies_stand_in_the_project(qtbot, lab):
    finished(lab, GROUPS["few"])
    tree = lab.docks.project
    tree.draw_now()
    flags = Qt.MatchFlag.MatchStartsWith | Qt.MatchFlag.MatchRecursive
    (row,) = tree.tree.findItems("Study 1", flags)
    assert "24 of 24 trials, 1 failed · done" in row.text(0)


def test_curves_are_saved_in_the_theme_that_is_chosen(qtbot, lab, tmp_path):
    finished(lab)
    grounds = {}
    for theme in ("dark", "light"):
        lab.actions_table["export"].trigger()
        dialog = lab.sheet
        dialog.choose("spike_curves")
        assert not dialog.theme.isHidden()
        dialog.theme.setCurrentIndex(dialog.theme.findData(theme))
        qtbot.wait(60)
        seen = dialog.picture.pixmap().toImage()
        path = tmp_path / f"{theme}.png"
        dialog.path.setText(str(path))
        dialog.export.click()
        saved = QImage(str(path))
        assert "distributed" in saved.text("Recipe")
        grounds[theme] = saved.pixelColor(3, 3).lightness()
        assert abs(seen.pixelColor(3, 3).lightness() - grounds[theme]) < 3
    assert grounds["dark"] < 60 < 240 < grounds["light"]


def test_sliders_change_the_spines(qtbot, lab):
    panel = lab.docks.lab_spines
    lab.docks.by_name["spines"].raise_()
    qtbot.wait(50)
    panel.boxes["neck_length"].setValue(2.5)
    assert lab.state.lab_study.spines.shape.neck_length == 2.5
    panel.sliders["head_diameter"].setValue(60)
    shape = lab.state.lab_study.spines.shape
    assert (shape.head_length, shape.head_diameter) == (1.2, 1.2)
    panel.usual.click()
    assert lab.state.lab_study.spines.shape.neck_length == 1.35


# With the real engine


@pytest.fixture(scope="module")
def engine():
    process = EngineProcess()
    yield process
    process.close()


def test_a_study_survives_its_engine_is_resumed_replayed_and_taken_home(
    qtbot, engine, monkeypatch, tmp_path
):
    monkeypatch.setattr(engine, "close", lambda *_, **__: None)
    window = open_window(qtbot, worker=engine, size=(1600, 1000))
    state, controller = window.state, window.controllers.spike_lab
    controller.home = lambda: tmp_path
    open_cell(qtbot, window, "sample:toy15", "spike_lab")
    study = state.lab_study
    window.controllers.spike_plan.edit(
        conditions=("few-distributed",), distributed=(0, 40), n_trials=12,
        cell=replace(study.cell, duration=30.0), input=replace(study.input, time=15.0),
        background=Background(n_trains=4),
    )  # fmt: skip
    window.refresh()
    window.actions_table["run"].trigger()
    qtbot.waitUntil(lambda: state.lab_runs[0].n_done > 0 or state.job is None, timeout=300_000)
    if state.job is not None:  # else it was done before it could be killed
        os.kill(engine.pid, signal.SIGKILL)
        qtbot.waitUntil(lambda: state.job is None, timeout=10_000)
    kept = shown_study(state).n_done
    assert kept > 0
    if kept < 24:
        assert state.message.text.startswith("Engine stopped (signal 9);")
        assert window.toast.button(f"Resume {kept}/24") is not None
        window.toast.button(f"Resume {kept}/24").click()
        qtbot.waitUntil(lambda: state.job is None, timeout=300_000)
    run = shown_study(state)
    assert (run.state, run.n_done, run.n_failed) == ("done", 24, 0)

    fired = next((t for t, o in run.outcomes.items() if o.fired), Trial("few-distributed", 40, 0))
    window.docks.lab_trials.replay_clicked.emit(fired)
    qtbot.waitUntil(lambda: state.job is None, timeout=300_000)
    (replayed,) = state.runs
    assert replayed.state == "done"
    assert tuple(replayed.recording.spikes[:, 1]) == run.outcomes[fired].spikes
    assert state.color_by == "voltage"

    window.settings.folder = str(tmp_path)
    for target, ending in (
        ("spike_trials", "h5"), ("spike_trials", "csv"), ("spike_curves", "svg"),
        ("spike_study", "json"),
    ):  # fmt: skip
        window.actions_table["export"].trigger()
        window.sheet.choose(target)
        window.sheet.format.setCurrentIndex(window.sheet.format.findData(ending))
        window.sheet.export.click()
        assert not window.sheet.isVisible(), window.sheet.error.text()
    with h5py.File(next(tmp_path.glob("*_spike_trials_*.h5"))) as file:
        assert len(file["trials/fired"]) == 24
    assert len(list(tmp_path.glob("*_spike_trials_*.csv"))) == 3
    recipe = json.loads(next(tmp_path.glob("*_spike_study_*.json")).read_text())
    assert recipe["n_trials"] == 12
