"""Runs with spines: against explicit sections in NEURON and here, alone and in batches."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine import model as models
from engine.backends.batch import BatchRun
from engine.backends.cpu import CpuRun
from engine.discretize import Rule
from engine.experiment import Experiment, Insertion, Probe
from engine.exporting.csv import export_traces_csv, read_traces_csv
from engine.exporting.hdf5 import export_traces_hdf5, read_traces_hdf5
from engine.memory import bytes_needed, frame_bytes
from engine.model import build, build_batch
from engine.morphology.reading import read_morphology
from engine.morphology.sections import make_sections
from engine.recording import collect
from engine.simulation import compare_orders, simulate
from engine.spines import Spine, SpineDensity, SpineShape
from engine.stimuli import CurrentClamp, GapJunction, RampClamp, Site, VoltageClamp
from engine.synapses import NetStim, SpikeSource, SpikeTrain, Synapse
from tests.engine.cells_on_disk import FORKED, write
from tests.engine.spines import with_spines
from tests.engine.test_synapses import MIXED, sections_in_neuron

SOMA, TUFT = Site("soma[0]"), Site("apic[1]", 0.9)
SHAPE = SpineShape(1.35, 0.25, 0.95, 0.95, cm=1.0, g_pas=3e-5, e_pas=-75.0, ra=150.0)
PLACES = (Site("apic[1]", 0.85), Site("apic[1]", 0.9), Site("dend[0]", 0.5), Site("apic[0]", 0.2))
LIMIT = 1e-8
"""mV against NEURON, DESIGN §4."""


def events(k):
    return SpikeTrain((2.0 + 1.7 * k, 9.0 + k))


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """Hundreds of spines; four of them are known, three carry a synapse."""
    heads = [Site(f"spine[{k}]", x) for k, x in ((0, 1.0), (1, 0.5), (2, 1.0))]
    synapses = tuple(
        Synapse(site, "Exp2Syn", (("tau1", 0.3), ("tau2", 1.8)), (2e-3,), events(k))
        for k, site in enumerate(heads)
    )
    on_shaft = Synapse(Site("dend[1]", 0.7), "ExpSyn", (), (2e-3,), NetStim(4.0, 3, 3.0), 0.5)
    return Experiment(
        str(write(tmp_path_factory.mktemp("cell"), FORKED)),
        rule=Rule("fixed", 3),
        insertions=MIXED,
        spine_density=(SpineDensity(per_um=1.3, min_distance=60.0, shape=SHAPE),),
        spines=tuple(Spine(site, taken=k != 2) for k, site in enumerate(PLACES)),
        synapses=(*synapses, on_shaft),
        stimuli=(CurrentClamp(SOMA, 3.0, 12.0, 0.4),),
        gap_junctions=(GapJunction(SOMA, TUFT, 0.0),),  # all tests share one step loop
        probes=(
            *(Probe(site) for site in (SOMA, TUFT, *heads)),
            Probe(Site("neck[0]")),
            Probe(Site("spine[3]")),
            Probe(heads[0], "g_Exp2Syn"),
        ),
        duration=25.0,
    )


def run(experiment):
    model = build(experiment)
    return collect(model, simulate(model))


def several(base, n):
    """Experiments that differ in all that may differ."""
    return [
        replace(
            base,
            spines=(*base.spines, *(Spine(Site("dend[1]", 0.1 * j)) for j in range(1, k % 5))),
            synapses=tuple(replace(s, weights=(s.weights[0] * (1 + k % 4),)) for s in base.synapses)
            + (Synapse(SOMA, "ExpSyn", (), (1e-4,), NetStim(5.0, 9, 1.0, 1.0)),) * (k % 3),
            stimuli=(CurrentClamp(SOMA, 3.0 + k % 7, 8.0, 0.15 * (k % 6)),),
            seed=k,
        )
        for k in range(n)
    ]


def spine_in_neuron(h, on, shape, name):
    """Neck and head as sections."""
    neck, head = h.Section(name=f"neck{name}"), h.Section(name=f"head{name}")
    for section, length, wide in (
        (neck, shape.neck_length, shape.neck_diameter),
        (head, shape.head_length, shape.head_diameter),
    ):
        section.L, section.diam, section.nseg = length, wide, 1
        section.Ra, section.cm = shape.ra, shape.cm
        section.insert("pas")
        section.g_pas, section.e_pas = shape.g_pas, shape.e_pas
    neck.connect(on)
    head.connect(neck(1))
    return neck, head


def test_spines_are_sections_of_neuron(h, base):
    sections = sections_in_neuron(h, base)
    density, kept, explicit = base.spine_density[0], [], []
    h.distance(0, sections["soma[0]"](0.5))
    left = {}
    for name, section in sections.items():
        for segment in section:
            far = h.distance(segment) > density.min_distance
            if far and name.startswith(("dend", "apic")):
                left[segment] = int(section.L / section.nseg * density.per_um)
    for k, spine in enumerate(base.spines):
        on = sections[spine.site.section](spine.site.x)
        explicit.append(spine_in_neuron(h, on, SHAPE if spine.taken else SpineShape(
            1.35, 0.25, cm=1.0, g_pas=5e-5, e_pas=-65.0, ra=base.cables[0].ra), k))  # fmt: skip
        if spine.taken and left.get(on, 0):
            left[on] -= 1
    assert sum(left.values()) > 500
    for segment, count in left.items():
        kept += [spine_in_neuron(h, segment, SHAPE, f"x{len(kept)}_{j}") for j in range(count)]
    points, connections = [], []
    for synapse in base.synapses:
        number = synapse.site.section.partition("[")[2].rstrip("]")
        on_spine = synapse.site.section.startswith("spine")
        at = explicit[int(number)][1] if on_spine else sections[synapse.site.section]
        point = getattr(h, synapse.mechanism)(at(synapse.site.x))
        for name, value in synapse.parameters:
            setattr(point, name, value)
        source = None
        if isinstance(synapse.source, NetStim):
            source = h.NetStim()
            source.interval, source.number, source.start = 4.0, 3, 3.0
        connections.append((source, h.NetCon(source, point)))
        connections[-1][1].weight[0], connections[-1][1].delay = synapse.weights[0], synapse.delay
        points.append(point)
    clamp = h.IClamp(sections["soma[0]"](0.5))
    clamp.delay, clamp.dur, clamp.amp = 3.0, 12.0, 0.4
    heads = [head for _, head in explicit]
    recorded = [
        sections["soma[0]"](0.5)._ref_v,
        sections["apic[1]"](0.9)._ref_v,
        heads[0](1)._ref_v,
        heads[1](0.5)._ref_v,
        heads[2](1)._ref_v,
        explicit[0][0](0.5)._ref_v,
        heads[3](0.5)._ref_v,
        points[0]._ref_g,
    ]
    h.celsius, h.dt, h.steps_per_ms = base.celsius, base.dt, 1 / base.dt
    vectors = [h.Vector().record(reference) for reference in recorded]
    h.finitialize(base.v_init)
    for synapse, (_, connection) in zip(base.synapses, connections, strict=True):
        if isinstance(synapse.source, SpikeTrain):
            for time in synapse.source.times:
                connection.event(time + synapse.delay)
    while h.t < base.duration - base.dt / 2:
        h.fadvance()
    theirs = np.array([vector.as_numpy() for vector in vectors])
    ours = run(base).values[:, 0]
    assert np.ptp(ours[:7], axis=1).min() > 50.0  # it fires
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=LIMIT)


def test_spines_equal_sections_of_the_cell(base, tmp_path):
    """The same spines as cable of the cell's own tree."""
    bare = replace(base, spines=(), spine_density=(), synapses=(), probes=(Probe(SOMA),))
    cell = make_sections(read_morphology(Path(bare.morphology)))
    shape = replace(SHAPE, cm=None, g_pas=1e-4, e_pas=-70.0, ra=None)
    places, points = [0.2, 0.5, 0.5, 0.9], ("Exp2Syn", "ExpSyn")
    spiny = replace(
        bare,
        spines=(*(Spine(Site("apic[1]", x), shape) for x in places), Spine(SOMA)),
        synapses=tuple(Synapse(Site("spine[1]", 1.0), m, (), (3e-3,), events(0)) for m in points),
        probes=(Probe(SOMA), Probe(Site("spine[1]", 1.0)), Probe(Site("spine[3]"))),
    )
    explicit = replace(
        bare,
        spines=(Spine(SOMA),),
        insertions=(*bare.insertions, Insertion("pas", "other", (("g", 1e-4), ("e", -70.0)))),
        synapses=tuple(Synapse(Site("dend_7[3]", 1.0), m, (), (3e-3,), events(0)) for m in points),
        probes=(Probe(SOMA), Probe(Site("dend_7[3]", 1.0)), Probe(Site("dend_7[7]"))),
        rule=Rule("max_length", 40.0),
    )
    own = with_spines(cell, "apic[1]", places, (1.35, 0.25), (0.95, 0.95))
    model = build(explicit, cell=own)
    theirs = collect(model, simulate(model)).values[:, 0]
    ours = run(replace(spiny, rule=Rule("max_length", 40.0))).values[:, 0]
    assert np.ptp(ours[1]) > 20.0
    # points of sections are single precision, as in NEURON, those of spines are not
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-6)


def test_merged_twigs_equal_unmerged_ones(base, monkeypatch):
    merged = run(base)
    whole = models.make_twigs
    monkeypatch.setattr(models, "make_twigs", lambda *given: whole(*given, merge=False))
    each = run(base)
    np.testing.assert_array_equal(merged.spikes, each.spikes)
    # sums in another order; hh amplifies that by some powers of ten
    np.testing.assert_allclose(merged.values, each.values, rtol=0, atol=1e-9)


@pytest.mark.parametrize(("n_instance", "threads"), [(2, 1), (11, 2)])
def test_every_instance_of_a_batch_has_the_bits_it_has_alone(base, n_instance, threads):
    given = several(base, n_instance)
    batch = BatchRun(build_batch(given), threads)
    first, many = batch.initialize(), batch.advance(700)
    many = batch.advance(150)
    for k in range(n_instance):
        alone = CpuRun(build(given[k]))
        np.testing.assert_array_equal(alone.initialize().traces[:, 0], first.traces[:, k])
        alone.advance(700)
        one = alone.advance(150)
        np.testing.assert_array_equal(one.traces[:, 0], many.traces[:, k])
        np.testing.assert_array_equal(alone.voltage[:, 0], batch.voltage[:, k])
        np.testing.assert_array_equal(one.spikes[:, 1], many.spikes[many.spikes[:, 0] == k, 1])
    if n_instance > 2:
        assert np.ptp(many.traces[0, :, -1]) > 0.1  # they do differ


def test_a_batch_runs_again_as_before(base):
    batch = BatchRun(build_batch(several(base, 5)), 1)
    batch.initialize()
    before = batch.advance(500).traces
    batch.initialize()
    np.testing.assert_array_equal(batch.advance(500).traces, before)


def test_clamps_junctions_and_sources_work_on_spines(base):
    """Whatever sits on a spine of a batch is what it is on the same spine alone."""
    given = replace(
        base,
        stimuli=(CurrentClamp(Site("spine[0]"), 2.0, 5.0, 0.02),),
        voltage_clamps=(VoltageClamp(Site("spine[3]"), (5.0, 5.0, 5.0), (-60.0, -20.0, -70.0)),),
        gap_junctions=(GapJunction(Site("spine[1]", 1.0), Site("dend[1]", 0.5), 1e-3),),
        synapses=(
            *base.synapses,
            Synapse(TUFT, "ExpSyn", (), (2e-3,), SpikeSource(Site("spine[3]"), -40.0), 1.0),
        ),
        probes=(*base.probes, Probe(Site("spine[3]"), "i_VoltageClamp"), Probe(TUFT, "g_ExpSyn")),
    )
    ours = run(given).values[:, 0]
    held = ours[6]
    assert held[200 - 4] == pytest.approx(-60.0, abs=1.0)
    assert held[400 - 4] == pytest.approx(-20.0, abs=1.0)
    assert ours[-1].max() > 1e-3  # the clamped spine crosses the threshold at 5 ms
    other = replace(given, spines=(*given.spines, Spine(TUFT)), seed=1)
    batch = build_batch([other, given, other, given])
    many = collect(batch, simulate(batch)).values
    np.testing.assert_array_equal(many[:, 1], ours)
    np.testing.assert_array_equal(many[:, 3], ours)


def test_a_bad_voltage_on_a_spine_names_its_segment(base):
    run_ = CpuRun(build(base))
    run_.initialize()
    place = run_._flat.places(np.array([run_.model.n_comp + 1], np.int32), np.array([0]))
    run_._arrays["v"][place] = np.nan
    bad = run_.advance(5).bad
    assert bad is not None
    assert 0 <= bad[0] < run_.model.n_comp


def test_any_schedule_solves_a_cell_with_spines(base):
    assert compare_orders(build(base)) == 0.0


def test_the_estimate_of_memory_knows_spines_and_played_currents(base):
    """Against the arrays of runs, which hold some more than is counted and no less than half."""
    plain = replace(base, duration=1.0)
    waves = (RampClamp(SOMA, 0.0, 10.0), RampClamp(TUFT, 0.0, 10.0))
    given = replace(plain, waveforms=waves, duration=100.0)
    for model in (build(plain), build(given), build_batch(several(plain, 8))):
        arrays = CpuRun(model)._arrays.values()
        taken = sum(a.nbytes for a in arrays if isinstance(a, np.ndarray))
        n_time = model.n_time * (1 + len(model.probes) * model.n_instance)
        counted = bytes_needed(model) - frame_bytes(model) - 8 * n_time
        assert 0.5 * taken < counted < 2 * taken


def test_files_hold_the_experiment_of_every_instance(base, tmp_path):
    given = [replace(e, name=f"trial {k}", duration=1.0) for k, e in enumerate(several(base, 3))]
    batch = build_batch(given)
    recording = collect(batch, simulate(batch))
    assert recording.instances == ("instance 0 trial 0", "instance 1 trial 1", "instance 2 trial 2")
    export_traces_hdf5(recording, tmp_path / "a.h5")
    again = read_traces_hdf5(tmp_path / "a.h5")
    assert again.experiments == tuple(given)
    np.testing.assert_array_equal(again.values, recording.values)
    export_traces_csv(recording, tmp_path / "a.csv")
    columns = read_traces_csv(tmp_path / "a.csv").columns
    assert columns[1:4] == tuple(f"soma[0](0.5) v (mV) {name}" for name in recording.instances)
