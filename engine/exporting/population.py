"""A population's recording: tables with a column for the member and one for the cell, and HDF5."""

import csv
import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import TextIO

import h5py
import numpy as np

from engine.errors import FileError
from engine.exporting.atomic import written_aside
from engine.exporting.csv import PROGRAM
from engine.exporting.hdf5 import fill_recording, recording_of
from engine.population_file import from_json, to_json
from engine.population_run import PopulationRecording

FORMAT = "dendview-population-recording"
VERSION = 1


def n_row(recording: PopulationRecording) -> int:
    """Rows of the table of traces."""
    return len(recording.time) * recording.population.n_cell


def export_population_csv(recording: PopulationRecording, path: Path) -> None:
    """Write one row per cell and sample: member, cell, time, then every probe.

    A probe of one member is a column for all; it is empty where a member does not have it. Numbers
    are written so that reading them gives the same bits.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    named = [
        [f"{label} ({unit})" for label, unit in zip(one.labels, one.units, strict=True)]
        for one in recording.members
    ]
    columns = list(dict.fromkeys(name for names in named for name in names))

    def rows() -> Iterator[str]:
        time = [repr(t) for t in recording.time.tolist()]
        for member, one, names in zip(recording.names, recording.members, named, strict=True):
            where = {name: k for k, name in enumerate(names)}
            for cell in range(one.values.shape[1]):
                begin = f"{quoted(member)},{cell},"
                traces = [
                    map(repr, one.values[where[name], cell].tolist())
                    if name in where
                    else [""] * len(time)
                    for name in columns
                ]
                for row in zip(time, *traces, strict=True):
                    yield begin + ",".join(row) + "\n"

    _write(recording, path, ["member", "cell", "time (ms)", *columns], rows())


def export_population_spikes_csv(recording: PopulationRecording, path: Path) -> None:
    """Write one row per spike: member, cell and time.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    names = [quoted(name) for name in recording.names]
    rows = (f"{names[int(m)]},{int(c)},{t!r}\n" for m, c, t in recording.spikes.tolist())
    _write(recording, path, ["member", "cell", "time (ms)"], rows)


def quoted(text: str) -> str:
    """A text as one field of a CSV file."""
    if not any(c in text for c in ',"\r\n'):
        return text
    return '"' + text.replace('"', '""') + '"'


def _write(
    recording: PopulationRecording, path: Path, columns: list[str], rows: Iterator[str]
) -> None:
    with written_aside(path) as aside, aside.open("w", encoding="utf-8", newline="") as file:
        _head(recording, file)
        csv.writer(file, lineterminator="\n").writerow(columns)
        file.writelines(rows)


def _head(recording: PopulationRecording, file: TextIO) -> None:
    recipe = json.dumps(json.loads(to_json(recording.population)), ensure_ascii=False)
    file.write(f"# program: {PROGRAM}\n")
    file.write(f"# complete: {'yes' if recording.complete else 'no'}\n")
    file.write(f"# population: {recipe}\n")


def export_population_hdf5(recording: PopulationRecording, path: Path) -> None:
    """Write all members.

    The groups ``members/0`` … are laid out as the file of a single run, with the member's ``name``
    as an attribute; the instances of each are its cells. The dataset ``spikes`` holds those of all:
    member, cell, time. The file's attributes are the program and the population as JSON.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    image = BytesIO()  # HDF5 loses errors of the disk on closing a file, and then crashes
    text = h5py.string_dtype()
    with h5py.File(image, "w") as file:
        file.attrs.update(
            {
                "format": FORMAT,
                "version": VERSION,
                "program": PROGRAM,
                "population": to_json(recording.population),
                "names": np.array(recording.names, text),
                "complete": recording.complete,
            }
        )
        for number, (name, one) in enumerate(zip(recording.names, recording.members, strict=True)):
            group = file.create_group(f"members/{number}")
            group.attrs["name"] = name
            fill_recording(group, one)
        spikes = file.create_dataset("spikes", data=recording.spikes)
        spikes.attrs["axes"] = "spike, (member, cell, time)"
        spikes.attrs["units"] = np.array(["1", "1", "ms"], text)
    with written_aside(path) as aside:
        aside.write_bytes(image.getbuffer())


def read_population_hdf5(path: Path) -> PopulationRecording:
    """Read what :func:`export_population_hdf5` wrote.

    Raises
    ------
    FileError
        If the file is not such a recording.
    """
    try:
        with h5py.File(path, "r") as file:
            if file.attrs.get("format") != FORMAT:
                what = "this is not a population's recording"
                raise FileError(path, what, "export one with DendView")
            population = from_json(file.attrs["population"])
            numbers = range(len(population.members))
            members = tuple(recording_of(file[f"members/{k}"]) for k in numbers)
            return PopulationRecording(population, members)
    except (OSError, KeyError) as error:
        raise FileError(
            path, f"the recording cannot be read ({error})", "export it again"
        ) from error
