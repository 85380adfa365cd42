"""CUDA text: accepted by NVIDIA's compiler, and the numba results when compiled for the CPU."""

import ctypes

import numpy as np
import pytest

from engine.mechanisms import emit_cuda, library, load_mechanism
from tests.engine.mechanisms.harness import hh_cell, run_numba, run_shim, shim_library
from tests.engine.mechanisms.test_lowering import WINDING, winding_cell
from tests.engine.mechanisms.test_points import PULSE
from tests.engine.nvrtc import compile_for_device

SAME = 1e-12
"""Relative: the exponentials differ by 2 units in the last place, shared ones by a few more."""


@pytest.mark.parametrize("architecture", ["sm_80", "sm_90"])
def test_nvrtc_compiles_the_library(architecture):
    files = [WINDING, PULSE, *sorted((WINDING.parent / "mod").glob("*.mod"))]
    mechanisms = [*library().values(), *map(load_mechanism, files)]
    status, log = compile_for_device("\n".join(map(emit_cuda, mechanisms)), architecture)
    assert status == 0, log
    broken = emit_cuda(library()["pas"]).replace(";", "", 1)
    assert compile_for_device(broken, architecture)[0] != 0  # the check can fail


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ctypes.CDLL]:
    mechanisms = {name: library()[name] for name in ("pas", "hh")}
    mechanisms["winding"] = load_mechanism(WINDING)
    return {
        name: shim_library(mechanism, tmp_path_factory.mktemp(name))
        for name, mechanism in mechanisms.items()
    }


@pytest.mark.parametrize("name", ["pas", "hh"])
@pytest.mark.parametrize("node", [np.arange(50) + 2, np.array([0, 3, 4, 9, 51])])
@pytest.mark.parametrize("n_instance", [1, 3])
def test_cuda_text_gives_the_numba_results(libraries, name, node, n_instance):
    cell = hh_cell(library()[name], node, 53, n_instance)
    for which in ("initialize", "current", "advance"):
        expected, found = run_numba(cell, which), run_shim(libraries[name], cell, which)
        for key in expected.arrays:
            np.testing.assert_allclose(
                found.arrays[key], expected.arrays[key], rtol=SAME, err_msg=key
            )


def test_every_construct_in_cuda_text(libraries):
    ours = theirs = winding_cell(2)
    for which in ("initialize", "current", "advance"):
        ours, theirs = run_numba(ours, which), run_shim(libraries["winding"], theirs, which)
    for key in ours.arrays:
        digits = 1e-9 if key == "g_membrane" else SAME  # the difference divides rounding by 0.001
        scale = np.abs(ours.arrays[key]).max()
        np.testing.assert_allclose(
            theirs.arrays[key], ours.arrays[key], rtol=digits, atol=digits * scale, err_msg=key
        )


@pytest.mark.parametrize(("blocks", "threads"), [(1, 1), (1, 256), (7, 32)])
def test_any_grid_visits_every_element_once(libraries, blocks, threads):
    cell = hh_cell(library()["pas"], np.arange(100), 100, 2)
    expected = run_numba(cell, "current")
    found = run_shim(libraries["pas"], cell, "current", blocks, threads)
    np.testing.assert_allclose(
        found.arrays["i_membrane"], expected.arrays["i_membrane"], rtol=1e-15
    )
