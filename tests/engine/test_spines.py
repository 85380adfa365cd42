"""Spines as a description: how many there are, what they are made of, what is refused."""

from dataclasses import fields, replace

import numpy as np
import pytest

from engine.biophysics import Painter
from engine.compartments import path_distance
from engine.discretize import Rule
from engine.errors import UserError
from engine.experiment import Cable, Experiment, Insertion, Probe
from engine.model import build, build_batch, cut
from engine.recipes import apply, recipe
from engine.regions import select
from engine.spines import (
    FFactor,
    Spine,
    SpineDensity,
    SpineShape,
    on_spine,
    place_on_spine,
)
from engine.stimuli import CurrentClamp, Site, VoltageClamp
from engine.synapses import SpikeTrain, Synapse
from engine.twigs import Membrane, count_spines, density_counts, f_factor, make_twigs
from engine.units import MOHM_UM_PER_OHM_CM, NF_PER_UF_CM2_UM2, US_PER_S_CM2_UM2
from tests.engine.cells_on_disk import FORKED, write
from tests.engine.test_recipes import REAL

SOMA, TUFT = Site("soma[0]"), Site("apic[1]", 0.9)
OWN = SpineShape(1.2, 0.3, 0.8, 0.9, cm=0.7, g_pas=3e-5, e_pas=-80.0, ra=120.0)


@pytest.fixture
def experiment(tmp_path):
    return Experiment(
        str(write(tmp_path, FORKED)),
        cables=(Cable("all", 0.8, 180.0), Cable("apical", 1.1, 140.0)),
        insertions=(Insertion("pas", "all", (("g", 4e-5), ("e", -72.0))),),
        spine_density=(SpineDensity(per_um=1.1, min_distance=50.0, shape=OWN),),
        probes=(Probe(SOMA),),
        duration=5.0,
    )


def synapses(*sites):
    return tuple(Synapse(s, "Exp2Syn", (), (1e-3,), SpikeTrain((1.0,))) for s in sites)


def test_a_density_puts_so_many_on_every_segment(experiment):
    tree = cut(experiment)
    counts = density_counts(experiment.spine_density[0], Painter(tree))
    far = path_distance(tree) > 50.0
    for node in range(tree.n_comp):
        dendrite = tree.tag[node] in (3, 4) and not tree.massless[node]
        expected = int(tree.length[node] * 1.1) if dendrite and far[node] else 0
        assert counts[node] == expected
    assert counts.sum() > 100
    assert count_spines(experiment, tree) == counts.sum()


def test_the_published_cell_has_its_spines_nodes_and_factor(data_dir):
    file = data_dir / "morphologies" / "paper" / REAL["human_l23"]
    given = apply(recipe("human_l23"), str(file))
    full = replace(given, f_factors=(), spine_density=(SpineDensity(),), nodes="neuron")
    tree = cut(full)
    assert count_spines(full, tree) == 24_994
    assert tree.n_comp + 4 * count_spines(full, tree) == 101_239
    merged = cut(replace(full, nodes="merged"))
    assert 51_000 < merged.n_comp + 2 * count_spines(full, merged) < 51_200
    assert f_factor(tree, SpineDensity()) == pytest.approx(1.9, abs=0.05)
    twigs = build(full).twigs
    assert twigs is not None
    assert twigs.multiplicity.sum() == 24_994
    assert twigs.n_twig < 1000


def test_the_numbers_of_a_spine_follow_from_its_cylinders(experiment):
    model = build(experiment)
    twigs = model.twigs
    assert twigs is not None
    assert len(twigs.kinds) == 1
    half_neck = 120 * MOHM_UM_PER_OHM_CM * 0.6 / (np.pi * 0.15**2)
    half_head = 120 * MOHM_UM_PER_OHM_CM * 0.4 / (np.pi * 0.45**2)
    neck, head = np.pi * 0.3 * 1.2, np.pi * 0.9 * 0.8
    expected = {
        "g_neck": 1 / half_neck,
        "g_head": 1 / (half_neck + half_head),
        "g_end": 1 / half_head,
        "c_neck": 0.7 * neck * NF_PER_UF_CM2_UM2,
        "c_head": 0.7 * head * NF_PER_UF_CM2_UM2,
        "leak_g_head": 3e-5 * head * US_PER_S_CM2_UM2,
        "leak_i_neck": 80.0 * 3e-5 * neck * US_PER_S_CM2_UM2,
        "area_head": head,
    }
    for name, value in expected.items():
        assert twigs.column(name) == pytest.approx(value, rel=1e-13), name


def test_what_a_shape_leaves_open_is_that_of_its_segment(experiment):
    apical, basal = Site("apic[0]", 0.9), Site("dend[0]", 0.9)
    spines = (Spine(apical, SpineShape()), Spine(basal, SpineShape()))
    twigs = build(replace(experiment, spine_density=(), spines=spines)).twigs
    assert twigs is not None
    capacitance, end = twigs.column("c_head"), twigs.column("g_end")
    assert capacitance[0] / capacitance[1] == pytest.approx(1.1 / 0.8)
    assert end[0] / end[1] == pytest.approx(180.0 / 140.0)
    assert -twigs.column("leak_i_head") / twigs.column("leak_g_head") == pytest.approx(-72.0)


def test_taken_spines_are_the_densitys_and_others_are_more(experiment):
    tree = cut(experiment)
    all_of_them = count_spines(experiment, tree)
    given = replace(experiment, spines=(Spine(TUFT, taken=True), Spine(TUFT, taken=True)))
    more = replace(experiment, spines=(Spine(TUFT), Spine(TUFT)))
    assert count_spines(given, tree) == all_of_them
    assert count_spines(more, tree) == all_of_them + 2
    many = (Spine(SOMA, taken=True), *(Spine(TUFT, taken=True) for _ in range(200)))
    here = density_counts(experiment.spine_density[0], Painter(tree))[tree.locate("apic[1]", 0.9)]
    assert 0 < here < 200
    assert count_spines(replace(experiment, spines=many), tree) == all_of_them + 201 - here
    twigs = build(given).twigs
    assert twigs is not None
    assert twigs.multiplicity.sum() == all_of_them
    assert (twigs.kind == twigs.kind[0]).all()  # the density's shape


def test_every_spine_of_a_density_can_be_a_twig_of_its_own(experiment):
    tree = cut(experiment)
    membrane = Membrane(*np.ones((3, tree.n_comp)), np.ones(tree.sections.n_section))
    one = make_twigs((experiment,), Painter(tree), membrane, tagged=False)
    each = make_twigs((experiment,), Painter(tree), membrane, tagged=False, merge=False)
    assert one is not None
    assert each is not None
    assert each.n_twig == one.multiplicity.sum()
    np.testing.assert_array_equal(np.repeat(one.parent, one.multiplicity.astype(int)), each.parent)


def test_every_instance_of_a_batch_has_its_own(experiment):
    other = replace(
        experiment,
        seed=5,
        spines=(Spine(TUFT, taken=True), Spine(Site("dend[0]", 0.9))),
        synapses=synapses(Site("spine[0]", 1.0), Site("spine[1]", 0.5), Site("apic[0]", 0.2)),
        stimuli=(CurrentClamp(SOMA, 1.0, 2.0, 0.1),),
    )
    more = replace(other, synapses=(*synapses(Site("soma[0]")), *other.synapses))
    batch = build_batch([experiment, other, more])
    assert batch.n_instance == 3
    assert batch.twigs is not None
    (points,) = (p for p in batch.placed if p.is_point)
    assert points.instance is not None
    np.testing.assert_array_equal(points.instance, [1, 1, 1, 2, 2, 2, 2])
    assert batch.clamp_instance is not None
    np.testing.assert_array_equal(batch.clamp_instance, [1, 2])
    for instance, given in enumerate((experiment, other, more)):
        alone, own = build(given), batch.twigs.select(instance, 1)
        assert alone.twigs is not None
        for name in ("parent", "multiplicity", "spine", "has_end", "kind"):
            expected = getattr(alone.twigs, name)
            if name == "kind":  # rows of other tables
                np.testing.assert_array_equal(own.kinds[own.kind], alone.twigs.kinds[expected])
            else:
                np.testing.assert_array_equal(getattr(own, name), expected)
        (own_points,) = [p for p in alone.placed if p.is_point] or [None]
        mine = points.instance == instance
        assert mine.sum() == (0 if own_points is None else len(own_points.node))
        if own_points is not None:
            assert tuple(np.array(points.synapse)[mine]) == own_points.synapse


def test_spines_at_once_are_those_one_by_one(experiment):
    """A second density without spines takes the way of several, one spine after the other."""
    rng = np.random.default_rng(3)
    names, shapes = cut(experiment).sections.name, (None, OWN, SpineShape(), SpineShape(2.0))

    def some(n):
        return tuple(
            Spine(
                Site(names[rng.integers(len(names))], float(rng.choice([0, 0.2, 0.25, 0.9, 1]))),
                shapes[rng.integers(4)],
                bool(rng.random() < 0.7),
            )
            for _ in range(n)
        )

    batch = [replace(experiment, spines=some(n)) for n in (60, 0, 1, 200)]
    heads = synapses(on_spine("end", 0), on_spine("head", 3), TUFT, on_spine("end", 150))
    batch[3] = replace(batch[3], synapses=heads)
    none = SpineDensity(per_um=0.0)
    several = [replace(e, spine_density=(*experiment.spine_density, none)) for e in batch]
    twigs, other = build_batch(batch).twigs, build_batch(several).twigs
    for field in fields(twigs):
        found, expected = getattr(twigs, field.name), getattr(other, field.name)
        np.testing.assert_array_equal(found, expected, err_msg=field.name)
    assert twigs.has_end.sum() == 2
    assert len(np.unique(twigs.kind)) > 3


def test_probes_find_a_spine_in_every_instance(experiment):
    given = replace(
        experiment,
        spines=(Spine(TUFT, taken=True),),
        synapses=synapses(Site("spine[0]", 1.0)),
        probes=(Probe(Site("spine[0]", 1.0)), Probe(Site("spine[0]", 1.0), "g_Exp2Syn")),
    )
    batch = build_batch([given, replace(given, spines=(Spine(Site("dend[0]", 0.9)),))])
    assert batch.twigs is not None
    voltage, conductance = batch.probes
    assert [row % 3 for row in np.array(voltage.rows) - batch.n_comp] == [2, 2]
    twig = (np.array(voltage.rows) - batch.n_comp) // 3
    np.testing.assert_array_equal(batch.twigs.spine[twig], [0, 0])
    assert conductance.rows == (0, 1)
    assert voltage.label == "spine[0](1) v"


def test_a_factor_multiplies_capacitance_and_leak_alone(experiment):
    plain = build(replace(experiment, spine_density=()))
    scaled = build(replace(experiment, spine_density=(), f_factors=(FFactor(1.9),)))
    tree = plain.tree
    far = (path_distance(tree) > 60.0) & np.isin(np.arange(tree.n_comp), select(tree, "dendrite"))
    ratio = scaled.capacitance[~tree.massless] / plain.capacitance[~tree.massless]
    assert ratio[far[~tree.massless]] == pytest.approx(1.9)
    g = [next(p for p in m.placed if p.mechanism.name == "pas") for m in (plain, scaled)]
    np.testing.assert_allclose(g[1].values["g"] / g[0].values["g"], ratio)
    np.testing.assert_array_equal(g[1].values["e"], g[0].values["e"])
    assert 1 < ratio.mean() < 1.9  # the soma, the axon and what is near are as before


@pytest.mark.parametrize("part", ["neck", "head", "end"])
def test_parts_of_spines_have_sites(part):
    assert place_on_spine(on_spine(part, 7)) == (7, part)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"spines": (Spine(Site("apix[1]")),)}, "spine at apix[1](0.5): the cell has no section"),
        ({"spines": (Spine(TUFT, SpineShape(neck_length=0.0)),)}, "the neck's length is 0 µm"),
        ({"spines": (Spine(TUFT, SpineShape(cm=-1.0)),)}, "cm is -1 µF/cm²"),
        ({"spine_density": (SpineDensity(per_um=-1.0),)}, "-1 spines per µm"),
        ({"synapses": synapses(Site("spine[0]", 1.0))}, "the experiment has no spine 0; it has no"),
        (
            {"spines": (Spine(TUFT),), "synapses": synapses(Site("spine[1]", 1.0))},
            "the experiment has no spine 1; it has spine[0] … spine[0]",
        ),
        (
            {"spines": (Spine(TUFT),), "probes": (Probe(Site("neck[0]", 1.0)),)},
            "neck[0](1): where a neck begins and where it ends",
        ),
        ({"spines": (Spine(TUFT),), "probes": (Probe(Site("spine[0]", 2.0)),)}, "position 2"),
        ({"f_factors": (FFactor(-1.0),)}, "F factor of region 'dendrite' is -1"),
    ],
)
def test_what_cannot_be_is_refused(experiment, changes, message):
    with pytest.raises(UserError) as error:
        build(replace(experiment, **changes))
    assert message in str(error.value)


def test_a_batch_says_what_may_not_differ(experiment):
    with pytest.raises(UserError) as error:
        build_batch([experiment, experiment, replace(experiment, dt=0.05)])
    assert str(error.value).startswith("experiments 0 and 2 of a batch differ in 'dt'; only")


def test_clamps_may_sit_on_spines(experiment):
    clamped = replace(
        experiment,
        spines=(Spine(TUFT),),
        stimuli=(CurrentClamp(Site("spine[0]", 0.5)),),
        voltage_clamps=(VoltageClamp(Site("neck[0]", 0.5)),),
    )
    model = build(clamped)
    assert model.clamp_node.tolist() == [model.n_comp + 1]
    assert model.hold_node.tolist() == [model.n_comp]


def test_no_spines_no_factor(experiment):
    tree = cut(replace(experiment, rule=Rule("fixed", 1)))
    with pytest.raises(UserError, match="no segment bears a spine"):
        f_factor(tree, SpineDensity(min_distance=1e6))
