"""Our hh and pas against NEURON's built-in ones in a single compartment, rate tables off."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.mechanisms import library
from engine.mechanisms.loading import LIBRARY
from tests.engine.mechanisms.harness import Cell, bind_numba, run_numba

RATES = 1e-12
"""Relative; both codes round every operation, and exp(x) - 1 loses digits near its zero."""


@pytest.fixture
def patch(h):
    """One compartment of 20 µm by 20 µm."""
    section = h.Section(name="patch")
    section.L = section.diam = 20
    section.nseg = 1
    h.celsius = 6.3
    h.dt = 0.025
    h.CVode().active(0)
    h.secondorder = 0
    return section


def _ours(name: str, voltages: np.ndarray, celsius: float = 6.3) -> Cell:
    n = len(voltages)
    cell = Cell(library()[name], np.arange(n), n)
    cell.scalars["celsius"] = celsius
    cell.arrays["voltage"] = voltages.copy()
    for key, value in {"ena": 50.0, "ek": -77.0}.items():
        if key in cell.arrays:
            cell.arrays[key][:] = value
    return cell


@pytest.mark.parametrize("celsius", [6.3, 16.0])
def test_hh_steady_states_and_currents_over_a_ramp(h, patch, celsius):
    patch.insert("hh")
    h.usetable_hh = 0
    h.celsius = celsius
    ramp = np.concatenate(
        [np.linspace(-120, 80, 401), [-40.0, -55.0]]
    )  # with both points where vtrap is a limit
    cell = run_numba(run_numba(_ours("hh", ramp, celsius), "initialize"), "current")
    for i, v in enumerate(ramp):
        h.finitialize(v)
        h.fcurrent()
        segment = patch(0.5)
        for state in "mhn":
            assert cell.arrays[state][i] == pytest.approx(
                getattr(segment.hh, state), rel=RATES, abs=0
            )
        for current in ("ina", "ik"):
            assert cell.arrays[current][i] == pytest.approx(
                getattr(segment, current), rel=RATES, abs=1e-18
            )
        total = segment.ina + segment.ik + segment.hh.il
        size = abs(segment.ina) + abs(segment.ik) + abs(segment.hh.il)
        assert cell.arrays["i_membrane"][i] == pytest.approx(total, rel=0, abs=RATES * size)
        conductance = segment.hh.gna + segment.hh.gk + segment.hh.gl
        assert cell.arrays["g_membrane"][i] == pytest.approx(conductance, rel=RATES)


@pytest.mark.parametrize("celsius", [6.3, 16.0])
def test_hh_gates_follow_neuron_through_a_spike(h, patch, celsius):
    """NEURON's voltages step by step, our gates: one run of 800 steps without correction."""
    patch.insert("hh")
    h.usetable_hh = 0
    h.celsius = celsius
    clamp = h.IClamp(patch(0.5))
    clamp.delay, clamp.dur, clamp.amp = 1.0, 5.0, 0.5
    h.finitialize(-65)
    cell = run_numba(_ours("hh", np.array([-65.0]), celsius), "initialize")
    advance = bind_numba(cell, "advance")
    highest = -65.0
    for _ in range(800):
        h.fadvance()
        segment = patch(0.5)
        highest = max(highest, segment.v)
        cell.arrays["voltage"][0] = segment.v
        advance()
        for state in "mhn":
            # a step's error decays with the gate, so it stays near that of one step
            assert cell.arrays[state][0] == pytest.approx(getattr(segment.hh, state), rel=1e-11)
    assert highest > 20  # it did spike


def test_hh_voltage_step(h, patch):
    """From rest to many voltages at once: one gate step against NEURON's."""
    patch.insert("hh")
    h.usetable_hh = 0
    targets = np.linspace(-110, 60, 86)
    cell = run_numba(_ours("hh", np.full(86, -65.0)), "initialize")
    after = []
    for v in targets:
        h.finitialize(-65)
        patch(0.5).v = v
        patch(0.5).cm = 1e6  # the voltage hardly moves; the gates see the one NEURON reports
        h.fadvance()
        segment = patch(0.5)
        after.append([segment.v, segment.hh.m, segment.hh.h, segment.hh.n])
    voltage, m, hh, n = np.array(after).T
    cell.arrays["voltage"] = voltage.copy()
    cell = run_numba(cell, "advance")
    for state, expected in (("m", m), ("h", hh), ("n", n)):
        np.testing.assert_allclose(cell.arrays[state], expected, rtol=1e-12)


def test_pas_current(h, patch):
    patch.insert("pas")
    ramp = np.linspace(-120, 80, 101)
    cell = run_numba(_ours("pas", ramp), "current")
    for i, v in enumerate(ramp):
        h.finitialize(v)
        h.fcurrent()
        assert cell.arrays["i_membrane"][i] == pytest.approx(patch(0.5).pas.i, rel=1e-15, abs=1e-18)
    np.testing.assert_array_equal(cell.arrays["g_membrane"], 0.001)


@pytest.mark.parametrize("name", ["pas", "hh"])
def test_names_and_defaults_are_neurons(h, patch, name):
    patch.insert(name)
    theirs = getattr(patch(0.5), name)
    for parameter in library()[name].parameters:
        assert parameter.per_node
        assert getattr(theirs, parameter.name) == pytest.approx(parameter.default, rel=1e-15)


_COMPARE = """
import json, sys
from neuron import h
h.usetable_hh = 0
section = h.Section(); section.L = section.diam = 20
traces = []
for name in ("hh", "ourhh"):
    section.insert(name)
    clamp = h.IClamp(section(0.5)); clamp.delay, clamp.dur, clamp.amp = 1, 5, 0.5
    h.celsius = 6.3
    h.finitialize(-65)
    trace = []
    while h.t < 20:
        h.fadvance(); trace.append(section(0.5).v)
    traces.append(trace)
    section.uninsert(name)
print(json.dumps(traces))
"""


@pytest.mark.slow
def test_neurons_compiler_reads_our_hh(h, tmp_path: Path):
    """Our file is NMODL as NEURON understands it: by nrnivmodl it gives the built-in's spikes."""
    compiler = Path(sys.executable).with_name("nrnivmodl")
    if not compiler.exists() or shutil.which("g++") is None:
        pytest.skip("nrnivmodl needs g++")
    text = (LIBRARY / "hh.mod").read_text().replace("SUFFIX hh", "SUFFIX ourhh")
    (tmp_path / "ourhh.mod").write_text(text)
    subprocess.run([str(compiler), "."], cwd=tmp_path, check=True, capture_output=True)
    command = [sys.executable, "-c", _COMPARE]
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    built_in, ours = np.array(json.loads(done.stdout.splitlines()[-1]))
    assert built_in.max() > 20
    np.testing.assert_allclose(ours, built_in, rtol=0, atol=1e-8)
