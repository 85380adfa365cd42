"""The panel's ways on a device: they solve what the processor solves, run here without a device."""

from dataclasses import replace

import numpy as np
import pytest

from engine.experiment import Experiment, Insertion
from engine.experiments.cpu_solves import CpuSolve
from engine.experiments.device_solves import GpuSolves, device_system
from engine.experiments.run_time import measure
from engine.experiments.spiny_step import with_spines
from engine.experiments.step_system import StepSystem, passive_step
from engine.experiments.timings import Job
from engine.model import cut
from engine.schedule import make_schedule
from engine.spines import SpineDensity
from tests.engine.shim_device import ShimDevice

TOY = np.array([-1, 0, 0, 0, 0, 0, 5, 6, 6, 7, 7, 8, 11, 8, 13], np.int32)
"""Fig. 2d of Zhang et al. 2023."""


@pytest.fixture(scope="module")
def system():
    a = np.where(TOY < 0, 0.0, 1.0)
    d = 2.0 + a + np.bincount(TOY[1:], minlength=TOY.size)
    return StepSystem(TOY, a, np.sin(np.arange(TOY.size)), d, np.cos(np.arange(TOY.size)))


@pytest.fixture(scope="module")
def device():
    return ShimDevice("forward")


def test_a_device_solves_the_same_equations(system, device):
    solves = GpuSolves(device)
    serial = CpuSolve(system, "serial", 1, make_schedule(system.parent, "hines", 1))
    serial.solve()
    job = Job("toy", system, 6)
    for way in solves.ways(job):
        plan = solves._prepare(way, job, 3)
        plan.solve()
        (found,) = plan.voltages()
        # well conditioned; published ways and contraction round in another order
        np.testing.assert_allclose(found, np.tile(serial.solution, (3, 1)), rtol=1e-11)
    assert device_system(system, 3).copies == 3


def test_all_ways_are_measured_beside_those_of_the_processor(system, device):
    job = Job("toy", system, 6, sizes=(1, 5), rounds=2, least=1e-5)
    result = list(measure(job, GpuSolves(device)))[-1].result
    on_device = [row for row in result.rows if row.way.device == "gpu"]
    assert len({row.way.name for row in on_device}) == len(on_device) >= 8
    for row in on_device:
        assert [t.n_cells for t in row.timings] == [1, 5]
        assert not row.missing
    assert result.devices[1] == device.properties.name
    steps = {row.way.name: row.way.n_step for row in on_device}
    assert steps["gpu-dhs-4"] == 5  # Fig. 2d of Zhang et al. 2023
    assert steps["gpu-permute1"] == 14


def test_a_cell_with_spines_is_solved_with_these_apart(device):
    cell = Experiment(
        "sample:ball_and_stick",
        insertions=(Insertion("pas"),),
        spine_density=(SpineDensity(per_um=0.2, min_distance=10.0),),
    )
    bare = passive_step(cut(replace(cell, nodes="neuron")))
    job = with_spines(Job("spiny", bare, 16, experiment=cell))
    serial = CpuSolve(job.system, "serial", 1, make_schedule(job.system.parent, "hines", 1))
    serial.solve()
    solves = GpuSolves(device)
    apart = [way for way in solves.ways(job) if way.title.endswith("spines apart")]
    assert len(apart) == 4
    usual = {way.name: way.n_step for way in solves.ways(job)}
    for way in apart[:2]:
        plan = solves._prepare(way, job, 2)
        assert plan.n_step == way.n_step
        plan.solve()
        (found,) = plan.voltages()
        np.testing.assert_allclose(found, np.tile(serial.solution, (2, 1)), rtol=1e-11)
    assert usual["gpu-dhs-256-twigs"] < usual["gpu-dhs-256-gather"]


class Full:
    """A device without memory for more than one cell."""

    def __init__(self, device):
        self._device = device
        self.properties = device.properties

    def __getattr__(self, name):
        return getattr(self._device, name)

    def memory(self):
        return 2_000, 2_000


def test_what_does_not_fit_is_told_with_its_size(system, device):
    job = Job("toy", system, 4, sizes=(1, 1000), rounds=1, least=1e-5)
    result = list(measure(job, GpuSolves(Full(device))))[-1].result
    rows = [row for row in result.rows if row.way.device == "gpu"]
    assert any(row.missing.startswith("1000 cells: ") for row in rows)
