"""Neurolucida files: outlines, trees, and everything between them."""

import warnings

import numpy as np
import pytest

from engine.errors import MorphologyError
from engine.morphology.doctor import examine
from engine.morphology.model import Tag
from engine.morphology.reading import read_morphology
from engine.morphology.sections import make_sections

SOMA = """("CellBody" (Color Red) (CellBody)
 (0 0 0 0.1) (4 -3 0 0.1) (9 0 0 0.1) (12 3 0 0.1) (8 6 0 0.1) (3 5 0 0.1) )  ; End of contour
"""
SHORT = '("CellBody" (CellBody) (0 0 0 1) (1 0 0 1))'
TREE = """( (Color Blue)  ; [10,1]
  (Dendrite)
  (12 3 0 2)  ; Root
  (20 3 0 1.5)
  (
    (30 8 0 1) (40 9 0 1) Normal
  |
    (30 -8 0 1)
    ( (35 -9 0 0.5) High | (36 -12 0 0.5) | (30 -14 0 0.5) )
  )
)  ;  End of tree
"""


def test_outline_and_tree(file):
    m = read_morphology(file("; V3 text file\n(ImageCoords)\n" + SOMA + TREE, "cell.asc"))
    assert (m.source, m.name, m.notes) == ("asc", "cell", ())
    soma = m.tag == Tag.SOMA
    assert soma.sum() == 21
    assert (m.line[soma] == -1).all()
    assert m.contours[0].shape == (6, 4)
    own = m.parent[~soma] - 21
    assert m.parent[21] == 10  # the middle of the soma
    np.testing.assert_array_equal(own[1:], [0, 1, 2, 1, 4, 4, 4])
    assert m.line[21:].tolist() == [7, 8, 10, 10, 12, 13, 13, 13]
    np.testing.assert_allclose(2 * m.radius[21:], [2, 1.5, 1, 1, 1, 0.5, 0.5, 0.5])
    sections = make_sections(m)
    assert sections.name == ("soma[0]", *(f"dend[{i}]" for i in range(6)))
    assert sections.parent.tolist() == [-1, 0, 1, 1, 3, 3, 3]
    assert sections.parent_x.tolist() == [0, 0.5, 1, 1, 1, 1, 1]
    assert sections.wired.tolist() == [False, True, *[False] * 5]
    assert np.diff(sections.start).tolist() == [21, 2, 3, 2, 2, 2, 2]


@pytest.mark.parametrize(
    "extra",
    [
        "  <(21 4 0 0.2)>\n",
        '  <  (Class 4 "none")\n (Color Red)\n (Generated 0)\n (21 4 0 0.2)>\n',
        '  (Cross (Color Orange) (Name "Marker 3") (1 2 3 4) (5 6 7 8) ) ; End of markers\n',
        "  ; a comment with ) and ( and |\n",
        "  ,\n",
    ],
)
def test_spines_markers_and_comments_are_passed_over(file, extra):
    plain = read_morphology(file(SOMA + TREE, "plain.asc"))
    with_it = read_morphology(
        file(SOMA + TREE.replace("(20 3 0 1.5)\n", "(20 3 0 1.5)\n" + extra), "x.asc")
    )
    np.testing.assert_array_equal(plain.xyz, with_it.xyz)
    np.testing.assert_array_equal(plain.parent, with_it.parent)


@pytest.mark.parametrize(
    "extra",
    [
        '(Sections S1 "a" 3 100 0 S2 "b" 103 100 0)\n',
        '("User Line 1" (Color Red) (1 2 3 4) (5 6 7 8))\n',
        '( (Color White) (1 2 3 4) "a note" )\n',
        "(Thumbnail (Cols 2) (Rows 2) (00 fe 0x3f))\n",
        "(DoubleCircle (Color White) (1 2 3 4))\n",
    ],
)
def test_entries_that_are_no_cell_are_passed_over(file, extra):
    plain = read_morphology(file(SOMA + TREE, "plain.asc"))
    with_it = read_morphology(file(extra + SOMA + extra + TREE + extra, "x.asc"))
    np.testing.assert_array_equal(plain.xyz, with_it.xyz)
    assert with_it.notes == ()


def test_trees_in_a_set_are_read(file):
    m = read_morphology(file(SOMA + '(Set "one" ' + TREE + ")", "x.asc"))
    np.testing.assert_array_equal(m.xyz, read_morphology(file(SOMA + TREE, "y.asc")).xyz)


def test_single_branches_stay_sections(file):
    text = "((Axon) (0 0 0 8) (0 0 1 7) ((0 0 2 6) ((0 0 3 5) (0 0 4 4))))"
    m = read_morphology(file(text, "x.asc"))
    assert m.parent.tolist() == [-1, 0, 1, 2, 3]
    assert m.cuts.tolist() == [2, 3]
    assert make_sections(m).parent.tolist() == [-1, 0, 1]


def test_outlines_that_overlap_make_one_soma_and_others_two(file):
    higher = SOMA.replace(" 0 0.1)", " 5 0.1)")
    aside = SOMA.replace("(", "(9").replace('(9"', '("').replace("(9C", "(C")
    stack = read_morphology(file(SOMA + higher + TREE, "stack.asc"))
    assert (stack.tag == Tag.SOMA).sum() == 2
    assert stack.notes == ()
    two = read_morphology(file(SOMA + aside + TREE, "two.asc"))
    assert make_sections(two).name[:2] == ("soma[0]", "soma[1]")
    assert [note.code for note in two.notes] == ["topology.several_roots"]
    assert two.parent[42] == 10  # the tree begins in the first


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        (TREE, ["semantics.no_soma"]),
        (SHORT + TREE, ["semantics.no_soma", "semantics.short_outline"]),
        (SOMA + TREE.replace("(Dendrite)", ""), ["semantics.untyped"]),
        (SOMA + TREE.replace("0 1.5)", "0)"), ["geometry.zero_radius"]),
        ('("CellBody" (0 0 0 1) (5 0 0 1) (9 0 0 1) (3 0 0 1))' + TREE, ["geometry.flat_outline"]),
    ],
)  # fmt: skip
def test_oddities_load_with_a_note(file, text, codes):
    m = read_morphology(file(text, "x.asc"))
    assert [note.code for note in m.notes] == codes
    sections = make_sections(m)
    assert (sections.diameter > 0).all()


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (SOMA + TREE.replace("(20 3 0 1.5)", "(nan 3 0 1.5)"), 6, "not finite"),
        (SOMA + TREE.replace("(20 3 0 1.5)", "(20 3 0 -1.5)"), 6, "diameter -1.5"),
        (SOMA + TREE.replace("(20 3 0 1.5)", "(20 1e99 0 1)"), 6, "farther out"),
        (SOMA + TREE.replace("(20 3 0 1.5)", "(20 3 0 1.5"), 6, "not complete"),
        (SOMA + TREE.replace("(20 3 0 1.5)", "20 3 0 1.5"), 6, "'20' does not belong"),
        (SOMA + TREE.replace("(40 9 0 1) Normal", "Normal (40 9 0 1)"), 8, "after their branch"),
        (SOMA + TREE + TREE.rsplit(")", 1)[0], 14, "ends within the tree"),
        (SOMA + TREE.replace("(20 3 0 1.5)", "(20 3 0 1.5) <(1 2 3 4)"), 6, "spine that begins"),
        (SOMA.rsplit(")", 1)[0], 1, "outline that begins here is never closed"),
        (SOMA + TREE + ")", 14, "should begin"),
        (SOMA + '(Set "x" ' + TREE, 13, "set is never closed"),
        (SOMA + "( (Axon) (0 0 0 1) ((1 0 0 1)) ((2 0 0 1)) )", 3, "a fork follows"),
    ],
)  # fmt: skip
def test_damage_is_refused_with_its_line(file, text, line, says):
    with pytest.raises(MorphologyError, match=rf"x\.asc:{line}: ") as refused:
        read_morphology(file(text, "x.asc"))
    assert says in str(refused.value)
    assert examine(file(text, "x.asc"))[0].line == line


def test_damaged_points_are_all_reported(file):
    text = SOMA + TREE.replace("0 1.5)", "0 -1.5)").replace("(30 8 0 1)", "(inf 8 0 1)")
    assert [p.line for p in examine(file(text, "x.asc"))] == [6, 8]


def test_a_file_without_a_cell_is_refused(file):
    with pytest.raises(MorphologyError, match="neither a tree nor an outline"):
        read_morphology(file("; V3\n(ImageCoords)\n(Sections)\n", "x.asc"))


def test_branches_nested_ten_thousand_deep(file):
    n = 10_000
    text = "((Axon)" + "".join(f"({i} 0 0 1) (({i} 5 0 1) |" for i in range(n)) + "(0 9 9 1)"
    m = read_morphology(file(text + ")" * (n + 1), "deep.asc"))
    assert m.n_point == 2 * n + 1
    assert make_sections(m).n_section == 2 * n + 1


@pytest.mark.parametrize(
    "name",
    [
        "paper/L5bPC_hay2011_cell1.asc",
        "paper/human_L23PC_eyal2018_2013_03_06_cell11_1125_H41_06.ASC",
        "loader/arborgui_stellate.asc",
        "loader/lfpy_C010398B-P2.asc",
        "loader/neurom_bio_neuron-000.asc",
        "loader/morphio_markers.asc",
        "loader/morphio_sections-block.asc",
        "loader/morphio_mono-type.asc",
        "loader/neurom_multifurcation.asc",
        "loader/hay2011_cell2.asc.gz",
        "synthetic/asc_nested_500.asc",
    ],
)
def test_cable_lengths_and_tips_are_those_morphio_finds(data_dir, tmp_path, name):
    import gzip

    morphio = pytest.importorskip("morphio")
    path = data_dir / "morphologies" / name
    plain = tmp_path / "cell.asc"
    data = path.read_bytes()
    plain.write_bytes(gzip.decompress(data) if name.endswith(".gz") else data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = morphio.Morphology(str(plain))
    ours = read_morphology(path)
    step = np.linalg.norm(ours.xyz - ours.xyz[ours.parent], axis=1)
    cable = (ours.parent >= 0) & (ours.tag[ours.parent] != Tag.SOMA) & (ours.tag != Tag.SOMA)
    for tag in (Tag.AXON, Tag.BASAL, Tag.APICAL):
        length = sum(
            np.linalg.norm(np.diff(s.points.astype(float), axis=0), axis=1).sum()
            for s in theirs.iter()
            if int(s.type) == tag
        )
        # MorphIO keeps single precision
        assert step[cable & (ours.tag == tag)].sum() == pytest.approx(length, rel=1e-5)
    n_tip = np.count_nonzero(
        np.bincount(ours.parent[ours.parent >= 0], minlength=ours.n_point) == 0
    )
    assert n_tip - (len(ours.contours) > 0) == sum(not s.children for s in theirs.iter())
