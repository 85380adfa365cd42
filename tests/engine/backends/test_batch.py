"""Batches: every instance has the bits it has alone, in whatever part and thread it runs."""

import numpy as np
import pytest

from engine.backends.batch import BatchRun
from engine.backends.cpu import CpuRun
from engine.experiment import Experiment, Insertion, Probe
from engine.model import build
from engine.stimuli import CurrentClamp, Site
from tests.engine.cells_on_disk import FORKED, write

SOMA, TUFT = Site("soma[0]"), Site("apic[1]", 0.9)


@pytest.fixture(params=["pas", "hh"])
def experiment(request, tmp_path):
    return Experiment(
        str(write(tmp_path, FORKED)),
        insertions=(Insertion(request.param),),
        stimuli=(CurrentClamp(SOMA, 1.0, 15.0, 2.0),),
        probes=(Probe(SOMA), Probe(TUFT)),
        duration=20.0,
    )


@pytest.mark.parametrize(("n_instance", "threads"), [(2, 1), (5, 2), (8, 1), (11, 2), (20, 3)])
def test_every_instance_has_the_bits_of_one_alone(experiment, n_instance, threads):
    alone, batch = CpuRun(build(experiment)), BatchRun(build(experiment, n_instance), threads)
    for one, many in (
        (alone.initialize(), batch.initialize()),
        (alone.advance(300), batch.advance(300)),
        (alone.advance(7), batch.advance(7)),
    ):
        np.testing.assert_array_equal(many.time, one.time)
        np.testing.assert_array_equal(many.traces, np.repeat(one.traces, n_instance, axis=1))
        np.testing.assert_array_equal(many.frames, one.frames)
        count = len(one.spikes)
        assert len(many.spikes) == count * n_instance
        for k in range(n_instance):
            own = many.spikes[many.spikes[:, 0] == k]
            np.testing.assert_array_equal(own[:, 1], one.spikes[:, 1])
    np.testing.assert_array_equal(batch.voltage, np.repeat(alone.voltage, n_instance, axis=1))


def test_a_bad_instance_ends_all_at_its_step(experiment):
    batch = BatchRun(build(experiment, 11), 2)
    batch.initialize()
    batch.advance(5)
    run = batch.parts[1][0]  # instance 8 of 11
    run._arrays["v"][run.layout.place[3]] = np.nan
    samples = batch.advance(20)
    assert samples.bad is not None
    node, instance, time = samples.bad
    assert 0 <= node < run.model.n_comp
    assert instance == 8
    assert time == pytest.approx(6 * 0.025)
    assert len(samples.time) == samples.traces.shape[2] == 0
    assert samples.traces.shape[1] == 11
    assert (samples.spikes[:, 1] < time).all()


def test_instances_thrown_away_are_never_bad(experiment):
    batch = BatchRun(build(experiment, 5), 1)
    batch.initialize()
    run, meant = batch.parts[0]
    assert (run.model.n_instance, meant) == (8, 5)
    assert batch.advance(10).traces.shape == (2, 5, 10)
    assert batch.voltage.shape[1] == 5


def test_instances_share_what_is_the_cells(experiment):
    eight, sixteen = (BatchRun(build(experiment, n), 1).array_bytes for n in (8, 16))
    n_comp = build(experiment).n_comp
    assert sixteen == 2 * eight
    assert eight < 8 * CpuRun(build(experiment)).array_bytes
    assert eight > 8 * 8 * n_comp * 3  # voltage, diagonal and right side of eight instances
