"""Traces and spikes as text tables with units in the column names and the recipe in the header."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine import __version__
from engine.errors import FileError
from engine.experiment import Experiment, from_json, to_json
from engine.exporting.atomic import written_aside
from engine.recording import Recording
from engine.types import FloatArray

PROGRAM = f"DendView {__version__}"


@dataclass(frozen=True, eq=False)
class TraceTable:
    """A table of traces as read back.

    Attributes
    ----------
    columns : tuple of str
        ``time (ms)`` and one name per trace.
    values : (n_row, n_column)
    program : str
    complete : bool
    origin : Experiment
    engine : str
        What computed them; empty where the file does not say.
    """

    columns: tuple[str, ...]
    values: FloatArray
    program: str
    complete: bool
    origin: Experiment
    engine: str = ""


def export_traces_csv(recording: Recording, path: Path) -> None:
    """Write one row per sample: time, then every probe of every instance.

    Numbers are written so that reading them gives the same bits.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    n_probe, n_instance, n_time = recording.values.shape
    names = [
        f"{label} ({unit})" + (f" {instance}" if n_instance > 1 else "")
        for label, unit in zip(recording.labels, recording.units, strict=True)
        for instance in recording.instances
    ]
    columns = [recording.time, *recording.values.reshape(n_probe * n_instance, n_time)]
    _write(recording, path, ["time (ms)", *names], columns)


def export_spikes_csv(recording: Recording, path: Path) -> None:
    """Write one row per spike: instance and time.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    instance = recording.spikes[:, 0].astype(np.int64)
    _write(recording, path, ["instance", "time (ms)"], [instance, recording.spikes[:, 1]])


def _write(recording: Recording, path: Path, names: list[str], columns: list[np.ndarray]) -> None:
    recipe = json.dumps(json.loads(to_json(recording.origin)), ensure_ascii=False)
    text = [[repr(x) for x in column.tolist()] for column in columns]
    with written_aside(path) as aside, aside.open("w", encoding="utf-8", newline="") as file:
        file.write(f"# program: {PROGRAM}\n")
        file.write(f"# complete: {'yes' if recording.complete else 'no'}\n")
        if recording.engine:
            file.write(f"# engine: {recording.engine}\n")
        file.write(f"# experiment: {recipe}\n")
        csv.writer(file, lineterminator="\n").writerow(names)
        file.writelines(",".join(row) + "\n" for row in zip(*text, strict=True))


def read_traces_csv(path: Path) -> TraceTable:
    """Read what :func:`export_traces_csv` or :func:`export_spikes_csv` wrote.

    Raises
    ------
    FileError
        If the file is not such a table.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").rstrip("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(path, f"the file cannot be read ({error})", "check the path") from error
    n_head = next((k for k, line in enumerate(lines) if not line.startswith("# ")), 0)
    head = dict(line[2:].split(": ", 1) for line in lines[:n_head] if ": " in line)
    if not {"program", "complete", "experiment"} <= set(head):
        raise FileError(path, "this is not a table of traces", "export one with DendView")
    columns, *rows = csv.reader(lines[n_head:])
    return TraceTable(
        columns=tuple(columns),
        values=np.array(rows, np.float64).reshape(len(rows), len(columns)),
        program=head["program"],
        complete=head["complete"] == "yes",
        origin=from_json(head["experiment"]),
        engine=head.get("engine", ""),
    )
