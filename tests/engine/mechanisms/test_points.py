"""Point processes: currents in nA, NET_RECEIVE, what is left for the event queue."""

from pathlib import Path

import numpy as np
import pytest

from engine.errors import UserError
from engine.mechanisms import Mechanism, arguments, load_mechanism, parse
from engine.mechanisms.model import Send, Watch
from engine.mechanisms.recording import record
from tests.engine.mechanisms.harness import Cell, run_numba, run_reference, run_shim, shim_library

PULSE = Path(__file__).with_name("pulse.mod")


def neurons(name: str) -> Mechanism:
    """A mechanism from the text that comes with NEURON."""
    neuron = pytest.importorskip("neuron")
    folder = Path(neuron.__file__).parent / ".data" / "share" / "modfile"
    if not folder.is_dir():
        pytest.skip("this NEURON comes without .mod files")
    return load_mechanism(folder / f"{name}.mod")


def test_expsyn_and_exp2syn_of_neuron():
    expsyn, exp2syn = neurons("expsyn"), neurons("exp2syn")
    assert (expsyn.kind, expsyn.weights, expsyn.analytic) == ("point", ("weight",), True)
    assert {v.name for v in exp2syn.assigned} == {"factor", "tau1_now"}
    cell = Cell(exp2syn, np.array([1, 1, 2]), 4)
    cell.arrays["tau1"][:] = [0.3, 2.0, 50.0]
    cell.arrays["tau2"][:] = [1.8, 7.0, 9.0]  # the last rises slower than it decays
    cell.arrays["voltage"][:] = -70.0
    cell.arrays["weight"][2] = 0.01
    cell = run_numba(cell, "initialize")
    assert cell.arrays["tau1_now"].tolist() == [0.3, 2.0, 0.9999 * 9.0]
    cell.event = {"point": 1, "instance": 0, "slot": 2}
    cell = run_numba(cell, "receive")
    factor = cell.arrays["factor"][1]
    np.testing.assert_array_equal(cell.arrays["A"], [0, 0.01 * factor, 0])
    peak = 0.0
    for _ in range(2000):
        cell = run_reference(cell, "advance")
        peak = max(peak, cell.arrays["B"][1] - cell.arrays["A"][1])
    assert peak == pytest.approx(0.01, rel=1e-4)  # an event of weight w peaks at w


def test_points_on_one_node_add_up(tmp_path):
    cell = Cell(neurons("expsyn"), np.array([1, 1, 1, 3]), 4, 2)
    cell.arrays["g"][:] = np.arange(8) + 1.0
    cell.arrays["voltage"][:] = -10.0
    cell.arrays["i_membrane"][:] = 0.5
    assert cell.first == -1
    library = shim_library(cell.mechanism, tmp_path)
    for found in (run_numba(cell, "current"), *_shims(library, cell, "current")):
        conductance = np.array([0, 0, 1 + 3 + 5, 2 + 4 + 6, 0, 0, 7, 8.0])
        np.testing.assert_array_equal(found.arrays["g_membrane"], conductance)
        np.testing.assert_array_equal(found.arrays["i_membrane"], 0.5 - 10 * conductance)
    cell = Cell(cell.mechanism, cell.node, 4)
    cell.arrays["g"][:] = [1, 2, 4, 8]
    found = run_numba(cell, "current").arrays["g_membrane"]
    np.testing.assert_array_equal(found, [0, 7, 0, 8])


def _shims(library, cell, which):
    return [run_shim(library, cell, which, *grid) for grid in ((1, 1), (2, 3))]


def pulse_cell(n_instance: int = 2) -> Cell:
    mechanism = record(load_mechanism(PULSE), ["count", "last", "ica"])
    assert [v.name for v in mechanism.assigned] == ["open", "count", "last", "own_ica"]
    cell = Cell(mechanism, np.array([0, 2, 2]), 3, n_instance)
    random = np.random.default_rng(1)
    cell.arrays["voltage"][:] = random.uniform(-80, 0, 3 * n_instance)
    cell.arrays["cai"][:] = 0.3
    cell.arrays["drive"][:] = [0.0, 1e-4, 2e-4]
    cell.arrays["weight"][:] = [0, 0, 0.002, 0.7, -4.0, 0, 0, 0]
    cell.scalars["t"] = 3.0
    return cell


def test_what_a_file_with_events_offers():
    mechanism = load_mechanism(PULSE)
    assert mechanism.weights == ("w", "left", "previous")
    assert mechanism.parameter("drive").per_node  # the POINTER, 0 unless it is set
    assert [(s.where, s.kind) for s in mechanism.sends] == [
        ("initialize", "send"),
        ("initialize", "send"),
        ("receive", "send"),
        ("receive", "move"),
        ("receive", "event"),
    ]
    assert isinstance(mechanism.sends[0], Send)
    assert mechanism.watches[0] == Watch("watch__1__flag", "watch__1__value")
    assert len(mechanism.watches) == 3
    assert mechanism.event_kernels == ("receive", "connect", "watch")
    kinds = [a.kind for a in arguments(mechanism, "receive")]
    assert kinds[:6] == ["count"] * 4 + ["node", "voltage"]
    assert "weight" in kinds


@pytest.mark.parametrize("n_instance", [1, 2])
def test_kernels_of_events_three_ways(tmp_path, n_instance):
    cell = pulse_cell(n_instance)
    library = shim_library(cell.mechanism, tmp_path)
    steps = ["initialize", "connect", "watch", "current", "advance"]
    for which, flag in [(step, 0) for step in steps] + [("receive", f) for f in range(6)] * 2:
        cell.scalars["flag"] = float(flag)
        cell.event = {"point": 1, "instance": n_instance - 1, "slot": 2}
        expected = run_reference(cell, which)
        for found in (run_numba(cell, which), run_shim(library, cell, which)):
            for key in expected.arrays:
                digits = 1e-9 if key == "g_membrane" else 1e-13
                np.testing.assert_allclose(
                    found.arrays[key], expected.arrays[key], rtol=digits, err_msg=f"{which} {key}"
                )
        cell = expected


def test_what_is_left_for_the_queue():
    cell = run_numba(pulse_cell(1), "initialize")
    sends = cell.mechanism.sends
    times = [cell.arrays[send.time].tolist() for send in sends]
    assert times[:2] == [[3.0] * 3, [10.5] * 3]  # t + delay
    assert cell.arrays[sends[1].flag].tolist() == [4.0] * 3
    cell.event = {"point": 1, "instance": 0, "slot": 2}

    def receive(flag: float) -> dict[str, float]:
        nonlocal cell
        cell.scalars["flag"] = float(flag)
        cell = run_numba(cell, "receive")
        slots = [name for s in sends if s.where == "receive" for name in (s.time, s.flag)]
        slots += [w.flag for w in cell.mechanism.watches]
        return {s: cell.arrays[s][1] for s in slots if not np.isnan(cell.arrays[s][1])}

    opened = receive(0.0)
    assert (opened[sends[2].time], opened[sends[2].flag]) == (5.0, 1.0)
    assert not {sends[3].time, sends[4].time} & opened.keys()
    assert receive(0.0)[sends[3].time] == 5.0
    assert sends[2].time not in receive(0.0)
    assert receive(1.0)[sends[4].time] == 3.0
    assert receive(2.0)["watch__1__flag"] == 3.0
    assert "watch__1__flag" not in receive(3.0)
    assert cell.arrays["count"].tolist() == [0, 3, 0]


def test_a_connection_starts_from_its_initial_block():
    cell = pulse_cell(1)
    cell.event["slot"] = 2
    found = run_numba(cell, "connect").arrays["weight"]
    np.testing.assert_array_equal(found, [0, 0, 0.002, 1.0, 3.0 - 10, 0, 0, 0])


def test_an_ion_current_of_a_point_is_a_density():
    cell = pulse_cell(1)
    cell.arrays["g"][:] = 0.001
    found = run_numba(cell, "current").arrays["ica"]
    v = cell.arrays["voltage"]
    one = 0.25 * 0.001 * (v - 100) * 0.3 / 1.3 * (100 / 100.0)  # area of the harness: 100 um2
    np.testing.assert_allclose(found, [one[0], 0, 2 * one[2]], rtol=1e-14)
    own = run_numba(cell, "current").arrays["own_ica"]
    np.testing.assert_allclose(own, one[[0, 2, 2]], rtol=1e-14)


def test_only_what_is_asked_for_is_stored():
    mechanism = load_mechanism(PULSE)
    assert [v.name for v in mechanism.assigned] == ["open"]
    assert "count" not in str(mechanism.receive.stores)
    with pytest.raises(UserError, match="no variable 'cuont'; did you mean 'count'"):
        record(mechanism, ["cuont"])


def test_an_electrode_flows_inward():
    text = """
    NEURON { POINT_PROCESS Clamp ELECTRODE_CURRENT i RANGE r, to }
    PARAMETER { r = 2 to = -40 }
    ASSIGNED { v i }
    BREAKPOINT { if (at_time(3)) { i = 0 } i = (to - v) / r }
    """
    cell = Cell(parse(text, "clamp.mod"), np.array([0]), 1)
    cell.arrays["voltage"][:] = -60.0
    found = run_numba(cell, "current").arrays
    assert (found["i_membrane"][0], found["g_membrane"][0]) == (-10.0, 0.5)


NMDA = """
NEURON { POINT_PROCESS Block NONSPECIFIC_CURRENT i RANGE e }
PARAMETER { e = 0 }
ASSIGNED { v i }
STATE { g }
BREAKPOINT { i = g * block(v) * (v - e) }
FUNCTION block(v) { block = 1 / (1 + 0.28 * exp(-0.062 * v)) }
"""
GHK = """
NEURON { SUFFIX ghk USEION ca READ cai, cao WRITE ica }
UNITS { F = (faraday) (coulomb)  R = (k-mole) (joule/degC) }
ASSIGNED { v cai cao ica celsius }
BREAKPOINT { LOCAL u
    u = 2e-3 * v * F / (R * (celsius + 273.15))
    ica = 1e-4 * 2e-3 * F * (cai * efun(-u) - cao * efun(u))
}
FUNCTION efun(z) { if (fabs(z) < 1e-4) { efun = 1 - z / 2 } else { efun = z / (exp(z) - 1) } }
"""


@pytest.mark.parametrize("text", [NMDA, GHK])
def test_a_curved_current_has_neurons_difference_for_its_slope(text):
    mechanism = parse(text, "curved.mod")
    assert not mechanism.analytic
    voltages = np.array([-70.0, -20.0, 0.0, 30.0])
    cell = Cell(mechanism, np.arange(4), 4)
    cell.scalars["celsius"] = 20.0
    for key, value in {"g": 2e-3, "cai": 1e-4, "cao": 2.0}.items():
        if key in cell.arrays:
            cell.arrays[key][:] = value
    currents = []
    for shift in (0.0, 0.001):
        cell.arrays["voltage"] = voltages + shift
        currents.append(run_reference(cell, "current").arrays["i_membrane"])
    cell.arrays["voltage"] = voltages
    found = run_numba(cell, "current").arrays["g_membrane"]
    difference = (currents[1] - currents[0]) / 0.001
    scale = np.abs(currents[0]).max() / 0.001  # what the difference divides its rounding by
    np.testing.assert_allclose(found, difference, rtol=0, atol=1e-14 * scale)


def test_a_clamp_that_switches_has_an_exact_conductance():
    """NEURON's SEClamp: linear in the voltage while it is on, and while it is off."""
    clamp = neurons("svclmp")
    assert clamp.analytic
    cell = Cell(clamp, np.array([0, 1]), 2)
    for key, value in {"dur1": 1.0, "amp1": -40.0, "dur2": 2.0, "amp2": 10.0, "rs": 0.5}.items():
        cell.arrays[key][:] = value
    cell.arrays["voltage"][:] = -65.0
    expected = {0.5: (-50.0, 2.0), 1.5: (-150.0, 2.0), 9.0: (0.0, 0.0)}
    for t, (current, conductance) in expected.items():
        cell.scalars["t"] = t
        found = run_numba(run_numba(cell, "initialize"), "current").arrays
        assert found["i_membrane"][0] == pytest.approx(current, rel=1e-14)
        assert found["g_membrane"][0] == pytest.approx(conductance, rel=1e-14)
