"""One run on several devices, each in a process of its own."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.backends.gpu import backend, population
from engine.backends.gpu.backend import GpuBackend
from engine.backends.gpu.population import choose_shapes
from engine.backends.gpu.run import GpuPopulation, GpuRun
from engine.backends.gpu.several import SeveralPopulation, SeveralRun, share_out
from engine.backends.gpu.shape import Shape
from engine.errors import BackendError, OutOfDeviceMemoryError
from engine.model import build, build_batch
from engine.stimuli import CurrentClamp
from tests.engine.backends.gpu import models
from tests.engine.backends.gpu.models import SOMA
from tests.engine.backends.gpu.test_population import ball_and_stick
from tests.engine.shim_device import ShimDevice

SHAPE = Shape(8, 8)


@pytest.fixture
def model(tmp_path):
    base = models.experiment("hh", tmp_path)
    strong = [CurrentClamp(SOMA, 0.5, 8.0, amplitude) for amplitude in (0.5, 1.0, 2.0, 4.0, 3.0)]
    return build_batch([replace(base, stimuli=(clamp,)) for clamp in strong])


def test_parts_of_a_batch_have_the_bits_of_one_device(model):
    several = GpuBackend(ShimDevice(), SHAPE, [ShimDevice, partial(ShimDevice, "backward")])
    assert several.describe() == "GPU: CPU shim and 1 more"
    split, whole = several.start(model), GpuRun(model, ShimDevice(), SHAPE)
    assert isinstance(split, SeveralRun)
    for one, other in (
        (split.initialize(), whole.initialize()),
        (split.advance(90), whole.advance(90)),
        (split.advance(90), whole.advance(90)),
    ):
        for name in ("time", "traces", "frame_time", "frames", "spikes"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    np.testing.assert_array_equal(split.voltage, whole.voltage)
    assert len(np.unique(split.voltage[0])) == 5


def test_a_bad_instance_is_named_by_its_number(model):
    wild = replace(model.experiments[0], stimuli=(CurrentClamp(SOMA, 1.0, 8.0, 1e6),))
    batch = build_batch([*model.experiments[:3], wild])
    split = SeveralRun(batch, [ShimDevice, ShimDevice], SHAPE)
    split.initialize()
    samples = split.advance(100)
    assert samples.bad is not None
    assert samples.bad[1] == 3
    assert samples.traces.shape[2] == len(samples.time) < 60


def test_what_one_device_cannot_do_is_told_as_its_sentence(model):
    with pytest.raises(OutOfDeviceMemoryError, match="GB are free"):
        SeveralRun(model, [ShimDevice, partial(ShimDevice, memory=1000)], SHAPE)
    with pytest.raises(BackendError, match=r"the GPU failed \(TypeError.*choose 'cpu'"):
        SeveralRun(model, [ShimDevice, partial(ShimDevice, nonsense=1)], SHAPE)


def test_no_more_cells_are_measured_than_a_device_gets(model, monkeypatch, tmp_path):
    measured = []

    def choose(part, *given):
        measured.append(part)
        return SHAPE

    monkeypatch.setattr(population, "choose_shape", choose)
    monkeypatch.setattr(backend, "SeveralPopulation", lambda *given: given)
    gpu = GpuBackend(ShimDevice(), None, [ShimDevice, ShimDevice])
    gpu.start_population([model, build(ball_and_stick(tmp_path), 31)])
    assert [part.n_instance for part in measured] == [3, 16]
    assert sorted(set(measured[0].clamp_instance)) == [0, 1, 2]
    alone = choose_shapes([model], ShimDevice())
    assert (alone, measured[-1]) == ([SHAPE], model)


def test_a_process_that_ended_by_itself_is_told_and_the_others_go_on(model):
    split = SeveralRun(model, [ShimDevice, ShimDevice], SHAPE)
    split.initialize()
    first, second = split._all._pipes
    first.close()  # nothing can be sent there any more, as after its process has died
    with pytest.raises(BackendError, match=r"^the process of GPU 0 ended by itself; run again"):
        split.advance(3)
    assert not second.poll(0.2)  # its answer was taken


def test_a_population_is_shared_out_by_nodes(model, tmp_path):
    others = build(ball_and_stick(tmp_path), 30), models.model("spines", tmp_path)
    population = [others[0], model, others[1]]
    gpu = GpuBackend(ShimDevice(), SHAPE, [ShimDevice, partial(ShimDevice, "backward"), ShimDevice])
    split = gpu.start_population(population)
    assert isinstance(split, SeveralPopulation)
    whole = GpuPopulation(population, ShimDevice(), [SHAPE] * 3)
    for one, other in (
        (split.initialize(), whole.initialize()),
        (split.advance(60), whole.advance(60)),
    ):
        for mine, theirs in zip(one, other, strict=True):
            for name in ("time", "traces", "frame_time", "frames", "spikes"):
                right = getattr(theirs, name)
                np.testing.assert_array_equal(getattr(mine, name), right, err_msg=name)
    for mine, theirs in zip(split.voltages, whole.voltages, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert len(split._shares) == 3


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 500), st.integers(1, 20)), min_size=1, max_size=8),
    st.integers(1, 5),
)
def test_every_cell_is_in_one_share_and_shares_are_about_equal(cells, n):
    shares = share_out(cells, n)
    found = sorted((k, first + i) for share in shares for k, first, m in share for i in range(m))
    assert found == [(k, i) for k, (_, count) in enumerate(cells) for i in range(count)]
    nodes = [sum(cells[k][0] * count for k, _, count in share) for share in shares]
    total, largest = sum(size * count for size, count in cells), max(size for size, _ in cells)
    assert max(nodes) <= total / n + largest
