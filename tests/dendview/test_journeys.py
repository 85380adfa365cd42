"""A person's way through the real window with the real engine in its own process."""

import os
import signal

import h5py
import numpy as np
import pytest

from dendview.cell_menus import context_menu
from dendview.worker.process import EngineProcess

from .open_window import in_perspective, open_cell, open_window


@pytest.fixture(scope="module")
def engine():
    process = EngineProcess()
    yield process
    process.close()


@pytest.fixture
def window(qtbot, engine, monkeypatch):
    monkeypatch.setattr(engine, "close", lambda *_, **__: None)  # the next test uses it too
    return open_window(qtbot, worker=engine, size=(1600, 1000))


def choose(window, segment, text):
    next(a for a in context_menu(window, segment).actions() if a.text() == text).trigger()


def run(qtbot, window):
    """Press F5 and wait for the end."""
    window.refresh()
    window.actions_table["run"].trigger()
    assert window.state.job is not None
    qtbot.waitUntil(lambda: window.state.job is None, timeout=120_000)


def test_simulate_by_pointing_and_take_the_data_home(qtbot, window, tmp_path):
    cell = open_cell(qtbot, window, "sample:human_l23")
    state = window.state
    soma, tip = int(cell.distance.argmin()), int(cell.distance.argmax())
    choose(window, soma, "Current clamp here")
    choose(window, tip, "Record voltage here")
    window.controllers.experiment.edit(duration=60.0)
    window.controllers.experiment.edit_clamp(0, delay=10.0, duration=40.0, amplitude=2.0)
    run(qtbot, window)
    assert state.perspective == "simulate"
    assert state.message.text.startswith("Done in")
    (first,) = state.runs
    assert (first.state, first.recording.complete) == ("done", True)
    voltage = first.recording.values[:, 0]
    assert voltage[0].max() > -40  # the soma answers
    assert voltage[0].max() > voltage[1].max()  # more than the tip does
    assert state.color_by == "voltage"

    window.docks.time_player.time_chosen.emit(30.0)
    assert state.time == 30.0
    window.docks.traces.probe_clicked.emit(1)
    assert state.selection == tip

    window.settings.folder = str(tmp_path)
    for target, ending in (("traces", "csv"), ("traces", "h5"), ("spikes", "csv"), ("plot", "png")):
        window.actions_table["export"].trigger()
        window.sheet.choose(target)
        window.sheet.format.setCurrentIndex(window.sheet.format.findData(ending))
        window.sheet.export.click()
        assert not window.sheet.isVisible(), window.sheet.error.text()
    (table,) = tmp_path.glob("*_traces_*.csv")
    rows = [line for line in table.read_text().splitlines() if line[:1].isdigit()]
    last = np.array(rows[-1].split(","), float)
    np.testing.assert_allclose(last[1:], voltage[:, -1], rtol=1e-6)
    (data,) = tmp_path.glob("*_traces_*.h5")
    with h5py.File(data) as file:
        units = []
        file.visititems(
            lambda _, item: units.append(item.attrs.get("unit", item.attrs.get("units")))
        )
    assert "mV" in [str(unit) for unit in units] or any("mV" in str(unit) for unit in units)

    window.refresh()
    window.actions_table["undo"].trigger()
    in_perspective(qtbot, window, "simulate")
    items = window.docks.project.tree
    window.docks.project._draw()
    assert any("stale" in i.text(0) for i in items.findItems("Run 1", _deep()))
    run(qtbot, window)
    assert [r.number for r in state.runs] == [1, 2]


def _deep():
    from PyQt6.QtCore import Qt

    return Qt.MatchFlag.MatchStartsWith | Qt.MatchFlag.MatchRecursive


def test_cancel_is_heard_at_once_and_keeps_what_is_done(qtbot, window):
    open_cell(qtbot, window, "sample:human_l23")
    state = window.state
    window.controllers.experiment.edit(duration=20_000.0)
    window.actions_table["run"].trigger()
    qtbot.waitUntil(
        lambda: bool(state.runs) and len(state.runs[0].recording.time) > 10, timeout=60_000
    )
    window.refresh()
    window.run_button.click()
    assert state.job.text == "Stopping…"
    qtbot.waitUntil(lambda: state.job is None, timeout=5000)
    assert not state.runs[0].recording.complete
    assert state.message.text.startswith("Stopped at")
    window.toast.button("Discard").click()
    assert state.runs == ()


def test_a_killed_engine_leaves_the_window_alive_and_comes_back(qtbot, window, engine):
    open_cell(qtbot, window, "sample:toy15")
    state = window.state
    window.controllers.run.warm()
    qtbot.waitUntil(lambda: engine.alive and not state.engine.startswith("Engine"), timeout=60_000)
    os.kill(engine.pid, signal.SIGKILL)
    qtbot.waitUntil(
        lambda: state.message is not None and state.message.kind == "error", timeout=10_000
    )
    assert state.message.text.startswith("Engine stopped")
    assert window.toast.isVisible()
    window.controllers.selection.select(3)  # the window lives
    window.toast.button("Restart engine").click()
    qtbot.waitUntil(lambda: not state.engine.startswith("Engine"), timeout=60_000)
    window.controllers.experiment.edit(duration=5.0)
    run(qtbot, window)
    assert state.runs[-1].state == "done"
