"""The shim means what a device means: barriers, shuffles, shared memory, atomics."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.errors import BackendError, OutOfDeviceMemoryError
from tests.engine.shim_device import MODES, ShimDevice

TEXT = """
extern "C" __global__ void reduce(const double* x, double* sums, int n) {
    extern __shared__ double part[];
    const int t = threadIdx.x;
    double sum = 0.0;
    for (int i = blockIdx.x * blockDim.x + t; i < n; i += gridDim.x * blockDim.x) sum += x[i];
    part[t] = sum;
    for (int half = blockDim.x / 2; half > 0; half /= 2) {
        __syncthreads();
        if (t < half) part[t] += part[t + half];
    }
    if (t == 0) sums[blockIdx.x] = part[0];
}
extern "C" __global__ void __launch_bounds__(1024) warps(int* out) {
    const int t = threadIdx.x, lane = t % 32;
    if (t >= 48) return;  // half of the second warp is gone
    const unsigned all = t < 32 ? 0xffffffffu : 0xffffu;
    int sum = lane;
    for (int by = 8; by > 0; by /= 2) sum += __shfl_down_sync(all, sum, by, 16);
    out[t] = __shfl_sync(all, sum, 0, 16);
    out[48 + t] = __shfl_xor_sync(all, lane, 1);
    out[96 + t] = __shfl_up_sync(all, lane, 1);
    out[144 + t] = __ballot_sync(all, lane % 4 == 0);
}
extern "C" __global__ void relay(int* seen, int rounds, int with_barrier) {
    __shared__ int token;  // lanes hand it on, the second half of every warp stands by
    if (threadIdx.x == 0) token = 0;
    __syncthreads();
    if (threadIdx.x < 16)
        for (int turn = 0; turn < rounds; ++turn) {
            if (turn % 16 == (int)threadIdx.x) token += turn;
            if (with_barrier) __syncwarp(0xffffu);
        }
    __syncthreads();
    seen[threadIdx.x] = token;
}
extern "C" __global__ void add(double* sum, int* highest) {
    atomicAdd(sum, 1.0);
    atomicMax(highest, (int)(blockIdx.x * blockDim.x + threadIdx.x));
}
extern "C" __global__ void astray(int* out) {
    if (threadIdx.x != 5) __syncthreads();
    else __syncwarp();
    out[threadIdx.x] = 1;
}
extern "C" __global__ void unguarded(const int* x, int* out) {
    extern __shared__ __align__(16) int copy[];
    copy[threadIdx.x] = x[threadIdx.x];
    out[threadIdx.x] = copy[(threadIdx.x + 1) % blockDim.x];
}
"""


@pytest.fixture(params=MODES)
def device(request):
    return ShimDevice(request.param)


def fresh(device, values):
    return device.upload(np.asarray(values))


def test_barriers_and_dynamic_shared_memory(device):
    kernel = device.compile(TEXT).kernel("reduce")
    x = np.arange(1000.0)
    sums = device.allocate(3)
    device.launch(kernel, 3, 64, (fresh(device, x), sums, np.int32(1000)), shared=64 * 8)
    device.synchronize()
    assert device.download(sums).sum() == x.sum()


def test_shuffles_see_the_lanes_of_their_own_warp(device):
    out = device.allocate(192, np.int32)
    device.launch(device.compile(TEXT).kernel("warps"), 1, 64, (out,))
    sums, partner, left, ballot = device.download(out).reshape(4, 48)
    lane = np.arange(48) % 32
    np.testing.assert_array_equal(sums, np.where(lane < 16, 120, 376))
    np.testing.assert_array_equal(partner, lane ^ 1)
    np.testing.assert_array_equal(left, np.maximum(lane - 1, 0))
    assert set(ballot[:32]) == {0x11111111}
    assert set(ballot[32:]) == {0x1111}


def test_some_lanes_meet_while_others_wait_for_the_block(device):
    seen = device.allocate(64, np.int32)
    kernel = device.compile(TEXT).kernel("relay")
    device.launch(kernel, 1, 64, (seen, np.int32(40), np.int32(1)))
    np.testing.assert_array_equal(device.download(seen), sum(range(40)))


def test_atomics_lose_nothing(device):
    total, highest = device.allocate(1), device.allocate(1, np.int32)
    device.launch(device.compile(TEXT).kernel("add"), 4, 96, (total, highest))
    assert device.download(total) == 384.0
    assert device.download(highest) == 383


@pytest.mark.parametrize("mode", ["forward", "backward", "shuffled"])
def test_a_barrier_that_is_never_passed_is_an_error(mode):
    device = ShimDevice(mode)
    out = device.allocate(8, np.int32)
    with pytest.raises(BackendError, match="not reached by all threads"):
        device.launch(device.compile(TEXT).kernel("astray"), 2, 8, (out,))
    total, highest = device.allocate(1), device.allocate(1, np.int32)  # others run afterwards
    device.launch(device.compile(TEXT).kernel("add"), 1, 8, (total, highest))
    assert device.download(total) == 8.0


def test_a_missing_barrier_shows_in_some_order():
    x, wrong = np.arange(64, dtype=np.int32), []
    for mode in ("forward", "backward"):
        device = ShimDevice(mode)
        out = device.allocate(64, np.int32)
        kernel = device.compile(TEXT).kernel("unguarded")
        device.launch(kernel, 1, 64, (fresh(device, x), out), shared=256)
        wrong.append(not np.array_equal(device.download(out), np.roll(x, -1)))
    assert any(wrong)


def test_what_a_device_refuses(device):
    with pytest.raises(BackendError, match=r"do not compile.*expected"):
        device.compile(TEXT.replace("double sum = 0.0;", "double sum = ;"))
    with pytest.raises(TypeError, match="takes no ndarray"):
        device.launch(device.compile(TEXT).kernel("astray"), 1, 8, (np.zeros(8, np.int32),))
    small = ShimDevice(memory=1000)
    kept = small.allocate(100)
    with pytest.raises(OutOfDeviceMemoryError, match="choose backend 'cpu'"):
        small.allocate(100)
    del kept
    assert small.memory() == (1000, 1000)


RACES = """
import numpy as np
from tests.engine.backends.gpu.test_shim import TEXT
from tests.engine.shim_device import ShimDevice
device = ShimDevice("threads", options=("-fsanitize=thread", "-g"))
kernel, out = device.compile(TEXT).kernel("relay"), device.allocate(64, np.int32)
device.launch(kernel, 1, 64, (out, np.int32(20), np.int32(WITH_BARRIER)))
print("finished")
"""


@pytest.mark.slow
def test_the_thread_sanitizer_sees_a_missing_barrier():
    assert "data race" not in sanitized(RACES.replace("WITH_BARRIER", "1"))
    assert "data race" in sanitized(RACES.replace("WITH_BARRIER", "0"))


def sanitized(script: str, *given: str) -> str:
    """What the thread sanitizer reports on a script that runs kernels with real threads."""
    runtime = subprocess.run(
        ["g++", "-print-file-name=libtsan.so"], capture_output=True, text=True, check=True
    ).stdout.strip()
    if not Path(runtime).is_file():
        pytest.skip("the thread sanitizer is not installed")
    environment = {**os.environ, "LD_PRELOAD": runtime, "TSAN_OPTIONS": "exitcode=0"}
    environment["OPENBLAS_NUM_THREADS"] = "1"
    done = subprocess.run(
        ["setarch", "-R", sys.executable, "-c", script, *given],
        env=environment,
        capture_output=True,
        text=True,
        timeout=250,
    )
    assert "finished" in done.stdout, done.stderr[-2000:]
    return done.stderr
