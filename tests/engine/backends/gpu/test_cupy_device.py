"""What is asked of CuPy: which streams, in which order, and what its errors become."""

from types import SimpleNamespace

import numpy as np
import pytest

from engine.backends.gpu import cupy_device
from engine.backends.gpu.cupy_device import PLAIN_SHARED, CupyDevice
from engine.backends.gpu.device import Properties
from engine.backends.gpu.run import GpuPopulation
from engine.backends.gpu.shape import Shape
from engine.errors import BackendError, OutOfDeviceMemoryError
from tests.engine.backends.gpu import models
from tests.engine.backends.gpu.test_run import real_device
from tests.engine.shim_device import ShimDevice

FOUND = {
    "name": b"Some Device", "major": 9, "minor": 0, "multiProcessorCount": 132,
    "sharedMemPerBlock": 49152, "sharedMemPerMultiprocessor": 233472,
    "maxThreadsPerMultiProcessor": 2048, "l2CacheSize": 52428800,
}  # fmt: skip


class RuntimeFailedError(Exception):
    pass


class DriverFailedError(Exception):
    pass


class NoMemoryError(MemoryError):
    pass


class FakeCupy:
    """CuPy as far as the device uses it; ``calls`` tells what was asked, ``fails`` what fails."""

    def __init__(self):
        self.calls, self.fails = [], {}
        self.current = [FakeStream(self, "usual")]
        runtime = SimpleNamespace(
            CUDARuntimeError=RuntimeFailedError,
            getDeviceProperties=lambda index: FOUND,
            driverGetVersion=lambda: 13000,
            memGetInfo=lambda: self.said("memory", (10, 20)),
        )
        self.cuda = SimpleNamespace(
            runtime=runtime,
            driver=SimpleNamespace(CUDADriverError=DriverFailedError),
            memory=SimpleNamespace(OutOfMemoryError=NoMemoryError),
            Device=lambda index: SimpleNamespace(use=lambda: self.said("use")),
            Stream=self.stream,
            Event=lambda: FakeEvent(self, "timer"),
            get_current_stream=lambda: self.current[-1],
            get_elapsed_time=lambda begin, end: 2000.0,
        )

    def said(self, call, answer=None):
        self.calls.append(call)
        if call in self.fails:
            raise self.fails[call]
        return answer

    def stream(self, non_blocking=False):
        return FakeStream(self, "side " + ("apart" if non_blocking else "in turns"))

    def empty(self, shape, dtype):
        return self.said("empty", FakeBuffer(self))

    def get_default_memory_pool(self):
        return SimpleNamespace(free_bytes=lambda: 5, free_all_blocks=lambda: None)

    def kernel(self, grid, block, arguments, shared_mem):
        self.said(f"kernel on {self.current[-1].name}")


class FakeEvent:
    def __init__(self, cupy, name):
        self.cupy, self.name = cupy, name

    def record(self):
        self.cupy.said(f"record {self.name}")

    def synchronize(self):
        self.cupy.said(f"wait for {self.name}")


class FakeStream:
    def __init__(self, cupy, name):
        self.cupy, self.name = cupy, name

    def __enter__(self):
        self.cupy.current.append(self)

    def __exit__(self, *_):
        self.cupy.current.pop()

    def record(self):
        return f"all on {self.name}"

    def wait_event(self, event):
        self.cupy.said(f"{self.name} waits for {event}")

    def synchronize(self):
        self.cupy.said(f"host waits for {self.name}")


class FakeBuffer:
    def __init__(self, cupy):
        self.set = lambda values: cupy.said("set")
        self.fill = lambda value: cupy.said("fill")
        self.get = lambda: cupy.said("get", np.zeros(1))


class FakeKernel:
    """As CuPy's: what it may take is asked of the driver where it is read or set."""

    def __init__(self, cupy):
        self.cupy = cupy

    def __call__(self, *given, **more):
        self.cupy.kernel(*given, **more)

    @property
    def max_dynamic_shared_size_bytes(self):
        return self.cupy.said("shared", 0)

    @max_dynamic_shared_size_bytes.setter
    def max_dynamic_shared_size_bytes(self, size):
        self.cupy.said("more shared")


@pytest.fixture
def cupy(monkeypatch):
    made = FakeCupy()
    monkeypatch.setattr(cupy_device, "_cupy", lambda: made)
    return made


@pytest.fixture
def device(cupy):
    found = CupyDevice(0)
    assert isinstance(found.properties, Properties)
    cupy.calls.clear()
    return found


def test_kernels_beside_each_other_wait_for_what_was_put_up_and_not_for_one_another(cupy, device):
    kernel = FakeKernel(cupy)
    for number in (1, 2, 1):
        device.upload(np.zeros(3))
        device.launch(kernel, 1, 32, (), stream=number)
    device.synchronize()
    wanted = ["empty", "set", "side apart waits for all on usual", "kernel on side apart"] * 3
    wanted += ["host waits for usual", "host waits for side apart", "host waits for side apart"]
    assert [call for call in cupy.calls if call != "use"] == wanted


def test_a_time_is_taken_once_all_streams_are_done(cupy, device):
    took = device.elapsed(lambda: device.launch(FakeKernel(cupy), 1, 32, (), stream=1))
    assert took == 2.0
    assert [call for call in cupy.calls if call != "use"][2:] == [
        "kernel on side apart",
        "usual waits for all on side apart",
        "record timer",
        "wait for timer",
    ]


CALLS = {
    "memory": lambda device, kernel: device.memory(),
    "empty": lambda device, kernel: device.allocate(3),
    "fill": lambda device, kernel: device.allocate(3),
    "set": lambda device, kernel: device.upload(np.zeros(3)),
    "get": lambda device, kernel: device.download(device.upload(np.zeros(3))),
    "shared": lambda device, kernel: device.launch(kernel, 1, 32, (), PLAIN_SHARED + 1),
    "more shared": lambda device, kernel: device.launch(kernel, 1, 32, (), PLAIN_SHARED + 1),
    "kernel on usual": lambda device, kernel: device.launch(kernel, 1, 32, ()),
    "host waits for usual": lambda device, kernel: device.synchronize(),
    "record timer": lambda device, kernel: device.elapsed(lambda: None),
    "use": lambda device, kernel: device.memory(),
}


@pytest.mark.parametrize("trouble", [RuntimeFailedError, DriverFailedError])
@pytest.mark.parametrize("call", CALLS)
def test_what_cuda_refuses_is_one_sentence(cupy, device, call, trouble):
    cupy.fails[call] = trouble("cudaErrorLaunchFailure: unspecified launch failure")
    with pytest.raises(BackendError, match=r"^the GPU failed \(cudaErrorLaunch.*backend 'cpu'"):
        CALLS[call](device, FakeKernel(cupy))


def test_too_little_memory_is_told_with_what_is_free(cupy, device):
    cupy.fails["empty"] = NoMemoryError()
    with pytest.raises(OutOfDeviceMemoryError) as told:
        device.allocate(1000)
    assert (told.value.wanted, told.value.free) == (8000, 15)


def test_no_kernel_goes_on_where_another_could_not_start(monkeypatch, tmp_path):
    device = ShimDevice()
    both = [models.model("hh", tmp_path), models.model("passive", tmp_path)]
    population = GpuPopulation(both, device, [Shape(4, 4)] * 2)
    calls, launch = [], device.launch

    def start(*given):
        if calls:
            raise BackendError("the second one is refused")
        calls.append("started")
        launch(*given)

    monkeypatch.setattr(device, "launch", start)
    monkeypatch.setattr(device, "synchronize", lambda: calls.append("waited"))
    with pytest.raises(BackendError, match="the second one"):
        population.initialize()
    assert calls == ["started", "waited"]


MEET = """
extern "C" __global__ void wait_for(volatile int* flag, int* met) {
    for (long long turn = 0; turn < (1ll << 28) && !*flag; ++turn) __threadfence();
    *met = *flag;
}
extern "C" __global__ void raise_flag(volatile int* flag) { *flag = 1; }
"""


@pytest.mark.gpu
def test_kernels_on_streams_of_their_own_run_at_the_same_time():
    """The first one ends when it sees what the second one does."""
    device = real_device()
    module = device.compile(MEET)
    flag, met = device.allocate(1, np.int32), device.allocate(1, np.int32)
    other = device.allocate(1000, np.int64)
    waiting, raising = module.kernel("wait_for"), module.kernel("raise_flag")
    device.launch(raising, 1, 1, (met,))  # loaded before it is needed
    device.write(met, np.zeros(1, np.int32))
    device.synchronize()
    device.launch(waiting, 1, 1, (flag, met), stream=1)
    device.write(other, np.arange(1000))
    device.launch(raising, 1, 1, (flag,), stream=2)
    device.synchronize()
    assert device.download(met)[0] == 1
