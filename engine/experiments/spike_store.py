"""The trials of a run on disk: a folder with the study and one line for every finished trial.

Lines are only ever added, each when its trial ends and before anybody is told. So whatever ends a
run, what is finished stays; a line that was cut off while it was written is left out, and its trial
is run again.
"""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from engine.errors import FileError, UserError
from engine.experiments.spike_study import SpikeStudy, Trial, read_study, to_json
from engine.experiments.spike_trials import Outcome

STUDY = "study.json"
TRIALS = "trials.jsonl"


class TrialStore:
    """A folder of finished trials.

    Use as a context; while it is open no other process may write to the same folder.

    Parameters
    ----------
    folder
        Made where it is missing.
    study
        Written at the start; a folder that holds trials must be of the same study.
    resume
        Go on with what is there. Otherwise a folder with trials is refused.

    Raises
    ------
    UserError
        If the folder holds trials of another study, or of this one and ``resume`` is not set, or
        another process writes to it.
    """

    def __init__(self, folder: Path, study: SpikeStudy, resume: bool = False) -> None:
        self.folder, self.study = Path(folder), study
        self.finished: dict[Trial, Outcome] = {}
        self._resume = resume
        self._file: IO[bytes] | None = None

    def __enter__(self) -> "TrialStore":
        path = self.folder / TRIALS
        with _told(path):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a+b")
            try:
                self._open()
            except BaseException:
                self._file.close()
                raise
        return self

    def _open(self) -> None:
        assert self._file is not None
        _lock(self._file, self.folder)
        self.finished, whole = read_trials(self.folder / TRIALS)
        if self.finished and not self._resume:
            raise UserError(
                f"{self.folder} holds {len(self.finished)} finished trials; go on with them by "
                "--resume, or name another folder with --out"
            )
        if self.finished and not same_trials(read_study(self.folder / STUDY), self.study):
            raise UserError(
                f"{self.folder} holds trials of another study (its {STUDY} differs); name another "
                "folder, or run that study"
            )
        self._file.truncate(whole)
        _replace(self.folder / STUDY, to_json(self.study))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Write outcomes so that they outlive a crash.

        Raises
        ------
        FileError
            If the disk does not take them.
        """
        assert self._file is not None, "open the store first"
        outcomes = tuple(outcomes)
        text = "".join(json.dumps(as_row(o), ensure_ascii=False) + "\n" for o in outcomes)
        with _told(self.folder / TRIALS):
            self._file.write(text.encode())
            self._file.flush()
            os.fsync(self._file.fileno())
        self.finished |= {outcome.trial: outcome for outcome in outcomes}


def same_trials(a: SpikeStudy, b: SpikeStudy) -> bool:
    """Whether a trial has the same outcome in both; which of them are wanted may differ."""
    return _essence(a) == _essence(b)


def _essence(study: SpikeStudy) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(to_json(study))
    for name in ("conditions", "distributed", "clusters", "n_trials", "name"):
        body.pop(name)
    body["cell"].pop("name")
    return body


def as_row(outcome: Outcome) -> dict[str, Any]:
    """An outcome as plain values."""
    trial = outcome.trial
    row: dict[str, Any] = {
        "condition": trial.condition,
        "n_synapses": trial.n_synapses,
        "trial": trial.number,
        "spikes": list(outcome.spikes),
        "seconds": round(outcome.seconds, 6),
    }
    return row if outcome.failed is None else {**row, "failed": outcome.failed}


def read_trials(path: Path) -> tuple[dict[Trial, Outcome], int]:
    """Finished trials of a file, and the bytes of it that hold whole lines.

    Of a trial that stands there twice the later line counts.

    Raises
    ------
    FileError
        If a whole line is none of ours.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return {}, 0
    whole = data.rfind(b"\n") + 1
    found: dict[Trial, Outcome] = {}
    for number, line in enumerate(data[:whole].splitlines(), 1):
        try:
            row = json.loads(line)
            trial = Trial(row["condition"], int(row["n_synapses"]), int(row["trial"]))
            spikes = tuple(float(t) for t in row["spikes"])
            found[trial] = Outcome(trial, spikes, float(row["seconds"]), row.get("failed"))
        except (ValueError, KeyError, TypeError) as error:
            what = f"this line is no finished trial ({type(error).__name__}: {error})"
            fix = "remove the line; its trial is run again"
            raise FileError(path, what, fix, number) from None
    return found, whole


def read_run(folder: Path) -> tuple[SpikeStudy, dict[Trial, Outcome]]:
    """The study and the finished trials of a folder, also while another process adds to it.

    Raises
    ------
    FileError
        If it is not the folder of a run.
    """
    study = read_study(Path(folder) / STUDY)
    return study, read_trials(Path(folder) / TRIALS)[0]


def _replace(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    aside = path.with_name(f".{path.name}.part")
    aside.write_text(text, encoding="utf-8")
    os.replace(aside, path)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Errors of the disk as one sentence."""
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        fix = "free some space or name another folder"
        raise FileError(path, f"the trials cannot be written ({why})", fix) from error


def _lock(file: IO[bytes], folder: Path) -> None:
    """Keep other processes from writing; where the system has no locks, nothing is done."""
    with suppress(ImportError):
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"{folder} is being written to by another run; wait for it or name another folder"
            ) from None
        except OSError:  # a file system without locks
            return
