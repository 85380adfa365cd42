"""Gap junctions and spike-driven synapses: one place after the other, by every way in."""

from dataclasses import replace

import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtWidgets import QComboBox, QToolButton

from dendview.attached_fields import source_kind
from dendview.cell_menus import context_menu
from dendview.controllers.experiment import ExperimentController
from dendview.controllers.picking import PickingController
from dendview.controllers.selection import SelectionController
from dendview.project_items import parameters_dialog, pick_for_item, remove_item
from dendview.removing import without_item
from dendview.scene import resolve
from dendview.state import Picking
from dendview.views.experiment_panel import ExperimentPanel
from dendview.views.project_tree import Item
from dendview.wording import place
from engine.experiment import Probe
from engine.stimuli import GapJunction, NoiseClamp, RampClamp, SineClamp, Site
from engine.synapses import NetStim, SpikeSource, Synapse
from tests.dendview.small_cell import small_state

from .open_window import in_perspective, open_cell, open_window
from .test_attaching import entry, submenu


def controlled(**experiment):
    state = small_state(**experiment)
    controller = ExperimentController(state)
    return state, controller, PickingController(state, controller)


def test_two_clicks_join_two_places_and_undo_parts_them():
    state, controller, picking = controlled()
    one, other = state.cell.site(0), state.cell.site(10)
    picking.begin(Picking("gap_junction", one))
    assert "Esc cancels" in resolve(state).asked
    assert not picking.take(-1)
    assert state.picking is not None
    assert not picking.take(0)
    assert "two places" in state.message.text
    assert picking.take(10)
    assert state.experiment.gap_junctions == (GapJunction(one, other),)
    assert state.picking is None
    assert resolve(state).asked == ""
    assert [(link.start, link.stop) for link in resolve(state).links] == [(0, 10)]
    assert controller.undo()
    assert state.experiment.gap_junctions == ()
    assert "gap junction" in state.message.text


def test_whatever_selects_a_place_gives_it():
    state, _, picking = controlled()
    picking.begin(Picking("synapse", state.cell.site(10), "ExpSyn"))
    SelectionController(state).select_soma()
    (synapse,) = state.experiment.synapses
    assert synapse.site == state.cell.site(10)
    assert synapse.source == SpikeSource(
        state.cell.site(state.selection), state.experiment.spike_threshold
    )
    assert synapse.weights
    assert "hears spikes" in state.message.text


def test_another_end_and_another_source():
    soma = Site("soma[0]")
    gap, synapse = GapJunction(soma, Site("apic[1]")), Synapse(soma, "ExpSyn", (), (1e-3,))
    state, _, picking = controlled(gap_junctions=(gap,), synapses=(synapse,))
    picking.begin(Picking("other_end", soma, index=0))
    assert picking.take(10)
    assert state.experiment.gap_junctions == (replace(gap, other=state.cell.site(10)),)
    picking.begin(Picking("source", soma, index=0))
    assert picking.take(10)
    assert source_kind(state.experiment.synapses[0]) == "spikes"


def test_an_edit_and_escape_end_it():
    state, controller, picking = controlled()
    picking.begin(Picking("gap_junction", state.cell.site(0)))
    controller.edit(dt=0.0125)
    assert state.picking is None
    before = state.experiment
    picking.begin(Picking("gap_junction", state.cell.site(0)))
    picking.stop()
    assert (state.picking, state.experiment) == (None, before)


@pytest.mark.parametrize("kind", [RampClamp, SineClamp, NoiseClamp])
def test_played_currents_go_on_and_come_off(kind):
    state, controller, _ = controlled(duration=60.0)
    assert controller.add_waveform(0, kind.kind)
    (wave,) = state.experiment.waveforms
    assert type(wave) is kind
    assert wave.delay + wave.duration <= 60.0
    assert controller.undo()
    assert state.experiment.waveforms == ()


def test_streams_of_new_noises_differ():
    state, controller, _ = controlled()
    for _ in range(2):
        controller.add_waveform(0, "noise")
    assert [w.stream for w in state.experiment.waveforms] == [0, 1]


# What goes with a thing that is removed


def synapses_of_two(state, *variables):
    here, there = state.cell.site(0), state.cell.site(10)
    synapses = tuple(
        Synapse(site, name, (), (1e-3,), NetStim())
        for site, name in ((here, "ExpSyn"), (here, "Exp2Syn"), (here, "ExpSyn"), (there, "ExpSyn"))
    )
    probes = (Probe(there, "g_ExpSyn"), *(Probe(here, variable) for variable in variables))
    return replace(state.experiment, synapses=synapses, probes=probes)


def test_a_synapse_takes_its_probes_along_and_undo_brings_both():
    state, controller, _ = controlled()
    controller.replace(synapses_of_two(state, "v", "g_ExpSyn", "g_ExpSyn[1]", "g_Exp2Syn"))
    before = state.experiment
    assert controller.remove("synapses", 0)
    assert [p.variable for p in state.experiment.probes] == [
        "g_ExpSyn", "v", "g_ExpSyn", "g_Exp2Syn"
    ]  # fmt: skip
    assert "g_ExpSyn is no longer recorded" in state.message.text
    assert controller.undo()
    assert state.experiment == before


def test_the_later_of_two_takes_only_its_own():
    state, _, _ = controlled()
    experiment = synapses_of_two(state, "g_ExpSyn", "i_ExpSyn[1]", "g_ExpSyn[1]")
    removed = without_item(experiment, state.cell, "synapses", 2)
    assert {p.variable for p in removed.probes} == {"i_ExpSyn[1]", "g_ExpSyn[1]"}
    assert [p.variable for p in removed.experiment.probes] == ["g_ExpSyn", "g_ExpSyn"]


def test_another_membrane_takes_along_what_only_the_old_one_had():
    state, controller, _ = controlled()
    for variable in ("v", "m_hh", "ina"):
        controller.add_probe(0, variable)
    before = state.experiment
    leak = next(i for i in before.insertions if i.mechanism == "pas")
    assert controller.edit(insertions=(replace(leak, region="all"),))
    assert [p.variable for p in state.experiment.probes] == ["v"]
    assert "m_hh and ina are no longer recorded" in state.message.text
    assert controller.undo()
    assert state.experiment == before
    assert controller.put_membrane("ca1")  # it has sodium, but no hh
    assert [p.variable for p in state.experiment.probes] == ["v", "ina"]
    assert "m_hh is no longer recorded" in state.message.text


def test_a_voltage_clamp_takes_its_current_along():
    state, controller, _ = controlled()
    controller.add_voltage_clamp(0)
    controller.add_probe(0, "i_VoltageClamp")
    assert controller.remove("voltage_clamps", 0)
    assert all(p.variable == "v" for p in state.experiment.probes)


# The panel


def test_the_panel_changes_what_drives_a_synapse(qtbot):
    state, controller, picking = controlled(duration=60.0)
    controller.add_synapse(10, "ExpSyn")
    panel = ExperimentPanel(state)
    qtbot.addWidget(panel)
    panel.experiment_edited.connect(controller.replace)
    panel.place_wanted.connect(picking.begin)
    panel.resize(320, 900)
    with qtbot.waitExposed(panel):
        panel.show()

    def driven():
        return next(c for c in panel.findChildren(QComboBox) if c.accessibleName() == "Driven by")

    driven().setCurrentText("Spikes of a place…")
    assert state.picking == Picking("source", state.cell.site(10), index=0)
    picking.take(0)
    qtbot.wait(20)
    assert driven().currentData() == "spikes"
    button = next(b for b in panel.findChildren(QToolButton) if "Spikes of" in b.accessibleName())
    button.click()
    picking.take(5)
    assert state.experiment.synapses[0].source.site == state.cell.site(5)
    qtbot.wait(20)
    driven().setCurrentText("Nothing")
    assert state.experiment.synapses[0].source is None
    qtbot.wait(20)
    driven().setCurrentText("Events of its own")
    assert state.experiment.synapses[0].source.start == pytest.approx(20.0)


# The window


def click(qtbot, window, segment):
    at = window.pane.view.project(segment).toPoint()
    qtbot.mouseClick(window.pane.view.canvas.native, Qt.MouseButton.LeftButton, pos=at)


def test_pointing_in_the_window(qtbot):
    window = open_window(qtbot)
    cell = open_cell(qtbot, window, "sample:ball_and_stick")
    state = window.state
    in_perspective(qtbot, window, "simulate")
    soma, far = cell.segment(Site("soma[0]")), cell.segment(Site("dend[0]", 0.9))

    entry(context_menu(window, soma), "Gap junction from here…").trigger()
    qtbot.wait(20)
    assert window.actions_table["cancel"].isEnabled()
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert state.picking is None
    assert state.experiment.gap_junctions == ()

    entry(context_menu(window, soma), "Gap junction from here…").trigger()
    click(qtbot, window, far)
    (gap,) = state.experiment.gap_junctions
    assert gap.site == cell.site(soma)
    assert gap.other.section == "dend[0]"

    synapses = submenu(context_menu(window, far), "Add synapse")
    entry(submenu(synapses, "Driven by spikes of a place"), "GABA_A").trigger()
    entry(
        context_menu(window, soma), f"Let spikes here drive the synapse at {place(cell.site(far))}"
    ).trigger()
    assert state.experiment.synapses[0].source.site == cell.site(soma)

    for kind in ("Ramp", "Sine", "Noise"):
        entry(submenu(context_menu(window, soma), "Played current here"), kind).trigger()
    assert [w.kind for w in state.experiment.waveforms] == ["ramp", "sine", "noise"]
    in_perspective(qtbot, window, "simulate")
    assert window.docks.traces._stimulus is not None

    titles = [parameters_dialog(window, Item("waveforms", i)).windowTitle() for i in range(3)]
    assert titles == ["Ramp current 1", "Sine current 2", "Noise current 3"]
    pick_for_item(window, Item("gap_junctions", 0))
    assert state.picking.purpose == "other_end"
    window.actions_table["cancel"].trigger()
    dialog = parameters_dialog(window, Item("gap_junctions", 0))
    dialog.boxes["Conductance"].setValue(0.005)
    dialog._on_ok()
    assert state.experiment.gap_junctions[0].conductance == 0.005
    remove_item(window, Item("gap_junctions", 0))
    assert state.experiment.gap_junctions == ()


def test_inspector_and_panel_offer_the_same(qtbot):
    window = open_window(qtbot)
    open_cell(qtbot, window, "sample:toy15")
    in_perspective(qtbot, window, "simulate")
    window.docks.experiment.more_clicked.emit(QPoint(5, 5))
    assert window.state.selection is not None  # the soma, as nothing was selected
    texts = [a.text() for a in window.context_menu.actions()]
    window.context_menu.close()
    assert {"Played current here", "Gap junction from here…", "Record voltage here"} <= set(texts)
    window.docks.inspector.more.click()
    assert [a.text() for a in window.context_menu.actions()] == texts
    window.context_menu.close()
