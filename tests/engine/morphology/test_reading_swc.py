"""SWC files as they come: what is read, what is noted, and what is refused with which sentence."""

import gzip

import numpy as np
import pytest

from engine.errors import MorphologyError
from engine.morphology.doctor import examine
from engine.morphology.reading import read_morphology
from engine.morphology.sections import make_sections

BASE = """\
1 1 0 0 0 5 -1
2 3 5 0 0 1 1
3 3 15 0 0 0.9 2
4 3 25 5 0 0.8 3
5 3 25 -5 0 0.8 3
6 2 -5 0 0 0.5 1
7 2 -40 0 0 0.4 6
"""
PARENT = [-1, 0, 1, 2, 2, 0, 5]


def codes(path) -> list[str]:
    return [problem.code for problem in examine(path)]


def test_a_clean_file_is_read_as_it_stands(file):
    m = read_morphology(file("# made by hand\n" + BASE, "my cell.CNG.swc"))
    np.testing.assert_array_equal(m.parent, PARENT)
    np.testing.assert_array_equal(m.tag, [1, 3, 3, 3, 3, 2, 2])
    np.testing.assert_array_equal(m.line, np.arange(2, 9))
    np.testing.assert_array_equal(m.radius, [5, 1, 0.9, 0.8, 0.8, 0.5, 0.4])
    np.testing.assert_array_equal(m.xyz[3], [25, 5, 0])
    assert (m.name, m.source, m.notes) == ("my cell", "swc", ())
    assert m.parent.dtype == m.tag.dtype == m.line.dtype == np.int32


@pytest.mark.parametrize(
    "text",
    [
        BASE.replace(" ", "\t"),
        BASE.replace("\n", "\r\n"),
        BASE.replace("\n", "\r"),
        BASE.rstrip("\n"),
        BASE.replace("\n", "   \n"),
        "  " + BASE.replace("\n", "\n  "),
        BASE.replace("\n", " # a remark\n"),
        BASE.replace("\n", "\n\n#between\n"),
        "﻿" + BASE,
        BASE.replace("0.8", "8.0E-1"),
        BASE.encode("utf-16"),
        "# größe µm\n".encode("latin-1") + BASE.encode(),
        "# größe µm\n" + BASE,
        "\n\n" + BASE + "\n\n",
        gzip.compress(BASE.encode(), mtime=0),
    ],
    ids=[
        "tabs",
        "crlf",
        "cr",
        "no_final_newline",
        "trailing_blanks",
        "leading_blanks",
        "inline_comments",
        "between",
        "bom",
        "exponents",
        "utf16",
        "latin1",
        "utf8",
        "blank_lines",
        "gzip",
    ],
)
def test_ways_of_writing_that_mean_the_same_load_without_a_note(file, text):
    m = read_morphology(file(text, "any.ending"))
    np.testing.assert_array_equal(m.parent, PARENT)
    np.testing.assert_array_equal(m.radius, [5, 1, 0.9, 0.8, 0.8, 0.5, 0.4])
    assert m.notes == ()


def test_lines_are_those_of_the_file_whatever_stands_between(file):
    text = "# one\n\n" + BASE.replace("3 3 15", "\n# x\n3 3 15") + "# end\n"
    assert read_morphology(file(text)).line.tolist() == [3, 4, 7, 8, 9, 10, 11]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (BASE.replace(" ", ", "), "format.commas"),
        (BASE.replace(" ", ","), "format.commas"),
        (BASE.replace(" ", ";"), "format.commas"),
        (BASE.replace("\n", " 7 8 -9\n"), "format.more_columns"),
        (
            "\n".join(
                " ".join(f"{float(n):.6f}" for n in row.split()) for row in BASE.splitlines()
            ),
            "format.float_ids",
        ),
        (BASE.replace("0.9 2", "0 2"), "geometry.zero_radius"),
        (BASE.replace(" 1 0 0 0 5", " 3 0 0 0 5"), "semantics.no_soma"),
        (BASE.replace("7 2 -40", "7 1 -40"), "semantics.split_soma"),
        (BASE.replace("-40", "-80000"), "geometry.units"),
        ('# Meta: {"units": "1 nanometer"}\n' + BASE.replace("-40", "-80000"), "geometry.units"),
        ("# SCALE 1.33  1.33  2.5 \n" + BASE, "geometry.scale"),
        ("# SCALE 1.0 1.0 1.0\n" + BASE.replace("0.9 2", "0 2"), "geometry.zero_radius"),
    ],
)
def test_harmless_oddities_load_with_one_note(file, text, code):
    m = read_morphology(file(text))
    np.testing.assert_array_equal(m.parent, PARENT)
    assert [note.code for note in m.notes] == [code]
    assert len(m.notes[0].text) > 20


def test_ids_may_start_at_zero_and_leave_gaps(file):
    rows = "0 1 0 0 0 5 -1\n10 3 9 0 0 1 0\n1000000000000 3 19 0 0 1 10\n"
    m = read_morphology(file(rows))
    assert m.parent.tolist() == [-1, 0, 1]
    assert m.notes == ()


def test_rows_in_any_order_are_sorted_along_the_tree(file):
    rows = BASE.splitlines()
    shuffled = read_morphology(file("\n".join(rows[i] for i in (3, 6, 0, 5, 2, 1, 4))))
    np.testing.assert_array_equal(shuffled.parent, PARENT)  # parents still have smaller ids
    assert shuffled.line.tolist() == [3, 6, 5, 1, 7, 4, 2]
    assert shuffled.notes == ()


def test_children_before_parents_are_sorted_and_noted(file):
    text = "1 3 25 5 0 0.8 3\n2 3 25 -5 0 0.8 3\n3 3 15 0 0 0.9 4\n4 3 5 0 0 1 5\n5 1 0 0 0 5 -1\n"
    m = read_morphology(file(text))
    assert m.parent.tolist() == [-1, 0, 1, 2, 2]
    assert m.line.tolist() == [5, 4, 3, 1, 2]
    assert [note.code for note in m.notes] == ["topology.order"]
    assert make_sections(m).name == ("soma[0]", "dend[0]", "dend[1]", "dend[2]")


def test_trees_that_are_not_joined_stay_apart(file):
    m = read_morphology(file(BASE.replace("0.5 1\n", "0.5 -1\n")))
    assert np.flatnonzero(m.parent < 0).tolist() == [0, 5]
    assert [(note.code, note.line) for note in m.notes] == [("topology.several_roots", 6)]
    sections = make_sections(m)
    assert sections.parent[sections.name.index("axon[0]")] == -1


@pytest.mark.parametrize(
    ("text", "code", "line", "says"),
    [
        (BASE.replace("0.8 3\n6", "0.8 33\n6"), "topology.missing_parent", 5, "parent 33"),
        (BASE.replace("0.9 2", "0.9 3"), "topology.self_parent", 3, "its own parent"),
        (BASE.replace("1 1\n3", "1 5\n3"), "topology.cycle", 2, "(2, 3, 5)"),
        (BASE.replace("7 2 -40", "6 2 -40"), "identity.duplicate", 7, "already that of line 6"),
        (BASE.replace("7 2", "7.5 2"), "identity.not_whole", 7, "'7.5'"),
        (BASE.replace("7 2", "seven 2"), "identity.not_whole", 7, "'seven'"),
        (BASE.replace("7 2", "-7 2"), "identity.out_of_range", 7, "-7"),
        (BASE.replace("7 2", "7 axon"), "semantics.type", 7, "type 'axon'"),
        (BASE.replace("7 2", "7 99999999999"), "semantics.type", 7, "type '99999999999'"),
        (BASE.replace("0.9 2", "-0.9 2"), "geometry.negative_radius", 3, "-0.9"),
        (BASE.replace("0.9 2", "nan 2"), "geometry.not_finite", 3, "radius is nan"),
        (BASE.replace("15 0", "inf 0"), "geometry.not_finite", 3, "x is inf"),
        (BASE.replace("15 0", "1e300 0"), "geometry.too_far", 3, "farther"),
        (BASE.replace("0.9 2", "NA 2"), "format.number", 3, "radius 'NA'"),
        (BASE.replace("0.9 2", "0,9 2"), "format.decimal_comma", 3, "decimal comma"),
        (BASE.replace("0.9 2", "0.9"), "format.columns", 3, "6 of the 7"),
        (BASE.replace("6 2 -5 0 0 0.5 1", "6 1 0 0 0 5 -1"), "topology.two_somata", 6, "second"),
    ],
)  # fmt: skip
def test_damage_is_refused_with_line_meaning_and_fix(file, text, code, line, says):
    path = file(text)
    with pytest.raises(MorphologyError, match=rf"cell\.swc:{line}: ") as refused:
        read_morphology(path)
    assert refused.value.line == line
    assert says in str(refused.value)
    assert len(refused.value.fix) > 10
    problems = examine(path)
    assert (problems[0].code, problems[0].line, problems[0].severity) == (code, line, "error")
    assert problems[0].text == text.splitlines()[line - 1]
    assert refused.value.what.startswith(problems[0].meaning)


def test_all_problems_come_in_one_pass_and_the_first_counts_the_others(file):
    text = BASE.replace("0.9 2", "-0.9 2").replace("0.8 3\n5", "0.8 33\n5").replace("7 2", "2 2")
    path = file(text)
    assert [(p.code, p.line) for p in examine(path)] == [
        ("geometry.negative_radius", 3),
        ("topology.missing_parent", 4),
        ("identity.duplicate", 7),
    ]
    with pytest.raises(MorphologyError, match=r":3: point 3 .*\(2 other problems\); write"):
        read_morphology(path)


def test_children_of_a_damaged_row_are_not_called_orphans(file):
    assert codes(file(BASE.replace("15 0 0 0.9", "nan 0 0 0.9"))) == ["geometry.not_finite"]


def test_problems_of_clean_and_of_noted_files(file):
    assert examine(file(BASE)) == ()
    noted = examine(file(BASE.replace("0.9 2", "0 2")))
    assert [p.severity for p in noted] == ["warning"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "the file is empty"),
        (b"\n \n", "the file is empty"),
        (b"# only\n# words\n", "comments only"),
        (b"%PDF-1.7\n%\xe2\xe3", "PDF document"),
        (b"\x89PNG\r\n\x1a\n", "PNG picture"),
        (b"\x89HDF\r\n\x1a\n\0\0", "HDF5"),
        (b"PK\x03\x04abc", "ZIP archive"),
        (b"\0\1\2\3" * 100, "binary"),
        (b"\x1f\x8b\x08\0damaged", "gzip archive is damaged"),
        (gzip.compress(BASE.encode(), mtime=0)[:-12], "gzip archive is damaged"),
        (b"<?xml version='1.0'?>\n<neuroml xmlns='x'>", "NeuroML"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "web page"),
        (b"<svg></svg>", "XML"),
        (b"create soma, dend[3]\naccess soma\n", "hoc"),
        (b"{create axon[1]}\n{pt3dadd(1,2,3,4)}\n", "hoc"),
        (b'{"points": [1, 2]}', "JSON"),
        (b"id,x,y\n1,2,3\n", "table with 3 columns"),
        (b"0 3\n1 3\n", "table with 2 columns"),
        (b" 0 0.0 0 0 7.72 5.557 9.447 -9.4470005 7.72\n", "table with 9 columns"),
        (b"Dear reader,\nnothing here.\n", "neither SWC nor Neurolucida ASC"),
    ],
)
def test_other_files_are_recognized_and_refused(file, content, says):
    path = file(content)
    with pytest.raises(MorphologyError, match=r"cell\.swc: .*; ") as refused:
        read_morphology(path)
    assert says in str(refused.value)
    assert [p.severity for p in examine(path)] == ["error"]


def test_paths_that_cannot_be_read_are_refused(tmp_path):
    for path, says in [
        (tmp_path / "gone.swc", "no such file"),
        (tmp_path, "a folder"),
        ("/dev/null", "a device"),
        ("bad\0name", "cannot be read"),
    ]:
        with pytest.raises(MorphologyError, match=says):
            read_morphology(path)
        assert len(examine(path)) == 1


def test_a_forbidden_file_is_refused(file, monkeypatch):
    path = file(BASE)

    def deny(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "read_bytes", deny)
    with pytest.raises(MorphologyError, match="may not read"):
        read_morphology(path)


def test_a_long_chain_a_star_and_a_backward_chain_are_read(file):
    n = 30_000
    forward = "".join(f"{i} 3 {i} 0 0 1 {i - 1 or -1}\n" for i in range(1, n + 1))
    backward = "".join(f"{i} 3 {i} 0 0 1 {i + 1 if i < n else -1}\n" for i in range(1, n + 1))
    star = "1 1 0 0 0 5 -1\n" + "".join(f"{i} 3 {i} 0 0 1 1\n" for i in range(2, n))
    assert make_sections(read_morphology(file(forward))).n_section == 1
    assert make_sections(read_morphology(file(backward))).n_section == 1
    assert make_sections(read_morphology(file(star))).n_section == n - 1
    ring = forward.replace(" -1\n", f" {n}\n")
    assert codes(file(ring)) == ["topology.cycle"]


def test_long_runs_of_blanks_are_refused(file):
    """Patterns that try every way to split a run would not end within the suite's limit."""
    for text in (
        "\n" * 300_000 + "x",
        "(1" + " " * 300_000 + "x",
        " \t" * 200_000 + "create",
        "(" * 300_000,
    ):
        with pytest.raises(MorphologyError):
            read_morphology(file(text))


def test_the_largest_bench_cell_is_read_whole(data_dir):
    morphology = read_morphology(data_dir / "bench" / "tree50k.swc.gz")
    assert morphology.n_point == 74_932
    assert make_sections(morphology).n_section == 10_001
