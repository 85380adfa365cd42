"""Compartments equal NEURON's; the merged node set is the same circuit."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.compartments import path_distance
from engine.discretize import Rule, count_segments, discretize
from engine.errors import UserError
from engine.morphology.model import Sections
from engine.morphology.reading import read_morphology
from engine.morphology.samples import resolve
from engine.morphology.sections import make_sections, stub_axon
from engine.stimuli import Site
from tests.engine.neuron_sections import import_cell, nodes_of, parents_of, sections_of

UNHURRIED = settings(deadline=None, max_examples=60)
"""A loaded machine is no failure."""

CELLS = [
    "sample:ball_and_stick",
    "sample:ca3b",
    "sample:mitral",
    "sample:spn",
    "somata/1pt.swc",
    "somata/1pt_sibling.swc",
    "somata/2pt.swc",
    "somata/2pt_dend_on_root.swc",
    "somata/3pt_neuromorpho.swc",
    "somata/3pt_serial.swc",
    "somata/dend_1pt_child.swc",
    "somata/multi5_mid.swc",
    "bench/tree1k.swc",
    "bench/tree5k.swc",
    "morphologies/paper/L5bPC_hay2011_cell1.asc",
    "morphologies/paper/human_L23PC_eyal2018_2013_03_06_cell11_1125_H41_06.ASC",
    "morphologies/paper/SPN_lindroos2018_latest_WT-P270-20-14ak.swc",
    "morphologies/paper/derived/mitral_migliore2015_gid185.derived.swc",
    pytest.param("bench/tree50k.swc.gz", marks=pytest.mark.slow),
]


@pytest.mark.parametrize("name", CELLS)
def test_areas_resistances_topology_and_distances_are_those_of_neuron(h, cell_path, name):
    _cell, order = import_cell(h, cell_path(name))
    for section in order:
        section.nseg, section.Ra = 1 + 2 * int(section.L / 40), 123.0
    sections = sections_of(h, order)
    tree = discretize(sections, Rule("max_length", 40), nodes="neuron", ra=123.0)
    merged = discretize(sections, Rule("max_length", 40), ra=123.0)
    soma = next((s for s in order if "soma" in s.name()), order[0])
    truth = nodes_of(h, order, soma(0.5))
    # same operations in the same order: the same bits
    np.testing.assert_array_equal(tree.area, truth.area)
    np.testing.assert_array_equal(tree.diameter, truth.diameter)
    np.testing.assert_array_equal(tree.g_axial, 1 / truth.ri)
    row = np.argsort(truth.index)
    parent = parents_of(h, order)[truth.index]
    np.testing.assert_array_equal(tree.parent, np.where(parent < 0, -1, row[parent]))
    # sums over up to 2,000 µm of cable in another order
    np.testing.assert_allclose(path_distance(tree), truth.distance, rtol=0, atol=1e-9)
    np.testing.assert_allclose(
        path_distance(merged)[merged.node_of_segment],
        truth.distance[tree.node_of_segment],
        rtol=0,
        atol=1e-9,
    )
    np.testing.assert_array_equal(merged.area[merged.node_of_segment], truth.area[truth.area > 0])


@pytest.mark.parametrize(
    ("name", "stub", "n_nodes"),
    [
        ("L5bPC_hay2011_cell1.asc", True, 839),
        ("human_L23PC_eyal2018_2013_03_06_cell11_1125_H41_06.ASC", True, 1263),
        ("SPN_lindroos2018_latest_WT-P270-20-14ak.swc", False, 269),
    ],
)
def test_published_node_counts(data_dir, name, stub, n_nodes):
    """839 and 1263 as in the models of Hay 2011 and Eyal 2018; the SPN's axon is kept as it is."""
    sections = make_sections(read_morphology(data_dir / "morphologies/paper" / name))
    if stub:
        sections = stub_axon(sections)
    assert discretize(sections, nodes="neuron").n_comp == n_nodes


RULES = {
    "max_length:40": "forall nseg = 1 + 2*int(L/40)",
    "d_lambda:0.1": "forall nseg = int((L/(0.1*lambda_f(100))+0.9)/2)*2 + 1",
    "d_lambda:0.03": "forall nseg = int((L/(0.03*lambda_f(100))+0.9)/2)*2 + 1",
    "fixed:5": "forall nseg = 5",
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    "name", ["sample:l5b", "bench/tree1k.swc", "morphologies/paper/L5bPC_hay2011_cell1.asc"]
)
def test_segments_are_counted_as_by_hoc(h, cell_path, name, rule):
    h.load_file("stdlib.hoc")
    _cell, order = import_cell(h, cell_path(name))
    for i, section in enumerate(order):
        section.Ra, section.cm = 100.0 + i % 7, 0.5 + 0.1 * (i % 5)
    ra = np.array([s.Ra for s in order])
    cm = np.array([s.cm for s in order])
    h(RULES[rule])
    nseg = count_segments(sections_of(h, order), Rule.parse(rule), cm, ra)
    assert nseg.tolist() == [s.nseg for s in order]
    assert rule.startswith("fixed") or len(set(nseg)) > 1


def a_forest(parent, parent_x, points):
    """Sections from lists: per section its points as rows x, y, z, diameter."""
    start = np.concatenate([[0], np.cumsum([len(p) for p in points])]).astype(np.int32)
    flat = np.array([row for p in points for row in p], np.float32)
    n = len(parent)
    return Sections(
        parent=np.array(parent, np.int32),
        parent_x=np.array(parent_x, float),
        tag=np.array([1] + [3] * (n - 1), np.int32),
        name=("soma[0]", *(f"dend[{i}]" for i in range(n - 1))),
        start=start,
        xyz=flat[:, :3].copy(),
        diameter=flat[:, 3].copy(),
        point=np.arange(len(flat), dtype=np.int32),
        wired=np.zeros(n, bool),
    )


def sticks(parent, parent_x=None, length=50.0):
    points = [[(0, 0, i, 2), (length, 0, i, 1)] for i in range(len(parent))]
    return a_forest(parent, parent_x or [1.0] * len(parent), points)


@st.composite
def forests(draw):
    n = draw(st.integers(1, 12))
    parent = [
        draw(st.integers(-1, i - 1)) if i and draw(st.booleans()) else i - 1 for i in range(n)
    ]
    x = [0.0 if p < 0 else draw(st.sampled_from([0.0, 0.3, 0.5, 1.0, 1.0])) for p in parent]
    number = st.floats(-100, 100, width=32)
    size = st.floats(0.25, 8, width=32)
    points = [
        [(draw(number), 40.0 * i, draw(number), draw(size)) for i in range(draw(st.integers(2, 5)))]
        for _ in parent
    ]
    return a_forest(parent, x, points)


def matrix(tree):
    """Conductance matrix of the whole tree in µS, with 1e-3 µS/µm² of membrane."""
    m = np.diag(1e-3 * tree.area)
    for i, p in enumerate(tree.parent):
        if p >= 0:
            g = tree.g_axial[i]
            m[i, i] += g
            m[p, p] += g
            m[i, p] -= g
            m[p, i] -= g
    return m


@given(forests(), st.sampled_from([Rule("fixed", 1), Rule("fixed", 2), Rule("max_length", 30)]))
@UNHURRIED
def test_merging_is_the_schur_complement_onto_the_nodes_that_stay(sections, rule):
    full = discretize(sections, rule, nodes="neuron")
    merged = discretize(sections, rule)
    assert (merged.parent < np.arange(merged.n_comp)).all()
    assert merged.n_segment == full.n_segment == merged.nseg.sum()
    np.testing.assert_array_equal(
        merged.area[merged.node_of_segment], full.area[full.node_of_segment]
    )
    # the nodes of the merged tree, found in the full one by section and position
    place = {(s, x): i for i, (s, x) in enumerate(zip(full.section, full.x, strict=True))}
    stay = [place[key] for key in zip(merged.section, merged.x, strict=True)]
    gone = np.setdiff1d(np.arange(full.n_comp), stay)
    m = matrix(full)
    expected = m[np.ix_(stay, stay)]
    if gone.size:
        inner = m[np.ix_(gone, gone)]
        expected = expected - m[np.ix_(stay, gone)] @ np.linalg.solve(inner, m[np.ix_(gone, stay)])
    # differences of conductances up to 1e2 µS
    np.testing.assert_allclose(matrix(merged), expected, rtol=1e-9, atol=1e-9)
    # only massless nodes at which something branches are left
    children = np.bincount(merged.parent[merged.parent >= 0], minlength=merged.n_comp)
    assert (children[merged.is_end] >= 2).all()


@given(forests())
@UNHURRIED
def test_distances_do_not_depend_on_the_node_set(sections):
    full, merged = (discretize(sections, Rule("fixed", 3), nodes=n) for n in ("neuron", "merged"))
    a, b = (path_distance(t, t.locate("soma[0]", 0.5)) for t in (full, merged))
    np.testing.assert_allclose(
        a[full.node_of_segment], b[merged.node_of_segment], rtol=1e-12, atol=1e-9
    )
    roots = np.flatnonzero(full.parent < 0)
    assert np.isinf(a[roots[1:]]).all()  # other trees are infinitely far


def test_a_kept_node_survives_merging():
    sections = sticks([-1, 0, 1])
    assert discretize(sections, Rule("fixed", 1)).n_comp == 3
    for place in (("dend[1]", 1.0), Site("dend[1]", 1.0), 6):
        tree = discretize(sections, Rule("fixed", 1), keep=[place])
        assert tree.n_comp == 4
        assert tree.locate("dend[1]", 1) == 3
        assert (tree.area[3], tree.parent[3], tree.x[3]) == (0, 2, 1)
    joint = discretize(sections, Rule("fixed", 1), keep=[("dend[0]", 1.0)])
    assert joint.locate("dend[0]", 1) == joint.locate("dend[1]", 0) == 2
    with pytest.raises(UserError, match="node 99"):
        discretize(sections, keep=[99])


def test_places_are_found_as_in_neuron():
    sections = sticks([-1, 0, 0, 2], [0, 1.0, 0.5, 0.0])
    tree = discretize(sections, Rule("fixed", 3), nodes="neuron")
    at = tree.locate
    assert at("soma[0]", 0) == 0
    assert tree.is_end[at("soma[0]", 1)]
    assert [at("dend[0]", x) for x in (0.1, 0.34, 0.5, 0.99)] == [5, 6, 6, 7]
    assert at("dend[0]", 0) == at("soma[0]", 1)
    assert at("dend[1]", 0) == at("soma[0]", 0.5)
    assert at("dend[2]", 0) == at("soma[0]", 0.5)  # hangs where its parent hangs
    with pytest.raises(UserError, match=r"did you mean 'dend\[2\]'"):
        at("dendd[2]", 0.5)
    with pytest.raises(UserError, match="outside 0"):
        at("dend[0]", 1.5)


def test_every_point_knows_its_compartment():
    points = [
        [(0, 0, 0, 2), (10, 0, 0, 2), (19, 0, 0, 2), (30, 0, 0, 2)],
        [(30, 0, 0, 1), (60, 0, 0, 1)],
    ]
    sections = a_forest([-1, 0], [0, 1.0], points)
    tree = discretize(sections, Rule("fixed", 3), n_point=8)
    assert tree.segment[tree.comp_of_point[:6]].tolist() == [0, 1, 1, 2, 3, 5]
    assert tree.comp_of_point[6:].tolist() == [-1, -1]
    np.testing.assert_allclose(tree.center[:, 0], [5, 15, 25, 35, 45, 55])


def test_cable_without_length_or_diameter_stays_solvable():
    """NEURON gives 1e16 µS or NaN here; the window must still open such files."""
    points = [
        [(0, 0, 0, 10), (10, 0, 0, 10)],
        [(10, 0, 0, 2), (10, 0, 0, 2)],
        [(10, 0, 0, 0), (30, 0, 0, 0)],
    ]
    tree = discretize(a_forest([-1, 0, 1], [0, 1.0, 1.0], points), Rule("d_lambda", 0.1))
    assert (tree.area[tree.node_of_segment] > 0).all()
    assert np.isfinite(tree.g_axial).all()
    assert tree.g_axial.max() <= 1e6
    assert np.isfinite(tree.diameter).all()
    assert (tree.diameter > 0).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("max_lenght:40", "did you mean 'max_length'"),
        ("fixed", "lacks its value"),
        ("fixed:2.5", "whole number"),
        ("d_lambda:small", "'small' where a number belongs"),
        ("max_length:-4", "positive"),
        ("max_length:nan", "positive"),
        ("max_length:inf", "positive"),
    ],
)
def test_an_impossible_rule_is_refused_in_one_sentence(text, message):
    with pytest.raises(UserError, match=message) as caught:
        Rule.parse(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "rule", [Rule(), Rule("d_lambda", 0.1), Rule("fixed", 5), Rule("max_length", 100 / 3)]
)
def test_a_rule_survives_being_written(rule):
    assert Rule.parse(str(rule)) == rule


def test_impossible_cable_is_refused():
    sections = sticks([-1])
    for bad in ({"ra": 0.0}, {"ra": np.array([np.nan])}, {"cm": -1.0}):
        with pytest.raises(UserError, match="must be positive"):
            discretize(sections, **bad)
    with pytest.raises(UserError, match=r"soma\[0\] .* more than 32767 segments"):
        discretize(sections, Rule("max_length", 1e-3))
    with pytest.raises(UserError, match=r"into 13,106,800 segments, more than the 10,000,000"):
        discretize(sticks([-1] * 400), Rule("fixed", 32767))


@st.composite
def cables(draw):
    """Points of one cable with repeated points, jumps in width and widths of 0 here and there."""
    n = draw(st.integers(2, 9))
    number = st.floats(-50, 50, width=32)
    width = st.one_of(st.floats(0.125, 20, width=32), st.just(0.0))
    points = [(draw(number), draw(number), draw(number), draw(width)) for _ in range(n)]
    for i in draw(st.lists(st.integers(1, n - 1), max_size=3)):
        points[i] = (*points[i - 1][:3], points[i][3])
    return points


@given(cables(), st.integers(1, 9))
@UNHURRIED
def test_any_cable_is_integrated_as_by_neuron(h, points, nseg):
    section = h.Section(name="any")
    for point in points:
        h.pt3dadd(*point, sec=section)
    section.nseg, section.Ra = nseg, 77.0
    assume(section.L > 1e-3)  # below, the numbers are ours
    tree = discretize(a_forest([-1], [0.0], [points]), Rule("fixed", nseg), nodes="neuron", ra=77.0)
    truth = nodes_of(h, [section], section(0.5))
    solid = truth.area[1:-1] > 0
    np.testing.assert_array_equal(tree.area[1:-1][solid], truth.area[1:-1][solid])
    np.testing.assert_array_equal(tree.diameter[1:-1][solid], truth.diameter[1:-1][solid])
    np.testing.assert_array_equal(tree.g_axial[1:], 1 / truth.ri[1:])


@pytest.mark.parametrize("nodes", ["neuron", "merged"])
def test_many_places_are_located_as_one_by_one(nodes):
    sections = make_sections(read_morphology(resolve("sample:spn")))
    tree = discretize(sections, Rule("max_length", 20), nodes=nodes)
    given = [
        (name, x) for name in tree.sections.name for x in (0, 1e-9, 1 / 3, 0.5, 2 / 3, 0.99, 1)
    ]
    found = tree.locate_all([name for name, _ in given], [x for _, x in given])
    assert found.tolist() == [tree.locate(name, x) for name, x in given]
    assert tree.locate_all([], []).tolist() == []
    with pytest.raises(UserError, match=r"position 1\.5 on"):
        tree.locate_all([given[0][0]] * 2, [0.5, 1.5])
