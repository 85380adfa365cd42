"""Kernels in explicit vectors: the values of the expressions, the same bits in every layout."""

import platform
import re

import numpy as np
import pytest
from numba import njit

from engine.mechanisms import (
    Mechanism,
    arguments,
    cache,
    compile_source,
    emit_numba,
    lanes,
    library,
    parse,
    quotients,
)
from engine.mechanisms.emit_lanes import IMPORT, WRITTEN_OUT, emit_lanes, fuse, has_lanes
from engine.mechanisms.expressions import Binary, Call, Name, Number, Unary, names
from engine.mechanisms.fastmath import exprel
from engine.mechanisms.lanes import WIDTH, roomy
from engine.mechanisms.stages import cut
from tests.engine.mechanisms.harness import Cell, hh_cell, run_reference

ROUNDING = 1e-12  # a few units in the last place, enlarged where exp(x) - 1 cancels
EVERYTHING = """
NEURON { SUFFIX everything NONSPECIFIC_CURRENT i RANGE g, w }
PARAMETER { g = 0.001 (S/cm2) w = 2 }
ASSIGNED { v (mV) i (mA/cm2) celsius (degC) }
STATE { s }
INITIAL { s = 0.5 }
BREAKPOINT { SOLVE states METHOD cnexp i = g * s * s^3 * (v + 65) }
DERIVATIVE states { s' = (target(v) - s) / 5 }
FUNCTION target(v (mV)) {
    IF (v < -60 && w > 1 || !(v < 20)) {
        target = log(fabs(v) + w) + sqrt(fabs(v)) + sin(v) * atan(v) + fabs(v)^0.3
    } ELSE {
        target = exp(v / 30) - w * tanh(v / 50) + log10(fabs(v) + 1) + w^4
    }
}
"""


def compiled(mechanism: Mechanism, rows: bool = False):
    text = "\n".join(
        [
            emit_numba(mechanism),
            IMPORT,
            emit_lanes(mechanism, ("rows",) if rows else ("consecutive", "scattered")),
        ]
    )
    return compile_source(text, f"lanes_{mechanism.name}")


def run_lanes(cell: Cell, which) -> Cell:
    cell = cell.copy()
    sizes = {name: len(array) for name, array in cell.arrays.items()}
    cell.arrays = {name: roomy(array) for name, array in cell.arrays.items()}
    cell.node = roomy(cell.node)
    module = compiled(cell.mechanism, cell.n_instance > 1)
    kernel = getattr(module, f"{cell.mechanism.name}_{which}_lanes")
    kernel(*(cell.take(a) for a in arguments(cell.mechanism, which)))
    for name, size in sizes.items():
        assert len(cell.arrays[name]) == size
    return cell


@pytest.fixture(scope="module", params=["hh", "everything"])
def mechanism(request):
    known = {"hh": library()["hh"], "everything": parse(EVERYTHING, "everything.mod")}
    return known[request.param]


@pytest.mark.parametrize("node", [np.arange(5, 26), np.array([0, 3, 4, 9, 11, 12, 14, 20, 30])])
@pytest.mark.parametrize("which", WRITTEN_OUT)
def test_values_are_those_of_the_expressions_and_nothing_else_changes(mechanism, node, which):
    cell = hh_cell(mechanism, node, 40)
    expected, found = run_reference(cell, which), run_lanes(cell, which)
    for name, array in expected.arrays.items():
        np.testing.assert_allclose(
            found.arrays[name], array, rtol=ROUNDING, atol=ROUNDING, err_msg=name
        )
        untouched = cell.arrays[name] == array
        np.testing.assert_array_equal(found.arrays[name][untouched], array[untouched], err_msg=name)


@pytest.mark.parametrize("which", WRITTEN_OUT)
def test_rows_and_scattered_nodes_have_the_bits_of_consecutive_ones(mechanism, which):
    flat = hh_cell(mechanism, np.arange(3, 24), 30)
    expected = run_lanes(flat, which)
    rows = Cell(mechanism, flat.node, 30, WIDTH, arrays=dict(flat.arrays))
    shared = {p.name for p in mechanism.parameters}
    rows.arrays = {
        name: array if name in shared else np.repeat(array, WIDTH)
        for name, array in flat.arrays.items()
    }
    found = run_lanes(rows, which)
    for name, array in expected.arrays.items():
        if name not in shared:
            np.testing.assert_array_equal(found.arrays[name], np.repeat(array, WIDTH), name)

    spaced = Cell(mechanism, 2 * flat.node, 60, arrays=dict(flat.arrays))
    own = {v.name for v in (*mechanism.states, *mechanism.assigned)} | shared
    spaced.arrays = {
        name: array if name in own else np.repeat(array, 2) for name, array in flat.arrays.items()
    }
    found = run_lanes(spaced, which)
    for name, array in expected.arrays.items():
        every = 1 if name in own else 2
        np.testing.assert_array_equal(found.arrays[name][::every], array, name)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(library()))
def test_every_library_channel(name):
    mechanism = library()[name]
    if not has_lanes(mechanism):
        pytest.skip("a point process is computed point by point")
    cell = hh_cell(mechanism, np.arange(5, 26), 40)
    for which in WRITTEN_OUT:
        expected, found = run_reference(cell, which), run_lanes(cell, which)
        for key, array in expected.arrays.items():
            np.testing.assert_allclose(found.arrays[key], array, rtol=1e-11, atol=1e-12)


def test_nan_is_not_hidden():
    cell = hh_cell(library()["hh"], np.arange(40), 40)
    cell.arrays["voltage"][17] = np.nan
    for which, key in (("current", "i_membrane"), ("advance", "m")):
        bad = np.isnan(run_lanes(cell, which).arrays[key])
        assert bad[17]
        assert bad.sum() == 1


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="reads x86 machine code")
def test_hh_is_vector_code_without_calls():
    cell = hh_cell(library()["hh"], np.arange(8), 8)
    module = compiled(cell.mechanism)
    for which, divisions in (("current", 0), ("advance", 4)):  # 2 in each of two layouts
        run_lanes(cell, which)
        (text,) = getattr(module, f"hh_{which}_lanes").inspect_asm().values()
        assert len(re.findall(r"%[yz]mm", text)) > 50, "no wide registers"
        assert not re.search(r"call\S*\s+\S*exp", text), "exp is called"
        assert not re.search(r"\svdivsd\s", text), "a division of one number"
        assert len(re.findall(r"vdivpd\s.*%[yz]mm", text)) >= divisions


def test_code_is_compiled_anew_when_a_module_it_takes_in_changes():
    found = re.findall(r"engine\.mechanisms(?:\.(\w+) import| import ([\w, ]+))", _imports())
    taken = {name for one, several in found for name in (one, *several.split(", ")) if name}
    assert taken >= {"fastmath", "lanes", "quotients"}
    assert taken == {path.stem for path in cache.INLINED}


def _imports() -> str:
    return emit_numba(library()["hh"]) + IMPORT


def test_products_that_are_added_are_fused():
    a, b, c = Name("a"), Name("b"), Name("c")
    product = Binary("*", a, b)
    assert fuse(Binary("+", product, c)) == Call("fma", (a, b, c))
    assert fuse(Binary("+", c, product)) == Call("fma", (a, b, c))
    assert fuse(Binary("-", product, c)) == Call("fma", (a, b, Unary("-", c)))
    assert fuse(Binary("-", c, product)) == Call("fma", (Unary("-", a), b, c))
    assert fuse(Binary("^", a, Number(3.0))) == Call("whole_power", (a, Number(3)))
    assert fuse(Binary("^", a, Number(0.5))) == Binary("^", a, Number(0.5))


@njit(error_model="numpy")
def _exprels(x, found, expected):
    for i in range(0, x.size, 3 * WIDTH):
        a, b, c = lanes.load(x, i), lanes.load(x, i + 8), lanes.load(x, i + 16)
        p, q, s = quotients.three_exprels(a, b, c)
        lanes.store(found, i, p)
        q, s = quotients.two_exprels(b, c)
        lanes.store(found, i + 8, q)
        lanes.store(found, i + 16, quotients.exprel(c) if i % 2 else s)
    for i in range(x.size):
        expected[i] = exprel(x[i])


def test_exprels_of_several_have_the_bits_of_one():
    random = np.random.default_rng(1)
    x = np.concatenate([random.uniform(-0.5, 0.5, 480), random.uniform(-2, 2, 72), [0.0] * 24])
    found, expected = np.empty_like(x), np.empty_like(x)
    _exprels(x, found, expected)
    np.testing.assert_array_equal(found, expected)


@njit(error_model="numpy")
def _quotients(top, bottom, out):
    a, b, c = lanes.load(top, 0), lanes.load(top, 8), lanes.load(top, 16)
    x, y, z = lanes.load(bottom, 0), lanes.load(bottom, 8), lanes.load(bottom, 16)
    p, q, s = quotients.three_quotients(a, x, b, y, c, z)
    lanes.store(out, 0, p)
    lanes.store(out, 8, q)
    lanes.store(out, 16, s)
    p, q = quotients.two_quotients(a, x, b, y)
    lanes.store(out, 24, p)
    lanes.store(out, 32, q)


def test_denominators_that_share_a_reciprocal_do_not_spoil_one_another():
    top = np.random.default_rng(2).uniform(-5, 5, 24)
    ordinary = np.random.default_rng(3).uniform(0.1, 9, 24)
    bottom = ordinary.copy()
    bottom[[1, 10, 19, 4]] = 0.0, np.inf, np.nan, 1e300
    found, alone = np.empty(40), np.empty(40)
    _quotients(top, bottom, found)
    _quotients(top, ordinary, alone)
    with np.errstate(all="ignore"):
        exact = top / bottom
    exact = np.concatenate([exact, exact[:16]])
    np.testing.assert_allclose(found, exact, rtol=1e-15)
    lane = np.arange(40) % 8
    untouched = ~np.isin(lane, [1, 2, 3, 4])
    np.testing.assert_array_equal(found[untouched], alone[untouched])  # bits of a lane are its own


def test_stages_hold_no_two_functions_that_wait_for_each_other():
    for which in WRITTEN_OUT:
        program = library()["hh"].program(which)
        stages, _ = cut(program.steps, [value for _, value in program.stores])
        known: set[str] = set()
        for stage in stages:
            own = {step.target for step in stage.heavy}
            for step in (*stage.light, *stage.heavy):
                assert not own & set(names(step.value))
            assert set(stage.taken) <= known
            known |= set(stage.kept)
        assert len(stages) == (3 if which == "advance" else 1)
