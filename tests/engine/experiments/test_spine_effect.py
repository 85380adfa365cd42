"""What spines do, where it can be told by hand."""

import math
from dataclasses import replace

import pytest

from engine.errors import UserError
from engine.experiments.spike_presets import preset
from engine.experiments.spine_effect import SpineEffect, spine_effect, usual_site
from engine.stimuli import Site

STUDY = preset("quick")


def with_shape(**changes: float):
    return replace(
        STUDY, spines=replace(STUDY.spines, shape=replace(STUDY.spines.shape, **changes))
    )


@pytest.fixture(scope="module")
def usual() -> SpineEffect:
    return spine_effect(STUDY, "few")


def test_numbers_that_follow_from_the_shape(usual):
    assert usual.n_spines == 25183
    # 261.97 Ω·cm along 1.35 µm of 0.25 µm: 72 MΩ
    assert usual.neck_resistance == pytest.approx(2.6197 * 1.35 / (math.pi * 0.125**2))
    assert usual.factor == pytest.approx(1.9, abs=0.03)  # the published one is 1.9
    assert 35 < usual.input_resistance < 45  # NEURON: 39.3 MΩ on the published cell
    assert usual.spine > usual.dendrite > usual.soma > 0.1


def test_a_thinner_neck_holds_the_potential_in_the_spine(usual):
    thin = spine_effect(with_shape(neck_diameter=0.1), "few")
    assert thin.neck_resistance == pytest.approx(6.25 * usual.neck_resistance)
    assert thin.spine > 1.5 * usual.spine
    assert thin.dendrite < usual.dendrite


def test_more_spines_take_resistance_and_a_cell_without_any_has_the_most():
    resistance = [
        spine_effect(
            replace(STUDY, spines=replace(STUDY.spines, per_um=n)), "full"
        ).input_resistance
        for n in (0.0, 1.3, 2.6)
    ]
    assert resistance[0] > 1.3 * resistance[1] > 1.3 * resistance[2]


def test_the_spine_sits_where_asked_or_at_a_usual_distance(usual):
    assert usual.site == usual_site(STUDY)
    near = spine_effect(STUDY, "few", Site("dend[0]", 0.9))
    assert near.site == Site("dend[0]", 0.9)
    assert near.soma > usual.soma


def test_what_cannot_be_is_one_sentence():
    with pytest.raises(UserError, match="neck"):
        spine_effect(with_shape(neck_diameter=0.0))
    with pytest.raises(UserError, match="nowhere"):
        spine_effect(STUDY, "few", Site("nowhere[0]"))
