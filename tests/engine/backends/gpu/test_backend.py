"""Which backend runs, why another does not, and how many threads a cell gets."""

import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from engine.backends import choose_backend, why_no_gpu
from engine.backends.gpu import choosing, cupy_device, pacing
from engine.backends.gpu.backend import AutoBackend, GpuBackend
from engine.backends.gpu.run import GpuPopulation, GpuRun
from engine.backends.gpu.shape import Shape
from engine.errors import BackendError
from engine.model import build, build_batch
from engine.precision import parts, with_precision
from engine.recording import collect
from engine.simulation import simulate
from tests.engine.backends.gpu import models
from tests.engine.backends.gpu.test_population import ball_and_stick
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
    monkeypatch.setattr(pacing, "measure", lambda run, _: run.shape.solve == "dhs")
    model = models.model("hh", tmp_path, 2)
    found = collect(model, simulate(model, "gpu"))
    expected = collect(model, simulate(model, "cpu"))
    assert found.complete
    np.testing.assert_allclose(found.values, expected.values, rtol=0, atol=1e-7)
    np.testing.assert_array_equal(found.spikes, expected.spikes)


def test_precision_is_part_of_the_name(monkeypatch):
    monkeypatch.setattr(cupy_device, "cupy_device", lambda index=0: ShimDevice())
    monkeypatch.setattr(cupy_device, "count_devices", lambda: 1)
    assert choose_backend("gpu").describe() == "GPU: CPU shim"
    single = choose_backend(with_precision("gpu", "single"))
    assert single.describe() == "GPU: CPU shim, membrane in single precision"
    assert "single precision" in choose_backend("auto-single").describe()
    assert with_precision("gpu-single", "double") == "gpu"
    assert parts("auto-single") == ("auto", "single")
    with pytest.raises(BackendError, match="computes in double precision only; choose 'gpu'"):
        with_precision("cpu", "single")


def test_single_precision_without_a_gpu(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    assert choose_backend("auto-single").describe() == "CPU"
    with pytest.raises(BackendError, match="CuPy is not installed"):
        choose_backend("gpu-single")


@pytest.fixture
def paces(monkeypatch):
    """Seconds per step that both are said to take, and what was measured."""
    given = {"device": 1e-3, "cpu": 2e-3, "measured": []}

    def on_device(run, device, n_step=0):
        given["measured"].append("device")
        return given["device"]

    def on_cpu(model, cores):
        given["measured"].append("cpu")
        return given["cpu"]

    monkeypatch.setattr(choosing, "SHORT", 0.0)
    monkeypatch.setattr(choosing, "measure", on_device)
    monkeypatch.setattr(choosing, "seconds_on_cpu", on_cpu)
    return given


def test_auto_takes_what_is_faster_and_says_why(paces, tmp_path):
    model = models.model("hh", tmp_path, 2)
    auto = AutoBackend(GpuBackend(ShimDevice(), Shape(4, 4)))
    assert isinstance(auto.start(model), GpuRun)
    assert "2 cells takes 1 ms on the CPU shim and 2 ms on the CPU" in auto.reason
    assert auto.describe() == "GPU: CPU shim, solved by dhs-4"
    paces["device"] = 4e-3
    auto.start(model)
    assert auto.describe() == "GPU: CPU shim, solved by dhs-4"  # it was measured once
    assert paces["measured"] == ["device", "cpu"]
    assert not isinstance(auto.start(models.model("hh", tmp_path, 64)), GpuRun)
    assert "takes 4 ms on the CPU shim and 2 ms on the CPU" in auto.reason
    assert auto.reason.endswith("choose 'gpu' to use it all the same")
    assert auto.describe() == "CPU"
    single = AutoBackend(GpuBackend(ShimDevice(), Shape(4, 4), single=True))
    single.start(model)
    assert len(paces["measured"]) == 6  # another precision is another pace


def test_times_of_another_number_of_cells_are_taken_in_proportion(paces, monkeypatch, tmp_path):
    auto = AutoBackend(GpuBackend(ShimDevice(), Shape(4, 4)))
    paces["device"] = 2.5e-3
    assert not isinstance(auto.start(models.model("hh", tmp_path, 5), 1), GpuRun)
    assert isinstance(auto.start(models.model("hh", tmp_path, 7), 1), GpuRun)
    assert paces["measured"] == ["device", "cpu"]
    assert auto.reason == (
        "a step of 7 cells takes 2.5 ms on the CPU shim and 2.8 ms on the CPU, as measured once "
        "for 5 cells of this tree and membrane"
    )
    monkeypatch.setattr(choosing, "processor_name", lambda: "another one")
    auto.start(models.model("hh", tmp_path, 7), 1)
    assert len(paces["measured"]) == 4
    auto.start(models.model("hh", tmp_path, 5), 8)
    auto.start(models.model("hh", tmp_path, 7), 8)
    assert "and 2 ms on the CPU, as measured once for 5" in auto.reason  # each has a core
    assert len(paces["measured"]) == 6


def test_a_full_device_takes_longer_for_more_cells(paces, monkeypatch, tmp_path):
    monkeypatch.setattr(choosing, "FULL", 0)
    auto = AutoBackend(GpuBackend(ShimDevice(), Shape(4, 4)))
    auto.start(models.model("hh", tmp_path, 5), 1)
    auto.start(models.model("hh", tmp_path, 7), 1)
    assert "7 cells takes 1.4 ms on the CPU shim and 2.8 ms on the CPU" in auto.reason


def test_a_population_is_judged_by_all_of_its_cells(paces, monkeypatch, tmp_path):
    """Two cells that differ have the most nodes; 300 others are smaller."""
    base = models.experiment("hh", tmp_path)
    differ = (base, replace(base, stimuli=base.stimuli[:1]))
    largest, small = build_batch(differ), build(ball_and_stick(tmp_path, 40.0), 300)
    nodes = largest.n_comp * 2 + small.n_comp * 300
    assert largest.n_comp > small.n_comp
    n_cell = round(nodes / largest.n_comp)
    monkeypatch.setattr(choosing, "FULL", n_cell)
    auto = AutoBackend(GpuBackend(ShimDevice(), Shape(4, 4)))
    paces["device"] = 4e-3  # twice what the CPU takes for two cells
    assert isinstance(auto.start_population([largest, small], 1), GpuPopulation)
    assert auto.reason == (
        f"all taken as cells of the largest tree, a step of {n_cell} cells takes 4 ms on the CPU "
        f"shim and {choosing._text(2e-3 * n_cell / 2)} on the CPU, as measured once for 2 cells of "
        "this tree and membrane"
    )
    assert paces["measured"] == ["device", "cpu"]
    seconds = nodes * largest.n_step * choosing.SLOW
    monkeypatch.setattr(choosing, "SHORT", 0.5 * seconds)
    assert isinstance(auto.start_population([largest, small], 1), GpuPopulation)
    monkeypatch.setattr(choosing, "SHORT", 2.0 * seconds)
    assert not isinstance(auto.start_population([largest, small], 1), GpuPopulation)
    assert auto.reason.startswith("the run is so short")
    monkeypatch.setattr(choosing, "SHORT", 0.0)
    full = AutoBackend(GpuBackend(ShimDevice(memory=1000), Shape(4, 4)))
    full.start_population([largest, small], 1)
    assert full.reason.startswith("this needs")


def test_auto_measures_no_more_than_it_must(paces, monkeypatch, tmp_path):
    model = models.model("hh", tmp_path, 2)
    auto = AutoBackend(GpuBackend(ShimDevice(), Shape(4, 4)))
    paces["device"] = 1e-12
    assert isinstance(auto.start(model), GpuRun)
    assert "less than on any CPU" in auto.reason
    assert paces["measured"] == ["device"]
    monkeypatch.setattr(choosing, "SHORT", 1.0)
    assert not isinstance(auto.start(models.model("hh", tmp_path, 3)), GpuRun)
    assert "the run is so short that the CPU shim would take longer to prepare" in auto.reason
    assert paces["measured"] == ["device"]


def test_of_several_devices_each_is_asked_for_its_part(paces, monkeypatch, tmp_path):
    asked = []

    def on_device(run, device, n_step=0):
        asked.append(run.model.n_instance)
        return 1e-3

    monkeypatch.setattr(choosing, "measure", on_device)
    gpu = GpuBackend(ShimDevice(), Shape(4, 4), [ShimDevice, ShimDevice])
    assert gpu.choice(models.model("hh", tmp_path, 9)).device
    assert asked == [5]


def test_auto_falls_back_where_the_gpu_cannot(paces, tmp_path):
    full = AutoBackend(GpuBackend(ShimDevice(memory=1000), Shape(4, 4)))
    assert not isinstance(full.start(models.model("hh", tmp_path)), GpuRun)
    assert "GB are free" in full.reason
    assert full.describe() == "CPU"


def test_both_are_measured_in_seconds_per_step(tmp_path):
    """A clock that adds a second a reading: one for so many steps, of all cells there are."""
    model = models.model("passive", tmp_path, 100)
    ticks = iter(range(1000))
    each = choosing.seconds_on_cpu(model, 1, clock=lambda: float(next(ticks)))
    assert each == pytest.approx(13 / choosing.STEPS)  # 8 cells were measured
    device, shape = ShimDevice(), Shape(4, 4)
    device.elapsed = lambda work: (work(), 1.0)[1]
    one = models.model("passive", tmp_path)
    assert pacing.measure(GpuRun(one, device, shape), device, 50) == 1 / 50
    short = replace(one, n_step=10)
    assert pacing.measure(GpuRun(short, device, shape), device, 50) == 1 / 10


def test_a_shape_is_measured_once_for_a_tree_and_a_device(monkeypatch, tmp_path):
    device, model = ShimDevice(), models.model("hh", tmp_path)
    slow = {"dhs-8": 3.0, "dhs-4 of 16": 1.0, "dhs-8 of 32": 2.0}
    slow |= {"contract-4 of 8": 1.5, "contract-4 of 32": 1.5}
    slow |= {"contract-4 of 16": 0.5, "contract-16": 0.8, "contract-4 of 16 global": 0.6}
    measured = []

    def measure(run, device):
        measured.append(run.shape.name)
        return slow[run.shape.name]

    monkeypatch.setattr(pacing, "candidates", lambda *n: [Shape(8, 8), Shape(16, 4), Shape(32, 8)])
    monkeypatch.setattr(pacing, "measure", measure)
    monkeypatch.setattr(pacing, "nodes_of", lambda model: (2000, 2000))
    assert pacing.choose_shape(model, device) == Shape(16, 4, "contract")
    assert pacing.choose_shape(model, device) == Shape(16, 4, "contract")
    assert measured == [*list(slow)[:3], *list(slow)[5:]]
    assert pacing.choose_shape(models.model("hh", tmp_path, 64), device) == Shape(16, 4, "contract")
    # so many more cells may like other threads, but their last digits stay
    assert measured[6:] == [
        "contract-4 of 8",
        "contract-4 of 16",
        "contract-4 of 32",
        *measured[5:6],
    ]


def test_without_a_place_to_remember_the_bits_do_not_depend_on_time(monkeypatch, tmp_path):
    monkeypatch.setattr(pacing, "candidates", lambda *n: [Shape(8, 8)])
    monkeypatch.setattr(pacing, "measure", lambda run, device: run.shape.solve == "dhs")
    device, model = ShimDevice(), models.model("hh", tmp_path)
    with monkeypatch.context() as broken:
        broken.setattr(pacing.tempfile, "mkstemp", lambda **_: (_ for _ in ()).throw(OSError()))
        assert pacing.choose_shape(model, device) == Shape(8, 8)
    assert pacing.choose_shape(model, device) == Shape(8, 8, "contract")
    assert pacing.decided([Shape(8, 8)], ("contract", 32)) == [Shape(32, 32, "contract")]
    assert pacing.decided([Shape(64, 32)], ("dhs", 8)) == [Shape(64, 32)]


def test_every_candidate_is_a_shape():
    for nodes in ((10, 10), (300, 300), (2000, 2000), (1000, 5000), (50_000, 50_000)):
        for shape in pacing.candidates(*nodes):
            for other in (shape, *pacing.solves(shape), *pacing.stores(shape, *nodes)):
                assert other.threads * other.cells <= other.bound <= 1024
    assert [s.store for s in pacing.stores(Shape(128, 32), 1000, 5000)] == ["tree", "global"]
