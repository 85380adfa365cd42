"""The CPU backend: bits that must not depend on instances, chunks, schedules or node sets."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from engine.backends.cpu import CpuRun, first_of_run, spread
from engine.backends.layout import level_order
from engine.discretize import Rule
from engine.experiment import Experiment, Insertion, Probe
from engine.linear import leak
from engine.model import build
from engine.recording import collect
from engine.simulation import compare_orders, simulate
from engine.stimuli import CurrentClamp, Site
from engine.types import ScheduleMethod
from tests.engine.cells_on_disk import FORKED, write

SOMA, TUFT = Site("soma[0]"), Site("apic[1]", 0.9)
MEMBRANES = {
    "passive": (Insertion("pas"),),
    "hh": (Insertion("hh"),),
    "mixed": (Insertion("hh", "soma"), Insertion("hh", "apical"), Insertion("pas", "basal")),
    "bare": (),
}


@pytest.fixture(params=MEMBRANES)
def experiment(request, tmp_path):
    return Experiment(
        str(write(tmp_path, FORKED)),
        insertions=MEMBRANES[request.param],
        stimuli=(CurrentClamp(SOMA, 1.0, 15.0, 2.0), CurrentClamp(TUFT, 5.0, 1.0, -0.3)),
        probes=(Probe(SOMA), Probe(TUFT)),
        duration=20.0,
    )


def run(experiment, **options):
    model = build(experiment, **options)
    return collect(model, simulate(model))


def test_every_schedule_gives_the_same_bits(experiment):
    first = run(experiment)
    methods: tuple[ScheduleMethod, ...] = ("hines", "branches", "depth_levels", "permute2")
    for method in methods:
        other = replace(experiment, method=method, n_threads=4)
        np.testing.assert_array_equal(run(other).values, first.values)
        assert compare_orders(build(other)) == 0.0


def test_the_comparison_of_orders_sees_a_difference(experiment, monkeypatch):
    def one_off(*arguments):
        return np.nextafter(solve(*arguments), np.inf)

    from engine import simulation

    solve = simulation.solve_by_schedule
    monkeypatch.setattr(simulation, "solve_by_schedule", one_off)
    assert 0 < compare_orders(build(experiment)) < 1e-12


def test_every_instance_gives_the_bits_of_one(experiment):
    one, many = run(experiment), run(experiment, n_instance=5)
    assert many.values.shape == (2, 5, len(one.time))
    for k in range(5):
        np.testing.assert_array_equal(many.values[:, k], one.values[:, 0])
    np.testing.assert_array_equal(many.frames, one.frames)
    np.testing.assert_array_equal(np.sort(many.spikes[:, 1]), np.repeat(one.spikes[:, 1], 5))


def test_the_merged_tree_gives_neurons_numbers(experiment):
    """Eliminating massless nodes is exact; what is left is rounding, 1e-9 mV."""
    merged, whole = run(experiment), run(replace(experiment, nodes="neuron"))
    assert whole.frames.shape[1] > merged.frames.shape[1]
    np.testing.assert_allclose(merged.values, whole.values, rtol=0, atol=1e-9)


@pytest.mark.parametrize("rate", [1e9, 1000.0, 1e-3])
def test_chunks_do_not_change_numbers(experiment, rate):
    model = build(experiment)
    chunks = list(simulate(model, chunks_per_second=rate))
    whole = collect(model, simulate(model))
    cut = collect(model, chunks)
    assert cut.complete
    assert chunks[0].start == 0
    assert chunks[0].time[0] == 0
    assert chunks[-1].fraction == 1
    for before, after in pairwise(chunks):
        assert after.start == before.stop == before.time[-1] < after.time[0]
        assert after.fraction > before.fraction
    for name in ("time", "values", "frame_time", "frames", "spikes"):
        np.testing.assert_array_equal(getattr(cut, name), getattr(whole, name))
    if rate == 1e9:
        assert len(chunks) > 100  # one step each after the first


def test_frames_are_the_whole_cell_at_their_times(experiment):
    model = build(replace(experiment, frame_interval=0.1, dt=0.05, duration=5.0))
    recording = collect(model, simulate(model))
    assert model.frame_every == 2
    np.testing.assert_allclose(np.diff(recording.frame_time), 0.1)
    assert len(recording.frame_time) == model.n_frame == 51
    node = [probe.index for probe in model.probes]
    np.testing.assert_array_equal(
        recording.frames[:, node], recording.values[:, 0, ::2].T.astype(np.float32)
    )


def test_a_second_run_gives_the_same_bits(experiment):
    np.testing.assert_array_equal(run(experiment).values, run(experiment).values)


def test_a_run_can_be_started_again(experiment):
    started = CpuRun(build(experiment))
    started.initialize()
    first = started.advance(50).traces
    started.initialize()
    np.testing.assert_array_equal(started.advance(50).traces, first)


def test_nan_in_one_compartment_ends_the_samples_before_it(experiment):
    model = build(experiment, n_instance=8)
    started = CpuRun(model)
    started.initialize()
    started.advance(7)
    node, instance = model.n_comp - 1, 2
    started._arrays["v"][started.layout.place[node] * 8 + instance] = np.nan
    samples = started.advance(10)
    assert len(samples.time) == samples.traces.shape[2] == 0
    assert samples.bad is not None
    assert samples.bad[1] == instance
    assert samples.bad[2] == pytest.approx(8 * 0.025)
    assert np.isfinite(started.voltage[:, :instance]).all()


def test_voltage_is_in_the_order_of_the_tree(experiment):
    model = build(experiment, n_instance=8)
    started = CpuRun(model)
    started.initialize()
    samples = started.advance(60)
    assert started.voltage.shape == (model.n_comp, 8)
    for slot, probe in enumerate(model.probes):
        np.testing.assert_array_equal(started.voltage[probe.index], samples.traces[slot, :, -1])


def test_a_leak_is_read_off_the_mechanism(experiment):
    parameters = (("g", 2e-4), ("e", -62.0))
    model = build(
        replace(
            experiment,
            insertions=(Insertion("pas", "all", parameters), Insertion("pas", "apical")),
            probes=(),
        )
    )
    i, g = leak(model.placed, model.n_comp, model.experiment.celsius)
    apical = model.tree.tag == 4
    membrane = ~model.tree.massless
    np.testing.assert_allclose(g, np.where(apical, 1e-3, 2e-4) * membrane, rtol=1e-15)
    np.testing.assert_allclose(i, g * np.where(apical, 70.0, 62.0), rtol=1e-15)


def test_mechanisms_fill_gaps_of_massless_nodes_only(experiment):
    tree = build(replace(experiment, rule=Rule("fixed", 3), nodes="neuron")).tree
    layout = level_order(tree.parent)
    everywhere = np.flatnonzero(~tree.massless).astype(np.int32)
    place, row = spread(everywhere, layout, tree.massless)
    assert first_of_run(place) == place[0]
    covered = layout.order[place]
    with_membrane = ~tree.massless[covered]
    np.testing.assert_array_equal(everywhere[row][with_membrane], covered[with_membrane])
    assert set(everywhere) == set(covered[with_membrane])

    apical = np.flatnonzero(~tree.massless & (tree.tag == 4)).astype(np.int32)
    place, row = spread(apical, layout, tree.massless)
    np.testing.assert_array_equal(layout.order[place], apical[row])
    assert first_of_run(place) == -1
