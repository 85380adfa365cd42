"""Values along a cell: shapes, subsets, and NEURON's loops over segments with and without ends."""

from dataclasses import replace

import numpy as np
import pytest

from engine.biophysics import Painter, section_cables
from engine.discretize import Rule, discretize
from engine.distributions import Distribution
from engine.errors import UserError
from engine.experiment import Cable, Experiment, Insertion, IonValue
from engine.model import build
from engine.morphology.model import Tag
from engine.morphology.reading import read_morphology
from engine.morphology.sections import make_sections, stub_axon
from engine.regions import Subset
from engine.stimuli import Site
from tests.engine.cells_on_disk import FORKED, write
from tests.engine.neuron_cells import NeuronCell

DISTANCE = np.array([0.0, 10.0, 60.0, 100.0])
IH = Distribution(
    "exponential", 2e-4, -0.8696, 2.087, 3.6161, origin=Site("apic[0]", 0), relative=True
)
HOT = Distribution("step", 0.000555, 0.1, 0.9, start=685.0, stop=885.0, origin=Site("apic[0]", 0))


@pytest.fixture
def sections(tmp_path):
    return make_sections(read_morphology(write(tmp_path, FORKED)))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Distribution("uniform", 2.0, 0.5, 1.5), [4.0] * 4),
        (Distribution("linear", 0.01, 1.0, 0.01), [0.01, 0.011, 0.016, 0.02]),
        (Distribution("exponential", rate=-0.1), np.exp([0.0, -1.0, -6.0, -10.0])),
        (
            Distribution("sigmoid", 0.9, 0.1, 0.9, middle=60.0, width=10.0),
            [0.9 * (0.1 + 0.9 / (1 + np.exp((d - 60) / 10))) for d in DISTANCE],
        ),
        (Distribution("step", 3.0, 0.5, 1.0, start=10.0, stop=100.0), [1.5, 1.5, 4.5, 1.5]),
        (Distribution("linear", limit=50.0), [0.0, 10.0, 50.0, 50.0]),
    ],
)
def test_shapes_are_their_formulas(value, expected):
    np.testing.assert_allclose(value.at(DISTANCE), expected, rtol=1e-14)


def test_a_distribution_reads_as_its_formula():
    assert f"{IH:.3g}" == "0.0002·(-0.8696 + 2.087·exp(3.6161·d/d_max))"
    assert str(Distribution("step", start=1.0, stop=2.0)) == "[1 < d < 2]"
    assert str(Distribution("linear", 2.0, 1.0, limit=50.0)) == "2·(1 + min(d, 50))"


@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize("origin", [("soma[0]", 0.5), ("apic[0]", 1.0), ("apic[2]", 0.4)])
def test_values_are_those_of_neurons_loops(h, tmp_path, sections, ends, origin):
    """One loop over segment centers, or the one over x = 0, centers and 1 that assigns at all."""
    cell = NeuronCell(h, write(tmp_path, FORKED))
    for section in cell.by_name.values():
        section.nseg = 3
    h.distance(0, cell.by_name[origin[0]](origin[1]))
    value = Distribution("linear", 1.0, 1.0, 0.01, origin=Site(*origin))
    where = Subset(farther=60.0, nearer=260.0, origin=Site(*origin))
    for section in cell.by_name.values():
        section.cm = 0.5
        for x in [0.0, *(s.x for s in section), 1.0] if ends else [s.x for s in section]:
            if 60 < (d := h.distance(section(x))) < 260:
                section(x).cm = 1 + 0.01 * d
    tree = discretize(sections, Rule("fixed", 3), keep=[Site(*origin)])
    painted = np.full(tree.n_comp, 0.5)
    Painter(tree).paint(painted, value, "all", where, ends)
    expected = [
        cell.by_name[tree.sections.name[tree.section[i]]](tree.x[i]).cm
        for i in tree.node_of_segment
    ]
    np.testing.assert_allclose(painted[tree.node_of_segment], expected, rtol=1e-12)
    assert 3 < np.count_nonzero(painted != 0.5) < tree.n_comp - 3


def test_hays_rules_on_hays_cell(data_dir):
    """d_max, the 29 hot segments, and the 109 last segments with their end's value were measured
    in NEURON on the published model."""
    path = data_dir / "morphologies" / "paper" / "L5bPC_hay2011_cell1.asc"
    tree = discretize(make_sections(read_morphology(path)), keep=[Site("apic[0]", 0)])
    painter = Painter(tree)
    assert painter.reach("apical", Site("apic[0]", 0)) == pytest.approx(1300.5335, abs=1e-4)
    hot = np.zeros(tree.n_comp)
    painter.paint(hot, HOT, "apical", segment_ends=True)
    assert np.count_nonzero(hot == 0.000555) == 29
    apical = (tree.tag == Tag.APICAL) & ~tree.massless
    np.testing.assert_allclose(hot[apical & (hot != 0.000555)], 0.0000555)
    ends, middles = np.zeros((2, tree.n_comp))
    painter.paint(ends, IH, "apical", segment_ends=True)
    painter.paint(middles, IH, "apical")
    assert np.count_nonzero(ends != middles) == 109
    assert np.count_nonzero(apical) - 109 == 268


def test_the_spine_factor_of_eyals_cell(data_dir):
    """994 segments have the capacitance of many spines; measured in NEURON on the published one."""
    path = data_dir / "morphologies" / "paper"
    path /= "human_L23PC_eyal2018_2013_03_06_cell11_1125_H41_06.ASC"
    cables = (
        Cable(cm=0.44, ra=261.97),
        Cable("dendrite", 0.836, 261.97, Subset(farther=60.0), segment_ends=True),
    )
    model = build(Experiment(str(path), axon="stub", cables=cables))
    tree = model.tree
    membrane = ~tree.massless
    cm = model.capacitance[membrane] / tree.area[membrane] / 1e-5
    assert np.count_nonzero(np.isclose(cm, 0.836)) == 994
    assert np.count_nonzero(np.isclose(cm, 0.44)) == 1043 - 994


def test_subsets_by_name_diameter_and_whole_section(sections):
    tree = discretize(sections, Rule("fixed", 3))
    painter = Painter(tree)

    def names(where):
        covered = painter.covered("all", where)
        return {tree.sections.name[s] for s in tree.section[covered]}

    assert names(Subset(sections=("apic[1]", "dend"))) == {
        "apic[1]", *(n for n in tree.sections.name if n.startswith("dend"))
    }  # fmt: skip
    thick = painter.covered("all", Subset(thicker=1.0, thinner=3.0))
    assert set(np.flatnonzero(thick)) == set(
        np.flatnonzero((tree.diameter > 1.0) & (tree.diameter < 3.0))
    )
    parts = painter.covered("apical", Subset(farther=160.0))
    whole = painter.covered("apical", Subset(farther=160.0, whole_sections=True))
    middle = painter.distance(None)[1][tree.node_of_segment[1::3]]
    by_section = whole[tree.node_of_segment].reshape(-1, 3)
    assert (by_section.all(axis=1) | ~by_section.any(axis=1)).all()
    apical = tree.sections.tag == Tag.APICAL
    assert (whole[tree.node_of_segment[1::3]] == (apical & (middle > 160))).all()
    assert (parts != whole).any()


def test_axial_resistivity_belongs_to_sections(sections):
    cables = Cable(), Cable("all", 2.0, 50.0, Subset(farther=150.0))
    ra, cm = section_cables(cables, sections)
    tree = discretize(sections, Rule("fixed", 1))
    far = Painter(tree).distance(None)[1][tree.node_of_segment] > 150
    assert 0 < far.sum() < len(far)
    np.testing.assert_array_equal(ra, np.where(far, 50.0, 150.0))
    np.testing.assert_array_equal(cm, np.where(far, 2.0, 1.0))


def test_reversals_by_region(tmp_path):
    base = Experiment(str(write(tmp_path, FORKED)), insertions=(Insertion("hh"),))
    values = IonValue("ena", 60.0, "axon"), IonValue("ena", 40.0, "all", Subset(("axon[0]",)))
    model = build(replace(base, reversals=(("ena", 45.0),), ion_values=values))
    tree = model.tree
    inside = ~tree.massless
    axon = tree.tag == Tag.AXON
    first = np.array([tree.sections.name[s] == "axon[0]" for s in tree.section])
    expected = np.where(first, 40.0, np.where(axon, 60.0, 45.0))
    np.testing.assert_array_equal(model.ions["ena"][inside], expected[inside])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"insertions": (Insertion("pas", "all", (("g", Distribution(base=np.nan)),)),)},
            "parameter 'g' of mechanism 'pas': base of its distribution is nan",
        ),
        (
            {
                "insertions": (
                    Insertion("pas", "all", (("g", Distribution("sigmoid", width=0.0)),)),
                )
            },
            "the width of a sigmoid is 0",
        ),
        (
            {"insertions": (Insertion("pas", where=Subset(("apix",))),)},
            "the cell has no section 'apix'; did you mean 'apic'?",
        ),
        (
            {"insertions": (Insertion("pas", where=Subset(farther=9.0, nearer=3.0)),)},
            "mechanism 'pas': nothing is farther than 9 µm and nearer than 3 µm",
        ),
        (
            {"cables": (Cable(), Cable("all", Distribution("linear", -1.0)))},
            "cm must be positive in every section",
        ),
        (
            {"insertions": (Insertion("pas", "soma", (("g", replace(IH, origin=None)),)),)},
            None,
        ),
        (
            {"ion_values": (IonValue("ena", float("inf")),)},
            "'ena' of region 'all' is inf",
        ),
        (
            {"insertions": (Insertion("pas", "all", (("g", replace(HOT, origin=Site("a"))),)),)},
            "origin at a(0.5): the cell has no section 'a'",
        ),
    ],
)
def test_values_that_cannot_be_used_are_refused_in_a_sentence(tmp_path, fields, message):
    experiment = replace(Experiment(str(write(tmp_path, FORKED))), **fields)
    if message is None:
        build(experiment)  # the soma's own ends lie away from its middle
        return
    with pytest.raises(UserError, match=r"^[^\n]+$") as caught:
        build(experiment)
    assert message in str(caught.value)


def test_the_stub_axon_is_measured_along(data_dir):
    path = data_dir / "morphologies" / "paper" / "L5bPC_hay2011_cell1.asc"
    tree = discretize(stub_axon(make_sections(read_morphology(path))), Rule("fixed", 1))
    _, middle, end = Painter(tree).distance(None)
    axon = np.flatnonzero(tree.tag == Tag.AXON)
    np.testing.assert_allclose(end[axon] - middle[axon], 15.0, rtol=1e-6)
