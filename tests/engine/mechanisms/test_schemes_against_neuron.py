"""KINETIC, LINEAR, derivimplicit, arrays, concentrations: NEURON compiles the same files."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.mechanisms import load_mechanism
from engine.mechanisms.recording import record
from tests.engine.mechanisms.harness import Cell, bind_numba
from tests.engine.mechanisms.test_solvers import FILES, FOLDER

RUN = """
import json, sys
from neuron import h
name, variables = json.loads(sys.argv[1])
h.celsius, h.dt = 18.0, 0.025
section = h.Section()
section.L, section.diam, section.cm = 10.0, 2.0, 1e7
section.insert(name)
segment = section(0.5)
own = getattr(segment, name)
ions = [ion for ion in ("ena", "cai", "cao", "ica", "eca") if hasattr(segment, ion)]

def read():
    found = {}
    for v in variables:
        base, _, k = v.partition("__")
        found[v] = getattr(own, base)[int(k)] if k else getattr(own, base)
    return found

rows = []
for v in [-95.0, -61.0, -50.0, -38.2, -11.0, 27.5]:
    h.finitialize(v)
    rows.append(["start", v, v, read(), {ion: getattr(segment, ion) for ion in ions}])
    segment.v = v + 12.0
    for step in range(30):
        before = segment.v
        h.fadvance()
        rows.append(["step", before, segment.v, read(),
                     {ion: getattr(segment, ion) for ion in ions}])
print(json.dumps(rows))
"""
KEPT = {
    "markov": ("popen", "into"),
    "shells": ("own_pump", "bound", "thick"),
    "implicit": ("root", "turns", "inf"),
    "pair": ("inf",),
    "explicit": ("inf",),
}
TOLERANCE = {"implicit": 1e-8, "shells": 1e-9}
"""Relative. Newton's method of NEURON stops at changes of 1e-6; where one turn is exact, 1e-11."""


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = Path(sys.executable).with_name("nrnivmodl")
    if not compiler.exists() or shutil.which("g++") is None:
        pytest.skip("nrnivmodl needs g++")
    folder = tmp_path_factory.mktemp("schemes")
    for name in FILES:
        shutil.copy(FOLDER / f"{name}.mod", folder)
    done = subprocess.run([str(compiler), "."], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_states_and_currents_equal_neurons(h, compiled, name):
    mechanism = record(load_mechanism(FOLDER / f"{name}.mod"), KEPT[name])
    states = [s.name for s in mechanism.states]
    command = [sys.executable, "-c", RUN, json.dumps([name, [*states, *KEPT[name]]])]
    done = subprocess.run(command, cwd=compiled, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout.splitlines()[-1])
    cell = Cell(mechanism, np.array([0]), 1)
    cell.scalars["celsius"] = 18.0
    kernels = {w: bind_numba(cell, w) for w in ("initialize", "current", "advance")}
    stored = {v.name: v.stored for v in mechanism.recordable}
    exact = TOLERANCE.get(name, 1e-11)
    for kind, before, after, theirs, ions in rows:
        for ion, value in ions.items():
            if ion in cell.arrays and (kind == "start" or ion not in mechanism.ion_sets):
                cell.arrays[ion][:] = value
        for key in ("i_membrane", "g_membrane", *mechanism.currents):
            if key in cell.arrays:
                cell.arrays[key][:] = 0.0
        cell.arrays["voltage"][0] = before
        if kind == "start":
            if "cai" in cell.arrays:
                cell.arrays["cai"][:] = 5e-5
            kernels["initialize"]()
        kernels["current"]()
        if "ica" in cell.arrays and "ica" in ions:
            assert cell.arrays["ica"][0] == pytest.approx(ions["ica"], rel=exact, abs=1e-15)
        cell.arrays["voltage"][0] = after
        if kind == "step":
            kernels["advance"]()
        if "cai" in mechanism.ion_sets:
            assert cell.arrays["cai"][0] == pytest.approx(ions["cai"], rel=exact)
        sizes = {key.partition("__")[0]: 0.0 for key in theirs}
        for key, value in theirs.items():
            sizes[key.partition("__")[0]] = max(sizes[key.partition("__")[0]], abs(value))
        for key, value in theirs.items():
            found = cell.arrays[stored.get(key, key)][0]
            scale = exact * sizes[key.partition("__")[0]]
            assert found == pytest.approx(value, rel=exact, abs=scale), (key, kind)
