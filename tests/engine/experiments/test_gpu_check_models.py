"""The table of all that a run can have, on a device that the processor plays; on a real one where
there is one."""

from functools import partial

import pytest

from engine.backends.gpu.shape import Shape
from engine.experiments.gpu_check_models import check_everything, check_several, makers
from engine.mechanisms.loading import library
from tests.engine.backends.gpu.test_run import real_device
from tests.engine.shim_device import ShimDevice


def test_every_mechanism_of_the_library_is_in_a_model():
    used = {p.mechanism.name for make in makers().values() for p in make().placed}
    assert set(library()) <= used
    assert "CheckRelay" in used


def test_clamps_and_single_precision_are_rows_of_their_own():
    rows = list(check_everything(ShimDevice(), (Shape(16, 16),), ("clamps",)))
    assert [row.name for row in rows] == ["clamps dhs-16", "clamps single precision"]
    for row in rows:
        assert row.passed, row
        assert row.same_twice
    assert rows[0].error < rows[0].limit < rows[1].error < rows[1].limit


def test_several_devices_have_the_bits_of_one():
    (row,) = check_several([ShimDevice, partial(ShimDevice, "backward")], ShimDevice(), Shape(8, 8))
    assert row.passed, row
    assert (row.name, row.cells, row.error) == ("2 devices dhs-8", "4 cells", 0.0)
    assert list(check_several([ShimDevice], ShimDevice())) == []


@pytest.mark.gpu
@pytest.mark.parametrize("name", list(makers()))
def test_everything_on_a_device(name):
    for row in check_everything(real_device(), names=(name,)):
        assert row.passed, row


@pytest.mark.gpu
def test_several_real_devices_have_the_bits_of_one():
    from engine.backends.gpu.cupy_device import count_devices, cupy_device

    device = real_device()
    if (n := count_devices()) < 2:
        pytest.skip("there is one device")
    (row,) = check_several([partial(cupy_device, k) for k in range(n)], device)
    assert row.passed, row
