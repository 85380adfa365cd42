"""A leak tuned for rest: nothing moves until something is put on the cell."""

from dataclasses import replace

import numpy as np
import pytest

from engine.backends.rest import tune_rest
from engine.errors import UserError
from engine.experiment import Experiment, Insertion, Probe
from engine.model import build
from engine.recording import collect
from engine.simulation import simulate
from engine.stimuli import CurrentClamp, GapJunction, RampClamp, Site, VoltageClamp
from engine.synapses import SpikeTrain, Synapse
from tests.engine.cells_on_disk import FORKED, write

SOMA, TUFT = Site("soma[0]"), Site("apic[1]", 0.9)
MEMBRANE = (
    Insertion("hh", "soma"),
    Insertion("pas", "all", (("g", 1e-4), ("e", -50.0))),
    Insertion("Ih", "apical", (("gbar", 1e-4),)),
)
PUT_ON = {
    "stimuli": (CurrentClamp(SOMA, 0.0, 5.0, 0.1),),
    "waveforms": (RampClamp(TUFT, 0.0, 5.0, 0.2, 0.1),),
    "voltage_clamps": (VoltageClamp(SOMA, (2.0, 1.0, 1.0), (-30.0, -90.0, -20.0)),),
    "gap_junctions": (GapJunction(SOMA, TUFT, 0.1),),
    "synapses": (Synapse(TUFT, "ExpSyn", (), (0.01,), SpikeTrain((0.0,))),),
}


@pytest.fixture
def base(tmp_path):
    return Experiment(
        str(write(tmp_path, FORKED)),
        insertions=MEMBRANE,
        probes=(Probe(SOMA), Probe(TUFT)),
        v_init=-63.0,
        duration=100.0,
        tune_rest=True,
    )


def run(experiment, **options):
    model = build(experiment, **options)
    return collect(model, simulate(model))


def test_a_tuned_cell_stays_where_it_starts(base):
    """1e-9 mV is rounding: the currents that cancel are a million times as large."""
    np.testing.assert_allclose(run(base).values, -63.0, rtol=0, atol=1e-9)
    assert np.ptp(run(replace(base, tune_rest=False)).values) > 1.0


@pytest.mark.parametrize("what", PUT_ON)
def test_what_is_put_on_the_cell_has_no_part_in_its_rest(base, what):
    bare, loaded = build(base), build(replace(base, **{what: PUT_ON[what]}))
    for number, placed in enumerate(bare.placed):
        if placed.mechanism.name == "pas":
            e = tune_rest(bare).placed[number].values["e"]
    (leak,) = (p for p in tune_rest(loaded).placed if p.mechanism.name == "pas")
    np.testing.assert_array_equal(leak.values["e"], e)
    assert np.ptp(e) > 0.1


def test_every_instance_rests(base):
    np.testing.assert_allclose(run(base, n_instance=3).values, -63.0, rtol=0, atol=1e-9)


def test_no_leak_to_tune_is_refused_in_a_sentence(base):
    for insertions, message in (
        (MEMBRANE[:1], "tune_rest needs the mechanism 'pas'"),
        ((Insertion("pas", "all", (("g", 0.0),)),), r"no leak at soma\[0\].*make it positive"),
    ):
        with pytest.raises(UserError, match=message):
            run(replace(base, insertions=insertions))
