"""Every parameter of a run has a box with its unit; an edit is a whole new experiment."""

from dataclasses import replace

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QComboBox, QLabel, QPushButton, QToolButton

from dendview.controllers.experiment import ExperimentController
from dendview.experiment_fields import (
    PRESETS,
    insertion_fields,
    preset_of,
    reversal_field,
    with_insertions,
)
from dendview.state import AppState
from dendview.views.experiment_panel import ExperimentPanel
from dendview.widgets.quantity import QuantityBox
from engine.discretize import Rule
from engine.distributions import Distribution
from engine.experiment import Cable, Insertion, default_experiment
from engine.mechanisms import library
from tests.dendview.made_runs import busy_state
from tests.dendview.small_cell import small_cell, small_experiment, small_state


@pytest.fixture
def bench(qtbot):
    state = busy_state()
    controller = ExperimentController(state)
    panel = ExperimentPanel(state)
    qtbot.addWidget(panel)
    panel.experiment_edited.connect(controller.replace)
    panel.remove_requested.connect(controller.remove)
    panel.resize(320, 900)
    with qtbot.waitExposed(panel):
        panel.show()
    qtbot.wait(20)
    return state, controller, panel


def box_of(panel: ExperimentPanel, label: str, nth: int = 0):
    """The box beside a label."""
    return [box for field, box in panel._form._boxes if field.label == label][nth]


def combo_of(panel: ExperimentPanel, name: str) -> QComboBox:
    return next(c for c in panel.findChildren(QComboBox) if c.accessibleName() == name)


def type_in(qtbot, box, text: str) -> None:
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, text)
    qtbot.keyClick(box, Qt.Key.Key_Return)
    qtbot.wait(20)


def test_values_stand_with_their_units(bench):
    _, _, panel = bench
    assert box_of(panel, "Duration").text() == "250 ms"
    assert box_of(panel, "Time step dt").text() == "0.025 ms"
    assert box_of(panel, "Amplitude").text() == "0.3 nA"
    assert box_of(panel, "gnabar").text() == "0.12 S/cm²"
    assert box_of(panel, "Resistivity Ra").text() == "150 Ω·cm"
    assert box_of(panel, "ena").text() == "50 mV"


def test_other_units_may_be_typed(bench, qtbot):
    state, _, panel = bench
    type_in(qtbot, box_of(panel, "Amplitude"), "450 pA")
    assert state.experiment.stimuli[0].amplitude == pytest.approx(0.45)
    type_in(qtbot, box_of(panel, "Duration"), "0.5 s")
    assert state.experiment.duration == pytest.approx(500.0)


def test_boxes_follow_undo(bench, qtbot):
    state, controller, panel = bench
    box = box_of(panel, "Time step dt")
    type_in(qtbot, box, "0.0125")
    assert state.experiment.dt == 0.0125
    controller.undo()
    qtbot.wait(20)
    assert box.text() == "0.025 ms"
    assert box_of(panel, "Time step dt") is box  # no new widgets for a new value


def test_a_refused_edit_jumps_back(bench, qtbot):
    state, _, panel = bench
    box = box_of(panel, "Time step dt")
    type_in(qtbot, box, "5")
    type_in(qtbot, box_of(panel, "Duration"), "1")  # shorter than a step
    assert state.message.kind == "error"
    assert state.experiment.duration == 250.0
    assert box_of(panel, "Duration").text() == "250 ms"


def test_clamps_and_probes_are_removed_and_selected(bench, qtbot):
    state, controller, panel = bench
    with qtbot.waitSignal(panel.segment_clicked) as got:
        next(b for b in panel.findChildren(QPushButton) if b.text() == "axon[0](0.9)").click()
    assert got.args == [state.cell.segment(state.experiment.probes[2].site)]
    remove = [b for b in panel.findChildren(QToolButton) if "Remove" in b.accessibleName()]
    next(b for b in remove if "clamp" in b.accessibleName()).click()
    next(b for b in remove if "apic[1]" in b.accessibleName()).click()
    qtbot.wait(20)
    assert state.experiment.stimuli == ()
    assert [p.site.section for p in state.experiment.probes] == ["soma[0]", "axon[0]"]
    assert not [f for f, _ in panel._form._boxes if f.label == "Amplitude"]
    controller.undo()
    controller.undo()
    qtbot.wait(20)
    assert box_of(panel, "Amplitude").text() == "0.3 nA"


def test_a_preset_replaces_the_membrane(bench, qtbot):
    state, _, panel = bench
    combo = combo_of(panel, "Preset")
    assert combo.currentText() == "Custom"
    combo.setCurrentIndex(combo.findText("hh everywhere"))
    qtbot.wait(20)
    assert state.experiment.insertions == (Insertion("hh", "all"),)
    type_in(qtbot, box_of(panel, "ena"), "60")
    assert state.experiment.reversals == (("ena", 60.0),)
    combo = combo_of(panel, "Preset")
    combo.setCurrentIndex(combo.findText("Passive"))
    qtbot.wait(20)
    assert state.experiment.reversals == ()  # nothing reads it any more
    assert state.message is None or state.message.kind != "error"
    assert combo_of(panel, "Preset").findText("Custom") == -1


def test_a_mechanism_is_added_and_removed(bench, qtbot):
    state, _, panel = bench
    combo_of(panel, "Mechanism to add").setCurrentText("pas")
    combo_of(panel, "Region to add it to").setCurrentText("axon")
    next(b for b in panel.findChildren(QPushButton) if b.text() == "Add").click()
    qtbot.wait(20)
    assert state.experiment.insertions[-1] == Insertion("pas", "axon")
    type_in(qtbot, box_of(panel, "g", 1), "5e-5")
    assert state.experiment.insertions[-1].parameters == (("g", 5e-5),)
    assert box_of(panel, "g", 1).text() == "0.00005 S/cm²"
    next(
        b for b in panel.findChildren(QToolButton) if b.accessibleName() == "Remove pas in axon"
    ).click()
    qtbot.wait(20)
    assert len(state.experiment.insertions) == 2


def test_another_rule_cuts_the_cell_anew(bench, qtbot):
    state, _, panel = bench
    n_segment = state.cell.n_segment
    combo = combo_of(panel, "Cut by")
    combo.setCurrentIndex(combo.findData("fixed"))
    qtbot.wait(20)
    assert state.experiment.rule == Rule("fixed", 5)
    assert state.cell.n_segment == 5 * state.cell.sections.n_section != n_segment
    type_in(qtbot, box_of(panel, "Segments"), "3")
    assert state.cell.n_segment == 3 * state.cell.sections.n_section


def test_the_wheel_scrolls_the_panel_and_not_the_values(bench, qtbot):
    from PyQt6.QtCore import QPoint, QPointF
    from PyQt6.QtGui import QWheelEvent
    from PyQt6.QtWidgets import QApplication

    state, _, panel = bench
    panel.resize(320, 300)
    box, before = box_of(panel, "Temperature"), state.experiment
    wheel = QWheelEvent(
        QPointF(5, 5),
        box.mapToGlobal(QPointF(5, 5)),
        QPoint(0, 0),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    box.clearFocus()
    QApplication.sendEvent(box, wheel)
    qtbot.wait(20)
    assert state.experiment is before


def test_nothing_is_wider_than_the_panel(bench, qtbot):
    _, _, panel = bench
    body = panel._scroll.widget()
    assert body.minimumSizeHint().width() <= 320


def test_without_a_cell_it_says_so(qtbot):
    state = AppState()
    panel = ExperimentPanel(state)
    qtbot.addWidget(panel)
    with qtbot.waitExposed(panel):
        panel.show()
    qtbot.wait(20)
    assert "Open a cell" in panel._scroll.widget().text()
    state.cell, state.experiment = small_cell(), small_experiment()
    qtbot.wait(20)
    assert box_of(panel, "Duration").text() == "300 ms"
    state.experiment = None
    qtbot.wait(20)
    assert panel._form is None


def test_presets_are_named_and_the_default_is_one():
    for name, insertions in PRESETS.items():
        assert preset_of(insertions) == name
    default = default_experiment("x", small_cell().sections)
    assert preset_of(default.insertions) == "hh in soma and axon"
    assert default.insertions == PRESETS["hh in soma and axon"]


def test_a_value_equal_to_the_default_is_not_kept():
    experiment = small_experiment()
    field = next(f for f in insertion_fields(0, library()["hh"]) if f.label == "gl")
    changed = field.put(experiment, 0.001)
    assert field.get(changed) == 0.001
    assert field.put(changed, 0.0003).insertions == experiment.insertions
    ena = reversal_field("ena")
    assert ena.put(ena.put(experiment, 55.0), 50.0) == experiment


def test_reversals_go_with_the_mechanisms_that_read_them():
    experiment = replace(small_experiment(), reversals=(("ena", 55.0),))
    assert with_insertions(experiment, PRESETS["Passive"], library()).reversals == ()
    assert with_insertions(experiment, PRESETS["hh everywhere"], library()).reversals


def test_a_value_that_changes_along_the_cell_is_told_as_a_law(qtbot):
    """There is no number to type; editing the others leaves it as it is."""
    law = Distribution("exponential", 2e-4, offset=-0.5, scale=2.0, rate=0.003)
    state = small_state(
        insertions=(Insertion("pas", "dendrite", (("g", law), ("e", -70.0))),),
        cables=(Cable("all", cm=Distribution("linear", offset=1.0, scale=0.01)),),
    )
    panel = ExperimentPanel(state)
    qtbot.addWidget(panel)
    panel.experiment_edited.connect(lambda e: setattr(state, "experiment", e))
    with qtbot.waitExposed(panel):
        panel.show()
    names = [box.accessibleName() for box in panel.findChildren(QuantityBox)]
    assert "e in mV" in names
    assert not {"g in S/cm²", "Capacitance cm in µF/cm²"} & set(names)
    texts = [label.text() for label in panel.findChildren(QLabel)]
    assert f"{law} S/cm²" in texts
    box_of(panel, "e").setValue(-65.0)
    assert dict(state.experiment.insertions[0].parameters) == {"g": law, "e": -65.0}
