"""What is asked of a robustness study and what it gives: settings, points, curves, and their text.

Images are disturbed by a surrogate's fast gradient sign (a transfer attack, Zhang et al., Nat.
Commun. 14:5798, 2023, Fig. 6d, e) or by random signs of the same size, and given to the network of
dendritic neurons and to what it is to be compared with.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal

from engine import codec
from engine.errors import UserError
from engine.experiments.proportions import Interval, wilson

Subject = Literal["hpc_net", "moved", "ann", "encoded_ann", "passed_ann", "resnet"]
Disturbance = Literal["attack", "noise"]

SUBJECTS: dict[Subject, str] = {
    "hpc_net": "dendritic neurons (HPC-Net)",
    "moved": "HPC-Net, its synapses moved to the somata",
    "ann": "ANN of the same shape",
    "encoded_ann": "the same ANN behind the spike encoding",
    "passed_ann": "the same ANN behind spikes and membranes",
    "resnet": "ResNet-20, the attacked surrogate",
}
DISTURBANCES: dict[Disturbance, str] = {
    "attack": "FGSM on the surrogate",
    "noise": "random signs of the same size",
}
EPSILONS = tuple(round(0.02 * k, 2) for k in range(1, 11))


@dataclass(frozen=True)
class Descent:
    """How a network of the comparison is trained: batches of images, each drawn in a new order.

    ``batches`` counts them over the whole training; the rate falls to 0 along a cosine. ``rate``
    and ``momentum`` are those of stochastic descent (Nesterov's for the surrogate, Adam's first
    decay for the others); ``shrink`` is the weight decay.
    """

    batches: int
    batch: int
    rate: float
    momentum: float = 0.9
    shrink: float = 0.0


@dataclass(frozen=True)
class Study:
    """A robustness study.

    Attributes
    ----------
    epsilons
        Sizes of the disturbance, as parts of the brightness (0 to 1).
    n : int
        So many of the first test images; 0 means all.
    repeats : int
        Trainings of each ANN, from different weights: the first is drawn, the others tell how much
        chance there is in it.
    surrogate, ann : Descent
    seed : int
    """

    epsilons: tuple[float, ...] = EPSILONS
    n: int = 0
    repeats: int = 3
    surrogate: Descent = Descent(940, 128, 0.1, shrink=1e-4)
    ann: Descent = Descent(4700, 128, 3e-3)
    seed: int = 1

    def check(self) -> None:
        """Refuse what makes no study.

        Raises
        ------
        UserError
        """
        if not self.epsilons:
            raise UserError("no epsilon is given; name at least one, as 0.1")
        for epsilon in self.epsilons:
            if not 0 < epsilon <= 1:
                raise UserError(
                    f"an epsilon of {epsilon:g} is not between 0 and 1; it is a part of the "
                    "brightness, as 0.1"
                )
        if self.n < 0:
            raise UserError(f"{self.n} test images cannot be taken; ask for at least 1, or 0: all")
        if self.repeats < 1:
            raise UserError(f"{self.repeats} trainings make no ANN; ask for at least 1")
        for name, descent in (("surrogate", self.surrogate), ("ANN", self.ann)):
            if descent.batches < 1 or descent.batch < 1 or not descent.rate > 0:
                raise UserError(f"batches, their size and the rate of the {name} must be positive")


@dataclass(frozen=True)
class Point:
    """Right answers at one size.

    Attributes
    ----------
    epsilon : float
        What was asked for; 0 is the images as they are.
    applied : float
        The largest multiple of a gray level that is no more than that: images keep whole levels.
    right, n : int
    others : tuple of int
        Right answers of the further trainings.
    discordant : (int, int) or None
        Images that only HPC-Net has right, and that only this network has right: kept for the
        trained HPC-Net with its synapses moved.
    """

    epsilon: float
    applied: float
    right: int
    n: int
    others: tuple[int, ...] = ()
    discordant: tuple[int, int] | None = None

    @property
    def accuracy(self) -> Interval:
        """With Wilson's 95 % interval: the chance that lies in the choice of images."""
        return wilson(self.right, self.n)

    @property
    def spread(self) -> tuple[float, float]:
        """Lowest and highest accuracy over the trainings."""
        every = (self.right, *self.others)
        return min(every) / self.n, max(every) / self.n


@dataclass(frozen=True)
class Curve:
    """One network under one disturbance; the first point is that of epsilon 0."""

    subject: Subject
    disturbance: Disturbance
    points: tuple[Point, ...]

    def at(self, epsilon: float) -> Point | None:
        return next((p for p in self.points if p.epsilon == epsilon), None)


@dataclass(frozen=True)
class Result:
    """What a study gave so far.

    Attributes
    ----------
    study : Study
    data : str
        Name of the images.
    n_test : int
        Test images looked at, of ``n_all``.
    shape : tuple of int
        Inputs, hidden neurons, outputs.
    threshold : float
        Brightness from which on a pixel changes the voltage of its input neuron at all.
    key : str
        Of data, network and study: two results with the same key are of the same study.
    curves : tuple of Curve
    complete : bool
    epoch : int or None
        Of the training, whose weights HPC-Net has; None where it is not known.
    """

    study: Study
    data: str
    n_test: int
    n_all: int
    shape: tuple[int, int, int]
    threshold: float
    key: str
    curves: tuple[Curve, ...] = ()
    complete: bool = False
    epoch: int | None = None

    def curve(self, subject: Subject, disturbance: Disturbance = "attack") -> Curve | None:
        for curve in self.curves:
            if (curve.subject, curve.disturbance) == (subject, disturbance):
                return curve
        return None


FORMAT, VERSION = "dendview-robustness", 1
DERIVED = ("accuracy", "low", "high")


def to_json(result: Result) -> str:
    """JSON text; every point carries its accuracy and Wilson's interval for other programs."""
    body = {"format": FORMAT, "version": VERSION, **json.loads(json.dumps(asdict(result)))}
    for curve, told in zip(result.curves, body["curves"], strict=True):
        for point, row in zip(curve.points, told["points"], strict=True):
            values = (getattr(point.accuracy, name) for name in ("value", "low", "high"))
            row.update(zip(DERIVED, values, strict=True))
    return json.dumps(body, indent=1, ensure_ascii=False) + "\n"


def from_json(text: str, where: str = "robustness.json") -> Result:
    """Read what :func:`to_json` wrote.

    Raises
    ------
    UserError
        Where it is something else; names the field.
    """
    try:
        body: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where}: this is not JSON ({error}); write one with DendView") from None
    if not isinstance(body, dict) or body.pop("format", None) != FORMAT:
        raise UserError(f"{where}: this is no result of a robustness study; write one again")
    if (version := body.pop("version", None)) != VERSION:
        raise UserError(
            f"{where}: format version {version} is not {VERSION}; open it with a newer DendView"
        )
    curves = body.get("curves")
    for curve in curves if isinstance(curves, list) else ():
        points = curve.get("points") if isinstance(curve, dict) else None
        for point in points if isinstance(points, list) else ():
            for name in DERIVED if isinstance(point, dict) else ():
                point.pop(name, None)
    try:
        result: Result = codec.decode(Result, body)
    except codec.FieldError as error:
        raise UserError(f"{where}: field '{error.where}': {error.what}; {error.fix}") from None
    return result
