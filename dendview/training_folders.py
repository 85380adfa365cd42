"""Folders of trainings: where they are, and the runs that lie in them."""

import re
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from dendview.folders import data_folder, stamped
from dendview.training import TrainingRun, data_name
from engine.errors import UserError
from engine.experiments.hpc_net.spec import Training
from engine.experiments.hpc_net.state import State
from engine.exporting.training_run import kept_epochs, read_folder

MOST_EARLIER = 12
"""Trainings of earlier days that are brought back."""


def trainings_folder() -> Path:
    """Where trainings are kept: ``$DENDVIEW_TRAININGS``, else the system's place for data."""
    return data_folder("training", "DENDVIEW_TRAININGS")


def folder_name(training: Training, number: int) -> str:
    """``20261122-143502-digits-quick-1``."""
    data = re.sub(r"[^A-Za-z0-9]+", "-", data_name(training.data)).strip("-") or "images"
    return stamped(f"{data}-{training.name or 'own'}", number)


def number_of(folder: Path) -> int | None:
    """The number at the end of a training's folder."""
    match = re.fullmatch(r"\d{8}-\d{6}-.*-(\d+)", folder.name)
    return int(match[1]) if match else None


def last_number(home: Path) -> int:
    """The largest number of a folder; 0 where there is none."""
    return max((number_of(path) or 0 for path in _folders(home)), default=0)


def found_run(folder: Path, number: int) -> TrainingRun:
    """A training that lies in a folder.

    Raises
    ------
    UserError
        If it holds none.
    """
    training, state = read_folder(folder)
    run = TrainingRun(number, training, str(folder), state="stopped", rate=training.learning.rate)
    if state is None:
        return run
    run = at_checkpoint(run, state)
    return replace(run, state="done") if state.epoch >= training.learning.epochs else run


def earlier_runs(home: Path, known: Collection[Path]) -> tuple[TrainingRun, ...]:
    """The last trainings in a folder, oldest first; what cannot be read is left out."""
    found: list[TrainingRun] = []
    for path in _folders(home)[-MOST_EARLIER:]:
        number = number_of(path)
        if path in known or number is None:
            continue
        try:
            found.append(found_run(path, number))
        except UserError:  # somebody else's folder, or nothing was written yet
            continue
    return tuple(found)


def at_checkpoint(run: TrainingRun, state: State) -> TrainingRun:
    """A run where its checkpoint is."""
    n_batch = run.n_batch
    if not n_batch and state.points and (part := state.points[-1].epoch - state.epoch) > 0:
        since = round(state.seen_since / run.training.learning.batch)
        n_batch = round((state.batch - since) / part)
    at = state.epoch + (state.batch / n_batch if n_batch else 0.0)
    return replace(
        run,
        points=state.points,
        epochs=state.epochs,
        changes=state.changes,
        batch=state.batch,
        n_batch=n_batch,
        rate=state.rate,
        fraction=min(at / run.training.learning.epochs, 1.0),
        saved=at,
        kept=kept_epochs(Path(run.folder)),
    )


def _folders(home: Path) -> list[Path]:
    try:
        return sorted((p for p in home.iterdir() if p.is_dir()), key=lambda p: p.name)
    except OSError:
        return []
