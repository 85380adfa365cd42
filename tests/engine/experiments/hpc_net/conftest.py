"""A network small enough to be simulated compartment by compartment, and images for it."""

from dataclasses import replace

import numpy as np
import pytest

from engine.discretize import Rule
from engine.experiments.hpc_net.data import Dataset
from engine.experiments.hpc_net.network import Network, Weights, first_weights, make_network
from engine.experiments.hpc_net.shortcut import Shortcut
from engine.experiments.hpc_net.spec import HpcNet, hidden_cell

N_IN, N_HIDDEN, N_OUT = 12, 5, 3
LEVELS = np.arange(17) / 16.0


def tiny_spec(**fields) -> HpcNet:
    cell = replace(hidden_cell("sample:spn", axon="keep"), rule=Rule("fixed", 1))
    given = {"cell": cell, "n_hidden": N_HIDDEN, "n_synapses": 2, **fields}
    return HpcNet(**given)


@pytest.fixture(scope="package")
def network() -> Network:
    return make_network(tiny_spec(), N_IN, N_OUT, LEVELS)


@pytest.fixture(scope="package")
def shortcut(network) -> Shortcut:
    return Shortcut(network, threads=2)


@pytest.fixture
def weights(network) -> Weights:
    """Large enough for voltages of some mV, with biases of both signs."""
    first = first_weights(network)
    bias = np.array([0.2, -0.1, 0.05, 0.3, -0.3])
    return Weights(3 * first.hidden, bias, 2 * first.output, np.array([0.1, -0.2, 0.3]))


@pytest.fixture(scope="package")
def images() -> np.ndarray:
    rng = np.random.default_rng(3)
    drawn = rng.integers(0, 17, (4, N_IN)).astype(np.uint8)
    drawn[rng.random(drawn.shape) < 0.3] = 0
    drawn[3] = 1  # so dark that no spike comes
    return drawn


@pytest.fixture(scope="package")
def data() -> Dataset:
    """Three kinds of images that can be told apart, with noise."""
    rng = np.random.default_rng(5)

    def draw(n: int) -> tuple[np.ndarray, np.ndarray]:
        labels = np.arange(n, dtype=np.int32) % N_OUT
        mean = np.zeros((n, N_IN))
        for c in range(N_OUT):
            mean[labels == c, 4 * c : 4 * c + 4] = 12.0
        noisy = mean + rng.integers(0, 5, mean.shape)
        return noisy.astype(np.uint8), labels

    train, train_labels = draw(60)
    test, test_labels = draw(30)
    names = tuple("abc")
    return Dataset("three", train, train_labels, test, test_labels, (3, 4), LEVELS, names, "made")
