"""Trials, spikes and curves of a spike-probability run as tables and as one HDF5 file."""

import csv
import json
from collections.abc import Iterable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from engine.experiments.published_spikes import SOURCE
from engine.experiments.spike_probability import Curve, curves
from engine.experiments.spike_study import SpikeStudy, to_json
from engine.experiments.spike_trials import Outcome
from engine.exporting.atomic import written_aside
from engine.exporting.csv import PROGRAM

TRIAL_COLUMNS = ("condition", "synapses", "trial", "fired", "n_spikes", "failed", "seconds")
SPIKE_COLUMNS = ("condition", "synapses", "trial", "time (ms)")
CURVE_COLUMNS = (
    "condition", "synapses", "n", "fired", "failed", "probability", "wilson 95 % low",
    "wilson 95 % high", "sd low", "sd high", "published",
)  # fmt: skip
FORMAT = "dendview-spike-lab"
VERSION = 1


def export_spike_tables(
    study: SpikeStudy, outcomes: Sequence[Outcome], folder: Path
) -> tuple[Path, ...]:
    """Write ``trials.csv``, ``spikes.csv`` and ``curves.csv``; the study stands in their headers.

    Trials count from 1 in the tables.

    Raises
    ------
    FileError
        If a file cannot be written.
    """
    rows = _tables(study, outcomes)
    paths = tuple(folder / name for name in rows)
    for path, (columns, lines) in zip(paths, rows.values(), strict=True):
        _write(study, path, columns, lines)
    return paths


def export_spike_csv(
    study: SpikeStudy, outcomes: Sequence[Outcome], path: Path
) -> tuple[Path, ...]:
    """Write the trials to a file, and spikes and curves beside it (``…_spikes``, ``…_curves``).

    Raises
    ------
    FileError
        If a file cannot be written.
    """
    beside = [path, *(path.with_stem(f"{path.stem}_{what}") for what in ("spikes", "curves"))]
    for to, (columns, lines) in zip(beside, _tables(study, outcomes).values(), strict=True):
        _write(study, to, columns, lines)
    return tuple(beside)


Table = tuple[Sequence[str], list[tuple[Any, ...]]]
"""Names of the columns, and the rows."""


def _tables(study: SpikeStudy, outcomes: Sequence[Outcome]) -> dict[str, Table]:
    return {
        "trials.csv": (TRIAL_COLUMNS, [_trial_row(o) for o in outcomes]),
        "spikes.csv": (SPIKE_COLUMNS, [(*_of(o), t) for o in outcomes for t in o.spikes]),
        "curves.csv": (CURVE_COLUMNS, _curve_rows(curves(study, outcomes))),
    }


def _of(outcome: Outcome) -> tuple[str, int, int]:
    trial = outcome.trial
    return trial.condition, trial.n_synapses, trial.number + 1


def _trial_row(outcome: Outcome) -> tuple[Any, ...]:
    fired = "" if outcome.failed is not None else int(outcome.fired)
    return (*_of(outcome), fired, len(outcome.spikes), outcome.failed or "", outcome.seconds)


def _curve_rows(found: Iterable[Curve]) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    for curve in found:
        for p in curve.points:
            told = p.probability
            published = curve.published.get(p.n_synapses, "")
            numbers = (told.value, told.low, told.high, *p.band) if p.n else ("",) * 5
            rows.append(
                (curve.condition, p.n_synapses, p.n, p.fired, p.failed, *numbers, published)
            )
    return rows


def _write(
    study: SpikeStudy, path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    recipe = json.dumps(json.loads(to_json(study)), ensure_ascii=False)
    with written_aside(path) as aside, aside.open("w", encoding="utf-8", newline="") as file:
        file.write(f"# program: {PROGRAM}\n# study: {recipe}\n")
        if "published" in columns:
            file.write(f"# published: {SOURCE}\n")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def export_spike_hdf5(study: SpikeStudy, outcomes: Sequence[Outcome], path: Path) -> None:
    """Write trials, spikes and curves as one file.

    Groups ``trials`` (condition, synapses, trial, fired, seconds, failed), ``spikes`` (trial: row
    of ``trials``; time) and one a condition below ``curves``; the attributes hold the study.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    image = BytesIO()  # HDF5 loses errors of the disk on closing a file, and then crashes
    with h5py.File(image, "w") as file:
        _fill(file, study, outcomes)
    with written_aside(path) as aside:
        aside.write_bytes(image.getbuffer())


def _fill(file: h5py.File, study: SpikeStudy, outcomes: Sequence[Outcome]) -> None:
    text = h5py.string_dtype()
    file.attrs.update(
        {"format": FORMAT, "version": VERSION, "program": PROGRAM, "study": to_json(study)}
    )
    trials = file.create_group("trials")
    of = [outcome.trial for outcome in outcomes]
    trials["condition"] = np.array([t.condition for t in of], object).astype(text)
    trials["synapses"] = np.array([t.n_synapses for t in of], np.int32)
    trials["trial"] = np.array([t.number + 1 for t in of], np.int32)
    trials["fired"] = np.array([o.fired for o in outcomes], bool)
    trials["failed"] = np.array([o.failed or "" for o in outcomes], object).astype(text)
    trials["seconds"] = np.array([o.seconds for o in outcomes], np.float64)
    trials["seconds"].attrs["unit"] = "s"
    spikes = file.create_group("spikes")
    spikes["trial"] = np.repeat(np.arange(len(outcomes)), [len(o.spikes) for o in outcomes]).astype(
        np.int32
    )
    spikes["time"] = np.array([t for o in outcomes for t in o.spikes], np.float64)
    spikes["time"].attrs["unit"] = "ms"
    for curve in curves(study, outcomes):
        group = file.create_group(f"curves/{curve.condition}")
        points = curve.points
        group["synapses"] = np.array([p.n_synapses for p in points], np.int32)
        for name in ("n", "fired", "failed"):
            group[name] = np.array([getattr(p, name) for p in points], np.int32)
        group["probability"] = np.array([p.probability.value for p in points])
        group["wilson"] = np.array([(p.probability.low, p.probability.high) for p in points])
        group["sd"] = np.array([p.band for p in points])
        known = curve.published
        group["published"] = np.array([known.get(p.n_synapses, np.nan) for p in points])
        group["published"].attrs["source"] = SOURCE
        if curve.half is not None:
            at = curve.half.at
            group.attrs["half_point"] = (at.value, at.low, at.high)
            group.attrs["half_point_unit"] = "synapses: estimate and 95 % interval"
