"""The passes: programs mean what the statements mean, and nothing but linear equations passes as
linear."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.mechanisms import arguments, load_mechanism, parse
from engine.mechanisms.exponentials import share_exponentials
from engine.mechanisms.expressions import Binary, Call, Expr, Name, Number, Unary, evaluate
from engine.mechanisms.linear import linear
from engine.mechanisms.model import Program, Step
from engine.mechanisms.parser import parse_source
from engine.units import FARADAY, GAS_CONSTANT
from tests.engine.mechanisms.harness import Cell, run_numba, run_reference
from tests.engine.mechanisms.interpreter import Interpreter

WINDING = Path(__file__).with_name("winding.mod")
VOLTAGES = np.array([-100.0, -90.0, -70.1, -65.0, -50.0, -40.0, -35.0, -30.0, 0.0, 20.0, 33.3])
IONS = {"ena": 50.0, "nai": 12.0, "ex": -20.0}


def winding_cell(n_instance: int = 1) -> Cell:
    n = len(VOLTAGES)
    cell = Cell(load_mechanism(WINDING), np.arange(n), n, n_instance)
    cell.arrays["voltage"] = np.repeat(VOLTAGES, n_instance)
    for name, value in IONS.items():
        cell.arrays[name][:] = value
    cell.scalars["celsius"] = 20.0
    return cell


def _values(cell: Cell, k: int) -> dict[str, float]:
    values = {
        "v": VOLTAGES[k],
        **IONS,
        "celsius": 20.0,
        "dt": 0.025,
        "t": 0.0,
        "diam": 2.0,
        "area": 100.0,
    }
    values |= {parameter.name: parameter.default for parameter in cell.mechanism.parameters}
    return values | {
        name: 0.0 for name in ("s", "n", "w", "memory", "held", "seen", "sinf", "stau")
    }


def test_programs_mean_what_the_statements_mean():
    """INITIAL, BREAKPOINT, DERIVATIVE by an interpreter that takes one branch, against the
    branch-free programs."""
    source = parse_source(WINDING.read_text(), WINDING)
    cell = run_reference(run_reference(winding_cell(), "initialize"), "current")
    after = run_reference(cell, "advance")
    for k in range(len(VOLTAGES)):
        run = Interpreter(source, {**_values(cell, k), "s": 0.25})
        run.run(source.initial.body)
        held_voltage = run.values["v"]
        run.run(source.breakpoint.body)
        for name in ("s", "n", "w", "held", "memory", "seen"):
            assert cell.arrays[name][k] == pytest.approx(run.values[name], rel=1e-13, abs=1e-300), (
                name
            )
        for name in ("ina", "ix"):
            assert cell.arrays[name][k] == pytest.approx(run.values[name], rel=1e-13, abs=1e-300), (
                name
            )
        total = sum(run.values[name] for name in ("ina", "ix", "leak", "i"))
        assert cell.arrays["i_membrane"][k] == pytest.approx(total, rel=1e-12)
        assert run.values["v"] == held_voltage

        before = dict(run.values)
        run.run(source.procedures["rates"].body, _scope(v=before["v"]))
        rate = -1 / run.values["stau"]
        expected = before["s"] + (1 - np.exp(0.025 * rate)) * (run.values["sinf"] - before["s"])
        assert after.arrays["s"][k] == pytest.approx(expected, rel=1e-13)
        opening, closing = run.call(source.functions["bound"], [0.1, 2]), before["seen"]
        target, rate = opening / (opening + closing), -(opening + closing)
        expected_n = before["n"] + (1 - np.exp(0.025 * rate)) * (target - before["n"])
        assert after.arrays["n"][k] == pytest.approx(expected_n, rel=1e-12)
        expected_w = before["w"] + 0.025 * 0.01 * (
            expected - 0.5
        )  # s is already the new one, as in NEURON
        assert after.arrays["w"][k] == pytest.approx(expected_w, rel=1e-13)


def _scope(**values: float):
    from collections import ChainMap

    return ChainMap(dict(values))


def test_variables_that_live_between_kernels_are_found():
    mechanism = load_mechanism(WINDING)
    assert {variable.name for variable in mechanism.assigned} == {"held", "seen", "memory"}
    kinds = {(a.name, a.kind) for a in arguments(mechanism, "current")}
    assert ("held", "assigned") in kinds
    assert ("q", "global") not in kinds  # not needed there
    assert ("q", "global") in {(a.name, a.kind) for a in arguments(mechanism, "advance")}
    assert ("lambda", "parameter") in kinds


@pytest.mark.parametrize("n_instance", [1, 4])
def test_winding_by_numba(n_instance):
    cell = winding_cell(n_instance)
    expected = cell
    for which in ("initialize", "current", "advance", "current"):
        cell, expected = run_numba(cell, which), run_reference(expected, which)
    for key in expected.arrays:
        scale = np.abs(expected.arrays[key]).max()
        # the difference quotient divides rounding by 0.001
        digits = 1e-9 if key == "g_membrane" else 1e-12
        np.testing.assert_allclose(
            cell.arrays[key], expected.arrays[key], rtol=digits, atol=digits * scale, err_msg=key
        )


def test_units_constants_are_neurons():
    source = parse_source(WINDING.read_text(), WINDING)
    assert source.constants == {"F": FARADAY, "R": GAS_CONSTANT, "TWO": 2.0, "SIX": 6.0}
    text = """UNITS {
        A = (faraday) (kilocoulombs)  B = (faraday) (10000 coulomb)
        C = (pi) (1)  D = (k) (joule/degC)
    }"""
    constants = parse_source(text, "units.mod").constants
    assert constants["A"] == pytest.approx(
        float.fromhex("0x1.81f0fae775425p+6"), rel=1e-15
    )  # nrnivmodl 9.0.2
    assert constants["B"] == pytest.approx(float.fromhex("0x1.34c0c8b92a9b7p+3"), rel=1e-15)
    assert constants["C"] == np.pi
    assert constants["D"] == 1.380649e-23


def test_geometry_title_ions_and_limits_are_kept():
    mechanism = load_mechanism(WINDING)
    assert mechanism.title.startswith("Every construct")
    assert mechanism.currents == ("ina", "ix", "leak", "i")
    assert {(ion.name, ion.read, ion.write, ion.valence) for ion in mechanism.ions} == {
        ("na", ("ena", "nai"), ("ina",), None),
        ("x", ("ex",), ("ix",), -1.0),
    }
    shift = mechanism.parameter("shift")
    assert (shift.default, shift.unit, shift.limits, shift.per_node) == (
        -5.0,
        "mV",
        (-50.0, 50.0),
        False,
    )
    assert {a.name for a in arguments(mechanism, "initialize") if a.kind == "geometry"} == {
        "diam",
        "area",
    }


def _expression(text: str) -> Expr:
    source = parse_source(f"PROCEDURE p() {{ x = {text} }}", "expression.mod")
    return source.procedures["p"].body[0].value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-2^2", -4.0),
        ("2^3^2", 512.0),  # nrnivmodl nests to the right
        ("2^-1", 0.5),
        ("2*-3", -6.0),
        ("-2*3^2", -18.0),
        ("6/2*3 - 2 - 1", 6.0),
        ("1 + 2 < 4 && 1", 1.0),
        ("!(1 > 2) || 0", 1.0),
        ("3 (mV) * 2", 6.0),
        ("7 % 4", 3.0),
        ("1.e-1 + .5 + 2E2", 200.6),
        ("(.001)*2(/mV)", 0.002),
    ],
)
def test_precedence_is_nmodls(text, value):
    assert evaluate(_expression(text), {}) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("(inf - x) / tau", (0.6 / 2.0, -1 / 2.0)),
        ("a*(1 - x) - b*x", (3.0, -8.0)),
        ("-x", (0.0, -1.0)),
        ("(a + x*2)*b/tau", (7.5, 5.0)),
        ("a", (3.0, 0.0)),
        ("2*x", (0.0, 2.0)),
    ],
)
def test_linear_parts(text, parts):
    values = {"inf": 0.6, "tau": 2.0, "a": 3.0, "b": 5.0}
    found = linear(_expression(text), "x", {})
    assert found is not None
    assert tuple(evaluate(part, values) for part in found) == pytest.approx(parts)


@pytest.mark.parametrize(
    "text", ["x*x", "a/x", "exp(x)", "x^2", "a*fabs(x)", "x*(a + x)", "(x > 0)"]
)
def test_what_is_not_linear(text):
    assert linear(_expression(text), "x", {}) is None


_slopes = st.sampled_from([0.1, -0.1, 0.05, -0.05, 1 / 18, -0.0125, 0.2])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(_slopes, st.floats(-80, 80)), min_size=2, max_size=8), st.floats(-120, 60)
)
def test_shared_exponentials_keep_their_values(terms, v):
    calls = [
        Call(
            "exp", (Binary("*", Unary("-", Binary("+", Name("v"), Number(-half))), Number(-slope)),)
        )
        for slope, half in terms
    ]
    program = Program(tuple(Step(f"e_{k}", call) for k, call in enumerate(calls)))
    shared = share_exponentials(program)
    values = {"v": v}
    for step in shared.steps:
        values[step.target] = evaluate(step.value, values)
    for k, (slope, half) in enumerate(terms):
        # the eighth power of an exponential of an argument near 16: 8 * (16 + a few) roundings
        assert values[f"e_{k}"] == pytest.approx(np.exp(slope * (v - half)), rel=1e-13)


def test_hh_needs_two_exponentials_for_six():
    from engine.mechanisms import library

    text = repr(library()["hh"].advance)
    assert text.count("function='exp'") == 2
    assert text.count("function='exprel'") == 3  # one of each gate's rate
    assert text.count("operator='/'") == 3  # of the rates; no gate divides by its own
    assert repr(library()["hh"].initialize).count("function='exp'") == 6


def test_constants_fold_and_branches_on_constants_vanish():
    mechanism = parse(
        """NEURON { SUFFIX f NONSPECIFIC_CURRENT i }
        ASSIGNED { v i }
        BREAKPOINT { if (2 > 1) { i = (1 + 2*3) * v } else { i = exp(v) } }""",
        "f.mod",
    )
    assert mechanism.analytic
    assert mechanism.current.conductance == Number(7.0)


def test_a_voltage_nudged_off_a_zero_moves_no_membrane():
    """The idiom of many published channels: v is stepped aside where a rate would be 0 / 0."""
    text = """
        NEURON { SUFFIX nudge NONSPECIFIC_CURRENT i RANGE g }
        PARAMETER { g = 1e-3 (S/cm2) }
        STATE { m }
        ASSIGNED { v (mV) i (mA/cm2) minf }
        INITIAL { rates() m = minf }
        BREAKPOINT { rates() i = g * minf * (v + 10) }
        PROCEDURE rates() {
            if ((v == -27)) { v = v + 0.0001 }
            minf = 0.055 * (-27 - v) / (exp((-27 - v) / 3.8) - 1)
        }
    """
    cell = Cell(parse(text, "nudge.mod"), np.arange(2), 2)
    cell.arrays["voltage"][:] = [-27.0, -26.9999]
    cell = run_numba(run_numba(cell, "initialize"), "current")
    np.testing.assert_array_equal(cell.arrays["voltage"], [-27.0, -26.9999])
    assert cell.arrays["m"][0] == pytest.approx(0.055 * 3.8, rel=1e-4)
    assert cell.arrays["m"][0] == pytest.approx(cell.arrays["m"][1], rel=1e-9)
    currents = cell.arrays["i_membrane"]
    assert currents[0] == pytest.approx(currents[1], rel=1e-9)
