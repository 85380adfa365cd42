"""Which backend runs, why another does not, and how many threads a cell gets."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from engine.backends import choose_backend, why_no_gpu
from engine.backends.gpu import cupy_device, pacing
from engine.backends.gpu.backend import AutoBackend, GpuBackend
from engine.backends.gpu.run import GpuRun
from engine.backends.gpu.shape import Shape
from engine.errors import BackendError
from engine.recording import collect
from engine.simulation import simulate
from tests.engine.backends.gpu import models
from tests.engine.shim_device import ShimDevice


@pytest.fixture(autouse=True)
def fresh(monkeypatch, tmp_path):
    """No device is known yet, and nothing was measured before."""
    monkeypatch.setattr(pacing, "cache_dir", lambda: tmp_path / "cache")
    opened = cupy_device.cupy_device
    opened.cache_clear()
    yield
    opened.cache_clear()


class CudaError(Exception):
    pass


def fake_cupy(monkeypatch, count=1, fails="", capability=(9, 0), **more):
    """CuPy as far as looking for a device goes."""

    def get_device_count():
        if fails:
            raise CudaError(fails)
        return count

    found = {
        "name": b"Some Device", "major": capability[0], "minor": capability[1],
        "multiProcessorCount": 132, "sharedMemPerBlock": 49152,
        "sharedMemPerBlockOptin": 232448, "sharedMemPerMultiprocessor": 233472,
        "maxThreadsPerMultiProcessor": 2048, "l2CacheSize": 52428800,
    }  # fmt: skip
    runtime = SimpleNamespace(
        getDeviceCount=get_device_count,
        CUDARuntimeError=CudaError,
        getDeviceProperties=lambda index: found,
        driverGetVersion=lambda: 13000,
        memGetInfo=lambda: (10, 20),
    )
    cuda = SimpleNamespace(runtime=runtime, Device=lambda i: SimpleNamespace(use=lambda: None))
    pool = SimpleNamespace(free_bytes=lambda: 5)
    module = SimpleNamespace(cuda=cuda, get_default_memory_pool=lambda: pool, **more)
    monkeypatch.setitem(sys.modules, "cupy", module)


def test_without_cupy_auto_takes_the_cpu_and_gpu_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    assert choose_backend("auto").name == choose_backend("cpu").name == "cpu"
    assert "CPU" in choose_backend().describe()
    with pytest.raises(BackendError, match=r"CuPy is not installed; pip install 'dendview\[gpu\]'"):
        choose_backend("gpu")
    assert "CuPy is not installed" in why_no_gpu()
    with pytest.raises(BackendError, match="no backend 'tpu'; choose 'cpu', 'gpu' or 'auto'"):
        choose_backend("tpu")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"fails": "cudaErrorInsufficientDriver: driver version is insufficient"}, "older than"),
        ({"fails": "cudaErrorNoDevice: no CUDA-capable device"}, "no CUDA device was found"),
        ({"count": 0}, "no CUDA device was found"),
        ({"fails": "cudaErrorUnknown: unknown error"}, "the CUDA driver failed"),
        ({"capability": (6, 1)}, r"compute capability 6.1, 7.5 is needed"),
    ],
)
def test_each_reason_is_one_sentence_that_names_the_cpu(monkeypatch, given, message):
    fake_cupy(monkeypatch, **given)
    with pytest.raises(BackendError, match=rf"^backend 'gpu' is unavailable: .*{message}.*'cpu'$"):
        choose_backend("gpu")
    assert choose_backend("auto").name == "cpu"


def test_a_broken_cupy_is_no_crash(monkeypatch):
    import builtins

    real = builtins.__import__

    def broken(name, *rest):
        if name == "cupy":
            raise ImportError("libcudart.so.13: cannot open shared object file")
        return real(name, *rest)

    monkeypatch.delitem(sys.modules, "cupy", raising=False)
    monkeypatch.setattr(builtins, "__import__", broken)
    with pytest.raises(BackendError, match=r"cannot be loaded \(libcudart.*install it again"):
        choose_backend("gpu")


def test_a_kernel_that_does_not_compile_is_one_sentence(monkeypatch):
    class RawModule:
        def __init__(self, **given):
            assert "--std=c++17" in given["options"]

        def compile(self):
            raise RuntimeError("nvrtc: error: failed\nk.cu(3): error: identifier is undefined")

    fake_cupy(monkeypatch, RawModule=RawModule)
    gpu = choose_backend("gpu")
    assert gpu.describe() == "GPU: Some Device"
    assert gpu.device.memory() == (15, 20)
    with pytest.raises(BackendError, match=r"cannot compile the kernels of this model \(nvrtc"):
        gpu.device.compile("nonsense")


def test_a_run_by_name_gives_chunks_as_on_the_cpu(monkeypatch, tmp_path):
    device = ShimDevice()
    monkeypatch.setattr(cupy_device, "cupy_device", lambda index=0: device)
    monkeypatch.setattr(cupy_device, "count_devices", lambda: 1)
    monkeypatch.setattr(pacing, "candidates", lambda *n: [Shape(4, 4), Shape(16, 16)])
    monkeypatch.setattr(pacing, "_measure", lambda run, _: run.shape.solve == "dhs")
    model = models.model("hh", tmp_path, 2)
    found = collect(model, simulate(model, "gpu"))
    expected = collect(model, simulate(model, "cpu"))
    assert found.complete
    np.testing.assert_allclose(found.values, expected.values, rtol=0, atol=1e-7)
    np.testing.assert_array_equal(found.spikes, expected.spikes)


def test_auto_leaves_few_cells_to_the_cpu_and_falls_back_once(monkeypatch, tmp_path):
    few = ShimDevice()
    auto = AutoBackend(GpuBackend(few, Shape(4, 4)))
    assert auto.describe() == "GPU: CPU shim"
    assert "single precision" in GpuBackend(few, single=True).describe()
    monkeypatch.setenv("DENDVIEW_GPU_SINGLE", "1")
    assert GpuBackend(few).single
    monkeypatch.delenv("DENDVIEW_GPU_SINGLE")
    assert isinstance(auto.start(models.model("hh", tmp_path)), GpuRun)
    assert auto.reason == ""
    assert auto.describe() == "GPU: CPU shim, solved by dhs-4"
    full = AutoBackend(GpuBackend(ShimDevice(memory=1000), Shape(4, 4)))
    assert not isinstance(full.start(models.model("hh", tmp_path)), GpuRun)
    assert "GB are free" in full.reason
    assert full.describe() == "CPU"
    monkeypatch.setattr(few, "properties", gpu_backend_properties(few, 132))
    assert not isinstance(auto.start(models.model("hh", tmp_path, 2)), GpuRun)
    assert "2 cells would leave most of the CPU shim idle" in auto.reason


def gpu_backend_properties(device, n_multiprocessor):
    from dataclasses import replace

    return replace(device.properties, n_multiprocessor=n_multiprocessor)


def test_a_shape_is_measured_once_for_a_tree_and_a_device(monkeypatch, tmp_path):
    device, model = ShimDevice(), models.model("hh", tmp_path)
    slow = {"dhs-8": 3.0, "dhs-4 of 16": 1.0, "dhs-8 of 32": 2.0}
    slow |= {"contract-4 of 16": 0.5, "contract-16": 0.8, "contract-4 of 16 global": 0.6}
    measured = []

    def measure(run, device):
        measured.append(run.shape.name)
        return slow[run.shape.name]

    monkeypatch.setattr(pacing, "candidates", lambda *n: [Shape(8, 8), Shape(16, 4), Shape(32, 8)])
    monkeypatch.setattr(pacing, "_measure", measure)
    monkeypatch.setattr(pacing, "nodes_of", lambda model: (2000, 2000))
    assert pacing.choose_shape(model, device) == Shape(16, 4, "contract")
    assert pacing.choose_shape(model, device) == Shape(16, 4, "contract")
    assert measured == list(slow)
    assert pacing.choose_shape(models.model("hh", tmp_path, 64), device) == Shape(16, 4, "contract")
    assert len(measured) == 12  # so many more cells may like another one


def test_every_candidate_is_a_shape():
    for nodes in ((10, 10), (300, 300), (2000, 2000), (1000, 5000), (50_000, 50_000)):
        for shape in pacing.candidates(*nodes):
            for other in (shape, *pacing.solves(shape), *pacing.stores(shape, *nodes)):
                assert other.threads * other.cells <= other.bound <= 1024
    assert [s.store for s in pacing.stores(Shape(128, 32), 1000, 5000)] == ["tree", "global"]
