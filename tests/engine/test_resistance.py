"""The resistance a cell's steady membrane opposes a current with, against runs of the engine."""

from dataclasses import replace

import numpy as np
import pytest

from engine.biophysics import Painter
from engine.experiment import Cable, Experiment, Insertion, Probe
from engine.mechanisms.loading import library
from engine.model import build, cut
from engine.recipes import RECIPES, recipe
from engine.recording import collect
from engine.resistance import Membrane, resting_voltage, steady_conductance, transfer_resistance
from engine.simulation import simulate
from engine.spines import SpineDensity, SpineShape
from engine.stimuli import CurrentClamp, Site
from engine.twigs import count_spines, density_counts
from engine.units import US_PER_S_CM2_UM2

SOMA, TIP = Site("soma[0]"), Site("dend[0]", 0.95)


def stick(**changes) -> Experiment:
    leak = Insertion("pas", "all", (("g", 1e-4), ("e", -70.0)))
    known = {"insertions": (leak,), "v_init": -70.0, "cables": (Cable("all", 1.0, 100.0),)}
    return Experiment("sample:ball_and_stick", **(known | changes))


def moved(experiment: Experiment, where: Site, amplitude: float) -> dict[Site, float]:
    """mV by which a long weak pulse moves soma and tip, for each nA."""
    probes = (Probe(SOMA), Probe(TIP))
    clamp = CurrentClamp(where, 150.0, 150.0, amplitude)
    experiment = replace(experiment, probes=probes, stimuli=(clamp,), duration=300.0)
    model = build(experiment)
    values = collect(model, simulate(model, "cpu")).values[:, 0]
    before = values[:, round(149 / experiment.dt)]
    return dict(zip((SOMA, TIP), (values[:, -1] - before) / amplitude, strict=True))


@pytest.mark.parametrize("where", [SOMA, TIP])
def test_a_passive_cell_moves_as_far_as_computed(where):
    experiment = stick()
    tree = cut(experiment)
    node = {site: tree.locate(site.section, site.x) for site in (SOMA, TIP)}
    r = transfer_resistance(tree, steady_conductance(experiment, tree), node[where])
    for site, expected in moved(experiment, where, 0.01).items():
        assert r[node[site]] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("given", "leak"), [(None, 1e-4), (4e-4, 4e-4)])
def test_spines_leak_too(given, leak):
    shape = SpineShape(g_pas=given)
    experiment = stick(spine_density=(SpineDensity(shape=shape),))
    tree = cut(experiment)
    more = steady_conductance(experiment, tree)
    more -= steady_conductance(replace(experiment, spine_density=()), tree)
    area = count_spines(experiment, tree) * (shape.head_area + shape.neck_area)
    assert area > 0
    assert more.sum() == pytest.approx(area * leak * US_PER_S_CM2_UM2)


def test_transfer_is_the_same_both_ways():
    experiment = stick()
    tree = cut(experiment)
    g = steady_conductance(experiment, tree)
    a, b = 3, tree.n_comp - 1
    there, back = transfer_resistance(tree, g, a), transfer_resistance(tree, g, b)
    assert there[b] == pytest.approx(back[a], rel=1e-12)
    assert there[a] > there[b] > 0


def test_gates_count_as_a_small_negative_pulse_meets_them():
    hh = Insertion("hh", "soma", (("gnabar", 1.2), ("gkbar", 0.36)))
    leak = Insertion("pas", "dendrite", (("g", 5e-5), ("e", -71.0)))
    experiment = stick(insertions=(hh, leak), v_init=-71.0)
    tree = cut(experiment)
    soma, expected = tree.locate("soma[0]", 0.5), moved(experiment, SOMA, -0.002)[SOMA]
    resting = transfer_resistance(tree, steady_conductance(experiment, tree, at_rest=True), soma)
    assert resting[soma] == pytest.approx(expected, rel=0.01)  # the pulse bends the curve a little
    started = transfer_resistance(tree, steady_conductance(experiment, tree), soma)
    assert started[soma] == pytest.approx(expected, rel=0.1)  # 0.3 mV below rest
    passive = replace(experiment, insertions=(replace(hh, mechanism="pas", parameters=()), leak))
    assert not np.allclose(steady_conductance(passive, tree), steady_conductance(experiment, tree))


def test_a_cell_rests_where_a_long_run_ends():
    hh = Insertion("hh", "soma", (("gnabar", 1.2), ("gkbar", 0.36)))
    leak = Insertion("pas", "dendrite", (("g", 5e-5), ("e", -62.0)))
    experiment = stick(insertions=(hh, leak), v_init=-72.0, probes=(Probe(SOMA), Probe(TIP)))
    model = build(replace(experiment, duration=400.0))
    ends = collect(model, simulate(model, "cpu")).values[:, 0, -1]
    tree = cut(experiment)
    found = resting_voltage(Membrane(experiment, tree), tree, np.full(tree.n_comp, -72.0))
    nodes = [tree.locate(site.section, site.x) for site in (SOMA, TIP)]
    np.testing.assert_allclose(found[nodes], ends, atol=0.01)  # NEAR, and what 400 ms leave
    assert found[nodes[1]] - found[nodes[0]] > 0.3  # no one voltage for all


def test_spines_rest_with_their_own_leak():
    spiny = SpineDensity(shape=SpineShape(g_pas=1e-3, e_pas=-40.0))
    experiment = stick(spine_density=(spiny,))
    tree = cut(experiment)
    found = resting_voltage(Membrane(experiment, tree), tree, np.full(tree.n_comp, -70.0))
    counts = density_counts(spiny, Painter(tree))
    area = counts * (spiny.shape.head_area + spiny.shape.neck_area)
    inward = (area * 1e-3 * (-40.0 - found)).sum()
    outward = (tree.area * 1e-4 * (found + 70.0)).sum()
    assert inward == pytest.approx(outward, rel=1e-3)
    assert found.max() > -65


def test_a_balance_that_is_far_away_is_no_rest():
    leak = Insertion("pas", "all", (("g", 1e-4), ("e", -20.0)))
    experiment = stick(insertions=(leak,))
    tree = cut(experiment)
    start = np.full(tree.n_comp, -70.0)
    assert resting_voltage(Membrane(experiment, tree), tree, start) is None
    at_rest = steady_conductance(experiment, tree, at_rest=True)
    np.testing.assert_array_equal(at_rest, steady_conductance(experiment, tree))


@pytest.mark.parametrize("name", RECIPES)
def test_every_published_membrane_has_one(name):
    experiment = recipe(name)
    tree = cut(experiment)
    g = steady_conductance(experiment, tree)
    assert np.isfinite(g).all()
    assert (g[~tree.massless] > 0).all()
    assert not g[tree.massless].any()
    assert 10 < transfer_resistance(tree, g, tree.locate("soma[0]", 0.5))[0] < 100  # MΩ


def test_every_density_mechanism_of_the_library_is_understood():
    for mechanism in library().values():
        if mechanism.kind == "density":
            experiment = stick(insertions=(Insertion("pas"), Insertion(mechanism.name)))
            g = steady_conductance(experiment, cut(experiment))
            assert np.isfinite(g).all(), mechanism.name
