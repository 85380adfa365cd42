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


def curve(subject, *right, disturbance="attack", others=(), only=(None, None, None)):
    sizes = (0.0, 0.1, 0.2)
    points = tuple(
        Point(size, size, r, N, tuple(o[k] for o in others), only[k])
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
    moved = curve("moved", 970, 895, 499, only=((2, 2), (7, 2), (1, 0)))
    one = replace(result(*ALL, curve("ann", 975, 960, disturbance="noise"), moved), epoch=7)
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


def test_the_largest_lead_is_one_beyond_chance():
    """At 0.2 the first ANN is further behind, but another training of it is as good as HPC-Net."""
    ann = curve("ann", 975, 800, 300, others=((970, 810, 500),))
    said = conclusion(result(ALL[0], ann, ALL[2]))
    assert "leads the ANN most at epsilon 0.1: 90.0 % against 80.0 %, 10.0 points" in said
    assert "Than the ANN HPC-Net is, beyond chance, better at epsilon 0.1; elsewhere" in said
    assert "nowhere" not in said


def test_how_many_trainings_are_behind_the_numbers_is_told():
    said = conclusion(result(*ALL))
    assert said.endswith(
        "Each ANN: 2 trainings; HPC-Net: one training, so what another one of it would change is "
        "not known."
    )


@pytest.mark.parametrize(
    ("only", "said"),
    [
        (((12, 4), (9, 8)), "; at none of the 2 sizes can the two be told apart (on the same"),
        (((15, 3), (5, 6)), "has, beyond chance, fewer images right at 1 of the 2 sizes (epsilon "
         "0.1); elsewhere the two cannot be told apart (on"),
        (((15, 3), (56, 15)), "fewer images right at 2 of the 2 sizes (epsilon 0.1, 0.2) (on"),
        (((3, 15), (56, 15)), "fewer images right at 1 of the 2 sizes (epsilon 0.2) and more "
         "images right at 1 of the 2 sizes (epsilon 0.1) (on"),
    ],
)  # fmt: skip
def test_moving_the_synapses_is_judged_by_the_images_only_one_has_right(only, said):
    """The totals differ by less than Wilson's intervals; the same images tell more."""
    right = [r - a + b for r, (a, b) in zip((900, 500), only, strict=True)]
    told = conclusion(result(*ALL, curve("moved", 970, *right, only=((0, 0), *only))))
    assert said in told
    assert "is not in its dendrites" not in told


def test_a_result_without_paired_counts_claims_nothing_on_chance():
    said = conclusion(result(*ALL, curve("moved", 970, 895, 499)))
    assert (
        "0.1: 89.5 % in place of 90.0 %; image by image the two were not compared. Each ANN" in said
    )


def test_nothing_is_concluded_while_a_network_is_missing():
    assert conclusion(result(*ALL[:2])) == ""
    started = [replace(c, points=c.points[:1]) for c in ALL]
    assert conclusion(result(*started)) == ""
