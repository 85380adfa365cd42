"""``dendview run`` with several cells."""

import json
from dataclasses import replace

import pytest

from dendview.cli import main
from engine.experiment import to_json
from engine.exporting.population import read_population_hdf5
from engine.stimuli import CurrentClamp
from tests.engine.backends.gpu import models
from tests.engine.backends.gpu.models import SOMA
from tests.engine.backends.gpu.test_population import ball_and_stick


@pytest.fixture
def files(tmp_path):
    """Two experiments of 4 ms on different trees."""
    cells = ball_and_stick(tmp_path, duration=4.0), models.experiment("hh", tmp_path)
    paths = [str(tmp_path / name) for name in ("ball.json", "forked.json")]
    for path, experiment in zip(paths, cells, strict=True):
        with open(path, "w", encoding="utf-8") as file:
            file.write(to_json(replace(experiment, duration=4.0)))
    return paths


def test_several_experiments_run_in_step_and_run_again_from_their_file(files, tmp_path, capsys):
    out, again = tmp_path / "out", tmp_path / "again"
    assert main(["run", *files, "--copies", "3,1", "--out", str(out), "--backend", "cpu"]) == 0
    told = capsys.readouterr().out
    assert "4 cells, 4 ms in" in told
    assert "3 cells of" in told
    assert {path.name for path in out.iterdir()} == {
        "traces.csv", "traces.h5", "spikes.csv", "population.json"
    }  # fmt: skip
    read = read_population_hdf5(out / "traces.h5")
    assert read.names == ("ball", "cell")
    assert [one.values.shape[1] for one in read.members] == [3, 1]
    words = ["run", "--population", str(out / "population.json"), "--out", str(again), "--json"]
    assert main([*words, "--backend", "cpu"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [member["copies"] for member in answer["members"]] == [3, 1]
    assert answer["complete"]
    assert (again / "traces.csv").read_bytes() == (out / "traces.csv").read_bytes()
    assert (again / "population.json").read_bytes() == (out / "population.json").read_bytes()


def test_a_recipe_goes_on_several_morphologies(tmp_path, capsys, monkeypatch):
    def taken(model, backend):
        population.append(model.population)
        return iter(())

    population = []
    monkeypatch.setattr("dendview.cli.run_population.simulate_population", taken)
    words = ["run", "sample:spn", "sample:mitral", "--recipe", "mitral", "--clamp", "0.4"]
    words += ["--duration", "60", "--copies", "2", "--out", str(tmp_path)]
    assert main(words) == 130  # nothing was run
    (given,) = population
    assert given.names == ("spn", "mitral")
    assert [member.copies for member in given.members] == [2, 2]
    assert {m.experiment.stimuli for m in given.members} == {(CurrentClamp(SOMA, 20, 20, 0.4),)}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--copies", "1,2,3"], "--copies gives 3 numbers for 2 cells; give one, or one for each"),
        (["--population", "x.json"], "does not go with --population; its file says what runs"),
    ],
)
def test_arguments_that_do_not_go_together(files, tmp_path, capsys, words, message):
    assert main(["run", *files, *words, "--out", str(tmp_path)]) == 1
    assert message in capsys.readouterr().err


def test_more_that_is_refused(files, tmp_path, capsys):
    out = ["--out", str(tmp_path)]
    assert main(["run", "--population", "nothere.json", *out]) == 1
    assert "nothere.json: the population cannot be read" in capsys.readouterr().err
    assert main(["run", "--population", "x.json", "--clamp", "1", *out]) == 1
    assert "--clamp does not go with --population" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["run", files[0], "--copies", "none", *out])
    assert "'none' is no number of copies; write 10, or 10,20" in capsys.readouterr().err


def test_a_table_too_long_is_left_out_and_said(files, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("dendview.cli.run_population.MOST_ROWS", 100)
    words = ["run", files[0], "--copies", "2", "--out", str(tmp_path / "out"), "--backend", "cpu"]
    assert main(words) == 0
    assert "traces.csv is left out: it would have 322 rows" in capsys.readouterr().err
    assert not (tmp_path / "out" / "traces.csv").exists()


def test_what_is_finished_is_kept(files, tmp_path, capsys, monkeypatch):
    from engine.population_run import simulate_population

    def stopped(model, backend):
        yield next(simulate_population(model, "cpu"))
        raise KeyboardInterrupt

    monkeypatch.setattr("dendview.cli.run_population.simulate_population", stopped)
    assert main(["run", *files, "--out", str(tmp_path / "out")]) == 130
    assert "stopped; what is finished is kept" in capsys.readouterr().err
    read = read_population_hdf5(tmp_path / "out" / "traces.h5")
    assert 1 < len(read.time) < 161
    assert not read.complete
