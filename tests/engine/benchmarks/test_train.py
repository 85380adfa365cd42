"""The benchmark of training: all programs simulate the same network."""

from dataclasses import replace

import pytest

from dendview.cli.bench_train import line
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
    if "missing" in found["neuron"]:
        pytest.skip(found["neuron"]["missing"])
    for program in ("compartmental", "neuron"):
        assert found[program]["largest_relative_difference"] < 1e-8  # of the modes left out
        assert found[program]["epoch"] > 0
