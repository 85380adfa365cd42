"""Resistances and impulse responses against the dense inverse, the engine's runs and NEURON."""

from dataclasses import replace

import numpy as np
import pytest

from engine.errors import UserError
from engine.experiment import Cable, Experiment, Insertion, Probe
from engine.experiments.hpc_net.spec import hidden_cell
from engine.model import Model, build
from engine.resistance import steady_conductance, transfer_resistance
from engine.simulation import simulate
from engine.stimuli import CurrentClamp, Site
from engine.transfer import (
    impulse_responses,
    membrane_conductance,
)
from tests.engine.neuron_cells import NeuronCell

SOMA = Site("soma[0]")
HUMAN = "morphologies/paper/human_L23PC_eyal2018_2013_03_06_cell11_1125_H41_06.ASC"


@pytest.fixture(scope="module")
def small() -> Model:
    leak = Insertion("pas", "all", (("g", 1e-4), ("e", -70.0)))
    return build(
        Experiment("sample:spn", cables=(Cable("all", 1.2, 130.0),), insertions=(leak,), dt=0.1,
                   v_init=-70.0, duration=3.0)
    )  # fmt: skip


def dense(model: Model, more: np.ndarray) -> np.ndarray:
    """(n_comp, n_comp) µS."""
    tree = model.tree
    matrix = np.diag(membrane_conductance(model) + more)
    for i in np.flatnonzero(tree.parent >= 0):
        p, g = tree.parent[i], tree.g_axial[i]
        matrix[[i, p], [i, p]] += g
        matrix[[i, p], [p, i]] -= g
    return matrix


def resistances(model: Model) -> np.ndarray:
    """(n_comp,) MΩ to the soma."""
    soma = model.tree.locate(SOMA.section, SOMA.x)
    return transfer_resistance(model.tree, steady_conductance(model.experiment, model.tree), soma)


def test_resistances_are_the_inverse_of_the_matrix(small):
    inverse = np.linalg.inv(dense(small, np.zeros(small.n_comp)))
    soma = small.tree.locate("soma[0]", 0.5)
    found = resistances(small)
    np.testing.assert_allclose(found, inverse[soma], rtol=1e-10)  # condition number 1e4
    assert found.max() == found[soma]


def test_an_impulse_response_is_what_a_run_gives_to_a_current_of_one_step(small):
    site = Site(small.tree.sections.name[7], 0.3)
    clamp = CurrentClamp(site, 0.0, small.experiment.dt, 1.0)
    run = build(replace(small.experiment, stimuli=(clamp,), probes=(Probe(SOMA),)))
    trace = np.concatenate([c.traces[0, 0] for c in simulate(run, "cpu")]) + 70.0
    response = impulse_responses(small, SOMA)[:, small.tree.locate(site.section, site.x)]
    assert trace[0] == 0
    assert response.max() > 1e-3
    np.testing.assert_allclose(response, trace[1:], atol=1e-12)  # of 70 mV, in double


def test_responses_add_up_to_the_resistance(small):
    node = small.tree.locate(small.tree.sections.name[-1], 0.5)
    long = impulse_responses(small, SOMA, 6000)[:, node].sum()
    assert long == pytest.approx(resistances(small)[node], rel=1e-9)


def test_a_cell_that_is_not_passive_is_refused_by_name():
    active = build(Experiment("sample:spn", insertions=(Insertion("pas"), Insertion("hh", "soma"))))
    with pytest.raises(UserError, match="this one has hh"):
        impulse_responses(active, SOMA)


def test_the_human_cell_has_the_resistances_that_neuron_gives(data_dir, h):
    """With the axon's stub on NEURON's own import; published values to all their digits."""
    model = build(hidden_cell(str(data_dir / HUMAN)))
    ours = resistances(model)
    basal = model.tree.node_of_segment[model.tree.tag[model.tree.node_of_segment] == 3]
    found = ours[basal].min(), ours[basal].max(), ours.max()
    assert [f"{x:.4f}" for x in found] == ["56.3314", "66.9323", "66.9571"]

    cell = NeuronCell(h, data_dir / HUMAN)
    sections = cell.by_name
    for name in [name for name in sections if name.startswith("axon")]:
        h.delete_section(sec=sections.pop(name))
    up = sections["soma[0]"](1.0)
    for i in range(2):
        stub = sections[f"axon[{i}]"] = h.Section(name=f"axon[{i}]")
        first = model.tree.section_index[f"axon[{i}]"]
        stub.L, stub.diam = 30.0, float(model.tree.diameter[model.tree.section == first][0])
        stub.connect(up)
        up = stub(1.0)
    for section in sections.values():
        section.nseg = 1 + 2 * int(section.L / 40)
        section.cm, section.Ra = 1.5, 261.97
        section.insert("pas")
        section.g_pas, section.e_pas = 1 / 48300, 0.0
    h.dt = 0.25
    h.finitialize(0.0)
    probe = h.Impedance()
    probe.loc(sections["soma[0]"](0.5))
    probe.compute(0.0)
    theirs = [
        probe.transfer(segment)
        for name in model.tree.sections.name
        if name.startswith("dend")
        for segment in sections[name]
    ]
    np.testing.assert_allclose(ours[basal], theirs, rtol=1e-9)
    assert found[2] == pytest.approx(probe.input(sections["soma[0]"](0.5)), rel=1e-9)
