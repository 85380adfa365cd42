"""Capsules: they follow the cable, know its segments, and a soma is round."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dendview.geometry import make_geometry
from engine.discretize import discretize
from engine.errors import UserError
from engine.morphology.reading import read_morphology
from engine.morphology.sections import make_sections
from tests.dendview.made_cells import made_cell, made_sections, y_cell


def geometry_of(cell):
    return make_geometry(cell.sections, cell.trees["neuron"])


def cable(points, radius, nseg=7, tag=3):
    points = np.asarray(points, float)
    return made_cell(made_sections([points], [np.full(len(points), radius)], [-1], [tag]), nseg)


def distance_to_cable(points, ends):
    """(n,) from each point to the nearest axis of the capsules."""
    a, b = ends[:, 0, :3], ends[:, 1, :3]
    d = b - a
    t = np.einsum("nmk,mk->nm", points[:, None] - a, d) / np.maximum((d**2).sum(1), 1e-12)
    near = a + np.clip(t, 0, 1)[..., None] * d
    return np.linalg.norm(points[:, None] - near, axis=2).min(axis=1)


def test_a_straight_cable_takes_few_capsules_and_keeps_its_length():
    cell = cable(np.linspace((0, 0, 0), (0, 100, 0), 101), 1.0)
    g = geometry_of(cell)
    assert g.n_capsule < 15
    length = np.linalg.norm(g.ends[:, 1, :3] - g.ends[:, 0, :3], axis=1).sum()
    assert length == pytest.approx(100, abs=1e-3)
    assert g.along.min() == pytest.approx(0)
    assert g.along.max() == pytest.approx(7)
    assert g.segments.min() == 0
    assert g.segments.max() == 6


@given(st.integers(0, 1000), st.integers(3, 60))
@settings(max_examples=40, deadline=None)
def test_no_point_is_left_out_visibly(seed, n):
    rng = np.random.default_rng(seed)
    points = np.cumsum(rng.normal((2, 0, 0), 1, size=(n, 3)), axis=0)
    g = geometry_of(cable(points, 0.5))
    far = distance_to_cable(points - g.origin, g.ends.astype(float))
    assert far.max() <= 0.3 + 1e-3  # the tolerance of _needed_points


@given(st.integers(0, 1000), st.integers(1, 40))
@settings(max_examples=40, deadline=None)
def test_the_segment_coordinate_follows_the_arc(seed, nseg):
    """At both ends of every capsule u is nseg times the arc length over the section's length."""
    rng = np.random.default_rng(seed)
    points = np.cumsum(rng.normal(size=(20, 3)), axis=0)
    cell = cable(points, 0.2, nseg)
    g = geometry_of(cell)
    stored = cell.sections.xyz.astype(float)
    step = np.linalg.norm(np.diff(stored, axis=0), axis=1)
    u = np.concatenate([[0], np.cumsum(step)]) / step.sum() * nseg
    for end in (0, 1):
        where = np.linalg.norm(
            (stored - g.origin)[:, None] - g.ends[None, :, end, :3], axis=2
        ).argmin(0)
        np.testing.assert_allclose(g.along[:, end], u[where], atol=1e-3)
    assert np.all(np.diff(g.along, axis=1) >= 0)
    assert set(np.concatenate([np.arange(a, b + 1) for a, b in g.segments])) == set(range(nseg))


def test_a_soma_of_three_points_is_a_sphere():
    points = np.array([[-8, 0, 0], [0, 0, 0], [8, 0, 0]], float)
    g = geometry_of(cable(points, 8.0, 1, tag=1))
    assert g.n_capsule == 1
    np.testing.assert_allclose(g.ends[0, :, :3], 0, atol=0.1)
    np.testing.assert_allclose(g.ends[0, :, 3], 8, rtol=1e-6)
    np.testing.assert_allclose(g.high, (8.08, 8, 8), atol=1e-3)


def test_a_soma_of_two_points_is_round_and_as_long():
    points = np.array([[0, 0, 0], [0, 20, 0]], float)
    g = geometry_of(cable(points, 10.0, 1, tag=1))
    np.testing.assert_allclose(g.high - g.low, 20, rtol=0.02)


def test_a_long_soma_keeps_its_length():
    points = np.linspace((0, 0, 0), (40, 0, 0), 21)
    g = geometry_of(cable(points, 5.0, 3, tag=1))
    np.testing.assert_allclose(g.high - g.low, (40, 10, 10), rtol=0.05)
    assert g.segments.min() == 0
    assert g.segments.max() == 2


def test_a_wired_section_hangs_on_a_line_without_thickness():
    soma = np.array([[-5, 0, 0], [0, 0, 0], [5, 0, 0]], float)
    dendrite = np.array([[0, 30, 0], [0, 80, 0]], float)
    sections = made_sections(
        [soma, dendrite], [np.full(3, 5.0), np.ones(2)], [-1, 0], [1, 3], wired=[False, True]
    )
    g = geometry_of(made_cell(sections, [1, 2]))
    wire = np.flatnonzero(g.ends[..., 3].max(axis=1) == 0)
    assert len(wire) == 1
    np.testing.assert_allclose(g.ends[wire[0], 1, :3] + g.origin, (0, 30, 0), atol=1e-5)
    assert tuple(g.segments[wire[0]]) == (1, 1)  # it is picked as the section's first segment


def test_points_on_one_place_stay_in_their_section():
    """Files repeat points at branch points; the next section starts with no length."""
    paths = [np.array([[0, 0, 0], [0, 0, 0]]), np.array([[0, 0, 0], [0, 0, 0], [9, 0, 0]])]
    sections = made_sections(
        [p.astype(float) for p in paths], [np.ones(2), np.ones(3)], [-1, 0], [3, 3]
    )
    g = geometry_of(made_cell(sections, [2, 3]))
    assert g.segments.min() == 0
    assert g.segments.max() == 4
    assert np.all(g.segments[:, 0] <= g.segments[:, 1])


def test_every_file_can_be_drawn(data_dir):
    """Each segment of a loaded file is shown by some capsule, at a finite place."""
    files = sorted((data_dir / "morphologies" / "loader").glob("*.*"))
    drawn = 0
    for path in files:
        try:
            sections = make_sections(read_morphology(path))
            tree = discretize(sections)
        except UserError:
            continue
        g = make_geometry(sections, tree)
        assert np.isfinite(g.ends).all(), path
        assert g.segments.min() >= 0, path
        assert g.segments.max() < g.n_segment, path
        shown = np.zeros(g.n_segment, bool)
        for first, last in g.segments:
            shown[first : last + 1] = True
        assert shown[tree.length[tree.node_of_segment] > 1e-6].all(), path
        drawn += 1
    assert drawn > 20


def test_capsules_of_finds_those_that_show_a_segment():
    g = geometry_of(y_cell(nseg=9))
    for segment in (0, 5, 20):
        chosen = np.zeros(g.n_segment, bool)
        chosen[segment] = True
        expected = np.flatnonzero((g.segments[:, 0] <= segment) & (segment <= g.segments[:, 1]))
        np.testing.assert_array_equal(g.capsules_of(chosen), expected)


def test_the_apical_direction_points_from_the_soma():
    g = geometry_of(y_cell())
    np.testing.assert_allclose(g.apical, (0, 1, 0), atol=1e-6)
    assert geometry_of(cable([[0, 0, 0], [5, 0, 0]], 1.0)).apical is None
