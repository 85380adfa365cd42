"""The benchmark of training: all programs simulate the same network."""

from dataclasses import replace

import pytest

from dendview.cli.bench_train import line
from engine.backends import why_no_gpu
from engine.benchmarks.train import measure, report
from engine.experiments.hpc_net import HpcNet, Training, hidden_cell, load


def test_neuron_gets_the_same_voltages_from_the_same_network(h):
    network = HpcNet(hidden_cell("sample:spn", axon="keep"), n_hidden=2, n_synapses=2)
    training = Training(network)
    data = load()
    data = replace(data, train=data.train[:16], train_labels=data.train_labels[:16])
    answers = {}
    for program, answer in measure(training, data, rounds=1):
        answers[program] = answer
        found = report(training, data, answers)["programs"]
        assert program in line(program, found[program])
    assert list(found) == ["shortcut", "compartmental", "neuron"]
    assert " 0 s" not in line("shortcut", found["shortcut"])
    assert found["shortcut"]["test_seconds"] > 0
    assert found["shortcut"]["how"].startswith("1 mini-batches of 16")
    if "missing" in found["neuron"]:
        pytest.skip(found["neuron"]["missing"])
    for program in ("compartmental", "neuron"):
        assert found[program]["largest_relative_difference"] < 1e-8  # of the modes left out
        assert found[program]["epoch"] > 0
    theirs = found["neuron"]
    assert theirs["epoch"] == pytest.approx(16 * theirs["seconds"] / theirs["processes"])
    assert f"each of {theirs['processes']} processes at the same time" in theirs["how"]


def test_a_gpu_that_is_not_there_is_a_row_that_says_why():
    if not why_no_gpu():
        pytest.skip("there is a GPU here")
    data = load()
    data = replace(data, train=data.train[:2], train_labels=data.train_labels[:2])
    network = HpcNet(hidden_cell("sample:spn", axon="keep"), n_hidden=1)
    for program, answer in measure(Training(network), data, 1, None, "gpu"):
        if program == "shortcut on the GPU":
            assert "backend 'gpu' is unavailable" in line(program, answer)
            return
    pytest.fail("no row of the GPU")


@pytest.mark.gpu
def test_both_ways_are_measured_on_a_gpu():
    data = load()
    data = replace(data, train=data.train[:16], train_labels=data.train_labels[:16])
    training = Training(HpcNet(hidden_cell("sample:spn", axon="keep"), n_hidden=2))
    answers = dict(measure(training, data, 1, None, "gpu"))
    rows = report(training, data, answers)["programs"]
    for program in ("shortcut on the GPU", "compartmental on the GPU"):
        assert rows[program]["largest_relative_difference"] < 1e-8
