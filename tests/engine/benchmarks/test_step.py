"""The benchmark of a step: the same trees for all, missing programs named, ratios right."""

import json
import sys

import numpy as np
import pytest

from dendview.cli import main
from engine.benchmarks import step
from engine.benchmarks.step import BRANCHES, Setting, compare, measure, settings
from engine.benchmarks.trees import write_tree
from engine.discretize import Rule, discretize
from engine.morphology.reading import read_morphology
from engine.morphology.sections import make_sections


@pytest.mark.parametrize("n_branch", [200, 1000])
def test_a_tree_has_the_compartments_it_is_named_after(tmp_path, n_branch):
    path = tmp_path / "tree.swc"
    write_tree(path, n_branch)
    sections = make_sections(read_morphology(path))
    tree = discretize(sections, Rule("fixed", 5))
    assert tree.n_segment == 5 * (n_branch + 1)
    again = tmp_path / "again.swc"
    write_tree(again, n_branch)
    assert again.read_bytes() == path.read_bytes()


def test_rows_are_those_of_the_table():
    rows = list(settings(cores=2))
    assert len({row.name for row in rows}) == len(rows) == 3 * 3 * 2 * 2
    assert {(row.size, row.copies) for row in rows} == {
        (1000, 1), (1000, 64), (5000, 1), (5000, 64), (50_000, 1), (50_000, 8),
    }  # fmt: skip
    assert {row.size for row in settings(quick=True)} == {1000, 5000}
    assert {row.threads for row in settings(cores=1)} == {1}


def test_ratio_is_to_the_fastest_peer():
    answers = compare({
        "dendview": {"ns": 2.0, "cpu_ns": 2.0}, "neuron": {"ns": 30.0, "cpu_ns": 20.0},
        "arbor": {"ns": 11.0, "cpu_ns": 10.0}, "jaxley": {"missing": "not installed"},
    })  # fmt: skip
    assert (answers["fastest_peer"], answers["ratio"], answers["cpu_ratio"]) == ("arbor", 5.5, 5.0)
    assert "ratio" not in compare({"dendview": {"ns": 2.0, "cpu_ns": 2.0}})


def test_programs_that_are_not_there_are_reported(monkeypatch):
    monkeypatch.setattr(step, "ROUND", 1e-3)
    setting = Setting("passive", 1000, 1, 1)
    ((_, answers),) = measure([setting], ("dendview", "arbor"), python="/no/such/python", rounds=1)
    assert "No such file" in answers["arbor"]["missing"]
    assert answers["dendview"]["n_comp"] == 5 * (BRANCHES[1000] + 1)
    assert answers["dendview"]["ns"] > 0
    assert np.isfinite(answers["dendview"]["cpu_ns"])


def test_every_synapse_has_a_compartment_of_its_own():
    sys.path.insert(0, str(step.SCRIPTS))
    try:
        from protocol import Task
    finally:
        sys.path.remove(str(step.SCRIPTS))
    task = Task("tree.swc", "synaptic", 1, 1, branches=200, n_step=1)
    found = task.synapses()
    assert len({place[:2] for place in found}) == len(found) == 400
    assert {round(x * 10) for _, x, _ in found} == {1, 3, 5, 7, 9}
    assert max(branch for branch, _, _ in found) < 200
    assert found == task.synapses()


def test_a_program_that_breaks_down_is_reported(monkeypatch, tmp_path):
    broken = tmp_path / "broken.py"
    broken.write_text("import json\nprint(json.dumps({'ready': {}}))\nraise SystemExit('no ink')\n")
    monkeypatch.setitem(step.PEERS, "neuron", (str(broken),))
    setting = Setting("hh", 1000, 1, 1)
    ((_, answers),) = measure([setting], ("neuron",), rounds=1)
    assert answers["neuron"] == {"missing": "no ink"}


def test_the_command_prints_json_and_names_what_it_cannot_do(monkeypatch, capsys):
    monkeypatch.setattr(step, "ROUND", 1e-3)
    words = [
        "bench",
        "step",
        "--only",
        "hh_1000x1_1t",
        "--peers",
        "none",
        "--json",
        "--rounds",
        "1",
    ]
    assert main(words) == 0
    said = capsys.readouterr()
    (row,) = json.loads(said.out)["rows"]
    assert (row["case"], row["size"], row["copies"]) == ("hh", 1000, 1)
    assert row["dendview"]["ns"] > 0
    assert main(["bench", "step", "--peers", "nest"]) == 1
    assert "there is no peer 'nest'" in capsys.readouterr().err
    assert main(["bench", "step", "--only", "7000x"]) == 1
    assert "no row has '7000x'" in capsys.readouterr().err
