"""Exported files say what they are, read back to the same bits, and are whole or not there."""

import json
import os
import pickle
import subprocess
import sys
from dataclasses import replace

import h5py
import numpy as np
import pytest

from engine import __version__
from engine.errors import FileError
from engine.experiment import Experiment, Insertion, Probe
from engine.exporting import (
    export_schedule_csv,
    export_schedule_json,
    export_spikes_csv,
    export_traces_csv,
    export_traces_hdf5,
    read_traces_csv,
    read_traces_hdf5,
)
from engine.exporting.atomic import written_aside
from engine.model import build
from engine.recording import collect
from engine.schedule import make_schedule
from engine.simulation import simulate
from engine.stimuli import CurrentClamp, Site
from tests.conftest import ROOT
from tests.engine.cells_on_disk import FORKED, write

SOMA = Site("soma[0]")


@pytest.fixture(scope="module")
def experiment(tmp_path_factory):
    path = write(tmp_path_factory.mktemp("cell"), FORKED, "größe 1, µ.swc")
    return Experiment(
        str(path),
        insertions=(Insertion("hh"),),
        stimuli=(CurrentClamp(SOMA, 1.0, 20.0, 0.4),),
        probes=(Probe(SOMA), Probe(SOMA, "m_hh"), Probe(Site("apic[1]", 0.9), "ina")),
        duration=30.0,
        name='a "quoted", name\nof two\u2028lines',
    )


def record(experiment, n_instance=1):
    model = build(experiment, n_instance)
    return collect(model, simulate(model))


@pytest.fixture(scope="module")
def recording(experiment):
    return record(experiment)


def test_traces_csv_reads_back_to_the_same_bits(recording, tmp_path):
    export_traces_csv(recording, tmp_path / "t.csv")
    table = read_traces_csv(tmp_path / "t.csv")
    assert table.columns == (
        "time (ms)",
        "soma[0](0.5) v (mV)",
        "soma[0](0.5) m_hh (1)",
        "apic[1](0.9) ina (mA/cm2)",
    )
    np.testing.assert_array_equal(table.values[:, 0], recording.time)
    np.testing.assert_array_equal(table.values[:, 1:].T, recording.values[:, 0])
    assert table.origin == recording.origin
    assert table.program == f"DendView {__version__}"
    assert table.complete


def test_traces_csv_names_instances(experiment, tmp_path):
    recording = record(replace(experiment, probes=(Probe(SOMA),), duration=1.0), n_instance=2)
    export_traces_csv(recording, tmp_path / "t.csv")
    table = read_traces_csv(tmp_path / "t.csv")
    assert table.columns[1:] == (
        "soma[0](0.5) v (mV) instance 0",
        "soma[0](0.5) v (mV) instance 1",
    )
    np.testing.assert_array_equal(table.values[:, 2], recording.values[0, 1])


def test_any_csv_reader_can_take_the_table(recording, tmp_path):
    export_traces_csv(recording, tmp_path / "t.csv")
    values = np.loadtxt(tmp_path / "t.csv", delimiter=",", comments="#", skiprows=4)
    np.testing.assert_array_equal(values[:, 0], recording.time)


def test_spikes_csv(recording, tmp_path):
    export_spikes_csv(recording, tmp_path / "s.csv")
    table = read_traces_csv(tmp_path / "s.csv")
    assert table.columns == ("instance", "time (ms)")
    assert len(table.values) >= 1
    np.testing.assert_array_equal(table.values, recording.spikes)


def test_a_run_without_spikes_or_probes_is_a_table_too(experiment, tmp_path):
    silent = record(replace(experiment, stimuli=(), probes=(), duration=1.0))
    export_spikes_csv(silent, tmp_path / "s.csv")
    export_traces_csv(silent, tmp_path / "t.csv")
    export_traces_hdf5(silent, tmp_path / "t.h5")
    assert read_traces_csv(tmp_path / "s.csv").values.shape == (0, 2)
    assert read_traces_csv(tmp_path / "t.csv").values.shape == (41, 1)
    assert read_traces_hdf5(tmp_path / "t.h5").values.shape == (0, 1, 41)


def test_hdf5_reads_back_to_the_same_bits_and_explains_itself(recording, tmp_path):
    export_traces_hdf5(recording, tmp_path / "t.h5")
    back = read_traces_hdf5(tmp_path / "t.h5")
    for name in ("time", "values", "frame_time", "frames", "spikes", "segment"):
        np.testing.assert_array_equal(getattr(back, name), getattr(recording, name))
        assert getattr(back, name).dtype == getattr(recording, name).dtype
    assert back.labels == recording.labels
    assert back.units == recording.units
    assert back.origin == recording.origin
    assert back.complete
    with h5py.File(tmp_path / "t.h5") as file:
        assert file.attrs["program"] == f"DendView {__version__}"
        assert file.attrs["dt"] == 0.025
        assert json.loads(file.attrs["experiment"])["format"] == "dendview-experiment"
        assert list(file["values"].attrs["units"]) == ["mV", "1", "mA/cm2"]
        assert {file[name].attrs.get("unit") for name in ("time", "frame_time")} == {"ms"}
        assert file["frames"].attrs["unit"] == "mV"


def test_what_computed_a_run_is_told(recording, tmp_path):
    engine = "GPU: Some Device, membrane in single precision"
    told = replace(recording, engine=engine)
    export_traces_csv(told, tmp_path / "t.csv")
    assert read_traces_csv(tmp_path / "t.csv").engine == engine
    export_traces_hdf5(told, tmp_path / "t.h5")
    assert read_traces_hdf5(tmp_path / "t.h5").engine == engine
    assert f"# engine: {engine}\n" in (tmp_path / "t.csv").read_text(encoding="utf-8")
    export_traces_csv(recording, tmp_path / "n.csv")  # nobody said
    assert "# engine" not in (tmp_path / "n.csv").read_text(encoding="utf-8")
    assert read_traces_csv(tmp_path / "n.csv").engine == ""


def test_an_unfinished_run_says_so(recording, tmp_path):
    partial = replace(recording, complete=False)
    export_traces_csv(partial, tmp_path / "t.csv")
    export_traces_hdf5(partial, tmp_path / "t.h5")
    assert not read_traces_csv(tmp_path / "t.csv").complete
    assert not read_traces_hdf5(tmp_path / "t.h5").complete


def test_schedule_csv_holds_every_node(experiment, tmp_path):
    tree = build(experiment).tree
    schedule = make_schedule(tree, "dhs", 4)
    export_schedule_csv(schedule, tree, tmp_path / "s.csv")
    lines = (tmp_path / "s.csv").read_text(encoding="utf-8").splitlines()
    assert lines[2] == "node,parent,step,thread,depth,section,x,segment,massless"
    rows = [line.split(",") for line in lines[3:]]
    assert len(rows) == tree.n_comp
    for i, (node, parent, step, thread, _, section, x, segment, massless) in enumerate(rows):
        assert int(node) == i
        assert int(parent) == tree.parent[i]
        assert int(thread) == schedule.thread[i]
        assert section == tree.sections.name[tree.section[i]]
        assert float(x) == tree.x[i]
        assert int(segment) == tree.segment[i]
        assert (massless == "1") == tree.massless[i]
        if i == 0:
            assert int(step) == -1
        else:
            first, last = schedule.step_start[int(step)], schedule.step_start[int(step) + 1]
            assert i in schedule.node[first:last]


def test_schedule_json_holds_the_summary_and_the_steps(experiment, tmp_path):
    tree = build(replace(experiment, nodes="neuron")).tree
    schedule = make_schedule(tree, "depth_levels", 4)
    export_schedule_json(schedule, tree, tmp_path / "s.json")
    body = json.loads((tmp_path / "s.json").read_text(encoding="utf-8"))
    assert body["method"] == "depth_levels"
    assert body["n_nodes"] == tree.n_comp
    assert body["n_steps"] == schedule.n_step == len(body["steps"])
    assert body["idle_slots"] == 4 * schedule.n_step - (tree.n_comp - 1)
    assert body["optimal"] == (body["bound"] == schedule.n_step)
    assert body["node_set"] == "neuron"
    assert [n for step in body["steps"] for n in step] == schedule.node.tolist()
    for number, step in enumerate(body["steps"]):
        assert (schedule.step[step] == number).all()


EXPORTS = [export_traces_csv, export_spikes_csv, export_traces_hdf5]


@pytest.mark.parametrize("export", EXPORTS)
def test_where_nothing_can_be_written_a_sentence_says_so(export, recording, tmp_path):
    with pytest.raises(FileError, match=r"cannot be written .*choose a folder that exists"):
        export(recording, tmp_path / "nowhere" / "t.csv")
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="cannot be written"):
        export(recording, tmp_path / "file" / "t.csv")
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileError, match="choose a file name, not a folder"):
        export(recording, tmp_path / "folder")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_is_a_sentence(tmp_path):
    def fill():
        with written_aside(tmp_path / "a.csv"), open("/dev/full", "w") as file:
            file.write("x" * 100_000)

    with pytest.raises(FileError, match=r"No space left.*free some space"):
        fill()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of a file as Linux does")
@pytest.mark.parametrize("export", EXPORTS)
def test_a_disk_that_fills_up_leaves_no_file(export, recording, tmp_path):
    """In a process of its own, since HDF5 could end it; a limit takes the part of the disk."""
    recording = replace(recording, spikes=np.ones((5000, 2)))
    (tmp_path / "recording").write_bytes(pickle.dumps(recording))
    program = f"""
import pickle, resource, signal
from pathlib import Path
from engine.errors import FileError
from engine.exporting import {export.__name__} as export
recording = pickle.loads(Path("recording").read_bytes())
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    export(recording, Path("out"))
except FileError as error:
    print(error)
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=120,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("out: the file cannot be written (File too large)")
    assert [p.name for p in tmp_path.iterdir()] == ["recording"]


def test_a_failed_export_leaves_the_older_file(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("old")

    def fail():
        with written_aside(path) as aside:
            aside.write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert path.read_text() == "old"
    with written_aside(path) as aside:
        aside.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]


def test_what_is_no_export_is_refused(tmp_path):
    path = tmp_path / "x"
    path.write_text("time,v\n1,2\n")
    with pytest.raises(FileError, match="not a table of traces"):
        read_traces_csv(path)
    with pytest.raises(FileError, match="cannot be read"):
        read_traces_hdf5(path)
    with pytest.raises(FileError, match="cannot be read"):
        read_traces_csv(tmp_path / "absent")
