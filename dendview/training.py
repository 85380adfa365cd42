"""Training lab as the window keeps it: the plan, its data, runs with their epochs, what is chosen.

``AppState.training_…`` hold these values; views draw them, the training controller replaces them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from dendview.wording import number as number_text
from engine.experiments.hpc_net.data import DIGITS, Dataset, load
from engine.experiments.hpc_net.data_check import DataCheck
from engine.experiments.hpc_net.network import Network
from engine.experiments.hpc_net.spec import Training
from engine.experiments.hpc_net.state import Epoch, Point, RateChange
from engine.experiments.hpc_net.training import prepare
from engine.exporting.training_run import Snapshot, load_snapshot

TrainingState = Literal["running", "paused", "stopped", "done", "failed"]
DataState = Literal["unchecked", "checking", "fetching", "ready", "missing", "wrong"]
Trouble = Literal["", "loss", "disk", "memory", "engine"]


@dataclass(frozen=True, eq=False)
class TrainingRun:
    """A training that goes on, waits or is over.

    Attributes
    ----------
    number : int
        From 1.
    training : Training
        What is learned, by which rule, from which data (``training.data``: ``digits`` or a folder).
    folder : str
        Of the run; :func:`snapshot` reads weights and answers of its epochs from it.
    points : tuple of Point
        Curves of loss and accuracy while learning, ``epoch`` as a fraction.
    epochs : tuple of Epoch
        Finished ones, with the test's loss and accuracy.
    changes : tuple of RateChange
        Where the rate was changed by hand.
    state
        ``paused`` and ``stopped`` runs can go on from their checkpoint, ``failed`` ones too where
        they have one.
    phase : {"preparing", "learning", "testing"}
    batch, n_batch : int
        Batches of the running epoch that are done, and how many it has.
    loss, accuracy : float
        Of the last batch; while testing, of the test samples so far.
    fraction : float
        Of the whole run.
    rate : float
        Of the next batch.
    rate_wanted : float or None
        Another one, from when it goes on.
    samples_per_second : float
    remaining : float or None
        s until the end.
    saved : float or None
        Where the checkpoint is, in epochs.
    kept : tuple of int
        Epochs whose weights and answers can be read, ascending; 0 is the untrained network.
    trouble
        What ended it, where something did: ``loss`` no number any more, ``disk`` full, ``memory``
        too small, ``engine`` gone.
    why : str
        It waits, stopped or failed, in one sentence.
    warning : str
        Little of the disk is left.
    """

    number: int
    training: Training
    folder: str
    points: tuple[Point, ...] = ()
    epochs: tuple[Epoch, ...] = ()
    changes: tuple[RateChange, ...] = ()
    state: TrainingState = "running"
    phase: Literal["preparing", "learning", "testing"] = "preparing"
    batch: int = 0
    n_batch: int = 0
    loss: float = 0.0
    accuracy: float = 0.0
    fraction: float = 0.0
    rate: float = 0.0
    rate_wanted: float | None = None
    samples_per_second: float = 0.0
    remaining: float | None = None
    saved: float | None = None
    kept: tuple[int, ...] = ()
    trouble: Trouble = ""
    why: str = ""
    warning: str = ""

    @property
    def n_epoch(self) -> int:
        """Finished epochs."""
        return len(self.epochs)

    @property
    def at(self) -> float:
        """Where it is, in epochs."""
        return self.n_epoch + (self.batch / self.n_batch if self.n_batch else 0.0)

    @property
    def test_accuracy(self) -> float | None:
        return self.epochs[-1].test_accuracy if self.epochs else None

    @property
    def best(self) -> Epoch | None:
        """The epoch with the best test."""
        return max(self.epochs, key=lambda e: e.test_accuracy, default=None)

    @property
    def can_resume(self) -> bool:
        unfinished = self.n_epoch < self.training.learning.epochs
        return self.state in ("paused", "stopped", "failed") and unfinished

    @property
    def title(self) -> str:
        """``Training 2 · digits``."""
        return f"Training {self.number} · {data_name(self.training.data)}"


@dataclass(frozen=True, eq=False)
class TrainingData:
    """The data of the plan.

    Attributes
    ----------
    source : str
        ``digits`` or a folder.
    state
    check : DataCheck or None
        What was found, where ``state`` is ready.
    error : str
        Why it cannot be used, in one sentence.
    download : str
        The key of :data:`engine.experiments.hpc_net.data.DOWNLOADS` that may be fetched instead.
    fraction : float or None
        Of what is being fetched.
    """

    source: str
    state: DataState = "unchecked"
    check: DataCheck | None = None
    error: str = ""
    download: str = ""
    fraction: float | None = None


@dataclass(frozen=True)
class TrainingChoice:
    """What is looked at of the shown run.

    Attributes
    ----------
    epoch : int or None
        Whose weights and answers are shown, 0 the untrained network; None follows the last one.
    label, answer : int or None
        Classes: a cell of the confusion matrix, or a row (``answer`` None).
    sample : int or None
        Of the test images.
    neurons : tuple of int
        Hidden neurons.
    """

    epoch: int | None = None
    label: int | None = None
    answer: int | None = None
    sample: int | None = None
    neurons: tuple[int, ...] = (0,)


NOTHING_CHOSEN = TrainingChoice()


def shown_epoch(run: TrainingRun | None, choice: TrainingChoice) -> int | None:
    """The kept epoch that is shown: the chosen one, the nearest before it, or the last."""
    if run is None or not run.kept:
        return None
    if choice.epoch is None:
        return run.kept[-1]
    return max((e for e in run.kept if e <= choice.epoch), default=run.kept[0])


def snapshot(run: TrainingRun, epoch: int) -> Snapshot:
    """Weights and answers after an epoch of a run (0: untrained); read once, then kept.

    Raises
    ------
    UserError
        If they cannot be read.
    """
    return _snapshot(run.folder, epoch)


@lru_cache(maxsize=24)
def _snapshot(folder: str, epoch: int) -> Snapshot:
    return load_snapshot(Path(folder), epoch)


def forget_snapshots() -> None:
    """Files may have changed."""
    _snapshot.cache_clear()


@lru_cache(maxsize=2)
def dataset(source: str) -> Dataset:
    """Images of a source; half a second for MNIST the first time, so not on the window's thread.

    Raises
    ------
    UserError
        If they cannot be read.
    """
    return load(source)


@lru_cache(maxsize=2)
def network(training: Training) -> Network:
    """The network of a training; seconds the first time, so not on the window's thread.

    Raises
    ------
    UserError
        If it cannot be made.
    """
    return prepare(training, dataset(training.data))


def data_name(source: str) -> str:
    """``digits`` or the folder's name."""
    return source if source == DIGITS else Path(source).name or source


def progress_text(run: TrainingRun) -> str:
    """``epoch 3 of 25 · test 94.4 % · paused``."""
    done, total = run.n_epoch, run.training.learning.epochs
    parts = [f"{number_text(done)} of {number_text(total)} epochs"]
    if run.test_accuracy is not None:
        parts.append(f"test {100 * run.test_accuracy:.2f} %")
    if run.state != "running":
        parts.append(run.state)
    return " · ".join(parts)


def find_run(runs: Sequence[TrainingRun], number: int | None) -> TrainingRun | None:
    """The run with a number, or None."""
    return next((run for run in runs if run.number == number), None)
