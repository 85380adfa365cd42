"""What points send to each other on a device, in the order of the processor."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from engine.backends.cpu import CpuBackend
from engine.backends.gpu import tables
from engine.backends.gpu.backend import GpuBackend
from engine.backends.gpu.run import GpuPopulation, GpuRun
from engine.backends.gpu.shape import Shape
from engine.discretize import Rule
from engine.experiment import Experiment, Insertion, Probe
from engine.model import build, build_batch
from engine.stimuli import CurrentClamp
from engine.synapses import PointSource, SpikeSource, SpikeTrain, Synapse
from tests.engine.backends.gpu.models import END, SOMA, TUFT
from tests.engine.backends.gpu.test_run import DEVICES, assert_close, bits, run
from tests.engine.cells_on_disk import FORKED, write
from tests.engine.mechanisms.test_points import PULSE
from tests.engine.nvrtc import compile_for_device
from tests.engine.shim_device import ShimDevice

LISTEN = """
NEURON {
    POINT_PROCESS Listen
    NONSPECIFIC_CURRENT i
    RANGE wait, heard
}
PARAMETER { wait = 1 (ms) }
ASSIGNED { v (mV) i (nA) heard }
STATE { g (uS) }
INITIAL {
    g = 0
    heard = 0
    net_send(wait, 2)
}
BREAKPOINT {
    SOLVE decay METHOD cnexp
    i = g * (v + 10)
}
DERIVATIVE decay { g' = -g / 4 }
NET_RECEIVE(w (uS)) {
    if (flag == 0) {
        heard = 0.7 * heard + 1e3 * w
        g = g * 0.9 + w
        if (wait > 0) { net_send(wait, 1) }
    } else if (flag == 3) {
        heard = 0.6 * heard + 1
        g = g + 1e-4
    } else {
        net_event(t)
        if (flag == 2) { net_send(0.5, 3) }
    }
}
"""
"""A point whose numbers depend on the order in which it hears others."""
HEARD = tuple(
    Probe(site, "heard_Listen" + f"[{k}]" * (k > 0))
    for site, n in ((END, 6), (SOMA, 3), (TUFT, 3))
    for k in range(n)
)


@pytest.fixture(scope="module", params=DEVICES)
def device(request):
    return request.param()


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """Several talk at once to one; two mechanisms in a ring; delays of 0 and of parts of a step."""
    folder = tmp_path_factory.mktemp("relays")
    mechanisms = folder / "mod"
    mechanisms.mkdir()
    shutil.copy(PULSE, mechanisms)
    (mechanisms / "listen.mod").write_text(LISTEN)
    train = SpikeTrain((1.0, 2.0, 2.0, 4.51))

    def talker(site, weight):
        return Synapse(site, "Listen", (), (weight,), train, 0.1)

    last = (("wait", 0.0),)
    return Experiment(
        str(write(folder, FORKED)),
        rule=Rule("fixed", 3),
        insertions=(Insertion("pas"),),
        stimuli=(CurrentClamp(SOMA, 1.0, 2.0, 0.4),),
        synapses=(
            *(talker(s, w) for s, w in ((TUFT, 1e-3), (SOMA, 2e-3), (END, 3e-3), (SOMA, 4e-3))),
            Synapse(END, "Listen", last, (2e-3,), PointSource(2), 0.0),
            Synapse(END, "Listen", last, (5e-3,), PointSource(0), 0.0),
            Synapse(END, "Listen", last, (7e-3,), PointSource(1), 0.013),
            Synapse(TUFT, "Pulse", (("high", -55.0),), (3e-3,), PointSource(3), 0.013),
            Synapse(SOMA, "Listen", (("wait", 0.3),), (1e-3,), PointSource(7), 0.01),
            Synapse(TUFT, "Pulse", (("high", -60.0),), (2e-3,), PointSource(8), 0.0),
            Synapse(SOMA, "Listen", last, (2e-3,), PointSource(7), 0.7),
            Synapse(SOMA, "Listen", last, (2e-3,), SpikeSource(TUFT, -60.0), 0.7),
            Synapse(TUFT, "Listen", (), (1e-3,), SpikeSource(SOMA, -60.0), 0.3),
            # what a point sends to itself and what it hears come at one time
            *(
                Synapse(site, "Listen", (), (2e-3,), PointSource(talks), 0.5)
                for site, talks in ((END, 0), (TUFT, 2), (END, 1), (SOMA, 2))
            ),
        ),
        probes=(Probe(SOMA), Probe(TUFT), Probe(END), *HEARD, Probe(TUFT, "count_Pulse[1]")),
        mechanism_folders=(str(mechanisms),),
        frame_interval=0.1,
        duration=15.0,
    )


@pytest.mark.parametrize("shape", [Shape(1, 1), Shape(8, 4), Shape(64, 32)], ids=str)
def test_points_hear_each_other_as_on_the_cpu(device, given, shape):
    model = build(given)
    expected = run(CpuBackend().start(model), 400)
    found = run(GpuBackend(device, shape).start(model), 400)
    assert_close(found, expected)
    traces = found[1].traces[:, 0]
    assert np.ptp(traces[:3], axis=1).min() > 1.0
    assert traces[-1, -1] >= 2  # the ring went round


def test_trees_in_one_run_have_the_bits_of_each_alone(device, given):
    both = [build(given, 2), build(replace(given, rule=Rule("fixed", 5)))]
    each = [run(GpuRun(model, device, Shape(8, 4)), 250) for model in both]
    population = GpuPopulation(both, device, [Shape(8, 4)] * 2)
    assert len(population.sets) == 1
    for call, found in enumerate((population.initialize(), population.advance(250))):
        for one, alone in zip(found, each, strict=True):
            assert bits((one,)) == bits((alone[call],))


def test_threads_and_their_order_do_not_change_bits(given):
    model = build(given)
    first = bits(run(GpuRun(model, ShimDevice(), Shape(1, 1)), 250))
    for mode in ("backward", "shuffled"):
        assert bits(run(GpuRun(model, ShimDevice(mode, seed=2), Shape(8, 4)), 250)) == first
        assert bits(run(GpuRun(model, ShimDevice(mode, seed=3), Shape(64, 32)), 250)) == first


def test_real_threads_give_the_same_bits(given):
    model = build(given)
    first = bits(run(GpuRun(model, ShimDevice(), Shape(8, 4)), 60))
    assert bits(run(GpuRun(model, ShimDevice("threads"), Shape(8, 4)), 60)) == first


def test_instances_do_not_hear_each_other(device, given):
    late = replace(given.synapses[0], source=SpikeTrain((3.0,)))
    other = replace(given, synapses=(late, *given.synapses[1:]))
    silent = replace(given, synapses=(replace(late, source=None), *given.synapses[1:]))
    experiments = (given, other, silent, given)
    together = run(GpuRun(build_batch(experiments), device, Shape(8, 4)), 250)[1]
    for k, experiment in enumerate(experiments):
        alone = run(GpuRun(build(experiment), device, Shape(8, 4)), 250)[1]
        np.testing.assert_array_equal(together.traces[:, k], alone.traces[:, 0])
    assert len(np.unique(together.traces[0, :, -1])) == 3


def test_queues_that_fill_up_lose_nothing(device, given, monkeypatch):
    model = build(given)
    plenty = bits(run(GpuRun(model, device, Shape(8, 4)), 250))
    monkeypatch.setattr(tables, "room_for", lambda *_: 4)
    started = GpuRun(model, device, Shape(8, 4))
    assert bits(run(started, 250)) == plenty


def test_nvrtc_compiles_the_kernel(given):
    from engine.backends.gpu.source import emit
    from engine.backends.gpu.tables import structure_of

    text, _ = emit(structure_of(build(given)))
    status, log = compile_for_device(text, "sm_90", Shape(32, 32).definitions)
    assert status == 0, log
