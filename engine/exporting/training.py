"""A training run as files: checkpoint to go on from, weights with their places, curves."""

import csv
from dataclasses import astuple, fields
from io import BytesIO
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from engine.errors import FileError, UserError
from engine.experiments.hpc_net.network import Network, Weights
from engine.experiments.hpc_net.optimizer import Memory
from engine.experiments.hpc_net.spec import Training, from_json, to_json
from engine.experiments.hpc_net.state import Curves, Epoch, Point, RateChange, State
from engine.exporting.atomic import written_aside
from engine.exporting.csv import PROGRAM

FORMAT, VERSION = "dendview-checkpoint", 1
PARTS = ("hidden", "hidden_bias", "output", "output_bias")
COUNTERS = (
    "rate", "epoch", "batch", "loss", "right", "seen",
    "loss_since", "right_since", "seen_since", "seconds",
)  # fmt: skip
TABLES: dict[str, type] = {"points": Point, "epochs": Epoch, "changes": RateChange}


def save_checkpoint(training: Training, state: State, path: Path, computed: str = "") -> None:
    """Write all that a run goes on from; :func:`load_checkpoint` gives the same bits back.

    ``computed`` says how the way computes, for :func:`how_computed`.

    Raises
    ------
    FileError
        If the file cannot be written; an older one of that name stays as it was.
    """
    image = BytesIO()  # HDF5 loses errors of the disk on closing a file, and then crashes
    with h5py.File(image, "w") as file:
        file.attrs.update(
            {
                "format": FORMAT,
                "version": VERSION,
                "program": PROGRAM,
                "training": to_json(training),
                "computed": computed,
            }
        )
        _put(file, "weights", state.weights)
        for name in ("first", "second"):
            if (part := getattr(state.memory, name)) is not None:
                _put(file, name, part)
        file.attrs["steps"] = state.memory.steps
        for name in COUNTERS:
            file.attrs[name] = getattr(state, name)
        for name, kind in TABLES.items():
            rows = np.array([astuple(row) for row in getattr(state, name)], np.float64)
            table = file.create_dataset(name, data=rows.reshape(-1, len(fields(kind))))
            table.attrs["columns"] = [field.name for field in fields(kind)]
    with written_aside(path) as aside:
        aside.write_bytes(image.getbuffer())


def load_checkpoint(path: Path) -> tuple[Training, State]:
    """Read what :func:`save_checkpoint` wrote.

    Raises
    ------
    FileError
        If the file is none, or damaged.
    """
    try:
        with h5py.File(path, "r") as file:
            if file.attrs.get("format") != FORMAT:
                raise FileError(path, "this is no checkpoint of a training", "give checkpoint.h5")
            if file.attrs["version"] != VERSION:
                what = f"checkpoint version {file.attrs['version']} is not {VERSION}"
                raise FileError(path, what, "open it with a newer DendView")
            training = from_json(file.attrs["training"], str(path))
            first, second = (
                _get(file[name]) if name in file else None for name in ("first", "second")
            )
            memory = Memory(first, second, int(file.attrs["steps"]))
            counters: dict[str, Any] = {name: file.attrs[name].item() for name in COUNTERS}
            tables: dict[str, Any] = {n: _rows(file[n][:], kind) for n, kind in TABLES.items()}
            return training, State(_get(file["weights"]), memory, **counters, **tables)
    except FileError:
        raise
    except UserError as error:
        raise FileError(path, str(error), "start the training anew") from error
    except (OSError, KeyError, TypeError, AttributeError) as error:
        what = f"the checkpoint cannot be read ({error})"
        raise FileError(path, what, "check the path, or start the training anew") from error


def how_computed(path: Path) -> str:
    """How the way to a checkpoint computed; empty where it does not say, or cannot be read."""
    try:
        with h5py.File(path, "r") as file:
            return str(file.attrs.get("computed", ""))
    except OSError:
        return ""


def export_weights_hdf5(network: Network, weights: Weights, path: Path) -> None:
    """Write the weights, and for every synapse of the hidden layer where it sits.

    Datasets ``hidden`` (input, hidden neuron, synapse), ``hidden_bias``, ``output`` (hidden neuron,
    output) and ``output_bias``; ``node``, ``section``, ``x`` and ``resistance`` (MΩ to the soma)
    have the shape of ``hidden``.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    tree, node = network.model.tree, network.node
    image = BytesIO()
    with h5py.File(image, "w") as file:
        file.attrs["program"] = PROGRAM
        for name, part in zip(PARTS, weights.parts, strict=True):
            file.create_dataset(name, data=part).attrs["unit"] = "1"
        axes = "input, hidden neuron, synapse"
        places: dict[str, np.ndarray] = {
            "node": node,
            "section": tree.section[node],
            "x": tree.x[node],
            "resistance": network.resistance[node],
        }
        for name, values in places.items():
            packed = {"compression": "gzip", "compression_opts": 1} if values.size > 9999 else {}
            file.create_dataset(name, data=values, **packed).attrs["axes"] = axes
        file["hidden"].attrs["axes"] = axes
        file["output"].attrs["axes"] = "hidden neuron, output"
        file["resistance"].attrs["unit"] = "MΩ"
        names = np.array(tree.sections.name, h5py.string_dtype())
        file.create_dataset("section_names", data=names)
        file.attrs["conductance"] = 1.0 / network.r_mean
        file.attrs["conductance_unit"] = "µS"
    with written_aside(path) as aside:
        aside.write_bytes(image.getbuffer())


def export_epochs_csv(training: Training, state: Curves, path: Path) -> None:
    """Write one row per finished epoch.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    names = [field.name + (" (s)" if field.name == "seconds" else "") for field in fields(Epoch)]
    _write(training, path, names, [astuple(row) for row in state.epochs])


def export_curves_csv(training: Training, state: Curves, path: Path) -> None:
    """Write loss and accuracy as they fell and rose: one row per point, epochs as fractions.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    names = ["epoch", "loss", "accuracy", "rate"]
    _write(training, path, names, [astuple(row) for row in state.points])


def _write(training: Training, path: Path, names: list[str], rows: list[tuple[Any, ...]]) -> None:
    with written_aside(path) as aside, aside.open("w", encoding="utf-8", newline="") as file:
        file.write(f"# program: {PROGRAM}\n")
        file.write(f"# training: {' '.join(to_json(training).split())}\n")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([repr(value) for value in row] for row in rows)


def _put(file: h5py.File, group: str, weights: Weights) -> None:
    for name, part in zip(PARTS, weights.parts, strict=True):
        file.create_dataset(f"{group}/{name}", data=part)


def _get(group: h5py.Group) -> Weights:
    return Weights(*(group[name][:] for name in PARTS))


def _rows(table: np.ndarray, kind: type) -> tuple[Any, ...]:
    whole = [field.type is int for field in fields(kind)]
    return tuple(
        kind(*(int(x) if w else x for x, w in zip(row, whole, strict=True)))
        for row in table.tolist()
    )
