"""The window as a person uses it: perspectives, menus, palette, gestures, runs."""

import threading
from collections import Counter
from dataclasses import replace

import pytest
from PyQt6.QtCore import QMimeData, QPointF, Qt, QUrl
from PyQt6.QtGui import QColor, QDropEvent
from PyQt6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QToolButton

from dendview.actions import ACTIONS
from dendview.cell_menus import context_menu
from dendview.docks import LAYOUTS
from dendview.settings import Settings
from dendview.state import Job, Message
from dendview.widgets.elided import ElidedLabel
from dendview.widgets.search_palette import entries

from .open_window import in_perspective, open_cell, open_window


@pytest.fixture
def window(qtbot):
    return open_window(qtbot)


@pytest.fixture
def opened(qtbot, window):
    open_cell(qtbot, window)
    return window


def drawn_pixels(view):
    """How many pixels of a view are not its most frequent color."""
    image = view.grab().toImage()
    colors = Counter(
        image.pixel(x, y) for x in range(0, image.width(), 3) for y in range(0, image.height(), 3)
    )
    return sum(colors.values()) - colors.most_common(1)[0][1]


# Menus, shortcuts, palette


def test_no_two_actions_share_a_shortcut():
    keys = Counter(key for spec in ACTIONS for key in spec.shortcuts)
    assert [key for key, n in keys.items() if n > 1] == []


def test_everything_of_the_table_stands_in_a_menu_and_is_found_by_the_palette(window):
    found = {entry.action.objectName() for entry in entries(window.menuBar())}
    assert {spec.id for spec in ACTIONS} <= found


def test_samples_and_recent_files_are_found_too(opened):
    opened.state.recent = ("/cells/one.swc",)
    texts = {entry.text for entry in entries(opened.menuBar())}
    assert {"Human L2/3 pyramidal cell", "one.swc"} <= texts


def test_typing_finds_an_action_and_return_does_it(qtbot, window):
    qtbot.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: window.sheet is not None and window.sheet.isVisible())
    qtbot.keyClicks(window.sheet.line, "light")
    assert window.sheet.list.topLevelItem(0).text(0) == "Light"
    qtbot.keyClick(window.sheet.line, Qt.Key.Key_Return)
    assert window.state.theme == "light"
    assert not window.sheet.isVisible()


def test_what_needs_a_cell_waits_for_one(qtbot, window):
    needing = ("export", "close", "perspective:schedule", "fit", "run", "clamp", "method:dhs")
    assert not any(window.actions_table[name].isEnabled() for name in needing)
    open_cell(qtbot, window)
    window.refresh()
    assert all(window.actions_table[n].isEnabled() for n in needing if n != "clamp")
    window.controllers.selection.select(3)
    window.refresh()
    assert window.actions_table["clamp"].isEnabled()


# Perspectives


def test_a_cell_opens_in_explore_and_is_drawn(qtbot, opened):
    assert opened.state.perspective == "explore"
    assert opened.windowTitle() == "Human L2/3 pyramidal cell — DendView"
    assert "1\u202f269 nodes · 82 steps at 16 threads (optimal)" in opened.status.summary.text()
    qtbot.waitUntil(lambda: drawn_pixels(opened.pane.view) > 500, timeout=5000)


@pytest.mark.parametrize("perspective", ["explore", "schedule", "simulate"])
def test_each_perspective_shows_its_panels_and_no_others(qtbot, opened, perspective):
    for visited in (perspective, "explore", "simulate", "schedule", perspective):
        in_perspective(qtbot, opened, visited)
    shown = {name for name, dock in opened.docks.by_name.items() if not dock.isHidden()}
    assert shown == set(LAYOUTS[perspective].panels)
    assert opened.actions_table[f"perspective:{perspective}"].isChecked()
    assert opened.timeline.isVisible() == (perspective != "explore")


def test_the_start_page_hides_all_panels_and_the_cell_comes_back(qtbot, opened):
    in_perspective(qtbot, opened, "start")
    assert all(dock.isHidden() for dock in opened.docks.by_name.values())
    assert opened.center.currentWidget() is opened.start_page
    in_perspective(qtbot, opened, "explore")
    assert opened.docks.inspector.isVisible()


def test_a_layout_is_kept_per_perspective_until_it_is_reset(qtbot, opened):
    opened.docks.by_name["inspector"].hide()
    in_perspective(qtbot, opened, "schedule")
    assert opened.docks.inspector.isVisible()
    in_perspective(qtbot, opened, "explore")
    assert not opened.docks.inspector.isVisible()
    opened.actions_table["reset_layout"].trigger()
    assert opened.docks.inspector.isVisible()


def test_a_layout_survives_the_program(qtbot):
    settings = Settings()
    first = open_window(qtbot, settings=settings)
    open_cell(qtbot, first, "sample:toy15")
    first.docks.by_name["project"].hide()
    first.close()
    second = open_window(qtbot, settings=settings)
    open_cell(qtbot, second, "sample:toy15")
    assert second.docks.by_name["project"].isHidden()
    assert not second.docks.by_name["inspector"].isHidden()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_nothing_is_cut_off_at_the_smallest_size(qtbot, theme):
    window = open_window(qtbot, theme=theme)
    open_cell(qtbot, window)
    window.controllers.experiment.add_clamp(0)
    for perspective in ("explore", "schedule", "simulate"):
        in_perspective(qtbot, window, perspective)
        least = window.minimumSizeHint()
        assert least.width() <= 1280
        assert least.height() <= 800
        assert (window.width(), window.height()) == (1280, 800)
        assert cut_off(window) == []


def cut_off(window):
    """Texts of labels and buttons that have less room than they need."""
    texts = []
    for widget in (*window.findChildren(QLabel), *window.findChildren(QAbstractButton)):
        if not widget.isVisible() or not widget.text() or isinstance(widget, ElidedLabel):
            continue
        wraps = isinstance(widget, QLabel) and widget.wordWrap()
        if isinstance(widget, QToolButton) and "segment" in widget.objectName():
            continue
        need = widget.minimumSizeHint().width()
        if not wraps and widget.width() < need:
            texts.append((widget.text(), widget.width(), need))
    return texts


def test_each_perspective_keeps_its_coloring(qtbot, opened):
    state = opened.state
    assert state.color_by == "type"
    in_perspective(qtbot, opened, "schedule")
    assert state.color_by == "depth"
    opened.controllers.schedule.advance()
    assert state.color_by == "thread"
    in_perspective(qtbot, opened, "explore")
    assert state.color_by == "type"
    opened.pane.color_by.setCurrentIndex(opened.pane.color_by.findData("distance"))
    opened.pane.color_by.activated.emit(opened.pane.color_by.currentIndex())
    in_perspective(qtbot, opened, "schedule")
    in_perspective(qtbot, opened, "explore")
    assert state.color_by == "distance"
    assert opened.pane.color_by.currentText() == "Path distance"


# Gestures


def test_a_click_on_the_cell_selects_the_segment_under_it(qtbot, opened):
    view = opened.pane.view
    soma = int(opened.state.cell.distance.argmin())
    qtbot.waitUntil(lambda: drawn_pixels(view) > 500, timeout=5000)
    at = view.project(soma)
    qtbot.mouseClick(view.canvas.native, Qt.MouseButton.LeftButton, pos=at.toPoint())
    assert opened.state.selection == view.segment_at(QPointF(at.toPoint()))
    assert opened.state.cell.site(opened.state.selection).section == "soma[0]"


def test_the_context_menu_clamps_and_records_and_undo_takes_it_back(opened):
    state = opened.state
    menu = context_menu(opened, 40)
    by_text = {action.text(): action for action in menu.actions()}
    by_text["Current clamp here"].trigger()
    assert state.cell.segment(state.experiment.stimuli[-1].site) == 40
    by_text["Record voltage here"].trigger()
    assert state.cell.segment(state.experiment.probes[-1].site) == 40
    opened.refresh()
    opened.actions_table["undo"].trigger()
    assert len(state.experiment.probes) == 1
    opened.actions_table["undo"].trigger()
    assert state.experiment.stimuli == ()
    opened.refresh()
    assert not opened.actions_table["undo"].isEnabled()
    assert opened.actions_table["redo"].isEnabled()


def test_the_ground_has_no_place_to_clamp(opened):
    texts = {action.text() for action in context_menu(opened, -1).actions()}
    assert "Current clamp here" not in texts


def test_the_schedule_panels_change_the_schedule(qtbot, opened):
    in_perspective(qtbot, opened, "schedule")
    state, docks = opened.state, opened.docks
    docks.schedule.threads_chosen.emit(4)
    assert state.schedule.n_threads == 4
    docks.schedule.method_chosen.emit("hines")
    assert state.schedule.n_step == state.schedule.n_comp - 1
    docks.schedule.nodes_chosen.emit("merged")
    assert state.schedule.n_comp == state.cell.trees["merged"].n_comp
    docks.gantt.step_clicked.emit(7)
    assert state.step == 7
    docks.gantt.node_clicked.emit(30)
    assert state.selection == state.cell.trees["merged"].segment[30]
    opened.refresh()
    opened.actions_table["step_back"].trigger()
    assert state.step == 6


def test_the_schedule_plays_by_the_clock(qtbot, opened):
    in_perspective(qtbot, opened, "schedule")
    opened.controllers.schedule.set_speed(50)
    opened.refresh()
    opened.actions_table["play"].trigger()
    qtbot.waitUntil(lambda: opened.state.step >= 5, timeout=3000)
    opened.actions_table["play"].trigger()
    assert opened.state.playing == ""


def test_hovering_and_project_clicks_show_the_place(opened):
    opened.pane.view.segment_hovered.emit(12)
    assert opened.state.hovered == 12
    opened.docks.project.tree.expandAll()
    opened.docks.project._draw()
    items = opened.docks.project.tree.findItems(
        "soma[0](0.5): v", Qt.MatchFlag.MatchExactly | Qt.MatchFlag.MatchRecursive
    )
    opened.docks.project.tree.itemClicked.emit(items[0], 0)
    assert opened.state.cell.site(opened.state.selection).section == "soma[0]"


# Files


def drop(window, path):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    event = QDropEvent(
        QPointF(200, 200),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    window.dropEvent(event)
    return event


def test_a_dropped_file_opens_and_is_remembered(qtbot, window, data_dir):
    path = data_dir / "morphologies/paper/SPN_lindroos2018_latest_WT-P270-20-14ak.swc"
    assert drop(window, path).isAccepted()
    qtbot.waitUntil(lambda: window.state.cell is not None, timeout=20_000)
    assert window.state.cell.morphology.name.startswith("SPN")
    assert window.settings.recent == (str(path),)
    assert window.menus["File/Recent"].actions()[0].text() == path.name


def test_a_damaged_file_changes_nothing_and_says_what_is_wrong(qtbot, opened, tmp_path):
    before = opened.state.cell
    bad = tmp_path / "bad.swc"
    bad.write_text("1 1 0 0 0 5 -1\n2 3 10 0 0 1 1\n3 3 20 0 0 1 99\n4 3 30 0 0 -1 3\n")
    opened.open_source(str(bad))
    qtbot.waitUntil(lambda: opened.sheet is not None and opened.sheet.isVisible(), timeout=10_000)
    assert opened.state.cell is before
    assert opened.sheet.sentence.text().startswith("Line 3: point 3 has parent 99")
    assert opened.sheet.table.item(0, 0).text() == "3"
    assert opened.sheet.table.item(1, 0).text() == "4"
    opened.sheet.copy.click()
    assert "bad.swc" in QApplication.clipboard().text()
    assert "line 4" in QApplication.clipboard().text()
    opened.sheet.close()


def test_what_is_no_morphology_is_named(qtbot, window, tmp_path):
    paper = tmp_path / "paper.swc"
    paper.write_bytes(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj")
    window.open_source(str(paper))
    qtbot.waitUntil(lambda: window.sheet is not None, timeout=10_000)
    assert "PDF" in window.sheet.sentence.text()
    assert window.state.perspective == "start"
    window.sheet.close()


def test_reading_does_not_hold_up_the_window_and_the_last_wish_wins(qtbot, window):
    window.open_source("sample:human_l23")
    assert window.state.job.text.startswith("Reading")
    assert window.state.cell is None  # it came back before the file was read
    window.open_source("sample:toy15")
    qtbot.waitUntil(lambda: not window.reading, timeout=20_000)
    qtbot.wait(300)
    assert window.state.cell.source == "sample:toy15"
    assert window.state.job is None


def test_escape_stops_reading(qtbot, window):
    window.open_source("sample:human_l23")
    window.refresh()
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert window.state.job is None
    qtbot.wait(500)
    assert window.state.cell is None


# Runs and messages


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
