"""Drawings of a training's results: every number that is given is in them."""

import base64
import re
import xml.etree.ElementTree as ET

import numpy as np

from engine.experiments.hpc_net.analysis import count_weights
from engine.exporting.training_results_figure import (
    Passage,
    samples_svg,
    span,
    steps,
    voltages_svg,
    weights_svg,
)

SVG = "{http://www.w3.org/2000/svg}"


def passage():
    time = np.linspace(0, 50, 26)
    before, after = np.zeros((4, 26)), np.linspace(0, 4, 4)[:, None] * time / 50
    output = np.stack([time, -time, 0.5 * time])
    spike = np.array([12.0, 30.0, 44.0]), np.array([2, 0, 2], np.int32)
    return Passage(
        time, *spike, 9, (1, 3), before, after, output, "abc", 1, (20.0, 50.0),
        ("untrained", "epoch 3"),
    )  # fmt: skip


def test_spikes_hidden_and_output_voltages_share_the_time():
    tree = ET.fromstring(voltages_svg(passage(), "Image 3 <b>"))
    lines = [e.get("points") for e in tree.iter(f"{SVG}polyline")]
    assert len(lines) == 2 * 2 + 3  # before and after of two neurons, three outputs
    ends = {points.split()[-1].split(",")[0] for points in lines}
    assert len(ends) == 1
    (dots,) = [e.get("d") for e in tree.iter(f"{SVG}path")]
    assert dots.count("M") == 3
    x = [float(v) for v in re.findall(r"M([\d.]+) ", dots)]
    assert x == sorted(x)
    texts = [e.text for e in tree.iter(f"{SVG}text")]
    assert {"neuron 1", "neuron 3", "a", "b", "c", "Image 3 <b>", "time (ms)"} <= set(texts)


def test_the_highest_voltage_is_drawn_highest():
    tree = ET.fromstring(voltages_svg(passage(), "t"))
    outputs = [e.get("points") for e in tree.iter(f"{SVG}polyline")][-3:]
    last = [float(points.split()[-1].split(",")[1]) for points in outputs]
    assert last[0] < last[2] < last[1]  # y counts from the top


def test_histograms_hold_every_bin():
    rng = np.random.default_rng(1)
    hidden = count_weights([rng.normal(size=90), 2 * rng.normal(size=90)], 11)
    output = count_weights([rng.normal(size=40)] * 2, 7)
    tree = ET.fromstring(weights_svg(hidden, output, ("untrained", "epoch 3"), "w"))
    paths = [e.get("d") for e in tree.iter(f"{SVG}path")]
    assert [path.count("L") for path in paths] == [23, 23, 15, 15]
    texts = [e.text for e in tree.iter(f"{SVG}text")]
    assert {"untrained", "epoch 3"} <= set(texts)


def test_samples_are_pictures_with_captions():
    images = np.zeros((9, 4, 4))
    images[3] = 1.0
    captions = [(f"{k} → 0", "98 %") for k in range(9)]
    tree = ET.fromstring(samples_svg(images, captions, "wrong"))
    pictures = [e.get("href") for e in tree.iter(f"{SVG}image")]
    assert len(pictures) == 9
    assert pictures[3] != pictures[0] == pictures[8]
    raw = base64.b64decode(pictures[0].partition(",")[2])
    assert raw.startswith(b"\x89PNG")
    assert len({e.get("y") for e in tree.iter(f"{SVG}image")}) == 2  # eight stand side by side
    assert ET.fromstring(samples_svg(np.zeros((0, 4, 4)), [], "none")) is not None


def test_axes_hold_all_values_and_zero():
    low, high = span([np.array([2.0, 5.0])])
    assert low < 0 < 5 < high
    assert span([np.zeros(3)]) == (-1.0, 1.0)
    assert steps(-1.0, 1.0, 4) == [-1.0, -0.5, 0.0, 0.5, 1.0]
