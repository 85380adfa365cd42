"""``dendview robustness``: makes a study, goes on with it, and refuses in one sentence."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from dendview.cli import main
from engine.experiments.hpc_net import Learning, Training, load, prepare, start
from engine.experiments.hpc_net.spec import to_json
from engine.experiments.robustness import examining, from_json
from engine.exporting.training import load_checkpoint, save_checkpoint
from tests.engine.experiments.hpc_net.conftest import tiny_spec
from tests.engine.experiments.robustness.conftest import FakeNets, shortcut

FEW = ("--surrogate-batches", "4", "--ann-batches", "4", "--repeats", "2", "--n", "40",
       "--epsilon", "0.2", "0.1", "--threads", "1")  # fmt: skip


class Nets(FakeNets):
    """Answers for the bundled digits: eight by eight pixels, ten classes."""

    def ann(self, descent, table, shape, n_hidden, n_class, seed):
        learner = super().ann(descent, table, shape, n_hidden, n_class, seed)

        def arrays():
            rng = np.random.default_rng(seed)
            size = {"net/1.weight": (n_hidden, 64), "net/1.bias": (n_hidden,),
                    "net/3.weight": (10, n_hidden), "net/3.bias": (10,)}  # fmt: skip
            made = {name: rng.normal(size=s).astype(np.float32) for name, s in size.items()}
            return {"done": np.array(learner.done), **made}

        learner.arrays = arrays
        return learner


@pytest.fixture
def nets(monkeypatch):
    fake = Nets()
    monkeypatch.setattr(examining, "deep_nets", fake)
    monkeypatch.setattr(examining, "Shortcut", shortcut)
    monkeypatch.setattr(examining, "TELL_EVERY", 0.0)
    return fake


@pytest.fixture
def checkpoint(tmp_path):
    """A network for the digits that has learned nothing yet."""
    network = replace(tiny_spec(), n_hidden=4, n_synapses=1)
    training = Training(network, Learning(epochs=1), "digits")
    state = start(prepare(training, load("digits")), training.learning)
    path = tmp_path / "learned.h5"
    save_checkpoint(training, state, path)
    return path


def test_a_study_writes_its_result_table_and_figure(nets, checkpoint, tmp_path, capsys):
    out = tmp_path / "study"
    words = ("robustness", "--checkpoint", str(checkpoint), "--out", str(out), *FEW)
    assert main((*words, "--json")) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["complete"]
    assert [p["epsilon"] for p in answer["curves"][0]["points"]] == [0, 0.1, 0.2]
    assert "Undisturbed, of 40 test images" in answer["conclusion"]
    result = from_json((out / "robustness.json").read_text("utf-8"))
    assert (result.data, result.n_test, result.complete) == ("digits", 40, True)
    assert result.epoch == load_checkpoint(checkpoint)[1].epoch
    assert (out / "robustness.csv").read_text("utf-8").count("hpc_net,attack") == 3
    assert (out / "robustness.svg").read_text("utf-8").startswith("<svg")
    assert (out / "robustness.png").read_bytes().startswith(b"\x89PNG")

    nets.asked.clear()
    assert main(words) == 0
    said = capsys.readouterr().out
    assert nets.asked == []
    assert re.search(r"ANN of the same shape \(%\) +\d+\.\d", said)
    assert "FGSM on the surrogate" in said


def test_ctrl_c_keeps_what_is_finished_and_the_same_command_goes_on(
    nets, checkpoint, tmp_path, capsys, monkeypatch
):
    from dendview.cli import robustness as command

    real, out = command.examine, tmp_path / "study"

    def stopped(*args, **words):
        for progress in real(*args, **words):
            yield progress
            if len(progress.result.curves) > 2:
                raise KeyboardInterrupt

    monkeypatch.setattr(command, "examine", stopped)
    words = ("robustness", "--checkpoint", str(checkpoint), "--out", str(out), *FEW)
    assert main(words) == 130
    assert "stopped; the same command goes on in" in capsys.readouterr().err
    result = from_json((out / "robustness.json").read_text("utf-8"))
    assert not result.complete
    assert result.curve("hpc_net") is not None
    monkeypatch.setattr(command, "examine", real)
    nets.asked.clear()
    assert main(words) == 0
    assert "surrogate from 0" not in nets.asked


def test_without_a_checkpoint_a_network_is_trained_in_the_folder(
    nets, tmp_path, capsys, monkeypatch
):
    from dendview.cli import robustness as command

    quick = replace(command.PRESETS["quick"], network=replace(tiny_spec(), n_hidden=4))
    quick = replace(quick, learning=replace(quick.learning, epochs=1, batch=64))
    monkeypatch.setitem(command.PRESETS, "quick", quick)
    monkeypatch.setattr(command, "why_no_torch", lambda: "")
    words = ("robustness", "--out", str(tmp_path / "study"), *FEW)
    assert main(words) == 0
    assert "epoch 1: loss" in capsys.readouterr().err
    trained = (tmp_path / "study" / "checkpoint.h5").read_bytes()
    assert main(words) == 0
    assert "epoch 1" not in capsys.readouterr().err
    assert (tmp_path / "study" / "checkpoint.h5").read_bytes() == trained


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--epsilon", "3"), "an epsilon of 3 is not between 0 and 1"),
        (("--n", "-5"), "-5 test images cannot be taken"),
        (("--checkpoint", "none.h5"), "none.h5: the checkpoint cannot be read"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(words, sentence, nets, tmp_path, capsys):
    assert main(("robustness", "--out", str(tmp_path), *words)) == 1
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1


def test_images_of_another_size_are_refused(nets, checkpoint, tmp_path, data_dir, capsys):
    """Where the folder that was learned from is gone, another may be the same, moved."""
    training, state = load_checkpoint(checkpoint)
    training = replace(training, data=str(tmp_path / "gone"))
    save_checkpoint(training, state, checkpoint)
    words = ("--checkpoint", str(checkpoint), "--data", str(data_dir / "datasets" / "mnist"))
    assert main(("robustness", "--out", str(tmp_path), *words)) == 1
    said = capsys.readouterr().err
    assert "this network has 64 inputs and 10 outputs, the images of mnist have 784 pixels" in said


def test_other_images_than_those_that_were_learned_are_refused(nets, checkpoint, tmp_path, capsys):
    """Though they be of the same size."""
    words = ("--checkpoint", str(checkpoint), "--data", str(tmp_path))
    assert main(("robustness", "--out", str(tmp_path / "study"), *words)) == 1
    assert "this network learned from digits; leave --data out" in capsys.readouterr().err


def test_a_network_that_learned_by_simulation_is_simulated(nets, checkpoint, tmp_path, capsys):
    training, state = load_checkpoint(checkpoint)
    save_checkpoint(replace(training, way="compartmental"), state, checkpoint)
    out = tmp_path / "study"
    words = ("robustness", "--checkpoint", str(checkpoint), "--out", str(out), *FEW, "--n", "4")
    assert main(words) == 0
    result = from_json((out / "robustness.json").read_text("utf-8"))
    assert result.complete
    assert result.curve("hpc_net") is not None
    assert result.curve("moved") is None  # what the shortcut alone can answer


def test_a_training_of_another_command_is_not_gone_on_with(nets, checkpoint, tmp_path, capsys):
    """It would be overwritten; the one this command began has no recipe beside it."""
    out = tmp_path / "run"
    out.mkdir()
    own = checkpoint.rename(out / "checkpoint.h5")
    training, _ = load_checkpoint(own)
    (out / "training.json").write_text(to_json(training), "utf-8")
    before = own.read_bytes()
    assert main(("robustness", "--out", str(out), *FEW)) == 1
    said = capsys.readouterr().err
    assert "has finished 0 of 1 epochs; end it by 'dendview train --resume --out" in said
    assert own.read_bytes() == before
    assert main(("robustness", "--out", str(out), "--checkpoint", str(own), *FEW)) == 0


def test_missing_torch_is_told_before_anything_is_trained(tmp_path, capsys, monkeypatch):
    from engine.experiments.robustness import deep_nets

    monkeypatch.setattr(deep_nets, "find_spec", lambda name: None)
    assert main(("robustness", "--out", str(tmp_path / "study"))) == 1
    said = capsys.readouterr().err
    assert "need torch and foolbox, which are not installed; pip install 'dendview[rob" in said
    assert said.count("\n") == 1


def test_missing_torch_is_told_where_a_piece_needs_it(checkpoint, tmp_path, capsys, monkeypatch):
    from engine.experiments.robustness import deep_nets

    deep_nets.need_torch.cache_clear()
    monkeypatch.setattr(deep_nets, "find_spec", lambda name: None if name == "foolbox" else "here")
    words = ("robustness", "--checkpoint", str(checkpoint), "--out", str(tmp_path / "study"))
    assert main(words) == 1
    assert "need foolbox, which is not installed" in capsys.readouterr().err


def test_help_tells_what_is_compared(capsys):
    with pytest.raises(SystemExit):
        main(("robustness", "--help"))
    said = capsys.readouterr().out
    assert "three controls that the publication lacks" in " ".join(said.split())
    assert max(map(len, said.splitlines())) <= 100
