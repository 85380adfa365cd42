"""Learning rules as small functions: from the voltages of a batch to the direction of the weights.

A rule gives the direction in which the loss falls. ``quasi_static`` is the paper's: it takes every
voltage for the steady answer to the currents of the moment, so that an error at a soma reaches a
synapse times its transfer resistance and conductance. ``exact`` is the gradient of the loss by
backward Euler's own steps. Where learning stops after 50 ms and the hidden neurons have a time
constant of 72 ms, the two differ. On a tiny network (12-5-3) the cosine between the code's rule and
minus the gradient by finite differences is 0.70 (0.98 within the hidden weights, 1.00 within the
others: it is the sizes that are off), on the digits 0.82 before and 0.80 after three epochs. With
the sign of the text (Eq. 8 with Eq. 10) it is -0.75 and -0.86: that climbs.

The loss is the cross-entropy of the softmax of the output voltages: of the voltages at every step
of the window, averaged, or of their mean over the window.
"""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from engine.errors import UserError
from engine.experiments.hpc_net.kernels_back import soma_errors
from engine.experiments.hpc_net.network import Network, Weights
from engine.experiments.hpc_net.spec import Learning
from engine.experiments.hpc_net.ways import ByteArray, Voltages, Way, leak_back
from engine.types import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a batch gave.

    Attributes
    ----------
    direction : Weights
        To be added, times the rate.
    loss : float
        Mean over the batch.
    right : int
        Samples whose largest mean output is their label's.
    """

    direction: Weights
    loss: float
    right: int


@dataclass(frozen=True, eq=False)
class Errors:
    """Label minus probability of every output neuron.

    Attributes
    ----------
    delta : (n_sample, n_out, n_window)
        Constant in time where the softmax is of the means.
    loss : (n_sample,)
    window : slice
    """

    delta: FloatArray
    loss: FloatArray
    window: slice


def log_softmax(values: FloatArray, axis: int) -> FloatArray:
    """Logarithm of the softmax, without overflow."""
    shifted = values - values.max(axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


def output_errors(
    network: Network, output: FloatArray, labels: IntArray, learning: Learning
) -> Errors:
    """Errors and loss of the output voltages (n_sample, n_out, n_time)."""
    window = network.window(learning.start, learning.stop)
    seen = output[:, :, window]
    if learning.softmax == "mean":
        seen = np.repeat(seen.mean(axis=2, keepdims=True), seen.shape[2], axis=2)
    log_p = log_softmax(seen, axis=1)
    sample = np.arange(len(labels))
    delta = -np.exp(log_p)
    delta[sample, labels] += 1.0
    return Errors(delta, -log_p[sample, labels].mean(axis=1), window)


def answer_means(network: Network, output: FloatArray, learning: Learning) -> FloatArray:
    """(n_sample, n_out) mV: means of the output voltages over 20 to 50 ms, which give the answer.

    Where a sample is shorter than 50 ms, over the window that is learned from.
    """
    duration = network.spec.cell.duration
    window = network.window(20.0, 50.0) if duration >= 50.0 else network.window(
        learning.start, learning.stop
    )  # fmt: skip
    return output[:, :, window].mean(axis=2)


def predict(network: Network, output: FloatArray, learning: Learning) -> IntArray:
    """(n_sample,) the output neuron with the largest mean voltage; see :func:`answer_means`."""
    return answer_means(network, output, learning).argmax(axis=1).astype(np.int32)


def quasi_static(
    way: Way,
    images: ByteArray,
    weights: Weights,
    voltages: Voltages,
    errors: Errors,
    learning: Learning,
) -> Weights:
    """The paper's rule (Eqs. 8 to 11): mean over the window of error · r · g · max(v, 0)."""
    window, n = errors.window, len(images) * errors.delta.shape[2]
    delta = errors.delta / n
    hidden = voltages.hidden[:, :, window]
    judged = hidden.mean(axis=2, keepdims=True) if learning.softmax == "mean" else hidden
    back, per_neuron, per_output = at_somata(way, hidden, judged, weights.output, delta)
    return Weights(
        way.through_traces(images, back, window), per_neuron, per_output, delta.sum(axis=(0, 2))
    )


def at_somata(
    way: Way, hidden: FloatArray, judged: FloatArray, weight: FloatArray, delta: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Errors of the output neurons at the hidden somata, where ``judged`` is above 0.

    Returns
    -------
    back : (n_sample, n_hidden, n_time)
    per_neuron : (n_hidden,)
        Its sum over samples and times.
    per_output : (n_hidden, n_out)
        The sum of the errors of the output neurons times max(hidden, 0).
    """
    n_sample, n_hidden, n_time = hidden.shape
    back = np.empty((n_sample, n_hidden, n_time))
    per_neuron, per_output = np.empty((n_sample, n_hidden)), np.empty((n_sample, *weight.shape))

    def work(_: int, samples: IntArray) -> None:
        soma_errors(samples, hidden, judged, weight, delta, back, per_neuron, per_output)

    way.each(work, np.ones(n_sample, np.int32))
    return back, per_neuron.sum(axis=0), per_output.sum(axis=0)


def exact(
    way: Way,
    images: ByteArray,
    weights: Weights,
    voltages: Voltages,
    errors: Errors,
    learning: Learning,
) -> Weights:
    """Minus the gradient of the mean loss, through every step of the run."""
    network, window = way.network, errors.window
    g_out = 1.0 / network.output_resistance
    hidden = voltages.hidden
    at_output = np.zeros_like(voltages.output)
    at_output[:, :, window] = errors.delta / (len(images) * errors.delta.shape[2])
    by_current = leak_back(network, at_output) * g_out
    at_soma = np.matmul(weights.output, by_current) * (hidden > 0)
    seen = np.maximum(hidden, 0.0)
    return Weights(
        way.through_responses(images, at_soma),
        np.matmul(at_soma, way.bias_response).sum(axis=0),
        np.matmul(seen, by_current.transpose(0, 2, 1)).sum(axis=0),
        by_current.sum(axis=(0, 2)),
    )


class Rule(Protocol):
    """From a batch to the direction in which to change the weights, times the rate.

    ``voltages`` are those of the batch by these weights, ``errors`` those of the output neurons.
    What a synapse saw is asked of the way: ``through_traces`` and, where neurons are linear,
    ``through_responses``.
    """

    def __call__(
        self,
        way: Way,
        images: ByteArray,
        weights: Weights,
        voltages: Voltages,
        errors: Errors,
        learning: Learning,
        /,
    ) -> Weights: ...


RULES: dict[str, Rule] = {"quasi_static": quasi_static, "exact": exact}


def register_rule(name: str, rule: Rule) -> None:
    """Let ``Learning.rule`` be that name.

    Raises
    ------
    UserError
        If another rule has the name.
    """
    if RULES.get(name, rule) is not rule:
        raise UserError(f"there is a learning rule '{name}' already; give this one another name")
    RULES[name] = rule


def rule_named(name: str) -> Rule:
    """The rule of that name.

    Raises
    ------
    UserError
        If there is none.
    """
    if name not in RULES:
        raise UserError(
            f"there is no learning rule '{name}'; choose one of {', '.join(RULES)}, or register it"
        )
    return RULES[name]


def cosine(one: Weights, other: Weights) -> float:
    """Cosine of the angle between two directions over all weights; 0 where one is nothing."""
    a, b = (np.concatenate([part.reshape(-1) for part in w.parts]) for w in (one, other))
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / size if size > 0 else 0.0


def descent(
    way: Way, images: ByteArray, labels: IntArray, weights: Weights, learning: Learning
) -> float:
    """How well a rule goes down its loss: the cosine between its direction and minus the gradient.

    1 is straight down; below 0 the rule climbs.

    Raises
    ------
    UserError
        If the hidden neurons are not linear: no gradient is known then.
    """
    down = replace(learning, rule="exact", sign="descend")
    ours, best = (outcome(way, images, labels, weights, rule) for rule in (learning, down))
    return cosine(ours.direction, best.direction)


def without_biases(direction: Weights) -> Weights:
    """The direction for a network whose biases, 0 at first, do not learn."""
    hidden, output = np.zeros_like(direction.hidden_bias), np.zeros_like(direction.output_bias)
    return replace(direction, hidden_bias=hidden, output_bias=output)


def outcome(
    way: Way, images: ByteArray, labels: IntArray, weights: Weights, learning: Learning
) -> Outcome:
    """Run a batch and ask the rule.

    Raises
    ------
    UserError
        If the rule cannot go this way.
    """
    voltages = way.voltages(images, weights)
    errors = output_errors(way.network, voltages.output, labels, learning)
    direction = rule_named(learning.rule)(way, images, weights, voltages, errors, learning)
    if not way.network.spec.biases:
        direction = without_biases(direction)
    if learning.sign == "ascend":
        direction = Weights(*(-part for part in direction.parts))
    right = int((predict(way.network, voltages.output, learning) == labels).sum())
    return Outcome(direction, float(errors.loss.mean()), right)
