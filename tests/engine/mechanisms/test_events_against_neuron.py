"""NET_RECEIVE, self-events, watches: NEURON compiles the same file and delivers the same events."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.mechanisms import load_mechanism
from engine.mechanisms.recording import record
from tests.engine.mechanisms.queue import queue_of
from tests.engine.mechanisms.test_points import PULSE

EVENTS = [(0.5, 0), (1.31, 1), (2.0, 0), (2.01, 0), (6.0, 1), (9.33, 0), (9.33, 1), (11.0, 0)]
WEIGHTS = [0.002, 0.0005]
RUN = """
import json, sys
from neuron import h
events, weights = json.loads(sys.argv[1])
h.dt = 0.025
section = h.Section()
section.L, section.diam, section.cm = 10.0, 2.0, 1e7
segment = section(0.5)
pulse = h.Pulse(segment)
pulse.high = -35
drive = h.Vector([1e-4])
h.setpointer(drive._ref_x[0], "drive", pulse)
segment.cai = 0.3
connections = [h.NetCon(None, pulse) for _ in weights]
for connection, weight in zip(connections, weights):
    connection.weight[0] = weight
out = h.NetCon(pulse, None)
spikes = h.Vector()
out.record(spikes)
h.finitialize(-65)
for t, k in events:
    connections[k].event(t)
rows = []
for step in range(480):
    if step % 40 == 0:
        segment.v = -65.0 + 5 * (step // 40 * 7 % 12)
    before = segment.v
    t = h.t
    h.fadvance()
    rows.append([t, before, segment.v, pulse.i, pulse.g, pulse.open, pulse.count, pulse.seen,
                 pulse.last, segment.area(), segment.ica])
print(json.dumps([rows, list(spikes), [[c.weight[j] for j in range(3)] for c in connections]]))
"""


@pytest.mark.slow
def test_a_synapse_with_every_kind_of_event(h, tmp_path: Path):
    compiler = Path(sys.executable).with_name("nrnivmodl")
    if not compiler.exists() or shutil.which("g++") is None:
        pytest.skip("nrnivmodl needs g++")
    shutil.copy(PULSE, tmp_path)
    subprocess.run([str(compiler), "."], cwd=tmp_path, check=True, capture_output=True)
    command = [sys.executable, "-c", RUN, json.dumps([EVENTS, WEIGHTS])]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows, spikes, weights = json.loads(done.stdout.splitlines()[-1])

    mechanism = record(load_mechanism(PULSE), ["open", "count", "seen", "last"])
    queue = queue_of(mechanism, [(0, [weight]) for weight in WEIGHTS])
    queue.cell.arrays["area"][:] = rows[0][9]
    queue.cell.arrays["cai"][:] = 0.3
    queue.cell.arrays["drive"][:] = 1e-4
    queue.cell.arrays["high"][:] = -35.0
    queue.cell.arrays["voltage"][:] = -65.0
    queue.start()
    for t, connection in EVENTS:
        queue.event(t, connection)
    for t, before, after, i, g, *counts, area, ica in rows:
        queue.step(t, 0.025, np.array([before]), np.array([after]))
        arrays = queue.cell.arrays
        total = arrays["i_membrane"][0]
        scale = abs(i) + abs(ica) * area / 100
        assert total == pytest.approx(i + ica * area / 100, rel=0, abs=1e-11 * scale)
        assert arrays["ica"][0] == pytest.approx(ica, rel=1e-11, abs=1e-300)
        assert arrays["g"][0] == pytest.approx(g, rel=1e-11, abs=1e-300)
        found = [arrays[name][0] for name in ("open", "count", "seen")]
        assert found == counts[:3], t
        assert arrays["last"][0] == pytest.approx(counts[3], abs=1e-12)
    assert len(spikes) == 2
    assert [t for _, t in queue.spikes] == pytest.approx(spikes, abs=1e-12)
    found = queue.cell.arrays["weight"][:6].reshape(2, 3)
    np.testing.assert_allclose(found, weights, rtol=1e-13)
    assert rows[-1][7] > 100  # the watches went both ways
