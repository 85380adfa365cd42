"""Color tables: sizes, contrast, and neighbors that differ."""

import numpy as np
import pytest

from dendview.colors import (
    OKABE_ITO,
    THEMES,
    color_map,
    contrast,
    hex_color,
    map_for,
    readable,
    rgb,
    table,
    thread_colors,
    type_color,
    type_name,
)


@pytest.mark.parametrize("k", [1, 2, 8, 9, 16, 31, 32, 256, 1024])
def test_threads_next_to_each_other_differ(k):
    colors = thread_colors(k).astype(int)
    assert colors.shape == (k, 3)
    if k > 1:
        assert np.abs(np.diff(colors, axis=0)).sum(axis=1).min() > 60


def test_up_to_eight_threads_are_okabe_ito():
    np.testing.assert_array_equal(thread_colors(8), table(OKABE_ITO))


@pytest.mark.parametrize("name", ["viridis", "cividis", "inferno"])
def test_maps_have_256_colors_of_rising_lightness(name):
    colors = color_map(name)
    assert colors.shape == (256, 3)
    light = colors @ [0.2126, 0.7152, 0.0722]
    assert np.all(np.diff(light) > -1.5)  # rounding to whole numbers
    assert not colors.flags.writeable


def test_viridis_is_the_published_one():
    np.testing.assert_array_equal(color_map("viridis")[[0, 255]], [(68, 1, 84), (253, 231, 37)])


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_text_and_maps_stand_out_from_their_ground(theme):
    colors = THEMES[theme]
    for text in (colors.text, colors.muted):
        for ground in (colors.window, colors.panel, colors.canvas):
            assert contrast(rgb(text), rgb(ground)) >= 4.5
    for end in map_for(theme)[[0, 255]]:
        assert contrast(end, rgb(colors.canvas)) > 1.5


def test_readable_reaches_its_ratio_and_leaves_readable_colors():
    assert contrast(readable(rgb("#F0E442"), (255, 255, 255), 3.0), (255, 255, 255)) >= 3.0
    assert hex_color(readable(rgb("#F0E442"), (0, 0, 0), 3.0)) == "#f0e442"


def test_types_have_names_and_colors():
    assert type_color(1) == "#E69F00"
    assert type_name(3) == "basal dendrite"
    assert type_name(77) == "type 77"
    assert type_color(77) in OKABE_ITO
