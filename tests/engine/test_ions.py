"""Ions on a whole cell against NEURON: calcium accumulates, reversal potentials follow."""

from dataclasses import replace

import numpy as np
import pytest

from engine.discretize import Rule
from engine.experiment import Cable, Experiment, Insertion, IonValue, Probe
from engine.model import build
from engine.recording import collect
from engine.simulation import simulate
from engine.stimuli import CurrentClamp, Site
from tests.engine.cells_on_disk import FORKED, write
from tests.engine.neuron_library import neuron_name, run_script

SOMA, TUFT = Site("soma[0]"), Site("apic[1]", 0.9)
DENDRITIC = (("gbar", 5e-4),)
MEMBRANE = (
    Insertion("pas", "all", (("g", 5e-5), ("e", -80.0))),
    Insertion("SK_E2", "soma", (("gbar", 0.04),)),
    Insertion("NaTa_t", "soma", (("gbar", 2.0),)),
    Insertion("SKv3_1", "soma", (("gbar", 0.7),)),
    Insertion("Ca_HVA", "soma", (("gbar", 1e-3),)),
    Insertion("CaDynamics_E2", "soma", (("gamma", 5e-4), ("decay", 80.0))),
    Insertion("Ca_HVA", "apical", DENDRITIC),
    Insertion("Ca_LVAst", "dendrite", (("gbar", 3e-3),)),
    Insertion("CaDynamics_E2", "apical", (("gamma", 0.02), ("decay", 20.0))),
)
PROBES = (
    Probe(SOMA), Probe(TUFT), Probe(SOMA, "cai"), Probe(TUFT, "cai"), Probe(SOMA, "eca"),
    Probe(TUFT, "eca"), Probe(SOMA, "ica"), Probe(SOMA, "z_SK_E2"), Probe(Site("dend[1]"), "eca"),
    Probe(SOMA, "ina"), Probe(SOMA, "ek"),
)  # fmt: skip
LIMIT = {"v": 1e-7, "cai": 1e-12, "eca": 1e-7, "ica": 1e-11, "ina": 1e-6, "z_SK_E2": 1e-10}
"""mV, mM, mV, mA/cm²; the voltage's is that of DESIGN §4 over 100 ms with spikes. Sodium flows
through half a siemens a cm², so that its current follows the voltage in full."""
RUN = """
class Cell:
    pass
reader = h.Import3d_SWC_read()
reader.input(given["path"])
cell = Cell()
h.Import3d_GUI(reader, 0).instantiate(cell)
sections = {s.name().rpartition(".")[2]: s for s in cell.all}
for section in cell.all:
    section.nseg, section.Ra, section.cm = 3, 150, 1
prefix = {"all": ("",), "soma": ("soma",), "apical": ("apic",), "dendrite": ("dend", "apic")}
for mechanism, region, parameters in given["insertions"]:
    for name, section in sections.items():
        if name.startswith(prefix[region]):
            section.insert(mechanism)
            for parameter, value in parameters:
                setattr(section, f"{parameter}_{mechanism}", value)
for section in cell.all:
    for name, value in given["reversals"]:
        if hasattr(section(0.5), name):
            setattr(section, name, value)
for name, value in given["globals"]:
    setattr(h, name, value)
clamp = h.IClamp(sections["soma[0]"](0.5))
clamp.delay, clamp.dur, clamp.amp = 5, 60, 1.2
h.dt, h.steps_per_ms, h.celsius = 0.025, 40, given["celsius"]
kept = [h.Vector().record(getattr(sections[n](x), "_ref_" + v)) for n, x, v in given["probes"]]
h.finitialize(-80)
while h.t < 100 - 0.0125:
    h.fadvance()
result["values"] = np.array([x.as_numpy() for x in kept])
"""


@pytest.fixture
def base(tmp_path):
    return Experiment(
        str(write(tmp_path, FORKED)),
        rule=Rule("fixed", 3),
        cables=(Cable(),),
        insertions=MEMBRANE,
        reversals=(("ena", 50.0), ("ek", -85.0)),
        stimuli=(CurrentClamp(SOMA, 5.0, 60.0, 1.2),),
        probes=PROBES,
        celsius=34.0,
        v_init=-80.0,
        duration=100.0,
    )


def run(experiment, **options):
    model = build(experiment, **options)
    return collect(model, simulate(model))


def in_neuron(folder, experiment, tmp_path, names=()):
    given = {
        "path": experiment.morphology,
        "insertions": [
            (i.mechanism if i.mechanism == "pas" else neuron_name(i.mechanism), i.region,
             i.parameters) for i in experiment.insertions
        ],
        "reversals": experiment.reversals,
        "globals": names,
        "celsius": experiment.celsius,
        "probes": [(p.site.section, p.site.x, p.variable) for p in experiment.probes],
    }  # fmt: skip
    return run_script(folder, RUN, given, tmp_path / "out.npz")["values"]


def test_calcium_accumulates_as_in_neuron(compiled_library, base, tmp_path):
    """Spikes let calcium in, which opens SK and moves eca where a pool is; elsewhere eca stays."""
    expected = in_neuron(compiled_library, base, tmp_path)
    recording = run(base)
    assert recording.units[2:6] == ("mM", "mM", "mV", "mV")
    assert len(recording.spikes) > 3
    assert np.ptp(expected[2]) > 1e-4
    assert np.ptp(expected[4]) > 10
    for probe, ours, theirs in zip(PROBES, recording.values[:, 0], expected, strict=True):
        limit = LIMIT.get(probe.variable, 1e-12)
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=limit, err_msg=str(probe))


def test_concentrations_at_the_start_are_neurons(compiled_library, base, tmp_path):
    """``cai0_ca_ion`` and ``cao0_ca_ion`` of NEURON; Nernst's reversal potential follows."""
    given = replace(base, reversals=(*base.reversals, ("cai", 2e-4), ("cao", 1.5)), duration=100.0)
    same = replace(given, reversals=base.reversals)
    names = (("cai0_ca_ion", 2e-4), ("cao0_ca_ion", 1.5))
    expected = in_neuron(compiled_library, same, tmp_path, names)
    values = run(given).values[:, 0]
    np.testing.assert_allclose(values[:6, 0], expected[:6, 0], rtol=1e-12)
    np.testing.assert_allclose(values[:2], expected[:2], rtol=0, atol=LIMIT["v"])


def test_a_fixed_reversal_potential_stays(base):
    fixed = IonValue("eca", 120.0, "soma", fixed=True)
    recording = run(replace(base, ion_values=(fixed,), duration=30.0))
    by_name = dict(zip(PROBES, recording.values[:, 0], strict=True))
    assert (by_name[PROBES[4]] == 120.0).all()
    assert np.ptp(by_name[PROBES[2]]) > 1e-5  # calcium comes and goes all the same
    assert np.ptp(by_name[PROBES[5]]) > 1e-3


def test_instances_and_node_sets_do_not_change_ions(base):
    short = replace(base, duration=20.0)
    one, many = run(short), run(short, n_instance=8)
    for k in range(8):
        np.testing.assert_array_equal(many.values[:, k], one.values[:, 0])
    whole = run(replace(short, nodes="neuron"))
    np.testing.assert_allclose(whole.values[:2], one.values[:2], rtol=0, atol=1e-8)


def test_range_variables_are_recorded_as_in_neuron(compiled_library, base, tmp_path):
    names = ("ica_Ca_HVA", "ik_SK_E2", "ik_SKv3_1", "ina_NaTa_t", "i_pas")
    probes = tuple(Probe(SOMA, name) for name in names)
    experiment = replace(base, probes=probes)
    expected = in_neuron(compiled_library, experiment, tmp_path)
    values = run(experiment).values[:, 0]
    for probe, ours, theirs in zip(probes, values, expected, strict=True):
        assert np.ptp(theirs) > 0
        scale = np.abs(theirs).max()
        np.testing.assert_allclose(
            ours[1:], theirs[1:], rtol=0, atol=1e-8 * scale, err_msg=str(probe)
        )
