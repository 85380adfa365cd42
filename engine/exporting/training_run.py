"""A training run on disk: recipe, checkpoint, and weights and answers after every epoch."""

import re
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from shutil import disk_usage
from time import perf_counter

import h5py
import numpy as np

from engine.errors import FileError, UserError
from engine.experiments.hpc_net.data import Dataset
from engine.experiments.hpc_net.network import Weights
from engine.experiments.hpc_net.spec import Training, from_json, to_json
from engine.experiments.hpc_net.state import Evaluation, Progress, State
from engine.experiments.hpc_net.training import start, train
from engine.experiments.hpc_net.ways import Way
from engine.exporting.atomic import written_aside
from engine.exporting.training import PARTS, load_checkpoint, save_checkpoint

RECIPE, CHECKPOINT, EPOCHS = "training.json", "checkpoint.h5", "epochs"
FORMAT, VERSION = "dendview-epoch", 1
SAVE_EVERY = 60.0
"""Seconds between two checkpoints within an epoch."""
MOST_BYTES = 256 * 2**20
"""Of the weights of all epochs; beyond it every second epoch is left out, then every fourth, …"""
LITTLE = 0.1
"""Share of a disk that is left when its person is warned."""
RESERVE = 64 * 2**20
"""Bytes that stay free: a run ends before it fills a disk to the last one."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A network after an epoch: 0 before all learning, when it was not tested."""

    epoch: int
    weights: Weights
    test: Evaluation | None


@dataclass(frozen=True, eq=False)
class Kept:
    """Progress of a run whose results are kept.

    Attributes
    ----------
    progress : Progress
    n_batch : int
        Of an epoch.
    saved : float or None
        Where in the run the last checkpoint is, in epochs.
    epochs : tuple of int
        Whose weights are on disk.
    warning : str
        Little of the disk is left; the run goes on.
    trouble : str
        Why the run ends here: no numbers any more, or no room on the disk. What was saved stays.
    """

    progress: Progress
    n_batch: int
    saved: float | None
    epochs: tuple[int, ...]
    warning: str = ""
    trouble: str = ""


@dataclass(frozen=True)
class Order:
    """What is asked of a running training: another rate, a checkpoint now."""

    rate: float | None = None
    save: bool = False


class Folder:
    """Where a run keeps what it finds.

    Parameters
    ----------
    path
        Made where it is missing.
    training
    room
        Free and all bytes of the disk of a folder.
    """

    def __init__(
        self,
        path: Path,
        training: Training,
        room: Callable[[Path], tuple[int, int]] | None = None,
    ) -> None:
        self.path, self.training = path, training
        self.saved: float | None = None
        self.computed = ""
        self.epochs = kept_epochs(path)
        self._room = room or _room
        try:
            (path / EPOCHS).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(path, error) from None
        with written_aside(path / RECIPE) as aside:
            aside.write_text(to_json(training), encoding="utf-8")

    def warning(self) -> str:
        """Whether little of the disk is left."""
        free, whole = self._room(self.path)
        if free >= LITTLE * whole:
            return ""
        return f"{_size(free)} of the disk's {_size(whole)} are left for {self.path}"

    def checkpoint(self, state: State, n_batch: int) -> None:
        """Write all that the run goes on from.

        Raises
        ------
        FileError
            If there is no room, or the file cannot be written.
        """
        self._check_room(state.weights)
        save_checkpoint(self.training, state, self.path / CHECKPOINT, self.computed)
        self.saved = state.epoch + state.batch / n_batch

    def snapshot(self, snapshot: Snapshot) -> None:
        """Write the network after an epoch; some earlier ones go where they become too many.

        Raises
        ------
        FileError
            As :meth:`checkpoint`.
        """
        self._check_room(snapshot.weights)
        save_snapshot(snapshot, self.path)
        self.epochs = tuple(sorted({*self.epochs, snapshot.epoch}))
        size = epoch_path(self.path, snapshot.epoch).stat().st_size
        while len(self.epochs) * size > MOST_BYTES and len(self.epochs) > 3:
            dropped = self.epochs[1:-1:2]
            for epoch in dropped:
                epoch_path(self.path, epoch).unlink(missing_ok=True)
            self.epochs = tuple(e for e in self.epochs if e not in dropped)

    def _check_room(self, weights: Weights) -> None:
        needed = RESERVE + 4 * sum(part.nbytes for part in weights.parts)
        free, _ = self._room(self.path)
        if free < needed:
            raise FileError(
                self.path,
                f"the disk has {_size(free)} left, and {_size(needed)} are needed",
                "make room on it, then resume the training",
            )


def kept_run(
    way: Way, data: Dataset, folder: Folder, state: State | None = None
) -> Generator[Kept, Order | None, None]:
    """Train, and keep checkpoints and epochs; closing the generator saves a last checkpoint.

    Parameters
    ----------
    way, data
    folder
        With the training.
    state
        To go on from, as the folder's checkpoint has it; by default the beginning.

    Yields
    ------
    Kept
        After every batch; the one with ``trouble`` is the last.

    Raises
    ------
    UserError
        If the training is impossible, or the folder cannot be written at the start.
    """
    training = folder.training
    folder.computed = way.describe()
    n_batch = -(-len(data.train) // training.learning.batch)
    if state is not None:
        folder.saved = state.epoch + state.batch / n_batch
    state = state or start(way.network, training.learning)
    if state.epoch == 0 and 0 not in folder.epochs:
        folder.snapshot(Snapshot(0, state.weights, None))
    steps = train(way, data, training.learning, state)
    at, unsaved, full, order = perf_counter(), True, "", Order()
    warning = folder.warning()
    try:
        progress = next(steps, None)
        while progress is not None:
            now = perf_counter()
            state = progress.state
            try:
                if progress.test is not None:
                    folder.snapshot(Snapshot(state.epoch, state.weights, progress.test))
                    warning = folder.warning()
                ends = progress.test is not None or bool(progress.trouble)
                unsaved = True
                if ends or order.save or now - at > SAVE_EVERY:
                    folder.checkpoint(state, n_batch)
                    at, unsaved = now, False
            except UserError as error:
                full, unsaved = str(error), False
            trouble = progress.trouble or full
            order = (
                yield Kept(progress, n_batch, folder.saved, folder.epochs, warning, trouble)
            ) or Order()
            if trouble:
                return
            try:
                progress = steps.send(order.rate)
            except StopIteration:
                progress = None
    finally:
        steps.close()
        if unsaved:
            folder.checkpoint(state, n_batch)


def with_batch(training: Training, state: State, batch: int) -> tuple[Training, State]:
    """A run that goes on with smaller batches, where it was; some samples may be seen twice."""
    before = training.learning.batch
    learning = replace(training.learning, batch=batch)
    moved = replace(state, batch=state.batch * before // batch)
    return replace(training, learning=learning), moved


# Files


def epoch_path(folder: Path, epoch: int) -> Path:
    return folder / EPOCHS / f"{epoch:04d}.h5"


def kept_epochs(folder: Path) -> tuple[int, ...]:
    """The epochs whose weights are in a run's folder, ascending."""
    try:
        names = [path.name for path in (folder / EPOCHS).iterdir()]
    except OSError:
        return ()
    return tuple(sorted(int(name[:-3]) for name in names if re.fullmatch(r"\d{4,}\.h5", name)))


def save_snapshot(snapshot: Snapshot, folder: Path) -> None:
    """Write a network after an epoch.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    image = BytesIO()
    with h5py.File(image, "w") as file:
        file.attrs.update({"format": FORMAT, "version": VERSION, "epoch": snapshot.epoch})
        for name, part in zip(PARTS, snapshot.weights.parts, strict=True):
            file.create_dataset(f"weights/{name}", data=part)
        if (test := snapshot.test) is not None:
            group = file.create_group("test")
            group.attrs.update({"accuracy": test.accuracy, "loss": test.loss})
            group.create_dataset("confusion", data=test.confusion)
            group.create_dataset("answer", data=test.answer)
    with written_aside(epoch_path(folder, snapshot.epoch)) as aside:
        aside.write_bytes(image.getbuffer())


def load_snapshot(folder: Path, epoch: int) -> Snapshot:
    """Read what :func:`save_snapshot` wrote.

    Raises
    ------
    FileError
        If there is none, or it cannot be read.
    """
    path = epoch_path(folder, epoch)
    try:
        with h5py.File(path, "r") as file:
            if file.attrs.get("format") != FORMAT or file.attrs["version"] != VERSION:
                raise FileError(path, "this is no epoch of a training", "choose another epoch")
            weights = Weights(*(file[f"weights/{name}"][:] for name in PARTS))
            test = None
            if "test" in file:
                group = file["test"]
                test = Evaluation(
                    float(group.attrs["accuracy"]),
                    float(group.attrs["loss"]),
                    np.asarray(group["confusion"][:], np.int32),
                    np.asarray(group["answer"][:], np.int32),
                )
            return Snapshot(epoch, weights, test)
    except (OSError, KeyError) as error:
        what = f"the weights of epoch {epoch} cannot be read ({error})"
        raise FileError(path, what, "choose another epoch") from error


def read_folder(folder: Path) -> tuple[Training, State | None]:
    """What a run was to do, and where its checkpoint is (None: it has none yet).

    Raises
    ------
    UserError
        If the folder holds no training, or a damaged one.
    """
    if (folder / CHECKPOINT).is_file():
        return load_checkpoint(folder / CHECKPOINT)
    path = folder / RECIPE
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or error
        what = f"the folder holds no training ({why})"
        raise FileError(path, what, f"choose a folder with a {RECIPE}") from None
    return from_json(text, str(path)), None


def _room(folder: Path) -> tuple[int, int]:
    usage = disk_usage(folder)
    return usage.free, usage.total


def _size(n_bytes: float) -> str:
    """``1.4 GB``."""
    power = min(int(np.log10(max(n_bytes, 1)) // 3), 4)
    return f"{n_bytes / 1000**power:.3g} {('bytes', 'kB', 'MB', 'GB', 'TB')[power]}"


def _unwritable(path: Path, error: OSError) -> FileError:
    what = f"the folder cannot be made ({error.strerror or error})"
    return FileError(path, what, "choose another one")
