"""Every channel of the library, compiled by NEURON, in one compartment: ramps and steps.

The compartment has so much capacitance that the voltage stays where the script puts it; both
sides take the voltages NEURON had. The files have no rate tables.
"""

from pathlib import Path

import numpy as np
import pytest

from engine.mechanisms import library
from tests.engine.mechanisms.harness import Cell, bind_numba, run_reference
from tests.engine.neuron_library import neuron_name, run_script

RAMP = np.linspace(-120.0, 60.0, 181)  # meets every point where a rate is 0/0
LEVELS = np.array([-110.0, -85.3, -66.0, -57.1, -50.0, -41.7, -30.0, -12.9, 8.0, 44.6])
HOLD, STEPS = -78.0, 60
IONS = {"ena": 52.0, "ek": -88.0, "eca": 130.0, "cai": 3.3e-4}
GIVEN = {
    "NaTg": {"vshift_m": 15.991, "vshift_h": 11.8779, "slope_m": 13.8112, "slope_h": 7.0},
    "na3": {"sh": 5.0, "ar": 0.7},
    "nax": {"sh": 10.0},
    "hd": {"vhalf": -73.0},
}
"""Parameters whose default leaves a part of the formulas out."""
SCRIPT = """
def states_and_currents(section, about):
    segment = section(0.5)
    own = getattr(segment, about["neuron"])
    currents = [getattr(own if hasattr(own, c) else segment, c) for c in about["currents"]]
    return currents + [getattr(own, s) for s in about["states"]]

h.dt = 0.025
for name, about in given["mechanisms"].items():
    section = h.Section(name=name)
    section.L, section.diam, section.cm = 10.0, 2.0, 1e9
    section.insert(about["neuron"])
    segment = section(0.5)
    for parameter, value in about["parameters"].items():
        setattr(getattr(segment, about["neuron"]), parameter, value)
    for ion, value in given["ions"].items():
        if hasattr(segment, ion):
            setattr(segment, ion, value)
    paths = [given["ramp"]] + [[given["hold"]] + [x] * given["steps"] for x in given["levels"]]
    rows = []
    for h.celsius in given["celsius"]:
        for path in paths:
            h.finitialize(path[0])
            for v in path[1:]:
                segment.v = v
                before = segment.v
                h.fadvance()
                rows.append([before, segment.v, *states_and_currents(section, about)])
    result[name] = np.array(rows)
    del segment
    h.delete_section(sec=section)
"""
CELSIUS = [6.3, 34.0]
DENSITY = [
    name for name, m in library().items() if m.kind == "density" and m.states and len(m.currents)
]


@pytest.fixture(scope="module")
def responses(compiled_library: Path, tmp_path_factory):
    """Rows of voltage before, voltage after, currents before and states after every step."""
    mechanisms = {
        name: {
            "neuron": neuron_name(name),
            "parameters": GIVEN.get(name, {}),
            "currents": library()[name].currents,
            "states": [state.name for state in library()[name].states],
        }
        for name in DENSITY
    }
    given = {"celsius": CELSIUS, "mechanisms": mechanisms, "ions": IONS, "ramp": RAMP.tolist()}
    given |= {"levels": LEVELS.tolist(), "hold": HOLD, "steps": STEPS}
    out = tmp_path_factory.mktemp("neuron") / "responses.npz"
    return run_script(compiled_library, SCRIPT, given, out)


@pytest.mark.parametrize("name", DENSITY)
def test_ramps_and_steps_are_neurons(responses, name):
    mechanism, n = library()[name], 1 + len(LEVELS)
    cell = Cell(mechanism, np.arange(n), n)
    for key, value in {**IONS, **GIVEN.get(name, {})}.items():
        if key in cell.arrays:
            cell.arrays[key][:] = value
    for celsius, rows in zip(CELSIUS, np.split(responses[name], len(CELSIUS)), strict=True):
        cell.scalars["celsius"] = celsius
        follow(cell, rows)


def follow(cell: Cell, rows: np.ndarray) -> None:
    """Meet NEURON's voltages step by step: the ramp in the first compartment, steps in the rest."""
    mechanism = cell.mechanism
    n_current, n_ramp = len(mechanism.currents), len(RAMP) - 1
    ramp, steps = rows[:n_ramp], rows[n_ramp:].reshape(len(LEVELS), STEPS, -1)
    cell.arrays["voltage"][:] = [RAMP[0], *[HOLD] * len(LEVELS)]
    started = run_reference(cell, "initialize")  # once; compiling it would take longer
    for state in mechanism.states:
        cell.arrays[state.name][:] = started.arrays[state.name]
    current, advance = bind_numba(cell, "current"), bind_numba(cell, "advance")
    for k in range(n_ramp):
        live = slice(None) if k < STEPS else slice(1)  # the steps end before the ramp
        theirs = np.concatenate([ramp[k : k + 1], steps[:, min(k, STEPS - 1)]])
        cell.arrays["voltage"][:] = theirs[:, 0]
        for key in ("i_membrane", "g_membrane", *mechanism.currents):
            if key in cell.arrays:
                cell.arrays[key][:] = 0.0
        current()
        total = theirs[live, 2 : 2 + n_current].sum(axis=1)
        size = np.abs(theirs[live, 2 : 2 + n_current]).max()
        ours = cell.arrays["i_membrane"][live]
        np.testing.assert_allclose(ours, total, rtol=0, atol=1e-11 * size)
        cell.arrays["voltage"][:] = theirs[:, 1]
        advance()
        for state, gate in zip(mechanism.states, theirs[live, 2 + n_current :].T, strict=True):
            ours = cell.arrays[state.name][live]
            np.testing.assert_allclose(ours, gate, rtol=1e-11, err_msg=f"{state.name}, step {k}")


CALCIUM = """
h.dt, h.celsius = 0.025, 34.0
section = h.Section()
section.L, section.diam, section.cm = 10.0, 2.0, 1e9
section.insert("Ca_HVA")
section.insert("CaDynamics_E2")
segment = section(0.5)
segment.CaDynamics_E2.gamma, segment.CaDynamics_E2.decay = 0.0332027, 80.0
h.finitialize(-80)
rows = [[0.0, segment.cai, segment.eca]]
for v in given["ramp"]:
    segment.v = v
    h.fadvance()
    rows.append([segment.ica, segment.cai, segment.eca])
result["rows"] = np.array(rows)
"""


def test_calcium_in_the_shell_is_neurons(compiled_library, tmp_path):
    given = {"ramp": [*RAMP, *np.full(200, -10.0), *RAMP[::-1]]}
    rows = run_script(compiled_library, CALCIUM, given, tmp_path / "calcium.npz")["rows"]
    cell = Cell(library()["CaDynamics_E2"], np.array([0]), 1)
    cell.arrays["gamma"][:], cell.arrays["decay"][:] = 0.0332027, 80.0
    assert rows[0, 1] == 5e-5  # where it starts, though it decays to 1e-4
    cell.arrays["cai"][0] = rows[0, 1]
    advance = bind_numba(cell, "advance")
    for current, concentration, _ in rows[1:]:
        cell.arrays["ica"][0] = current
        advance()
        assert cell.arrays["cai"][0] == pytest.approx(concentration, rel=1e-11)
    assert rows[:, 1].max() > 10 * rows[0, 1]


POINTS = {
    "ExpSyn": {"tau": 2.0, "e": -10.0},
    "Exp2Syn": {"tau1": 3.0, "tau2": 2.0},  # decays faster than it rises
    "GABA_A": {},
    "NMDA": {"e": 5.0},
    "AMPANMDA": {},
    "epsp": {"onset": 2.0, "tau0": 0.5, "tau1": 5.0, "imax": 0.5},
}
EVENTS = [1.01, 4.52, 4.53, 9.006]
EVENT_SCRIPT = """
h.dt, h.celsius = 0.025, 34.0
for name, about in given["points"].items():
    section = h.Section(name=name)
    section.L, section.diam, section.cm = 10.0, 2.0, 1e9
    segment = section(0.5)
    point = getattr(h, about["neuron"])(segment)
    for parameter, value in about["parameters"].items():
        setattr(point, parameter, value)
    if about["weights"]:
        connection = h.NetCon(None, point)
        for k, weight in enumerate(about["weights"]):
            connection.weight[k] = weight
    h.finitialize(-80)
    for t in given["events"] if about["weights"] else []:
        connection.event(t)
    rows = []
    for k in range(600):
        segment.v = -80.0 + 0.2 * k
        before, t = segment.v, h.t
        h.fadvance()
        rows.append([t, before, point.i, *(getattr(point, s) for s in about["states"])])
    result[name] = np.array(rows)
    connection = point = None
"""


def test_events_of_every_point_process_are_neurons(compiled_library, tmp_path):
    """In the first and in the second half of a step, two near each other, at given voltages."""
    points = {}
    for name, parameters in POINTS.items():
        mechanism = library()[name]
        points[name] = {
            "neuron": neuron_name(name),
            "parameters": parameters,
            "weights": [0.0007, 0.0013][: len(mechanism.weights)],
            "states": [state.name for state in mechanism.states],
        }
    given = {"points": points, "events": EVENTS}
    rows = run_script(compiled_library, EVENT_SCRIPT, given, tmp_path / "events.npz")
    for name, about in points.items():
        mechanism = library()[name]
        cell = Cell(mechanism, np.array([0]), 1)
        for parameter, value in about["parameters"].items():
            cell.arrays[parameter][:] = value
        cell.arrays |= run_reference(cell, "initialize").arrays
        if about["weights"]:
            cell.arrays["weight"][: len(about["weights"])] = about["weights"]
        follow_events(cell, rows[name], EVENTS if about["weights"] else [])
        assert np.abs(rows[name][:, 2]).max() > 1e-4


def follow_events(cell: Cell, rows: np.ndarray, events: list[float]) -> None:
    """Meet NEURON's current before and states after every step."""
    states, waiting = [state.name for state in cell.mechanism.states], list(events)

    def deliver(until: float) -> None:
        while waiting and waiting[0] <= until:
            waiting.pop(0)
            received = run_reference(cell, "receive")
            for state in states:
                cell.arrays[state][:] = received.arrays[state]

    advance = bind_numba(cell, "advance")
    for t, v, theirs, *values in rows:
        deliver(t + 0.0125)
        cell.arrays["voltage"][0], cell.arrays["i_membrane"][0] = v, 0.0
        cell.scalars["t"] = t + 0.0125
        bind_numba(cell, "current")()
        # NEURON's 1 - exp(-dt / tau) loses four digits where tau is long, ours none, and a current
        # is the difference of two such states
        assert cell.arrays["i_membrane"][0] == pytest.approx(theirs, rel=1e-10, abs=1e-18)
        advance()
        deliver(t + 0.025)
        found = [cell.arrays[state][0] for state in states]
        assert found == pytest.approx(values, rel=1e-11, abs=1e-300)
