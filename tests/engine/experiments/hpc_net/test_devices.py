"""Both ways on a device: through the shim and NumPy's arrays here, on a GPU where there is one."""

from dataclasses import replace

import numpy as np
import pytest

from engine.backends import why_no_gpu
from engine.backends.gpu.backend import GpuBackend
from engine.backends.gpu.shape import Shape
from engine.errors import BackendError
from engine.experiments.hpc_net import device_shortcut
from engine.experiments.hpc_net.choosing import make_way
from engine.experiments.hpc_net.compartmental import Compartmental
from engine.experiments.hpc_net.device_shortcut import DeviceShortcut
from engine.experiments.hpc_net.network import Network, Weights, make_network
from engine.experiments.hpc_net.rule import outcome
from engine.experiments.hpc_net.shortcut import Shortcut
from engine.experiments.hpc_net.spec import CODE
from engine.experiments.hpc_net.ways import Way
from tests.engine.experiments.hpc_net.conftest import LEVELS, N_IN, N_OUT, tiny_spec
from tests.engine.shim_device import ShimDevice

LABELS = np.array([0, 1, 2, 1], np.int32)


class HostArrays:
    """NumPy where CuPy would be."""

    name, module = "NumPy", np

    def to_host(self, array):
        return array.copy()


def assert_same(one: Way, other: Way, images, weights: Weights, rules=("quasi_static", "exact")):
    """Voltages and updates to 1e-9 of the largest."""
    ours, theirs = (way.voltages(images, weights) for way in (one, other))
    assert np.abs(theirs.hidden).max() > 0.3
    pairs = [(ours.hidden, theirs.hidden), (ours.output, theirs.output)]
    for rule in rules:
        a, b = (
            outcome(way, images, LABELS, weights, replace(CODE, rule=rule)).direction.parts
            for way in (one, other)
        )
        pairs += zip(a, b, strict=True)
    for found, expected in pairs:
        assert np.abs(found - expected).max() < 1e-9 * np.abs(expected).max()


def test_the_shortcut_in_products_of_matrices_is_the_shortcut(
    network, shortcut, images, weights, monkeypatch
):
    way = DeviceShortcut(network, HostArrays())
    assert_same(way, shortcut, images, weights)
    whole = way.voltages(images, weights)
    monkeypatch.setattr(device_shortcut, "ROOM", 1)  # one sample at a time
    assert_same(way, shortcut, images, weights)
    one_by_one = way.voltages(images, weights)
    np.testing.assert_allclose(one_by_one.hidden, whole.hidden, atol=1e-13)


def test_a_device_without_room_is_refused_in_a_sentence(network):
    class Full(HostArrays):
        class module:  # noqa: N801
            @staticmethod
            def asarray(values):
                raise MemoryError

    with pytest.raises(BackendError, match=r"needs about \d+ MiB more than is free on NumPy"):
        DeviceShortcut(network, Full())


def test_the_simulation_on_the_gpu_backend_gives_the_voltages_of_the_cpu(images, weights):
    spec = tiny_spec(n_hidden=2, n_synapses=1)
    network = make_network(spec, N_IN, N_OUT, LEVELS)
    few = Weights(
        weights.hidden[:, :2, :1].copy(), weights.hidden_bias[:2], weights.output[:2],
        weights.output_bias,
    )  # fmt: skip
    simulated = Compartmental(network, GpuBackend(ShimDevice(), Shape(4, 4)))
    assert_same(simulated, Shortcut(network), images, few, rules=("quasi_static",))


@pytest.mark.skipif(not why_no_gpu(), reason="there is a GPU here")
def test_a_gpu_that_is_not_there_is_refused_and_auto_is_the_cpu(network):
    for way in ("shortcut", "compartmental"):
        with pytest.raises(BackendError, match="backend 'gpu' is unavailable"):
            make_way(network, way, "gpu")
    assert isinstance(make_way(network, "shortcut", "auto"), Shortcut)
    assert make_way(network, "compartmental", "auto").backend.name == "cpu"


@pytest.mark.gpu
def test_both_ways_on_a_device_give_the_updates_of_the_cpu(
    network: Network, shortcut, images, weights
):
    assert_same(make_way(network, "shortcut", "gpu"), shortcut, images, weights)
    simulated = make_way(network, "compartmental", "gpu")
    assert_same(simulated, shortcut, images, weights, rules=("quasi_static",))
