"""What a network does before and after it has learned: answers, responses, weights and places."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.experiments.hpc_net.encoding import spikes
from engine.experiments.hpc_net.network import Network, Weights
from engine.experiments.hpc_net.rule import answer_means, log_softmax
from engine.experiments.hpc_net.spec import Learning
from engine.experiments.hpc_net.ways import ByteArray, Way
from engine.synapses import event_times
from engine.types import FloatArray, IntArray

PART = 64
"""Images run at once."""


@dataclass(frozen=True, eq=False)
class Answers:
    """What a network says of images.

    Attributes
    ----------
    answer : (n,) int32
    probability : (n, n_out)
        Softmax of the mean output voltages, the loss's own measure of how sure an answer is.
    """

    answer: IntArray
    probability: FloatArray

    @property
    def confidence(self) -> FloatArray:
        """(n,) probability of the answer."""
        return self.probability[np.arange(len(self.answer)), self.answer]


@dataclass(frozen=True, eq=False)
class Response:
    """Somatic voltages in mV from rest, means over the images they were asked for.

    Attributes
    ----------
    hidden : (n_hidden, n_time)
    output : (n_out, n_time)
    n : int
        Images.
    """

    hidden: FloatArray
    output: FloatArray
    n: int


@dataclass(frozen=True, eq=False)
class WeightCounts:
    """How many weights lie between neighboring edges, for several sets of weights.

    Attributes
    ----------
    edge : (n_bin + 1,)
        Symmetric around 0, the same for all sets.
    counts : (n_set, n_bin) int64
    """

    edge: FloatArray
    counts: np.ndarray


def ask_about(way: Way, images: ByteArray, weights: Weights, learning: Learning) -> Answers:
    """Answers to images, a part of them at a time.

    Raises
    ------
    UnstableError
        If a voltage leaves what a membrane can have.
    """
    n_out = way.network.n_out
    means = [np.zeros((0, n_out))]
    for first in range(0, len(images), PART):
        output = way.voltages(images[first : first + PART], weights).output
        means.append(answer_means(way.network, output, learning))
    mean = np.concatenate(means)
    return Answers(mean.argmax(axis=1).astype(np.int32), np.exp(log_softmax(mean, axis=1)))


def respond(way: Way, images: ByteArray, weights: Weights) -> Response:
    """Mean voltages of all neurons to images (at least one).

    Raises
    ------
    UnstableError
        If a voltage leaves what a membrane can have.
    """
    network = way.network
    hidden = np.zeros((network.spec.n_hidden, network.n_time))
    output = np.zeros((network.n_out, network.n_time))
    for first in range(0, len(images), PART):
        found = way.voltages(images[first : first + PART], weights)
        hidden += found.hidden.sum(axis=0)
        output += found.output.sum(axis=0)
    n = max(len(images), 1)
    return Response(hidden / n, output / n, len(images))


def input_spikes(network: Network, image: np.ndarray) -> tuple[FloatArray, IntArray]:
    """When and at which input neurons the spikes of an image arrive.

    Parameters
    ----------
    network
    image : (n_in,) uint8

    Returns
    -------
    time : (n_spike,) ms, ascending
    pixel : (n_spike,) int32
    """
    spec = network.spec
    times: list[FloatArray] = [np.zeros(0)]
    pixels: list[IntArray] = [np.zeros(0, np.int32)]
    for value in np.unique(image):
        train = spikes(spec.encoding, float(network.levels[value]), spec.cell.duration)
        due = event_times(train, spec.cell.duration, 0) + spec.encoding.delay
        due = due[due <= spec.cell.duration]
        here = np.flatnonzero(image == value).astype(np.int32)
        times.append(np.tile(due, len(here)))
        pixels.append(np.repeat(here, len(due)))
    time, pixel = np.concatenate(times), np.concatenate(pixels)
    order = np.lexsort((pixel, time))
    return time[order], pixel[order]


def count_weights(parts: Sequence[FloatArray], n_bin: int = 61) -> WeightCounts:
    """Histograms of several sets of weights over the same bins; an odd number has 0 in a middle."""
    largest = max((float(np.abs(part).max(initial=0.0)) for part in parts), default=0.0)
    edge = np.linspace(-1.0, 1.0, n_bin + 1) * (largest or 1.0) * (1 + 1e-9)
    return WeightCounts(edge, np.stack([np.histogram(part, edge)[0] for part in parts]))


def weights_by_node(network: Network, weights: Weights, neuron: int) -> FloatArray:
    """(n_comp,) sum of the weights of the synapses at every node of a hidden neuron.

    NaN where none sits: their sum is the current there if all inputs are alike, in nA per mV times
    ``network.r_mean`` MΩ.
    """
    n_comp = network.model.n_comp
    node = network.node[:, neuron].reshape(-1)
    total = np.bincount(node, weights.hidden[:, neuron].reshape(-1), n_comp)
    return np.where(np.bincount(node, minlength=n_comp) > 0, total, np.nan)


def chosen_samples(
    labels: IntArray, answer: IntArray, label: int | None = None, said: int | None = None
) -> IntArray:
    """Numbers of the samples of a label that got an answer, ascending.

    Where label and answer are both left out, those that are wrong; where one is, all of the other.
    """
    if label is None and said is None:
        return np.flatnonzero(labels != answer).astype(np.int32)
    wanted = np.ones(len(labels), bool)
    if label is not None:
        wanted &= labels == label
    if said is not None:
        wanted &= answer == said
    return np.flatnonzero(wanted).astype(np.int32)


def weight_limit(parts: Sequence[FloatArray], share: float = 0.99) -> float:
    """A round limit for colors that holds so many of the weights of all sets, at least 1e-6."""
    sizes = np.concatenate([np.abs(part[np.isfinite(part)]).reshape(-1) for part in parts])
    if not sizes.size:
        return 1.0
    wanted = max(float(np.quantile(sizes, share)), 1e-6)
    power = 10.0 ** np.floor(np.log10(wanted))
    return float(next(m * power for m in (1, 1.5, 2, 3, 5, 7, 10) if m * power >= wanted))
