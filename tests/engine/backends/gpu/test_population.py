"""Different trees in one run on a device: what each has alone, to the bit."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.backends.cpu import CpuBackend
from engine.backends.gpu.member import Member
from engine.backends.gpu.run import GpuPopulation, GpuRun
from engine.backends.gpu.shape import Shape
from engine.backends.gpu.signature import row_bytes
from engine.backends.gpu.source import emit
from engine.backends.gpu.tables import STATIC_SHARED
from engine.discretize import Rule
from engine.errors import BackendError, OutOfDeviceMemoryError
from engine.experiment import Probe
from engine.model import build, build_batch
from engine.stimuli import CurrentClamp
from engine.synapses import SpikeSource, SpikeTrain, Synapse
from tests.engine.backends.gpu import models
from tests.engine.backends.gpu.models import SOMA, TRAIN, TUFT
from tests.engine.backends.gpu.test_run import DEVICES
from tests.engine.backends.gpu.test_shim import sanitized
from tests.engine.cells_on_disk import BALL_AND_STICK, write
from tests.engine.nvrtc import compile_for_device
from tests.engine.shim_device import HOPPER, ShimDevice
from tests.strategies import parents

STEPS = 240
FIELDS = ("time", "traces", "frame_time", "frames", "spikes")
SHAPES = (Shape(1, 1), Shape(4, 4), Shape(16, 16), Shape(32, 32), Shape(256, 256))


@pytest.fixture(scope="module", params=DEVICES)
def device(request):
    return request.param()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("cells")


def ball_and_stick(folder, rule=40.0, **fields):
    """An hh cell of another tree than the forked one, with as many nodes as ``rule`` gives."""
    path = str(write(folder, BALL_AND_STICK, "ball.swc"))
    base = replace(models.experiment("hh", folder), morphology=path, probes=(Probe(SOMA),))
    clamp = CurrentClamp(SOMA, 0.5, 6.0, 1.0)
    return replace(base, rule=Rule("max_length", rule), stimuli=(clamp,), **fields)


@pytest.fixture(scope="module")
def trees(folder):
    """Three trees of hh, one of them five times and one in two parts, between a passive and a
    spiny one."""
    strong = [CurrentClamp(SOMA, 0.5, 4.0, i) for i in (0.5, 3.0)]
    forked = models.experiment("hh", folder)
    return [
        models.model("spines", folder),
        build(ball_and_stick(folder), 5),
        models.model("passive", folder, 2),
        build_batch([replace(forked, stimuli=(clamp,)) for clamp in strong]),
        build(ball_and_stick(folder, 7.0, celsius=16.0, v_init=-60.0, frame_interval=0.5)),
        models.model("everything", folder),
    ]


@pytest.fixture(scope="module")
def alone(trees, device):
    """Samples of each in a run of its own; threads do not change them."""
    return [run(GpuRun(model, device, Shape(8, 8))) for model in trees]


def run(started, parts=(1, STEPS - 1)):
    return [started.initialize(), *(started.advance(n) for n in parts)]


def together(models, device, shape, single=False):
    return GpuPopulation(models, device, [shape] * len(models), single)


def assert_bits(found, expected):
    """``found``: samples of all models after each call; ``expected``: the same by model."""
    for call, samples in enumerate(found):
        for k, one in enumerate(samples):
            for name in FIELDS:
                right = getattr(expected[k][call], name)
                np.testing.assert_array_equal(getattr(one, name), right, err_msg=f"{k} {name}")


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: f"{s.threads}-{s.lanes}")
def test_trees_in_one_run_have_the_bits_of_each_alone(device, trees, alone, shape):
    population = together(trees, device, shape)
    found = run(population)
    assert_bits(found, alone)
    for k, model in enumerate(trees):
        assert population.voltages[k].shape == (model.n_comp, model.n_instance)
        np.testing.assert_array_equal(population.members[k].model.tree.parent, model.tree.parent)
    for k in (1, 3, 4, 5):
        assert len(found[2][k].spikes) > 0 or np.ptp(found[2][k].traces[0]) > 1.0


OTHER = Shape(32, 16, "contract"), Shape(64, 32, "dhs", "global"), Shape(64, 64, "contract", "tree")


@pytest.mark.parametrize("shape", OTHER, ids=lambda s: s.name)
def test_other_solves_and_places_of_memory(device, trees, shape):
    each = [run(GpuRun(model, device, shape), (50,)) for model in trees]
    assert_bits(run(together(trees, device, shape), (50,)), each)


def launches(population):
    return sorted(sorted(population.members.index(m) for m in s.members) for s in population.sets)


def test_models_of_one_kernel_share_a_launch_unless_it_leaves_room_unused(trees):
    assert launches(together(trees, ShimDevice(), Shape(64, 32))) == [[0], [1, 3, 4], [2], [5]]
    crowded = together(
        trees, ShimDevice(), Shape(1, 1)
    )  # 128 cells a block: the large ones fill it
    assert launches(crowded) == [[0], [1], [2], [3], [4], [5]]
    shapes = [Shape(8, 8), *([Shape(64, 32)] * 5)]
    mixed = GpuPopulation([*trees[1:5], trees[1], trees[1]], ShimDevice(), shapes)
    assert launches(mixed) == [[0], [1], [2, 3, 4, 5]]


def test_what_has_no_room_in_one_launch_goes_in_several(trees, alone, monkeypatch):
    shape, few = Shape(8, 8), [trees[1], trees[3], trees[4]]
    right = [alone[1], alone[3], alone[4]]
    plenty = together(few, ShimDevice(), shape)
    assert launches(plenty) == [[0, 1, 2]]
    needed = plenty.members[1].shared_bytes
    tight = ShimDevice(shared_memory=needed + 1024 + 8)
    kept = together([trees[3]] * 2, tight, shape)
    assert kept.members[0].shared_bytes == needed
    assert launches(kept) == [[0, 1]]  # the reserve holds the row
    monkeypatch.setattr("engine.backends.gpu.run.row_bytes", lambda n: 2000)
    kept = together([trees[3]] * 2, tight, shape)
    assert launches(kept) == [[0], [1]]
    assert_bits(run(kept), right[1:2] * 2)
    monkeypatch.setattr("engine.backends.gpu.run.MOST_ELEMENTS", 10)
    apart = together(few, ShimDevice(), shape)
    assert launches(apart) == [[0], [1], [2]]
    assert_bits(run(apart), right)


def test_large_cells_come_first(trees):
    device = ShimDevice()
    population = together(trees, device, Shape(32, 32))
    nodes = [max(m.n_node for m in fused.members) for fused in population.sets]
    assert nodes == sorted(nodes, reverse=True)
    (fused,) = (f for f in population.sets if len(f.members) == 3)
    which, first = fused._blocks().reshape(-1, 2).T
    assert (np.diff([fused.members[k].n_node for k in which]) <= 0).all()
    cells = {(k, i) for k, start in zip(which, first, strict=True) for i in range(start, start + 4)}
    wanted = {(k, i) for k, m in enumerate(fused.members) for i in range(m.model.n_instance)}
    assert wanted <= cells
    population.initialize()
    assert device.streams == {1, 2, 3, 4}  # side by side
    alone = ShimDevice()
    together(trees[:1], alone, Shape(32, 32)).initialize()
    assert alone.streams == {0}


@pytest.mark.parametrize("mode", ["backward", "shuffled", "threads"])
def test_the_order_of_threads_does_not_change_bits(trees, mode):
    shapes = (Shape(8, 4), Shape(64, 64)) if mode != "threads" else (Shape(8, 8),)
    steps = 40 if mode != "threads" else 10
    right = [run(GpuRun(model, ShimDevice(), Shape(8, 8)), (steps,)) for model in trees]
    for shape in shapes:
        for memory in (227 * 1024, 2048):
            device = ShimDevice(mode, seed=3, shared_memory=memory)
            assert_bits(run(together(trees, device, shape), (steps,)), right)


def test_chunks_and_starting_again_do_not_change_bits(device, trees, alone):
    population = together(trees, device, Shape(8, 8))
    run(population, (3,))
    population._most_steps = lambda: 111
    assert_bits(run(population), alone)


def test_single_precision_is_that_of_each_alone(trees):
    few, shape = trees[1:4], Shape(16, 16)
    each = [run(GpuRun(model, ShimDevice(), shape, True), (40,)) for model in few]
    assert_bits(run(together(few, ShimDevice(), shape, True), (40,)), each)


def test_queues_grow_for_those_that_need_it(device, folder, monkeypatch):
    base = models.experiment("everything", folder)
    base = replace(base, voltage_clamps=(), probes=base.probes[:3])
    waits = Synapse(TUFT, "ExpSyn", (), (1e-3,), SpikeSource(SOMA, -60.0), 9.0)
    beats = SpikeTrain(tuple(np.arange(0.5, 5.5, 0.5)))
    source = Synapse(SOMA, "ExpSyn", (("tau", 0.05), ("e", 20.0)), (0.5,), beats)
    busy = replace(base, synapses=(*base.synapses, waits, source))
    rare = tuple(
        replace(s, source=SpikeSource(SOMA, 90.0) if s.source != TRAIN else SpikeTrain((2.3,)))
        for s in base.synapses
    )
    quiet = replace(base, rule=Rule("max_length", 25.0), synapses=rare)
    both = [build(busy, 2), build(quiet)]
    plenty = [run(GpuRun(model, device, Shape(8, 8))) for model in both]
    monkeypatch.setattr("engine.backends.gpu.tables.room_for", lambda *_: 2)
    population = together(both, device, Shape(8, 8))
    assert launches(population) == [[0, 1]]
    assert_bits(run(population), plenty)
    rooms = [member.room for member in population.members]
    assert rooms[0] > rooms[1] > 2
    monkeypatch.setattr("engine.backends.gpu.member.MOST_ROOM", 2)
    with pytest.raises(BackendError, match=r"events wait for one point.*the delays, or choose"):
        run(together(both, device, Shape(8, 8)))


def test_a_bad_cell_ends_the_samples_of_its_own_model(device, trees, alone, folder):
    base = ball_and_stick(folder)
    wild = build_batch([base, replace(base, stimuli=(CurrentClamp(SOMA, 1.0, 50.0, 1e6),))])
    found = run(together([*trees[:2], wild], device, Shape(8, 8)))[1:]
    node, instance, time = found[1][2].bad
    assert (node >= 0, instance, found[0][2].bad) == (True, 1, None)
    assert len(found[1][2].time) == round(time / 0.025) - 2
    assert_bits([found[0][:2], found[1][:2]], [part[1:] for part in alone])


def test_memory_of_all_is_counted_before_the_run(folder):
    small = ShimDevice(memory=34_600_000)
    cells = [models.model("hh", folder, 20), build(ball_and_stick(folder), 5000)]
    with pytest.raises(OutOfDeviceMemoryError, match=r"free; run at most \d+ cells") as refused:
        together(cells, small, Shape(32, 32))
    assert 20 < refused.value.fits < 5020
    assert small.memory() == (34_600_000, 34_600_000)  # nothing was allocated
    fits = [cells[0], build(ball_and_stick(folder), refused.value.fits - 20)]
    together(fits, small, Shape(32, 32)).initialize()


@st.composite
def swc(draw):
    """A soma and up to 14 further points in a random tree."""
    parent = draw(parents(15, forest=False))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    at = np.zeros((len(parent), 3))
    rows = ["1 1 0 0 0 8 -1"]
    for i in range(1, len(parent)):
        at[i] = at[parent[i]] + rng.uniform(10, 60, 3)
        numbers = " ".join(f"{x:.3f}" for x in (*at[i], rng.uniform(0.2, 2)))
        rows.append(f"{i + 1} 3 {numbers} {parent[i] + 1}")
    return "\n".join(rows) + "\n"


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(swc(), min_size=2, max_size=4), st.sampled_from(SHAPES[:4]), st.data())
def test_random_trees_have_the_bits_of_each_alone(tmp_path, texts, shape, data):
    built = []
    for k, text in enumerate(texts):
        path = str(write(tmp_path, text, f"{k}.swc"))
        clamp = CurrentClamp(SOMA, 0.0, 2.0, data.draw(st.floats(-1, 3)))
        one = replace(models.experiment("hh", tmp_path), morphology=path, stimuli=(clamp,))
        n = data.draw(st.integers(1, 3))
        built.append(build(replace(one, probes=(Probe(SOMA),), rule=Rule("fixed", n)), n))
    each = [run(GpuRun(model, ShimDevice(), Shape(8, 8)), (30,)) for model in built]
    assert_bits(run(together(built, ShimDevice("shuffled"), shape), (30,)), each)
    together_on_cpu = CpuBackend().start_population(built, 2)
    found = [together_on_cpu.initialize(), together_on_cpu.advance(30)]
    assert_bits(found, [run(CpuBackend().start(model), (30,)) for model in built])


SCRIPT = """
import sys
from pathlib import Path
from engine.backends.gpu.run import GpuPopulation
from engine.backends.gpu.shape import Shape
from engine.model import build
from tests.engine.backends.gpu import models
from tests.engine.backends.gpu.test_population import ball_and_stick
from tests.engine.shim_device import ShimDevice
folder, threads = Path(sys.argv[1]), int(sys.argv[2])
device = ShimDevice("threads", options=("-fsanitize=thread", "-g"))
both = [build(ball_and_stick(folder)), models.model("hh", folder)]
population = GpuPopulation(both, device, [Shape(threads, 8)] * 2)
assert len(population.sets) == 1
population.initialize()
population.advance(8)
print("finished")
"""


@pytest.mark.slow
@pytest.mark.parametrize("threads", [8, 64])
def test_the_thread_sanitizer_finds_no_race(tmp_path, threads):
    assert "data race" not in sanitized(SCRIPT, str(tmp_path), str(threads))


@pytest.mark.parametrize(
    ("kind", "architecture", "shape"),
    [("everything", "sm_90", Shape(32, 32)), ("hh", "sm_80", Shape(128, 64, "contract"))],
)
def test_nvrtc_compiles_the_kernel_of_several_trees(folder, kind, architecture, shape):
    one = Member(models.model(kind, folder), shape, HOPPER)
    text, named = emit(one.tables.structure, several=True)
    assert row_bytes(len(named)) <= STATIC_SHARED
    status, log = compile_for_device(text, architecture, one.options)
    assert status == 0, log
