"""The networks of the comparison that PyTorch trains, and the attack that Foolbox makes on one.

PyTorch and Foolbox are an extra of the installation; nothing here is needed to look at a finished
study, or to ask networks that are trained already.

The surrogate is the residual network with 20 layers of He et al., CVPR 2016, §4.2: a convolution,
three stages of three blocks with 16, 32 and 64 channels, the mean over the image, a linear layer.
The attack is the fast gradient sign method of Goodfellow et al., ICLR 2015.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from engine.errors import UserError
from engine.experiments.robustness.pieces import Arrays
from engine.experiments.robustness.study import Descent
from engine.types import FloatArray, IntArray

STAGES = (16, 32, 64)
BLOCKS = 3
AT_ONCE = 250
"""Images of a batch where nothing is learned."""
SMALL = 2.0**-10
"""Less than a gray level: of this size no step from a whole level is cut at black or white but
those that go nowhere at any size."""


def why_no_torch() -> str:
    """Why networks cannot be trained and attacked here, as a sentence; empty where they can."""
    missing = [name for name in ("torch", "foolbox") if find_spec(name) is None]
    if not missing:
        return ""
    return (
        f"the surrogate and its attack need {' and '.join(missing)}, which "
        f"{'is' if len(missing) == 1 else 'are'} not installed; "
        "pip install 'dendview[robustness]' brings what is missing"
    )


@cache
def need_torch() -> Any:
    """PyTorch.

    Raises
    ------
    UserError
        If it or Foolbox is not installed.
    """
    if why := why_no_torch():
        raise UserError(why)
    import torch

    return torch


@cache
def device() -> str:
    return "cuda" if need_torch().cuda.is_available() else "cpu"


def resnet20(n_class: int, seed: int) -> Any:
    """The surrogate with its first weights, for images of one channel and any size."""
    torch = need_torch()
    nn = torch.nn

    class Block(nn.Module):  # type: ignore[name-defined]
        def __init__(self, n_in: int, n_out: int, stride: int) -> None:
            super().__init__()
            self.body = nn.Sequential(
                nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False),
                nn.BatchNorm2d(n_out),
                nn.ReLU(),
                nn.Conv2d(n_out, n_out, 3, 1, 1, bias=False),
                nn.BatchNorm2d(n_out),
            )
            self.skip = nn.Sequential()
            if (n_in, stride) != (n_out, 1):
                self.skip = nn.Sequential(
                    nn.Conv2d(n_in, n_out, 1, stride, bias=False), nn.BatchNorm2d(n_out)
                )

        def forward(self, x: Any) -> Any:
            return torch.relu(self.body(x) + self.skip(x))

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        n = STAGES[0]
        layers: list[Any] = [nn.Conv2d(1, n, 3, 1, 1, bias=False), nn.BatchNorm2d(n), nn.ReLU()]
        for number, wide in enumerate(STAGES):
            for block in range(BLOCKS):
                layers.append(Block(n, wide, 2 if number and not block else 1))
                n = wide
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(n, n_class)]
        net = nn.Sequential(*layers)
        for part in net.modules():
            if isinstance(part, nn.Conv2d):
                nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
    return net.to(device())


def plain_ann(n_in: int, n_hidden: int, n_out: int, seed: int) -> Any:
    """Inputs, hidden units that pass what is positive, outputs; Glorot's uniform weights."""
    torch = need_torch()
    nn = torch.nn
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = nn.Sequential(
            nn.Flatten(), nn.Linear(n_in, n_hidden), nn.ReLU(), nn.Linear(n_hidden, n_out)
        )
        for layer in (net[1], net[3]):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return net.to(device())


@dataclass
class Learner:
    """A network on its way: ``done`` batches of ``descent.batches``.

    Attributes
    ----------
    net, optimizer
        Of PyTorch.
    table : (n_level,) float32
        What the network is given for every pixel value.
    shape : tuple of int
        Rows and columns.
    """

    net: Any
    optimizer: Any
    descent: Descent
    table: FloatArray
    shape: tuple[int, int]
    seed: int
    done: int = 0

    def tensor(self, images: np.ndarray) -> Any:
        """(n, 1, rows, columns) of pixels (n, n_in)."""
        torch = need_torch()
        bright = self.table.astype(np.float32)[images].reshape(-1, 1, *self.shape)
        return torch.from_numpy(bright).to(device())

    def arrays(self) -> Arrays:
        """All that the learning goes on from, as arrays."""
        found = {f"net/{name}": value for name, value in self.net.state_dict().items()}
        for number, memory in self.optimizer.state_dict()["state"].items():
            found |= {f"memory/{number}/{name}": value for name, value in memory.items()}
        kept = {name: value.cpu().numpy() for name, value in found.items() if value is not None}
        return {"done": np.array(self.done), **kept}

    def restore(self, arrays: Arrays) -> None:
        """Go on from what :meth:`arrays` gave."""
        torch = need_torch()
        memory: dict[int, dict[str, Any]] = {}
        net: dict[str, Any] = {}
        for name, value in arrays.items():
            kind, _, rest = name.partition("/")
            if kind == "net":
                net[rest] = torch.from_numpy(value.copy())
            elif kind == "memory":
                number, _, what = rest.partition("/")
                memory.setdefault(int(number), {})[what] = torch.from_numpy(value.copy())
        self.net.load_state_dict(net)
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": memory, "param_groups": groups})
        self.done = int(arrays["done"])


def surrogate(
    descent: Descent, levels: FloatArray, shape: tuple[int, int], n_class: int, seed: int
) -> Learner:
    """The surrogate before its first batch."""
    net = resnet20(n_class, seed)
    optimizer = need_torch().optim.SGD(
        net.parameters(),
        descent.rate,
        momentum=descent.momentum,
        nesterov=descent.momentum > 0,
        weight_decay=descent.shrink,
    )
    return Learner(net, optimizer, descent, levels, shape, seed)


def ann(
    descent: Descent,
    table: FloatArray,
    shape: tuple[int, int],
    n_hidden: int,
    n_class: int,
    seed: int,
) -> Learner:
    """An ANN before its first batch; ``table`` is what it is given for every pixel value."""
    net = plain_ann(shape[0] * shape[1], n_hidden, n_class, seed)
    optimizer = need_torch().optim.Adam(
        net.parameters(),
        descent.rate,
        betas=(descent.momentum, 0.999),
        weight_decay=descent.shrink,
    )
    return Learner(net, optimizer, descent, table, shape, seed)


def learn(learner: Learner, images: np.ndarray, labels: IntArray) -> Iterator[float]:
    """Learn to the end; gives the loss of every batch.

    Raises
    ------
    UserError
        If the loss is no number any more.
    """
    torch = need_torch()
    descent, size = learner.descent, min(learner.descent.batch, len(images))
    per_epoch = len(images) // size
    learner.net.train()
    epoch, order = -1, np.empty(0, np.int64)
    while learner.done < descent.batches:
        now, at = divmod(learner.done, per_epoch)
        if now != epoch:
            epoch, order = now, np.random.default_rng([learner.seed, now]).permutation(len(images))
        chosen = order[at * size : (at + 1) * size]
        rate = descent.rate * 0.5 * (1 + math.cos(math.pi * learner.done / descent.batches))
        for group in learner.optimizer.param_groups:
            group["lr"] = rate
        target = torch.from_numpy(labels[chosen].astype(np.int64)).to(device())
        learner.net.train()
        loss = torch.nn.functional.cross_entropy(
            learner.net(learner.tensor(images[chosen])), target
        )
        learner.optimizer.zero_grad()
        loss.backward()
        learner.optimizer.step()
        learner.done += 1
        value = float(loss.detach())
        if not math.isfinite(value):
            raise UserError(
                f"the loss is no number any more after {learner.done} batches: the rate "
                f"{descent.rate:g} is too large; choose a smaller one"
            )
        yield value


def answers(learner: Learner, images: np.ndarray) -> IntArray:
    """(n,) the class a network gives each image."""
    torch = need_torch()
    learner.net.eval()
    with torch.inference_mode():
        parts = [
            learner.net(learner.tensor(images[k : k + AT_ONCE])).argmax(dim=1).cpu().numpy()
            for k in range(0, len(images), AT_ONCE)
        ]
    return np.concatenate(parts).astype(np.int32)


def attack_directions(learner: Learner, images: np.ndarray, labels: IntArray) -> np.ndarray:
    """(n, n_in) int8: the way FGSM moves every pixel, -1, 0 or 1.

    The sign of the gradient does not depend on the size of the step, so Foolbox is asked once, for
    a step smaller than a gray level; 0 is also where a step would leave black to white.
    """
    torch = need_torch()
    import foolbox

    learner.net.eval()
    model = foolbox.PyTorchModel(learner.net, bounds=(0.0, 1.0), device=device())
    before = learner.tensor(images)
    target = torch.from_numpy(labels.astype(np.int64)).to(device())
    after = foolbox.attacks.FGSM().run(model, before, target, epsilon=SMALL)
    moved = ((after - before) / SMALL).round()
    return moved.to(torch.int8).cpu().numpy().reshape(len(images), -1)


def use_threads(threads: int | None) -> None:
    """Let PyTorch use so many cores; None leaves it its own choice."""
    if threads is not None and not why_no_torch():
        need_torch().set_num_threads(threads)
