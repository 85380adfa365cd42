"""A tiny network, images for it, and networks of the comparison that need no PyTorch."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from engine.experiments.hpc_net.data import Dataset
from engine.experiments.hpc_net.network import Network, first_weights, make_network
from engine.experiments.hpc_net.shortcut import Shortcut
from engine.experiments.robustness import Descent, Study, examining
from engine.experiments.robustness.pieces import key_of
from tests.engine.experiments.hpc_net.conftest import LEVELS, N_IN, N_OUT, tiny_spec


@pytest.fixture(scope="package")
def network() -> Network:
    return make_network(tiny_spec(), N_IN, N_OUT, LEVELS)


@pytest.fixture(scope="package")
def weights(network):
    return first_weights(network)


@pytest.fixture(scope="package")
def data() -> Dataset:
    rng = np.random.default_rng(7)
    train, test = (rng.integers(0, 17, (n, N_IN)).astype(np.uint8) for n in (40, 30))
    labels = [(images[:, 0] % N_OUT).astype(np.int32) for images in (train, test)]
    return Dataset(
        "made", train, labels[0], test, labels[1], (3, 4), LEVELS, tuple("abc"), "made here"
    )


@pytest.fixture
def study() -> Study:
    descent = Descent(6, 10, 0.1)
    return Study((0.1, 0.3), repeats=2, surrogate=descent, ann=descent)


@dataclass
class FakeLearner:
    """Weights that count their batches; answers by a fixed random layer."""

    kind: str
    descent: Descent
    table: np.ndarray
    seed: int
    done: int = 0
    n_hidden: int = 5

    def arrays(self):
        rng = np.random.default_rng([self.seed, self.done])
        return {
            "done": np.array(self.done),
            "net/1.weight": rng.normal(size=(self.n_hidden, N_IN)).astype(np.float32),
            "net/1.bias": rng.normal(size=self.n_hidden).astype(np.float32),
            "net/3.weight": rng.normal(size=(N_OUT, self.n_hidden)).astype(np.float32),
            "net/3.bias": rng.normal(size=N_OUT).astype(np.float32),
        }

    def restore(self, arrays):
        self.done = int(arrays["done"])


@dataclass
class FakeNets:
    """In place of the module that knows PyTorch; notes what is asked of it."""

    asked: list[str] = field(default_factory=list)
    Learner = FakeLearner

    def use_threads(self, threads):
        pass

    def surrogate(self, descent, levels, shape, n_class, seed):
        return FakeLearner("surrogate", descent, levels, seed)

    def ann(self, descent, table, shape, n_hidden, n_class, seed):
        return FakeLearner("ann", descent, table, seed, n_hidden=n_hidden)

    def learn(self, learner, images, labels):
        self.asked.append(f"{learner.kind} from {learner.done}")
        while learner.done < learner.descent.batches:
            learner.done += 1
            yield 1.0 / learner.done

    def attack_directions(self, learner, images, labels):
        assert learner.done == learner.descent.batches
        self.asked.append("attack")
        return np.where(images > 120, -1, 1).astype(np.int8)

    def answers(self, learner, images):
        self.asked.append("resnet")
        return (images[:, 1] % N_OUT).astype(np.int32)


made: dict[str, Shortcut] = {}


def shortcut(network: Network, threads: int | None = None) -> Shortcut:
    """One for all studies of a network."""
    key = key_of(network.spec, network.levels, network.node)
    if key not in made:
        made[key] = Shortcut(network, 1)
    return made[key]


@pytest.fixture
def nets(monkeypatch) -> FakeNets:
    fake = FakeNets()
    monkeypatch.setattr(examining, "deep_nets", fake)
    monkeypatch.setattr(examining, "Shortcut", shortcut)
    monkeypatch.setattr(examining, "TELL_EVERY", 0.0)
    return fake
