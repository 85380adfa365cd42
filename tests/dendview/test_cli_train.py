"""``dendview train``: learns, stops, goes on, and refuses in one sentence."""

import gzip
import json
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest

from dendview.cli import main
from engine.backends import why_no_gpu
from engine.digits_folder import idx_bytes
from engine.discretize import Rule
from engine.experiment import Experiment, Insertion, to_json
from engine.experiments.hpc_net.data import load
from engine.exporting.training import how_computed, load_checkpoint, save_checkpoint

SMALL = ("--morphology", "sample:spn", "--hidden", "6", "--batch", "40")


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    """A folder with 200 of the digits to learn from and 50 to test."""
    return digits_folder(tmp_path_factory.mktemp("digits"), 200, 50)


@pytest.fixture(scope="module")
def very_few(tmp_path_factory):
    """16 and 8."""
    return digits_folder(tmp_path_factory.mktemp("digits"), 16, 8)


def digits_folder(folder: Path, n_train: int, n_test: int) -> Path:
    digits = load()
    sets = {"train": (digits.train[:n_train], digits.train_labels[:n_train]),
            "t10k": (digits.test[:n_test], digits.test_labels[:n_test])}  # fmt: skip
    for name, (images, labels) in sets.items():
        square = (images * 15).reshape(-1, 8, 8)
        (folder / f"{name}-images-idx3-ubyte.gz").write_bytes(idx_bytes(square))
        raw = gzip.decompress(idx_bytes(labels))
        (folder / f"{name}-labels-idx1-ubyte").write_bytes(raw)
    return folder


def test_a_short_training_writes_everything_and_goes_on(few, tmp_path, capsys):
    out = tmp_path / "run"
    words = ("train", "--data", str(few), "--out", str(out), *SMALL)
    assert main((*words, "--epochs", "2", "--json")) == 0
    first = json.loads(capsys.readouterr().out)
    assert first["data"] == few.name
    assert first["epochs"] == 2
    assert first["epoch_seconds"] > 0
    assert 0 <= first["test_accuracy"] <= 1
    assert first["cosine_to_gradient"]["before"] > 0.5
    assert "the others in single (voltages to 1e-09 of the largest)" in first["computed"]
    for name in ("training.json", "checkpoint.h5", "epochs.csv", "curves.csv", "weights.h5"):
        assert (out / name).stat().st_size > 100
    for name in ("curves", "confusion", "responses"):
        assert (out / f"{name}.svg").read_text("utf-8").startswith("<svg")
        assert (out / f"{name}.png").read_bytes().startswith(b"\x89PNG")

    words = ("train", "--resume", "--out", str(out), "--epochs", "4", "--rate", "0.01")
    assert main(words) == 0
    _, state = load_checkpoint(out / "checkpoint.h5")
    assert [e.number for e in state.epochs] == [1, 2, 3, 4]
    assert [(c.epoch, c.rate) for c in state.changes] == [(2.0, 0.01)]
    assert "test accuracy" in capsys.readouterr().out


def test_the_recipe_of_a_run_gives_its_numbers_again(few, tmp_path, capsys):
    one, other = tmp_path / "one", tmp_path / "other"
    words = ("train", "--data", str(few), *SMALL, "--epochs", "1", "--rule", "exact")
    assert main((*words, "--out", str(one))) == 0
    assert main(("train", "--recipe", str(one / "training.json"), "--out", str(other))) == 0
    states = [load_checkpoint(folder / "checkpoint.h5")[1] for folder in (one, other)]
    for a, b in zip(states[0].weights.parts, states[1].weights.parts, strict=True):
        np.testing.assert_array_equal(a, b)


def test_ctrl_c_keeps_what_is_finished(few, tmp_path, capsys, monkeypatch):
    from dendview.cli import train as command

    real = command.train

    def stopped(*args):
        for number, progress in enumerate(real(*args)):
            if number == 3:
                raise KeyboardInterrupt
            yield progress

    monkeypatch.setattr(command, "train", stopped)
    words = ("train", "--data", str(few), *SMALL, "--epochs", "3")
    assert main((*words, "--out", str(tmp_path))) == 130
    assert "train --resume --out" in capsys.readouterr().err
    _, state = load_checkpoint(tmp_path / "checkpoint.h5")
    assert (state.epoch, state.batch) == (0, 3)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--data", "nowhere"), "there is no folder"),
        (("--resume",), "checkpoint.h5: the checkpoint cannot be read"),
        (("--hidden", "0"), "0 hidden neurons cannot be built"),
        (("--window", "60"), "does not fit into a sample of 50 ms"),
        (("--recipe", "missing.json"), "the recipe cannot be read"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(words, sentence, tmp_path, capsys):
    assert main(("train", "--out", str(tmp_path), *words)) == 1
    captured = capsys.readouterr().err
    assert sentence in captured
    assert captured.count("\n") == 1


def test_a_cell_without_basal_dendrites_is_refused(tmp_path, capsys):
    cell = tmp_path / "apical.swc"
    cell.write_text("1 1 0 0 0 5 -1\n2 4 0 20 0 1 1\n3 4 0 90 0 1 2\n")
    words = ("train", "--out", str(tmp_path), "--morphology", str(cell))
    assert main(words) == 1
    assert "no basal dendrite to put synapses on; choose placement" in capsys.readouterr().err


def test_a_run_that_goes_on_is_the_same_run(few, very_few, tmp_path, capsys):
    """On the same images, by the same rule and network, computed as before."""
    images, moved, out = tmp_path / "images", tmp_path / "moved", tmp_path / "run"
    copytree(few, images)
    words = ("train", "--data", str(images), *SMALL, "--epochs", "1", "--precision", "double")
    assert main((*words, "--out", str(out))) == 0
    again = ("train", "--resume", "--out", str(out))
    before = (out / "checkpoint.h5").read_bytes()
    for more in (
        "--hidden 7", "--rule exact", "--softmax mean", "--window 30", "--sign ascend",
        "--cool 0.5", "--download mnist", "--precision mixed", "--compartmental",
        "--preset paper", "--batch 8",
    ):  # fmt: skip
        capsys.readouterr()
        assert main((*again, *more.split())) == 1
        said = capsys.readouterr().err
        assert f"{more.split()[0]} cannot change while a training goes on" in said
    assert main((*again, "--data", str(very_few))) == 1
    assert f"this network learned from {images}; leave --data out" in capsys.readouterr().err
    assert (out / "checkpoint.h5").read_bytes() == before

    assert main((*again, "--data", str(images), "--epochs", "2", "--json")) == 0
    captured = capsys.readouterr()
    assert "modes in double precision" in json.loads(captured.out)["computed"]
    assert "so far it computed" not in captured.err

    images.rename(moved)
    training, state = load_checkpoint(out / "checkpoint.h5")
    save_checkpoint(training, state, out / "checkpoint.h5", "another machine's simulation")
    assert main((*again, "--data", str(moved), "--epochs", "3")) == 0
    said = capsys.readouterr().err
    assert f"images are read from {moved}; {images} is gone" in said
    assert "so far it computed by another machine's simulation; from here on by exact sh" in said
    training, state = load_checkpoint(out / "checkpoint.h5")
    assert (training.data, training.precision, state.epoch) == (str(moved), "double", 3)
    assert how_computed(out / "checkpoint.h5").startswith("exact shortcut")

    for path in moved.iterdir():
        path.unlink()
    small = np.zeros((20, 4, 4), np.uint8)
    for name in ("train", "t10k"):
        (moved / f"{name}-images-idx3-ubyte.gz").write_bytes(idx_bytes(small))
        labels = np.arange(20, dtype=np.uint8) % 10
        (moved / f"{name}-labels-idx1-ubyte.gz").write_bytes(idx_bytes(labels))
    assert main(again) == 1
    said = capsys.readouterr().err
    assert "has 64 inputs and 10 outputs, the images of moved have 16 pixels" in said


def test_active_neurons_with_conductance_synapses_are_simulated(very_few, tmp_path, capsys):
    """A membrane of one's own; with the shortcut both are refused."""
    membrane = tmp_path / "hot.json"
    hot = Insertion("hh", "all", (("gnabar", 0.03), ("gkbar", 0.01)))
    cell = Experiment("sample:spn", insertions=(hot,), rule=Rule("fixed", 1), v_init=-65.0)
    membrane.write_text(to_json(cell), encoding="utf-8")
    out = tmp_path / "run"
    words = ("train", "--data", str(very_few), "--out", str(out), "--membrane", str(membrane),
             "--hidden", "1", "--placement", "dendrite", "--epochs", "1", "--json")  # fmt: skip
    assert main(words) == 1
    assert "has hh, which is not linear" in capsys.readouterr().err
    assert main((*words, "--conductance")) == 1
    assert "conductance synapses are not linear" in capsys.readouterr().err
    assert not out.exists()
    assert main((*words, "--compartmental", "--conductance", "0.001", "--backend", "cpu")) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["way"] == "compartmental"
    assert answer["cosine_to_gradient"] is None
    training, _ = load_checkpoint(out / "checkpoint.h5")
    assert training.way == "compartmental"
    assert training.network.conductance.peak == 0.001
    assert training.network.cell.insertions == (hot,)
    assert training.network.cell.duration == 50


@pytest.mark.skipif(not why_no_gpu(), reason="there is a GPU here")
def test_what_cannot_be_had_is_refused(few, tmp_path, capsys):
    words = ("train", "--data", str(few), "--out", str(tmp_path / "run"), *SMALL)
    for more, said in (
        (("--backend", "gpu"), "backend 'gpu' is unavailable"),
        (("--membrane", "l5"), "there is no recipe 'l5'"),
        (("--dt", "-1"), "a time step of -1 ms cannot be used"),
    ):
        assert main((*words, *more)) == 1
        assert said in capsys.readouterr().err
