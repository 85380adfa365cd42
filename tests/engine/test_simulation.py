"""Runs against NEURON 9, live, sample by sample; its rate tables are off (usetable_hh = 0)."""

from dataclasses import replace

import numpy as np
import pytest

from engine.backends.cpu import CpuRun
from engine.discretize import Rule
from engine.errors import BackendError, UnstableError
from engine.experiment import Cable, Experiment, Insertion, Probe, default_experiment
from engine.model import build
from engine.recording import RecordingBuilder, collect
from engine.simulation import simulate
from engine.stimuli import CurrentClamp, Site
from tests.engine.cells_on_disk import BALL_AND_STICK, FORKED, write
from tests.engine.neuron_cells import run_neuron

LEAK = (("g", 5e-5), ("e", -65.0))
PASSIVE = (Insertion("pas", "all", LEAK),)
EXCITABLE = (Insertion("hh"),)
MIXED = (Insertion("hh", "soma"), Insertion("hh", "axon"), Insertion("pas", "dendrite", LEAK))
LIMIT = {PASSIVE: 1e-10, EXCITABLE: 1e-7, MIXED: 1e-7}
"""mV over 100 ms with spikes, DESIGN §4. What is left is rounding: NEURON takes the derivative of a
current by a difference of 0.001 mV, the engine exactly."""


def experiment(path, insertions, amplitude, **fields):
    """A clamp in the soma, one at the end of a section, and probes all over the cell."""
    bare = Experiment(str(path), duration=1.0)
    names = build(bare).tree.sections.name
    spread = np.linspace(0, len(names) - 1, 12).astype(int)
    sites = [Site(names[s], x) for s, x in zip(spread, [0.5, 0.1, 0.9, 1.0] * 3, strict=True)]
    clamps = (
        CurrentClamp(Site(names[0]), 1.0, 80.0, amplitude),
        CurrentClamp(Site(names[-1], 1.0), 10.0, 20.0, 0.05),
    )
    whole = replace(
        bare,
        insertions=insertions,
        stimuli=clamps,
        probes=tuple(Probe(site) for site in sites),
        duration=100.0,
    )
    return replace(whole, **fields)


def run(experiment):
    model = build(experiment)
    return collect(model, simulate(model))


def compare(h, experiment, path, limit=None):
    """Run both; every sample of every probe and every spike time must agree."""
    ours, theirs = run(experiment), run_neuron(h, experiment, path)
    np.testing.assert_array_equal(ours.time, theirs.time)
    limit = LIMIT[experiment.insertions] if limit is None else limit
    np.testing.assert_allclose(ours.values[:, 0], theirs.values, rtol=0, atol=limit)
    # NEURON adds 1e-10 ms to the time of the step
    assert len(ours.spikes) == len(theirs.spikes)
    np.testing.assert_allclose(ours.spikes[:, 1], theirs.spikes, rtol=0, atol=2e-10)
    return ours


@pytest.mark.parametrize("nodes", ["merged", "neuron"])
@pytest.mark.parametrize("insertions", [PASSIVE, EXCITABLE, MIXED], ids=["pas", "hh", "mixed"])
@pytest.mark.parametrize("text", [BALL_AND_STICK, FORKED], ids=["ball_and_stick", "forked"])
def test_a_small_cell_is_neurons(h, tmp_path, text, insertions, nodes):
    path = write(tmp_path, text)
    given = experiment(path, insertions, 0.3, nodes=nodes)
    recording = compare(h, given, path)
    if insertions != PASSIVE:
        assert len(recording.spikes) > 0


@pytest.mark.parametrize("tree", ["tree1k", "tree5k"])
@pytest.mark.parametrize(
    ("insertions", "amplitude"), [(PASSIVE, 1.0), (EXCITABLE, 10.0)], ids=["pas", "hh"]
)
def test_a_bench_tree_is_neurons(h, data_dir, tree, insertions, amplitude):
    path = data_dir / "bench" / f"{tree}.swc"
    given = experiment(path, insertions, amplitude, rule=Rule("fixed", 5))
    recording = compare(h, given, path)
    assert build(given).tree.n_segment > 1000
    if insertions == EXCITABLE:
        assert len(recording.spikes) > 0


@pytest.mark.parametrize("nodes", ["merged", "neuron"])
@pytest.mark.parametrize(
    "name",
    [
        "sample:spn",
        "morphologies/paper/L5bPC_hay2011_cell1.asc",
        "morphologies/paper/human_L23PC_eyal2018_2013_03_06_cell11_1125_H41_06.ASC",
        "morphologies/paper/SPN_lindroos2018_latest_WT-P270-20-14ak.swc",
    ],
)
def test_a_whole_cell_is_neurons(h, cell_path, name, nodes):
    path = cell_path(name)
    compare(h, experiment(path, MIXED, 3.0, nodes=nodes, spike_threshold=-10.0), path)


@pytest.mark.parametrize("dt", [0.1, 0.0125, 0.03])
def test_every_time_step_is_neurons(h, tmp_path, dt):
    """At 0.1 ms a spike rises by 40 mV a step, which blows rounding up to 1.05e-7 mV."""
    path = write(tmp_path, FORKED)
    given = experiment(path, EXCITABLE, 0.4, dt=dt, duration=50.0)
    compare(h, given, path, limit=1e-6 if dt == 0.1 else 1e-7)


def test_cable_temperature_and_reversals_are_neurons(h, tmp_path):
    path = write(tmp_path, FORKED)
    given = experiment(
        path,
        (Insertion("hh", "all", (("gnabar", 0.2), ("el", -60.0))),),
        0.4,
        cables=(Cable("all", 0.9, 120.0), Cable("apical", 2.0, 80.0), Cable("axon", 1.0, 60.0)),
        reversals=(("ena", 55.0), ("ek", -85.0)),
        celsius=12.5,
        v_init=-70.0,
        duration=50.0,
    )
    compare(h, given, path, limit=1e-7)


@pytest.mark.parametrize("v_init", [-65.0, 20.0])
def test_states_currents_and_an_early_spike_are_neurons(h, tmp_path, v_init):
    path = write(tmp_path, BALL_AND_STICK)
    soma = Site("soma[0]")
    variables = "v", "m_hh", "h_hh", "n_hh", "ina", "ik"
    given = Experiment(
        str(path),
        insertions=EXCITABLE,
        stimuli=(CurrentClamp(soma, 1.0, 30.0, 0.3),),
        probes=tuple(Probe(soma, name) for name in variables),
        v_init=v_init,
        duration=40.0,
    )
    recording = compare(h, given, path, limit=1e-7)
    assert recording.units[0] == "mV"
    assert recording.units[-1] == "mA/cm2"
    assert (recording.spikes[0, 1] == 0.0) == (v_init == 20.0)


@pytest.mark.parametrize("delay", [0.0, 0.0125, 0.0126, 1.0, 1.0125])
@pytest.mark.parametrize("duration", [0.0, 0.01, 0.025, 3.0])
def test_a_clamp_switches_at_neurons_steps(h, tmp_path, delay, duration):
    path = write(tmp_path, BALL_AND_STICK)
    soma = Site("soma[0]")
    given = Experiment(
        str(path),
        insertions=PASSIVE,
        stimuli=(CurrentClamp(soma, delay, duration, 1.0),),
        probes=(Probe(soma),),
        duration=5.0,
    )
    compare(h, given, path)


@pytest.mark.parametrize("name", ["human_l23", "l5b", "purkinje", "spn", "ball_and_stick"])
def test_a_sample_opens_silent_and_fires_when_it_is_stimulated(name):
    bare = build(Experiment(f"sample:{name}"))
    opened = replace(default_experiment(f"sample:{name}", bare.tree.sections), duration=60.0)
    assert len(run(opened).spikes) == 0
    clamp = CurrentClamp(opened.probes[0].site, 20.0, 30.0, 1.0)
    assert len(run(replace(opened, stimuli=(clamp,))).spikes) > 0


def firing(tmp_path, **fields):
    return experiment(write(tmp_path, FORKED), EXCITABLE, 0.4, **fields)


def test_closing_the_generator_ends_the_run(tmp_path):
    model = build(firing(tmp_path))
    chunks = simulate(model, chunks_per_second=1000)
    builder = RecordingBuilder(model)
    builder.append(next(chunks))
    builder.append(next(chunks))
    chunks.close()
    assert list(chunks) == []
    partial, whole = builder.recording(), collect(model, simulate(model))
    assert not partial.complete
    assert 0 < builder.fraction < 1
    n, n_frame = len(partial.time), len(partial.frame_time)
    assert 0 < n < model.n_time
    np.testing.assert_array_equal(partial.values, whole.values[:, :, :n])
    np.testing.assert_array_equal(partial.frames, whole.frames[:n_frame])
    assert whole.complete


def test_the_growing_recording_copies_nothing(tmp_path):
    model = build(firing(tmp_path))
    builder = RecordingBuilder(model)
    for chunk in simulate(model):
        builder.append(chunk)
        seen = builder.recording()
        assert np.shares_memory(seen.values, builder.recording().values)
        np.testing.assert_array_equal(seen.time[-len(chunk.time) :], chunk.time)
    assert builder.fraction == 1


@pytest.mark.parametrize("amplitude", [1e9, -1e9])
def test_an_unstable_run_names_the_compartment_and_the_way_out(tmp_path, amplitude):
    clamp = CurrentClamp(Site("apic[1]", 0.9), 5.0, 10.0, amplitude)
    model = build(replace(firing(tmp_path), stimuli=(clamp,)))
    builder = RecordingBuilder(model)

    def follow():
        for chunk in simulate(model):
            builder.append(chunk)

    with pytest.raises(UnstableError) as caught:
        follow()
    sentence = str(caught.value)
    assert "left ±10000 mV at 5.025 ms with a time step of 0.025 ms" in sentence
    assert "halve dt to 0.0125 ms" in sentence
    assert "\n" not in sentence
    kept = builder.recording()
    assert kept.time[-1] == pytest.approx(5.0)
    assert np.isfinite(kept.values).all()
    assert not kept.complete


def test_a_membrane_that_amplifies_stops_the_run(tmp_path):
    bad = Insertion("hh", "all", (("gl", -0.02),))  # twice as far from rest after every step
    quiet = replace(firing(tmp_path), stimuli=(), insertions=(bad,))
    with pytest.raises(UnstableError, match=r"the voltage at \w+\[\d+\]\([\d.]+\) left"):
        run(quiet)


def test_a_backend_that_cannot_run_says_so(tmp_path):
    with pytest.raises(BackendError, match="'gpu'"):
        next(simulate(build(firing(tmp_path)), "gpu"))


@pytest.mark.parametrize(("ms_a_step", "n_step"), [(0.1, 333), (5.0, 6), (1000.0, 1)])
def test_chunks_come_at_the_wanted_rate(tmp_path, monkeypatch, ms_a_step, n_step):
    """30 a second, whatever the speed of the machine, which here is made up."""
    clock = 0.0
    advance = CpuRun.advance

    def slow_advance(self, steps):
        nonlocal clock
        clock += steps * ms_a_step / 1e3
        return advance(self, steps)

    monkeypatch.setattr(CpuRun, "advance", slow_advance)
    monkeypatch.setattr("engine.simulation.perf_counter", lambda: clock)
    chunks = list(simulate(build(replace(firing(tmp_path), duration=50.0))))
    assert {len(chunk.time) for chunk in chunks[3:-1]} == {n_step}
