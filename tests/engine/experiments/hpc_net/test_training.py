"""Learning, stopping, going on, and what ends a run."""

from dataclasses import replace

import numpy as np
import pytest

from engine.errors import UserError
from engine.experiments.hpc_net import training
from engine.experiments.hpc_net.network import make_network
from engine.experiments.hpc_net.spec import (
    PRESETS,
    Conductance,
    Encoding,
    HpcNet,
    Learning,
    Optimizer,
    Training,
    from_json,
    to_json,
)
from tests.engine.experiments.hpc_net.conftest import LEVELS, tiny_spec

LEARNING = Learning(
    rate=0.3, epochs=3, batch=8, shuffle=True, optimizer=Optimizer("adam"), cool=0.9
)


def run(shortcut, data, learning, state=None, until=None):
    """All progresses, or so many."""
    found = []
    for progress in training.train(shortcut, data, learning, state):
        found.append(progress)
        if until is not None and len(found) == until:
            break
    return found


def assert_same_weights(one, other):
    for a, b in zip(one.weights.parts, other.weights.parts, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", ["sgd", "momentum", "adam"])
def test_three_kinds_are_told_apart(shortcut, data, name):
    rate = {"sgd": 1.0, "momentum": 0.2, "adam": 0.1}[name]
    learning = Learning(rate=rate, epochs=8, batch=6, optimizer=Optimizer(name))
    last = run(shortcut, data, learning)[-1]
    epochs = last.state.epochs
    assert epochs[-1].test_accuracy > 0.9
    assert epochs[-1].train_loss < epochs[0].train_loss
    assert last.fraction == 1
    table = last.test.confusion
    assert table.sum() == 30
    assert np.trace(table) == round(30 * last.test.accuracy)
    assert training.evaluate(shortcut, data, last.state.weights, learning).accuracy == (
        last.test.accuracy
    )


def test_a_run_resumed_anywhere_gives_the_same_bits(shortcut, data):
    whole = run(shortcut, data, LEARNING)
    for stop in (1, 7, 8, 9, 15):
        state = run(shortcut, data, LEARNING, until=stop)[-1].state
        rest = run(shortcut, data, LEARNING, state)
        assert_same_weights(rest[-1].state, whole[-1].state)
        assert rest[-1].state.points == whole[-1].state.points
        accuracies = [e.test_accuracy for e in rest[-1].state.epochs]
        assert accuracies == [e.test_accuracy for e in whole[-1].state.epochs]


def test_a_rate_that_is_sent_counts_from_the_next_batch_and_is_noted(shortcut, data):
    generator = training.train(shortcut, data, LEARNING)
    first = next(generator)
    second = generator.send(0.01)
    assert (first.state.rate, second.state.rate) == (0.3, 0.01)
    (change,) = second.state.changes
    assert (change.epoch, change.rate) == (pytest.approx(1 / 8), 0.01)
    last = [*generator][-1]
    assert last.state.changes == (change,)
    assert last.state.rate == pytest.approx(0.01 * 0.9**3)
    generator = training.train(shortcut, data, LEARNING)
    next(generator)
    with pytest.raises(UserError, match="cannot be used"):
        generator.send(-1.0)


def test_a_loss_that_is_no_number_ends_the_run_at_the_last_good_state(shortcut, data):
    learning = replace(LEARNING, optimizer=Optimizer("sgd"), rate=1e300)
    found = run(shortcut, data, learning)
    last = found[-1]
    assert "rate 1e+300 is too large" in last.trouble
    assert last.state.weights.finite
    assert last.state.batch == 0
    again = run(shortcut, data, learning, replace(last.state, rate=0.3))
    assert not again[-1].trouble
    with pytest.raises(UserError, match="no number any more"):
        list(training.good_states(iter(found)))


def test_the_last_batch_may_be_smaller(shortcut, data):
    found = run(shortcut, data, replace(LEARNING, batch=50, epochs=1))
    assert [p.phase for p in found] == ["learning", "learning", "testing"]
    assert found[-1].state.epochs[0].train_accuracy <= 1


def test_recipes_come_back_from_json():
    for preset in (
        *PRESETS.values(),
        Training(HpcNet(tiny_spec().cell, conductance=Conductance(tau2=3.0)), LEARNING),
    ):
        assert from_json(to_json(preset)) == preset
    with pytest.raises(UserError, match="did you mean 'rate'"):
        from_json(to_json(PRESETS["quick"]).replace('"rate"', '"rat"'))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"start": 60.0}, "does not fit into a sample of 50 ms"),
        ({"rate": 0.0}, "choose a positive one"),
        ({"batch": 0}, "at least 1"),
        ({"cool": 1.5}, "at most 1"),
        ({"optimizer": Optimizer(decay=1.0)}, "must be in 0"),
    ],
)
def test_learning_that_cannot_be_is_refused(shortcut, data, fields, sentence):
    with pytest.raises(UserError, match=sentence):
        next(training.train(shortcut, data, replace(LEARNING, **fields)))


def test_networks_that_cannot_be_are_refused():
    with pytest.raises(UserError, match="0 hidden neurons"):
        make_network(tiny_spec(n_hidden=0), 2, 2, LEVELS)
    with pytest.raises(UserError, match="no pixel value makes an input neuron spike"):
        make_network(tiny_spec(encoding=Encoding(start=60.0)), 2, 2, LEVELS)
    bare = replace(tiny_spec().cell, morphology="sample:ball_and_stick")
    network = make_network(tiny_spec(cell=bare), 2, 2, LEVELS)
    assert set(network.model.tree.tag[network.node.reshape(-1)]) <= {3, 4}
