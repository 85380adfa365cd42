"""The command line as a person and a program use it."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtGui import QImage

from dendview.cli import COMMANDS, main
from engine.errors import BackendError, OutOfDeviceMemoryError
from engine.experiment import Experiment, Probe, to_json
from engine.exporting import read_traces_csv
from engine.recipes import recipe as published
from engine.schedule import make_schedule
from engine.simulation import simulate
from engine.stimuli import CurrentClamp, Site
from tests.conftest import ROOT

SAMPLE = "sample:ball_and_stick"


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> dict:
    assert main([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_schedule_prints_what_a_program_reads(capsys):
    given = answer(capsys, "schedule", "sample:l5b", "--threads", "16", "--rule", "max_length:40")
    assert given["idle_slots"] == 16 * given["n_steps"] - (given["n_nodes"] - 1)
    assert given["optimal"] == (given["n_steps"] == given["bound"])
    assert given["nodes"] == "neuron"
    serial = answer(capsys, "schedule", "sample:l5b", "--method", "hines", "--threads", "1")
    assert serial["n_steps"] == given["n_nodes"] - 1 == given["serial_steps"]
    assert given["n_steps"] < serial["n_steps"]


@pytest.mark.parametrize(
    ("words", "n_nodes", "n_steps"),
    [
        (("L5bPC_hay2011_cell1.asc", "--axon", "stub"), 839, 83),
        (("human_L23PC_eyal2018_2013_03_06_cell11_1125_H41_06.ASC", "--axon", "stub"), 1263, 81),
        (("SPN_lindroos2018_latest_WT-P270-20-14ak.swc",), 269, 21),
    ],
)
def test_the_papers_cells_take_the_published_steps(capsys, data_dir, words, n_nodes, n_steps):
    path = data_dir / "morphologies" / "paper" / words[0]
    options = ("--method", "dhs", "--threads", "16", "--rule", "max_length:40", "--nodes", "neuron")
    given = answer(capsys, "schedule", str(path), *words[1:], *options)
    assert (given["n_nodes"], given["n_steps"], given["optimal"]) == (n_nodes, n_steps, True)


def test_schedule_writes_all_of_it(tmp_path, capsys):
    for name in ("schedule.json", "schedule.csv"):
        assert main(["schedule", SAMPLE, "--threads", "2", "--out", str(tmp_path / name)]) == 0
    given = json.loads((tmp_path / "schedule.json").read_text())
    schedule = make_schedule(np.array(given["parent"]), "dhs", 2)
    assert given["thread"] == schedule.thread.tolist()
    assert [node for step in given["steps"] for node in step] == schedule.node.tolist()
    rows = (tmp_path / "schedule.csv").read_text().splitlines()
    assert len([row for row in rows if not row.startswith("#")]) == given["n_nodes"] + 1
    assert "steps" in capsys.readouterr().out


def test_info_says_what_the_file_holds(capsys):
    given = answer(capsys, "info", SAMPLE)
    assert given["cell"] == "ball_and_stick"
    assert given["n_tree"] == 1
    assert main(["info", SAMPLE]) == 0
    assert "membrane" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("info", "nothere.swc"), "nothere.swc: there is no such file"),
        (("info", "sample:l5c"), "did you mean"),
        (("schedule", SAMPLE, "--threads", "0"), "thread"),
        (("schedule", SAMPLE, "--threads", "2000"), "1024"),
        (("schedule", SAMPLE, "--out", "schedule.xml"), ".csv or .json"),
        (("run", "nothere.json", "--out", "out"), "nothere.json"),
        (("run", "--out", "out"), "--recipe"),
        (("run", "--recipe", "mitrall", "--out", "out"), "did you mean 'mitral'"),
        (("run", "x.json", "--recipe", "mitral", "--out", "out"), "give a SWC or ASC file"),
        (("run", "x.json", "--clamp", "1", "--out", "out"), "go with --recipe"),
        (("screenshot", SAMPLE, "--out", "window.jpg"), ".png"),
        (("screenshot", SAMPLE, "--out", "w.png", "--step", "2"), "--perspective schedule"),
    ],
)
def test_a_mistake_is_one_sentence_and_status_1(capsys, tmp_path, monkeypatch, words, sentence):
    monkeypatch.chdir(tmp_path)
    assert main(list(words)) == 1
    said = capsys.readouterr().err
    assert sentence in said
    assert said.startswith("dendview: ")
    assert said.count("\n") == 1
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("schedul", SAMPLE), "did you mean 'schedule'?"),
        (("schedule",), "required: path"),
        (("schedule", SAMPLE, "--rule", "max_length:x"), "has 'x' where a number belongs"),
        (("schedule", SAMPLE, "--rule", "fixed:0"), "rule 'fixed:0' needs a positive value"),
        (("schedule", SAMPLE, "--method", "fastest"), "choose from"),
        (("screenshot", SAMPLE, "--out", "w.png", "--size", "big"), "write it as 1600x1000"),
    ],
)
def test_wrong_usage_is_status_2_with_its_reason(capsys, words, reason):
    with pytest.raises(SystemExit) as stop:
        main(list(words))
    assert stop.value.code == 2
    said = capsys.readouterr().err
    assert "usage" in said
    assert reason in said


def recipe(folder: Path, **changes) -> Path:
    """An experiment on the ball and stick, as a file."""
    experiment = Experiment(SAMPLE, duration=20.0, probes=(Probe(Site("soma[0]")),))
    path = folder / "recipe.json"
    path.write_text(to_json(replace(experiment, **changes)), encoding="utf-8")
    return path


def test_a_run_that_is_stopped_keeps_what_is_finished(capsys, tmp_path, monkeypatch):
    def stopped(model, backend):
        yield from itertools.islice(simulate(model, backend), 2)
        raise KeyboardInterrupt

    monkeypatch.setattr("dendview.cli.run.simulate", stopped)
    assert main(["run", str(recipe(tmp_path)), "--out", str(tmp_path / "out")]) == 130
    assert "kept" in capsys.readouterr().err
    table = read_traces_csv(tmp_path / "out" / "traces.csv")
    assert not table.complete
    assert 16 < len(table.values) < 801


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OutOfDeviceMemoryError(2 * 10**9, 10**9, 0),
        BackendError("the GPU failed (out of memory)"),
    ],
)
def test_where_memory_ends_what_is_finished_is_kept(capsys, tmp_path, monkeypatch, error):
    def full(model, backend):
        yield from itertools.islice(simulate(model, backend), 2)
        raise error

    monkeypatch.setattr("dendview.cli.run.simulate", full)
    assert main(["run", str(recipe(tmp_path)), "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "memory" in said
    assert "% are kept)" in said
    assert 16 < len(read_traces_csv(tmp_path / "out" / "traces.csv").values) < 801


def test_what_ran_is_told_and_the_cpu_has_one_precision(capsys, tmp_path):
    words = ["run", str(recipe(tmp_path)), "--backend", "cpu", "--out", str(tmp_path / "out")]
    assert main(words) == 0
    assert read_traces_csv(tmp_path / "out" / "traces.csv").engine == "CPU"
    assert main([*words, "--precision", "single"]) == 1
    assert "backend 'cpu' computes in double precision only" in capsys.readouterr().err


def test_the_signal_to_end_keeps_what_is_finished(capsys, tmp_path, monkeypatch):
    def ended(model, backend):
        yield from itertools.islice(simulate(model, backend), 2)
        os.kill(os.getpid(), signal.SIGTERM)
        for _ in range(1000):  # Python hears a signal between two instructions
            time.sleep(0.001)
        pytest.fail("the signal was not heard")

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr("dendview.cli.run.simulate", ended)
    assert main(["run", str(recipe(tmp_path)), "--out", str(tmp_path / "out")]) == 130
    assert "kept" in capsys.readouterr().err
    assert 16 < len(read_traces_csv(tmp_path / "out" / "traces.csv").values) < 801
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_recipe_goes_on_any_morphology(capsys, tmp_path, monkeypatch):
    asked = []

    def taken(model, backend):
        asked.append(model.experiment)
        return iter(())

    monkeypatch.setattr("dendview.cli.run.simulate", taken)
    out = ("--out", str(tmp_path / "out"))
    words = ("run", "sample:spn", "--recipe", "mitral", "--clamp", "0.4", "--duration", "60")
    main([*words, *out])
    main(["run", "--recipe", "mitral", *out])
    capsys.readouterr()
    other, own = asked
    assert (other.morphology, own.morphology) == ("sample:spn", "sample:mitral")
    assert other.insertions == own.insertions == published("mitral").insertions
    assert other.stimuli == (CurrentClamp(Site("soma[0]"), 20.0, 20.0, 0.4),)
    assert (other.duration, own.duration, own.stimuli) == (60.0, 300.0, ())


def test_samples_are_cut_as_their_models_are(capsys):
    toy = answer(capsys, "schedule", "sample:toy15", "--threads", "4")
    assert (toy["rule"], toy["nodes"]) == ("fixed:1", "merged")
    assert (toy["n_nodes"], toy["n_steps"]) == (15, 5)  # Fig. 2d of the paper
    ca1 = answer(capsys, "schedule", "sample:ca1")
    assert (ca1["rule"], ca1["nodes"]) == ("max_length:20", "neuron")
    asked = answer(capsys, "schedule", "sample:ca1", "--rule", "max_length:40")
    assert asked["rule"] == "max_length:40"
    assert asked["n_nodes"] < ca1["n_nodes"]


def test_a_run_that_leaves_all_bounds_keeps_what_came_before(capsys, tmp_path):
    clamp = CurrentClamp(Site("soma[0]"), delay=10.0, duration=5.0, amplitude=1e6)
    path = recipe(tmp_path, stimuli=(clamp,))
    assert main(["run", str(path), "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert said.startswith("dendview: the voltage at soma[0]")
    assert said.count("\n") == 1
    table = read_traces_csv(tmp_path / "out" / "traces.csv")
    assert not table.complete
    assert table.values[-1, 0] == pytest.approx(10.0, abs=0.1)


def test_a_folder_that_takes_no_files_is_told_before_the_run(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("dendview.cli.run.simulate", lambda *_: pytest.fail("it ran"))
    path = recipe(tmp_path)
    (tmp_path / "file").write_text("")
    (tmp_path / "out" / "experiment.json").mkdir(parents=True)
    for out in ("file", "file/out", "out"):
        assert main(["run", str(path), "--out", str(tmp_path / out)]) == 1
        said = capsys.readouterr().err
        assert said.startswith(f"dendview: {tmp_path / out}")
        assert said.count("\n") == 1


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    assert all(command in said for command in COMMANDS)


def dendview(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, without a display."""
    env = {
        key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY")
    }
    return subprocess.run(
        [sys.executable, "-m", "dendview", *words],
        env=env | environment,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=240,
    )


def test_commands_do_not_import_qt(tmp_path):
    program = (
        "import sys; from dendview.cli import main; "
        f"main(['schedule', '{SAMPLE}', '--json']); main(['info', '{SAMPLE}']); "
        f"assert main(['run', '{recipe(tmp_path)}', '--out', '{tmp_path}']) == 0; "
        "windows = {'PyQt6', 'vispy', 'pyqtgraph'}; assert not windows & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=120)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a display")
def test_without_a_display_the_window_is_refused_in_a_sentence():
    ended = dendview()
    assert ended.returncode == 1
    assert "dendview demo" in ended.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="uses Xvfb")
def test_the_demo_leaves_pictures_and_files_that_run_again(tmp_path):
    out = tmp_path / "demo"
    ended = dendview("demo", SAMPLE, "--out", str(out))
    assert ended.returncode == 0, ended.stderr
    assert (out / "summary.txt").read_text() == ended.stdout
    for name in ("cell-by-thread.png", "gantt.png", "window.png"):
        assert n_colors(out / name) > 20, f"{name} is empty"
    schedule = json.loads((out / "schedule.json").read_text())
    assert schedule["n_steps"] == schedule["bound"]

    again = tmp_path / "again"
    assert main(["run", str(out / "experiment.json"), "--out", str(again)]) == 0
    first, second = (read_traces_csv(folder / "traces.csv") for folder in (out, again))
    np.testing.assert_array_equal(first.values, second.values)
    assert first.values.max() > 0, "the demonstration's cell fires"


@pytest.mark.skipif(sys.platform != "linux", reason="uses Xvfb")
def test_a_screenshot_has_the_size_asked_for(tmp_path):
    path = tmp_path / "window.png"
    words = ("screenshot", SAMPLE, "--perspective", "schedule", "--out", str(path))
    ended = dendview(*words, "--size", "1280x800", "--theme", "light")
    assert ended.returncode == 0, ended.stderr
    image = QImage(str(path))
    assert (image.width(), image.height()) == (1280, 800)
    assert n_colors(path) > 100
    assert dendview(*words, "--step", "2").returncode == 0
    assert n_colors(path) > 100
    stepped = QImage(str(path))
    assert dendview(*words, "--step", "3").returncode == 0
    assert QImage(str(path)) != stepped


def n_colors(path: Path) -> int:
    image = QImage(str(path)).convertToFormat(QImage.Format.Format_RGB32)
    assert not image.isNull(), f"{path} is no picture"
    bits = image.constBits()
    assert bits is not None
    bits.setsize(image.sizeInBytes())
    return len(np.unique(np.frombuffer(bits, np.uint32)))


@pytest.mark.parametrize("words", [("info", SAMPLE), ("schedule", "sample:purkinje", "--json")])
def test_a_reader_that_has_enough_is_no_failure_to_tell(words):
    command = subprocess.Popen(
        [sys.executable, "-m", "dendview", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    command.stdout.close()
    said = command.stderr.read().decode()
    command.stderr.close()
    assert (command.wait(120), said) == (141, "")
