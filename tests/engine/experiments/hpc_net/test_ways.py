"""The shortcut against the engine's own simulation, and traces against NEURON."""

from dataclasses import replace

import numpy as np
import pytest

from engine.errors import UserError
from engine.experiment import Insertion
from engine.experiments.hpc_net.compartmental import Compartmental
from engine.experiments.hpc_net.data import read_idx
from engine.experiments.hpc_net.network import Network, Weights, first_weights, make_network
from engine.experiments.hpc_net.rule import outcome
from engine.experiments.hpc_net.shortcut import Shortcut
from engine.experiments.hpc_net.spec import CODE, Conductance, HpcNet, Learning, hidden_cell
from engine.experiments.hpc_net.training import train
from engine.model import build
from engine.simulation import simulate
from tests.engine.experiments.hpc_net.conftest import LEVELS, N_IN, N_OUT, tiny_spec
from tests.engine.test_transfer import HUMAN

LABELS = np.array([0, 1, 2, 1], np.int32)


def relative(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def part_of(network: Network, n_hidden: int) -> Network:
    """The first hidden neurons of a network."""
    spec = replace(network.spec, n_hidden=n_hidden)
    return replace(network, spec=spec, node=network.node[:, :n_hidden].copy())


@pytest.fixture(scope="module")
def compartmental(network) -> Compartmental:
    return Compartmental(network)


def test_input_neurons_have_the_traces_the_engine_simulates(network, compartmental):
    for level in (0, 1, 2, 9, 16):
        simulated = compartmental.input_trace(level)
        np.testing.assert_allclose(network.trace[level], simulated, atol=1e-14)
    assert network.trace[1].max() == 0  # 1/16: the first spike would come after 50 ms
    assert 0.9 < network.trace[16].max() < 1


def test_an_input_neuron_is_neurons(network, h):
    encoding, point = network.spec.encoding, network.spec.point
    cell = h.Section(name="input")
    cell.L = cell.diam = point.size
    cell.cm, cell.Ra = point.cm, 100.0
    cell.insert("pas")
    cell.g_pas, cell.e_pas = point.g, 0.0
    synapse, stim = h.ExpSyn(cell(0.5)), h.NetStim()
    synapse.tau, synapse.e = encoding.tau, encoding.reversal
    level = 10
    stim.interval = encoding.period / (LEVELS[level] + encoding.offset)
    stim.start, stim.noise, stim.number = encoding.start + stim.interval, 0, 1e9
    connection = h.NetCon(stim, synapse)
    connection.delay, connection.weight[0] = encoding.delay, encoding.weight
    voltage = h.Vector().record(cell(0.5)._ref_v)
    h.dt, h.steps_per_ms, h.secondorder = 0.25, 4, 0
    h.finitialize(0.0)
    while h.t < 50.0 - 0.1:
        h.fadvance()
    np.testing.assert_allclose(network.trace[level], voltage.as_numpy(), atol=1e-12)


def test_the_shortcut_gives_the_voltages_and_updates_of_the_simulation(
    shortcut, compartmental, images, weights
):
    ours = shortcut.voltages(images, weights)
    simulated = compartmental.voltages(images, weights)
    assert np.abs(simulated.hidden).max() > 0.3
    assert relative(ours.hidden, simulated.hidden) < 1e-9
    assert relative(ours.output, simulated.output) < 1e-9
    for softmax in ("instant", "mean"):
        learning = replace(CODE, softmax=softmax)
        one, other = (
            outcome(way, images, LABELS, weights, learning) for way in (shortcut, compartmental)
        )
        assert one.loss == pytest.approx(other.loss, rel=1e-9)
        for found, expected in zip(one.direction.parts, other.direction.parts, strict=True):
            assert relative(found, expected) < 1e-9


def test_single_precision_of_the_small_modes_stays_below_the_tolerance(
    network, shortcut, images, weights
):
    exact = Shortcut(network, threads=1, precision="double")
    assert shortcut.n_double < shortcut.n_mode == exact.n_mode == exact.n_double
    assert "in single" in shortcut.describe()
    assert exact.describe() == f"exact shortcut, {exact.n_mode} modes in double precision"
    ours, best = (way.voltages(images, weights) for way in (shortcut, exact))
    assert 0 < relative(ours.hidden, best.hidden) < 1e-9
    for rule in ("quasi_static", "exact"):
        one, other = (
            outcome(way, images, LABELS, weights, replace(CODE, rule=rule)).direction
            for way in (shortcut, exact)
        )
        for found, expected in zip(one.parts, other.parts, strict=True):
            assert relative(found, expected) < 1e-9


def test_results_do_not_depend_on_the_number_of_threads(network, shortcut, images, weights):
    alone = Shortcut(network, threads=1)
    for rule in ("quasi_static", "exact"):
        learning = replace(CODE, rule=rule)
        one, two = (outcome(way, images, LABELS, weights, learning) for way in (alone, shortcut))
        assert one.loss == two.loss
        for found, expected in zip(one.direction.parts, two.direction.parts, strict=True):
            np.testing.assert_array_equal(found, expected)


def test_one_image_alone_gives_the_voltages_it_has_in_a_batch(shortcut, images, weights):
    together = shortcut.voltages(images, weights)
    alone = shortcut.voltages(images[2:3], weights)
    np.testing.assert_array_equal(alone.hidden[0], together.hidden[2])


def test_sizes_that_fill_no_tile_and_dark_images(weights):
    spec = tiny_spec(n_hidden=1, n_synapses=1)
    network = make_network(spec, N_IN, N_OUT, LEVELS)
    first = first_weights(network)
    found = Shortcut(network).voltages(np.zeros((1, N_IN), np.uint8), first)
    assert not found.hidden.any()
    assert not found.output.any()


def test_active_dendrites_go_the_compartmental_way_only(images):
    spec = tiny_spec(n_hidden=1)
    hot = replace(
        spec.cell, insertions=(*spec.cell.insertions, Insertion("hh", "soma", (("gl", 0.0),)))
    )
    network = make_network(replace(spec, cell=hot), N_IN, N_OUT, LEVELS)
    with pytest.raises(UserError, match="has hh, which is not linear, so there is"):
        Shortcut(network)
    way, first = Compartmental(network), first_weights(network)
    found = outcome(way, images[:1], LABELS[:1], first, CODE)
    assert found.direction.finite
    with pytest.raises(UserError, match="needs the shortcut"):
        outcome(way, images[:1], LABELS[:1], first, Learning(rule="exact"))


def test_hidden_neurons_with_active_dendrites_learn(data):
    """Sodium and potassium in soma and dendrites, away from their rest at the start."""
    spec = tiny_spec(n_hidden=4)
    hot = Insertion("hh", "all", (("gnabar", 0.03), ("gkbar", 0.01)))
    spec = replace(spec, cell=replace(spec.cell, insertions=(hot,), v_init=-60.0))
    network = make_network(spec, N_IN, N_OUT, LEVELS)
    way, first = Compartmental(network), first_weights(network)
    silent = way.voltages(np.zeros((1, N_IN), np.uint8), first)
    assert not silent.hidden.any()  # counted from the course nothing drives
    learning = Learning(rate=0.2, epochs=3, batch=12)
    *_, last = train(way, data, learning, None)
    epochs = last.state.epochs
    assert epochs[-1].train_loss < 0.9 * epochs[0].train_loss
    assert epochs[-1].test_accuracy > 0.6


def test_hidden_neurons_with_conductance_synapses_learn(data):
    spec = tiny_spec(n_hidden=4, n_synapses=1, conductance=Conductance(peak=1e-2))
    way = Compartmental(make_network(spec, N_IN, N_OUT, LEVELS))
    *_, last = train(way, data, Learning(rate=0.2, epochs=3, batch=12), None)
    epochs = last.state.epochs
    assert epochs[-1].train_loss < 0.9 * epochs[0].train_loss
    assert epochs[-1].test_accuracy > 0.6


def test_conductance_synapses_are_simulated_with_the_sign_of_their_weights(images, weights):
    spec = tiny_spec(n_hidden=2, conductance=Conductance(peak=3e-3))
    network = make_network(spec, N_IN, N_OUT, LEVELS)
    with pytest.raises(UserError, match="conductance synapses are not linear"):
        Shortcut(network)
    way = Compartmental(network)
    up, down = (
        Weights(sign * np.abs(weights.hidden[:, :2]), np.zeros(2), weights.output[:2], np.zeros(3))
        for sign in (1, -1)
    )
    one, other = (way.voltages(images[:1], w).hidden[0] for w in (up, down))
    assert one.max() > 1
    assert one.min() >= -1e-9
    assert other.min() < -0.5
    assert other.max() <= 1e-9
    alone = build(way.conductance_experiment(images[0], up, 1))
    trace = np.concatenate([c.traces[0, 0] for c in simulate(alone, "cpu")])
    np.testing.assert_allclose(one[1], trace, atol=1e-12)
    found = outcome(way, images[:1], LABELS[:1], up, CODE)
    assert found.direction.finite
    assert np.abs(found.direction.hidden).max() > 0


def test_a_cell_that_drifts_has_no_shortcut():
    spec = tiny_spec()
    network = make_network(replace(spec, cell=replace(spec.cell, v_init=-5.0)), 2, 2, LEVELS)
    with pytest.raises(UserError, match="does not rest at v_init"):
        Shortcut(network)


@pytest.mark.slow
def test_a_mini_batch_of_mnist_on_the_human_cell_gives_the_same_updates(data_dir):
    """Of 16 images as published; every hidden neuron is simulated for every image."""
    images = data_dir / "datasets" / "mnist"
    pixels = read_idx(images / "train-images-idx3-ubyte.gz", 3)[:16].reshape(16, -1)
    labels = read_idx(images / "train-labels-idx1-ubyte.gz", 1)[:16].astype(np.int32)
    spec = HpcNet(hidden_cell(str(data_dir / HUMAN)))
    network = make_network(spec, 784, 10, np.arange(256) / 255)
    first = first_weights(network)
    weights = Weights(first.hidden, np.linspace(-0.1, 0.1, 64), first.output, first.output_bias)
    one, other = (
        outcome(way, pixels, labels, weights, CODE)
        for way in (Shortcut(network), Compartmental(network))
    )
    for found, expected in zip(one.direction.parts, other.direction.parts, strict=True):
        assert relative(found, expected) < 1e-9


def test_synapses_on_the_soma_make_a_network_without_dendrites(images):
    """Every input does the same per weight: which pixel it is makes no difference any more."""
    network = make_network(tiny_spec(placement="soma"), N_IN, N_OUT, LEVELS)
    assert (network.node == network.soma_node).all()
    np.testing.assert_allclose(network.factor, 1.0, rtol=1e-12)  # resistance · conductance
    weights = first_weights(network)
    same = np.full_like(weights.hidden, 0.3)
    same_weights = replace(weights, hidden=same)
    way, turned = Shortcut(network, threads=1), np.ascontiguousarray(images[:, ::-1])
    one, other = (way.voltages(i, same_weights).hidden for i in (images, turned))
    assert np.abs(one).max() > 0.1
    np.testing.assert_allclose(one, other, rtol=0, atol=1e-9 * np.abs(one).max())
    placed = make_network(tiny_spec(), N_IN, N_OUT, LEVELS)
    dendrites = Shortcut(placed, threads=1)
    one, other = (dendrites.voltages(i, same_weights).hidden for i in (images, turned))
    assert np.abs(one - other).max() > 1e-3 * np.abs(one).max()
