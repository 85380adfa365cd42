"""Every channel of the library against the published formulas, written here once more in numpy.

``E(y, k) = y / (1 - exp(-y / k))`` and ``z(zeta, u) = exp(zeta F u / (R T))`` as the papers have
them; the files cite the papers.
"""

from collections.abc import Callable

import numpy as np
import pytest

from engine.mechanisms import library
from engine.units import FARADAY
from tests.engine.mechanisms.harness import Cell, run_reference

V = np.concatenate([np.linspace(-120, 60, 61), [-66.0, -38.0, -27.0, -17.0, -64.4, -154.9, -45.0]])
"""mV; the last ones are where a rate is 0/0, as printed, without its limit."""
CALCIUM = np.geomspace(2e-8, 0.1, len(V))
QT = 2.3**1.3
Gates = dict[str, tuple[np.ndarray, np.ndarray | float]]


def E(y, k):
    x = np.asarray(y / k)
    return k * np.where(x == 0, 1.0, x / -np.expm1(np.where(x == 0, 1.0, -x)))


def sigmoid(u, k):
    return 1 / (1 + np.exp(-u / k))


def by_rates(a, b, q=1.0):
    return a / (a + b), 1 / ((a + b) * q)


def sodium(v, shift_m=0.0, shift_h=0.0, slope_m=6.0, slope_h=6.0) -> Gates:
    u, w = v + 38 - shift_m, v + 66 - shift_h
    return {
        "m": by_rates(0.182 * E(u, slope_m), 0.124 * E(-u, slope_m), QT),
        "h": by_rates(0.015 * E(-w, slope_h), 0.015 * E(w, slope_h), QT),
    }


def persistent_sodium(v, **_) -> Gates:
    a, b = 0.182 * E(v + 38, 6), 0.124 * E(-(v + 38), 6)
    c, d = 2.88e-6 * E(-(v + 17), 4.63), 6.94e-6 * E(v + 64.4, 2.63)
    return {
        "m": (sigmoid(v + 52.6, 4.6), 6 / ((a + b) * QT)),
        "h": (sigmoid(-(v + 48.8), 10), 1 / ((c + d) * QT)),
    }


def transient_potassium(v, **_) -> Gates:
    u = v + 10
    return {
        "m": (sigmoid(u, 19), (0.34 + 0.92 * np.exp(-(((u + 71) / 59) ** 2))) / QT),
        "h": (sigmoid(-(u + 66), 10), (8 + 49 * np.exp(-(((u + 73) / 23) ** 2))) / QT),
    }


def persistent_potassium(v, **_) -> Gates:
    u = v + 10
    tau = 1.25 + np.where(u < -50, 175.03 * np.exp(0.026 * u), 13 * np.exp(-0.026 * u))
    slow = 360 + (1010 + 24 * (u + 55)) * np.exp(-(((u + 75) / 48) ** 2))
    return {"m": (sigmoid(u + 1, 12), tau / QT), "h": (sigmoid(-(u + 54), 11), slow / QT)}


def high_calcium(v, **_) -> Gates:
    a, b = 0.055 * E(v + 27, 3.8), 0.94 * np.exp(-(v + 75) / 17)
    c, d = 0.000457 * np.exp(-(v + 13) / 50), 0.0065 / (1 + np.exp(-(v + 15) / 28))
    return {"m": by_rates(a, b), "h": by_rates(c, d)}


def low_calcium(v, **_) -> Gates:
    u = v + 10
    return {
        "m": (sigmoid(u + 30, 6), (5 + 20 * sigmoid(-(u + 25), 5)) / QT),
        "h": (sigmoid(-(u + 80), 6.4), (20 + 50 * sigmoid(-(u + 40), 7)) / QT),
    }


def muscarinic(v, **_) -> Gates:
    return {"m": by_rates(0.0033 * np.exp(0.1 * (v + 35)), 0.0033 * np.exp(-0.1 * (v + 35)), QT)}


def hyperpolarized(v, **_) -> Gates:
    return {"m": by_rates(0.00643 * E(-(v + 154.9), 11.9), 0.193 * np.exp(v / 33.1))}


def calcium_potassium(v, cai, **_) -> Gates:
    c = np.where(cai < 1e-7, cai + 1e-7, cai)
    return {"z": (1 / (1 + (0.00043 / c) ** 4.8), 1.0)}


def z(zeta, u, T):
    return np.exp(zeta * 1e-3 * u * 96480 / (8.315 * (273.16 + T)))


def nax(v, T, sh=0.0, **_) -> Gates:
    q, u, w = 2 ** ((T - 24) / 10), v + 30 - sh, v + 45 - sh
    m, tau = by_rates(0.4 * E(u, 7.2), 0.124 * E(-u, 7.2), q)
    _, slow = by_rates(0.03 * E(w, 1.5), 0.01 * E(-w, 1.5), q)
    return {
        "m": (m, np.maximum(0.02, tau)),
        "h": (sigmoid(-(v + 50 - sh), 4), np.maximum(0.5, slow)),
    }


def na3(v, T, sh=0.0, ar=1.0) -> Gates:
    c, u = sigmoid(-(v + 58 - sh), 2), v + 60 - sh
    tau = z(2.4, u, T) / (0.0003 * (1 + z(12, u, T)))
    return {**nax(v, T, sh), "s": (c + ar * (1 - c), np.maximum(10, tau))}


def kdr(v, T) -> Gates:
    ratio = z(-3, v - 13, T)
    return {"n": (1 / (1 + ratio), np.maximum(2, z(-2.1, v - 13, T) / (0.02 * (1 + ratio))))}


def type_a(base, center, factor, rate, floor) -> Callable[..., Gates]:
    def gates(v, T):
        zeta = base - sigmoid(-(v + 40), 5)
        ratio = z(zeta, v - center, T)
        tau = z(factor * zeta, v - center, T) / (5 ** ((T - 24) / 10) * rate * (1 + ratio))
        return {
            "n": (1 / (1 + ratio), np.maximum(floor, tau)),
            "l": (1 / (1 + z(3, v + 56, T)), np.maximum(2, 0.26 * (v + 50))),
        }

    return gates


def hd(v, T, vhalf=-81.0) -> Gates:
    q = 4.5 ** ((T - 33) / 10)
    tau = np.exp(0.033264 * (v + 75)) / (q * 0.011 * (1 + np.exp(0.08316 * (v + 75))))
    return {"l": (sigmoid(-(v - vhalf), 8), tau)}


def kamt(v, T) -> Gates:
    q = 3 ** ((T - 24) / 10)
    tau = np.exp(0.075 * (v + 45)) / (q * 0.04 * (1 + np.exp(0.1 * (v + 45))))
    slow = np.exp(0.198 * (v + 70)) / (q * 0.018 * (1 + np.exp(0.2 * (v + 70))))
    return {"m": (sigmoid(v - 17.5, 14), tau), "h": (sigmoid(-(v + 41.7), 6), slow)}


def kdrmt(v, T) -> Gates:
    q = 3 ** ((T - 24) / 10)
    tau = np.exp(0.0275 * (v + 50)) / (q * 0.0035 * (1 + np.exp(0.055 * (v + 50))))
    return {"m": (sigmoid(v - 21, 10), tau)}


SHIFTED = {"vshift_m": 15.991, "vshift_h": 11.8779, "slope_m": 13.8112, "slope_h": 7.0}
CHANNELS: list[tuple[str, Callable[..., Gates], dict[str, int], str, dict[str, float]]] = [
    ("NaTa_t", lambda v, **_: sodium(v), {"m": 3, "h": 1}, "ena", {}),
    ("NaTg", lambda v, **_: sodium(v), {"m": 3, "h": 1}, "ena", {}),
    ("NaTg", lambda v, **p: sodium(v, 15.991, 11.8779, 13.8112, 7.0), {"m": 3, "h": 1}, "ena",
     SHIFTED),
    ("Nap_Et2", persistent_sodium, {"m": 3, "h": 1}, "ena", {}),
    ("K_Tst", transient_potassium, {"m": 4, "h": 1}, "ek", {}),
    ("K_Pst", persistent_potassium, {"m": 2, "h": 1}, "ek", {}),
    ("SKv3_1", lambda v, **_: {"m": (sigmoid(v - 18.7, 9.7), 4 * sigmoid(v + 46.56, 44.14))},
     {"m": 1}, "ek", {}),
    ("Im", muscarinic, {"m": 1}, "ek", {}),
    ("Ih", hyperpolarized, {"m": 1}, "eh", {}),
    ("SK_E2", calcium_potassium, {"z": 1}, "ek", {}),
    ("Ca_HVA", high_calcium, {"m": 2, "h": 1}, "eca", {}),
    ("Ca", high_calcium, {"m": 2, "h": 1}, "eca", {}),
    ("Ca_LVAst", low_calcium, {"m": 2, "h": 1}, "eca", {}),
    ("nax", nax, {"m": 3, "h": 1}, "ena", {}),
    ("nax", nax, {"m": 3, "h": 1}, "ena", {"sh": 10.0}),
    ("na3", na3, {"m": 3, "h": 1, "s": 1}, "ena", {}),
    ("na3", na3, {"m": 3, "h": 1, "s": 1}, "ena", {"sh": 24.0, "ar": 0.7}),
    ("kdr", kdr, {"n": 1}, "ek", {}),
    ("kap", type_a(-1.5, 11, 0.55, 0.05, 0.1), {"n": 1, "l": 1}, "ek", {}),
    ("kad", type_a(-1.8, -1, 0.39, 0.1, 0.2), {"n": 1, "l": 1}, "ek", {}),
    ("hd", hd, {"l": 1}, "eh", {}),
    ("hd", hd, {"l": 1}, "eh", {"vhalf": -73.0}),
    ("kamt", kamt, {"m": 1, "h": 1}, "ek", {}),
    ("kdrmt", kdrmt, {"m": 1}, "ek", {}),
]  # fmt: skip
REVERSAL = {"ena": 55.0, "ek": -90.0, "eca": 127.5, "eh": -37.0}
SLACK = 1e-12
"""Relative; ``exp(x) - 1`` in the files loses digits near x = 0, where the tests take ``expm1``."""


@pytest.mark.parametrize("celsius", [6.3, 34.0])
@pytest.mark.parametrize(
    ("name", "formula", "powers", "reversal", "given"),
    CHANNELS,
    ids=[f"{c[0]}{'-shifted' if c[4] else ''}" for c in CHANNELS],
)
def test_a_channel_follows_its_formulas(name, formula, powers, reversal, given, celsius):
    mechanism = library()[name]
    cell = Cell(mechanism, np.arange(len(V)), len(V))
    cell.scalars["celsius"] = celsius
    cell.arrays["voltage"] = V.copy()
    for parameter, value in {**given, "eh": REVERSAL["eh"]}.items():
        if parameter in cell.arrays:
            cell.arrays[parameter][:] = value
    for ion in ("ena", "ek", "eca"):
        if ion in cell.arrays:
            cell.arrays[ion][:] = REVERSAL[ion]
    context = {"T": celsius, "cai": CALCIUM}
    if "cai" in cell.arrays:
        cell.arrays["cai"][:] = CALCIUM
    wanted = formula.__code__.co_varnames[1 : formula.__code__.co_argcount]
    gates = formula(V, **{k: x for k, x in {**context, **given}.items() if k in wanted})
    assert set(gates) == {state.name for state in mechanism.states}

    cell = run_reference(cell, "initialize")
    for state, (steady, _) in gates.items():
        np.testing.assert_allclose(cell.arrays[state], steady, rtol=SLACK, atol=0)

    start = np.random.default_rng(3).uniform(0, 1, (len(gates), len(V)))
    for dt in (0.025, 5.0):  # one shows fast time constants, the other slow ones
        cell.scalars["dt"] = dt
        for values, state in zip(start, gates, strict=True):
            cell.arrays[state][:] = values
        after = run_reference(cell, "advance")
        for values, (state, (steady, tau)) in zip(start, gates.items(), strict=True):
            expected = values - np.expm1(-dt / tau) * (steady - values)
            # a step starts from up to 1, so that much of its rounding stays however small it ends
            np.testing.assert_allclose(after.arrays[state], expected, rtol=SLACK, atol=5e-16)

    conductance = cell.arrays["gbar"].copy()
    for values, state in zip(start, gates, strict=True):
        conductance *= values ** powers[state]
    after = run_reference(cell, "current")
    np.testing.assert_allclose(after.arrays["g_membrane"], conductance, rtol=1e-13)
    np.testing.assert_allclose(
        after.arrays["i_membrane"], conductance * (V - REVERSAL[reversal]), rtol=1e-13
    )


def test_every_channel_is_compared():
    compared = {name for name, *_ in CHANNELS} | {"hh", "pas"}  # those two with NEURON's own
    density = {name for name, m in library().items() if m.kind == "density" and m.states}
    assert density <= compared | {"CaDynamics_E2"}


def test_calcium_flows_in_and_decays():
    """Against dc/dt = −10⁴ I γ/(2 F d) − (c − c_rest)/τ, solved exactly over a step."""
    mechanism = library()["CaDynamics_E2"]
    current = np.linspace(-0.02, 0.004, len(V))
    cell = Cell(mechanism, np.arange(len(V)), len(V), scalars={"dt": 0.025})
    cell.arrays["ica"][:] = current
    cell.arrays["cai"][:] = CALCIUM
    rates = {"gamma": 0.0332027, "decay": 587.373, "depth": 0.2, "minCai": 2e-4}
    for name, value in rates.items():
        cell.arrays[name][:] = value
    for dt in (0.025, 50.0):
        cell.scalars["dt"] = dt
        after = run_reference(cell, "advance").arrays["cai"]
        steady = 2e-4 - 587.373 * 1e4 * current * 0.0332027 / (2 * FARADAY * 0.2)
        expected = CALCIUM - np.expm1(-dt / 587.373) * (steady - CALCIUM)
        np.testing.assert_allclose(after, expected, rtol=1e-12)


def difference(since, rise, fall):
    """Of two exponentials, with its peak at 1; 0 before the event."""
    peak = np.log(fall / rise) * rise * fall / (fall - rise)
    scale = 1 / (np.exp(-peak / fall) - np.exp(-peak / rise))
    return np.where(since < 0, 0, scale * (np.exp(-since / fall) - np.exp(-since / rise)))


def open_of_magnesium(v):
    return 1 / (1 + 0.28011 * np.exp(-0.0765685 * v))


SYNAPSES = {
    "ExpSyn": lambda s, v, w: w[0] * np.where(s < 0, 0, np.exp(-s / 0.1)),
    "Exp2Syn": lambda s, v, w: w[0] * difference(s, 0.1, 10),
    "GABA_A": lambda s, v, w: w[0] * difference(s, 0.25, 3.75),
    "NMDA": lambda s, v, w: w[0] * difference(s, 8.019, 34.9884) * open_of_magnesium(v),
    "AMPANMDA": lambda s, v, w: (
        w[0] * difference(s, 0.3, 1.8) + w[1] * difference(s, 8.019, 34.9884) * open_of_magnesium(v)
    ),
}


@pytest.mark.parametrize("name", SYNAPSES)
def test_the_conductance_of_a_synapse_follows_its_formula(name):
    """Two events add up; the exponential steps are exact, whatever dt is."""
    mechanism = library()[name]
    cell = Cell(mechanism, np.array([0]), 1)
    cell.scalars["dt"] = dt = 0.5
    weights = [0.00073, 0.00131][: len(mechanism.weights)]
    reversal = -60.0 if name == "GABA_A" else 0.0
    cell.arrays["weight"][: len(weights)] = weights
    cell = run_reference(cell, "initialize")
    for k in range(40):
        if k in (3, 11):
            cell = run_reference(cell, "receive")
        v = cell.arrays["voltage"][0] = -80.0 + 3 * k
        cell.arrays["i_membrane"][0] = 0.0
        since = np.array([(k - 3) * dt, (k - 11) * dt])
        conductance = SYNAPSES[name](since, v, weights).sum()
        cell = run_reference(cell, "current")
        current = cell.arrays["i_membrane"][0]
        assert current == pytest.approx(conductance * (v - reversal), rel=1e-11, abs=1e-18)
        cell = run_reference(cell, "advance")
    assert conductance > 0


def test_the_epsp_current_has_its_peak():
    cell = Cell(library()["epsp"], np.array([0]), 1)
    for name, value in {"onset": 295.0, "tau0": 0.5, "tau1": 5.0, "imax": 0.5}.items():
        cell.arrays[name][:] = value
    time = np.arange(290, 330, 0.25)
    current = []
    for t in time:
        cell.scalars["t"], cell.arrays["i_membrane"][0] = t, 0.0
        current.append(run_reference(cell, "current").arrays["i_membrane"][0])
    np.testing.assert_allclose(
        current, -0.5 * difference(time - 295, 0.5, 5.0), rtol=1e-12, atol=1e-15
    )
    peak = 295 + 0.5 * 5 * np.log(0.5 / 5) / (0.5 - 5)  # as the publication gives it
    assert time[np.argmin(current)] == pytest.approx(peak, abs=0.125)


def test_every_point_process_is_compared():
    points = {name for name, m in library().items() if m.kind == "point"}
    assert points == {*SYNAPSES, "epsp"}
