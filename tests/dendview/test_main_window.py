"""The window as a person uses it: menus, palette, perspectives."""

from collections import Counter

import pytest
from PyQt6.QtCore import Qt

from dendview.actions import ACTIONS
from dendview.docks import LAYOUTS
from dendview.settings import Settings
from dendview.widgets.search_palette import entries

from .open_window import cut_off, drawn_pixels, in_perspective, open_cell, open_window


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


def test_synapses_are_found_and_say_what_they_wait_for(qtbot, opened):
    opened.open_palette()
    qtbot.keyClicks(opened.sheet.line, "gaba_a")
    assert opened.sheet.list.topLevelItem(0).isDisabled()
    assert "Select a place on the cell first" in opened.sheet.tip.text()
    opened.sheet.close()
    opened.controllers.selection.select(3)
    opened.open_palette()
    qtbot.keyClicks(opened.sheet.line, "gaba_a")
    qtbot.keyClick(opened.sheet.line, Qt.Key.Key_Return)
    assert [s.mechanism for s in opened.state.experiment.synapses] == ["GABA_A"]
    opened.open_palette()
    qtbot.keyClicks(opened.sheet.line, "record g gaba_a")
    assert opened.sheet.list.topLevelItem(0).text(1) == "Cell ▸ Record more ▸ GABA_A"
    opened.sheet.close()


def test_what_needs_a_cell_waits_for_one(qtbot, window):
    needing = ("export", "close", "perspective:schedule", "fit", "run", "clamp", "method:dhs")
    assert not any(window.actions_table[name].isEnabled() for name in needing)
    open_cell(qtbot, window)
    window.refresh()
    assert all(window.actions_table[n].isEnabled() for n in needing if n != "clamp")
    window.controllers.selection.select(3)
    window.refresh()
    assert window.actions_table["clamp"].isEnabled()


def test_a_cell_opens_in_explore_and_is_drawn(qtbot, window):
    open_cell(qtbot, window)
    assert window.state.perspective == "explore"
    assert window.windowTitle() == "Human L2/3 pyramidal cell — DendView"
    assert "1\u202f269 nodes · 82 steps at 16 threads (optimal)" in window.status.summary.text()
    qtbot.waitUntil(lambda: drawn_pixels(window.pane.view) > 500, timeout=5000)


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
