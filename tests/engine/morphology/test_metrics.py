"""Sizes of a cell, held against NEURON and against the compartment tree."""

import numpy as np
import pytest
from hypothesis import given, settings

from engine.compartments import path_distance
from engine.discretize import Rule, discretize
from engine.morphology.metrics import branch_orders, measure, tip_distances
from engine.morphology.reading import read_morphology
from engine.morphology.samples import sample_path
from engine.morphology.sections import make_sections
from tests.engine.neuron_sections import import_cell
from tests.engine.test_discretize import forests


def test_sizes_are_those_of_neuron(h, data_dir):
    path = data_dir / "morphologies/paper/L5bPC_hay2011_cell1.asc"
    cell, order = import_cell(h, path)
    soma = cell.soma[0]
    morphology = read_morphology(path)
    sections = make_sections(morphology)
    metrics = measure(morphology, sections, discretize(sections, Rule("fixed", 1)))
    assert metrics.n_section == len(order) == 195
    assert metrics.length == pytest.approx(sum(s.L for s in order))
    assert metrics.area == pytest.approx(sum(seg.area() for s in order for seg in s))
    assert metrics.soma_area == pytest.approx(soma(0.5).area())
    assert metrics.soma_length == pytest.approx(soma.L)
    farthest = max(h.distance(soma(0.5), s(1)) for s in order)
    assert metrics.max_path_distance == pytest.approx(farthest)
    assert metrics.n_tip == sum(not s.children() for s in order if s != soma)
    assert [(t.name, t.n_section) for t in metrics.by_type] == [
        ("soma", 1),
        ("axon", 1),
        ("basal", 84),
        ("apical", 109),
    ]
    assert sum(t.length for t in metrics.by_type) == pytest.approx(metrics.length)


@given(forests())
@settings(max_examples=50, deadline=None)
def test_tips_are_as_far_as_the_compartment_tree_says(sections):
    tree = discretize(sections, Rule("fixed", 1), nodes="neuron")
    distance = path_distance(tree)
    length = np.bincount(tree.section, tree.length)
    tips = tip_distances(sections, length)
    ends = distance[tree.end_node]
    begins = distance[tree.parent[tree.node_of_segment]]  # where each section hangs
    here = np.isfinite(ends)  # the soma's own tree
    here &= (sections.parent_x == 1) | (sections.parent < 0)
    here &= chain_of_ends(sections)
    np.testing.assert_allclose(tips[here], np.maximum(begins, ends)[here], rtol=1e-9, atol=1e-9)


def chain_of_ends(sections):
    """Sections joined only at 0 and 1 ends all the way: nodes lie where the joints say."""
    good = np.zeros(sections.n_section, bool)
    for s, up in enumerate(sections.parent):
        good[s] = up < 0 or (good[up] and sections.parent_x[s] == 1)
    return good


def test_branch_orders_count_branch_points():
    sections = make_sections(read_morphology(sample_path("toy15")))
    assert branch_orders(sections).tolist() == [0, 1, 1, 1, 1, 1, 1, 2, 2, 3, 3, 3, 3, 3, 3]


def test_ball_and_stick():
    morphology = read_morphology(sample_path("ball_and_stick"))
    sections = make_sections(morphology)
    m = measure(morphology, sections, discretize(sections, Rule("max_length", 20)))
    np.testing.assert_allclose((m.length, m.max_path_distance), (320, 300))
    np.testing.assert_allclose((m.soma_length, m.soma_diameter, m.soma_area), (20, 20, 400 * np.pi))
    assert [kind.name for kind in m.by_type] == ["soma", "basal"]
    basal = m.by_type[1]
    assert (basal.n_section, basal.n_segment) == (1, 31)
    np.testing.assert_allclose((basal.length, basal.area), (300, 600 * np.pi))
    np.testing.assert_allclose(np.subtract(m.high, m.low), (20, 310, 0))
    assert (m.n_tree, m.n_tip, m.n_branch_point) == (1, 1, 0)
