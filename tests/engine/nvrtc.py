"""NVIDIA's run-time compiler, which needs no device and no driver."""

import ctypes
import sysconfig
from functools import cache
from pathlib import Path

import pytest


@cache
def library() -> ctypes.CDLL:
    found = sorted(Path(sysconfig.get_paths()["purelib"]).glob("nvidia/*/lib/libnvrtc.so.*"))
    found = [path for path in found if ".alt." not in path.name]
    if not found:
        pytest.skip("nvidia-cuda-nvrtc is not installed")
    return ctypes.CDLL(str(found[0]), mode=ctypes.RTLD_GLOBAL)


def compile_for_device(
    text: str, architecture: str, options: tuple[str, ...] = ()
) -> tuple[int, str]:
    """Status and log of NVRTC."""
    nvrtc, program = library(), ctypes.c_void_p()
    created = nvrtc.nvrtcCreateProgram(
        ctypes.byref(program), text.encode(), b"kernels.cu", 0, None, None
    )
    assert created == 0
    given = [f"--gpu-architecture={architecture}", "--std=c++17", *options]
    texts = [option.encode() for option in given]
    status = nvrtc.nvrtcCompileProgram(program, len(texts), (ctypes.c_char_p * len(texts))(*texts))
    size = ctypes.c_size_t()
    nvrtc.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(size.value)
    nvrtc.nvrtcGetProgramLog(program, log)
    nvrtc.nvrtcDestroyProgram(ctypes.byref(program))
    return status, log.value.decode()
