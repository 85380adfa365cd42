"""Spines of an experiment on the cell: where they are drawn, what is marked and listed."""

from dataclasses import replace

import numpy as np
import pytest

from dendview.colors import THEMES, rgb, type_color
from dendview.controllers.selection import SelectionController
from dendview.describe import describe
from dendview.markers import markers_of
from dendview.scene import resolve
from dendview.spine_places import DrawnSpines, on_cell, place_of, places, spines_of
from dendview.state import AppState
from dendview.views.cell_overlay import unseen_text
from dendview.views.project_tree import Item, ProjectTree
from dendview.visuals.spines import ACTIVE_HEAD, ACTIVE_NECK, spine_geometry
from engine.experiment import Probe
from engine.morphology.model import Tag
from engine.spines import HUMAN_SPINE, Spine, SpineDensity, SpineShape, on_spine
from engine.stimuli import Site
from engine.synapses import Synapse

from .small_cell import small_cell, small_experiment

HOST = Site("apic[1]", 0.5)
SPINES = (Spine(Site("apic[0]", 0.2)), Spine(HOST, HUMAN_SPINE))
SHAPE = HUMAN_SPINE


@pytest.fixture
def state():
    experiment = small_experiment(
        spines=SPINES,
        synapses=(Synapse(on_spine("end", 1)),),
        probes=(Probe(on_spine("head", 1)), Probe(on_spine("neck", 1)), Probe(Site("soma[0]"))),
    )
    return AppState(cell=small_cell(), experiment=experiment, perspective="simulate")


def test_a_spine_stands_off_the_surface_at_a_right_angle(state):
    cell = state.cell
    drawn = spines_of(cell.sections, state.experiment)
    at, along, radius = places(cell.sections, [HOST])
    np.testing.assert_allclose(drawn.foot[1], at[0])
    reach = drawn.tip[1] - at[0]
    assert abs(reach @ along[0]) < 1e-9
    long = radius[0] + SHAPE.neck_length + SHAPE.head_length
    assert np.linalg.norm(reach) == pytest.approx(long)
    assert spines_of(cell.sections, state.experiment) is drawn  # made once


def test_places_on_a_spine_follow_one_another_outwards(state):
    cell, experiment = state.cell, state.experiment
    foot = spines_of(cell.sections, experiment).foot[1]
    way = [
        np.linalg.norm(place_of(cell.sections, experiment, on_spine(part, 1)) - foot)
        for part in ("neck", "head", "end")
    ]
    assert way[0] < way[1] < way[2]
    assert way[2] - way[1] == pytest.approx(SHAPE.head_length / 2)
    assert place_of(cell.sections, experiment, Site("soma[0]")) is None


def test_a_spine_without_a_shape_has_that_of_the_density(state):
    short = SpineShape(neck_length=0.5)
    dense = replace(state.experiment, spine_density=(SpineDensity(shape=short),))
    drawn = spines_of(state.cell.sections, dense)
    usual = spines_of(state.cell.sections, state.experiment)
    shorter = np.linalg.norm(usual.tip - usual.foot, axis=1) - np.linalg.norm(
        drawn.tip - drawn.foot, axis=1
    )
    np.testing.assert_allclose(shorter, [SpineShape().neck_length - 0.5, 0.0], atol=1e-12)


def test_what_sits_on_a_spine_is_marked_at_its_head(state):
    markers = markers_of(state)
    synapse, head, neck, soma = markers
    segment = state.cell.segment(HOST)
    assert [m.segment for m in markers] == [segment] * 3 + [state.cell.segment(Site("soma[0]"))]
    tip = spines_of(state.cell.sections, state.experiment).tip[1]
    np.testing.assert_allclose(synapse.at, tip)
    assert soma.at is None
    assert neck.at != head.at
    assert "spine[1](0.5)" in head.label


def test_spines_are_drawn_outside_of_the_training_lab(state):
    assert resolve(state).spines is spines_of(state.cell.sections, state.experiment)
    state.perspective = "training"
    assert resolve(state).spines is None


def test_a_spine_that_is_not_there_has_no_place(state):
    unknown = on_spine("end", 9)
    assert on_cell(state.experiment, unknown) == unknown
    assert place_of(state.cell.sections, state.experiment, unknown) is None
    lost = replace(state.experiment, spines=(Spine(Site("nowhere[0]")),))
    assert spines_of(state.cell.sections, lost) is None


def test_the_segment_below_is_selected_and_tells_its_spine(state):
    SelectionController(state).select_site(on_spine("end", 1))
    assert state.selection == state.cell.segment(HOST)
    groups = {group.heading: dict(group.rows) for group in describe(state).groups}
    assert groups["Spines"] == {"spine[1]": "ExpSyn, recorded, recorded"}
    SelectionController(state).select_probe(2)
    assert "Spines" not in {group.heading for group in describe(state).groups}


def test_spines_stand_in_the_project(qtbot, state):
    state.experiment = replace(state.experiment, spine_density=(SpineDensity(per_um=0.8),))
    tree = ProjectTree(state)
    qtbot.addWidget(tree)
    with qtbot.waitExposed(tree):
        tree.show()
    tree.draw_now()
    root = tree.tree.topLevelItem(0)
    rows = [root.child(i) for i in range(root.childCount())]
    (branch,) = (row for row in rows if row.text(0) == "Spines")
    texts = [branch.child(i).text(0) for i in range(branch.childCount())]
    assert texts == [
        "0.8 per µm · dendrite", "spine[0] on apic[0](0.2)", "spine[1] on apic[1](0.5)"
    ]  # fmt: skip
    clicked = []
    tree.item_clicked.connect(clicked.append)
    tree.tree.itemClicked.emit(branch.child(2), 0)
    assert clicked == [Item("spines", 1)]


def one_dot(at):
    none, flat = np.zeros(0), np.zeros((0, 3))
    return DrawnSpines(flat, flat, none, none, none, none.astype(bool), at[None], np.ones(1, bool))


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_a_synapse_behind_the_cell_is_hidden_and_one_before_it_is_seen(show, monkeypatch, theme):
    cell = small_cell()
    state = AppState(cell=cell, experiment=small_experiment(), perspective="explore", theme=theme)
    view = show(state)
    soma = cell.segment(Site("soma[0]"))
    middle = view.project(soma)
    geometry, towards = view._geometry, view.camera.turn[2]
    seen = {}
    for side in (1, -1):
        spines = one_dot(geometry.center[soma] + geometry.origin + side * 40.0 * towards)
        monkeypatch.setattr("dendview.scene.spines_of", lambda *_, spines=spines: spines)
        state.experiment = replace(state.experiment, duration=100.0 + side)  # another scene
        image = view.render_image(view.width(), view.height())
        seen[side] = image[round(middle.y()), round(middle.x()), :3].astype(int)
    dot, cable = np.array(rgb(THEMES[theme].text)), np.array(rgb(type_color(Tag.SOMA)))
    for side, near, far in ((1, dot, cable), (-1, cable, dot)):
        assert np.abs(seen[side] - near).max() < np.abs(seen[side] - far).max()


def test_other_spines_wait_for_a_closer_look(state):
    scene = resolve(state)
    assert unseen_text(scene, 0.1) == ""  # all of them are known one by one
    some = replace(scene.spines, active=np.array([True, False]))
    far = replace(scene, spines=some)
    assert unseen_text(far, 0.1) == "Zoom in for all spines"
    assert unseen_text(far, 10.0) == ""


def test_necks_end_where_heads_begin(state):
    drawn = spines_of(state.cell.sections, state.experiment)
    geometry = spine_geometry(drawn, np.zeros(3))
    necks, heads = geometry.ends[:2], geometry.ends[2:]
    np.testing.assert_array_equal(geometry.segments[:, 0], [ACTIVE_NECK] * 2 + [ACTIVE_HEAD] * 2)
    long = np.linalg.norm(heads[:, :, :3].mean(axis=1) - necks[:, 1, :3], axis=1)
    np.testing.assert_allclose(long, drawn.head_length / 2, rtol=1e-4)
