"""Settings of a training as data: names, units, limits, and where the paper says otherwise."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.experiments.hpc_net.spec import Conductance, Training

Get = Callable[[Training], Any]


@dataclass(frozen=True)
class Number:
    """A number of the training.

    Attributes
    ----------
    group
        As :meth:`dendview.controllers.training_plan.TrainingPlanController.edit` takes it.
    name
        Of the field there.
    label, unit, tip
    minimum, maximum, step, decimals
        ``decimals`` 0 makes it a whole number.
    shown
        Whether it means anything in a training.
    """

    group: str
    name: str
    label: str
    unit: str
    tip: str
    minimum: float
    maximum: float
    step: float = 1.0
    decimals: int = 0
    shown: Callable[[Training], bool] = lambda _: True

    def get(self, training: Training) -> float:
        return float(getattr(part(training, self.group), self.name))


@dataclass(frozen=True)
class Choice:
    """A choice among a few words: ``options`` by value."""

    group: str
    name: str
    label: str
    tip: str
    options: Mapping[Any, str]

    def get(self, training: Training) -> Any:
        return getattr(part(training, self.group), self.name)


@dataclass(frozen=True)
class Disagreement:
    """Where code and text of the paper differ.

    Attributes
    ----------
    group, name
    label
        What it is about.
    code, text
        The values of both.
    code_says, text_says
        The same in a few words.
    tip
        What follows from it.
    """

    group: str
    name: str
    label: str
    code: Any
    text: Any
    code_says: str
    text_says: str
    tip: str

    def get(self, training: Training) -> Any:
        return getattr(part(training, self.group), self.name)


def part(training: Training, group: str) -> Any:
    """The part of a training that a group of fields belongs to."""
    match group:
        case "learning":
            return training.learning
        case "network":
            return training.network
        case "optimizer":
            return training.learning.optimizer
        case "encoding":
            return training.network.encoding
        case "conductance":
            return training.network.conductance or Conductance()
        case _:
            return training


LEARNING = (
    Number("learning", "rate", "Learning rate", "", "How far a mini-batch moves the weights",
           1e-6, 1000.0, 0.01, 6),
    Number("learning", "epochs", "Epochs", "", "How often all images are learned from", 1, 10_000),
    Number("learning", "batch", "Batch", "images",
           "Images whose updates are averaged before the weights move", 1, 100_000),
    Number("optimizer", "decay", "Momentum", "", "Part of the last step that is kept",
           0.0, 0.9999, 0.01, 4, lambda t: t.learning.optimizer.name == "momentum"),
    Number("optimizer", "decay", "Decay 1", "", "Adam's decay of the mean of the updates",
           0.0, 0.9999, 0.01, 4, lambda t: t.learning.optimizer.name == "adam"),
    Number("optimizer", "decay2", "Decay 2", "", "Adam's decay of the mean of their squares",
           0.0, 0.99999, 0.001, 5, lambda t: t.learning.optimizer.name == "adam"),
    Number("learning", "cool", "Rate × per epoch", "",
           "Factor of the rate from one epoch to the next; 1 keeps it", 0.01, 1.0, 0.05, 4),
    Number("learning", "stop", "Learn until", "ms",
           "End of the window whose errors count, in a sample's time", 0.25, 1000.0, 5.0, 3),
    Number("learning", "seed", "Seed of the order", "", "Of the shuffling", 0, 2**31 - 1),
)  # fmt: skip
OPTIMIZER = Choice("optimizer", "name", "Optimizer", "What becomes of a batch's mean update",
                   {"sgd": "Plain descent", "momentum": "Momentum", "adam": "Adam"})  # fmt: skip
SHUFFLE = Choice("learning", "shuffle", "Order",
                 "The code takes them as they are in the file",
                 {False: "As in the file", True: "Shuffled"})  # fmt: skip
RULE = Choice(
    "learning", "rule", "Rule",
    "The paper's rule takes every response for a steady one; the exact one goes back through the "
    "impulse responses and is the gradient of the loss",
    {"quasi_static": "Quasi-static", "exact": "Exact gradient"},
)  # fmt: skip
NETWORK = (
    Number("network", "n_hidden", "Hidden neurons", "", "Detailed cells between input and output",
           1, 4096),
    Number("network", "n_synapses", "Synapses a connection", "",
           "Of every pair of input and hidden neuron, each with a weight of its own", 1, 100),
    Number("network", "seed", "Seed of the network", "",
           "Of the places of the synapses and the weights at the start", 0, 2**31 - 1),
)  # fmt: skip
WAY = Choice(
    "", "way", "Computed by",
    "Passive neurons respond linearly: sums of known responses give the same numbers as the "
    "simulation of every compartment, much sooner",
    {"shortcut": "Exact shortcut", "compartmental": "Simulation"},
)  # fmt: skip
SYNAPSES = Choice(
    "network", "conductance", "Synapses",
    "Currents that follow the input's voltage, as in the paper; or conductances that open at its "
    "spikes, which are not linear and have to be simulated",
    {None: "Currents", Conductance(): "Conductances"},
)  # fmt: skip
CONDUCTANCE = tuple(
    Number("conductance", name, label, unit, tip, low, high, step, decimals,
           lambda t: t.network.conductance is not None)
    for name, label, unit, tip, low, high, step, decimals in (
        ("peak", "Peak of a synapse", "µS", "What a weight of 1 opens", 1e-7, 1.0, 1e-4, 7),
        ("tau1", "Rise", "ms", "Of the conductance", 0.01, 1000.0, 0.1, 3),
        ("tau2", "Decay", "ms", "Of the conductance", 0.01, 1000.0, 0.1, 3),
        ("excitatory", "Excitatory reversal", "mV", "From rest, of positive weights",
         -200.0, 200.0, 1.0, 3),
        ("inhibitory", "Inhibitory reversal", "mV", "From rest, of negative weights",
         -200.0, 200.0, 1.0, 3),
    )
)  # fmt: skip
ENCODING = (
    Number("encoding", "period", "Spikes every", "ms",
           "Divided by the pixel's brightness plus the offset", 0.1, 1000.0, 0.5, 3),
    Number("encoding", "offset", "Brightness offset", "", "So that black has a rate, too",
           1e-4, 1.0, 0.01, 4),
    Number("encoding", "start", "Spikes start at", "ms", "The first comes one interval later",
           0.0, 1000.0, 1.0, 3),
    Number("encoding", "delay", "Delay", "ms", "From the spike to the synapse of the input neuron",
           0.0, 100.0, 0.25, 3),
    Number("encoding", "weight", "Synapse", "µS", "Conductance that a spike opens at the input",
           1e-6, 10.0, 0.01, 6),
    Number("encoding", "tau", "Decay", "ms", "Of that conductance", 0.01, 100.0, 0.1, 3),
    Number("encoding", "reversal", "Reversal", "mV", "Of that conductance", -100.0, 100.0, 1.0, 3),
)  # fmt: skip

DISAGREEMENTS = (
    Disagreement("learning", "sign", "Update goes", "descend", "ascend",
                 "down", "up (Eq. 8)",
                 "The minus of Eq. 8 with the error of Eq. 10 climbs the loss: with the text's "
                 "sign the network unlearns."),
    Disagreement("learning", "start", "Learning from", 20.0, 30.0, "20 ms", "30 ms",
                 "When the errors of a sample begin to count; a sample lasts 50 ms."),
    Disagreement("learning", "softmax", "Softmax of", "instant", "mean",
                 "each step", "the mean",
                 "Of the output voltages at every step, or of their means over the window."),
    Disagreement("network", "placement", "Synapses on", "basal", "dendrite",
                 "basal", "all",
                 "The code puts them on basal dendrites alone; the text says dendrites."),
    Disagreement("network", "biases", "Bias synapses", True, False, "yes", "no",
                 "A constant current into every hidden and output neuron, learned too; the text "
                 "does not have it."),
)  # fmt: skip
