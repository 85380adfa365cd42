"""Recipes: the files say what the publications say, and fit real and grown cells."""

from dataclasses import replace

import numpy as np
import pytest

from engine.errors import UserError
from engine.experiment import from_json, to_json
from engine.model import Model, build
from engine.morphology.samples import SAMPLES
from engine.recipe_folder import BUILDERS, recipe_text
from engine.recipes import RECIPES, apply, recipe, recipe_path
from engine.types import FloatArray
from engine.units import NF_PER_UF_CM2_UM2

REAL = {
    "human_l23": "human_L23PC_eyal2018_2013_03_06_cell11_1125_H41_06.ASC",
    "l5b": "L5bPC_hay2011_cell1.asc",
    "ca1": "derived/CA1PC_migliore2004_n128su.derived.swc",
    "mitral": "derived/mitral_migliore2015_gid185.derived.swc",
}


@pytest.fixture(scope="module")
def models(data_dir):
    """Every recipe on the morphology of its publication."""
    folder = data_dir / "morphologies" / "paper"
    return {name: build(apply(recipe(name), str(folder / file))) for name, file in REAL.items()}


def on_segments(model: Model, mechanism: str, parameter: str) -> FloatArray:
    """(n_comp,) a parameter's value, NaN where the mechanism is not."""
    values = np.full(model.n_comp, np.nan)
    (placed,) = (p for p in model.placed if p.mechanism.name == mechanism)
    values[placed.node] = placed.values[parameter]
    return values


def at(model: Model, section: str, x: float = 0.5) -> int:
    return model.tree.locate(section, x)


@pytest.mark.parametrize("name", BUILDERS)
def test_the_file_is_what_the_builder_says(name):
    path = recipe_path(name)
    assert path.read_text("utf-8") == recipe_text(BUILDERS[name]())
    assert recipe(name) == BUILDERS[name]()
    assert from_json(to_json(recipe(name))) == recipe(name)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_fits_the_grown_cell_of_its_kind(name):
    assert SAMPLES[name].recipe == name
    assert recipe(name).morphology == f"sample:{name}"
    model = build(recipe(name))
    carried = {p.mechanism.name for p in model.placed if len(p.node)}
    assert carried >= {insertion.mechanism for insertion in recipe(name).insertions}
    assert (on_segments(model, "pas", "g")[~model.tree.massless] > 0).all()


def test_the_human_cell_is_the_published_one(models):
    model = models["human_l23"]
    tree = model.tree
    inside = ~tree.massless
    assert (tree.sections.n_section, tree.n_segment) == (219, 1043)
    cm = model.capacitance[inside] / tree.area[inside] / NF_PER_UF_CM2_UM2
    g = on_segments(model, "pas", "g")[inside]
    spiny = np.isclose(cm, 1.9 * 0.44)
    assert np.count_nonzero(spiny) == 994
    np.testing.assert_allclose(g, np.where(spiny, 1.9, 1.0) / 48300, rtol=1e-14)
    assert on_segments(model, "NaTg", "gbar")[at(model, "axon[1]")] == 5.99773
    assert on_segments(model, "NaTg", "slope_h")[at(model, "axon[1]")] == 6
    assert on_segments(model, "NaTg", "vshift_h")[at(model, "soma[0]")] == 11.8779
    for insertion in recipe("human_l23").insertions:
        if insertion.mechanism != "pas":
            (placed,) = (p for p in model.placed if p.mechanism.name == insertion.mechanism)
            assert len(placed.node) == 3  # soma and stub


def test_the_l5b_cell_is_the_published_one(models):
    model = models["l5b"]
    tree = model.tree
    assert (tree.sections.n_section, tree.n_segment) == (196, 642)
    assert tree.diameter[at(model, "axon[0]")] == 1
    assert tree.sections.parent_x[tree.sections.name.index("axon[0]")] == 0.5
    apical = (tree.tag == 4) & ~tree.massless
    high = on_segments(model, "Ca_HVA", "gbar")[apical]
    low = on_segments(model, "Ca_LVAst", "gbar")[apical]
    hot = high == 0.000555
    assert np.count_nonzero(hot) == 29
    np.testing.assert_allclose(high[~hot], 0.0000555, rtol=1e-14)
    np.testing.assert_allclose(low, np.where(hot, 0.0187, 0.000187), rtol=1e-14)
    ih = on_segments(model, "Ih", "gbar")
    assert ih[at(model, "soma[0]")] == ih[at(model, "dend[3]")] == 2e-4
    # at the farthest tip d is d_max; the last segment has the value of its end
    assert ih[apical].max() == pytest.approx(2e-4 * (-0.8696 + 2.087 * np.exp(3.6161)), rel=1e-12)
    assert np.isnan(ih[at(model, "axon[0]")])
    assert on_segments(model, "CaDynamics_E2", "decay")[at(model, "apic[0]")] == 122


def test_channels_of_the_ca1_cell_grow_with_distance(models):
    model = models["ca1"]
    tree = model.tree
    apical = (tree.tag == 4) & ~tree.massless
    near, far = (on_segments(model, name, "gbar")[apical] for name in ("kap", "kad"))
    proximal, distal = np.nan_to_num(near) > 0, np.nan_to_num(far) > 0
    assert not (proximal & distal).any()
    assert 0 < near[proximal].min() < near[proximal].max() <= 0.02 < far[distal].min()
    hd, half = on_segments(model, "hd", "gbar"), on_segments(model, "hd", "vhalf")
    active = ~np.isnan(hd[apical])
    np.testing.assert_array_equal(active, proximal | distal)
    soma = at(model, "soma[0]")
    assert (hd[soma], half[soma]) == (5e-5, -73.0)
    assert np.isnan(hd[tree.tag == 3]).all()  # none in basal dendrites
    assert np.nanmax(hd) == pytest.approx(5e-5 * 16)  # the distance counts to 500 µm
    np.testing.assert_array_equal(half[apical][active], np.where(distal[active], -81.0, -73.0))
    assert np.nanmax(on_segments(model, "na3", "ar")[apical]) == 0.7
    thin = tree.diameter[apical] < 0.3
    assert not active[thin].any()
    assert on_segments(model, "nax", "gbar")[at(model, "axon[0]")] == 0.06


def test_the_mitral_cell_has_a_hillock_and_an_initial_segment(models):
    model = models["mitral"]
    tree = model.tree
    axon = [tree.sections.name.index(name) for name in ("axon[0]", "axon[1]")]
    lengths = [tree.length[tree.section == s].sum() for s in axon]
    np.testing.assert_allclose(lengths, [5.0, 30.0], rtol=1e-5)  # points are single precision
    assert tree.sections.parent_x[axon[0]] == 0
    assert on_segments(model, "kamt", "gbar")[at(model, "axon[1]")] == 0.08
    assert on_segments(model, "nax", "sh")[at(model, "apic[0]")] == 10
    assert on_segments(model, "nax", "sh")[at(model, "soma[0]")] == 0
    assert on_segments(model, "pas", "g")[at(model, "axon[0]")] == 1e-3


def test_a_recipe_goes_to_another_cell_as_it_is():
    given = recipe("mitral")
    moved = apply(given, "sample:spn")
    assert replace(moved, morphology=given.morphology) == given
    build(moved)
    with pytest.raises(UserError, match=r"apic\[0\]") as caught:
        build(apply(recipe("l5b"), "sample:ball_and_stick"))  # it has no apical dendrite
    assert "\n" not in str(caught.value)


def test_an_unknown_recipe_is_refused():
    with pytest.raises(UserError, match="there is no recipe 'l5'; did you mean 'l5b'"):
        recipe("l5")
