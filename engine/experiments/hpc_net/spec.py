"""What a network of dendritic neurons is, and how it learns: everything a training run depends on.

The numbers are those of Zhang et al., Nat. Commun. 14:5798 (2023), Fig. 6, as their code has them;
where code and text of the paper differ, the code is the default and the text a switch.
"""

import json
from dataclasses import dataclass, field, replace
from typing import Literal

from engine import codec
from engine.errors import UserError
from engine.experiment import Cable, Experiment, Insertion
from engine.types import AxonPolicy

RuleName = Literal["quasi_static", "exact"]
"""Of the rules that are there; others may be registered (``rule.register_rule``)."""
Softmax = Literal["instant", "mean"]
Placement = Literal["basal", "dendrite", "soma"]
OptimizerName = Literal["sgd", "momentum", "adam"]
WayName = Literal["shortcut", "compartmental"]
Precision = Literal["mixed", "double"]
"""Of the shortcut on the CPU: double for all modes, or single for those that are small enough."""

MEMBRANE_G = 1 / 48300
"""S/cm²: the leak of the hidden cells."""


def hidden_cell(morphology: str = "sample:human_l23", axon: AxonPolicy = "stub") -> Experiment:
    """The passive hidden neuron of the paper on any morphology: 50 ms in steps of 0.25 ms."""
    return Experiment(
        morphology,
        axon=axon,
        cables=(Cable("all", 1.5, 261.97),),
        insertions=(Insertion("pas", "all", (("g", MEMBRANE_G), ("e", 0.0))),),
        v_init=0.0,
        dt=0.25,
        duration=50.0,
        frame_interval=50.0,
        name="hidden neuron",
    )


def membrane_cell(membrane: Experiment, morphology: str | None = None) -> Experiment:
    """A hidden neuron of any membrane: mechanisms, cut and temperature of an experiment.

    It lasts as long as :func:`hidden_cell`, in its steps; what the experiment did to the cell
    (clamps, synapses, probes) is left out. Only the compartmental way runs what is not passive.
    """
    like = hidden_cell()
    return replace(
        membrane,
        morphology=morphology or membrane.morphology,
        dt=like.dt,
        duration=like.duration,
        frame_interval=like.frame_interval,
        stimuli=(),
        waveforms=(),
        synapses=(),
        gap_junctions=(),
        voltage_clamps=(),
        probes=(),
        spike_site=None,
        name=like.name,
    )


@dataclass(frozen=True)
class Encoding:
    """From a pixel to the voltage of an input neuron.

    A pixel p (0 to 1) becomes regular spikes every ``period / (p + offset)`` ms, the first one that
    long after ``start``, each arriving ``delay`` later at a synapse of ``weight`` µS, time constant
    ``tau`` (ms) and reversal potential ``reversal`` (mV).
    """

    period: float = 5.0
    offset: float = 0.01
    start: float = 9.0
    delay: float = 1.0
    weight: float = 0.05
    tau: float = 0.5
    reversal: float = 1.0


@dataclass(frozen=True)
class PointCell:
    """An input or output neuron: a cylinder as long as it is wide (``size``, µm), passive.

    ``cm`` in µF/cm², ``g`` in S/cm²; it rests at 0 mV.
    """

    size: float = 12.6157
    cm: float = 1.0
    g: float = 1e-4


@dataclass(frozen=True)
class Conductance:
    """Synapses that open a conductance at every spike of their input, as NEURON's Exp2Syn.

    A weight of 1 opens ``peak`` µS (rise ``tau1``, decay ``tau2``, ms) to the reversal potential
    ``excitatory``, a negative one as much to ``inhibitory``, both in mV from ``v_init``.
    """

    peak: float = 3e-4
    tau1: float = 0.3
    tau2: float = 1.8
    excitatory: float = 60.0
    inhibitory: float = -15.0


@dataclass(frozen=True)
class HpcNet:
    """Inputs, a layer of detailed neurons, outputs; every pair of neighbors is connected.

    Attributes
    ----------
    cell : Experiment
        The hidden neuron: morphology, membrane, time step and duration of a sample.
    n_hidden : int
    n_synapses : int
        Of every connection from an input to a hidden neuron, each with a weight of its own.
    placement : {"basal", "dendrite", "soma"}
        Where they may sit. The code has basal dendrites alone, the paper's text says dendrites. On
        the soma they make the same network without what dendrites do: a control.
    biases : bool
        A constant current into every hidden and output neuron, learned too; in the code, not in the
        paper's text. Without, they stay 0.
    encoding, point
    conductance : Conductance or None
        What the synapses of the hidden neurons are in place of currents; such a network has to be
        simulated.
    seed : int
        Of the places of the synapses and the weights at the start.
    """

    cell: Experiment = field(default_factory=hidden_cell)
    n_hidden: int = 64
    n_synapses: int = 1
    placement: Placement = "basal"
    biases: bool = True
    encoding: Encoding = Encoding()
    point: PointCell = PointCell()
    conductance: Conductance | None = None
    seed: int = 1234

    def check(self) -> None:
        """Refuse sizes that make no network.

        Raises
        ------
        UserError
        """
        for what, value in (("hidden neurons", self.n_hidden), ("synapses", self.n_synapses)):
            if value < 1:
                raise UserError(f"a network of {value} {what} cannot be built; ask for at least 1")
        free = "start", "delay", "reversal", "excitatory", "inhibitory"
        for part in (self.encoding, self.point, self.conductance):
            for name, value in {} if part is None else vars(part).items():
                if not value > 0 and name not in free:
                    raise UserError(f"'{name}' of the network is {value:g}; it must be positive")


@dataclass(frozen=True)
class Optimizer:
    """What becomes of a mini-batch's mean update: plain descent, with momentum, or Adam.

    ``decay`` is the momentum, or Adam's first, ``decay2`` its second decay rate.
    """

    name: OptimizerName = "sgd"
    decay: float = 0.9
    decay2: float = 0.999


@dataclass(frozen=True)
class Learning:
    """How a network learns.

    Attributes
    ----------
    rule : str
        "quasi_static", the paper's rule, which takes every response for a steady one, or "exact",
        the gradient of the loss through the impulse responses; or one that was registered.
    softmax : {"instant", "mean"}
        Of the output voltages at every step (the code), or of their means over the window (text).
    start, stop : ms
        What happens at start < t <= stop counts; the code learns from 20 ms on, the text from 30.
    sign : {"descend", "ascend"}
        Down the loss as the code does, or the minus of the paper's Eq. 8 with its Eq. 10, which
        climbs.
    rate : float
    batch : int
        Samples whose updates are averaged; the last batch of an epoch may have fewer.
    epochs : int
    optimizer : Optimizer
    shuffle : bool
        New order of the samples in every epoch; the code takes them as they are in the file.
    cool : float
        Factor of the rate from one epoch to the next.
    seed : int
        Of the shuffling.
    """

    rule: str = "quasi_static"
    softmax: Softmax = "instant"
    start: float = 20.0
    stop: float = 50.0
    sign: Literal["descend", "ascend"] = "descend"
    rate: float = 0.005
    batch: int = 16
    epochs: int = 30
    optimizer: Optimizer = Optimizer()
    shuffle: bool = False
    cool: float = 1.0
    seed: int = 1234

    def check(self, duration: float) -> None:
        """Refuse settings no network can learn by; ``duration`` (ms) is that of a sample.

        Raises
        ------
        UserError
        """
        if not 0 <= self.start < self.stop <= duration:
            raise UserError(
                f"learning from {self.start:g} to {self.stop:g} ms does not fit into a sample of "
                f"{duration:g} ms; choose 0 <= start < stop <= {duration:g}"
            )
        if self.batch < 1 or self.epochs < 1:
            raise UserError("batch and epochs must be at least 1")
        if not 0 < self.rate < float("inf"):
            raise UserError(
                f"a learning rate of {self.rate:g} cannot be used; choose a positive one"
            )
        if not 0 < self.cool <= 1:
            raise UserError(f"'cool' is {self.cool:g}; it must be above 0 and at most 1")
        for name, value in (("decay", self.optimizer.decay), ("decay2", self.optimizer.decay2)):
            if not 0 <= value < 1:
                raise UserError(f"'{name}' of the optimizer is {value:g}; it must be in 0 ... <1")


def bad_rate(rate: float) -> UserError:
    """What to say of a rate that is no positive number."""
    return UserError(f"a learning rate of {rate:g} cannot be used; choose a positive one")


CODE = Learning()
"""As the authors' code learns."""
TEXT = replace(CODE, softmax="mean", start=30.0, sign="ascend")
"""As the paper's text has it, sign and all."""


@dataclass(frozen=True)
class Training:
    """A whole training run: network, learning, the name of the data, and how the network is run.

    ``way`` is the exact shortcut of passive neurons, or the simulation of every compartment;
    ``precision`` is the shortcut's on the CPU.
    """

    network: HpcNet = field(default_factory=HpcNet)
    learning: Learning = CODE
    data: str = "digits"
    name: str = ""
    way: WayName = "shortcut"
    precision: Precision = "mixed"


FORMAT, VERSION = "dendview-training", 1


def to_json(training: Training) -> str:
    """JSON text; :func:`from_json` gives an equal training back."""
    body = {"format": FORMAT, "version": VERSION, **codec.encode(training)}
    return json.dumps(body, indent=2, ensure_ascii=False) + "\n"


def from_json(text: str, where: str = "training.json") -> Training:
    """Read a training run.

    Raises
    ------
    UserError
        Where a field is missing, unknown or of the wrong kind; names it.
    """
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where}: this is not JSON ({error}); write one with DendView") from None
    if not isinstance(body, dict) or body.pop("format", None) != FORMAT:
        raise UserError(f"{where}: this is not the recipe of a training; write one with DendView")
    if (version := body.pop("version", None)) != VERSION:
        raise UserError(
            f"{where}: format version {version} is not {VERSION}; open it with a newer DendView"
        )
    try:
        training: Training = codec.decode(Training, body)
    except codec.FieldError as error:
        raise UserError(f"{where}: field '{error.where}': {error.what}; {error.fix}") from None
    return training


QUICK = Training(
    learning=Learning(
        rate=0.05, epochs=25, shuffle=True, optimizer=Optimizer("momentum"), cool=0.9
    ),
    name="quick",
)
"""Two minutes on a laptop with the bundled digits."""
PAPER = Training(data="mnist", name="paper")
"""The authors' settings: 30 epochs at 0.005, no shuffling."""
PRESETS = {"quick": QUICK, "paper": PAPER}
