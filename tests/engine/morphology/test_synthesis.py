"""The sample cells: grown the same every time, as large as the cells they stand for, and sound."""

from itertools import pairwise

import numpy as np
import pytest

from engine.compartments import path_distance
from engine.discretize import Rule, discretize
from engine.errors import UserError
from engine.morphology.doctor import examine
from engine.morphology.model import Tag
from engine.morphology.reading import read_morphology
from engine.morphology.samples import SAMPLES, folder, resolve, sample_path
from engine.morphology.sections import make_sections
from engine.morphology.synthesis import RECIPES, TOY_PARENT, swc_text
from engine.sample_folder import TARGETS, size_of, write_samples
from engine.schedule import make_schedule
from tests.engine.neuron_sections import import_cell


@pytest.fixture(scope="module")
def cells():
    return {name: read_morphology(sample_path(name)) for name in SAMPLES}


def test_writing_the_samples_again_gives_the_same_bytes(tmp_path):
    write_samples(tmp_path)
    written = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    cells = (p for p in folder().iterdir() if not p.name.startswith("digits-"))
    shipped = {p.name: p.read_bytes() for p in cells}
    assert written.keys() == shipped.keys()
    assert [name for name in shipped if written[name] != shipped[name]] == []


@pytest.mark.parametrize("name", RECIPES)
def test_a_sample_says_how_it_was_made_and_is_small(name):
    path = sample_path(name)
    head = path.read_text("utf-8").split("\n")[:4]
    assert f"recipe {name}, seed {RECIPES[name][1]};" in head[1]
    assert "DendView" in head[1]
    assert path.stat().st_size < 250_000
    assert path.read_text("utf-8") == swc_text(name)


@pytest.mark.parametrize("name", TARGETS)
def test_samples_are_as_large_as_the_published_models(name):
    size, target = size_of(name, sample_path(name)), TARGETS[name]
    assert size.n_section == pytest.approx(target.n_section, rel=0.15)
    assert size.length == pytest.approx(target.length, rel=0.15)
    assert size.n_node == pytest.approx(target.n_node, rel=0.15)
    assert size.area == pytest.approx(target.area, rel=0.15)
    if target.soma is not None:
        assert size.soma == pytest.approx(target.soma, rel=0.15)


@pytest.mark.parametrize("name", SAMPLES)
def test_the_doctor_finds_nothing(name):
    assert examine(sample_path(name)) == ()


@pytest.mark.parametrize("name", TARGETS)
def test_branches_bend_smoothly_and_touch_no_one_else(cells, name):
    """No straight sticks, no kinks, no point inside another branch, as in a real cell."""
    m = cells[name]
    sections = make_sections(m)
    forks = np.flatnonzero(np.bincount(m.parent[m.parent >= 0], minlength=m.n_point) > 1)
    kinks, straight = 0, []
    for a, b in pairwise(sections.start):
        xyz = sections.xyz[a:b].astype(float)
        step = np.diff(xyz[1:], axis=0)  # the first piece leaves the parent at the fork's angle
        length = np.linalg.norm(step, axis=1)
        if len(step) > 1:
            turn = (step[1:] * step[:-1]).sum(axis=1) / (length[1:] * length[:-1])
            kinks += int((turn < 0).sum())
        if length.sum() > 100:
            straight.append(np.linalg.norm(xyz[-1] - xyz[1]) / length.sum())
    assert kinks <= 0.01 * len(forks)
    if straight:
        assert 0.7 < np.median(straight) < 0.995
    # branches may cross in space, but seldom: points nearer than their radii, far along the cell
    rng = np.random.default_rng(0)
    some = rng.choice(m.n_point, 300, replace=False)
    distance = path_distance(discretize(sections, Rule("fixed", 1)))
    assert np.isfinite(distance).all()
    near = np.linalg.norm(m.xyz[some, None] - m.xyz[None], axis=2)
    touching = near < 0.5 * (m.radius[some, None] + m.radius[None])
    for k, i in enumerate(some):
        touching[k, np.abs(np.arange(m.n_point) - i) < 30] = False
        touching[k, m.tag == Tag.SOMA] = False
        touching[k, np.linalg.norm(m.xyz - m.xyz[i], axis=1) == 0] = False
    assert touching.any(axis=1).mean() < 0.06


@pytest.mark.parametrize("name", TARGETS)
def test_dendrites_get_thinner_towards_their_tips(cells, name):
    m = cells[name]
    n_child = np.bincount(m.parent[m.parent >= 0], minlength=m.n_point)
    dendrite = np.isin(m.tag, (Tag.BASAL, Tag.APICAL))
    tips = dendrite & (n_child == 0)
    stems = dendrite & (m.tag[m.parent] == Tag.SOMA)
    assert m.radius[tips].min() > 0.1
    assert np.median(m.radius[tips]) < 0.75 * np.median(m.radius[stems])
    forks = dendrite & (n_child > 1)
    for fork in np.flatnonzero(forks):
        widest = m.radius[np.flatnonzero(m.parent == fork)].max()
        assert widest < 1.35 * m.radius[fork]  # unevenness of 5 % apart, children are thinner


@pytest.mark.parametrize("name", ["ca1", "ca3b", "l5b", "human_l23"])
def test_pyramidal_cells_stand_upright(cells, name):
    m = cells[name]
    y = m.xyz[:, 1]
    assert y[m.tag == Tag.APICAL].max() > 400
    assert y[m.tag == Tag.APICAL].min() > 0
    assert np.median(y[m.tag == Tag.BASAL]) < 0 < np.median(y[m.tag == Tag.APICAL])


def test_shapes_of_the_others(cells):
    fan = np.ptp(cells["purkinje"].xyz[cells["purkinje"].tag == Tag.BASAL], axis=0)
    assert fan[2] < 0.1 * min(fan[:2])  # flat
    ball = cells["spn"].xyz[cells["spn"].tag == Tag.BASAL]
    assert np.ptp(ball, axis=0).min() > 0.7 * np.ptp(ball, axis=0).max()  # round
    laterals = np.ptp(cells["mitral"].xyz[cells["mitral"].tag == Tag.BASAL], axis=0)
    assert laterals[1] < 0.15 * min(laterals[0], laterals[2])  # a disc


def test_the_toy_is_the_papers_tree_and_gives_its_partition(cells):
    """Zhang et al. 2023, Fig. 2d."""
    info = SAMPLES["toy15"]
    sections = make_sections(cells["toy15"])
    tree = discretize(sections, Rule.parse(info.rule), nodes=info.nodes)
    assert tuple(tree.parent) == TOY_PARENT
    assert tree.comp_of_point.tolist() == list(range(15))
    schedule = make_schedule(tree, "dhs", 4)
    steps = [set(schedule.node[a:b].tolist()) for a, b in pairwise(schedule.step_start.tolist())]
    assert steps == [{9, 10, 12, 14}, {1, 7, 11, 13}, {2, 3, 4, 8}, {6}, {5}]
    assert (tree.area > 0).all()


def test_ball_and_stick_has_the_sizes_it_names(cells):
    tree = discretize(make_sections(cells["ball_and_stick"]), Rule.parse("max_length:20"))
    soma = tree.section == 0
    assert tree.area[soma].sum() == pytest.approx(400 * np.pi)
    assert tree.length[~soma].sum() == pytest.approx(300)
    assert tree.area[~soma].sum() == pytest.approx(600 * np.pi)


@pytest.mark.parametrize("name", [n for n in SAMPLES if n != "toy15"])
def test_neuron_makes_the_same_sections(h, name):
    _cell, order = import_cell(h, sample_path(name))
    sections = make_sections(read_morphology(sample_path(name)))
    tree = discretize(sections, Rule("fixed", 1))
    lengths = np.bincount(tree.section, tree.length)
    assert len(order) == sections.n_section
    np.testing.assert_allclose(sorted(lengths), sorted(s.L for s in order), rtol=1e-9)


def test_a_sample_is_found_by_name_and_a_path_goes_through():
    assert resolve("sample:l5b") == sample_path("l5b")
    assert str(resolve("some/cell.swc")) == "some/cell.swc"
    with pytest.raises(UserError, match="did you mean 'purkinje'"):
        resolve("sample:purkinie")
    with pytest.raises(UserError, match="there are human_l23"):
        resolve("sample:xyzzy")


def test_a_missing_sample_is_said_with_the_way_out(monkeypatch, tmp_path):
    monkeypatch.setattr("engine.morphology.samples.folder", lambda: tmp_path)
    with pytest.raises(UserError, match="missing; reinstall"):
        sample_path("l5b")
