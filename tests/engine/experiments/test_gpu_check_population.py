"""The check of populations on a device, on one made by the processor."""

from dataclasses import replace

import numpy as np

from engine.backends.gpu.run import GpuPopulation
from engine.backends.gpu.shape import Shape
from engine.experiments.gpu_check_population import check_populations
from tests.engine.shim_device import ShimDevice

SHAPES = (Shape(32, 32), Shape(16, 16, "contract"))
TREES = ("ball_and_stick", "spn")


def test_trees_in_one_run_pass():
    rows = list(check_populations(ShimDevice(), SHAPES, TREES))
    assert [row.name for row in rows] == ["population dhs-32", "population contract-16"]
    assert {row.cells for row in rows} == {"29 cells"}
    for row in rows:
        assert row.passed, row
        assert row.same_twice


def test_wrong_numbers_and_other_bits_than_alone_fail(monkeypatch):
    whole = GpuPopulation.advance

    def advance(self, n_step, factor=1 + 1e-15):
        samples = whole(self, n_step)
        if len(self.members) == 1:
            return samples
        return [replace(part, traces=part.traces * factor) for part in samples]

    monkeypatch.setattr(GpuPopulation, "advance", advance)
    (row,) = check_populations(ShimDevice(), SHAPES[:1], TREES[:1])
    assert not row.passed
    assert "other bits than it has alone" in row.problem
    assert 0 < row.error < 1e-12
    monkeypatch.setattr(GpuPopulation, "advance", lambda *given: advance(*given, factor=1.001))
    (row,) = check_populations(ShimDevice(), SHAPES[:1], TREES[:1])
    assert np.isclose(row.error, 1e-3)


def test_what_does_not_fit_is_a_row():
    (row,) = check_populations(ShimDevice(memory=1000), SHAPES[:1], TREES[:1])
    assert "GB are free" in row.problem
