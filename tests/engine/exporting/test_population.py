"""A population's files name member and cell, and read back to the same bits."""

import csv
from dataclasses import replace

import h5py
import numpy as np
import pytest

from engine.errors import FileError
from engine.experiment import Probe
from engine.exporting.population import (
    export_population_csv,
    export_population_hdf5,
    export_population_spikes_csv,
    n_row,
    read_population_hdf5,
)
from engine.population import Member, Population, build_population
from engine.population_file import from_json
from engine.population_run import collect_population, simulate_population
from tests.engine.backends.gpu import models
from tests.engine.backends.gpu.models import SOMA, TUFT
from tests.engine.backends.gpu.test_population import ball_and_stick


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cells")
    forked = replace(models.experiment("hh", folder), probes=(Probe(TUFT), Probe(SOMA)))
    members = (
        Member(ball_and_stick(folder, duration=5.0), 2, 'small, "round"'),
        Member(replace(forked, duration=5.0), 1),
    )
    model = build_population(Population(members))
    return collect_population(model, simulate_population(model, "cpu"))


def table(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [line.split(":")[0] for line in lines[:3]] == ["# program", "# complete", "# population"]
    return lines[2].removeprefix("# population: "), list(csv.DictReader(lines[3:]))


def test_the_table_of_traces_has_a_row_for_every_cell_and_sample(recording, tmp_path):
    export_population_csv(recording, tmp_path / "t.csv")
    recipe, rows = table(tmp_path / "t.csv")
    first, second = recording.population.members
    assert from_json(recipe).members == (first, replace(second, name="cell"))
    assert len(rows) == n_row(recording) == 3 * len(recording.time)
    soma, tuft = "soma[0](0.5) v (mV)", "apic[1](0.9) v (mV)"
    assert list(rows[0]) == ["member", "cell", "time (ms)", soma, tuft]
    for member, cell, one, probe in (
        ('small, "round"', "0", recording.members[0].values[0, 0], soma),
        ('small, "round"', "1", recording.members[0].values[0, 1], soma),
        ("cell", "0", recording.members[1].values[1, 0], soma),
        ("cell", "0", recording.members[1].values[0, 0], tuft),
    ):
        mine = [row for row in rows if (row["member"], row["cell"]) == (member, cell)]
        np.testing.assert_array_equal([float(row["time (ms)"]) for row in mine], recording.time)
        np.testing.assert_array_equal([float(row[probe]) for row in mine], one)
    assert {row[tuft] for row in rows if row["member"] != "cell"} == {""}


def test_the_table_of_spikes(recording, tmp_path):
    export_population_spikes_csv(recording, tmp_path / "s.csv")
    _, rows = table(tmp_path / "s.csv")
    names = recording.names
    found = [(names.index(r["member"]), int(r["cell"]), float(r["time (ms)"])) for r in rows]
    assert len(found) >= 3
    np.testing.assert_array_equal(found, recording.spikes)


def test_hdf5_reads_back_to_the_same_bits(recording, tmp_path):
    path = tmp_path / "t.h5"
    export_population_hdf5(recording, path)
    back = read_population_hdf5(path)
    assert back.names == recording.names
    for one, other in zip(back.members, recording.members, strict=True):
        for name in ("time", "values", "frame_time", "frames", "spikes", "segment"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
        assert (one.labels, one.units, one.origin) == (other.labels, other.units, other.origin)
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["spikes"][:], recording.spikes)
        assert file["members/0"].attrs["name"] == 'small, "round"'
        assert file["members/1/values"].attrs["axes"] == "probe, instance, time"
        assert tuple(file.attrs["names"]) == recording.names


def test_other_files_are_refused(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w"):
        pass
    with pytest.raises(FileError, match="not a population's recording"):
        read_population_hdf5(tmp_path / "x.h5")
    (tmp_path / "y.h5").write_text("no")
    with pytest.raises(FileError, match="cannot be read"):
        read_population_hdf5(tmp_path / "y.h5")
