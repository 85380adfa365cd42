"""The views of the schedule: gestures out, drawings right."""

import csv
from itertools import pairwise

import numpy as np
import pytest
from PyQt6.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt6.QtGui import QImage, QMouseEvent
from PyQt6.QtWidgets import QApplication

from dendview.colors import THEMES, rgb, thread_colors
from dendview.controllers.schedule import ScheduleController
from dendview.state import AppState
from dendview.views.cost_view import CostView
from dendview.views.gantt_view import GanttView
from dendview.views.method_table import MethodTable
from dendview.views.plotting import round_step
from dendview.views.schedule_panel import SchedulePanel
from dendview.views.step_player import StepPlayer
from engine.errors import UserError
from engine.schedule import cost_curve
from tests.dendview.schedule_cells import TOY, cell_with_tree, sample_cell


@pytest.fixture(scope="module")
def cell():
    return sample_cell("spn")


@pytest.fixture
def state(cell):
    state = AppState(n_threads=4)
    state.cell = cell_with_tree(cell, TOY)
    return state


@pytest.fixture
def controller(state):
    return ScheduleController(state, lambda name, nodes: cost_curve(TOY))


def show(qtbot, view, size=(760, 260)):
    qtbot.addWidget(view)
    view.resize(*size)
    with qtbot.waitExposed(view):
        view.show()
    view.grab()  # lays the axes out
    QApplication.processEvents()
    return view


def pixels(view) -> np.ndarray:
    QApplication.processEvents()
    image = view.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    bits = image.constBits()
    bits.setsize(image.sizeInBytes())
    picture = np.frombuffer(bits, np.uint8).reshape(image.height(), image.width(), 4)
    return picture[..., 2::-1].copy()  # the image's memory ends with it


def place(view: GanttView, x: float, y: float) -> QPoint:
    """Where (step, thread) is in the plot's viewport."""
    return view.plot.mapFromScene(view.box.mapViewToScene(QPointF(x, y)))


@pytest.fixture
def gantt(qtbot, state, controller):
    return show(qtbot, GanttView(state))


def test_every_slot_has_the_color_of_its_thread_or_is_idle(gantt, state):
    picture = pixels(gantt)
    colors, schedule = thread_colors(4), state.schedule
    busy = {(int(schedule.step[n]), int(schedule.thread[n])) for n in schedule.node}
    for step in range(5):
        for thread in range(4):
            at = gantt.plot.mapTo(gantt, place(gantt, step + 0.2, thread + 0.2))
            color = picture[at.y(), at.x()]
            expected = colors[thread] if (step, thread) in busy else gantt.slots.idle_color
            np.testing.assert_allclose(color, expected, atol=2)


def test_boxes_carry_their_node_numbers(gantt, state):
    """Ink in the middle of a busy box, none in an idle one."""
    picture = pixels(gantt).astype(int)
    for step, thread, written in ((0, 0, True), (4, 0, True), (4, 3, False)):
        corner = gantt.plot.mapTo(gantt, place(gantt, step + 0.3, thread + 0.3))
        end = gantt.plot.mapTo(gantt, place(gantt, step + 0.7, thread + 0.7))
        box = picture[corner.y() : end.y(), corner.x() : end.x()]
        assert (np.ptp(box, axis=(0, 1)).max() > 80) == written


def test_clicks_tell_nodes_and_steps(qtbot, gantt, state):
    viewport = gantt.plot.viewport()
    node = 13
    step, thread = int(state.schedule.step[node]), int(state.schedule.thread[node])
    with qtbot.waitSignal(gantt.node_clicked) as told:
        qtbot.mouseClick(
            viewport, Qt.MouseButton.LeftButton, pos=place(gantt, step + 0.5, thread + 0.5)
        )
    assert told.args == [node]
    with qtbot.waitSignal(gantt.step_clicked) as told:  # an idle slot
        qtbot.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=place(gantt, 4.5, 2.5))
    assert told.args == [5]
    axis = gantt.plot.getAxis("bottom").sceneBoundingRect().center()
    with qtbot.waitSignal(gantt.step_clicked) as told:
        below = QPoint(place(gantt, 1.5, 0).x(), gantt.plot.mapFromScene(axis).y())
        qtbot.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=below)
    assert told.args == [2]


@pytest.mark.parametrize(
    ("least", "step"), [(0, 1), (1, 1), (1.1, 2), (2.5, 5), (31, 50), (51, 100), (100, 100)]
)
def test_ticks_stand_in_round_steps(least, step):
    assert round_step(least) == step


def test_axes_count_steps_from_one_and_threads_from_zero(gantt):
    steps, threads = gantt.plot.getAxis("bottom"), gantt.plot.getAxis("left")
    ((_, places),) = steps.tickValues(0, 5, 700)
    assert dict(zip(steps.tickStrings(places, 1, 1), places, strict=True)) == {
        str(n): n - 0.5 for n in range(1, 6)
    }
    ((_, places),) = threads.tickValues(4, 0, 200)  # upside down
    assert threads.tickStrings(places, 1, 1) == ["0", "1", "2", "3"]


def test_hovering_names_the_slot(qtbot, gantt, state):
    name = state.cell.sections.name[0]
    x = state.cell.trees["neuron"].x[12]
    with qtbot.waitSignal(gantt.node_hovered) as told:
        gantt._on_move(gantt.box.mapViewToScene(QPointF(0.5, 0.5)))
    assert told.args == [12]
    assert gantt.line.text() == f"step 1 · thread 0 · node 12 · {name}({x:.3g})"
    assert gantt.describe_slot(4, 3) == "step 5 · thread 3 · idle"
    assert gantt.describe_slot(5, 0) == ""
    gantt.eventFilter(gantt, QEvent(QEvent.Type.Leave))
    assert gantt.line.text().startswith("Click")


def test_selection_of_the_cell_is_framed(gantt, state):
    before = pixels(gantt)
    state.selection = 8
    changed = np.argwhere((pixels(gantt) != before).any(axis=2))
    step, thread = int(state.schedule.step[8]), int(state.schedule.thread[8])
    here = gantt.plot.mapTo(gantt, place(gantt, step, thread))
    there = gantt.plot.mapTo(gantt, place(gantt, step + 1, thread + 1))
    assert len(changed) > 20
    assert changed[:, 0].min() >= here.y() - 5
    assert changed[:, 0].max() <= there.y() + 5
    assert changed[:, 1].min() >= here.x() - 5
    assert changed[:, 1].max() <= there.x() + 5


def test_a_frame_at_the_last_step_is_whole(qtbot, state, controller, cell):
    """Slots are thinner than the frame here, which would reach beyond the chart."""
    state.n_threads = 1
    state.cell = cell_with_tree(cell, np.arange(-1, 399, dtype=np.int32))
    view = show(qtbot, GanttView(state))
    tree = state.cell.trees[state.nodes]
    state.selection = int(tree.segment[1])
    assert state.schedule.step[tree.node_of_segment[state.selection]] == state.schedule.n_step - 1
    picture = pixels(view).astype(int)
    ink = np.abs(picture - rgb(THEMES["dark"].text)).max(axis=2) < 12
    box = view.box.sceneBoundingRect()
    corner = view.plot.mapTo(view, view.plot.mapFromScene(box.bottomRight()))
    near = ink[corner.y() - 60 : corner.y() - 20, corner.x() - 16 : corner.x() + 1]
    left, right = np.flatnonzero(near.all(axis=0))[[0, -1]]
    assert right - left >= 6


def test_what_is_to_come_is_veiled_and_the_column_fills(gantt, state, controller):
    def color(step):
        at = gantt.plot.mapTo(gantt, place(gantt, step + 0.2, 0.2))
        return pixels(gantt)[at.y(), at.x()].astype(int)

    full = color(4)
    controller.go_to(2)
    assert abs(color(4) - full).max() > 60
    assert abs(color(0) - full).max() <= 2
    controller.go_to(5)
    assert abs(color(3) - full).max() <= 2


def test_idle_threads_at_the_end_are_told_and_not_drawn(gantt, state, controller):
    controller.choose_threads(1024)
    QApplication.processEvents()
    assert gantt.line.text().startswith("Threads 8 to 1023 are always idle")
    assert gantt.slots.boundingRect().height() == 8


def test_a_hundred_thousand_nodes_are_drawn_and_stepped(qtbot, state, controller, cell):
    rng = np.random.default_rng(0)
    parent = np.arange(100_000) - rng.integers(1, 4000, 100_000)
    parent = np.where(np.arange(100_000) == 0, -1, np.maximum(parent, 0)).astype(np.int32)
    state.n_threads = 1024
    state.cell = cell_with_tree(cell, parent)
    view = show(qtbot, GanttView(state))
    view.grab()
    for _ in range(5):
        controller.advance()
        QApplication.processEvents()
        view.grab()
    view.box.setRange(xRange=(0, 12), yRange=(0, 8))
    view.grab()
    colored = pixels(view)
    at = view.plot.mapTo(view, place(view, 3.06, 5.14))
    np.testing.assert_allclose(colored[at.y(), at.x()], thread_colors(1024)[5], atol=2)


def test_a_hidden_view_does_not_draw(qtbot, state, controller):
    view = GanttView(state)
    qtbot.addWidget(view)
    controller.choose_threads(2)
    QApplication.processEvents()
    assert view.slots.schedule is None
    show(qtbot, view)
    assert view.slots.schedule is state.schedule


def test_panel_shows_numbers_and_tells_choices(qtbot, state, controller):
    panel = show(qtbot, SchedulePanel(state), (260, 620))
    shown = {name: label.text() for name, label in panel.values.items()}
    assert shown == {
        "compartments": "15",
        "depth": "5",
        "steps": "5",
        "lower bound": "5",
        "serial steps": "14",
        "of serial": "35.71 %",
        "idle slots": "6 of 20",
        "busy": "70.0 %",
    }
    assert panel.badge.text() == "5 = bound 5 ✓ optimal"
    panel.threads_chosen.connect(controller.choose_threads)
    panel.method_chosen.connect(controller.choose_method)
    panel.nodes_chosen.connect(controller.choose_nodes)
    panel.threads.setValue(3)
    assert state.n_threads == 3
    panel.slider.setValue(10)
    assert state.n_threads == 1024
    QApplication.processEvents()
    assert panel.threads.value() == 1024
    panel.slider.setValue(2)
    panel.method.setCurrentIndex(panel.method.findData("depth_levels"))
    panel.method.activated.emit(panel.method.currentIndex())
    panel.nodes.activated.emit(panel.nodes.findData("merged"))
    QApplication.processEvents()
    assert (state.method, state.nodes) == ("depth_levels", "merged")
    assert panel.badge.text() == "6 · bound 5 (+20 %)"
    state.cell = None
    QApplication.processEvents()
    assert panel.values["steps"].text() == "–"


def test_panel_does_not_echo_the_state(qtbot, state, controller):
    panel = show(qtbot, SchedulePanel(state), (260, 620))
    heard = []
    panel.threads_chosen.connect(heard.append)
    state.n_threads = 24  # the slider stands at 16 below
    QApplication.processEvents()
    assert (panel.threads.value(), panel.slider.value()) == (24, 4)
    assert heard == []


def test_player_steps_by_buttons_keys_and_slider(qtbot, state, controller):
    player = show(qtbot, StepPlayer(state), (900, 44))
    player.step_chosen.connect(controller.go_to)
    player.play_toggled.connect(controller.toggle_play)
    player.speed_chosen.connect(controller.set_speed)
    player.buttons["forward"].click()
    assert state.step == 1
    QApplication.processEvents()
    assert player.counter.text() == "step 1/5 · 4 taken now · 0 done · 4 candidates"
    player.setFocus()
    keys = Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_End, Qt.Key.Key_Home
    for key, step in zip(keys, (2, 3, 2, 5, 0), strict=True):
        qtbot.keyClick(player, key)
        assert state.step == step
    qtbot.keyClick(player, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert state.step == 5
    player.slider.setValue(3)
    assert state.step == 3
    qtbot.keyClick(player, Qt.Key.Key_Space)
    assert state.playing == "schedule"
    player.buttons["play"].click()
    assert state.playing == ""
    player.speed.activated.emit(player.speed.findData(50.0))
    assert state.step_speed == 50
    state.cell = None
    QApplication.processEvents()
    assert not player.isEnabled()


def test_chart_of_costs_fills_itself_while_it_is_seen(qtbot, state, controller):
    view = CostView(state)
    view.curve_wanted.connect(controller.add_curve)
    view.threads_clicked.connect(controller.choose_threads)
    assert state.cost_curves == ()
    show(qtbot, view, (560, 320))
    qtbot.waitUntil(lambda: len(state.cost_curves) >= 9, timeout=3000)
    qtbot.wait(60)
    boxes = [label.mapRectToScene(label.boundingRect()) for _, label in view._labels]
    assert len(boxes) == len(state.cost_curves)
    for one, other in pairwise(boxes):
        assert abs(one.center().y() - other.center().y()) >= 12  # no name covers another
    assert max(box.right() for box in boxes) <= view.plot.width()
    scene = view.plot.getPlotItem().getViewBox().mapViewToScene(QPointF(3.1, -0.5))
    qtbot.mouseClick(
        view.plot.viewport(), Qt.MouseButton.LeftButton, pos=view.plot.mapFromScene(scene)
    )
    assert state.n_threads == 8


def test_table_compares_all_methods(qtbot, state, controller):
    view = MethodTable(state)
    view.comparison_wanted.connect(controller.compare)
    view.method_chosen.connect(controller.choose_method)
    show(qtbot, view, (560, 260))
    qtbot.waitUntil(lambda: view.table.rowCount() == 7, timeout=3000)
    rows = {
        view.table.item(r, 0).text(): [view.table.item(r, c).text().strip() for c in range(1, 6)]
        for r in range(7)
    }
    assert rows["DHS"] == ["5", "✓ optimal", "35.7 %", "70.0 %", "6"]
    assert rows["Serial Hines"] == ["14", "+180 %", "100 %", "25.0 %", "42"]
    controller.choose_threads(2)
    qtbot.waitUntil(lambda: view.caption.text().startswith("15 nodes, 2 threads"), timeout=3000)
    view.table.cellClicked.emit(0, 0)
    assert state.method == "hines"


def test_all_views_export_pictures_and_numbers(qtbot, state, controller, tmp_path):
    controller.compare()
    while controller.add_curve():
        pass
    expected = {GanttView: 14, CostView: 11 * len(state.cost_curves), MethodTable: 7}
    for make, n_row in expected.items():
        view = show(qtbot, make(state))
        base = tmp_path / make.__name__
        view.export(base.with_suffix(".png"))
        view.export(base.with_suffix(".svg"))
        view.export(base.with_suffix(".csv"))
        assert base.with_suffix(".png").stat().st_size > 2000
        assert "<svg" in base.with_suffix(".svg").read_text()[:500]
        with base.with_suffix(".csv").open() as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == n_row
        with pytest.raises(UserError, match=r"as \.png, \.svg or \.csv"):
            view.export(base.with_suffix(".docx"))
        for ending in (".png", ".svg", ".csv"):
            with pytest.raises(UserError, match="cannot be written"):
                view.export(tmp_path / "nowhere" / f"x{ending}")
    with (tmp_path / "GanttView.csv").open() as file:
        slots = {(int(r["step"]), int(r["thread"]), int(r["node"])) for r in csv.DictReader(file)}
    assert (1, 0, 12) in slots


def test_views_without_a_cell_and_in_both_themes(qtbot):
    state = AppState()
    ScheduleController(state)
    views = [GanttView, SchedulePanel, StepPlayer, CostView, MethodTable]
    shown = [show(qtbot, make(state), (600, 300)) for make in views]
    for theme in ("light", "dark"):
        state.theme = theme
        QApplication.processEvents()
        for view in shown:
            view.grab()
    move = QMouseEvent(
        QEvent.Type.MouseMove,
        QPointF(200, 80),
        Qt.MouseButton.NoButton,
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(shown[0].plot.viewport(), move)
    assert shown[0].line.text() == "Open a cell to see its schedule."
