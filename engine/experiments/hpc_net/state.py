"""Where a training run is, and what it reports."""

from dataclasses import dataclass
from typing import Literal, Protocol

from engine.experiments.hpc_net.network import Weights
from engine.experiments.hpc_net.optimizer import Memory
from engine.types import IntArray


@dataclass(frozen=True)
class Point:
    """Loss and accuracy over the samples since the point before; ``epoch`` as a fraction."""

    epoch: float
    loss: float
    accuracy: float
    rate: float


@dataclass(frozen=True)
class Epoch:
    """A finished epoch: ``seconds`` of learning, without testing."""

    number: int
    train_loss: float
    train_accuracy: float
    test_loss: float
    test_accuracy: float
    rate: float
    seconds: float


@dataclass(frozen=True)
class RateChange:
    """At ``epoch`` (a fraction) the rate became ``rate``."""

    epoch: float
    rate: float


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The network on the test samples.

    Attributes
    ----------
    accuracy, loss : float
    confusion : (n_out, n_out) int32
        Samples by label (row) and answer (column).
    answer : (n_test,) int32
    """

    accuracy: float
    loss: float
    confusion: IntArray
    answer: IntArray


@dataclass(frozen=True, eq=False)
class State:
    """Where a run is: all that it goes on from.

    Attributes
    ----------
    weights : Weights
    memory : Memory
        Of the optimizer.
    epoch, batch : int
        The next batch; ``batch`` is the number of batches when only the testing is missing.
    rate : float
        Of the next batch.
    loss, right, seen : sums of the running epoch
    loss_since, right_since, seen_since : sums since the last point
    seconds : float
        Learning of the running epoch.
    points, epochs, changes
        What the curves are drawn from.
    """

    weights: Weights
    memory: Memory
    rate: float
    epoch: int = 0
    batch: int = 0
    loss: float = 0.0
    right: int = 0
    seen: int = 0
    loss_since: float = 0.0
    right_since: int = 0
    seen_since: int = 0
    seconds: float = 0.0
    points: tuple[Point, ...] = ()
    epochs: tuple[Epoch, ...] = ()
    changes: tuple[RateChange, ...] = ()

    @property
    def test_accuracy(self) -> float | None:
        return self.epochs[-1].test_accuracy if self.epochs else None


class Curves(Protocol):
    """What the curves are drawn from: a :class:`State`, or another value with its tables."""

    @property
    def points(self) -> tuple[Point, ...]: ...

    @property
    def epochs(self) -> tuple[Epoch, ...]: ...

    @property
    def changes(self) -> tuple[RateChange, ...]: ...


@dataclass(frozen=True, eq=False)
class Progress:
    """After a batch of learning or testing.

    Attributes
    ----------
    state : State
        To resume from; weights in it are never changed.
    phase : {"learning", "testing"}
    loss, accuracy : float
        Of the batch; while testing, of the test samples so far.
    fraction : float
        Of the whole run.
    samples_per_second : float
        Of late.
    remaining : float
        Seconds, foreseen; infinite until something is measured.
    test : Evaluation or None
        When an epoch ends.
    trouble : str
        Why the run ends here: the loss is not a number any more, or a simulated voltage left what a
        membrane can have. ``state`` is then the last good one, from the start of the epoch.
    """

    state: State
    phase: Literal["learning", "testing"]
    loss: float
    accuracy: float
    fraction: float
    samples_per_second: float
    remaining: float
    test: Evaluation | None = None
    trouble: str = ""
