# ruff: noqa: E501  (the table of kinds, one row a line)
"""What can be saved of the open cell, under which name, and the data files themselves."""

import hashlib
import re
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dendview.matrix_lens import LARGEST
from dendview.runs import shown_run, shown_study
from dendview.state import AppState
from dendview.training import data_name, find_run
from dendview.training_files import write_training
from engine.errors import UserError
from engine.experiment import to_json
from engine.experiments.hpc_net.spec import to_json as training_to_json
from engine.experiments.spike_study import to_json as study_to_json
from engine.exporting import (
    export_schedule_csv,
    export_schedule_json,
    export_spikes_csv,
    export_traces_csv,
    export_traces_hdf5,
)
from engine.exporting.spike_lab import export_spike_csv, export_spike_hdf5

Target = Literal[
    "cell",
    "gantt",
    "costs",
    "methods",
    "run_time",
    "race",
    "matrix",
    "plot",
    "traces",
    "spikes",
    "spike_curves",
    "spike_trials",
    "spike_study",
    "training_confusion",
    "training_samples",
    "training_responses",
    "training_voltages",
    "training_histogram",
    "robustness",
    "training_curves",
    "training_tables",
    "training_weights",
    "training_checkpoint",
    "training_recipe",
    "schedule",
    "experiment",
]

NAME_LIMIT = 120


@dataclass(frozen=True)
class ExportKind:
    """Something that can be saved.

    Attributes
    ----------
    target
    title
        In the list of the dialog.
    hint
        One line on what is in the file.
    formats
        File endings with what they are, the usual one first.
    missing
        Why it cannot be saved now and what to do; empty where it can.
    """

    target: Target
    title: str
    hint: str
    formats: tuple[tuple[str, str], ...]
    missing: Callable[[AppState], str]


def _no_cell(state: AppState) -> str:
    return "" if state.cell is not None else "Open a cell first."


def _no_schedule(state: AppState) -> str:
    return "" if state.schedule is not None else "There is no schedule; open a cell first."


def _no_times(state: AppState) -> str:
    if state.run_times is None or not state.run_times.measured_sizes:
        return "No run time is measured for these threads; press Ctrl+T."
    return ""


def _no_race(state: AppState) -> str:
    return "" if state.race is not None else "No race was run on this cell; start one first."


def _no_matrix(state: AppState) -> str:
    if state.schedule is None or state.schedule.n_comp > LARGEST:
        return f"Matrices of more than {LARGEST} nodes cannot be read; open the toy sample."
    return ""


def _no_run(state: AppState) -> str:
    run = shown_run(state)
    if run is None:
        return "There is no run yet; press F5."
    return "The run goes on; wait or cancel it." if run.state == "running" else ""


def _no_study(state: AppState) -> str:
    study = shown_study(state)
    if study is None or not study.outcomes:
        return "No trial of a study is finished; run one in the Spike lab (Ctrl+4)."
    return ""


def _no_findings(state: AppState) -> str:
    if state.training_findings is None:
        return state.training_note or "No trained network is shown; train one first."
    return ""


def _no_test(state: AppState) -> str:
    found = state.training_findings
    if found is not None and found.wanted.shown.test is None:
        return "The untrained network was not tested; choose another epoch."
    return _no_findings(state)


def _no_robustness(state: AppState) -> str:
    if state.robustness is None:
        return "No robustness study is shown; run one, or open a result."
    return ""


def _no_training(state: AppState) -> str:
    run = find_run(state.training_runs, state.training_shown)
    if run is None or not run.points:
        return "No training is shown; start one in the Training lab (Ctrl+5)."
    return ""


def _no_checkpoint(state: AppState) -> str:
    run = find_run(state.training_runs, state.training_shown)
    if run is None or run.saved is None:
        return "No checkpoint of a training is there; start one in the Training lab (Ctrl+5)."
    return ""


PNG = ("png", "PNG picture")
CSV = ("csv", "CSV table")
DRAWN = PNG, ("svg", "SVG drawing")

KINDS: tuple[ExportKind, ...] = (
    ExportKind("cell", "Picture of the cell", "As it is seen now, with legend and scale bar.", (PNG,), _no_cell),
    ExportKind("gantt", "Gantt chart", "Threads by steps.", (PNG, ("svg", "SVG drawing")), _no_schedule),
    ExportKind("costs", "Cost curve", "Steps against threads.", (PNG, ("svg", "SVG drawing"), CSV), _no_schedule),
    ExportKind("methods", "Table of methods", "Steps of every method on this cell.", (CSV,), _no_schedule),
    ExportKind("run_time", "Run time", "Predicted steps beside measured times, by number of cells.", (CSV, PNG, ("svg", "SVG drawing")), _no_times),
    ExportKind("race", "Race of the methods", "Lanes as they are now.", (PNG, ("svg", "SVG drawing"), CSV), _no_race),
    ExportKind("matrix", "Matrix", "Of a small cell, at the step shown.", (PNG, ("svg", "SVG drawing"), CSV), _no_matrix),
    ExportKind("schedule", "Schedule", "Step, thread and place of every node.", (CSV, ("json", "JSON")), _no_schedule),
    ExportKind("plot", "Plot of the traces", "As it is seen now, with legend and clamps.", (PNG, ("svg", "SVG drawing")), _no_run),
    ExportKind("traces", "Traces", "Every probe of the shown run, with units.", (CSV, ("h5", "HDF5")), _no_run),
    ExportKind("spikes", "Spike times", "Of the shown run.", (CSV,), _no_run),
    ExportKind("spike_curves", "Spike probability", "Curves of the shown study with intervals and half points.", (PNG, ("svg", "SVG drawing")), _no_study),
    ExportKind("spike_trials", "Trials of the study", "Trials, spikes and curves: one HDF5, or three tables side by side.", (("h5", "HDF5"), CSV), _no_study),
    ExportKind("spike_study", "Recipe of the study", "'dendview spike-lab --recipe' runs the same trials.", (("json", "JSON"),), _no_study),
    ExportKind("training_confusion", "Confusion matrix", "Labels by answers of the shown epoch.", DRAWN, _no_test),
    ExportKind("training_samples", "Test samples", "Those listed beside the matrix, at most 64, with label, answer and confidence.", DRAWN, _no_test),
    ExportKind("training_responses", "Responses", "Voltages of the hidden neurons before and after learning.", DRAWN, _no_findings),
    ExportKind("training_voltages", "Voltages of a sample", "Input spikes, chosen hidden neurons and outputs over time.", DRAWN, _no_findings),
    ExportKind("training_histogram", "Histogram of weights", "Both layers, before and after learning.", DRAWN, _no_findings),
    ExportKind("robustness", "Robustness", "Right answers under attack and noise: curves, or their numbers.", (*DRAWN, CSV, ("json", "JSON")), _no_robustness),
    ExportKind("training_curves", "Training curves", "Loss and accuracy of the shown training.", (PNG, ("svg", "SVG drawing")), _no_training),
    ExportKind("training_tables", "Training tables", "Curves, and beside them a table of the epochs.", (CSV,), _no_training),
    ExportKind("training_weights", "Trained weights", "Of the last checkpoint, with the place of every synapse.", (("h5", "HDF5"),), _no_checkpoint),
    ExportKind("training_checkpoint", "Checkpoint", "'dendview train --resume' goes on from it.", (("h5", "HDF5"),), _no_checkpoint),
    ExportKind("training_recipe", "Recipe of the training", "'dendview train --recipe' trains the same network.", (("json", "JSON"),), _no_training),
    ExportKind("experiment", "Experiment", "All of it; 'dendview run' gives the same numbers.", (("json", "JSON"),), _no_cell),
)  # fmt: skip


class ExportController:
    """Names files and writes the data; pictures are drawn by the views."""

    def __init__(self, state: AppState, clock: Callable[[], float] = time.time) -> None:
        self.state = state
        self._clock = clock

    def recipe(self) -> str:
        """The experiment as JSON, to be kept with a picture or a file."""
        experiment = self.state.experiment
        return "" if experiment is None else to_json(experiment)

    def file_name(self, target: Target, ending: str) -> str:
        """``<cell>_<what>_<date>-<time>_<hash>.<ending>``: ASCII, no colons, not too long."""
        cell = self.state.cell
        name = "cell" if cell is None else cell.morphology.name
        stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(self._clock()))
        study = shown_study(self.state) if target.startswith("spike_") else None
        recipe = self.recipe() if study is None else study_to_json(study.study)
        run = find_run(self.state.training_runs, self.state.training_shown)
        if target.startswith("training_") and run is not None:
            name, recipe = data_name(run.training.data), training_to_json(run.training)
        digest = hashlib.sha256(recipe.encode()).hexdigest()[:8]
        tail = f"_{target}_{stamp}_{digest}.{ending}"
        return plain(name)[: NAME_LIMIT - len(tail)] + tail

    def save(self, target: Target, path: Path) -> None:
        """Write a data file; its ending decides the format.

        Raises
        ------
        UserError
            If there is nothing to save, or the file cannot be written.
        """
        kind = next(kind for kind in KINDS if kind.target == target)
        if reason := kind.missing(self.state):
            raise UserError(reason)
        try:
            self._write(target, path)
        except OSError as error:
            raise UserError(
                f"{path} cannot be written ({error.strerror or error}); choose another folder"
            ) from error

    def _write(self, target: Target, path: Path) -> None:
        state, ending = self.state, path.suffix.lower()
        run, study = shown_run(state), shown_study(state)
        training = find_run(state.training_runs, state.training_shown)
        if target == "spike_trials" and study is not None:
            outcomes = [study.outcomes[t] for t in study.study.trials() if t in study.outcomes]
            write_study = export_spike_hdf5 if ending == ".h5" else export_spike_csv
            write_study(study.study, outcomes, path)
        elif target == "spike_study" and study is not None:
            path.write_text(study_to_json(study.study), encoding="utf-8")
        elif target == "traces" and run is not None:
            (export_traces_hdf5 if ending == ".h5" else export_traces_csv)(run.recording, path)
        elif target == "spikes" and run is not None:
            export_spikes_csv(run.recording, path)
        elif target == "schedule" and state.schedule is not None and state.cell is not None:
            tree = state.cell.trees[state.nodes]
            write = export_schedule_json if ending == ".json" else export_schedule_csv
            write(state.schedule, tree, path)
        elif target.startswith("training_") and training is not None:
            write_training(training, target, path)
        elif target == "experiment":
            path.write_text(self.recipe() + "\n", encoding="utf-8")
        else:
            raise UserError(f"'{target}' is a picture; a view draws it")


def plain(name: str) -> str:
    """A name as every file system takes it: ASCII letters, digits, dot, minus and underscore."""
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9.\-]+", "-", ascii_only).strip("-.") or "cell"
