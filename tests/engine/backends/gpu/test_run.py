"""The kernel of a whole run against the CPU, and what must not change its bits.

The text is that of a device; here it runs on the CPU. ``pytest -m gpu`` takes a real one.
"""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from engine.backends.cpu import CpuBackend
from engine.backends.gpu import tables
from engine.backends.gpu.member import STORES
from engine.backends.gpu.room import most_within
from engine.backends.gpu.run import GpuPopulation, GpuRun
from engine.backends.gpu.shape import Shape
from engine.backends.gpu.source import emit
from engine.backends.gpu.tables import place_of, structure_of
from engine.errors import BackendError, OutOfDeviceMemoryError
from engine.model import build, build_batch
from engine.spines import Spine
from engine.stimuli import CurrentClamp, Site
from engine.synapses import SpikeSource, Synapse
from tests.engine.backends.gpu import models
from tests.engine.backends.gpu.models import KINDS, OWN, SOMA, TUFT
from tests.engine.backends.gpu.test_shim import sanitized
from tests.engine.nvrtc import compile_for_device
from tests.engine.shim_device import ShimDevice

STEPS = 500
SAME = 1e-9
"""Relative to the largest voltage: fused products and other sums than the CPU's, DESIGN §8. What is
seen here is below 1e-11."""
THREADS = ((1, 1), (4, 4), (16, 16), (32, 16), (64, 32), (256, 256))
SHAPES = tuple(Shape(*threads, solve) for solve in ("dhs", "contract") for threads in THREADS)


def real_device():
    from engine.backends.gpu.cupy_device import cupy_device

    try:
        return cupy_device()
    except BackendError as reason:
        pytest.skip(str(reason))


DEVICES = [
    pytest.param(ShimDevice, id="shim"),
    pytest.param(real_device, id="gpu", marks=pytest.mark.gpu),
]


@pytest.fixture(scope="module", params=DEVICES)
def device(request):
    return request.param()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("cells")


@pytest.fixture(scope="module", params=KINDS)
def kind(request):
    return request.param


def run(started, n_step=STEPS):
    """Samples of the start and of some steps."""
    return started.initialize(), started.advance(n_step)


@pytest.fixture(scope="module")
def expected(kind, folder):
    model = models.model(kind, folder)
    started = CpuBackend().start(model)
    return model, run(started), started.voltage


def assert_close(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one.time, other.time)
        np.testing.assert_array_equal(one.frame_time, other.frame_time)
        np.testing.assert_array_equal(one.spikes, other.spikes)
        for k in range(len(other.traces)):
            scale = np.abs(other.traces[k]).max()
            np.testing.assert_allclose(
                one.traces[k], other.traces[k], rtol=0, atol=SAME * scale, err_msg=f"probe {k}"
            )
        np.testing.assert_allclose(one.frames, other.frames, rtol=1e-6)  # float32


def bits(samples):
    return b"".join(part.traces.tobytes() + part.frames.tobytes() for part in samples)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: s.name)
def test_a_run_gives_the_numbers_of_the_cpu(device, expected, shape):
    model, samples, voltage = expected
    if shape.solve == "contract" and len(model.placed) > 3:
        pytest.skip("all mechanisms are run with the other solve")
    started = GpuRun(model, device, shape)
    found = run(started)
    assert_close(found, samples)
    np.testing.assert_allclose(started.voltage, voltage, rtol=SAME)
    assert np.ptp(found[1].traces[0]) > 1.0  # something happens


def test_threads_and_memory_do_not_change_bits(device, folder, kind):
    model = models.model(kind, folder)
    first = bits(run(GpuRun(model, device, Shape(1, 1)), 120))
    for shape in (Shape(32, 8), Shape(64, 64), Shape(64, 64, store="tree")):
        assert bits(run(GpuRun(model, device, shape), 120)) == first
        assert bits(run(GpuRun(model, device, shape), 120)) == first
    if kind == "everything":
        return  # takes long to compile, and another solve changes nothing of it
    shape = Shape(64, 16, "contract")
    first = bits(run(GpuRun(model, device, shape), 120))
    for store in ("auto", "tree", "global"):
        assert bits(run(GpuRun(model, device, replace(shape, store=store)), 120)) == first


@pytest.mark.parametrize("mode", ["backward", "shuffled"])
def test_the_order_of_threads_does_not_change_bits(folder, kind, mode):
    """As a missing barrier would; with state in shared and in global memory."""
    model, shapes = models.model(kind, folder, 3), [Shape(8, 8), Shape(64, 4), Shape(64, 64)]
    firsts = {(solve, k): bits(run(GpuRun(model, ShimDevice(), Shape(32, k, solve)), 80))
              for solve, k in (("dhs", 4), ("contract", 8), ("contract", 32))
              if solve == "dhs" or kind != "everything"}  # fmt: skip
    shapes += [Shape(8, 8, "contract"), Shape(64, 8, "contract"), Shape(32, 32, "contract")]
    for shape in shapes:
        if shape.solve == "contract" and kind == "everything":
            continue
        first = firsts[shape.solve, 4 if shape.solve == "dhs" else shape.lanes]
        for store, memory in (("shared", 2**17), ("tree", 2**17), ("global", 1200)):
            device = ShimDevice(mode, seed=1, shared_memory=memory)
            asked = replace(shape, store="tree" if store == "tree" else "auto")
            started = GpuRun(model, device, asked)
            assert (started.tables.shared_bytes > 0) == (memory > 1200)
            spiny = model.twigs is not None
            assert started.tables.store == (store if spiny else store.replace("tree", "shared"))
            assert bits(run(started, 80)) == first


def test_what_fits_lies_in_shared_memory():
    assert place_of("auto", 300, 100, 300) == ("shared", 300)
    assert place_of("auto", 300, 100, 299) == ("tree", 100)
    assert place_of("tree", 300, 100, 400) == ("tree", 100)
    assert place_of("tree", 100, 100, 400) == ("shared", 100)  # there are no spines
    assert place_of("auto", 300, 100, 99) == place_of("global", 1, 1, 99) == ("global", 0)


def test_real_threads_give_the_same_bits(folder):
    model = models.model("everything", folder)
    first = bits(run(GpuRun(model, ShimDevice(), Shape(4, 4)), 25))
    assert bits(run(GpuRun(model, ShimDevice("threads"), Shape(8, 4)), 25)) == first


def test_instances_that_differ_have_the_bits_they_have_alone(device, folder):
    given = models.experiment("everything", folder)
    given = replace(given, probes=given.probes[:3])
    others = (
        given,
        replace(given, synapses=given.synapses[:2] + given.synapses[3:], seed=7),
        replace(given, stimuli=(CurrentClamp(SOMA, 0.5, 3.0, 3.0),)),
        replace(given, synapses=tuple(replace(s, delay=2.0) for s in given.synapses)),
    )
    together = run(GpuRun(build_batch(others), device, Shape(16, 16)), 250)[1]
    for k, experiment in enumerate(others):
        alone = run(GpuRun(build_batch((experiment,)), device, Shape(16, 16)), 250)[1]
        np.testing.assert_array_equal(together.traces[:, k], alone.traces[:, 0])
        mine = together.spikes[together.spikes[:, 0] == k, 1]
        np.testing.assert_array_equal(mine, alone.spikes[:, 1])
    assert len(np.unique(together.traces[0, :, -1])) == 4


@pytest.mark.parametrize("shape", [Shape(16, 16), Shape(64, 16, "contract", "tree")])
def test_linear_cells_with_other_spines_have_the_bits_they_have_alone(device, folder, shape):
    """Factored once for each instance; clamps of their own go in and out of what goes on."""
    given = models.experiment("linear", folder)
    basal = Site("dend[1]", 0.5)
    others = (
        given,
        replace(given, spines=(*given.spines, Spine(basal, OWN))),
        replace(given, stimuli=given.stimuli[:1], spines=(*given.spines[:2], Spine(basal))),
    )
    together = GpuRun(build_batch(others), device, shape)
    assert together.tables.structure.constant
    found = run(together, 90)[1]
    for k, experiment in enumerate(others):
        alone = run(GpuRun(build_batch((experiment,)), device, shape), 90)[1]
        np.testing.assert_array_equal(found.traces[:, k], alone.traces[:, 0])
        right = run(CpuBackend().start(build_batch((experiment,))), 90)[1].traces[:, 0]
        np.testing.assert_allclose(found.traces[:, k], right, rtol=SAME)
    assert len(np.unique(found.traces[0, :, -1])) == 3


def test_only_linear_cells_are_factored_once(folder):
    given = models.experiment("passive", folder)
    held = replace(given, voltage_clamps=models.experiment("everything", folder).voltage_clamps)
    joined = replace(given, gap_junctions=models.experiment("everything", folder).gap_junctions)
    found = [structure_of(models.model(kind, folder)).constant for kind in KINDS]
    assert dict(zip(KINDS, found, strict=True)) == {
        "passive": True, "hh": False, "everything": False, "spines": False, "linear": True,
    }  # fmt: skip
    assert not structure_of(build(held)).constant
    assert not structure_of(build(joined)).constant


@pytest.mark.parametrize("kind", ["hh"], indirect=True)
def test_single_precision_is_near_and_not_the_same(device, expected, kind):
    """Numbers of 24 bits: 1e-3 of the largest value over 12 ms, a spike among them."""
    model, samples, _ = expected
    started = GpuRun(model, device, Shape(16, 16), single=True)
    found, right = run(started)[1].traces[:3], samples[1].traces[:3]
    error = np.abs(found - right).max() / np.abs(right).max()
    assert 1e-10 < error < 1e-3


def test_copies_of_a_cell_have_the_same_bits(device, folder):
    one = run(GpuRun(models.model("hh", folder), device, Shape(8, 8)), 60)[1]
    many = run(GpuRun(models.model("hh", folder, 21), device, Shape(8, 8)), 60)[1]
    np.testing.assert_array_equal(many.traces, np.repeat(one.traces, 21, axis=1))


def test_chunks_and_starting_again_do_not_change_bits(device, folder, kind):
    started = GpuRun(models.model(kind, folder), device, Shape(16, 8))
    started.initialize()
    whole = started.advance(90)
    started.initialize()
    parts = [started.advance(n) for n in (1, 2, 40, 47)]
    for name, axis in (("time", 0), ("traces", 2), ("frame_time", 0), ("frames", 0), ("spikes", 0)):
        cut = np.concatenate([getattr(part, name) for part in parts], axis=axis)
        np.testing.assert_array_equal(cut, getattr(whole, name), err_msg=name)
    started.population._most_steps = lambda: 7
    started.initialize()
    np.testing.assert_array_equal(started.advance(90).traces, whole.traces)


def test_a_voltage_beyond_the_limits_ends_the_samples_before_it(device, folder):
    given = models.experiment("passive", folder)
    wild = replace(given, stimuli=(CurrentClamp(TUFT, 1.0, 50.0, 1e6),))
    model = build_batch((given, wild, given))
    started = GpuRun(model, device, Shape(16, 16))
    started.initialize()
    samples = started.advance(200)
    node, instance, time = samples.bad
    assert instance == 1
    assert abs(started.voltage[node, 1]) > 1e4
    assert 1.0 < time < 2.0
    assert len(samples.time) == samples.traces.shape[2] == round(time / 0.025) - 1
    assert np.abs(samples.traces).max() <= 1e4
    reference = CpuBackend().start(build(wild))
    reference.initialize()
    assert reference.advance(200).bad[2] == time


def test_a_queue_that_fills_up_becomes_larger(device, folder, monkeypatch):
    given = models.experiment("everything", folder)
    waits = Synapse(TUFT, "ExpSyn", (), (1e-3,), SpikeSource(SOMA, -60.0), 9.0)
    source = Synapse(SOMA, "ExpSyn", (("tau", 0.2),), (0.5,), given.synapses[0].source)
    model = build(replace(given, synapses=(*given.synapses, waits, waits, source)), 2)
    plenty = run(GpuRun(model, device, Shape(8, 8)))
    monkeypatch.setattr(tables, "room_for", lambda *_: 2)
    started = GpuRun(model, device, Shape(8, 8))
    assert bits(run(started)) == bits(plenty)
    assert started.population.members[0].room > 2
    monkeypatch.setattr("engine.backends.gpu.member.MOST_ROOM", 2)
    with pytest.raises(BackendError, match=r"events wait for one point.*the delays, or choose"):
        run(GpuRun(model, device, Shape(8, 8)))


def test_many_events_at_once_are_as_many_as_on_the_cpu(device, folder):
    """80 sources of one point cross their thresholds in one step."""
    base = models.experiment("hh", folder)
    hears = Synapse(TUFT, "ExpSyn", (), (1e-5,), SpikeSource(SOMA, -40.0), 1.0)
    together = build(replace(base, synapses=(hears,)))
    (placed,) = [p for p in together.placed if p.is_point]
    one = placed.connections
    assert one is not None
    zeros = np.zeros(80, np.int32)
    many = replace(
        one,
        detector_node=one.detector_node[zeros],
        detector_connection=one.detector_connection[zeros],
        detector_threshold=one.detector_threshold[zeros],
        detector_delay=one.detector_delay[zeros],
    )
    rest = [p for p in together.placed if not p.is_point]
    model = replace(together, placed=(*rest, replace(placed, connections=many)))
    started = GpuRun(model, device, Shape(8, 8))
    assert started.population.members[0].room == 256
    assert_close(run(started), run(CpuBackend().start(model)))


def test_room_is_made_for_what_may_come_in_one_step():
    point, time = np.array([0, 1, 0, 1, 1, 0]), np.array([1.0, 2.0, 1.5, 2.1, 2.2, 2.0])
    assert [most_within(point, time, dt) for dt in (0.05, 0.1, 0.2, 1.0)] == [1, 2, 3, 3]
    assert most_within(point[:0], time[:0], 0.1) == 0


def test_what_does_not_fit_is_refused_before_it_starts(folder):
    small = ShimDevice(memory=34_000_000)
    with pytest.raises(
        OutOfDeviceMemoryError, match=r"needs .* GB of the GPU's.*free; run at most \d+ cells"
    ):
        GpuRun(models.model("hh", folder, 500), small, Shape(32, 32))
    assert small.memory() == (34_000_000, 34_000_000)  # nothing was allocated


def test_others_are_to_be_closed_only_where_that_helps(folder):
    model = models.model("hh", folder, 3)
    device = ShimDevice(memory=64_000_000)
    others = device.allocate(60_000_000, np.uint8)
    with pytest.raises(OutOfDeviceMemoryError, match="free; close what else uses the GPU, or"):
        GpuRun(model, device, Shape(8, 8))
    del others
    GpuRun(model, device, Shape(8, 8))
    with pytest.raises(OutOfDeviceMemoryError, match="free; take coarser compartments, or") as told:
        GpuRun(model, ShimDevice(memory=30_000_000), Shape(8, 8))
    assert str(pickle.loads(pickle.dumps(told.value))) == str(told.value)


def test_memory_that_others_take_in_mid_run_makes_launches_shorter(folder, monkeypatch):
    model = models.model("hh", folder, 40)
    plenty = run(GpuRun(model, ShimDevice(), Shape(8, 8)), 200)
    device = ShimDevice(memory=40_000_000)
    started = GpuRun(model, device, Shape(8, 8))
    before = started.initialize()
    monkeypatch.setattr(GpuPopulation, "_most_steps", lambda self: 200)
    one_step = sum(fused.bytes_per_step for fused in started.population.sets)
    device._memory -= device.memory()[0] - 30 * one_step  # somebody else's now
    launches = device.launches
    samples = started.advance(200)
    assert device.launches > launches + 5
    assert bits((before, samples)) == bits(plenty)
    device._memory = 0
    with pytest.raises(OutOfDeviceMemoryError):
        started.advance(10)


@pytest.mark.parametrize("solve", ["dhs", "contract"])
@pytest.mark.parametrize("architecture", ["sm_80", "sm_90"])
@pytest.mark.parametrize(("kind", "store"), [("spines", "tree"), ("linear", "global")])
def test_nvrtc_compiles_both_solves(folder, kind, store, solve, architecture):
    compiles(models.model(kind, folder), store, solve, architecture, single=store == "tree")


@pytest.mark.parametrize("architecture", ["sm_80", "sm_90"])
def test_nvrtc_compiles_all_mechanisms(folder, architecture):
    compiles(models.model("everything", folder), "shared", "dhs", architecture)


def compiles(model, store, solve, architecture, single=False):
    text, _ = emit(structure_of(model, single=single, solve=solve))
    options = (*Shape(32, 32).definitions, *STORES[store])
    status, log = compile_for_device(text, architecture, options)
    assert status == 0, log


SCRIPT = """
import sys
from pathlib import Path
from engine.backends.gpu import fused as running
from engine.backends.gpu.run import GpuPopulation, GpuRun
from engine.backends.gpu.shape import Shape
from tests.engine.backends.gpu import models
from tests.engine.shim_device import ShimDevice
folder, kind, threads, lanes, solve, memory, cut = sys.argv[1:]
whole = running.emit
def emit(*given):
    text, named = whole(*given)
    assert cut in text
    return text.replace(cut, "", 1), named
running.emit = emit
device = ShimDevice("threads", shared_memory=int(memory), options=("-fsanitize=thread", "-g"))
model, shape = models.model(kind, Path(folder), 2), Shape(int(threads), int(lanes), solve)
started = GpuRun(model, device, shape)
started.initialize()
started.advance(8)
print("finished")
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["hh", "spines", "linear"])
@pytest.mark.parametrize("solve", ["dhs", "contract"])
@pytest.mark.parametrize(("threads", "lanes", "memory"), [(8, 4, 2**17), (64, 32, 2048)])
def test_the_thread_sanitizer_finds_no_race(tmp_path, kind, solve, threads, lanes, memory):
    given = (str(tmp_path), kind, str(threads), str(lanes), solve, str(memory))
    assert "data race" not in sanitized(SCRIPT, *given, "")


@pytest.mark.slow
def test_the_thread_sanitizer_would_find_one(tmp_path):
    given = (str(tmp_path), "spines", "64", "32", "dhs", "2048")
    assert "data race" in sanitized(SCRIPT, *given, "meet(team);")
