"""Published models on their own morphologies, against traces that NEURON made of the originals.

The traces come from the authors' code in NEURON 9 (fixed step of 0.025 ms) and are stored every
0.1 or 0.05 ms with four decimals, so nothing better than 5e-5 mV can be seen in them.
"""

import csv
import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.backends.cpu import CpuRun
from engine.experiment import Experiment, Insertion, Probe
from engine.model import build
from engine.morphology.reading import read_morphology
from engine.morphology.sections import make_sections
from engine.recipes import apply, recipe
from engine.recording import Recording, collect
from engine.simulation import simulate
from engine.stimuli import CurrentClamp, Site
from engine.synapses import SpikeTrain, Synapse
from engine.types import FloatArray
from tests.engine.spines import with_spines

SOMA = Site("soma[0]")
TIP, TRUNK = Site("apic[36]", 0.972326), Site("apic[36]", 0.075337)
"""Of the L5b cell: 620 and 400 µm from the soma, on the thickest branch."""
ROUNDED = 5.2e-5
"""mV: half of the last decimal, and a little where the values lie near a half."""
STEEP = 2e-3
"""mV: in the rise of a late spike, at up to 300 mV/ms, the shift is below 1e-5 ms."""


@pytest.fixture(scope="module")
def reference(data_dir: Path):
    folder = data_dir.parent / "facts" / "reference"
    if not folder.is_dir():
        pytest.skip(f"no reference traces at {folder}")

    def read(name: str) -> FloatArray:
        """(n_time, 1 + n_trace): ms, mV."""
        with gzip.open(folder / f"{name}.csv.gz", "rt") as file:
            return np.array([[float(x) for x in row] for row in list(csv.reader(file))[1:]])

    return read


@pytest.fixture(scope="module")
def spike_times(data_dir: Path) -> dict[str, list[float]]:
    path = data_dir.parent / "facts" / "reference" / "hay2011_spike_times.csv"
    with path.open() as file:
        return {row[1]: [float(t) for t in row[2].split()] for row in csv.reader(file)}


@pytest.fixture(scope="module")
def l5b(data_dir: Path) -> Experiment:
    """Every run of it has the synaptic current, mostly of no size, so one kernel serves all."""
    path = data_dir / "morphologies" / "paper" / "L5bPC_hay2011_cell1.asc"
    return replace(apply(recipe("l5b"), str(path)), synapses=(epsp(0.0),))


@pytest.fixture(scope="module")
def human(data_dir: Path) -> Experiment:
    """With a synapse that gets no event, for the same reason."""
    folder = data_dir / "morphologies" / "paper"
    path = folder / "human_L23PC_eyal2018_2013_03_06_cell11_1125_H41_06.ASC"
    given = replace(apply(recipe("human_l23"), str(path)), spike_threshold=-10.0)
    return replace(given, synapses=(Synapse(SOMA, "AMPANMDA"),))


def epsp(peak: float) -> Synapse:
    shape = ("onset", 300.0), ("tau0", 0.5), ("tau1", 5.0), ("imax", peak)
    return Synapse(TIP, "epsp", shape)


def run(experiment: Experiment, cell=None) -> Recording:
    model = build(experiment, cell=cell)
    return collect(model, simulate(model))


def difference(recording: Recording, trace: FloatArray, column: int = 0) -> FloatArray:
    """|ours − theirs| in mV at the times of a stored trace."""
    step = np.round(trace[:, 0] / 0.025).astype(int)
    inside = step < len(recording.time)
    assert inside.sum() > 1000
    np.testing.assert_allclose(recording.time[step[inside]], trace[inside, 0], atol=1e-6)
    return np.abs(recording.values[column, 0, step[inside]] - trace[inside, 1 + column])


def test_the_l5b_cell_fires_as_published(l5b, reference, spike_times):
    """27 spikes in two seconds at 0.793 nA, which is a few spikes in the stored part."""
    clamp = CurrentClamp(SOMA, 700.0, 2000.0, 0.793)
    recording = run(replace(l5b, stimuli=(clamp,), duration=3000.0, frame_interval=10.0))
    spikes = recording.spikes[:, 1]
    assert len(spikes) == 27
    stored = spike_times["iclamp_0.793nA"]
    np.testing.assert_allclose(spikes[: len(stored)], stored, atol=1e-6)
    apart = difference(recording, reference("hay2011_soma_iclamp_0.793nA"))
    assert np.quantile(apart, 0.95) < ROUNDED
    assert apart.max() < STEEP
    assert recording.values[0, 0, round(699 / 0.025)] == pytest.approx(-77.189, abs=5e-4)


def test_the_l5b_cell_sags_as_published(l5b, reference):
    clamp = CurrentClamp(SOMA, 700.0, 2000.0, -0.2)
    recording = run(replace(l5b, stimuli=(clamp,), duration=1200.0))
    assert not len(recording.spikes)
    assert difference(recording, reference("hay2011_soma_iclamp_-0.2nA")).max() < ROUNDED


@pytest.mark.parametrize(("name", "peak", "apical"), [("BAC", 0.5, 5.18), ("BAP", 0.0, -44.1)])
def test_a_calcium_spike_needs_both_inputs(l5b, reference, spike_times, name, peak, apical):
    """A pulse in the soma and one in the tuft give a burst, the pulse in the soma one spike."""
    given = replace(
        l5b,
        stimuli=(CurrentClamp(SOMA, 295.0, 5.0, 1.9),),
        synapses=(epsp(peak),),
        probes=tuple(Probe(site) for site in (SOMA, TIP, TRUNK)),
        duration=480.0,
    )
    recording = run(given)
    np.testing.assert_allclose(recording.spikes[:, 1], spike_times[name], atol=1e-6)
    assert recording.values[1].max() == pytest.approx(apical, abs=5e-2)
    trace = reference(f"hay2011_{name}")
    for column in range(3):
        apart = difference(recording, trace, column)
        assert np.quantile(apart, 0.95) < ROUNDED
        assert apart.max() < STEEP


def test_the_human_cell_fires_as_published(human, reference):
    recording = run(
        replace(human, stimuli=(CurrentClamp(SOMA, 200.0, 500.0, 0.5),), duration=1000.0)
    )
    np.testing.assert_allclose(recording.spikes[:, 1], [241.875], atol=1e-6)
    assert difference(recording, reference("eyal2018_fewspine_soma_iclamp_0.5nA")).max() < ROUNDED


def test_the_human_cell_hyperpolarizes_as_published(human, reference):
    given = replace(human, stimuli=(CurrentClamp(SOMA, 200.0, 500.0, -0.1),), duration=1000.0)
    recording = run(given)
    apart = difference(recording, reference("eyal2018_fewspine_soma_iclamp_-0.1nA"))
    assert apart.max() < ROUNDED
    v = recording.values[0, 0]
    assert v[round(199 / 0.025)] == pytest.approx(-83.4437, abs=5e-5)  # not yet at rest
    assert v[round(650 / 0.025)] == pytest.approx(-87.9613, abs=5e-5)


def test_rest_and_input_resistance_of_the_human_cell(human):
    """At 500 ms, to a constant current and with the gates as they are."""
    model = build(replace(human, duration=700.0))
    backend = CpuRun(model)
    backend.initialize()
    backend.advance(round(500 / 0.025))
    g_axial, v, diagonal, _ = backend.system()
    tree, soma = model.tree, model.tree.locate("soma[0]", 0.5)
    membrane = np.diag(diagonal - model.capacitance / 0.025)
    child = np.flatnonzero(tree.parent >= 0)
    membrane[child, tree.parent[child]] = membrane[tree.parent[child], child] = -g_axial[child]
    injected = np.zeros(tree.n_comp)
    injected[soma] = 1.0
    assert np.linalg.solve(membrane, injected)[soma] == pytest.approx(39.34, abs=5e-3)  # MΩ
    assert v[soma] == pytest.approx(-83.9110, abs=5e-5)
    backend.advance(round(150 / 0.025))
    assert backend.system()[1][soma] == pytest.approx(-84.036, abs=5e-4)


@pytest.mark.parametrize(
    ("name", "section", "center", "n", "epsp", "dendrite"),
    [
        ("eyal2018_fewspine_cluster_apic38x0.85_n20", "apic[38]", 0.85, 20, 4.109, -12.533),
        ("eyal2018_fewspine_cluster_apic69x0.5_n1", "apic[69]", 0.5, 1, None, None),
    ],
)
def test_synapses_on_spines_of_the_human_cell(
    human, reference, data_dir, name, section, center, n, epsp, dendrite
):
    """Each spine a neck and a head of its own with AMPA and NMDA receptors at its far end."""
    path = data_dir.parent / "facts" / "reference" / "eyal2018_cluster_positions.csv"
    with path.open() as file:
        rows = {row[0]: row[1] for row in csv.reader(file)}
    places = [float(x) for x in rows[name.removeprefix("eyal2018_fewspine_cluster_")].split()]
    assert len(places) == n
    size = 2 * np.sqrt(2.8 / (4 * np.pi))
    cell = make_sections(read_morphology(human.morphology))
    cell = with_spines(cell, section, places, (1.35, 0.25), (size, size))
    heads = [Site(f"dend_7[{2 * k + 1}]", 1.0) for k in range(n)]
    synapses = tuple(
        Synapse(head, "AMPANMDA", (), (0.00073027, 0.00131038), SpikeTrain((531.4,)))
        for head in heads
    )
    given = replace(
        human,
        insertions=(
            *human.insertions,
            Insertion("pas", "other", (("g", 1 / 48300), ("e", -86.0))),
        ),
        synapses=synapses,
        probes=tuple(
            Probe(site) for site in (SOMA, Site(section, center), Site(heads[n // 2].section))
        ),
        duration=700.0,
    )
    recording = run(given, cell)
    trace = reference(name)
    for column in range(3):
        assert difference(recording, trace, column).max() < ROUNDED, column
    if epsp is not None:
        soma, dend = recording.values[:2, 0]
        before = soma[round(525 / 0.025)]
        assert soma[round(531 / 0.025) :].max() - before == pytest.approx(epsp, abs=5e-4)
        assert dend.max() == pytest.approx(dendrite, abs=1e-3)
