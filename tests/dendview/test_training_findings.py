"""What is computed of a training for its views, and its weights on the cell."""

from dataclasses import replace
from pathlib import Path
from shutil import copy

import numpy as np
import pytest

from dendview.controllers.training_results import COMPUTING, TESTING, TrainingResultsController
from dendview.scene import MISSING, describe, resolve
from dendview.training import TrainingChoice, dataset, network, snapshot
from dendview.training_finding import find
from dendview.training_findings import wanted
from dendview.training_scene import NO_NETWORK, OTHER_CELL
from dendview.training_synapses import segments_of, synapse_map
from engine.errors import UserError
from engine.experiments.hpc_net import Shortcut
from engine.experiments.hpc_net.analysis import respond
from engine.exporting.training import load_checkpoint, save_checkpoint

from .made_training import N_HIDDEN, cell_of, state_with, trained


def test_wrong_answers_come_first_the_surest_of_them_first():
    found = state_with().training_findings
    test = snapshot(trained(), 2).test
    labels = dataset("digits").test_labels
    gallery = found.gallery
    assert gallery.n_all == int((test.answer != labels).sum()) > 20
    assert (gallery.said == test.answer[gallery.sample]).all()
    assert (gallery.said != labels[gallery.sample]).all()
    assert (np.diff(gallery.confidence) <= 0).all()
    assert found.sample == gallery.sample[0]
    row = found.answers.probability[1]
    assert row[gallery.said[0]] == pytest.approx(gallery.confidence[0])


def test_right_answers_of_a_square_come_with_the_least_sure_first():
    found = state_with(TrainingChoice(label=0, answer=0)).training_findings
    gallery = found.gallery
    assert gallery.n_all == snapshot(trained(), 2).test.confusion[0, 0] > 5
    assert (dataset("digits").test_labels[gallery.sample] == 0).all()
    assert (np.diff(gallery.confidence) >= 0).all()
    assert found.label == 0


def test_responses_are_those_of_the_untrained_and_of_the_shown_network():
    run, data = trained(), dataset("digits")
    way = Shortcut(network(run.training), threads=2)
    one = state_with(TrainingChoice(epoch=1, sample=7)).training_findings
    for snap, response in ((snapshot(run, 0), one.before), (snapshot(run, 1), one.after)):
        expected = respond(way, data.test[7:8], snap.weights)
        np.testing.assert_allclose(response.hidden, expected.hidden, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(response.output, expected.output, rtol=1e-9, atol=1e-12)
    of_class = state_with(TrainingChoice(sample=7), training_mean=True).training_findings
    same = np.flatnonzero(data.test_labels == data.test_labels[7])[: of_class.after.n]
    expected = respond(way, data.test[same], snapshot(run, 2).weights)
    np.testing.assert_allclose(of_class.after.hidden, expected.hidden, rtol=1e-9, atol=1e-12)
    assert of_class.after.n > 10


def test_the_untrained_network_has_no_tested_answers():
    found = state_with(TrainingChoice(epoch=0)).training_findings
    assert found.gallery is None
    assert found.sample == 0
    np.testing.assert_array_equal(found.before.hidden, found.after.hidden)


def test_limits_do_not_change_from_epoch_to_epoch():
    limits = {
        (found.weight_limit, found.voltage_limit)
        for epoch in (0, 1, 2)
        if (found := state_with(TrainingChoice(epoch=epoch)).training_findings)
    }
    assert len(limits) == 1


@pytest.mark.parametrize("what", ["after", "before", "change"])
def test_every_synapse_of_a_neuron_is_on_the_cell(what):
    found, tree = state_with().training_findings, cell_of().trees["neuron"]
    drawn = synapse_map(found, tree, 4, what)
    first, shown = (snapshot(trained(), e).weights.hidden[:, 4].sum() for e in (0, 2))
    expected = {"after": shown, "before": first, "change": shown - first}[what]
    assert drawn.weight.sum() == pytest.approx(expected)
    assert drawn.count.sum() == 64
    seen = np.isfinite(drawn.of_segment)
    assert seen.sum() == len(drawn.segment)
    np.testing.assert_array_equal(drawn.of_segment[drawn.segment], drawn.weight)


def test_synapses_sit_where_the_network_has_them():
    found, tree = state_with().training_findings, cell_of().trees["neuron"]
    place = segments_of(found.network, tree)
    own = found.network.model.tree
    for node in np.unique(found.network.node)[:20].tolist():
        there = tree.node_of_segment[place[node]]
        name = own.sections.name[own.section[node]]
        assert tree.sections.name[tree.section[there]] == name
        assert abs(tree.x[there] - own.x[node]) < 1e-9


def test_the_cell_is_colored_by_weight():
    state = state_with(TrainingChoice(neurons=(1, 4)), color_by="weight")
    scene = resolve(state)
    assert scene.reason == ""
    assert scene.limits[0] == -scene.limits[1] < 0
    assert scene.legend.note == "neuron 4, epoch 2"
    drawn = scene.synapses
    np.testing.assert_allclose(scene.values[drawn.segment], drawn.weight, rtol=1e-6)
    assert (scene.values == MISSING).sum() == len(scene.values) - len(drawn.segment)
    (line,) = [t for t in describe(state, int(drawn.segment[0])) if "weight" in t]
    assert "pixel" in line
    bare = int(np.flatnonzero(scene.values == MISSING)[0])
    assert not any("weight" in t for t in describe(state, bare))


def test_where_there_are_no_weights_the_cell_says_why():
    state = state_with(color_by="weight")
    state.cell = cell_of("sample:mitral")
    assert resolve(state).reason == OTHER_CELL
    assert resolve(state).synapses is None
    state.training_findings = None
    assert resolve(state).reason == NO_NETWORK


class TestController:
    @pytest.fixture
    def state(self):
        state = state_with()
        state.training_findings = None
        return state

    def test_the_same_is_computed_once(self, state):
        results = TrainingResultsController(state)
        work = results.work_wanted()
        assert state.training_note == COMPUTING
        assert results.work_wanted() is None  # busy
        results.show(work())
        assert (state.training_note, state.color_by) == ("", "weight")
        assert results.work_wanted() is None  # nothing new
        state.training_choice = TrainingChoice(sample=3)
        results.show(results.work_wanted()())
        assert state.training_findings.sample == 3
        state.color_by = "type"
        results.show(find(wanted(state)))
        assert state.color_by == "type"  # only the first results color the cell unasked

    def test_a_reason_is_kept_until_something_else_is_looked_at(self, state):
        results = TrainingResultsController(state)
        results.work_wanted()
        results.refuse(UserError("the data are gone"))
        assert state.training_note == "the data are gone"
        assert results.work_wanted() is None
        state.training_mean = True
        assert results.work_wanted() is not None

    def test_nothing_is_computed_where_nobody_looks(self, state):
        results = TrainingResultsController(state)
        state.perspective = "simulate"
        assert results.work_wanted() is None
        state.color_by = "weight"
        assert results.work_wanted() is not None

    def test_another_training_lets_go_of_the_results(self, state):
        results = TrainingResultsController(state)
        results.show(results.work_wanted()())
        begun = replace(trained(), number=2, epochs=(), kept=())
        state.training_runs = (*state.training_runs, begun)
        state.training_shown = 2
        assert state.training_findings is None
        assert results.work_wanted() is None
        assert state.training_note == ""


def bare_run(folder):
    """A training as the command line leaves it: recipe and checkpoint."""
    for name in ("training.json", "checkpoint.h5"):
        copy(Path(trained().folder) / name, folder / name)
    return replace(trained(), folder=str(folder), kept=())


def test_a_training_with_a_checkpoint_alone_is_tested_and_shown(tmp_path):
    state = state_with()
    state.training_findings = None
    state.training_runs = (bare_run(tmp_path),)
    results = TrainingResultsController(state)
    work = results.work_wanted()
    assert state.training_note == TESTING
    results.show(work())
    (run,) = state.training_runs
    assert run.kept == (0, 2)
    expected = snapshot(trained(), 2)
    assert snapshot(run, 2).test.accuracy == expected.test.accuracy
    np.testing.assert_array_equal(
        snapshot(run, 0).weights.hidden, snapshot(trained(), 0).weights.hidden
    )
    results.show(results.work_wanted()())
    assert (
        state.training_findings.gallery.n_all
        == (expected.test.answer != dataset("digits").test_labels).sum()
    )


def test_within_an_epoch_there_is_nothing_to_show(tmp_path):
    run = bare_run(tmp_path)
    training, at = load_checkpoint(tmp_path / "checkpoint.h5")
    save_checkpoint(training, replace(at, batch=3), tmp_path / "checkpoint.h5")
    state = state_with()
    state.training_findings, state.training_runs = None, (run,)
    results = TrainingResultsController(state)
    work = results.work_wanted()
    with pytest.raises(UserError, match="resume it") as error:
        work()
    results.refuse(error.value)
    assert "no whole epoch" in state.training_note
    assert results.work_wanted() is None
    assert "no whole epoch" in state.training_note


def test_neurons_that_are_not_there_are_left_out():
    state = state_with(TrainingChoice(neurons=(N_HIDDEN + 3,)), color_by="weight")
    assert resolve(state).legend.note.startswith(f"neuron {N_HIDDEN - 1},")
