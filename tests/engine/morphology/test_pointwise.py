"""A comment line makes every point of an SWC file a compartment."""

import numpy as np
import pytest

from engine.discretize import Rule, discretize
from engine.morphology.pointwise import MARKER, is_pointwise
from engine.morphology.reading import read_morphology
from engine.morphology.sections import make_sections

ROWS = "1 1 0 0 0 8 -1\n2 3 20 0 0 2 1\n3 3 50 0 0 1 2\n4 3 30 25 0 1 2\n5 3 20 60 0 1 4\n"


def load(tmp_path, text):
    path = tmp_path / "tree.swc"
    path.write_text(text)
    return read_morphology(path)


def test_every_point_hangs_on_the_middle_of_its_parent(tmp_path):
    m = load(tmp_path, f"# a tree\n# {MARKER}\n{ROWS}")
    assert is_pointwise(m)
    assert [(n.code, n.line) for n in m.notes] == [("compartments.pointwise", 2)]
    sections = make_sections(m)
    assert sections.parent.tolist() == [-1, 0, 1, 1, 3]
    assert sections.parent_x.tolist() == [0, 0.5, 0.5, 0.5, 0.5]
    assert sections.wired.tolist() == [False, True, True, True, True]
    tree = discretize(sections, Rule("fixed", 1), ra=100.0)
    assert tree.parent.tolist() == [-1, 0, 1, 1, 3]
    length = np.array([16, 20, 30, np.hypot(10, 25), np.hypot(10, 35)])
    width = np.array([16, 4, 2, 2, 2])
    np.testing.assert_allclose(tree.length, length, rtol=1e-6)
    np.testing.assert_allclose(tree.area, np.pi * width * length, rtol=1e-6)
    # a parent is reached at its middle: only the child's own half resists
    half = 100.0 * 1e-2 * (length / 2) / (np.pi * width**2 / 4)
    np.testing.assert_allclose(tree.g_axial[1:], 1 / half[1:], rtol=1e-6)


@pytest.mark.parametrize(
    "text",
    [ROWS, f"{ROWS}# {MARKER}\n", f"# {MARKER}, or not\n{ROWS}"],
    ids=["none", "tail", "more"],
)
def test_without_the_line_at_the_head_the_file_is_read_as_ever(tmp_path, text):
    m = load(tmp_path, text)
    assert not is_pointwise(m)
    assert make_sections(m).n_section == 4
