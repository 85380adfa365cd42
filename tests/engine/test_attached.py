"""Played currents, voltage clamps and gap junctions against NEURON; what they record."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.discretize import Rule
from engine.errors import UserError
from engine.experiment import Experiment, Insertion, Probe
from engine.model import build
from engine.recording import collect
from engine.simulation import compare_orders, simulate
from engine.stimuli import (
    CurrentClamp,
    GapJunction,
    NoiseClamp,
    RampClamp,
    SineClamp,
    Site,
    VoltageClamp,
)
from engine.waveforms import half_steps, waveform
from tests.engine.cells_on_disk import FORKED, write
from tests.engine.neuron_cells import NeuronCell
from tests.engine.neuron_library import compiled, run_script

SOMA, TUFT, END = Site("soma[0]"), Site("apic[1]", 0.9), Site("dend[1]", 1.0)
LEAK = (("g", 5e-5), ("e", -65.0))
MEMBRANES = {
    "passive": (Insertion("pas", "all", LEAK),),
    "hh": (Insertion("hh", "soma"), Insertion("pas", "dendrite", LEAK)),
}
HALF_GAP = """
NEURON { POINT_PROCESS HalfGap NONSPECIFIC_CURRENT i RANGE g, i POINTER other }
PARAMETER { g = 0.001 (microsiemens) }
ASSIGNED { v (millivolt) other (millivolt) i (nanoamp) }
BREAKPOINT { i = g * (v - other) }
"""
COUPLED = """
class Cell:
    pass
reader = h.Import3d_SWC_read()
reader.input(given["path"])
cell = Cell()
h.Import3d_GUI(reader, 0).instantiate(cell)
names = {s.name().rpartition(".")[2]: s for s in cell.all}
for s in cell.all:
    s.nseg, s.Ra, s.cm = 3, 150, 1
    s.insert("pas")
    s.g_pas, s.e_pas = 5e-5, -65
a, b = (names[n](x) for n, x in given["sites"])
gaps = [h.HalfGap(a), h.HalfGap(b)]
gaps[0].g = gaps[1].g = given["g"]
h.setpointer(b._ref_v, "other", gaps[0])
h.setpointer(a._ref_v, "other", gaps[1])
clamp = h.IClamp(names["soma[0]"](0.5))
clamp.delay, clamp.dur, clamp.amp = 2, 5, 0.5
h.dt, h.steps_per_ms, h.celsius = 0.025, 40, 6.3
kept = [h.Vector().record(x) for x in (a._ref_v, b._ref_v, gaps[0]._ref_i)]
h.finitialize(-65)
while h.t < 20 - 0.0125:
    h.fadvance()
result["values"] = np.array([x.as_numpy() for x in kept])
"""


@pytest.fixture(params=MEMBRANES)
def base(request, tmp_path):
    return Experiment(
        str(write(tmp_path, FORKED)),
        rule=Rule("fixed", 3),
        insertions=MEMBRANES[request.param],
        probes=(Probe(SOMA), Probe(TUFT), Probe(END)),
        duration=50.0,
    )


def run(experiment, **options):
    model = build(experiment, **options)
    return collect(model, simulate(model))


def in_neuron(h, experiment, put, record=()):
    """The voltages at the probes in NEURON; ``put(sections)`` attaches things and keeps them."""
    cell = NeuronCell(h, Path(experiment.morphology))
    for section in cell.by_name.values():
        section.nseg, section.Ra, section.cm = 3, 150, 1
        if section.name().rpartition(".")[2].startswith("soma") and len(experiment.insertions) > 1:
            section.insert("hh")
        elif len(experiment.insertions) == 1 or "axon" not in section.name():
            section.insert("pas")
            section.g_pas, section.e_pas = 5e-5, -65
    h.usetable_hh = 0
    kept = put(cell.by_name)
    h.celsius, h.dt, h.steps_per_ms = 6.3, experiment.dt, 1 / experiment.dt
    sites = [probe.site for probe in experiment.probes if probe.variable == "v"]
    vectors = [h.Vector().record(cell.by_name[s.section](s.x)._ref_v) for s in sites]
    vectors += [h.Vector().record(getattr(kept[0], f"_ref_{name}")) for name in record]
    h.finitialize(experiment.v_init)
    while h.t < experiment.duration - experiment.dt / 2:
        h.fadvance()
    return np.array([vector.as_numpy() for vector in vectors])


@pytest.mark.parametrize(
    "clamp",
    [
        RampClamp(SOMA, 5.0, 30.0, -0.1, 1.5),
        SineClamp(TUFT, 2.5, 40.0, 0.3, 120.0, 0.5, 0.2),
        SineClamp(END, 2.5, 40.0, 0.3, 60.0),
    ],
    ids=lambda c: f"{c.kind} at {c.site}",
)
def test_played_currents_are_neurons(h, base, clamp):
    """An IClamp whose amplitude is played from a vector with the formula's values."""
    experiment = replace(base, waveforms=(clamp,))

    def put(sections):
        electrode = h.IClamp(sections[clamp.site.section](clamp.site.x))
        electrode.delay, electrode.dur = 0, 1e9
        at = half_steps(2000, 0.025)
        amplitude, time = h.Vector(waveform(clamp, at, 0)), h.Vector(at)
        amplitude.play(electrode._ref_amp, time, 1)
        return electrode, amplitude, time

    expected = in_neuron(h, experiment, put)
    assert np.ptp(expected[0]) > 1
    np.testing.assert_allclose(run(experiment).values[:, 0], expected, rtol=0, atol=1e-8)


@pytest.mark.parametrize("site", [SOMA, END], ids=str)
def test_a_voltage_clamp_is_neurons(h, base, site):
    hold = VoltageClamp(site, (10.0, 20.0, 10.0), (-65.0, -20.0, -80.0), 0.7)
    probes = (*base.probes, Probe(site, "i_VoltageClamp"))
    experiment = replace(base, voltage_clamps=(hold,), probes=probes)

    def put(sections):
        clamp = h.SEClamp(sections[site.section](site.x))
        clamp.rs = hold.resistance
        for k, (duration, level) in enumerate(zip(hold.durations, hold.levels, strict=True), 1):
            setattr(clamp, f"dur{k}", duration)
            setattr(clamp, f"amp{k}", level)
        return (clamp,)

    expected = in_neuron(h, experiment, put, ["i"])
    recording = run(experiment)
    assert recording.units[-1] == "nA"
    assert recording.labels[-1] == f"{site} i_VoltageClamp"
    np.testing.assert_allclose(recording.values[:, 0], expected, rtol=0, atol=1e-8)
    assert np.ptp(expected[-1]) > 1
    assert compare_orders(build(experiment)) == 0.0


def test_a_gap_junction_is_that_of_a_pointer(tmp_path):
    experiment = Experiment(
        str(write(tmp_path, FORKED)),
        rule=Rule("fixed", 3),
        insertions=MEMBRANES["passive"],
        stimuli=(CurrentClamp(SOMA, 2.0, 5.0, 0.5),),
        gap_junctions=(GapJunction(TUFT, END, 0.02),),
        probes=(Probe(TUFT), Probe(END), Probe(TUFT, "i_GapJunction")),
        duration=20.0,
    )
    folder = compiled({"HalfGap": HALF_GAP})
    sites = [(s.section, s.x) for s in (TUFT, END)]
    given = {"path": experiment.morphology, "sites": sites, "g": 0.02}
    expected = run_script(folder, COUPLED, given, tmp_path / "out.npz")["values"]
    recording = run(experiment)
    np.testing.assert_allclose(recording.values[:2, 0], expected[:2], rtol=0, atol=1e-10)
    np.testing.assert_allclose(recording.values[2, 0], expected[2], rtol=0, atol=1e-11)
    without = run(replace(experiment, gap_junctions=(), probes=experiment.probes[:2]))
    assert np.abs(without.values - recording.values[:2]).max() > 0.1


EVERYTHING = {
    "waveforms": (
        RampClamp(SOMA, 1.0, 5.0, 0.0, 2.0),
        NoiseClamp(TUFT, 0.0, 20.0, 0.1, 0.5, stream=3),
    ),
    "voltage_clamps": (VoltageClamp(END, (3.0, 4.0, 2.0), (-60.0, -90.0, -70.0), 10.0),),
    "gap_junctions": (GapJunction(TUFT, SOMA, 0.001),),
}


def test_instances_chunks_and_node_sets_do_not_change_numbers(base):
    experiment = replace(base, duration=20.0, **EVERYTHING)
    one, many = run(experiment), run(experiment, n_instance=8)
    for k in range(8):
        np.testing.assert_array_equal(many.values[:, k], one.values[:, 0])
    model = build(experiment)
    cut = collect(model, simulate(model, chunks_per_second=1e9))
    np.testing.assert_array_equal(cut.values, one.values)
    whole = run(replace(experiment, nodes="neuron"))
    np.testing.assert_allclose(whole.values, one.values, rtol=0, atol=1e-8)
    assert compare_orders(model) == 0.0


def test_noise_depends_on_seed_and_stream_alone():
    time = half_steps(4000, 0.025)
    clamp = NoiseClamp(SOMA, 10.0, 80.0, 0.2, 0.5, 0.5)
    one = waveform(clamp, time, seed=1)
    np.testing.assert_array_equal(waveform(clamp, time[:2000], 1), one[:2000])
    np.testing.assert_array_equal(waveform(replace(clamp, site=TUFT), time, 1), one)
    assert (waveform(clamp, time, 2) != one).any()
    assert (waveform(replace(clamp, stream=1), time, 1) != one).any()
    on = one[(time > 10) & (time < 90)]
    assert (one[time < 10] == 0).all()
    held = on.reshape(-1, 20)  # 0.5 ms at 0.025 ms
    assert (held == held[:, :1]).all()
    fine = waveform(clamp, half_steps(8000, 0.0125), 1)
    np.testing.assert_array_equal(fine[::2], one)  # the step does not change the numbers


def test_noise_has_the_distribution_that_was_asked_for():
    """Mean and deviation of 20,000 draws: within five standard errors."""
    time = np.arange(0.25, 10_000, 0.5)
    values = waveform(NoiseClamp(SOMA, 0.0, 1e5, 0.2, 0.5, 0.5), time, 7)
    assert abs(values.mean() - 0.2) < 5 * 0.5 / np.sqrt(len(values))
    assert abs(values.std() - 0.5) < 5 * 0.5 / np.sqrt(2 * len(values))
    assert abs(np.corrcoef(values[1:], values[:-1])[0, 1]) < 5 / np.sqrt(len(values))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"waveforms": (RampClamp(SOMA, 1.0, 0.0),)}, "duration of the ramp clamp at soma[0](0.5)"),
        ({"waveforms": (NoiseClamp(SOMA, interval=0.0),)}, "interval of the noise clamp"),
        ({"waveforms": (NoiseClamp(SOMA, stream=-1),)}, "it must be 0 or more"),
        ({"waveforms": (SineClamp(SOMA, phase=np.nan),)}, "phase of the sine clamp"),
        ({"waveforms": (RampClamp(Site("sma[0]")),)}, "did you mean 'soma[0]'?"),
        ({"voltage_clamps": (VoltageClamp(SOMA, resistance=0.0),)}, "resistance of the voltage"),
        ({"voltage_clamps": (VoltageClamp(SOMA, (1.0, -1.0, 1.0)),)}, "a duration of the voltage"),
        ({"voltage_clamps": (VoltageClamp(SOMA, levels=(0.0, np.inf, 0.0)),)}, "has inf among"),
        ({"gap_junctions": (GapJunction(SOMA, TUFT, -1.0),)}, "conductance of the gap junction"),
        ({"gap_junctions": (GapJunction(SOMA, Site("x")),)}, "gap junction at x(0.5)"),
        ({"probes": (Probe(SOMA, "i_VoltageClamp"),)}, "'i_VoltageClamp' cannot be recorded"),
    ],
)
def test_what_cannot_be_attached_is_refused_in_a_sentence(base, fields, message):
    with pytest.raises(UserError, match=r"^[^\n]+$") as caught:
        build(replace(base, **fields))
    assert message in str(caught.value)
