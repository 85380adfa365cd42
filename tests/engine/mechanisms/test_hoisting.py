"""Points at rest until their first event, and numbers that are computed once."""

import random

import pytest

from engine.mechanisms import library
from engine.mechanisms.emit import inputs
from engine.mechanisms.expressions import Binary, Call, Name, Number, evaluate
from engine.mechanisms.hoisting import hoist
from engine.mechanisms.model import Mechanism, Program
from engine.mechanisms.sleep import sleeps, vanishes

POINTS = sorted(name for name, m in library().items() if m.kind == "point")


def compute(program: Program, values: dict[str, float]) -> dict[str, float]:
    """What a program stores, with its current and conductance."""
    known = dict(values)
    for step in program.steps:
        known[step.target] = evaluate(step.value, known)
    given = {name: evaluate(value, known) for name, value in program.stores}
    for name in ("current", "conductance"):
        if (value := getattr(program, name)) is not None:
            given[name] = evaluate(value, known)
    return given


def start(mechanism: Mechanism, seed: int) -> dict[str, float]:
    """Everything a point reads, after its INITIAL."""
    draws = random.Random(seed)
    values = {p.name: p.default * draws.uniform(0.8, 1.2) for p in mechanism.parameters}
    values |= {"v": draws.uniform(-90, 30), "dt": 0.04, "celsius": 34.0, "t": 2.0}
    values |= {"area": 20.0, "diam": 1.5}
    values |= {x.name: 0.0 for x in (*mechanism.states, *mechanism.assigned)}
    values |= {name: 1e-3 for ion in mechanism.ions for name in (*ion.read, *ion.write)}
    return values | compute(mechanism.initialize, values)


@pytest.mark.parametrize("name", POINTS)
@pytest.mark.parametrize("seed", range(3))
def test_what_is_hoisted_has_the_same_bits(name, seed):
    plain = library()[name]
    kept = hoist(plain)
    states = {state.name: 0.1 * (k + 1) for k, state in enumerate(plain.states)}
    ours, theirs = start(kept, seed) | states, start(plain, seed) | states
    for _ in range(5):
        for which in ("current", "advance"):
            given, expected = (
                compute(m.program(which), values)
                for m, values in ((kept, ours), (plain, theirs))
            )  # fmt: skip
            assert given == expected
            ours |= given
            theirs |= expected


def test_exponentials_of_constants_leave_the_steps():
    for name in ("Exp2Syn", "ExpSyn", "AMPANMDA"):
        assert any(calls(step.value) for step in library()[name].advance.steps), name
        assert not any(calls(step.value) for step in hoist(library()[name]).advance.steps), name
    density = library()["hh"]
    assert hoist(density) is density


def calls(expr) -> bool:
    if isinstance(expr, Call):
        return True
    return isinstance(expr, Binary) and (calls(expr.left) or calls(expr.right))


def test_synapses_sleep_and_what_has_a_current_of_its_own_does_not():
    assert {name for name in POINTS if sleeps(library()[name])} >= {
        "AMPANMDA", "Exp2Syn", "ExpSyn", "GABA_A", "NMDA",
    }  # fmt: skip
    assert not sleeps(library()["epsp"])  # takes no events; its current follows the time
    assert not sleeps(library()["hh"])


@pytest.mark.parametrize("name", [n for n in POINTS if sleeps(library()[n])])
@pytest.mark.parametrize("seed", range(3))
def test_asleep_nothing_flows_and_nothing_changes(name, seed):
    mechanism = hoist(library()[name])
    values = start(mechanism, seed)
    assert all(values[state.name] == 0 for state in mechanism.states)
    for which in ("current", "advance"):
        assert all(value == 0 for value in compute(mechanism.program(which), values).values())


def test_only_what_is_certain_vanishes():
    zero = {"g"}
    g, v = Name("g"), Name("v")
    for expr, expected in (
        (Binary("*", v, g), True),
        (Binary("-", v, g), False),
        (Binary("/", g, v), True),
        (Binary("/", v, g), False),
        (Call("exp", (g,)), False),
        (Binary("+", g, Number(0.0)), True),
    ):
        assert vanishes(expr, zero) is expected, expr


def test_hoisted_programs_read_only_what_there_is():
    for name in POINTS:
        mechanism = hoist(library()[name])
        known = set(start(mechanism, 0))
        for which in ("initialize", "current", "advance"):
            assert inputs(mechanism.program(which)) <= known
