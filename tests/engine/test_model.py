"""From an experiment to arrays: what lands where, and what is refused in which words."""

from dataclasses import replace

import numpy as np
import pytest

from engine.discretize import Rule
from engine.errors import UserError
from engine.experiment import Cable, Experiment, Insertion, Probe
from engine.linear import is_linear
from engine.mechanisms import library
from engine.memory import bytes_needed
from engine.model import build, cut
from engine.morphology.model import Tag
from engine.morphology.reading import read_morphology
from engine.morphology.sections import make_sections
from engine.stimuli import CurrentClamp, RampClamp, Site
from engine.validation import check_memory, validate
from tests.engine.cells_on_disk import FORKED, write

SOMA = Site("soma[0]")


@pytest.fixture
def base(tmp_path):
    return Experiment(str(write(tmp_path, FORKED)), duration=10.0)


def test_capacitance_and_cable_follow_the_regions_and_later_entries_win(base):
    cables = Cable(cm=1.0, ra=100.0), Cable("dendrite", 2.0, 200.0), Cable("apical", 0.5, 50.0)
    model = build(replace(base, cables=cables))
    tree = model.tree
    expected = np.choose(np.minimum(tree.tag, 4), [1, 1, 1, 2.0, 0.5])
    density = model.capacitance / np.where(tree.massless, 1, tree.area) / 1e-5
    assert density[~tree.massless] == pytest.approx(expected[~tree.massless], rel=1e-14)
    assert (model.capacitance[tree.massless] == 0).all()
    plain = cut(replace(base, cables=(Cable(ra=100.0),)))
    apical = tree.tag == Tag.APICAL
    inner = apical & (tree.section == tree.section[tree.parent]) & (tree.parent >= 0)
    inner &= ~tree.massless & ~tree.massless[tree.parent]
    assert inner.any()
    assert tree.g_axial[inner] == pytest.approx(2 * plain.g_axial[inner], rel=1e-14)


def test_mechanisms_sit_where_they_are_inserted(base):
    insertions = (
        Insertion("hh", "soma"),
        Insertion("hh", "axon", (("gnabar", 0.5),)),
        Insertion("pas", "dendrite", (("g", 1e-4),)),
        Insertion("pas", "apical", (("e", -60.0),)),
    )
    model = build(replace(base, insertions=insertions))
    hh, pas = model.placed
    tag = model.tree.tag
    assert set(tag[hh.node]) == {Tag.SOMA, Tag.AXON}
    assert set(tag[pas.node]) == {Tag.BASAL, Tag.APICAL}
    assert not model.tree.massless[np.concatenate([hh.node, pas.node])].any()
    assert (hh.values["gnabar"] == np.where(tag[hh.node] == Tag.AXON, 0.5, 0.12)).all()
    apical = tag[pas.node] == Tag.APICAL
    assert (pas.values["g"] == np.where(apical, 0.001, 1e-4)).all()  # the later insertion is whole
    assert (pas.values["e"] == np.where(apical, -60.0, -70.0)).all()
    assert set(model.ions) == {"ena", "ek"}
    assert model.ion_currents == ("ik", "ina")


def test_reversals_are_taken_from_the_experiment(base):
    model = build(replace(base, insertions=(Insertion("hh"),), reversals=(("ena", 60.0),)))
    assert (model.ions["ena"] == 60.0).all()
    assert (model.ions["ek"] == -77.0).all()


def test_a_leak_is_linear_and_hh_is_not():
    known = library()
    assert is_linear(known["pas"])
    assert not is_linear(known["hh"])


def test_sites_at_ends_keep_their_massless_node(base):
    clamp = CurrentClamp(Site("apic[1]", 1.0))
    model = build(replace(base, stimuli=(clamp,), probes=(Probe(Site("apic[0]", 0.3)),)))
    node = model.clamp_node[0]
    assert model.tree.massless[node]
    assert model.tree.x[node] == 1.0
    middle = model.probes[0].index
    assert model.tree.sections.name[model.tree.section[middle]] == "apic[0]"


def test_a_state_at_an_end_is_that_of_the_last_segment(base):
    probes = Probe(Site("soma[0]", 1.0), "m_hh"), Probe(Site("soma[0]", 0.99), "m_hh")
    model = build(replace(base, insertions=(Insertion("hh"),), probes=probes))
    assert model.probes[0].index == model.probes[1].index
    assert model.probes[0].label == "soma[0](1) m_hh"


@pytest.mark.parametrize("given", ["morphology", "sections"])
def test_a_cell_already_read_gives_the_same_model(base, given):
    morphology = read_morphology(base.morphology)
    cell = morphology if given == "morphology" else make_sections(morphology)
    for axon in ("keep", "stub"):
        one = build(replace(base, axon=axon))
        other = build(replace(base, axon=axon), cell=cell)
        assert (one.tree.parent == other.tree.parent).all()
        assert (one.tree.area == other.tree.area).all()


@pytest.mark.parametrize(
    ("duration", "dt", "n_step"),
    [(10.0, 0.025, 400), (10.01, 0.025, 400), (10.02, 0.025, 401), (0.1, 0.1, 1), (1.0, 0.3, 3)],
)
def test_steps_are_counted_as_neurons_continuerun(base, duration, dt, n_step):
    assert build(replace(base, duration=duration, dt=dt)).n_step == n_step


def change(**fields):
    return fields


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (change(dt=0.0), "time step dt is 0 ms; it must be positive"),
        (change(dt=float("nan")), "time step dt is nan ms"),
        (change(duration=-5.0), "duration is -5 ms"),
        (change(duration=0.01), "shorter than one step"),
        (change(frame_interval=0.0), "frame interval is 0 ms"),
        (change(celsius=-300.0), "below absolute zero"),
        (change(v_init=float("nan")), "initial voltage v_init is nan"),
        (change(n_threads=0), "0 threads cannot be scheduled; choose 1 to 1024"),
        (change(cables=(Cable(cm=-1.0),)), "cm of region 'all' is -1 µF/cm²"),
        (
            change(stimuli=(CurrentClamp(Site("somma[0]")),)),
            "clamp at somma[0](0.5): the cell has no section 'somma[0]'; did you mean 'soma[0]'?",
        ),
        (change(probes=(Probe(Site("soma[0]", 1.5)),)), "position 1.5 is outside the section"),
        (change(spike_site=Site("x")), "spike site at x(0.5): the cell has no section 'x'"),
        (
            change(stimuli=(CurrentClamp(SOMA, duration=-1.0),)),
            "the clamp at soma[0](0.5) has delay 100 ms, duration -1 ms",
        ),
        (change(insertions=(Insertion("pass"),)), "no mechanism 'pass'; did you mean 'pas'?"),
        (
            change(insertions=(Insertion("hh", "soma", (("gnbar", 1.0),)),)),
            "mechanism 'hh' has no parameter 'gnbar'; did you mean 'gnabar'?",
        ),
        (
            change(insertions=(Insertion("pas", "all", (("g", float("nan")),)),)),
            "parameter 'g' of mechanism 'pas' is nan",
        ),
    ],
)
def test_what_cannot_be_run_is_refused_in_a_sentence(base, fields, message):
    tree = cut(base)
    bad = replace(base, **fields)
    for refuse in (lambda: build(bad), lambda: validate(bad, tree)):
        with pytest.raises(UserError) as caught:
            refuse()
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_good_experiment_is_valid(base):
    validate(base, cut(base))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (change(reversals=(("ena", 50.0),)), "reversal 'ena' is read by no mechanism"),
        (change(cables=(Cable("soma"),)), "some sections have no cable properties"),
        (
            change(probes=(Probe(SOMA, "m_hh"),)),
            "'m_hh' cannot be recorded at soma[0](0.5); there is v",
        ),
        (
            change(insertions=(Insertion("hh"),), probes=(Probe(SOMA, "x_hh"),)),
            "there is v, m_hh, h_hh, n_hh, ina, ena, ik, ek",
        ),
    ],
)
def test_what_only_the_whole_model_shows_is_refused(base, fields, message):
    with pytest.raises(UserError, match=r"^[^\n]+$") as caught:
        build(replace(base, **fields))
    assert message in str(caught.value)


def test_no_instances_are_refused(base):
    with pytest.raises(UserError, match="0 instances cannot be run"):
        build(base, n_instance=0)


def test_a_run_too_long_for_the_memory_is_refused(base):
    long = replace(base, duration=1e12)
    with pytest.raises(UserError, match=r"needs .* GB .* are free.*shorten the run"):
        validate(long, cut(base))
    with pytest.raises(UserError, match="lengthen the frame interval"):
        check_memory(replace(base, duration=1e9, frame_interval=0.1), n_comp=10**6)
    with pytest.raises(UserError, match=r"record fewer sites"):
        build(replace(base, probes=(Probe(SOMA),), duration=1e6), n_instance=10**5)
    with pytest.raises(UserError, match=r"most of it for the cell; run fewer instances at once"):
        check_memory(base, n_comp=10**5, n_instance=10**5)
    wave = RampClamp(SOMA)
    with pytest.raises(UserError, match=r"played currents; shorten the run or play fewer"):
        check_memory(replace(base, waveforms=(wave,) * 9, duration=1e9), n_comp=100, kept=False)


def test_memory_grows_with_instances_and_samples(base):
    probed = replace(base, probes=(Probe(SOMA),))
    one = bytes_needed(build(probed))
    model = build(probed, n_instance=64)
    many = bytes_needed(model)
    assert many > one
    assert many > 8 * 64 * model.n_time
    longer = build(replace(probed, duration=100.0))
    frames = 4 * longer.n_comp * (longer.n_frame - build(probed).n_frame)
    assert bytes_needed(longer) - one > frames


def test_frames_may_be_farther_apart_than_the_run_is_long(base):
    assert build(replace(base, frame_interval=1e308)).n_frame == 1  # only that of the start


def test_the_rule_cuts_the_cell(base):
    tree = build(replace(base, rule=Rule("fixed", 5))).tree
    assert tree.n_segment == 5 * tree.sections.n_section == 50
