"""Register tiles against products of matrices, whole and in parts."""

import numpy as np
import pytest

from engine.experiments.hpc_net import tiles
from engine.experiments.hpc_net.tiles import COLUMNS, ROWS, SMALL_COLUMNS
from engine.mechanisms.lanes import WIDTH
from engine.mechanisms.narrow import NARROW_WIDTH

N_SLOT, N_MODE = 3, 5


@pytest.mark.parametrize(
    ("name", "width", "columns", "kind", "error"),
    [
        ("wide", WIDTH, COLUMNS, np.float64, 1e-14),
        ("narrow", NARROW_WIDTH, SMALL_COLUMNS, np.float32, 1e-5),
    ],
)
def test_a_tile_is_a_product_of_matrices_however_it_is_cut(name, width, columns, kind, error):
    rng = np.random.default_rng(0)
    a = rng.normal(size=(N_SLOT, ROWS, width)).astype(kind)
    b = rng.normal(size=(7, width, columns)).astype(kind)
    c = rng.normal(size=(ROWS, columns))
    blocks = np.array([4, 0, 6])
    start = blocks * width * columns
    expected = c + sum(
        a[s, :, :N_MODE].astype(float) @ b[block, :N_MODE] for s, block in enumerate(blocks)
    )
    flat = a.reshape(-1), 0, ROWS * width, b.reshape(-1), start
    whole, parts = c.copy().reshape(-1), c.copy().reshape(-1)
    getattr(tiles, f"_whole_{name}_tile")(N_SLOT, N_MODE, *flat, whole, 0, columns)
    quarter = getattr(tiles, f"_{name}_quarter")
    for r in range(0, ROWS, 4):
        for n in range(0, columns, width):
            at = (flat[0], r * width, *flat[2:])
            quarter(N_SLOT, N_MODE, *at, n, parts, r * columns + n, columns)
    np.testing.assert_allclose(whole.reshape(c.shape), expected, atol=error)
    np.testing.assert_array_equal(parts, whole)
