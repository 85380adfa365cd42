"""Disturbed images stay whole levels and within epsilon; the encoding hides what is dark."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import UserError
from engine.experiments.hpc_net.network import Weights
from engine.experiments.hpc_net.shortcut import Shortcut
from engine.experiments.hpc_net.spec import Learning
from engine.experiments.robustness.images import (
    disturbed,
    encoded_levels,
    finer,
    finer_network,
    passed_levels,
    random_directions,
    threshold,
    whole_steps,
    without_dendrites,
)


def test_finer_images_are_as_bright_as_before(data):
    fine = finer(data)
    assert len(fine.levels) == 241
    for before, after in ((data.train, fine.train), (data.test, fine.test)):
        np.testing.assert_allclose(fine.levels[after], data.levels[before], rtol=0, atol=1e-15)


def test_images_in_bytes_stay_as_they_are(data):
    fine = replace(data, levels=np.arange(256) / 255)
    assert finer(fine) is fine


def test_levels_that_are_not_equally_far_apart_are_refused(data):
    with pytest.raises(UserError, match="not equally spaced from 0 to 1"):
        finer(replace(data, levels=np.array([0.0, 0.2, 1.0])))


@pytest.mark.parametrize(
    ("epsilon", "n_level", "steps"),
    [(0.02, 256, 5), (0.2, 256, 51), (0.1, 241, 24), (0.003, 256, 0)],
)
def test_a_size_is_the_largest_number_of_levels_not_above_it(epsilon, n_level, steps):
    assert whole_steps(epsilon, n_level) == steps


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.floats(0.001, 1), st.sampled_from([2, 17, 241, 256]))
def test_no_pixel_moves_farther_than_epsilon_or_beyond_black_and_white(seed, epsilon, n_level):
    rng = np.random.default_rng(seed)
    images = rng.integers(0, n_level, (3, 20)).astype(np.uint8)
    direction = rng.integers(-1, 2, images.shape).astype(np.int8)
    n_step = whole_steps(epsilon, n_level)
    after = disturbed(images, direction, n_step, n_level).astype(int)
    before, way = images.astype(int), direction.astype(int)
    assert after.max() < n_level
    assert np.abs(after - before).max() / (n_level - 1) <= epsilon + 1e-9
    wanted = before + n_step * way
    inside = (wanted >= 0) & (wanted < n_level)
    np.testing.assert_array_equal(after[inside], wanted[inside])
    assert np.isin(after[~inside], [0, n_level - 1]).all()


def test_random_directions_are_fair_signs_and_repeat():
    drawn = random_directions((100, 200), 3)
    assert set(np.unique(drawn)) == {-1, 1}
    assert abs(drawn.mean()) < 0.03  # 20,000 signs: 4 standard deviations are 0.028
    np.testing.assert_array_equal(drawn, random_directions((100, 200), 3))
    assert (drawn != random_directions((100, 200), 4)).any()


def test_the_encoding_hides_what_gives_no_spike_within_the_sample(network):
    fine = finer_network(network, np.arange(256) / 255)
    first = 30 / 255  # 10 + 5 / (p + 0.01) <= 50 ms where p >= 0.115
    assert threshold(fine) == first
    table = encoded_levels(fine, Learning())
    assert (table[:30] == 0).all()
    assert (table[30:] > 0).all()
    assert table[-1] == 1
    assert fine.trace.shape == (256, network.n_time)
    for level in (0, 4, 16):  # those there were have the traces they had
        np.testing.assert_array_equal(
            finer_network(network, np.arange(241) / 240).trace[15 * level], network.trace[level]
        )


def test_moved_synapses_give_the_same_steady_voltage(network, weights):
    """Of one input at a time: what its place gave the weight is in the weight."""
    moved, scaled = without_dendrites(network, weights)
    assert (moved.node == network.soma_node).all()
    np.testing.assert_allclose(moved.factor, 1.0, rtol=1e-12)
    before = weights.hidden * network.resistance[network.node] / network.r_mean
    after = scaled.hidden * moved.resistance[moved.node] / moved.r_mean
    np.testing.assert_allclose(after, before, rtol=1e-12)
    assert scaled.output is weights.output


def test_what_passes_the_membranes_is_what_a_network_without_dendrites_gives(network):
    soma = np.full((1, 1, 1), network.soma_node, np.int32)
    spec = replace(network.spec, n_hidden=1, n_synapses=1)
    bare = replace(network, spec=spec, n_in=1, n_out=1, node=soma, r_mean=network.soma_resistance)
    one, none = np.ones((1, 1, 1)), np.zeros(1)
    images = np.arange(17, dtype=np.uint8)[:, None]
    way = Shortcut(bare, threads=1)
    output = way.voltages(images, Weights(one, none, one[0], none)).output
    learning = Learning()
    mean = output[:, 0, network.window(learning.start, learning.stop)].mean(axis=1)
    table = passed_levels(network, learning)
    np.testing.assert_allclose(table, mean / mean[-1], rtol=0, atol=1e-8)  # the modes left out
    assert table[-1] == 1
    late = encoded_levels(network, learning)
    dark = (late > 0) & (late < 0.3)
    assert dark.any()
    assert (table[dark] < late[dark]).all()  # a spike at the end has no time to pass
