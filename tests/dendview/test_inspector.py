"""What the inspector and the project tree say is what the cell and the experiment are."""

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QLabel

from dendview.controllers.bundle import make_controllers
from dendview.describe import describe, parameters, summary
from dendview.dialogs.parameters import Field, ParametersDialog
from dendview.project_items import parameters_dialog
from dendview.state import AppState, Message
from dendview.views.inspector import Inspector
from dendview.views.project_tree import Item, ProjectTree
from dendview.wording import place
from engine.compartments import path_distance
from engine.experiment import Insertion
from engine.mechanisms import library
from engine.schedule import depths

from .open_window import QuietWorker, open_cell, open_window


@pytest.fixture
def state():
    state = AppState()
    state.keep = make_controllers(state, QuietWorker())
    state.keep.files.open_sample("spn")
    return state


def rows(description):
    return {name: value for group in description.groups for name, value in group.rows}


def test_nothing_open_says_nothing():
    assert describe(AppState()) is None
    assert summary(AppState()) == ""


def test_without_a_selection_the_cell_is_described(state):
    said = rows(describe(state))
    tree = state.cell.trees["neuron"]
    assert said["points"] == f"{state.cell.morphology.n_point:,}".replace(",", "\u202f")
    assert said["sections"] == str(state.cell.sections.n_section)
    assert said["NEURON's nodes"] == str(tree.n_comp)
    assert float(said["membrane area"].split(" µ")[0].replace("\u202f", "")) == pytest.approx(
        tree.area.sum(), abs=1
    )


def test_a_segment_is_described_with_its_own_numbers(state):
    state.selection = 100
    tree = state.cell.trees["neuron"]
    node = tree.node_of_segment[100]
    said = rows(describe(state))
    assert float(said["length"].split()[0]) == pytest.approx(tree.length[node], rel=1e-3)
    assert float(said["diameter"].split()[0]) == pytest.approx(tree.diameter[node], rel=1e-3)
    assert float(said["axial conductance"].split()[0]) == pytest.approx(
        tree.g_axial[node], rel=1e-3
    )
    distance = float(said["distance from soma"].split()[0])
    assert distance == pytest.approx(path_distance(tree)[node], rel=1e-3)
    assert said["depth"] == str(depths(tree.parent)[node])
    assert said["children"] == str((tree.parent == node).sum())
    assert int(said["thread"]) == state.schedule.thread[node]


def test_step_and_thread_follow_the_schedule(state):
    state.selection = 100
    state.keep.schedule.choose_method("hines")
    tree, schedule = state.cell.trees[state.nodes], state.schedule
    place = list(schedule.node).index(tree.node_of_segment[100])
    assert rows(describe(state))["step"].split(" of ")[0] == str(place + 1)
    state.keep.schedule.choose_nodes("merged")
    assert rows(describe(state))["node"].endswith(str(state.cell.trees["merged"].n_comp))


def test_the_membrane_of_a_place_is_that_of_its_region(state):
    state.selection = int(state.cell.distance.argmin())
    headings = [group.heading for group in describe(state).groups]
    assert "Mechanism hh" in headings
    (hh,) = (i for i in state.experiment.insertions if (i.mechanism, i.region) == ("hh", "soma"))
    gnabar = next(p for p in parameters(hh, library()) if p.name == "gnabar")
    assert rows(describe(state))["gnabar"] == f"{gnabar.value:.4g} S/cm²"
    state.selection = int(state.cell.distance.argmax())
    headings = [group.heading for group in describe(state).groups]
    assert "Mechanism hh" not in headings
    assert "Mechanism pas" in headings


def test_what_was_set_replaces_the_default():
    given = Insertion("hh", "soma", (("gnabar", 0.2),))
    values = {p.name: p for p in parameters(given, library())}
    assert (values["gnabar"].value, values["gnabar"].default) == (0.2, 0.12)
    assert values["gkbar"].value == values["gkbar"].default
    assert values["el"].unit == "mV"


def test_the_panel_draws_only_while_it_is_seen(qtbot, state):
    panel = Inspector(state)
    qtbot.addWidget(panel)
    drawn = []
    draw = panel._draw
    panel._draw = lambda: (drawn.append(1), draw())
    state.selection = 5
    qtbot.wait(30)
    assert drawn == []
    with qtbot.waitExposed(panel):
        panel.show()
    state.selection = 6
    state.selection = 7
    qtbot.waitUntil(lambda: len(drawn) == 2, timeout=1000)  # on showing, and once for both
    texts = [label.text() for label in panel.findChildren(QLabel)]
    assert describe(state).title in texts
    with qtbot.waitSignal(panel.clamp_clicked) as signal:
        panel.clamp.click()
    assert signal.args == [7]


def test_the_tree_lists_the_experiment_and_its_runs(qtbot, state):
    panel = ProjectTree(state)
    qtbot.addWidget(panel)
    state.keep.experiment.add_clamp(3)
    with qtbot.waitExposed(panel):
        panel.show()
    texts = [
        item.text(0)
        for item in panel.tree.findItems(
            "", Qt.MatchFlag.MatchContains | Qt.MatchFlag.MatchRecursive
        )
    ]
    site = place(state.cell.site(3))
    assert f"{site}: {state.experiment.stimuli[0].amplitude:g} nA" in texts
    assert "hh · soma" in texts
    assert "none; press F5" in texts
    (item,) = panel.tree.findItems(
        f"{site}: {state.experiment.stimuli[0].amplitude:g} nA",
        Qt.MatchFlag.MatchExactly | Qt.MatchFlag.MatchRecursive,
    )
    panel.tree.setCurrentItem(item)
    by_text = {action.text(): action for action in panel.context_menu(item).actions()}
    with qtbot.waitSignal(panel.item_opened) as signal:
        by_text["Parameters…"].trigger()
    assert signal.args == [Item("stimuli", 0)]
    assert "Remove" in by_text
    with qtbot.waitSignal(panel.remove_requested) as signal:
        qtbot.keyClick(panel, Qt.Key.Key_Delete)
    assert signal.args == [Item("stimuli", 0)]


def test_parameters_are_changed_in_any_unit_and_can_be_undone(qtbot):
    window = open_window(qtbot)
    open_cell(qtbot, window, "sample:toy15")
    state = window.state
    window.controllers.experiment.add_clamp(0)
    dialog = parameters_dialog(window, Item("stimuli", 0))
    dialog.boxes["Amplitude"].lineEdit().setText("200 pA")
    dialog.boxes["Amplitude"].interpretText()
    dialog._on_ok()
    assert state.experiment.stimuli[0].amplitude == pytest.approx(0.2)
    dialog = parameters_dialog(window, Item("cable", 0))
    dialog.boxes["axial resistivity"].setValue(100)
    dialog._on_ok()
    assert state.experiment.cables[0].ra == 100
    dialog = parameters_dialog(window, Item("mechanism", 0))
    name = next(iter(dialog.boxes))
    before = dialog.boxes[name].value()
    dialog.boxes[name].setValue(before * 2)
    dialog._on_ok()
    assert state.experiment.insertions[0].parameters
    window.controllers.experiment.undo()
    assert dict(state.experiment.insertions[0].parameters).get(name, before) == before
    dialog = parameters_dialog(window, Item("probes", 0))
    assert dialog.boxes == {}


def test_a_refused_change_keeps_the_dialog_open(qtbot):
    state = AppState()

    def refuse(values):
        state.message = Message(f"{values['dt']} is too long", "error")
        return False

    dialog = ParametersDialog("Run", (), (Field("dt", 0.1, "ms"),), refuse)
    qtbot.addWidget(dialog)
    dialog.show()
    dialog._on_ok()  # nothing was changed: it may close
    assert not dialog.isVisible()
    dialog.show()
    dialog.boxes["dt"].setValue(5)
    dialog._on_ok()
    assert dialog.isVisible()
    assert state.message.text == "5.0 is too long"
