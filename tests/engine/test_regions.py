"""Regions choose nodes by the structure type of the file."""

from typing import get_args

import numpy as np
import pytest

from engine.discretize import Rule, discretize
from engine.errors import UserError
from engine.morphology.model import Sections
from engine.regions import Region, select

TAGS = [1, 2, 3, 4, 4, 7]


@pytest.fixture
def tree():
    n = len(TAGS)
    xyz = np.array([[(0, i, 0), (30, i, 0)] for i in range(n)], np.float32).reshape(-1, 3)
    sections = Sections(
        parent=np.array([-1] + [0] * (n - 1), np.int32),
        parent_x=np.array([0.0] + [1.0] * (n - 1)),
        tag=np.array(TAGS, np.int32),
        name=tuple(f"s[{i}]" for i in range(n)),
        start=np.arange(0, 2 * n + 1, 2, dtype=np.int32),
        xyz=xyz,
        diameter=np.ones(2 * n, np.float32),
        point=np.arange(2 * n, dtype=np.int32),
        wired=np.zeros(n, bool),
    )
    return discretize(sections, Rule("fixed", 2))


@pytest.mark.parametrize(
    ("region", "sections"),
    [
        ("all", [0, 1, 2, 3, 4, 5]),
        ("soma", [0]),
        ("axon", [1]),
        ("basal", [2]),
        ("apical", [3, 4]),
        ("dendrite", [2, 3, 4]),
        ("other", [5]),
    ],
)
def test_a_region_is_the_sections_of_its_types(tree, region, sections):
    nodes = select(tree, region)
    assert sorted(set(tree.section[nodes])) == sections
    assert nodes.tolist() == np.flatnonzero(np.isin(tree.section, sections)).tolist()


def test_soma_axon_dendrite_and_other_are_a_partition(tree):
    parts = [select(tree, r) for r in ("soma", "axon", "dendrite", "other")]
    assert sorted(np.concatenate(parts)) == list(range(tree.n_comp))
    assert len(get_args(Region)) == 7


def test_a_region_the_cell_lacks_is_named_with_those_it_has(tree):
    lonely = discretize(
        Sections(**{**vars(tree.sections), "tag": np.array([1, 3, 3, 3, 3, 3], np.int32)})
    )
    with pytest.raises(UserError, match="no apical compartments; it has soma, basal"):
        select(lonely, "apical")
    with pytest.raises(UserError, match="region 'apex' is not one of"):
        select(lonely, "apex")
