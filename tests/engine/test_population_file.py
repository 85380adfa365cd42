"""Populations as files: equal when read back, and refused with the member that is wrong."""

import json
from dataclasses import replace

import pytest

from engine.errors import FileError
from engine.experiment import Experiment, to_json
from engine.experiment import from_json as experiment_from_json
from engine.population import Member, Population
from engine.population_file import FORMAT, from_json, on_recipe, read_population
from engine.population_file import to_json as population_to_json


def test_a_population_reads_back_equal():
    one = Experiment("sample:spn", name="one")
    population = Population((Member(one, 3, 'a, "b"'), Member(replace(one, celsius=37.0), 1, "c")))
    text = population_to_json(population)
    assert from_json(text) == population
    assert population_to_json(from_json(text)) == text


def test_members_come_from_files_and_recipes(tmp_path):
    cell = tmp_path / "cells" / "cell.swc"
    cell.parent.mkdir()
    (tmp_path / "cells" / "one.json").write_text(to_json(Experiment("cell.swc", name="one")))
    members = [
        {"experiment": "cells/one.json", "copies": 4},
        {"recipe": "ca1", "morphology": "cells/cell.swc", "duration": 30, "clamp": 0.2},
        {"recipe": "l5b", "name": "fifth"},
        {"experiment": json.loads(to_json(Experiment("cells/cell.swc")))},
    ]
    path = tmp_path / "population.json"
    path.write_text(json.dumps({"format": FORMAT, "version": 1, "members": members}))
    read = read_population(path)
    assert [member.copies for member in read.members] == [4, 1, 1, 1]
    first, second, third, fourth = (member.experiment for member in read.members)
    assert first.morphology == second.morphology == fourth.morphology == str(cell)
    assert second == on_recipe("ca1", str(cell), 30, 0.2)
    assert second.stimuli[0].amplitude == 0.2
    assert third.morphology == "sample:l5b"
    assert read.names[2] == "fifth"


def test_a_recipe_on_a_relative_path_runs_again_from_anywhere(tmp_path, monkeypatch):
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path)
    one = on_recipe("ca1", "cell.swc")
    assert on_recipe("ca1", "sample:spn").morphology == "sample:spn"
    path = tmp_path / "out" / "population.json"
    path.write_text(population_to_json(Population((Member(one),))))
    (tmp_path / "out" / "experiment.json").write_text(to_json(one))
    monkeypatch.chdir(tmp_path / "out")
    again = [member.experiment for member in read_population(path).members]
    again.append(experiment_from_json(to_json(one), tmp_path / "out" / "experiment.json"))
    assert {each.morphology for each in again} == {str(tmp_path / "cell.swc")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "this is not JSON"),
        ("[]", "is not a population"),
        ('{"format": "dendview-experiment"}', "is not a population"),
        ({"version": 2}, "format version 2 is not known to this program; it reads version 1"),
        ({"members": []}, "it has no members"),
        ({"members": [3]}, "member 0: this is no object"),
        ({"members": [{"copies": 2}]}, "member 0: it is not clear what runs; give either"),
        ({"members": [{"recipe": "ca1", "copy": 2}]}, "no field 'copy'; did you mean 'copies'"),
        ({"members": [{"recipe": "ca1", "copies": 1.5}]}, "'copies' is 1.5; write a whole number"),
        ({"members": [{"recipe": "ca1", "copies": True}]}, "'copies' is true; write a whole"),
        (
            {"members": [{"recipe": "ca2"}]},
            "member 0: there is no recipe 'ca2'; did you mean 'ca1'",
        ),
        ({"members": [{"experiment": "no.json"}]}, r"no\.json: the experiment cannot be read"),
        ({"members": [{"experiment": {"format": "dendview-experiment"}}]}, "no format version"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, text, message):
    if isinstance(text, dict):
        text = json.dumps({"format": FORMAT, "version": 1} | text)
    path = tmp_path / "population.json"
    path.write_text(text)
    with pytest.raises(FileError, match=message) as error:
        read_population(path)
    assert str(tmp_path) in str(error.value)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(FileError, match=r"cannot be read \(No such file"):
        read_population(tmp_path / "none.json")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileError, match="not a text file"):
        read_population(tmp_path / "binary.json")
