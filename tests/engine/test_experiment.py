"""Experiments as data: JSON there and back, and errors that name the field."""

import dataclasses
import json
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.discretize import Rule
from engine.distributions import Distribution, Shape
from engine.errors import FileError
from engine.experiment import (
    Cable,
    Experiment,
    Insertion,
    IonValue,
    Probe,
    default_experiment,
    from_json,
    to_json,
)
from engine.morphology.model import Sections, Tag
from engine.regions import Region, Subset
from engine.spines import FFactor, Spine, SpineDensity, SpineShape
from engine.stimuli import (
    CurrentClamp,
    GapJunction,
    NoiseClamp,
    RampClamp,
    SineClamp,
    Site,
    VoltageClamp,
)
from engine.synapses import NetStim, PointSource, SpikeSource, SpikeTrain, Synapse
from engine.types import ScheduleMethod

number = st.floats(allow_nan=False, allow_infinity=False)
positive = st.floats(1e-6, 1e6)
text = st.text(st.characters(blacklist_categories=("Cs",)), max_size=12)
region = st.sampled_from(get_args(Region))
site = st.builds(Site, text, st.floats(0, 1))
pairs = st.lists(st.tuples(text, number), max_size=3).map(tuple)


def some(strategy):
    return st.lists(strategy, max_size=3).map(tuple)


whole = st.integers(0, 2**31)
value = number | st.builds(
    Distribution,
    st.sampled_from(get_args(Shape)),
    *[number] * 9,
    st.none() | site,
    st.booleans(),
)
subset = st.none() | st.builds(
    Subset, some(text), *[st.none() | number] * 4, st.none() | site, st.booleans()
)
three = st.tuples(number, number, number)
source = st.none() | st.one_of(
    st.builds(SpikeTrain, some(number)),
    st.builds(NetStim, number, st.integers(), number, number, whole),
    st.builds(SpikeSource, site, number),
    st.builds(PointSource, whole),
)
waveforms = st.one_of(
    st.builds(RampClamp, site, *[number] * 4),
    st.builds(SineClamp, site, *[number] * 6),
    st.builds(NoiseClamp, site, *[number] * 5, whole),
)
optional = st.none() | positive
shape = st.builds(SpineShape, *[positive] * 4, *[optional] * 4)
valued = st.lists(st.tuples(text, value), max_size=3).map(tuple)


experiments = st.builds(
    Experiment,
    morphology=text,
    axon=st.sampled_from(["keep", "stub"]),
    rule=st.builds(Rule, st.sampled_from(["max_length", "d_lambda", "fixed"]), positive),
    nodes=st.sampled_from(["neuron", "merged"]),
    cables=some(st.builds(Cable, region, value, positive, subset, st.booleans())),
    insertions=some(st.builds(Insertion, text, region, valued, subset, st.booleans())),
    reversals=pairs,
    celsius=number,
    v_init=number,
    dt=positive,
    duration=positive,
    stimuli=some(st.builds(CurrentClamp, site, number, positive, number)),
    probes=some(st.builds(Probe, site, text)),
    spike_site=st.none() | site,
    spike_threshold=number,
    frame_interval=positive,
    method=st.sampled_from(get_args(ScheduleMethod)),
    n_threads=st.integers(1, 1024),
    seed=st.integers(0, 2**31),
    name=text,
    ion_values=some(st.builds(IonValue, text, value, region, subset, st.booleans())),
    tune_rest=st.booleans(),
    waveforms=some(waveforms),
    voltage_clamps=some(st.builds(VoltageClamp, site, three, three, number)),
    synapses=some(st.builds(Synapse, site, text, pairs, some(number), source, number, text)),
    gap_junctions=some(st.builds(GapJunction, site, site, number)),
    mechanism_folders=some(text),
    spines=some(st.builds(Spine, site, st.none() | shape, st.booleans())),
    spine_density=some(st.builds(SpineDensity, region, subset, number, number, shape)),
    f_factors=some(st.builds(FFactor, positive, region, subset, st.booleans())),
)


@settings(max_examples=60, deadline=None)
@given(experiments)
def test_json_gives_an_equal_experiment_back(experiment):
    assert from_json(to_json(experiment)) == experiment


def test_every_field_is_written():
    written = json.loads(to_json(Experiment("a.swc")))
    assert set(written) == {"format", "version", *(f.name for f in dataclasses.fields(Experiment))}


def edited(**changes):
    body = json.loads(to_json(Experiment("a.swc", stimuli=(CurrentClamp(Site("soma[0]")),))))
    body.update(changes)
    return json.dumps({k: v for k, v in body.items() if v is not ...})


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (edited(v_inti=-70), "field 'v_inti': unknown field; did you mean 'v_init'?"),
        (edited(morphology=...), "field 'morphology': missing field"),
        (edited(dt="fast"), "field 'dt': 'fast' is not a number"),
        (edited(dt=True), "field 'dt': true is not a number"),
        (edited(n_threads=1.5), "field 'n_threads': 1.5 is not a whole number"),
        (edited(nodes="neuorn"), "field 'nodes': 'neuorn' is not a choice; did you mean 'neuron'?"),
        (edited(rule={"kind": "fixed", "value": None}), "field 'rule.value': null is not a number"),
        (edited(rule=5), "field 'rule': 5 is not a group of fields"),
        (edited(stimuli=[{}]), "field 'stimuli[0].site': missing field"),
        (edited(stimuli={}), "field 'stimuli': {} is not a list"),
        (edited(reversals=[["ena"]]), "field 'reversals[0]': has 1 items; it takes 2"),
        (edited(celsius=float("inf")), "field 'celsius': Infinity is not finite"),
        (edited(version=9), "format version 9 is not known to this program"),
        (edited(format="recipe"), "this JSON is not an experiment"),
        (edited(version=...), "says no format version"),
        (edited(dt=10**400), "field 'dt': 1000"),
        (edited(name="\ud800"), "field 'name': '\\ud800' holds half a character"),
        (edited(version=True), "format version True is not known"),
        (edited(waveforms=[{"kind": "rampe"}]), "'rampe' is not a kind; did you mean 'ramp'?"),
        (edited(waveforms=[{}]), "field 'waveforms[0]': has no kind; known: ramp, sine, noise"),
        (edited(synapses=[{"site": {"section": "a"}, "source": 5}]), "synapses[0].source"),
        (
            edited(cables=[{"cm": {"shape": "round"}}]),
            "field 'cables[0].cm.shape': 'round' is not a choice",
        ),
        ("[]", "this JSON is not an experiment"),
        ("[" * 100_000, "this is not JSON (nested too deeply)"),
        ('{"dt": ' + 5000 * "9" + "}", "this is not JSON (a number has too many digits)"),
        ('{\n "dt": 1,\n}', "cell.json:3: this is not JSON"),
    ],
)
def test_a_bad_field_is_named(body, message):
    with pytest.raises(FileError) as caught:
        from_json(body, Path("cell.json"))
    assert str(caught.value).startswith("cell.json")
    assert message in str(caught.value)


def test_the_first_version_is_read():
    """It had none of the fields that came later."""
    later = ("ion_values", "tune_rest", "waveforms", "voltage_clamps", "synapses")
    later = (*later, "gap_junctions", "mechanism_folders", "stub")
    old = edited(version=1, cables=[{"region": "all", "cm": 1.0, "ra": 150.0}])
    old = json.dumps({k: v for k, v in json.loads(old).items() if k not in later})
    assert from_json(old) == Experiment("a.swc", stimuli=(CurrentClamp(Site("soma[0]")),))


def test_a_byte_order_mark_is_passed_over():
    assert from_json("\ufeff" + edited()) == from_json(edited())


def test_whole_numbers_are_numbers():
    assert from_json(edited(dt=1)).dt == 1.0


def test_a_relative_morphology_lies_beside_the_file(tmp_path):
    source = tmp_path / "run" / "experiment.json"
    read = from_json(to_json(Experiment("../cells/a.swc")), source)
    assert Path(read.morphology) == tmp_path / "cells" / "a.swc"
    folders = from_json(to_json(Experiment("a", mechanism_folders=("mod", "/m"))), source)
    assert folders.mechanism_folders == (str(source.parent / "mod"), "/m")
    for kept in ("sample:toy", str(tmp_path / "b.swc")):
        assert from_json(to_json(Experiment(kept)), source).morphology == kept


def sections(*tags):
    n = len(tags)
    return Sections(
        parent=np.arange(-1, n - 1, dtype=np.int32),
        parent_x=np.ones(n),
        tag=np.array(tags, np.int32),
        name=tuple(f"s[{i}]" for i in range(n)),
        start=np.arange(0, 2 * n + 1, 2, dtype=np.int32),
        xyz=np.zeros((2 * n, 3), np.float32),
        diameter=np.ones(2 * n, np.float32),
        point=np.arange(2 * n, dtype=np.int32),
        wired=np.zeros(n, bool),
    )


def test_a_cell_opens_with_hh_in_soma_and_axon_and_a_leak_elsewhere():
    experiment = default_experiment("a.swc", sections(Tag.SOMA, Tag.BASAL), name="first")
    inserted = {(i.mechanism, i.region) for i in experiment.insertions}
    assert inserted == {("hh", "soma"), ("hh", "axon"), ("pas", "dendrite"), ("pas", "other")}
    assert experiment.probes == (Probe(Site("s[0]")),)
    assert experiment.stimuli == ()
    assert experiment.celsius == 6.3
    assert experiment.name == "first"


def test_a_cell_without_a_soma_opens_passive():
    experiment = default_experiment("a.swc", sections(Tag.BASAL, Tag.AXON))
    assert [(i.mechanism, i.region) for i in experiment.insertions] == [("pas", "all")]
