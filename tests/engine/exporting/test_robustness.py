"""A robustness study as a table and a drawing."""

import csv
import xml.etree.ElementTree as ET
from dataclasses import replace

from engine.experiments.proportions import wilson
from engine.experiments.robustness import Curve, Point, Result, Study
from engine.exporting.robustness import COLUMNS, export_robustness_csv
from engine.exporting.robustness_figure import robustness_svg

SVG = "{http://www.w3.org/2000/svg}"


def made(complete: bool = True) -> Result:
    def points(*right: int, others: int = 0) -> tuple[Point, ...]:
        return tuple(
            Point(e, 25 / 255 if e else 0.0, r, 200, (r - 3,) * others)
            for e, r in zip((0.0, 0.1), right, strict=True)
        )

    curves = (
        Curve("hpc_net", "attack", points(190, 150)),
        Curve("ann", "attack", points(192, 140, others=2)),
        Curve("hpc_net", "noise", points(190, 188)),
    )
    return Result(Study((0.1,)), "a < b", 200, 1000, (784, 64, 10), 0.08, "k", curves, complete)


def test_the_table_has_a_row_for_every_training_with_its_interval(tmp_path):
    export_robustness_csv(made(), tmp_path / "r.csv")
    lines = (tmp_path / "r.csv").read_text("utf-8").splitlines()
    head = [line for line in lines if line.startswith("#")]
    assert "# data: a < b, 200 of 1000 test images" in head
    assert "# complete: yes" in head
    rows = list(csv.DictReader(lines[len(head) :]))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 2 + 6 + 2
    row = rows[5]
    assert (row["network"], row["training"], row["right"], row["images"]) == (
        "ann", "1", "140", "200",
    )  # fmt: skip
    told = wilson(140, 200)
    assert float(row["applied"]) == 25 / 255
    assert (float(row["wilson_low"]), float(row["wilson_high"])) == (told.low, told.high)


def test_the_drawing_has_every_curve_and_says_what_it_shows():
    drawing = robustness_svg(made())
    root = ET.fromstring(drawing)
    lines = root.findall(f"{SVG}polyline")
    assert len(lines) == 3 + 2  # curves, further trainings
    said = [text.text for text in root.iter(f"{SVG}text")]
    assert "a < b, 784–64–10: right answers to 200 test images" in said
    assert "ANN of the same shape, 3 trainings: 96.0 % undisturbed" in said
    assert any(s.endswith("darker than 0.080 gives no spike within a sample") for s in said)
    assert "not finished" in robustness_svg(made(complete=False))


def test_the_epoch_and_images_only_one_has_right_are_kept(tmp_path):
    points = Point(0.0, 0.0, 190, 200), Point(0.1, 0.1, 140, 200, (), (12, 2))
    moved = Curve("moved", "attack", points)
    one = replace(made(), epoch=3, curves=(*made().curves, moved))
    export_robustness_csv(one, tmp_path / "r.csv")
    lines = (tmp_path / "r.csv").read_text("utf-8").splitlines()
    assert "# epoch: 3" in lines
    assert lines[-1].endswith(",12,2")
    assert lines[-2].endswith(",,")
    assert "a &lt; b, 784–64–10, epoch 3: right answers" in robustness_svg(one)


def test_heights_are_accuracies():
    root = ET.fromstring(robustness_svg(made()))
    scale = {
        text.text: float(text.get("y")) - 4
        for text in root.iter(f"{SVG}text")
        if (text.text or "").endswith(" %") and text.get("text-anchor") == "end"
    }
    top, floor = scale["100 %"], scale["0 %"]
    places = {line.get("points") for line in root.findall(f"{SVG}polyline")}
    expected = [round(floor + (top - floor) * r / 200, 1) for r in (190, 150)]
    found = [[float(dot.split(",")[1]) for dot in place.split()] for place in places]
    assert expected in found


def test_themes_differ_in_ground_and_ink():
    light, dark = (robustness_svg(made(), theme) for theme in ("light", "dark"))
    assert "#ffffff" in light
    assert "#ffffff" not in dark


def test_a_result_without_points_can_be_drawn():
    empty = Result(Study(), "made", 5, 5, (4, 3, 2), 1.0, "k")
    assert robustness_svg(empty).startswith("<svg")
