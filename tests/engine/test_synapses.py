"""Synapses and their events against NEURON, and what must not change their numbers."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.discretize import Rule
from engine.errors import UnstableError, UserError
from engine.experiment import Cable, Experiment, Insertion, Probe, from_json, to_json
from engine.model import build
from engine.recording import collect
from engine.simulation import compare_orders, simulate
from engine.stimuli import CurrentClamp, Site
from engine.synapses import NetStim, SpikeSource, SpikeTrain, Synapse, event_times
from tests.engine.cells_on_disk import FORKED, write
from tests.engine.neuron_cells import NeuronCell

SOMA, TUFT, END = Site("soma[0]"), Site("apic[1]", 0.9), Site("dend[1]", 1.0)
LEAK = (("g", 5e-5), ("e", -65.0))
MIXED = (Insertion("hh", "soma"), Insertion("pas", "dendrite", LEAK))
LIMIT = 1e-8
"""mV against NEURON, DESIGN §4."""
TRAIN = SpikeTrain((20.3, 3.0, 7.0125, 7.0125, 44.0))
# NEURON has one threshold for all connections of a source, so they agree here
SYNAPSES = (
    Synapse(TUFT, "Exp2Syn", (("tau1", 0.3), ("tau2", 3.0)), (0.002,), TRAIN, 1.0),
    Synapse(END, "ExpSyn", (("tau", 2.0),), (0.01,), NetStim(5.0, 4, 2.0), 0.5),
    Synapse(END, "ExpSyn", (("tau", 2.0), ("e", -80.0)), (0.01,), SpikeSource(SOMA, -20.0), 3.0),
    Synapse(TUFT, "ExpSyn", (("tau", 1.0),), (0.004,), SpikeSource(SOMA, -20.0)),
)
PROBES = (
    Probe(SOMA),
    Probe(TUFT),
    Probe(END),
    Probe(TUFT, "g_Exp2Syn"),
    Probe(END, "g_ExpSyn"),
    Probe(END, "i_ExpSyn[1]"),
    Probe(TUFT, "B_Exp2Syn"),
)


@pytest.fixture
def base(tmp_path):
    return Experiment(
        str(write(tmp_path, FORKED)),
        rule=Rule("fixed", 3),
        insertions=MIXED,
        synapses=SYNAPSES,
        probes=PROBES,
        duration=50.0,
    )


def run(experiment, **options):
    model = build(experiment, **options)
    return collect(model, simulate(model))


def sections_in_neuron(h, experiment):
    """The cell of an experiment with hh in the soma and a leak in the dendrites."""
    cell = NeuronCell(h, Path(experiment.morphology))
    cable = experiment.cables[0]
    for name, section in cell.by_name.items():
        section.nseg, section.Ra, section.cm = int(experiment.rule.value), cable.ra, cable.cm
        if name.startswith("soma"):
            section.insert("hh")
        elif name.startswith(("dend", "apic")):
            section.insert("pas")
            section.g_pas, section.e_pas = 5e-5, -65
    h.usetable_hh = 0
    return cell.by_name


def connect(h, synapses, sections):
    """Points and connections; times of trains are sent after the start by the caller."""
    points, connections, others = [], [], []
    for synapse in synapses:
        point = getattr(h, synapse.mechanism)(sections[synapse.site.section](synapse.site.x))
        for name, value in synapse.parameters:
            setattr(point, name, value)
        match synapse.source:
            case NetStim() as given:
                source = h.NetStim()
                source.interval, source.number = given.interval, given.number
                source.start, source.noise = given.start, given.noise
                others.append(source)
                connection = h.NetCon(source, point)
            case SpikeSource(site, threshold):
                section = sections[site.section]
                connection = h.NetCon(section(site.x)._ref_v, point, sec=section)
                connection.threshold = threshold
            case _:
                connection = h.NetCon(None, point)
        connection.delay, connection.weight[0] = synapse.delay, synapse.weights[0]
        points.append(point)
        connections.append(connection)
    return points, connections, others


def run_in_neuron(h, experiment, recorded, connections):
    h.celsius, h.dt, h.steps_per_ms = experiment.celsius, experiment.dt, 1 / experiment.dt
    h.secondorder = 0
    vectors = [h.Vector().record(reference) for reference in recorded]
    h.finitialize(experiment.v_init)
    for synapse, connection in zip(experiment.synapses, connections, strict=True):
        if isinstance(synapse.source, SpikeTrain):
            for time in synapse.source.times:
                if time <= experiment.duration:
                    connection.event(time + synapse.delay)
    while h.t < experiment.duration - experiment.dt / 2:
        h.fadvance()
    return np.array([vector.as_numpy() for vector in vectors])


def test_every_source_of_events_is_neurons(h, base):
    sections = sections_in_neuron(h, base)
    points, connections, kept = connect(h, base.synapses, sections)
    recorded = [sections[s.section](s.x)._ref_v for s in (SOMA, TUFT, END)]
    recorded += [points[0]._ref_g, points[1]._ref_g, points[2]._ref_i, points[0]._ref_B]
    expected = run_in_neuron(h, base, recorded, connections)
    recording = run(base)
    assert len(recording.spikes) > 0
    assert recording.units == ("mV", "mV", "mV", "uS", "uS", "nA", "uS")
    np.testing.assert_allclose(recording.values[:3, 0], expected[:3], rtol=0, atol=LIMIT)
    np.testing.assert_allclose(recording.values[3:, 0], expected[3:], rtol=0, atol=1e-11)
    assert (np.ptp(expected, axis=1) > 1e-3).all()
    assert len(kept) == 1


def test_four_hundred_synapses_on_a_large_tree_are_neurons(h, data_dir):
    """Case C of the measured peers: passive dendrites, hh in the soma, trains of 1 Hz."""
    path = data_dir / "bench" / "tree1k.swc"
    tree = build(Experiment(str(path), rule=Rule("fixed", 5))).tree
    given = json.loads((data_dir / "bench" / "syn_tree1k.json").read_text())
    center = tree.center[tree.node_of_segment]
    synapses, used = [], set()
    for item in given:  # the list names points in space; each is the middle of a segment
        segment = int(np.argmin(np.sum((center - item["xyz"]) ** 2, axis=1)))
        used.add(segment)
        node = tree.node_of_segment[segment]
        site = Site(tree.sections.name[tree.section[node]], float(tree.x[node]))
        times = tuple(t for t in item["times"] if t < 100.0)
        parameters = (("tau1", 0.5), ("tau2", 5.0))
        synapses.append(Synapse(site, "Exp2Syn", parameters, (0.0005,), SpikeTrain(times), 1.0))
    assert len(used) == len(synapses) == 400
    root = Site(tree.sections.name[0])
    experiment = Experiment(
        str(path),
        rule=Rule("fixed", 5),
        cables=(Cable(),),
        insertions=MIXED,
        stimuli=(CurrentClamp(root, 0.0, 100.0, 0.3),),
        synapses=tuple(synapses),
        probes=(Probe(root), *(Probe(s.site) for s in synapses[::40])),
        duration=100.0,
    )
    sections = sections_in_neuron(h, experiment)
    points, connections, _ = connect(h, synapses, sections)
    assert len(points) == 400  # NEURON's points live as long as someone holds them
    clamp = h.IClamp(sections[root.section](0.5))
    clamp.delay, clamp.dur, clamp.amp = 0.0, 100.0, 0.3
    recorded = [sections[p.site.section](p.site.x)._ref_v for p in experiment.probes]
    expected = run_in_neuron(h, experiment, recorded, connections)
    values = run(experiment).values[:, 0]
    assert sum(len(s.source.times) for s in synapses) > 20
    np.testing.assert_allclose(values, expected, rtol=0, atol=LIMIT)
    silent = run(replace(experiment, synapses=())).values[:, 0]
    assert np.abs(silent - values).max() > 1.0


@pytest.mark.slow
def test_instances_chunks_node_sets_and_schedules_do_not_change_numbers(base):
    one = run(base)
    many = run(base, n_instance=9)
    for k in range(9):
        np.testing.assert_array_equal(many.values[:, k], one.values[:, 0])
    model = build(base)
    np.testing.assert_array_equal(
        collect(model, simulate(model, chunks_per_second=1e9)).values, one.values
    )
    whole = run(replace(base, nodes="neuron"))
    np.testing.assert_allclose(whole.values, one.values, rtol=0, atol=LIMIT)
    assert compare_orders(model) == 0.0
    other = run(replace(base, method="hines", n_threads=1))
    np.testing.assert_array_equal(other.values, one.values)


def test_the_order_of_synapses_does_not_change_numbers(base):
    """Points of one mechanism are computed by node, whatever the list says."""
    turned = replace(base, synapses=base.synapses[::-1], probes=PROBES[:4])
    np.testing.assert_allclose(run(turned).values, run(base).values[:4], rtol=0, atol=1e-11)


def test_json_gives_synapses_back(base):
    assert from_json(to_json(base)) == base


def test_events_are_delivered_by_half_a_step(base):
    """te <= t + dt/2 at the start of the step: one hair later is one step later."""
    passive = replace(base, insertions=(Insertion("pas", "all", LEAK),), duration=2.0)

    def first(time):
        synapse = Synapse(TUFT, "ExpSyn", (), (0.01,), SpikeTrain((time,)))
        values = run(replace(passive, synapses=(synapse,), probes=(Probe(TUFT),))).values[0, 0]
        return int(np.flatnonzero(values != values[0])[0])

    assert first(1.0) == first(1.0125 - 1e-9) == 41
    assert first(1.0125 + 1e-9) == 42
    assert first(0.0) == 1


def test_known_arrivals_are_those_of_every_source_in_order(base):
    noisy = NetStim(2.0, 90, 1.0, noise=1.0, stream=4)
    late = SpikeTrain((base.duration + base.dt, base.duration + 1.0, 1.0))
    given = (
        *SYNAPSES[1:],
        Synapse(END, "ExpSyn", (), (1e-3,), TRAIN, 2.0),
        Synapse(SOMA, "ExpSyn", (), (2e-3,), noisy),
        Synapse(SOMA, "ExpSyn", (), (), late, 9.0),
    )
    model = build(replace(base, synapses=given, probes=()))
    (placed,) = [p for p in model.placed if p.mechanism.name == "ExpSyn"]
    end, found = base.duration + base.dt, []
    for c, point in enumerate(placed.connections.point):
        synapse = given[placed.synapse[point]]
        times = event_times(synapse.source, end, base.seed) + synapse.delay
        found += [(time, c) for time in times.tolist()]
        assert placed.connections.weight[c, 0] == (synapse.weights or (0.0,))[0]
    found.sort()
    assert len(found) > 20
    np.testing.assert_array_equal(placed.connections.time, [time for time, _ in found])
    np.testing.assert_array_equal(placed.connections.connection, [c for _, c in found])


def test_trains_have_the_times_that_were_asked_for():
    regular = event_times(NetStim(7.0, 5, 3.0), 100.0, 0)
    np.testing.assert_allclose(regular, [3.0, 10.0, 17.0, 24.0, 31.0], rtol=1e-15)
    assert len(event_times(NetStim(7.0, 5, 3.0), 20.0, 0)) == 3
    assert len(event_times(NetStim(7.0, 0, 3.0), 100.0, 0)) == 0
    np.testing.assert_array_equal(event_times(SpikeTrain((5.0, 1.0, 9.0)), 6.0, 0), [1.0, 5.0])
    assert len(event_times(SpikeSource(SOMA), 100.0, 0)) == 0
    poisson = NetStim(2.0, 10**6, 10.0, 1.0)
    long, short = event_times(poisson, 20_000.0, 5), event_times(poisson, 100.0, 5)
    np.testing.assert_array_equal(long[: len(short)], short)
    assert (np.diff(long) > 0).all()
    interval = np.diff(long)  # mean and deviation of 10,000 draws: within five standard errors
    assert abs(interval.mean() - 2) < 5 * 2 / np.sqrt(len(interval))
    assert abs(interval.std() - 2) < 5 * 2 * np.sqrt(2) / np.sqrt(len(interval))
    half = np.diff(event_times(replace(poisson, noise=0.5), 20_000.0, 5))
    assert half.min() >= 1.0
    assert (event_times(replace(poisson, stream=1), 100.0, 5)[:20] != short[:20]).all()
    assert (event_times(poisson, 100.0, 6)[:20] != short[:20]).all()


def test_an_unstable_synapse_names_the_compartment_and_the_time(base):
    bad = Synapse(TUFT, "ExpSyn", (("e", 1e9),), (1e6,), SpikeTrain((1.0,)))
    with pytest.raises(UnstableError, match=r"at .*\(.*\) left ±10000 mV at 1\.025 ms"):
        run(replace(base, synapses=(bad,), probes=PROBES[:2]))


@pytest.mark.parametrize(
    ("synapse", "message"),
    [
        (Synapse(TUFT, "Exp2Sin"), "no mechanism 'Exp2Sin'; did you mean 'Exp2Syn'?"),
        (Synapse(TUFT, "hh"), "mechanism 'hh' is no point process and cannot sit at apic[1](0.9)"),
        (Synapse(TUFT, "ExpSyn", (("tow", 1.0),)), "no parameter 'tow'; known: tau, e"),
        (
            Synapse(TUFT, "ExpSyn", (), (1.0, 2.0), TRAIN),
            "2 weights; NET_RECEIVE of 'ExpSyn' takes",
        ),
        (Synapse(TUFT, "ExpSyn", (("tau", np.nan),)), "tau of the synapse at apic[1](0.9) is nan"),
        (Synapse(TUFT, "ExpSyn", source=SpikeTrain((-1.0,))), "a time of the synapse at apic"),
        (Synapse(TUFT, "ExpSyn", delay=-1.0), "delay of the synapse at apic[1](0.9) is -1 ms"),
        (Synapse(Site("x"), "ExpSyn"), "synapse at x(0.5): the cell has no section 'x'"),
        (
            Synapse(TUFT, "ExpSyn", source=SpikeSource(Site("y"))),
            "source of a synapse at y(0.5): the cell has no section 'y'",
        ),
    ],
)
def test_what_is_no_synapse_is_refused_in_a_sentence(base, synapse, message):
    with pytest.raises(UserError, match=r"^[^\n]+$") as caught:
        build(replace(base, synapses=(synapse,), probes=PROBES[:1]))
    assert message in str(caught.value)


def test_a_point_process_is_not_inserted(base):
    bad = replace(base, insertions=(Insertion("ExpSyn"),), synapses=(), probes=())
    with pytest.raises(UserError, match=r"'ExpSyn' is a point process.*put it on a site"):
        build(bad)
