"""Rules against finite differences of the loss."""

from dataclasses import replace

import numpy as np
import pytest

from engine.errors import UserError
from engine.experiments.hpc_net import rule
from engine.experiments.hpc_net.network import Weights, first_weights
from engine.experiments.hpc_net.rule import cosine, descent, outcome, output_errors
from engine.experiments.hpc_net.shortcut import Shortcut
from engine.experiments.hpc_net.spec import (
    CODE,
    TEXT,
    Learning,
    Optimizer,
    Training,
    from_json,
    to_json,
)
from engine.experiments.hpc_net.training import train

LABELS = np.array([0, 1, 2, 1], np.int32)
STEP = 1e-4
"""Of a weight of about 1: the loss is smooth, so the central difference errs by about 1e-8."""


def numeric_gradient(shortcut, images, weights, learning) -> list[np.ndarray]:
    """Central differences of the mean loss by every weight."""

    def loss(parts: list[np.ndarray]) -> float:
        output = shortcut.voltages(images, Weights(*parts)).output
        return float(output_errors(shortcut.network, output, LABELS, learning).loss.mean())

    gradients = []
    for number, part in enumerate(weights.parts):
        gradient = np.zeros(part.size)
        for k in range(part.size):
            values = []
            for sign in (1, -1):
                parts = [p.copy() for p in weights.parts]
                parts[number].reshape(-1)[k] += sign * STEP
                values.append(loss(parts))
            gradient[k] = (values[0] - values[1]) / (2 * STEP)
        gradients.append(gradient.reshape(part.shape))
    return gradients


@pytest.mark.parametrize("softmax", ["instant", "mean"])
def test_the_exact_rule_is_the_gradient(shortcut, images, weights, softmax):
    learning = replace(CODE, rule="exact", softmax=softmax)
    expected = numeric_gradient(shortcut, images, weights, learning)
    found = outcome(shortcut, images, LABELS, weights, learning).direction
    for direction, gradient in zip(found.parts, expected, strict=True):
        assert np.abs(gradient).max() > 1e-3
        np.testing.assert_allclose(-direction, gradient, atol=1e-6 * np.abs(gradient).max())


def test_the_quasi_static_rule_goes_down_as_the_code_and_up_as_the_text(shortcut, images, weights):
    """So the sign of the code is the right one; Eq. 8 with Eq. 10 climbs."""
    gradients = numeric_gradient(shortcut, images, weights, CODE)
    down = outcome(shortcut, images, LABELS, weights, CODE).direction
    found = cosine(down, Weights(*(-g for g in gradients)))
    assert 0.5 < found < 0.9999
    assert found == pytest.approx(descent(shortcut, images, LABELS, weights, CODE), abs=1e-6)
    gradients = numeric_gradient(shortcut, images, weights, TEXT)
    up = outcome(shortcut, images, LABELS, weights, TEXT).direction
    found = cosine(up, Weights(*(-g for g in gradients)))
    assert found < -0.5
    assert found == pytest.approx(descent(shortcut, images, LABELS, weights, TEXT), abs=1e-6)


def test_errors_sum_to_nothing_and_the_loss_is_that_of_guessing_without_weights(shortcut, images):
    network = shortcut.network
    silent = Weights(*(np.zeros_like(p) for p in (network.factor, np.zeros(5), np.zeros((5, 3)),
                                                  np.zeros(3))))  # fmt: skip
    output = shortcut.voltages(images, silent).output
    errors = output_errors(network, output, LABELS, CODE)
    np.testing.assert_allclose(errors.loss, np.log(3))
    np.testing.assert_allclose(errors.delta.sum(axis=1), 0, atol=1e-15)
    assert errors.delta.shape[2] == 120  # 30 ms in steps of 0.25 ms


@pytest.mark.parametrize("rule_name", ["quasi_static", "exact"])
def test_biases_learn_only_where_the_network_has_them(shortcut, data, rule_name):
    """The optimizers carry on what was, so that one batch after another is looked at."""
    network = shortcut.network
    without = Shortcut(replace(network, spec=replace(network.spec, biases=False)), threads=1)
    learning = Learning(rule=rule_name, rate=0.1, batch=30, epochs=1, optimizer=Optimizer("adam"))
    for way, learned in ((shortcut, True), (without, False)):
        *_, last = train(way, data, learning)
        weights = last.state.weights
        assert bool(weights.hidden_bias.any()) == bool(weights.output_bias.any()) == learned
        assert (weights.hidden != first_weights(network).hidden).any()


def test_a_rule_of_ones_own_teaches_a_network(shortcut, data, monkeypatch):
    """Only the output neurons learn: the last layer of the exact gradient."""
    monkeypatch.setattr(rule, "RULES", dict(rule.RULES))

    def last_layer(way, images, weights, voltages, errors, learning):
        whole = rule.exact(way, images, weights, voltages, errors, learning)
        still = np.zeros_like(whole.hidden), np.zeros_like(whole.hidden_bias)
        return Weights(*still, whole.output, whole.output_bias)

    mine = Learning(rule="last_layer", rate=1.0, epochs=3, batch=12)
    with pytest.raises(UserError, match="no learning rule 'last_layer'; choose one of quasi_st"):
        next(train(shortcut, data, mine))
    rule.register_rule("last_layer", last_layer)
    with pytest.raises(UserError, match="a learning rule 'exact' already"):
        rule.register_rule("exact", last_layer)
    *_, last = train(shortcut, data, mine)
    first = first_weights(shortcut.network)
    np.testing.assert_array_equal(last.state.weights.hidden, first.hidden)
    epochs = last.state.epochs
    assert epochs[-1].train_loss < epochs[0].train_loss
    assert from_json(to_json(Training(learning=mine))).learning == mine
