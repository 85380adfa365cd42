"""The matrix lens: the numbers are those of the elimination, and the view tells them."""

import csv

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, Qt

from dendview.controllers.schedule import ScheduleController
from dendview.matrix_lens import look
from dendview.state import AppState
from dendview.views.matrix_view import MatrixView
from engine.schedule import make_schedule
from tests.dendview.schedule_cells import TOY, cell_with_tree, sample_cell


@pytest.fixture(scope="module")
def cell():
    return cell_with_tree(sample_cell("spn"), TOY)


def matrix_of(lens) -> np.ndarray:
    n = range(lens.n_comp)
    return np.array([[lens.entry(i, j) or 0.0 for j in n] for i in n])


def test_every_step_leaves_the_solution_as_it_was(cell):
    tree = cell.trees["neuron"]
    schedule = make_schedule(tree, "dhs", 4)
    start = look(tree, schedule, 0)
    expected = np.linalg.solve(matrix_of(start), start.b)
    assert np.abs(expected).max() > 0.1  # something is solved
    for step in range(schedule.n_step + 1):
        lens = look(tree, schedule, step)
        # well conditioned: a passive step
        np.testing.assert_allclose(np.linalg.solve(matrix_of(lens), lens.b), expected, rtol=1e-9)
        taken = schedule.node[schedule.step_start[step - 1] : schedule.step_start[step]]
        if step:
            assert set(np.flatnonzero(lens.taken >= 0)) == set(taken)
            assert set(np.flatnonzero(lens.changed)) == set(TOY[taken])
    assert np.count_nonzero(lens.gone) == 14
    assert np.triu(matrix_of(lens), 1).any() == 0  # only the way back is left
    assert look(tree, schedule, 99).gone.sum() == 14


def test_places_are_told_in_words(cell):
    tree = cell.trees["neuron"]
    lens = look(tree, make_schedule(tree, "dhs", 4), 5)
    assert lens.tell(3, 3).startswith("d[3] = ")
    assert lens.tell(3, 15).startswith("b[3] = ")
    assert "node 12 is eliminated" in lens.tell(11, 12)
    assert "µS" in lens.tell(12, 11)
    assert lens.tell(1, 2) == ""


@pytest.fixture
def bench(qtbot, cell):
    state = AppState(n_threads=4)
    state.cell = cell
    controller = ScheduleController(state, lambda name, nodes: None)
    view = MatrixView(state)
    qtbot.addWidget(view)
    view.resize(520, 320)
    with qtbot.waitExposed(view):
        view.show()
    return state, controller, view


def test_the_lens_follows_the_player_and_a_click_means_the_node(qtbot, bench):
    _, controller, view = bench
    qtbot.waitUntil(lambda: view.lens is not None)
    controller.go_to(2)
    qtbot.waitUntil(lambda: view.lens.gone.sum() == 8)
    place = QPoint(40, int(18 + 6.5 * view.grid.cell))
    with qtbot.waitSignal(view.node_clicked) as signal:
        qtbot.mouseClick(view.grid, Qt.MouseButton.LeftButton, pos=place)
    assert signal.args == [6]
    assert view.grid.place(view.grid.rect().bottomRight().toPointF()) is None


def test_a_large_cell_turns_it_off_with_the_reason(qtbot, bench):
    state, _, view = bench
    state.cell = sample_cell("spn")
    qtbot.waitUntil(lambda: view.lens is None)
    assert "cannot be read" in view.why.text()
    with qtbot.waitSignal(view.sample_wanted):
        qtbot.mouseClick(view.sample, Qt.MouseButton.LeftButton)


def test_the_numbers_can_be_saved(qtbot, bench, tmp_path):
    view = bench[2]
    qtbot.waitUntil(lambda: view.lens is not None)
    view.export(tmp_path / "matrix.csv")
    with (tmp_path / "matrix.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 15
    assert float(rows[12]["column_11_uS"]) < 0
    assert rows[1]["column_2_uS"] == ""
    assert float(rows[3]["b_nA"]) == pytest.approx(view.lens.b[3])
    view.export(tmp_path / "matrix.svg")
    assert b"<svg" in (tmp_path / "matrix.svg").read_bytes()
