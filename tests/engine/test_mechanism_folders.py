"""Folders of .mod files: which are ready, why others are not; events of every kind in a run."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.backends.cpu import CpuRun
from engine.discretize import Rule
from engine.errors import FileError, MechanismError, UserError
from engine.experiment import Experiment, Insertion, Probe
from engine.mechanism_folders import known_mechanisms, read_folder
from engine.mechanisms import library
from engine.model import build
from engine.recording import collect
from engine.simulation import simulate
from engine.stimuli import CurrentClamp, Site
from engine.synapses import SpikeTrain, Synapse
from tests.engine.cells_on_disk import FORKED, write
from tests.engine.neuron_library import compiled, run_script

PULSE = Path(__file__).parent / "mechanisms" / "pulse.mod"
SOMA, TUFT = Site("soma[0]"), Site("apic[1]", 0.9)
LEAK = (("g", 5e-5), ("e", -65.0))
MEMBRANE = Insertion("hh", "soma"), Insertion("pas", "dendrite", LEAK)
FIRST = SpikeTrain((0.5, 2.0, 2.01, 9.33, 11.0))
SECOND = SpikeTrain((1.31, 6.0, 9.33))
SYNAPSES = (
    Synapse(TUFT, "Pulse", (("high", -55.0), ("drive", 1e-4)), (0.002,), FIRST),
    Synapse(SOMA, "Pulse", (("high", -30.0), ("drive", 1e-4)), (0.0005,), SECOND),
)
NAMES = ("g", "open", "count", "seen", "last")
RUN = """
class Cell:
    pass
reader = h.Import3d_SWC_read()
reader.input(given["path"])
cell = Cell()
h.Import3d_GUI(reader, 0).instantiate(cell)
sections = {s.name().rpartition(".")[2]: s for s in cell.all}
for name, section in sections.items():
    section.nseg, section.Ra, section.cm = 3, 150, 1
    if name.startswith("soma"):
        section.insert("hh")
    elif name.startswith(("dend", "apic")):
        section.insert("pas")
        section.g_pas, section.e_pas = 5e-5, -65
h.usetable_hh = 0
drive, points, connections = h.Vector([1e-4]), [], []
for section, x, high, weight, times in given["synapses"]:
    point = h.Pulse(sections[section](x))
    point.high = high
    h.setpointer(drive._ref_x[0], "drive", point)
    connection = h.NetCon(None, point)
    connection.weight[0] = weight
    points.append(point)
    connections.append(connection)
clamp = h.IClamp(sections["soma[0]"](0.5))
clamp.delay, clamp.dur, clamp.amp = 4, 10, 1.0
h.dt, h.steps_per_ms, h.celsius = 0.025, 40, 6.3
for section in sections.values():
    if hasattr(section(0.5), "cai"):
        section.cai = 0.3
kept = [h.Vector().record(sections[s](x)._ref_v) for s, x, *_ in given["synapses"]]
for point in points:
    kept += [h.Vector().record(getattr(point, "_ref_" + name)) for name in given["names"]]
h.finitialize(-65)
for connection, (*_, times) in zip(connections, given["synapses"]):
    for time in times:
        connection.event(time)
while h.t < 30 - 0.0125:
    h.fadvance()
result["values"] = np.array([x.as_numpy() for x in kept])
"""
BROKEN = "NEURON { SUFFIX broken }\nVERBATIM\nint x;\nENDVERBATIM\n"
CONSTANT = """
NEURON { POINT_PROCESS Chain RANGE n NONSPECIFIC_CURRENT i }
PARAMETER { fan = 2 }
ASSIGNED { n i (nanoamp) v (millivolt) }
INITIAL { n = 0 net_send(0.1, 1) }
BREAKPOINT { i = 0 * v }
NET_RECEIVE(w) {
    n = n + 1
    if (n < 3000) {
        net_send(0.5, 1)
        net_send(0.7, 1)
    }
}
"""


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "mod"
    place.mkdir()
    shutil.copy(PULSE, place)
    return place


@pytest.fixture
def base(tmp_path, folder):
    return Experiment(
        str(write(tmp_path, FORKED)),
        rule=Rule("fixed", 3),
        insertions=MEMBRANE,
        stimuli=(CurrentClamp(SOMA, 4.0, 10.0, 1.0),),
        synapses=SYNAPSES,
        reversals=(("cai", 0.3),),
        probes=(
            Probe(TUFT),
            Probe(SOMA),
            *(Probe(site, f"{name}_Pulse") for site in (TUFT, SOMA) for name in NAMES),
        ),
        duration=30.0,
        mechanism_folders=(str(folder),),
    )


def run(experiment, **options):
    model = build(experiment, **options)
    return collect(model, simulate(model))


@pytest.mark.slow
def test_events_of_every_kind_are_neurons(base, tmp_path):
    """Self-events, moved ones, watches, depression per connection: on a cell that spikes."""
    synapses = [
        (s.site.section, s.site.x, dict(s.parameters)["high"], s.weights[0], s.source.times)
        for s in base.synapses
    ]
    given = {"path": base.morphology, "synapses": synapses, "names": NAMES}
    folder = compiled({"pulse": PULSE.read_text()})
    expected = run_script(folder, RUN, given, tmp_path / "out.npz")["values"]
    recording = run(base)
    assert len(recording.spikes) > 0
    np.testing.assert_allclose(recording.values[:2, 0], expected[:2], rtol=0, atol=1e-8)
    np.testing.assert_allclose(recording.values[2:, 0], expected[2:], rtol=0, atol=1e-9)
    seen = expected[2 + NAMES.index("seen") :: len(NAMES)]
    assert (seen[:, -1] > 100).any()  # a watch went both ways


@pytest.mark.slow
def test_events_do_not_depend_on_instances_or_chunks(base):
    short = replace(base, duration=15.0)
    one, many = run(short), run(short, n_instance=9)
    for k in range(9):
        np.testing.assert_array_equal(many.values[:, k], one.values[:, 0])
    model = build(short)
    cut = collect(model, simulate(model, chunks_per_second=1e9))
    np.testing.assert_array_equal(cut.values, one.values)
    started = CpuRun(model)
    for _ in range(2):  # weights, watches and events start anew
        started.initialize()
        np.testing.assert_array_equal(started.advance(600).traces, one.values[:, :, 1:])


def test_the_queue_grows_and_does_not_change_numbers(base, folder):
    """Every event sends two more, until 3,000 have come: far beyond the room at the start."""
    (folder / "chain.mod").write_text(CONSTANT)
    chain = replace(
        base,
        synapses=(Synapse(TUFT, "Chain"),),
        reversals=(),
        stimuli=(),
        probes=(Probe(TUFT, "n_Chain"),),
        duration=10.0,
    )
    model = build(chain)
    started = CpuRun(model)
    started.initialize()
    first = len(started._arrays["Chain__event__queue_time"])
    counts = started.advance(400).traces[0, 0]
    assert len(started._arrays["Chain__event__queue_time"]) > first
    # by hand: events at 0.1, then two children of each, 0.5 and 0.7 ms later
    pending, n, expected = [0.1], 0, []
    for step in range(400):
        while pending and min(pending) <= step * 0.025 + 0.0125 + 1e-9:
            at = min(pending)
            pending.remove(at)
            n += 1
            if n < 3000:
                pending += [at + 0.5, at + 0.7]
        expected.append(n)
    np.testing.assert_array_equal(counts, expected)
    assert n > 3000


def test_a_folder_says_of_every_file_whether_it_is_ready(folder):
    (folder / "broken.mod").write_text(BROKEN)
    (folder / "notes.txt").write_text("no mechanism")
    broken, pulse = read_folder(folder)
    assert (pulse.name, pulse.error) == ("Pulse", None)
    assert broken.name == "broken"
    assert broken.mechanism is None
    assert "broken.mod:2" in str(broken.error)
    assert read_folder(folder)[1].mechanism is pulse.mechanism  # not read twice


def test_a_file_wins_over_the_library_and_a_later_folder_over_an_earlier(folder, tmp_path):
    own = library()["hh"].path.read_text().replace("gl = 0.0003", "gl = 0.0004")
    (folder / "hh.mod").write_text(own)
    assert known_mechanisms([str(folder)], ["hh"])["hh"].parameter("gl").default == 0.0004
    later = tmp_path / "later"
    later.mkdir()
    (later / "hh.mod").write_text(own.replace("gl = 0.0004", "gl = 0.0005"))
    known = known_mechanisms([str(folder), str(later)], ["hh"])
    assert known["hh"].parameter("gl").default == 0.0005


def test_only_a_file_that_is_used_must_be_ready(base, folder):
    (folder / "broken.mod").write_text(BROKEN)
    build(base)
    with pytest.raises(MechanismError, match=r"broken\.mod:2"):
        build(replace(base, insertions=(Insertion("broken"),)))


@pytest.mark.parametrize("kind", ["missing", "empty", "file"])
def test_a_folder_that_is_none_is_refused_in_a_sentence(base, tmp_path, kind):
    place = tmp_path / kind
    if kind == "empty":
        place.mkdir()
    elif kind == "file":
        place.write_text("")
    with pytest.raises(FileError, match=r"^[^\n]*folder[^\n]*$"):
        build(replace(base, mechanism_folders=(str(place),)))


def test_too_many_events_are_refused_in_a_sentence(base, folder, monkeypatch):
    monkeypatch.setattr("engine.backends.events.MOST", 100)
    (folder / "chain.mod").write_text(CONSTANT)
    chain = replace(base, synapses=(Synapse(TUFT, "Chain"),), reversals=(), probes=())
    with pytest.raises(UserError, match="'Chain' send more events than can be kept"):
        run(chain)


def test_the_text_of_a_mechanism_is_the_same_in_every_process():
    """Else its machine code would never be found again."""
    script = (
        "from engine.mechanisms import emit_cuda, emit_numba, load_mechanism\n"
        f"pulse = load_mechanism({str(PULSE)!r})\n"
        "print(emit_numba(pulse) + emit_cuda(pulse))"
    )
    texts = [
        subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    ]
    assert texts[0] == texts[1] == texts[2]
    assert "Pulse_receive" in texts[0]


def test_of_two_files_of_one_mechanism_none_is_taken(tmp_path):
    text = PULSE.read_text()
    for name in ("one.mod", "two.mod"):
        (tmp_path / name).write_text(text)
    (tmp_path / "other.mod").write_text(text.replace("POINT_PROCESS Pulse", "POINT_PROCESS Beat"))
    ready = {file.path.name: file.mechanism is not None for file in read_folder(tmp_path)}
    assert ready == {"one.mod": False, "two.mod": False, "other.mod": True}
    with pytest.raises(MechanismError, match=r"'Pulse' is also in one\.mod; keep one"):
        known_mechanisms([str(tmp_path)], ["Pulse"])
    assert "Beat" in known_mechanisms([str(tmp_path)], ["Beat"])
