"""Synapses, voltage clamps and recordings of any variable: put on, seen, changed, taken off."""

from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtWidgets import QLabel, QPushButton, QToolButton

from dendview.attached_fields import NOUNS, fields_of
from dendview.attaching import mechanisms_of, point_processes, recordables
from dendview.cell_menus import context_menu, text_of
from dendview.controllers.experiment import ExperimentController
from dendview.project_items import parameters_dialog, remove_item, select_item
from dendview.scene import resolve
from dendview.views.cell_overlay import MAX_PINS
from dendview.views.experiment_panel import N_FIELDS, ExperimentPanel
from dendview.views.project_tree import Item
from engine.experiment import Probe
from engine.model import build
from engine.recording import collect
from engine.simulation import simulate
from engine.stimuli import CurrentClamp, GapJunction, NoiseClamp, RampClamp, SineClamp, Site
from engine.synapses import NetStim, SpikeSource, SpikeTrain, Synapse
from tests.dendview.small_cell import small_cell, small_experiment, small_state

from .open_window import in_perspective, open_cell, open_window

SYNAPSES = ("AMPANMDA", "epsp", "Exp2Syn", "ExpSyn", "GABA_A", "NMDA")


def crowded():
    """One of everything that can sit on a cell."""
    soma, tuft = Site("soma[0]"), Site("apic[1]")
    return small_state(
        stimuli=(CurrentClamp(soma),),
        waveforms=(RampClamp(soma), SineClamp(tuft), NoiseClamp(tuft)),
        gap_junctions=(GapJunction(soma, tuft),),
        synapses=(
            Synapse(tuft, "Exp2Syn", (("tau2", 5.0),), (0.002,), SpikeTrain((1.0,))),
            Synapse(tuft, "ExpSyn", (), (0.002,), SpikeSource(soma)),
            Synapse(tuft, "AMPANMDA", (), (0.002, 0.001), NetStim()),
            Synapse(tuft, "epsp", (("imax", 0.1),), ()),
        ),
    )


def test_the_library_offers_its_point_processes():
    assert tuple(m.name for m in point_processes(None)) == SYNAPSES


@pytest.mark.parametrize("name", SYNAPSES)
def test_every_synapse_goes_on_and_comes_off(name):
    state = small_state(duration=30.0)
    controller = ExperimentController(state)
    before = state.experiment
    assert controller.add_synapse(10, name)
    assert [s.mechanism for s in state.experiment.synapses] == [name]
    assert controller.undo()
    assert state.experiment == before
    assert "add synapse at" in state.message.text


@pytest.mark.parametrize("name", ["ExpSyn", "epsp"])  # one with events, one without
def test_a_new_synapse_moves_the_membrane(name):
    state = small_state(duration=30.0)
    controller = ExperimentController(state)
    before = state.experiment
    assert controller.add_synapse(10, name)
    (synapse,) = state.experiment.synapses
    assert synapse.site == state.cell.site(10)
    if synapse.source is not None:
        assert synapse.source.start < state.experiment.duration
    probes = (Probe(state.cell.site(10)),)
    traces = []
    for experiment in (before, state.experiment):
        model = build(replace(experiment, probes=probes), cell=state.cell.morphology)
        traces.append(collect(model, simulate(model, "cpu")).values[0, 0])
    assert np.abs(traces[1] - traces[0]).max() > 0.1


def test_streams_of_new_synapses_differ():
    state = small_state()
    controller = ExperimentController(state)
    for _ in range(3):
        controller.add_synapse(0, "ExpSyn")
    assert [s.source.stream for s in state.experiment.synapses] == [0, 1, 2]


def test_a_voltage_clamp_holds_steps_and_goes(qtbot):
    state = small_state(duration=60.0, v_init=-70.0)
    controller = ExperimentController(state)
    assert controller.add_voltage_clamp(0)
    assert not controller.add_voltage_clamp(0)
    assert "already" in state.message.text
    (clamp,) = state.experiment.voltage_clamps
    assert clamp.levels == (-70.0, -30.0, -70.0)
    assert sum(clamp.durations) <= 60.0
    assert controller.remove("voltage_clamps", 0)
    assert state.experiment.voltage_clamps == ()


def test_an_unknown_synapse_is_refused_with_a_sentence():
    state = small_state()
    assert not ExperimentController(state).add_synapse(0, "ExpSin")
    assert "ExpSyn" in state.message.text
    assert not ExperimentController(state).add_synapse(0, "hh") or state.message.kind == "error"


@pytest.mark.parametrize("group", NOUNS)
def test_every_field_reads_and_writes_its_own_number(group):
    state = crowded()
    ExperimentController(state).add_voltage_clamp(5)
    experiment, known = state.experiment, mechanisms_of(state.experiment)
    for index in range(len(getattr(experiment, group))):
        shown = fields_of(group, index, experiment, known)
        assert len({field.label for field in shown}) == len(shown)
        for field in shown:
            value = 1.0 if field.get(experiment) != 1 else 2.0 if field.maximum > 1 else 0.5
            after = field.put(experiment, value)
            assert field.get(after) == value
            changed = [f for f in shown if f.get(after) != f.get(experiment)]
            assert changed == [field]
            assert field.put(after, field.get(experiment)) == experiment or group == "synapses"


def test_a_parameter_at_its_default_is_not_kept():
    state = crowded()
    known = mechanisms_of(state.experiment)
    tau = next(f for f in fields_of("synapses", 0, state.experiment, known) if f.label == "tau2")
    assert tau.put(state.experiment, 10.0).synapses[0].parameters == ()


def test_whatever_is_offered_can_be_recorded():
    cell = small_cell()
    experiment = small_experiment(duration=1.0, synapses=(Synapse(cell.site(0), "ExpSyn"),))
    found = recordables(cell, experiment, 0)
    names = {entry.variable for entry in found}
    assert {"v", "m_hh", "ina", "ik", "ena", "g_ExpSyn", "i_ExpSyn"} <= names
    assert {e.group for e in found if e.variable in ("m_hh", "ina", "v")} == {"hh", "ions", ""}
    probes = tuple(Probe(cell.site(0), entry.variable) for entry in found)
    model = build(replace(experiment, probes=probes), cell=cell.morphology)
    assert [p.unit for p in model.probes] == [entry.unit or "1" for entry in found]
    assert [text_of(e) for e in found if e.variable in ("v", "m_hh", "ina")] == [
        "Voltage (mV)",
        "m",
        "ina (mA/cm²)",
    ]


def test_a_dendrite_without_channels_offers_none_of_them():
    cell, experiment = small_cell(), small_experiment()
    tip = int(np.argmax(cell.distance))
    assert "m_hh" not in {entry.variable for entry in recordables(cell, experiment, tip)}


def test_everything_is_marked_on_the_cell():
    state = crowded()
    ExperimentController(state).add_voltage_clamp(5)
    kinds = [(m.kind, m.label) for m in resolve(state).markers]
    assert [k for k, _ in kinds] == ["clamp"] * 4 + ["voltage_clamp"] + ["synapse"] * 4 + [
        "gap_junction"
    ] * 2
    assert ("voltage_clamp", "−65 → −25 → −65 mV") in kinds
    assert ("synapse", "AMPANMDA") in kinds


def test_hundreds_of_synapses_are_dots_and_few_rows(qtbot):
    cell = small_cell()
    sites = [cell.site(i % cell.n_segment) for i in range(400)]
    state = small_state(synapses=tuple(Synapse(s, "ExpSyn", (), (1e-3,), NetStim()) for s in sites))
    assert len(resolve(state).markers) == 400 > MAX_PINS
    panel = ExperimentPanel(state)
    qtbot.addWidget(panel)
    with qtbot.waitExposed(panel):
        panel.show()
    qtbot.wait(20)
    texts = [label.text() for label in panel.findChildren(QLabel)]
    assert f"and {400 - N_FIELDS} more, in the project" in texts


def test_the_panel_edits_and_removes_them(qtbot):
    state = crowded()
    controller, panel = ExperimentController(state), ExperimentPanel(state)
    qtbot.addWidget(panel)
    panel.experiment_edited.connect(controller.replace)
    panel.remove_requested.connect(controller.remove)
    panel.resize(320, 900)
    with qtbot.waitExposed(panel):
        panel.show()
    controller.add_voltage_clamp(5)
    qtbot.wait(20)
    assert panel._scroll.widget().minimumSizeHint().width() <= 320
    boxes = {field.label: box for field, box in panel._form._boxes}
    assert boxes["Second level"].text() == "-25 mV"
    assert boxes["Events from"].text() == "50 ms"
    boxes["Weight NMDA"].setFocus()
    boxes["Weight NMDA"].selectAll()
    qtbot.keyClicks(boxes["Weight NMDA"], "3 nS")
    qtbot.keyClick(boxes["Weight NMDA"], "\r")
    assert state.experiment.synapses[2].weights == (0.002, pytest.approx(0.003))
    buttons = panel.findChildren(QToolButton)
    next(b for b in buttons if b.accessibleName().startswith("Remove the voltage clamp")).click()
    qtbot.wait(20)
    buttons = panel.findChildren(QToolButton)
    next(b for b in buttons if b.accessibleName().startswith("Remove the synapse")).click()
    assert state.experiment.voltage_clamps == ()
    assert [s.mechanism for s in state.experiment.synapses] == ["ExpSyn", "AMPANMDA", "epsp"]
    assert any(b.text() == "ramp at soma[0](0.5)" for b in panel.findChildren(QPushButton))


# In the window


def submenu(menu, title):
    found = [a.menu() for a in menu.actions() if a.menu() is not None]
    sub = next(m for m in found if m.title().replace("&", "") == title)
    sub.aboutToShow.emit()
    return sub


def entry(menu, text):
    return next(a for a in menu.actions() if a.text().replace("&", "") == text)


def test_right_click_adds_and_records_and_the_project_lists_it(qtbot):
    window = open_window(qtbot)
    open_cell(qtbot, window, "sample:l5b")
    state, segment = window.state, window.state.cell.n_segment - 1
    menu = context_menu(window, segment)
    entry(submenu(menu, "Add synapse"), "AMPANMDA").trigger()
    assert "10 events every 10 ms" in state.message.text
    entry(menu, "Voltage clamp here").trigger()
    assert "Voltage clamp at" in state.message.text
    more = submenu(menu, "Record more")
    entry(submenu(more, "AMPANMDA"), "g_AMPA (µS)").trigger()
    site = state.cell.site(segment)
    assert state.experiment.probes[-1] == Probe(site, "g_AMPA_AMPANMDA")
    assert not entry(submenu(submenu(menu, "Record more"), "AMPANMDA"), "g_AMPA (µS)").isEnabled()
    assert state.message.text.startswith("g_AMPA_AMPANMDA is recorded at")

    select_item(window, Item("synapses", 0))
    assert state.selection == segment
    dialog = parameters_dialog(window, Item("synapses", 0))
    dialog.boxes["Events"].setValue(3)
    dialog._on_ok()
    assert state.experiment.synapses[0].source.number == 3
    remove_item(window, Item("voltage_clamps", 0))
    assert state.experiment.voltage_clamps == ()
    window.controllers.experiment.undo()
    assert len(state.experiment.voltage_clamps) == 1


def test_the_cell_menu_does_the_same_at_the_selection(qtbot):
    window = open_window(qtbot)
    open_cell(qtbot, window, "sample:toy15")
    menu = window.menus["Cell"]
    assert not entry(submenu(menu, "Add synapse"), "GABA_A").isEnabled()
    window.controllers.selection.select(3)
    entry(submenu(menu, "Add synapse"), "GABA_A").trigger()
    assert [s.mechanism for s in window.state.experiment.synapses] == ["GABA_A"]
    entry(submenu(menu, "Record more"), "Voltage (mV)").trigger()
    assert window.state.experiment.probes[-1].site == window.state.cell.site(3)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_nothing_is_cut_off_with_all_of_it(qtbot, theme):
    from .open_window import cut_off

    window = open_window(qtbot, theme=theme)
    cell = open_cell(qtbot, window, "sample:l5b")
    controller = window.controllers.experiment
    for number, name in enumerate(SYNAPSES):
        controller.add_synapse(number * cell.n_segment // 7, name)
    controller.add_voltage_clamp(cell.n_segment // 2)
    for perspective in ("explore", "simulate"):
        in_perspective(qtbot, window, perspective)
        assert cut_off(window) == []
