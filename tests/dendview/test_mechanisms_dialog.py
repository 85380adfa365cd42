"""A folder of .mod files: what is ready, why the rest is not, and its use in the experiment."""

import pytest
from PyQt6.QtWidgets import QComboBox

from dendview.cell_menus import show_mechanisms
from dendview.dialogs.mechanisms import MechanismsDialog
from engine.experiment import Insertion
from engine.model import build

from .open_window import drop, in_perspective, open_cell, open_window

LEAK = """TITLE A leak of one's own
NEURON {
    SUFFIX myleak
    NONSPECIFIC_CURRENT i
    RANGE g, e
}
PARAMETER { g = 2e-4 (S/cm2)  e = -77 (mV) }
ASSIGNED { v (mV)  i (mA/cm2) }
BREAKPOINT { i = g * (v - e) }
"""
POINT = LEAK.replace("SUFFIX myleak", "POINT_PROCESS Puff").replace("i (mA/cm2)", "i (nA)")
BAD = LEAK.replace("SUFFIX myleak", "SUFFIX broken").replace("g * (v - e)", "g * (v - w)")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "leak.mod").write_text(LEAK)
    (tmp_path / "puff.mod").write_text(POINT)
    (tmp_path / "worse.mod").write_text(BAD)
    return tmp_path


def row(table, file):
    texts = [[table.item(r, c).text() for c in range(4)] for r in range(table.rowCount())]
    return next(t for t in texts if t[0] == file)


def test_every_file_is_ready_or_says_why_not(qtbot, folder):
    dialog = MechanismsDialog((), str(folder), lambda _: True, "dark")
    qtbot.addWidget(dialog)
    assert not dialog.use_button.isEnabled()
    dialog.show_folder(str(folder))
    assert row(dialog.table, "leak.mod") == ["leak.mod", "myleak", "membrane", "Ready"]
    assert row(dialog.table, "puff.mod")[1:3] == ["Puff", "synapse or other point"]
    why = row(dialog.table, "worse.mod")[3]
    assert why.startswith("worse.mod:9: ")
    assert "'w'" in why
    assert dialog.sentence.text() == "2 of 3 files ready"
    assert dialog.use_button.isEnabled()


@pytest.mark.parametrize(("name", "what"), [("", "no .mod file"), ("gone", "no folder")])
def test_a_folder_without_mechanisms_says_so(qtbot, tmp_path, name, what):
    dialog = MechanismsDialog((), str(tmp_path), lambda _: True, "dark")
    qtbot.addWidget(dialog)
    dialog.show_folder(str(tmp_path / name))
    assert what in dialog.sentence.text()
    assert not dialog.use_button.isEnabled()


def test_a_folder_is_used_undone_and_stopped(qtbot, folder):
    window = open_window(qtbot)
    open_cell(qtbot, window, "sample:toy15")
    in_perspective(qtbot, window, "simulate")
    state = window.state
    show_mechanisms(window)
    window.sheet.show_folder(str(folder))
    window.sheet.use_button.click()
    assert state.experiment.mechanism_folders == (str(folder),)
    assert "myleak, Puff" in state.message.text
    qtbot.wait(50)
    combos = window.docks.experiment.findChildren(QComboBox)
    combo = next(c for c in combos if c.accessibleName() == "Mechanism to add")
    assert combo.findText("myleak") >= 0
    assert combo.findText("Puff") == -1  # sits on a place, not on a membrane
    experiment = window.controllers.experiment
    assert experiment.edit(insertions=(Insertion("myleak"),))
    assert [p.mechanism.name for p in build(state.experiment).placed] == ["myleak"]
    assert experiment.add_synapse(0, "Puff")

    show_mechanisms(window)
    assert window.sheet.folder == str(folder)
    window.sheet.use_button.click()  # but its mechanism is in use
    assert state.message.kind == "error"
    assert "myleak" in state.message.text
    assert state.experiment.mechanism_folders == (str(folder),)
    for _ in range(3):
        experiment.undo()
    assert state.experiment.mechanism_folders == ()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_nothing_of_the_dialog_is_cut_off(qtbot, folder, theme):
    from .open_window import cut_off

    window = open_window(qtbot, theme=theme)
    open_cell(qtbot, window, "sample:toy15")
    show_mechanisms(window)
    window.sheet.show_folder(str(folder))
    qtbot.wait(50)
    buttons = (window.sheet.choose_button, window.sheet.use_button)
    assert all(b.width() >= b.sizeHint().width() for b in buttons)
    assert cut_off(window.sheet) == []


def test_a_folder_that_is_gone_is_said_and_can_be_given_up(qtbot, folder):
    window = open_window(qtbot)
    open_cell(qtbot, window, "sample:toy15")
    in_perspective(qtbot, window, "simulate")
    experiment = window.controllers.experiment
    assert experiment.edit(mechanism_folders=(str(folder),))
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    assert not experiment.edit(dt=0.0125)
    assert str(folder) in window.state.message.text
    show_mechanisms(window)
    assert "no folder" in window.sheet.sentence.text()
    assert window.sheet.use_button.text() == "Stop using"
    window.sheet.use_button.click()
    assert window.state.experiment.mechanism_folders == ()


def test_two_files_of_one_mechanism_say_so(qtbot, folder):
    (folder / "again.mod").write_text(LEAK)
    dialog = MechanismsDialog((), str(folder), lambda _: True, "dark")
    qtbot.addWidget(dialog)
    dialog.show_folder(str(folder))
    assert "'myleak' is also in leak.mod; keep one" in row(dialog.table, "again.mod")[3]
    assert "'myleak' is also in again.mod; keep one" in row(dialog.table, "leak.mod")[3]
    assert dialog.sentence.text() == "1 of 4 files ready"


@pytest.mark.parametrize("what", ["folder", "file"])
def test_dropped_mechanisms_open_the_dialog_with_them(qtbot, folder, what):
    window = open_window(qtbot)
    open_cell(qtbot, window, "sample:toy15")
    drop(window, folder if what == "folder" else folder / "leak.mod")
    assert window.sheet.folder == str(folder)
    assert row(window.sheet.table, "puff.mod")[3] == "Ready"
    window.sheet._on_use()
    assert window.state.experiment.mechanism_folders == (str(folder),)


def test_a_dropped_folder_that_cannot_be_used_says_why(qtbot, folder, tmp_path):
    window = open_window(qtbot)
    drop(window, folder)
    assert "open a cell" in window.state.message.text
    (empty := tmp_path / "nothing").mkdir()
    drop(window, empty)
    assert "nothing is a folder without .mod files" in window.state.message.text
    assert window.state.cell is None
