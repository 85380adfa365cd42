"""What is pointed at in the window, and what the panels of the schedule do."""

from PyQt6.QtCore import QPointF, Qt

from dendview.cell_menus import context_menu

from .open_window import drawn_pixels, in_perspective


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
