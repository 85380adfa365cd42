"""Random trees for property tests."""

import numpy as np
from hypothesis import strategies as st

from engine.types import IntArray


@st.composite
def parents(draw, max_size: int = 60, forest: bool = True) -> IntArray:
    """Parent arrays, parents first: bushes, cables and (unless one tree is wanted) forests."""
    n = draw(st.integers(1, max_size))
    reach = draw(st.sampled_from([1, 2, 5, max_size]))  # 1 makes a cable, max_size a bush
    lowest = -1 if forest and draw(st.booleans()) else 0
    parent = [-1]
    for i in range(1, n):
        parent.append(draw(st.integers(max(lowest, i - reach), i - 1)))
    return np.array(parent, np.int32)


@st.composite
def tree_systems(draw, max_size: int = 60):
    """Diagonally dominant tree systems ``(parent, g_axial µS, diag µS, rhs nA)``."""
    parent = draw(parents(max_size))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    g_axial = np.where(parent >= 0, rng.uniform(0.01, 10, parent.size), 0.0)
    diag = rng.uniform(0.1, 2, parent.size) + g_axial
    np.add.at(diag, parent[parent >= 0], g_axial[parent >= 0])
    return parent, g_axial, diag, rng.normal(0, 1, parent.size)
