"""Tables, HDF5 and figure of a spike-probability run say what the trials say."""

import csv
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import h5py
import numpy as np
import pytest

from engine.errors import FileError
from engine.experiments.spike_presets import preset
from engine.experiments.spike_probability import curves
from engine.experiments.spike_study import CONDITIONS, Trial, study_from_json
from engine.experiments.spike_trials import Outcome
from engine.exporting.spike_figure import export_spike_svg, nice_step, spike_svg
from engine.exporting.spike_lab import export_spike_hdf5, export_spike_tables

STUDY = replace(preset("quick"), distributed=(100, 120), clusters=(5,), n_trials=4)
SPIKES = {0: (540.04,), 1: (), 2: (541.0, 550.2), 3: ()}
OUTCOMES = [
    Outcome(trial, SPIKES[trial.number] if trial.n_synapses > 100 else (), 0.5,
            "too small a step" if trial == Trial("few-clustered", 100, 3) else None)
    for trial in STUDY.trials()
]  # fmt: skip


def table(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    lines = path.read_text().splitlines()
    head = [line for line in lines if line.startswith("# ")]
    return head, list(csv.DictReader(lines[len(head) :]))


def test_the_tables_hold_every_trial_spike_and_point(tmp_path):
    paths = export_spike_tables(STUDY, OUTCOMES, tmp_path)
    assert [p.name for p in paths] == ["trials.csv", "spikes.csv", "curves.csv"]
    head, trials = table(paths[0])
    assert study_from_json(head[1].removeprefix("# study: "), tmp_path / "x") == STUDY
    assert len(trials) == 12
    failed = [row for row in trials if row["failed"]]
    assert [(r["synapses"], r["trial"], r["fired"]) for r in failed] == [("100", "4", "")]
    _, spikes = table(paths[1])
    times = [(r["synapses"], r["trial"], float(r["time (ms)"])) for r in spikes]
    assert times == [("120", "1", 540.04), ("120", "3", 541.0), ("120", "3", 550.2)]
    head, points = table(paths[2])
    assert "Zhang" in head[2]
    at = {(r["condition"], r["synapses"]): r for r in points}
    assert len(at) == 3
    row = at["few-distributed", "120"]
    assert (row["n"], row["fired"], row["published"]) == ("4", "2", "0.78")
    assert float(row["probability"]) == 0.5
    assert float(row["wilson 95 % low"]) == pytest.approx(0.150, abs=5e-4)
    assert at["few-clustered", "100"]["failed"] == "1"


def test_the_hdf5_file_holds_the_same(tmp_path):
    path = tmp_path / "run.h5"
    export_spike_hdf5(STUDY, OUTCOMES, path)
    with h5py.File(path) as file:
        assert study_from_json(file.attrs["study"], path) == STUDY
        row = file["spikes/trial"][:]
        assert list(file["trials/synapses"][:][row]) == [120, 120, 120]
        assert list(file["spikes/time"][:]) == [540.04, 541.0, 550.2]
        assert file["trials/fired"][:].sum() == 2
        curve = file["curves/few-distributed"]
        np.testing.assert_array_equal(curve["fired"], [0, 2])
        np.testing.assert_array_equal(curve["published"], [0.02, 0.78])
        assert curve["wilson"].shape == (2, 2)
        low, high = curve.attrs["half_point"][1:]
        assert low < 120 < high or np.isinf(high)


def test_an_empty_run_can_be_written(tmp_path):
    export_spike_tables(STUDY, [], tmp_path)
    export_spike_hdf5(STUDY, [], tmp_path / "run.h5")
    assert table(tmp_path / "curves.csv")[1][0]["probability"] == ""
    ElementTree.fromstring(spike_svg(curves(STUDY, [])))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("deviation", [False, True])
def test_the_figure_is_a_drawing_with_a_marker_at_every_point(theme, deviation, tmp_path):
    found = curves(STUDY, OUTCOMES)
    export_spike_svg(found, tmp_path / "x.svg", theme, deviation)
    root = ElementTree.parse(tmp_path / "x.svg").getroot()
    space = "{http://www.w3.org/2000/svg}"
    n_distributed = len(root.findall(f"{space}circle"))
    n_clustered = len(root.findall(f"{space}rect"))
    assert (n_distributed, n_clustered) == (2 + 1, 1 + 1 + 1)  # legend; legend and ground
    said = " ".join(text.text or "" for text in root.findall(f"{space}text"))
    assert ("± SD" in said) == deviation
    assert "few spines, distributed: 4 trials a point" in said
    assert "Zhang et al. 2023" in said


def test_all_conditions_have_a_color_a_title_and_a_place():
    every = replace(STUDY, conditions=CONDITIONS)
    ElementTree.fromstring(spike_svg(curves(every, OUTCOMES), "dark"))


@pytest.mark.parametrize(
    ("most", "step"), [(1, 1), (8, 1), (12, 2), (240, 50), (90, 10), (999, 100)]
)
def test_ticks_are_few_and_round(most, step):
    assert nice_step(most) == step


def test_a_folder_that_is_missing_is_told(tmp_path):
    with pytest.raises(FileError, match="choose a folder that exists"):
        export_spike_tables(STUDY, OUTCOMES, tmp_path / "nowhere")
