"""Edits of the experiment: checked, undoable, the cell cut anew where it has to be."""

from dataclasses import replace

import numpy as np
import pytest

from dendview.attaching import nice_below
from dendview.controllers.experiment import ExperimentController, describe
from dendview.first_clamp import amplitude_at
from dendview.runs import is_stale, soma_site, with_probe
from dendview.state import Run
from engine.discretize import Rule
from engine.experiment import Probe
from engine.recording import Recording
from engine.stimuli import CurrentClamp, Site
from tests.dendview.small_cell import small_cell, small_experiment, small_state


@pytest.fixture
def state():
    return small_state()


@pytest.fixture
def controller(state):
    return ExperimentController(state)


def test_a_clamp_goes_where_it_was_pointed(state, controller):
    segment = state.cell.n_segment - 1
    assert controller.add_clamp(segment)
    (clamp,) = state.experiment.stimuli
    assert (clamp.delay, clamp.duration) == (100.0, 100.0)
    assert clamp.amplitude == amplitude_at(state.experiment, state.cell, segment) > 0
    assert clamp.site.section == "axon[0]"
    assert state.cell.segment(clamp.site) == segment


@pytest.mark.parametrize(("duration", "third"), [(300.0, 100.0), (50.0, 10.0), (2.0, 0.5)])
def test_a_new_clamp_fits_into_the_run(state, controller, duration, third):
    controller.edit(duration=duration)
    controller.add_clamp(0)
    assert state.experiment.stimuli[0].delay == third
    assert state.experiment.stimuli[0].delay + state.experiment.stimuli[0].duration < duration


def test_the_same_place_is_recorded_once(state, controller):
    assert controller.add_probe(3)
    assert not controller.add_probe(3)
    assert "already" in state.message.text


def test_every_edit_is_taken_back_and_brought_back(state, controller):
    first = state.experiment
    controller.add_clamp(0)
    controller.add_probe(5)
    controller.edit(duration=100.0)
    last = state.experiment
    assert controller.can_undo
    assert not controller.can_redo
    for _ in range(3):
        assert controller.undo()
    assert state.experiment == first
    assert not controller.undo()
    for _ in range(3):
        assert controller.redo()
    assert state.experiment == last
    assert state.message.text == "Redone: change duration"
    controller.undo()
    controller.undo()
    assert state.message.text.startswith("Undone: add probe at apic")


def test_move_edit_and_remove(state, controller):
    controller.add_clamp(0)
    controller.edit_clamp(0, amplitude=-0.1)
    controller.move_clamp(0, 10)
    assert state.experiment.stimuli[0].amplitude == -0.1
    assert state.cell.segment(state.experiment.stimuli[0].site) == 10
    controller.add_probe(0)
    controller.move_probe(0, 12)
    assert state.cell.segment(state.experiment.probes[0].site) == 12
    controller.remove_clamp(0)
    controller.remove_probe(0)
    assert state.experiment.stimuli == ()
    assert state.experiment.probes == ()


def test_what_cannot_be_run_is_refused_with_a_sentence(state, controller):
    before = state.experiment
    assert not controller.edit(dt=-1.0)
    assert state.experiment is before
    assert state.message.kind == "error"
    assert "dt" in state.message.text
    assert not controller.replace(replace(before, stimuli=(CurrentClamp(Site("dend[99]")),)))
    assert "dend[99]" in state.message.text
    assert not controller.can_undo


def test_another_rule_cuts_the_cell_anew_and_keeps_the_place_selected(state, controller):
    state.selection = 12
    site, n_segment = state.cell.site(12), state.cell.n_segment
    assert controller.edit(rule=Rule("max_length", 5.0))
    assert state.cell.n_segment > 4 * n_segment
    tree = state.cell.trees["neuron"]
    node = tree.node_of_segment[state.selection]
    assert state.cell.sections.name[tree.section[node]] == site.section
    assert abs(tree.x[node] - site.x) <= 0.5 / tree.nseg[tree.section[node]]
    controller.undo()
    assert state.cell.n_segment == n_segment
    assert state.selection == 12


def test_an_axon_can_be_cut_off_only_where_nothing_sits(state, controller):
    whole = state.cell
    assert controller.edit(axon="stub")
    assert state.cell.sections.name[-2:] == ("axon[0]", "axon[1]")
    assert state.cell.distance.max() < whole.distance.max() + 60
    controller.add_clamp(state.cell.n_segment - 1)
    assert state.experiment.stimuli[0].site.section == "axon[1]"
    stubbed = state.cell
    assert not controller.edit(axon="keep")  # the whole cell has one axon only
    assert "axon[1]" in state.message.text
    assert state.cell is stubbed
    assert state.experiment.axon == "stub"


def test_a_node_set_needs_no_new_cell(state, controller):
    cell = state.cell
    assert controller.edit(nodes="neuron")
    assert state.cell is cell


def test_another_cell_begins_a_new_history(state, controller):
    controller.add_clamp(0)
    other = small_experiment(name="other")
    state.experiment = None
    state.cell = small_cell(other)
    state.experiment = other
    assert not controller.can_undo
    controller.add_probe(1)
    controller.undo()
    assert state.experiment == other


def test_cables_by_section_reach_the_tree():
    from engine.experiment import Cable

    one = small_cell(small_experiment(cables=(Cable("all", 1.0, 100.0),)))
    other = small_cell(
        small_experiment(cables=(Cable("all", 1.0, 100.0), Cable("axon", 1.0, 50.0)))
    )
    tree, changed = one.trees["merged"], other.trees["merged"]
    axon = (tree.tag == 2) & (tree.tag[tree.parent] == 2) & (tree.g_axial > 0)
    np.testing.assert_allclose(changed.g_axial[axon], 2 * tree.g_axial[axon])
    dendrite = tree.tag == 4
    np.testing.assert_array_equal(changed.g_axial[dendrite], tree.g_axial[dendrite])


def test_a_run_is_stale_when_the_numbers_would_differ():
    experiment = small_experiment()
    empty = np.empty(0)
    recording = Recording(
        empty, np.empty((0, 1, 0)), (), (), empty, np.empty((0, 1), np.float32),
        np.empty((0, 2)), np.empty(0, np.int32), experiment, True,
    )  # fmt: skip
    run = Run(1, experiment, recording, "done")
    assert not is_stale(run, experiment)
    assert not is_stale(run, replace(experiment, name="x", method="hines", n_threads=4))
    assert not is_stale(run, None)
    assert is_stale(run, replace(experiment, dt=0.0125))
    assert is_stale(run, replace(experiment, stimuli=(CurrentClamp(Site("soma[0]")),)))


def test_the_soma_is_recorded_where_nothing_is():
    cell, experiment = small_cell(), small_experiment()
    assert soma_site(cell) == Site("soma[0]")
    assert with_probe(experiment, cell).probes == (Probe(Site("soma[0]")),)
    probed = replace(experiment, probes=(Probe(Site("axon[0]")),))
    assert with_probe(probed, cell) is probed


@pytest.mark.parametrize(
    ("value", "nice"), [(100, 100), (99, 50), (33.3, 20), (1, 1), (0.7, 0.5), (0.011, 0.01)]
)
def test_nice_numbers(value, nice):
    assert nice_below(value) == pytest.approx(nice)


def test_edits_are_described():
    one = small_experiment()
    clamped = replace(one, stimuli=(CurrentClamp(Site("soma[0]")),))
    assert describe(one, clamped) == "add clamp at soma[0](0.5)"
    assert describe(clamped, one) == "remove clamp at soma[0](0.5)"
    stronger = replace(one, stimuli=(CurrentClamp(Site("soma[0]"), amplitude=1.0),))
    assert describe(clamped, stronger) == "change clamp at soma[0](0.5)"
    assert describe(one, replace(one, dt=0.1, duration=1.0)) == "change duration, time step"
