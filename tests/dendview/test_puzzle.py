"""Try it yourself: the rules, what a step costs, and the dialog by mouse and keys."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PyQt6.QtCore import QPoint, Qt

from dendview.dialogs.puzzle import PuzzleDialog
from dendview.puzzle import TOY, Puzzle, layout
from engine.errors import UserError
from engine.schedule import lower_bound
from tests.dendview.open_window import open_window


@pytest.fixture
def toy():
    return Puzzle(np.array(TOY, np.int32), 4)


def solved(puzzle: Puzzle) -> Puzzle:
    while not puzzle.over:
        puzzle = puzzle.choose(puzzle.best_choice).take_step()
    return puzzle


def test_the_deepest_first_solves_the_figure_of_the_paper(toy):
    end = solved(toy)
    assert len(end.steps) == 5 == toy.bound
    assert end.verdict()[1]
    assert sorted(i for step in end.steps for i in step) == list(range(1, 15))
    assert len(solved(toy.restart(1)).steps) == 14


def test_a_careless_step_costs_one_and_is_told_at_once(toy):
    assert toy.still_possible == 5
    shallow = toy.choose((1, 2, 3, 4)).take_step()  # tips beside the root, which could have waited
    assert shallow.still_possible == 6
    text, good = shallow.verdict()
    assert not good
    assert "1 more" in text
    assert len(solved(shallow).steps) == 6
    assert "5 are enough" in solved(shallow).verdict()[0]
    assert shallow.undo().still_possible == 5
    assert shallow.undo().chosen == (1, 2, 3, 4)


def test_what_cannot_be_taken_says_why(toy):
    for node, why in ((0, "root"), (8, "its children 11 and 13"), (11, "its child 12")):
        with pytest.raises(UserError, match=why):
            toy.toggle(node)
    with pytest.raises(UserError, match="Choose at least one"):
        toy.take_step()
    full = toy.choose(toy.best_choice)
    with pytest.raises(UserError, match="All 4 threads"):
        full.toggle(full.candidates[4])
    assert full.toggle(full.chosen[0]).chosen == full.chosen[1:]
    with pytest.raises(UserError, match="done since step 1"):
        full.take_step().toggle(full.chosen[0])


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_what_is_still_possible_never_falls_and_is_reached(data):
    n = data.draw(st.integers(2, 24))
    parent = np.array([-1, *(data.draw(st.integers(0, i - 1)) for i in range(1, n))], np.int32)
    puzzle = Puzzle(parent, data.draw(st.integers(1, 5)))
    possible = puzzle.bound
    assert possible == lower_bound(parent, puzzle.n_threads)
    while not puzzle.over:
        size = data.draw(st.integers(1, puzzle.n_threads))
        order = data.draw(st.permutations(list(puzzle.candidates)))
        puzzle = puzzle.choose(tuple(order[:size])).take_step()
        assert puzzle.still_possible >= possible
        possible = puzzle.still_possible
        assert len(solved(puzzle).steps) == possible
    assert len(puzzle.steps) == possible


def test_no_two_nodes_are_drawn_at_one_place():
    place = layout(np.array(TOY, np.int32))
    assert len({tuple(p) for p in place.tolist()}) == len(TOY)
    assert place[0, 1] == 0
    assert (place[1:, 1] == place[list(TOY[1:]), 1] + 1).all()


@pytest.fixture
def dialog(qtbot, toy):
    made = PuzzleDialog(toy, "15 compartments", "dark")
    qtbot.addWidget(made)
    with qtbot.waitActive(made):
        made.show()
        made.activateWindow()
    yield made
    made.close()  # its shortcuts would take the next test's keys


def click(qtbot, dialog, node):
    at = dialog.tree.position(node)
    place = QPoint(round(at.x()), round(at.y()))
    qtbot.mouseClick(dialog.tree, Qt.MouseButton.LeftButton, pos=place)


def test_nodes_are_clicked_and_the_step_is_taken(qtbot, dialog):
    for node in dialog.puzzle.best_choice:
        click(qtbot, dialog, node)
    assert "0 of 4 threads idle" in dialog.told.text()
    click(qtbot, dialog, 8)
    assert "waits for" in dialog.told.text()
    qtbot.mouseClick(dialog.take, Qt.MouseButton.LeftButton)
    assert len(dialog.puzzle.steps) == 1
    assert dialog.steps.count() == 1
    assert not dialog.take.isEnabled()


def test_everything_goes_by_keys(qtbot, dialog):
    qtbot.keyClick(dialog.tree, Qt.Key.Key_Down)  # to the first free node
    qtbot.keyClick(dialog.tree, Qt.Key.Key_Space)
    assert dialog.puzzle.chosen == dialog.puzzle.candidates[:1]
    qtbot.keyClick(dialog.tree, Qt.Key.Key_Right)
    for _ in range(5):
        qtbot.keyClick(dialog.tree, Qt.Key.Key_D)
        qtbot.keyClick(dialog.tree, Qt.Key.Key_Return)
    assert dialog.puzzle.over
    assert "no schedule is shorter" in dialog.verdict.text()
    qtbot.keyClick(dialog.tree, Qt.Key.Key_Backspace)
    assert len(dialog.puzzle.steps) == 4
    qtbot.keyClick(dialog.tree, Qt.Key.Key_R)
    assert dialog.puzzle.steps == ()


def test_other_threads_begin_anew(qtbot, dialog):
    dialog.best.click()
    dialog.take.click()
    dialog.threads.setValue(2)
    assert dialog.puzzle.steps == ()
    assert dialog.puzzle.n_threads == 2


def test_the_window_opens_it_without_a_cell(qtbot):
    window = open_window(qtbot)
    window.actions_table["puzzle"].trigger()
    assert isinstance(window.sheet, PuzzleDialog)
    assert window.sheet.puzzle.bound == 5
