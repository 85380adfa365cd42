"""Populations: cells of different trees in one run, described, built, run and recorded."""

import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from engine.backends import batch, choose_backend
from engine.backends.gpu.backend import AutoBackend, GpuBackend
from engine.backends.gpu.shape import Shape
from engine.discretize import Rule
from engine.errors import UnstableError, UserError
from engine.experiment import Insertion
from engine.model import build
from engine.population import Member, Population, build_population
from engine.population_run import collect_population, simulate_population
from engine.recording import collect
from engine.simulation import simulate
from engine.stimuli import CurrentClamp, NoiseClamp, Site
from engine.synapses import NetStim, SpikeTrain, Synapse
from tests.engine.backends.gpu import models
from tests.engine.backends.gpu.models import SOMA
from tests.engine.backends.gpu.test_population import ball_and_stick
from tests.engine.shim_device import ShimDevice

FIELDS = ("time", "values", "spikes")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("cells")


def cells(folder):
    """Two trees of hh, one with two inputs, a passive and a spiny one with synapses."""
    forked = replace(models.experiment("hh", folder), name="forked", duration=8.0)
    return Population(
        (
            Member(forked),
            Member(replace(models.spiny(folder), duration=8.0), name="spiny"),
            Member(ball_and_stick(folder, duration=8.0, celsius=16.0), 11),
            Member(replace(forked, stimuli=(CurrentClamp(SOMA, 1.0, 6.0, 3.0),)), 3),
            Member(replace(models.experiment("passive", folder), duration=8.0), 2, "leaky"),
            Member(ball_and_stick(folder, 9.0, duration=8.0, frame_interval=1.0), 2),
        )
    )


@pytest.fixture(scope="module")
def population(folder):
    return cells(folder)


@pytest.fixture(scope="module")
def model(population):
    return build_population(population)


@pytest.fixture(scope="module")
def alone(population):
    """One cell of every member in a run of its own, on the processor."""
    found = []
    for member in population.members:
        one = build(member.experiment)
        found.append(collect(one, simulate(one, "cpu")))
    return found


def backend(name):
    return GpuBackend(ShimDevice(), Shape(8, 8)) if name == "shim" else choose_backend(name)


def record(model, where="cpu", **given):
    return collect_population(model, simulate_population(model, where, **given))


def test_equal_trees_become_one_model(population, model):
    assert [group.members for group in model.groups] == [(0, 3), (1,), (2,), (4,), (5,)]
    assert [group.model.n_instance for group in model.groups] == [4, 1, 11, 2, 2]
    assert model.place == ((0, 0), (1, 0), (2, 0), (0, 1), (3, 0), (4, 0))
    assert model.cell_of(0, 0) == (0, 0)
    assert model.cell_of(0, 3) == (3, 2)
    assert population.n_cell == 20
    assert population.names == ("forked", "spiny", "ball", "forked 2", "leaky", "ball 2")


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_every_cell_has_the_bits_it_has_alone(model, alone, threads):
    found = record(model, threads=threads)
    assert found.complete
    for member, one, given in zip(found.members, alone, model.population.members, strict=True):
        assert member.values.shape[1] == given.copies
        for copy in range(given.copies):
            np.testing.assert_array_equal(member.values[:, copy], one.values[:, 0])
            mine = member.spikes[member.spikes[:, 0] == copy, 1]
            np.testing.assert_array_equal(mine, one.spikes[:, 1])
        np.testing.assert_array_equal(member.time, one.time)
        assert (member.labels, member.origin) == (one.labels, given.experiment)
    assert sum(len(one.spikes) for one in alone) >= 4
    for k in (0, 1, 2, 4, 5):  # the first cell of every tree
        np.testing.assert_array_equal(found.members[k].frames, alone[k].frames)
    assert found.members[3].frames.shape == (0, model.groups[0].model.n_comp)
    member, copy, time = found.spikes.T
    assert (np.diff(time) >= 0).all()
    assert set(copy[member == 2]) == set(range(11))


@pytest.mark.parametrize("where", ["cpu", "shim"])
def test_a_passive_cell_beside_others_of_its_tree_has_the_bits_it_has_alone(folder, where):
    """A matrix that never changes is solved in another way than one with synapses or spines."""
    bare = replace(models.experiment("passive", folder), duration=4.0)
    driven = replace(bare, synapses=(Synapse(SOMA, "ExpSyn", (), (0.01,), SpikeTrain((1.0,))),))
    spiny = replace(bare, spines=models.spiny(folder).spines)
    members = tuple(Member(one, name=f"{k}") for k, one in enumerate((bare, driven, spiny)))
    model = build_population(Population(members))
    found = record(model, backend(where))
    for member, one in zip(members, found.members, strict=True):
        alone = build(member.experiment)
        expected = collect(alone, simulate(alone, backend(where)))
        np.testing.assert_array_equal(one.values, expected.values)


def test_a_device_gives_the_numbers_of_the_processor(model, alone):
    """1e-9 of the largest number: as for a single model."""
    found = record(model, backend("shim"))
    for member, one in zip(found.members, alone, strict=True):
        scale = np.abs(one.values).max()
        for copy in range(member.values.shape[1]):
            close = {"rtol": 0, "atol": 1e-9 * scale}
            np.testing.assert_allclose(member.values[:, copy], one.values[:, 0], **close)
        np.testing.assert_array_equal(member.spikes[member.spikes[:, 0] == 0], one.spikes)


def test_chunks_are_consecutive_and_do_not_change_bits(model):
    whole = record(model)
    for rate in (3.0, 1e4):
        chunks = list(simulate_population(model, "cpu", rate))
        assert chunks[-1].fraction == 1.0
        assert all(a.stop == b.start for a, b in pairwise(chunks))
        cut = collect_population(model, chunks)
        for one, other in zip(cut.members, whole.members, strict=True):
            for name in FIELDS:
                np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    few = collect_population(model, chunks[:2])
    assert not few.complete
    np.testing.assert_array_equal(few.time, whole.time[: len(few.time)])


def test_copies_of_what_is_drawn_count_seeds_up(folder):
    trains = Synapse(SOMA, "ExpSyn", (), (0.01,), NetStim(0.5, 10, 0.0, 1.0))
    drawn = replace(ball_and_stick(folder, duration=3.0, seed=5), synapses=(trains,))
    found = record(build_population(Population((Member(drawn, 3),)))).members[0]
    assert len(np.unique(found.values[0, :, -1])) == 3
    assert [each.seed for each in found.experiments] == [5, 6, 7]
    second = record(build_population(Population((Member(replace(drawn, seed=6), 2),)))).members[0]
    np.testing.assert_array_equal(found.values[:, 1:], second.values)
    noise = (NoiseClamp(SOMA, 0.0, 3.0, 0.0, 0.5),)
    noisy = build_population(Population((Member(replace(drawn, synapses=(), waveforms=noise), 3),)))
    assert len(np.unique(noisy.groups[0].model.played[0])) == 3
    fixed = replace(drawn, synapses=(replace(trains, source=SpikeTrain((1.0,))),))
    same = build_population(Population((Member(fixed, 3),)))
    assert len(same.groups[0].model.experiments) == 1


def test_names_tell_cells_apart(folder):
    given = ball_and_stick(folder, name="recipe")
    other = replace(given, morphology="sample:spn")
    plain = replace(given, name="", morphology="cells/neuron.v2.swc.gz")
    members = (
        Member(given),
        Member(other),
        Member(plain),
        Member(other, name="mine"),
        Member(given),
    )
    wanted = ("ball", "spn", "neuron.v2", "mine", "ball 2")
    assert Population(members).names == wanted
    assert Population(members[::4]).names == ("recipe", "recipe 2")


def test_a_node_that_one_cell_alone_has_keeps_it_apart(folder):
    given = ball_and_stick(folder, duration=3.0)
    at_end = replace(given, stimuli=(CurrentClamp(Site("dend[0]", 1.0), 0.5, 1.0, 0.1),))
    built = build_population(Population((Member(given), Member(at_end))))
    assert len(built.groups) == 2
    assert [group.model.n_comp for group in built.groups] == [
        build(given).n_comp,
        build(at_end).n_comp,
    ]


def test_what_cannot_run_in_step_is_refused(folder):
    given = ball_and_stick(folder, duration=3.0)
    one = Member(given, name="one")

    def refused(*members):
        with pytest.raises(UserError) as error:
            build_population(Population(members))
        return str(error.value)

    assert "no cells; give at least one" in refused()
    assert "'one' is wanted 0 times" in refused(replace(one, copies=0))
    told = refused(one, Member(replace(given, dt=0.05), name="two"))
    assert re.search(
        r"'one' has a time step of 0.025 ms and 'two' of 0.05 ms; .* run in step", told
    )
    told = refused(one, Member(replace(given, duration=4.0)))
    assert re.search(r"'one' has a duration of 3 ms and 'ball' of 4 ms; .* all the same", told)
    assert "no mechanism 'naxx'" in refused(
        one, Member(replace(given, insertions=(Insertion("naxx"),)))
    )


def test_memory_of_all_is_counted(folder, monkeypatch):
    given = ball_and_stick(folder, duration=3.0)
    monkeypatch.setattr("engine.population.free_memory", lambda: 10_000)
    with pytest.raises(UserError, match=r"9 cells need .* GB and .* free; run fewer of them"):
        build_population(Population((Member(given, 4), Member(replace(given, rule=Rule()), 5))))


@pytest.mark.parametrize("where", ["cpu", "shim"])
def test_an_unstable_cell_is_named_and_what_came_before_is_kept(folder, model, where):
    given = ball_and_stick(folder, duration=8.0)
    wild = replace(given, stimuli=(CurrentClamp(SOMA, 1.0, 50.0, 1e6),), name="wild")
    members = (*model.population.members[:3], Member(replace(given, name="tame"), 2), Member(wild))
    both = build_population(Population(members))
    chunks = []
    with pytest.raises(UnstableError, match=r"of 'wild', cell 0, left ±10000 mV at 1\.\d+ ms"):
        chunks.extend(simulate_population(both, backend(where)))
    kept = collect_population(both, chunks)
    assert 0.99 < kept.time[-1] < 2.0
    assert not kept.complete
    assert {len(member.time) for member in kept.members} == {len(kept.time)}


def test_a_large_cell_takes_all_cores_before_the_others(folder, monkeypatch):
    monkeypatch.setattr(batch, "ENOUGH", 20)
    large = build(replace(models.experiment("hh", folder), duration=3.0))
    small = build(ball_and_stick(folder, duration=3.0))
    run = batch.CpuPopulation([small, large, small], 2)
    kinds = [type(part).__name__ for part in run._runs]
    assert kinds == ["Batch", "CpuRun", "Batch"]
    found = [run.initialize(), run.advance(100)]
    for k, one in enumerate((small, large, small)):
        right = choose_backend("cpu").start(one, 1)
        np.testing.assert_array_equal(found[0][k].traces, right.initialize().traces)
        np.testing.assert_array_equal(found[1][k].traces, right.advance(100).traces)
        np.testing.assert_array_equal(run.voltages[k], right.voltage)
    both = batch.CpuPopulation([large, large], 2)
    assert [type(part).__name__ for part in both._runs] == ["Batch", "Batch"]


def test_auto_runs_a_population_wherever_it_can(model):
    small = AutoBackend(GpuBackend(ShimDevice(memory=1000), Shape(8, 8)))
    assert isinstance(small.start_population(model.models), batch.CpuPopulation)
    assert small.reason
    assert small.describe() == "CPU"
