"""The measurement of populations: the same cells both ways, counted once."""

import json

import pytest

from dendview.cli import main
from engine.backends.gpu.backend import GpuBackend
from engine.backends.gpu.shape import Shape
from engine.benchmarks import population
from engine.benchmarks.population import compare, measure, report, some_trees
from tests.engine.shim_device import ShimDevice


@pytest.fixture(scope="module")
def model():
    return some_trees(("ball_and_stick", "spn"), 2)


def test_both_ways_give_the_same_bits_and_every_compartment_counts_once(model, monkeypatch):
    clock = iter([0.0, 9.0, 0.0, 9.0, 0.0, 1.0, 0.0, 3.0])
    monkeypatch.setattr(population, "perf_counter", lambda: next(clock))
    ((name, answer),) = measure(model, 20, 1, ("cpu",))
    n_node = sum(2 * one.n_comp for one in model.models)
    assert (name, answer["cells"], answer["trees"]) == ("cpu", 4, 2)
    assert answer["compartments"] == n_node
    assert answer["seconds"] == {"together": 1.0, "in_turn": 3.0}
    assert answer["ratio"] == 3.0
    assert answer["ns"]["together"] == pytest.approx(1e9 / (n_node * 20))
    assert answer["same_bits"]
    document = report({name: answer}, model)
    assert document["cells"]["spn"]["copies"] == 2
    json.dumps(document)


def test_a_device_and_other_bits_are_said(model, monkeypatch):
    backend = GpuBackend(ShimDevice(), Shape(8, 8))
    assert compare(model, backend, 5, 1)["same_bits"]
    whole = backend.start_population
    monkeypatch.setattr(backend, "start_population", lambda models: whole([models[0]] * 2))
    assert not compare(model, backend, 5, 1)["same_bits"]


def test_the_command(capsys, tmp_path):
    out = tmp_path / "b.json"
    words = ["bench", "population", "--cells", "ball_and_stick", "--copies", "2", "--steps", "10"]
    main([*words, "--rounds", "1", "--backend", "cpu", "--json", "--out", str(out)])
    told = capsys.readouterr()
    assert "CPU: 2 cells of 1 tree, " in told.err
    assert json.loads(told.out)["backends"].keys() == {"cpu"}
    assert json.loads(told.out)["backends"] == json.loads(out.read_text())["backends"]
    assert main([*words[:2], "--cells", "spm"]) == 1
    assert "no cell 'spm'; choose from ball_and_stick, spn" in capsys.readouterr().err
    assert main([*words, "--rounds", "0"]) == 1
