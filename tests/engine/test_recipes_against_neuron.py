"""Recipes on real morphologies, live against NEURON with the same ``.mod`` files, over 100 ms."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.experiment import Probe
from engine.model import build
from engine.recipes import apply, recipe
from engine.recording import collect
from engine.simulation import simulate
from engine.stimuli import CurrentClamp, Site
from engine.synapses import SpikeTrain, Synapse
from tests.engine.neuron_model import run_model
from tests.engine.test_recipes import REAL

SOMA = Site("soma[0]")
INPUTS = {
    "human_l23": (
        (CurrentClamp(SOMA, 5.0, 90.0, 2.0),),
        (Synapse(Site("apic[30]", 0.7), "AMPANMDA", (), (2e-3, 3e-3), SpikeTrain((12.3, 40.0))),),
    ),
    "l5b": (
        (CurrentClamp(SOMA, 5.0, 90.0, 1.5),),
        (Synapse(Site("apic[36]", 0.97), "epsp", (("onset", 20.0), ("tau0", 0.5), ("tau1", 5.0),
                                                  ("imax", 1.0))),),
    ),
    "ca1": (
        (CurrentClamp(SOMA, 5.0, 90.0, 1.0),),
        (Synapse(Site("apic[20]", 1.0), "Exp2Syn", (("tau1", 0.5), ("tau2", 3.0)), (8e-3,),
                 SpikeTrain((12.3, 40.0))),),
    ),
    "mitral": (
        (CurrentClamp(SOMA, 5.0, 90.0, 1.0),),
        (Synapse(Site("apic[3]", 0.7), "AMPANMDA", (), (2e-3, 3e-3), SpikeTrain((12.3, 40.0))),),
    ),
}  # fmt: skip
LIMIT = 1e-7
"""mV; NEURON takes derivatives of currents by differences, and sums currents in another order."""


@pytest.mark.parametrize("name", ["l5b",
                                  pytest.param("human_l23", marks=pytest.mark.slow),
                                  pytest.param("ca1", marks=pytest.mark.slow),
                                  pytest.param("mitral", marks=pytest.mark.slow)])  # fmt: skip
def test_a_published_membrane_runs_as_in_neuron(compiled_library, data_dir, tmp_path, name):
    path: Path = data_dir / "morphologies" / "paper" / REAL[name]
    clamps, synapses = INPUTS[name]
    given = replace(
        apply(recipe(name), str(path)), stimuli=clamps, synapses=synapses, duration=100.0
    )
    names = build(given).tree.sections.name
    far = [names[i] for i in np.linspace(1, len(names) - 1, 8).astype(int)]
    given = replace(given, probes=(Probe(SOMA), *(Probe(Site(s, 0.6)) for s in far)))
    model = build(given)
    ours = collect(model, simulate(model))
    theirs = run_model(model, path, compiled_library, tmp_path / "neuron.npz")
    assert len(ours.spikes) > 0
    np.testing.assert_allclose(ours.spikes[:, 1], theirs.spikes, rtol=0, atol=2e-10)
    np.testing.assert_allclose(ours.values[:, 0], theirs.values, rtol=0, atol=LIMIT)
