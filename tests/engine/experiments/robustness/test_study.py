"""A study's settings are checked, its result survives as text, its numbers become sentences."""

import json
from dataclasses import replace

import pytest

from engine.errors import UserError
from engine.experiments.proportions import wilson
from engine.experiments.robustness import (
    Curve,
    Descent,
    Point,
    Result,
    Study,
    conclusion,
    from_json,
    to_json,
)

N = 1000


def curve(subject, *right, disturbance="attack", others=()):
    sizes = (0.0, 0.1, 0.2)
    points = tuple(
        Point(size, size, r, N, tuple(o[k] for o in others))
        for k, (size, r) in enumerate(zip(sizes, right, strict=False))
    )
    return Curve(subject, disturbance, points)


def result(*curves):
    study = Study((0.1, 0.2))
    return Result(study, "made", N, 2 * N, (4, 3, 2), 0.12, "key", tuple(curves), True)


ALL = (
    curve("hpc_net", 970, 900, 500),
    curve("ann", 975, 800, 480, others=((970, 790, 500),)),
    curve("encoded_ann", 972, 880, 400),
)


def test_a_result_survives_as_text():
    one = result(*ALL, curve("ann", 975, 960, disturbance="noise"))
    assert from_json(to_json(one)) == one
    row = json.loads(to_json(one))["curves"][0]["points"][1]
    interval = wilson(900, N)
    assert (row["accuracy"], row["low"], row["high"]) == (0.9, interval.low, interval.high)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda b: b.pop("format"), "this is no result of a robustness study"),
        (lambda b: b.update(version=9), "format version 9 is not 1"),
        (lambda b: b["curves"][0].update(subject="cat"), "field 'curves[0].subject'"),
        (lambda b: b["curves"][0]["points"][0].pop("right"), "missing field"),
        (lambda b: b.update(curves=3), "field 'curves'"),
    ],
)
def test_a_damaged_result_is_refused_with_its_field(change, said):
    body = json.loads(to_json(result(*ALL)))
    change(body)
    with pytest.raises(UserError, match=said.replace("[", r"\[")):
        from_json(json.dumps(body), "here.json")


@pytest.mark.parametrize(
    ("study", "said"),
    [
        (Study(()), "no epsilon is given"),
        (Study((0.1, 1.5)), "an epsilon of 1.5"),
        (Study((float("nan"),)), "an epsilon of nan"),
        (Study(n=-1), "-1 test images"),
        (Study(repeats=0), "0 trainings"),
        (Study(surrogate=Descent(0, 1, 0.1)), "of the surrogate must be positive"),
        (Study(ann=Descent(1, 1, 0.0)), "of the ANN must be positive"),
    ],
)
def test_what_makes_no_study_is_refused(study, said):
    with pytest.raises(UserError, match=said):
        study.check()


def test_spread_is_over_all_trainings():
    assert Point(0.1, 0.1, 800, N, (790, 830)).spread == (0.79, 0.83)


def test_the_lead_is_told_and_how_much_of_it_the_encoding_has():
    said = conclusion(result(*ALL))
    assert "Undisturbed, of 1,000 test images: HPC-Net 97.0 %, ANN 97.5 %" in said
    assert "at epsilon 0.1: 90.0 % against 80.0 %, 10.0 points" in said
    assert "has 88.0 % there, 80 % of that lead" in said
    assert "Than the ANN HPC-Net is, beyond chance, better at epsilon 0.1; elsewhere" in said
    assert (
        "Than the ANN behind the encoding HPC-Net is, beyond chance, better at epsilon 0.2" in said
    )


def test_a_control_that_is_better_explains_all_of_the_lead():
    passed = curve("passed_ann", 970, 950, 600)
    said = conclusion(result(*ALL, passed))
    assert "has 95.0 % there, all of that lead" in said
    assert "membranes HPC-Net is, beyond chance, worse at epsilon 0.1, 0.2." in said


def test_other_trainings_widen_what_chance_allows():
    """800 against 900 is a lead, but not where another training of the ANN has 895."""
    ann = curve("ann", 975, 800, 480, others=((970, 895, 500),))
    said = conclusion(result(ALL[0], ann, ALL[2]))
    assert "leads the ANN nowhere beyond chance" in said
    assert "HPC-Net and the ANN cannot be told apart at any epsilon" in said


@pytest.mark.parametrize(
    ("right", "said"),
    [
        (890, "0.1: 89.0 % in place of 90.0 %, within chance: its strength is not in its dend"),
        (700, "70.0 % in place of 90.0 %; dendrites do make it harder to mislead"),
        (970, "97.0 % in place of 90.0 %; dendrites make it easier to mislead"),
    ],
)
def test_what_moving_the_synapses_changes_is_told(right, said):
    assert said in conclusion(result(*ALL, curve("moved", 970, right, 501)))


def test_nothing_is_concluded_while_a_network_is_missing():
    assert conclusion(result(*ALL[:2])) == ""
    started = [replace(c, points=c.points[:1]) for c in ALL]
    assert conclusion(result(*started)) == ""
