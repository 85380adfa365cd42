"""The human cell of Eyal et al. 2018 with its spines, live against NEURON."""

from dataclasses import replace

import numpy as np
import pytest

from engine.experiment import Probe
from engine.model import build
from engine.recipes import apply, recipe
from engine.recording import collect
from engine.simulation import simulate
from engine.spines import HUMAN_SPINE, Spine, SpineDensity, on_spine
from engine.stimuli import Site
from engine.synapses import SpikeTrain, Synapse
from tests.engine.neuron_model import run_model
from tests.engine.test_recipes import REAL

LIMIT = 1e-6
"""mV, in heads and soma."""
WEIGHTS = (0.00073027, 0.00131038)


@pytest.fixture
def few(data_dir):
    """The membrane with its factor; forty spines with a synapse each and ten synapses on shafts."""
    path = data_dir / "morphologies" / "paper" / REAL["human_l23"]
    given = apply(recipe("human_l23"), str(path))
    names = [n for n in build(given).tree.sections.name if n.startswith(("dend", "apic"))]
    draws = np.random.default_rng(7)
    sites = [Site(str(draws.choice(names)), float(draws.uniform(0.05, 0.95))) for _ in range(50)]
    synapses = [
        Synapse(
            on_spine("end", k) if k < 40 else sites[k],
            "AMPANMDA",
            (),
            (WEIGHTS[0], WEIGHTS[1] * float(draws.uniform(1.2, 2.5))),
            SpikeTrain((6.0,) if k < 30 else (1.3 + 0.6 * k,)),
        )
        for k in range(50)
    ]
    return path, replace(
        given,
        spines=tuple(Spine(site, HUMAN_SPINE) for site in sites[:40]),
        synapses=tuple(synapses),
        probes=(
            *(Probe(Site("soma[0]")), Probe(sites[0]), Probe(Site("neck[3]"))),
            *(Probe(on_spine("end", k)) for k in (0, 3, 17, 39)),
        ),
        dt=0.04,
        duration=40.0,
    )


def compare(path, given, compiled_library, tmp_path):
    model = build(given)
    ours = collect(model, simulate(model))
    theirs = run_model(model, path, compiled_library, tmp_path / "neuron.npz")
    values = ours.values[:, 0]
    assert np.ptp(values[0]) > 2.0
    assert np.ptp(values[3:6], axis=1).min() > 5.0  # synapses in the heads
    np.testing.assert_allclose(values, theirs.values, rtol=0, atol=LIMIT)


def test_spines_with_synapses_on_the_published_cell_are_neurons(compiled_library, few, tmp_path):
    compare(*few, compiled_library, tmp_path)


def test_all_spines_of_the_published_cell_are_neurons(compiled_library, few, tmp_path):
    """24,994 spines, of which NEURON solves every one."""
    path, given = few
    full = replace(
        given,
        f_factors=(),
        spine_density=(SpineDensity(shape=HUMAN_SPINE),),
        spines=tuple(replace(s, taken=True) for s in given.spines),
        duration=12.0,
    )
    compare(path, full, compiled_library, tmp_path)
