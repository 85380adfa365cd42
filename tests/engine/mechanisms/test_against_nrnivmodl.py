"""NEURON's own compiler as the oracle for whole files: ours and those of NEURON's demonstration."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.errors import MechanismError
from engine.mechanisms import emit_cuda, emit_numba, load_mechanism
from engine.mechanisms.model import Mechanism
from tests.engine.mechanisms.harness import Cell, bind_numba
from tests.engine.mechanisms.test_lowering import WINDING

IONS = {"ena": 50.0, "ek": -77.0, "ex": -20.0, "nai": 12.0, "cai": 5e-4, "cao": 2.0}
DEMO = ["cachan1", "camchan", "khhchan", "nachan"]
RUN = """
import json, sys
from neuron import h
name, ions, currents, states = json.loads(sys.argv[1])
h.celsius = 18.0
h.dt = 0.025
section = h.Section()
section.L, section.diam, section.cm = 10.0, 2.0, 1e7  # so heavy that the voltage hardly moves
section.insert(name)
if hasattr(h, "usetable_" + name):
    setattr(h, "usetable_" + name, 0)
segment = section(0.5)
for ion, value in ions.items():
    if hasattr(segment, ion):
        setattr(segment, ion, value)
rows = []
for v in [-95.0, -72.3, -61.0, -50.0, -45.0, -38.2, -30.0, -11.0, 4.0, 27.5]:
    h.finitialize(v)
    segment.v = v + 7.0
    for step in range(40):
        before = segment.v
        h.fadvance()
        rows.append(
            [before, segment.v, segment.area(), [getattr(segment, c) for c in currents],
             [getattr(segment, s) for s in states],
             {ion: getattr(segment, ion) for ion in ions if hasattr(segment, ion)}]
        )
print(json.dumps(rows))
"""


def demonstration() -> Path:
    import neuron

    return Path(neuron.__file__).parent / ".data" / "share" / "nrn" / "demo" / "release"


def test_every_file_of_neuron_loads_or_is_refused_by_line(h):
    loaded: list[str] = []
    refused: list[MechanismError] = []
    files = sorted(demonstration().parents[2].rglob("*.mod"))
    if not files:
        pytest.skip("this NEURON comes without .mod files")
    for path in files:
        try:
            mechanism = load_mechanism(path)
        except MechanismError as error:
            refused.append(error)
        else:
            compile(emit_numba(mechanism), path.name, "exec")
            assert emit_cuda(mechanism)
            loaded.append(path.stem)
    assert all(error.line is not None and error.fix for error in refused), refused
    assert {*DEMO, "hh", "passive", "capump"} <= {*loaded}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where NEURON has compiled the files."""
    compiler = Path(sys.executable).with_name("nrnivmodl")
    if not compiler.exists() or shutil.which("g++") is None:
        pytest.skip("nrnivmodl needs g++")
    folder = tmp_path_factory.mktemp("compiled")
    for path in (WINDING, *(demonstration() / f"{name}.mod" for name in DEMO)):
        text = path.read_text()
        if path == WINDING:
            text = text.replace("1e-6 * exprelr((v + 30) / 5)", "1e-6 * rel((v + 30) / 5)")
            text += "\nFUNCTION rel(x) { rel = 1 if (1 + x != 1) { rel = x / (exp(x) - 1) } }\n"
        (folder / path.name).write_text(text)
    done = subprocess.run([str(compiler), "."], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def _neuron(folder: Path, mechanism: Mechanism, currents: list[str], states: list[str]) -> list:
    arguments = json.dumps([mechanism.name, IONS, currents, states])
    command = [sys.executable, "-c", RUN, arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["winding", *DEMO])
def test_states_and_currents_equal_neurons(h, compiled, name):
    """From ten voltages, forty steps each with the voltages NEURON had."""
    mechanism = load_mechanism(WINDING if name == "winding" else demonstration() / f"{name}.mod")
    suffix = mechanism.name
    currents = [c for ion in mechanism.ions for c in ion.write]
    currents += [f"{c}_{suffix}" for c in mechanism.currents if c not in currents]
    states = [f"{state.name}_{suffix}" for state in mechanism.states]
    rows = _neuron(compiled, mechanism, currents, states)

    cell = Cell(mechanism, np.array([0]), 1)
    cell.scalars["celsius"] = 18.0
    for key in cell.arrays.keys() & IONS.keys():
        cell.arrays[key][:] = rows[0][5][key]  # NEURON derives ena from nai where both are read
    initialize, current, advance = (
        bind_numba(cell, w) for w in ("initialize", "current", "advance")
    )
    if "area" in cell.arrays:
        cell.arrays["area"][:] = rows[0][2]
    starts = [-95.0, -72.3, -61.0, -50.0, -45.0, -38.2, -30.0, -11.0, 4.0, 27.5]
    for k, (before, after, _, theirs, gates, _) in enumerate(rows):
        if k % 40 == 0:
            cell.arrays["voltage"][0] = starts[k // 40]
            initialize()
            current()  # finitialize ends with the currents
        cell.arrays["voltage"][0] = before
        for key in ("i_membrane", "g_membrane", *cell.mechanism.currents):
            if key in cell.arrays:
                cell.arrays[key][:] = 0.0
        current()
        size = sum(map(abs, theirs))
        assert cell.arrays["i_membrane"][0] == pytest.approx(sum(theirs), rel=0, abs=1e-11 * size)
        cell.arrays["voltage"][0] = after
        advance()
        for state, gate in zip(mechanism.states, gates, strict=True):
            assert cell.arrays[state.name][0] == pytest.approx(gate, rel=1e-11, abs=1e-300), (
                k,
                state,
            )
