"""Disturbed images in whole gray levels, and what the spike encoding makes of a gray level."""

from dataclasses import replace

import numpy as np

from engine.errors import UserError
from engine.experiments.hpc_net.data import Dataset
from engine.experiments.hpc_net.encoding import input_traces
from engine.experiments.hpc_net.network import Network, Weights
from engine.experiments.hpc_net.spec import Learning
from engine.experiments.hpc_net.ways import leak
from engine.transfer import impulse_responses
from engine.types import FloatArray

MOST_LEVELS = 256


def finer(data: Dataset) -> Dataset:
    """The same images with as many gray levels between theirs as a byte has room for.

    Raises
    ------
    UserError
        If the levels are not equally far from one another: then nothing lies between them.
    """
    n = len(data.levels) - 1
    if n < 1 or not np.allclose(data.levels, np.arange(n + 1) / n, rtol=0, atol=1e-12):
        raise UserError(
            f"the gray levels of {data.name} are not equally spaced from 0 to 1, so images cannot "
            "be disturbed by a part of the brightness; take data in bytes, as MNIST"
        )
    factor = (MOST_LEVELS - 1) // n
    if factor == 1:
        return data
    return replace(
        data,
        train=(data.train * factor).astype(np.uint8),
        test=(data.test * factor).astype(np.uint8),
        levels=np.arange(n * factor + 1) / (n * factor),
    )


def finer_network(network: Network, levels: FloatArray) -> Network:
    """The same network for images of other gray levels; it has the same weights."""
    if len(levels) == len(network.levels):
        return network
    spec, model = network.spec, network.model
    trace = input_traces(spec.encoding, spec.point, levels, model.n_step, spec.cell.dt)
    return replace(network, levels=levels, trace=trace)


def whole_steps(epsilon: float, n_level: int) -> int:
    """Gray levels that are no more than ``epsilon`` of the brightness."""
    return int(np.floor(epsilon * (n_level - 1) + 1e-9))


def disturbed(images: np.ndarray, direction: np.ndarray, n_step: int, n_level: int) -> np.ndarray:
    """Images (n, n_in) moved by ``n_step`` levels along -1, 0 or 1, never beyond black or white."""
    moved = images.astype(np.int16) + n_step * direction.astype(np.int16)
    return np.clip(moved, 0, n_level - 1).astype(np.uint8)


def random_directions(shape: tuple[int, int], seed: int) -> np.ndarray:
    """(n, n_in) int8: -1 or 1, each pixel its own."""
    drawn = np.random.default_rng([seed, 2]).integers(0, 2, shape)
    return (2 * drawn - 1).astype(np.int8)


def encoded_levels(network: Network, learning: Learning) -> FloatArray:
    """(n_level,) the mean voltage of the input neuron over the window learned from; white is 1."""
    window = network.window(learning.start, learning.stop)
    return _of_white(np.maximum(network.trace[:, window], 0.0).mean(axis=1))


def passed_levels(network: Network, learning: Learning) -> FloatArray:
    """(n_level,) what is left of a pixel behind the membranes, without a dendrite; white is 1.

    The mean over the window of an output neuron's voltage, by one hidden neuron whose synapse sits
    on its soma: spikes late in a sample count for less there than in :func:`encoded_levels`.

    Raises
    ------
    UserError
        If the hidden neuron is not passive.
    """
    window = network.window(learning.start, learning.stop)
    current = np.maximum(network.trace[:, :-1], 0.0)
    response = impulse_responses(network.model, network.soma)[:, network.soma_node]
    soma = np.zeros_like(network.trace)
    for n in range(current.shape[1]):
        soma[:, n + 1] = current[:, : n + 1] @ response[n::-1]
    return _of_white(leak(network, soma / network.soma_resistance)[:, window].mean(axis=1))


def without_dendrites(network: Network, weights: Weights) -> tuple[Network, Weights]:
    """The same trained network with every synapse on the soma of its neuron.

    Each weight is scaled by what its place on the dendrite gave it: the steady transfer resistance
    in parts of the soma's. What differs is what dendrites do to the course of a current.
    """
    node = np.full_like(network.node, network.soma_node)
    spec = replace(network.spec, placement="soma")
    moved = replace(network, spec=spec, node=node, r_mean=network.soma_resistance)
    return moved, replace(weights, hidden=weights.hidden * network.factor)


def _of_white(table: FloatArray) -> FloatArray:
    return table / table[-1] if table[-1] > 0 else table


def threshold(network: Network) -> float:
    """The lowest brightness whose input neuron has any voltage at all; 1 where none has."""
    heard = np.flatnonzero(network.trace.any(axis=1))
    return float(network.levels[heard[0]]) if heard.size else 1.0
