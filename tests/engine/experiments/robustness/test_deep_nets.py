"""The surrogate, its attack and the ANNs, against the same by hand. Needs PyTorch and Foolbox."""

import numpy as np
import pytest

from engine.errors import UserError
from engine.experiments.robustness import Descent, deep_nets, why_no_torch
from engine.experiments.robustness.images import disturbed
from engine.experiments.robustness.networks import ann_answers

if why_no_torch():
    pytest.skip(why_no_torch(), allow_module_level=True)

import torch

SHAPE, N_LEVEL = (6, 6), 256
LEVELS = np.arange(N_LEVEL) / (N_LEVEL - 1)


@pytest.fixture(scope="module")
def images():
    """Two classes: bright above, bright below; some pixels are black or white."""
    rng = np.random.default_rng(1)
    labels = (np.arange(80) % 2).astype(np.int32)
    drawn = rng.integers(0, 120, (80, 6, 6))
    drawn[labels == 0, :3] += 135
    drawn[labels == 1, 3:] += 135
    drawn[rng.random(drawn.shape) < 0.2] = 0
    drawn[rng.random(drawn.shape) < 0.1] = 255
    return drawn.reshape(80, 36).astype(np.uint8), labels


def linear_learner():
    torch.manual_seed(4)
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(36, 3))
    return deep_nets.Learner(net, None, Descent(1, 1, 0.1), LEVELS, SHAPE, 1)


def test_the_attack_on_a_linear_network_is_the_gradient_sign_by_hand(images):
    """Cross-entropy of W x + b: its gradient by x is (p - y) W."""
    pixels, labels = images
    learner = linear_learner()
    weight, bias = (p.detach().numpy().astype(float) for p in learner.net[1].parameters())
    output = LEVELS[pixels] @ weight.T + bias
    p = np.exp(output - output.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(80), labels] -= 1
    expected = np.sign(p @ weight)
    expected[(pixels == 0) & (expected < 0)] = 0
    expected[(pixels == 255) & (expected > 0)] = 0
    found = deep_nets.attack_directions(learner, pixels, labels)
    np.testing.assert_array_equal(found, expected)
    assert set(np.unique(found)) == {-1, 0, 1}


@pytest.mark.parametrize("steps", [5, 51])
def test_foolbox_asked_at_that_size_gives_the_same_images(images, steps):
    import foolbox

    pixels, labels = images
    learner = deep_nets.surrogate(Descent(3, 20, 0.05), LEVELS, SHAPE, 2, 1)
    list(deep_nets.learn(learner, pixels, labels))
    direction = deep_nets.attack_directions(learner, pixels, labels)
    learner.net.eval()
    model = foolbox.PyTorchModel(learner.net, bounds=(0, 1), device=deep_nets.device())
    target = torch.from_numpy(labels.astype(np.int64)).to(deep_nets.device())
    _, attacked, _ = foolbox.attacks.FGSM()(
        model, learner.tensor(pixels), target, epsilons=steps / 255
    )
    ours = LEVELS[disturbed(pixels, direction, steps, N_LEVEL)]
    theirs = attacked.cpu().numpy().reshape(80, 36)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-6)  # theirs is in single precision


def test_the_surrogate_has_twenty_layers():
    net = deep_nets.resnet20(10, 1)
    layers = [
        name
        for name, part in net.named_modules()
        if isinstance(part, torch.nn.Conv2d | torch.nn.Linear) and "skip" not in name
    ]
    assert len(layers) == 20
    assert sum(p.numel() for p in net.parameters()) == pytest.approx(272_000, rel=0.01)
    with torch.inference_mode():
        for size in (8, 28):
            assert net(torch.zeros(2, 1, size, size, device=deep_nets.device())).shape == (2, 10)


def make(kind):
    descent = Descent(8, 20, 0.02, shrink=1e-4)
    if kind == "surrogate":
        return deep_nets.surrogate(descent, LEVELS, SHAPE, 2, 3)
    return deep_nets.ann(descent, LEVELS, SHAPE, 7, 2, 3)


@pytest.mark.parametrize("kind", ["surrogate", "ann"])
def test_learning_that_goes_on_from_arrays_gives_the_same_bits(images, kind):
    whole, first, second = make(kind), make(kind), make(kind)
    losses = list(deep_nets.learn(whole, *images))
    run = deep_nets.learn(first, *images)
    begun = [next(run) for _ in range(3)]
    second.restore(first.arrays())
    assert [*begun, *deep_nets.learn(second, *images)] == losses
    for name, value in whole.arrays().items():
        np.testing.assert_array_equal(value, second.arrays()[name])


@pytest.mark.parametrize("kind", ["surrogate", "ann"])
def test_networks_learn_to_tell_two_kinds_apart(images, kind):
    learner = make(kind)
    learner.descent = Descent(60, 20, 0.02)
    list(deep_nets.learn(learner, *images))
    assert (deep_nets.answers(learner, images[0]) == images[1]).mean() > 0.9


def test_an_ann_answers_the_same_from_its_arrays(images):
    learner = make("ann")
    list(deep_nets.learn(learner, *images))
    np.testing.assert_array_equal(
        ann_answers(learner.arrays(), LEVELS, images[0]), deep_nets.answers(learner, images[0])
    )


def test_first_weights_depend_on_the_seed_alone():
    one, same = (make("ann").arrays()["net/1.weight"] for _ in range(2))
    np.testing.assert_array_equal(one, same)
    other = deep_nets.ann(Descent(1, 1, 0.1), LEVELS, SHAPE, 7, 2, 4).arrays()
    assert (other["net/1.weight"] != one).any()


def test_a_rate_that_is_too_large_is_told(images):
    learner = deep_nets.ann(Descent(40, 20, 1e30), LEVELS, SHAPE, 7, 2, 3)
    with pytest.raises(UserError, match=r"no number any more after \d+ batches: the rate 1e\+30"):
        list(deep_nets.learn(learner, *images))
