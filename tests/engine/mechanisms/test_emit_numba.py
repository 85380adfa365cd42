"""numba kernels: the values of the expressions, in every layout, as vector code."""

import platform
import re

import numpy as np
import pytest

from engine.mechanisms import compile_source, emit_numba, library, parse
from tests.engine.mechanisms.harness import Cell, hh_cell, run_numba, run_reference

ROUNDING = 1e-12  # a few units in the last place, enlarged where exp(x) - 1 cancels


@pytest.mark.parametrize("name", ["pas", "hh"])
@pytest.mark.parametrize("which", ["initialize", "current", "advance"])
@pytest.mark.parametrize("n_instance", [1, 3])
def test_kernels_equal_the_expressions(name, which, n_instance):
    cell = hh_cell(library()[name], np.array([1, 2, 5, 6, 7, 9]), 11, n_instance)
    expected, found = run_reference(cell, which), run_numba(cell, which)
    for key in expected.arrays:
        np.testing.assert_allclose(
            found.arrays[key], expected.arrays[key], rtol=ROUNDING, err_msg=key
        )


@pytest.mark.parametrize("name", ["pas", "hh"])
@pytest.mark.parametrize("which", ["current", "advance"])
def test_layouts_give_the_same_bits(name, which):
    """Consecutive, scattered and rows of instances: the arithmetic of an element does not depend
    on its place."""
    n = 300
    flat = hh_cell(library()[name], np.arange(n) + 3, n + 5)
    expected = run_numba(flat, which)
    scattered = flat.copy()
    order = np.random.default_rng(1).permutation(n)
    own = [p.name for p in flat.mechanism.parameters] + [s.name for s in flat.mechanism.states]
    scattered.node = flat.node[order]
    for key in own:
        scattered.arrays[key] = flat.arrays[key][order].copy()
    assert (flat.first, scattered.first) == (3, -1)
    found = run_numba(scattered, which)
    for key in expected.arrays:
        here = expected.arrays[key][order] if key in own else expected.arrays[key]
        np.testing.assert_array_equal(found.arrays[key], here, err_msg=key)

    twice = Cell(flat.mechanism, flat.node, flat.n_comp, 2)
    for key, array in flat.arrays.items():
        per_node = key in [p.name for p in flat.mechanism.parameters]
        twice.arrays[key] = array.copy() if per_node else np.repeat(array, 2)
    found = run_numba(twice, which)
    for key in expected.arrays:
        if len(found.arrays[key]) != len(expected.arrays[key]):
            for instance in (0, 1):
                np.testing.assert_array_equal(
                    found.arrays[key][instance::2], expected.arrays[key], err_msg=key
                )


def test_currents_are_added_to_what_is_there():
    cell = hh_cell(library()["pas"], np.array([0]), 1)
    cell.arrays["i_membrane"][:] = 5.0
    cell.arrays["g_membrane"][:] = 7.0
    cell.arrays["voltage"][:] = -60.0
    found = run_numba(cell, "current")
    assert found.arrays["i_membrane"][0] == pytest.approx(5 + 0.001 * (-60 + 70), abs=1e-15)
    assert found.arrays["g_membrane"][0] == pytest.approx(7.001, abs=1e-15)


def test_nan_is_not_hidden():
    cell = hh_cell(library()["hh"], np.arange(40), 40)
    cell.arrays["voltage"][17] = np.nan
    for which, key in (("current", "i_membrane"), ("advance", "m")):
        bad = np.isnan(run_numba(cell, which).arrays[key])
        assert bad[17]
        assert bad.sum() == 1


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="reads x86 machine code")
def test_hh_is_vector_code_without_calls():
    cell = hh_cell(library()["hh"], np.arange(8), 8)
    run_numba(cell, "advance")
    module = compile_source(emit_numba(cell.mechanism), "hh")
    run_numba(cell, "current")
    for kernel in (module.hh_current, module.hh_advance):
        (text,) = kernel.inspect_asm().values()
        assert len(re.findall(r"%[yz]mm", text)) > 50, "no wide registers"
        assert not re.search(r"call\S*\s+\S*exp", text), "exp is called"
    (text,) = module.hh_advance.inspect_asm().values()
    wide = re.findall(r"vdivpd\s.*%[yz]mm", text)
    assert len(wide) >= 12, "divisions of the flat and of the row loop are not vectors"


def test_difference_conductance_where_the_current_is_not_linear():
    cubic = parse(
        """
        NEURON { SUFFIX cubic NONSPECIFIC_CURRENT i RANGE g }
        PARAMETER { g = 1e-6 (S/cm2) }
        ASSIGNED { v (mV) i (mA/cm2) }
        BREAKPOINT { i = g * v^3 }
        """,
        "cubic.mod",
    )
    assert not cubic.analytic
    assert library()["hh"].analytic
    assert library()["pas"].analytic
    cell = hh_cell(cubic, np.arange(20), 20)
    v = cell.arrays["voltage"]
    expected = (1e-6 * (v + 0.001) ** 3 - 1e-6 * v**3) / 0.001
    cell.arrays["g_membrane"][:] = 0.0
    found = run_numba(cell, "current").arrays["g_membrane"]
    np.testing.assert_allclose(
        found, expected, rtol=1e-9, atol=1e-12
    )  # the difference loses 10 digits
