"""A whole recording as one HDF5 file; units, labels and the recipe are attributes."""

from io import BytesIO
from pathlib import Path

import h5py
import numpy as np

from engine.errors import FileError
from engine.experiment import from_json, to_json
from engine.exporting.atomic import written_aside
from engine.exporting.csv import PROGRAM
from engine.recording import Recording

FORMAT = "dendview-recording"
VERSION = 1


def export_traces_hdf5(recording: Recording, path: Path) -> None:
    """Write traces, frames and spikes.

    Datasets ``time``, ``values`` (probe, instance, time), ``frame_time``, ``frames`` (frame, node),
    ``spikes`` (instance, time) and ``segment``; each has an attribute ``unit`` (or ``units``) and
    ``axes``. The file's attributes hold the program, what computed
    the run, the experiment as JSON and dt; ``experiments``
    (instance) those of all instances where they differ.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    image = BytesIO()  # HDF5 loses errors of the disk on closing a file, and then crashes
    with h5py.File(image, "w") as file:
        fill_recording(file, recording)
    with written_aside(path) as aside:
        aside.write_bytes(image.getbuffer())


def fill_recording(file: h5py.Group, recording: Recording) -> None:
    """Write what a file of one recording holds, into it or into a group of another one."""
    origin = recording.origin
    file.attrs.update(
        {
            "format": FORMAT,
            "version": VERSION,
            "program": PROGRAM,
            "experiment": to_json(origin),
            "dt": origin.dt,
            "dt_unit": "ms",
            "complete": recording.complete,
            "engine": recording.engine,
        }
    )

    def add(name: str, values: np.ndarray, axes: str, unit: str | None) -> h5py.Dataset:
        packed = {"compression": "gzip", "compression_opts": 1} if values.size > 10_000 else {}
        dataset = file.create_dataset(name, data=values, **packed)
        dataset.attrs["axes"] = axes
        if unit is not None:
            dataset.attrs["unit"] = unit
        return dataset

    text = h5py.string_dtype()
    add("time", recording.time, "time", "ms")
    values = add("values", recording.values, "probe, instance, time", None)
    values.attrs["labels"] = np.array(recording.labels, text)
    values.attrs["units"] = np.array(recording.units, text)
    add("frame_time", recording.frame_time, "frame", "ms")
    add("frames", recording.frames, "frame, node", "mV")
    spikes = add("spikes", recording.spikes, "spike, (instance, time)", None)
    spikes.attrs["units"] = np.array(["1", "ms"], text)
    add("segment", recording.segment, "node", "1")
    if recording.experiments:
        each = np.array([to_json(experiment) for experiment in recording.experiments], object)
        dataset = file.create_dataset("experiments", data=each, dtype=text)
        dataset.attrs["axes"] = "instance"


def read_traces_hdf5(path: Path) -> Recording:
    """Read what :func:`export_traces_hdf5` wrote.

    Raises
    ------
    FileError
        If the file is not such a recording.
    """
    try:
        with h5py.File(path, "r") as file:
            if file.attrs.get("format") != FORMAT:
                raise FileError(path, "this is not a recording", "export one with DendView")
            return recording_of(file)
    except (OSError, KeyError) as error:
        raise FileError(
            path, f"the recording cannot be read ({error})", "export it again"
        ) from error


def recording_of(file: h5py.Group) -> Recording:
    """What :func:`fill_recording` wrote."""
    values = file["values"]
    return Recording(
        time=file["time"][:],
        values=values[:],
        labels=tuple(values.attrs["labels"]),
        units=tuple(values.attrs["units"]),
        frame_time=file["frame_time"][:],
        frames=file["frames"][:],
        spikes=file["spikes"][:],
        segment=file["segment"][:],
        origin=from_json(file.attrs["experiment"]),
        complete=bool(file.attrs["complete"]),
        engine=str(file.attrs.get("engine", "")),
        experiments=tuple(map(from_json, file["experiments"].asstr()[:]))
        if "experiments" in file
        else (),
    )
