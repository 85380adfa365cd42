"""What is told of a network: answers, mean responses, spikes of its inputs, weights by place."""

from dataclasses import replace

import numpy as np
import pytest

from engine.experiments.hpc_net.analysis import (
    PART,
    ask_about,
    chosen_samples,
    count_weights,
    input_spikes,
    respond,
    weight_limit,
    weights_by_node,
)
from engine.experiments.hpc_net.encoding import input_traces
from engine.experiments.hpc_net.spec import Learning
from engine.experiments.hpc_net.training import evaluate

from .conftest import N_HIDDEN, N_IN, N_OUT


def test_answers_are_those_of_the_test_and_their_probabilities_sum_to_one(shortcut, data, weights):
    many = np.concatenate([data.test] * 3)  # more than one part
    assert len(many) > PART
    found = ask_about(shortcut, many, weights, Learning())
    expected = evaluate(shortcut, data, weights, Learning()).answer
    np.testing.assert_array_equal(found.answer, np.tile(expected, 3))
    np.testing.assert_allclose(found.probability.sum(axis=1), 1.0, rtol=1e-12)
    assert (found.confidence == found.probability.max(axis=1)).all()
    assert found.confidence.min() > 1 / N_OUT
    nothing = ask_about(shortcut, data.test[:0], weights, Learning())
    assert (nothing.answer.shape, nothing.probability.shape) == ((0,), (0, N_OUT))


def test_a_mean_response_is_the_mean_of_the_single_ones(shortcut, images, weights):
    single = [respond(shortcut, images[i : i + 1], weights) for i in range(len(images))]
    found = respond(shortcut, images, weights)
    assert found.n == len(images)
    for name in ("hidden", "output"):
        mean = np.mean([getattr(one, name) for one in single], axis=0)
        np.testing.assert_allclose(getattr(found, name), mean, rtol=1e-12, atol=1e-15)
    assert found.hidden.shape == (N_HIDDEN, shortcut.network.n_time)
    assert np.ptp(found.hidden) > 0.01


def test_input_spikes_are_where_the_input_neurons_jump(network, images):
    """An input neuron's voltage rises at every spike that arrives, and falls in between."""
    time, pixel = input_spikes(network, images[0])
    assert (np.diff(time) >= 0).all()
    dt, cell = network.spec.cell.dt, network.spec.cell
    trace = input_traces(
        network.spec.encoding, network.spec.point, network.levels, network.model.n_step, dt
    )
    for i in range(N_IN):
        mine = time[pixel == i]
        voltage = trace[images[0][i]]
        rises = np.flatnonzero((np.diff(voltage) > 0) & (np.diff(voltage, prepend=0)[:-1] <= 0))
        seen = mine[mine < cell.duration - dt]
        assert (len(seen) > 0) == voltage[:-1].any()
        if len(seen):
            assert abs(rises[0] * dt - seen[0]) <= 2 * dt
    dark = np.zeros_like(images[0])
    assert len(input_spikes(network, dark)[0]) == 0


def test_histograms_share_bins_around_zero_and_lose_no_weight():
    before, after = np.array([-0.2, 0.0, 0.2]), np.array([[-1.0, 0.5], [0.0, 1.0]])
    found = count_weights((before, after), 5)
    np.testing.assert_allclose(found.edge, -found.edge[::-1], atol=1e-15)
    assert found.counts.sum(axis=1).tolist() == [3, 4]
    assert found.counts[1].tolist() == [1, 0, 1, 1, 1]
    nothing = count_weights((np.zeros(4),), 3)
    assert nothing.counts.tolist() == [[0, 4, 0]]


def test_weights_of_a_node_are_summed_over_its_synapses(network, weights):
    found = weights_by_node(network, weights, 2)
    expected = np.full(network.model.n_comp, np.nan)
    for node, weight in zip(
        network.node[:, 2].reshape(-1), weights.hidden[:, 2].reshape(-1), strict=True
    ):
        expected[node] = weight + (0.0 if np.isnan(expected[node]) else expected[node])
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    doubled = weights_by_node(network, replace(weights, hidden=2 * weights.hidden), 2)
    np.testing.assert_allclose(doubled, 2 * expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("label", "said", "expected"),
    [(None, None, [1, 4]), (0, None, [0, 1]), (None, 2, [1, 3]), (0, 2, [1]), (2, 0, [])],
)
def test_samples_are_chosen_by_label_and_answer(label, said, expected):
    labels, answer = np.array([0, 0, 1, 2, 1]), np.array([0, 2, 1, 2, 0])
    assert chosen_samples(labels, answer, label, said).tolist() == expected


def test_the_limit_of_colors_is_round_and_holds_most_weights():
    some = np.linspace(-0.4, 0.4, 1001)
    assert weight_limit((some,)) == 0.5
    assert weight_limit((some, np.array([np.nan, 100.0]))) == 0.5
    assert weight_limit((np.zeros(0),)) == 1.0
    assert weight_limit((np.zeros(5),)) == 1e-6
