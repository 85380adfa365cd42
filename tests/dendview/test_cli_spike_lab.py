"""``dendview spike-lab`` with coins in the place of trials."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from dendview.cli import main
from engine.executor import OwnProcess
from engine.experiments import spike_probability
from engine.experiments.spike_store import read_run
from engine.experiments.spike_study import Trial, read_study, to_json
from engine.experiments.spike_trials import Slice, area_factor, replay, run_slice
from engine.exporting import read_traces_hdf5
from tests.engine.experiments.test_spike_runs import coins
from tests.engine.experiments.test_spike_trials import SHORT

FILES = {
    "study.json", "trials.jsonl", "trials.csv", "spikes.csv", "curves.csv", "spike-lab.h5",
    "curves.svg", "curves.png",
}  # fmt: skip
FEW = ["--distributed", "100,110,120", "--clusters", "5", "--trials", "8"]


@pytest.fixture
def stand_in(monkeypatch, qapp):
    monkeypatch.setattr(spike_probability, "run_slice", coins)
    monkeypatch.setattr(spike_probability, "LocalPool", lambda size: OwnProcess())


def test_a_run_writes_its_files_and_says_its_curves(stand_in, tmp_path, capsys):
    assert main(["spike-lab", "--out", str(tmp_path), "--json", *FEW]) == 0
    assert {p.name for p in tmp_path.iterdir()} == FILES
    said = json.loads(capsys.readouterr().out)
    assert said["trials"] == {"finished": 32, "wanted": 32}
    curves = {c["condition"]: c for c in said["curves"]}
    assert [p["n"] for p in curves["few-distributed"]["points"]] == [8, 8, 8]
    assert curves["few-distributed"]["published"]["110"] == 0.26
    assert set(said["files"]) == {str(tmp_path / name) for name in FILES}
    study = read_study(tmp_path / "study.json")
    assert study.points("few-distributed") == (100, 110, 120)
    assert (tmp_path / "curves.png").read_bytes()[:4] == b"\x89PNG"


def test_resuming_needs_only_the_folder_and_may_ask_for_more(stand_in, tmp_path, capsys):
    assert main(["spike-lab", "--out", str(tmp_path), *FEW]) == 0
    assert main(["spike-lab", "--out", str(tmp_path), *FEW]) == 1
    assert "go on with them by --resume" in capsys.readouterr().err
    before = read_run(tmp_path)[1]
    assert main(["spike-lab", "--out", str(tmp_path), "--resume", "--trials", "10"]) == 0
    after = read_run(tmp_path)[1]
    assert len(after) == 40
    assert all(after[trial] == before[trial] for trial in before)
    assert "few-distributed" in capsys.readouterr().out


def test_a_recipe_reruns_exactly(stand_in, tmp_path):
    first, again = tmp_path / "first", tmp_path / "again"
    assert main(["spike-lab", "--out", str(first), "--seed", "9", *FEW]) == 0
    recipe = str(first / "study.json")
    assert main(["spike-lab", "--out", str(again), "--recipe", recipe]) == 0
    assert read_run(first) == read_run(again)
    for name in ("trials.csv", "curves.csv", "curves.svg"):
        assert (first / name).read_text() == (again / name).read_text()


def test_a_trial_of_a_folder_is_replayed_into_files(tmp_path, capsys):
    short = replace(SHORT, distributed=(200,), conditions=("few-distributed",))
    (tmp_path / "study.json").write_text(to_json(short))
    assert main(["spike-lab", "--out", str(tmp_path), "--replay", "few-distributed:200:2"]) == 0
    folder = tmp_path / "few-distributed-200-2"
    assert {p.name for p in folder.iterdir()} == {
        "traces.csv", "traces.h5", "spikes.csv", "experiment.json",
    }  # fmt: skip
    said = capsys.readouterr().out
    assert "few-distributed, 200 synapses, trial 2" in said
    written = read_traces_hdf5(folder / "traces.h5")
    trial = Trial("few-distributed", 200, 1)
    assert written.origin == replay(short, trial)
    (outcome,) = run_slice(Slice(short, (trial,), "cpu"))
    assert tuple(written.spikes[:, 1]) == outcome.spikes != ()
    for text, why in (
        ("few-distributed:200:51", "which has 1 to 50"),
        ("few-distributed:7:1", "it has 200"),
        ("some:7:1", "write such as"),
    ):
        assert main(["spike-lab", "--out", str(tmp_path), "--replay", text]) == 1
        assert why in capsys.readouterr().err


def test_spines_can_be_given_another_shape_and_number(stand_in, tmp_path):
    words = ["--neck-length", "2", "--neck-diameter", "0.1", "--head-diameter", "0.5", "--density",
             "2.6", "--f-factor", "area"]  # fmt: skip
    assert main(["spike-lab", "--out", str(tmp_path), *FEW, *words]) == 0
    study = read_study(tmp_path / "study.json")
    shape = study.spines.shape
    assert (shape.neck_length, shape.neck_diameter) == (2, 0.1)
    assert (shape.head_length, shape.head_diameter) == (0.5, 0.5)
    assert study.spines.per_um == 2.6
    assert study.factor == area_factor(study)
    assert study.factor == pytest.approx(1.5, abs=0.1)  # twice as many heads of 0.28 their area


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--trials", "0"], "ask for at least 1"),
        (["--morphology", "nowhere.swc"], "nowhere.swc"),
        (["--recipe", "nowhere.json"], "nowhere.json"),
        (["--recipe", "x.json", "--preset", "paper"], "leave the others out"),
        (["--workers", "0"], "0 workers"),
        (["--f-factor", "many"], "write one such as 1.9"),
        (["--neck-diameter", "0"], "neck"),
        (["--density", "-1"], "spines per µm"),
        (["--density", "0", "--f-factor", "area"], "no segment bears a spine"),
    ],
)
def test_what_cannot_be_run_is_one_sentence(words, said, tmp_path, capsys):
    assert main(["spike-lab", "--out", str(tmp_path / "out"), *words]) == 1
    err = capsys.readouterr().err
    assert said in err
    assert len(err.strip().splitlines()) == 1


SCRIPT = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell ignores it for what runs behind
from dendview.cli import main
from engine.executor import OwnProcess
from engine.experiments import spike_probability
from tests.engine.experiments.test_spike_runs import slow_coins
spike_probability.run_slice, spike_probability.WIDTH = slow_coins, 2
spike_probability.LocalPool = lambda size: OwnProcess()
print("ready", flush=True)
sys.exit(main(["spike-lab", "--out", sys.argv[1], "--trials", "40"]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="other signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_term_keep_what_is_finished(number, tmp_path):
    root = str(Path(__file__).parents[2])
    run = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path)], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": root},
    )  # fmt: skip
    trials = tmp_path / "trials.jsonl"
    while run.poll() is None and not (trials.exists() and trials.stat().st_size):
        time.sleep(0.05)
    run.send_signal(number)
    _, err = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "--resume --out" in err
    finished = read_run(tmp_path)[1]
    assert 0 < len(finished) < 440
    assert {p.name for p in tmp_path.iterdir()} == FILES
