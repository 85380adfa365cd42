"""What becomes of a mini-batch's direction: plain descent, momentum, or Adam."""

from dataclasses import dataclass

import numpy as np

from engine.experiments.hpc_net.network import Weights
from engine.experiments.hpc_net.spec import Optimizer
from engine.types import FloatArray


@dataclass(frozen=True, eq=False)
class Memory:
    """What an optimizer keeps from step to step; empty for plain descent.

    Attributes
    ----------
    first, second : Weights or None
        Decaying means of the direction and of its square.
    steps : int
    """

    first: Weights | None = None
    second: Weights | None = None
    steps: int = 0


EPSILON = 1e-8
"""Adam's, beside the root of the mean square."""


def step(
    weights: Weights, direction: Weights, rate: float, optimizer: Optimizer, memory: Memory
) -> tuple[Weights, Memory]:
    """The weights and the memory after one mini-batch.

    Notes
    -----
    Momentum: m = decay · m + direction, w += rate · m. Adam: Kingma & Ba, ICLR 2015, with its
    corrections of the first steps.
    """
    steps = memory.steps + 1
    if optimizer.name == "sgd":
        return _map(lambda w, d: _added(rate * d, w), weights, direction), Memory(steps=steps)
    one = optimizer.decay
    if optimizer.name == "momentum":
        first = _blend(memory.first, direction, one, 1.0)
        return _map(lambda w, m: _added(rate * m, w), weights, first), Memory(first, None, steps)
    two = optimizer.decay2
    first = _blend(memory.first, direction, one, 1.0 - one)
    square = _map(np.square, direction)
    second = _blend(memory.second, square, two, 1.0 - two)
    right1, right2 = 1.0 / (1.0 - one**steps), 1.0 / (1.0 - two**steps)
    moved = _map(
        lambda w, m, s: w + rate * (right1 * m) / (np.sqrt(right2 * s) + EPSILON),
        weights,
        first,
        second,
    )
    return moved, Memory(first, second, steps)


def _blend(old: Weights | None, new: Weights, keep: float, take: float) -> Weights:
    if old is None:
        return _map(lambda n: take * n, new)
    if take == 1.0:
        return _map(lambda o, n: _added(keep * o, n), old, new)
    return _map(lambda o, n: keep * o + take * n, old, new)


def _added(own: FloatArray, more: FloatArray) -> FloatArray:
    """The sum, in place of a new array."""
    own += more
    return own


def _map(function, *weights: Weights) -> Weights:  # type: ignore[no-untyped-def]
    return Weights(*(function(*parts) for parts in zip(*(w.parts for w in weights), strict=True)))
