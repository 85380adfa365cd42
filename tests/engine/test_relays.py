"""What points send with ``net_event`` reaches other synapses as in NEURON."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.backends.batch import BatchRun
from engine.backends.cpu import CpuRun
from engine.discretize import Rule
from engine.errors import UserError
from engine.experiment import Experiment, Insertion, Probe, from_json, to_json
from engine.model import build, build_batch
from engine.recording import collect
from engine.simulation import simulate
from engine.stimuli import Site
from engine.synapses import PointSource, SpikeTrain, Synapse
from tests.engine import neuron_library
from tests.engine.cells_on_disk import FORKED, write
from tests.engine.neuron_model import run_model

RELAY = """
NEURON {
    POINT_PROCESS Relay
    NONSPECIFIC_CURRENT i
    RANGE tau, wait
}
PARAMETER {
    tau = 3 (ms) <1e-9, 1e9>
    wait = 1.3 (ms)
}
ASSIGNED { v (mV) i (nA) }
STATE { g (uS) }
INITIAL { g = 0 }
BREAKPOINT {
    SOLVE decay METHOD cnexp
    i = g * v
}
DERIVATIVE decay { g' = -g / tau }
NET_RECEIVE(w (uS)) {
    if (flag == 0) {
        g = g + w
        net_send(wait, 1)
    } else {
        net_event(t)
    }
}
"""
SOMA, TUFT, BASAL = Site("soma[0]"), Site("apic[1]", 0.9), Site("dend[1]", 0.7)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A chain: a train to the first, that to the second and a third, the second to a fourth."""
    folder = tmp_path_factory.mktemp("relays")
    (folder / "mechanisms").mkdir()
    (folder / "mechanisms" / "relay.mod").write_text(RELAY)
    return Experiment(
        str(write(folder, FORKED)),
        rule=Rule("fixed", 3),
        insertions=(Insertion("pas", "all", (("g", 5e-5), ("e", -65.0))),),
        synapses=(
            Synapse(BASAL, "ExpSyn", (), (2e-3,), PointSource(1), 0.51),
            Synapse(TUFT, "Relay", (), (1e-3,), SpikeTrain((2.2, 5.22, 9.2))),
            Synapse(SOMA, "Relay", (("wait", 0.0),), (1e-3,), PointSource(1)),
            Synapse(TUFT, "Exp2Syn", (("tau1", 0.5),), (3e-3,), PointSource(2)),
        ),
        probes=(Probe(SOMA), Probe(TUFT), Probe(BASAL)),
        mechanism_folders=(str(folder / "mechanisms"),),
        duration=20.0,
    )


def run(experiment):
    model = build(experiment)
    return collect(model, simulate(model)).values[:, 0]


@pytest.fixture(scope="module")
def compiled(h):
    texts = neuron_library.library_texts()
    files = {name: texts[name] for name in ("pas", "ExpSyn", "Exp2Syn")} | {"Relay": RELAY}
    return neuron_library.compiled(files)


def test_a_chain_of_points_is_neurons(compiled, base, tmp_path):
    model = build(base)
    theirs = run_model(model, Path(base.morphology), compiled, tmp_path / "neuron.npz")
    ours = run(base)
    assert np.ptp(ours, axis=1).min() > 1.0
    np.testing.assert_allclose(ours, theirs.values, rtol=0, atol=1e-8)


def test_instances_do_not_hear_each_other(base):
    late = replace(
        base,
        synapses=(
            base.synapses[0],
            replace(base.synapses[1], source=SpikeTrain((7.0,))),
            *base.synapses[2:],
        ),
    )
    silent = replace(
        base,
        synapses=(base.synapses[0], replace(base.synapses[1], source=None), *base.synapses[2:]),
    )
    batch = BatchRun(build_batch([base, late, silent, base, late]), 1)
    batch.initialize()
    many = batch.advance(800).traces
    for k, given in enumerate((base, late, silent, base, late)):
        alone = CpuRun(build(given))
        alone.initialize()
        np.testing.assert_array_equal(alone.advance(800).traces[:, 0], many[:, k])
    assert np.ptp(many[0, :, 300]) > 0.1


def test_a_source_that_sends_nothing_is_refused(base):
    wrong = replace(base.synapses[3], source=PointSource(0))
    with pytest.raises(UserError, match=r"a point of mechanism 'ExpSyn', which sends nothing"):
        build(replace(base, synapses=(*base.synapses[:3], wrong)))
    wrong = replace(base.synapses[3], source=PointSource(9))
    with pytest.raises(UserError, match=r"is synapse 9; the experiment has 4, numbered from 0"):
        build(replace(base, synapses=(*base.synapses[:3], wrong)))


def test_json_keeps_the_source(base):
    assert from_json(to_json(base)) == base
