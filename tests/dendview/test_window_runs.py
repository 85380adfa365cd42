"""Runs and messages in the window."""

import threading
from dataclasses import replace

from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QApplication, QComboBox

from dendview.state import Job, Message

from .open_window import in_perspective


def test_the_run_button_runs_then_cancels(qtbot, opened):
    opened.run_button.click()
    assert opened.state.perspective == "simulate"
    opened.refresh()
    assert opened.run_button.text() == "Cancel"
    sent = opened.controllers.run._worker.sent
    assert type(sent[-1]).__name__ == "Run"
    opened.run_button.click()
    assert opened.state.job.cancelling
    assert type(sent[-1]).__name__ == "Cancel"


def test_a_file_that_is_refused_leaves_the_run_alone(qtbot, opened, tmp_path):
    opened.run_button.click()
    job = opened.state.job
    opened.open_source(str(tmp_path / "nothing.swc"))
    assert opened.state.job is job
    qtbot.waitUntil(lambda: not opened.reading, timeout=10_000)
    assert opened.state.job is job
    assert not job.cancelling
    opened.sheet.close()


def test_a_job_shows_how_far_it_is(opened):
    opened.state.job = Job("Run 1: 30 of 300 ms", 0.1, 12.0)
    assert opened.status.job.text() == "Run 1: 30 of 300 ms · 12 s left"
    assert opened.status.progress.value() == 100
    opened.state.job = None
    assert not opened.status.progress.isVisible()


def test_no_line_of_the_status_bar_widens_the_window(qtbot, opened):
    state, status = opened.state, opened.status
    state.job = Job("Run 12: 12 345 of 20 000 ms", 0.4, 70.0)
    state.message = Message("A long sentence that goes on and on. " * 9, "done")
    state.cell = replace(state.cell, morphology=replace(state.cell.morphology, name="n" * 60))
    qtbot.wait(50)
    assert opened.width() == 1280
    assert opened.minimumSizeHint().width() <= 1024
    assert status.renderer.geometry().right() <= status.width()
    assert status.message.text().startswith("A long sentence")
    assert status.message.text().endswith("…")


def test_the_cell_keeps_the_focus_when_panels_are_moved(qtbot, opened):
    opened.pane.view.setFocus()
    for perspective in ("schedule", "simulate", "explore"):
        in_perspective(qtbot, opened, perspective)
        assert opened.focusWidget() is opened.pane.view.canvas.native


def test_every_choice_has_a_name_for_screen_readers(opened):
    for perspective in ("explore", "schedule", "simulate"):
        opened.state.perspective = perspective
        opened.docks.experiment.show()
        nameless = [c for c in opened.findChildren(QComboBox) if not c.accessibleName()]
        assert not nameless


def test_methods_are_compared_beside_the_window(qtbot, opened, monkeypatch):
    """On a large cell that takes seconds; the window must not wait for it."""
    from dendview.controllers import schedule as module

    threads, compare, go = [], module.compare, threading.Event()

    def spy(*arguments):
        threads.append(threading.current_thread())
        assert go.wait(20)
        return compare(*arguments)

    monkeypatch.setattr(module, "compare", spy)
    in_perspective(qtbot, opened, "schedule")
    dock = opened.docks.by_name["methods"]
    dock.raise_()
    qtbot.waitUntil(lambda: bool(threads))
    assert opened.docks.methods.caption.text() == "Comparing all methods…"
    go.set()
    qtbot.waitUntil(lambda: bool(opened.state.comparison))
    assert threads
    assert threading.main_thread() not in threads
    assert opened.docks.methods.table.rowCount() == len(opened.state.comparison)


def test_the_schedule_says_what_cannot_be_beaten(qtbot, opened):
    assert opened.pane.caption.text() == ""
    in_perspective(qtbot, opened, "schedule")
    depth = opened.state.schedule.depth
    assert f"depth {depth} = the shortest any schedule can be" in opened.pane.caption.text()


def test_a_message_offers_its_way_out(opened):
    opened.state.message = Message("Unstable at 3 ms.", "error", "long text", "halve_dt")
    assert opened.toast.isVisible()
    dt = opened.state.experiment.dt
    opened.toast.button("Halve dt").click()
    assert opened.state.experiment.dt == dt / 2
    opened.status.message.click()
    assert opened.sheet.text.toPlainText() == "long text"
    opened.sheet.close()
    opened.state.message = Message("Read it.", "done")
    assert not opened.toast.isVisible()  # the status bar is enough
    assert opened.status.message.text() == "Read it."


def test_the_theme_changes_everywhere_and_is_kept(qtbot, opened):
    opened.actions_table["theme:light"].trigger()
    assert opened.settings.theme == "light"
    ground = QColor(QApplication.instance().palette().window().color())
    assert ground.lightnessF() > 0.8
    opened.actions_table["theme:dark"].trigger()


def test_closing_ends_the_engine(opened):
    worker = opened.controllers.run._worker
    worker.alive = True
    opened.close()
    assert not worker.alive
    assert not opened.poll_timer.isActive()
