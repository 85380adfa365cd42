"""What is written is read back exactly; sections hold every point; no bytes break a reader."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import MorphologyError
from engine.morphology.model import Morphology, Tag
from engine.morphology.pointwise import is_pointwise
from engine.morphology.reading import inspect, read_morphology
from engine.morphology.samples import sample_path
from engine.morphology.sections import make_sections, stub_axon
from engine.morphology.writing import write_swc
from tests.engine.morphology.import3d import random_asc
from tests.strategies import parents

NUMBER = st.floats(-1e4, 1e4, allow_nan=False)
WIDTH = st.floats(0, 50, allow_nan=False)


@st.composite
def morphologies(draw) -> Morphology:
    """Random trees and forests of any types, but with one soma at most."""
    parent = draw(parents(max_size=25))
    n = len(parent)
    tag = np.array(draw(st.lists(st.integers(0, 7), min_size=n, max_size=n)), np.int32)
    tag[(parent < 0) & (np.arange(n) > 0) & (tag == Tag.SOMA)] = Tag.BASAL
    xyz = draw(st.lists(st.tuples(NUMBER, NUMBER, NUMBER), min_size=n, max_size=n))
    radius = draw(st.lists(WIDTH, min_size=n, max_size=n))
    return Morphology(
        np.array(xyz, float), np.array(radius), parent, tag, np.full(n, -1, np.int32), "random"
    )


def assert_equal(a: Morphology, b: Morphology) -> None:
    for name in ("xyz", "radius", "parent", "tag"):
        left, right = getattr(a, name), getattr(b, name)
        np.testing.assert_array_equal(left, right, err_msg=name)
        assert left.dtype == right.dtype


@given(m=morphologies())
@settings(max_examples=100, deadline=None)
def test_reading_what_was_written_gives_the_same(tmp_path_factory, m):
    path = tmp_path_factory.mktemp("swc") / "random.swc"
    write_swc(m, path)
    back = read_morphology(path)
    assert_equal(m, back)
    assert back.line.tolist() == list(range(4, m.n_point + 4))
    assert back.name == m.name


@given(m=morphologies())
@settings(max_examples=100, deadline=None)
def test_sections_hold_every_point_and_parents_come_first(m):
    s = make_sections(m)
    assert (s.parent < np.arange(s.n_section)).all()
    assert np.isin(s.parent_x, [0, 0.5, 1]).all()
    assert (np.diff(s.start) >= 2).all()
    assert s.start[-1] == len(s.xyz) == len(s.diameter) == len(s.point)
    assert len(set(s.name)) == s.n_section
    assert (s.diameter >= 0).all()
    held = np.zeros(m.n_point, bool)
    held[s.point[s.point >= 0]] = True
    single = m.xyz.astype(np.float32)
    for i in np.flatnonzero(~held):
        p = m.parent[i]
        # left out: points at the place of their parent, the outer points of a three-point soma
        there = np.abs(single[i].astype(float) - single[p]).max() <= 1e-11  # NEURON's slack
        assert there or (m.tag == Tag.SOMA).sum() == 3
    if (m.tag != Tag.AXON).any() and (s.tag != Tag.AXON).any():
        stub = stub_axon(s)
        assert stub.name[-2:] == ("axon[0]", "axon[1]")
        assert (stub.parent < np.arange(stub.n_section)).all()


def test_a_neurolucida_cell_is_written_with_its_soma(file, tmp_path):
    text = random_asc(2)
    m = read_morphology(file(text, "cell.asc"))
    write_swc(m, tmp_path / "cell.swc.gz")
    assert_equal(m, read_morphology(tmp_path / "cell.swc.gz"))


def test_a_tree_of_compartments_stays_one(tmp_path):
    """By NEURON's rules its branch points would become nodes of their own: 31 instead of 15."""
    toy = read_morphology(sample_path("toy15"))
    write_swc(toy, tmp_path / "toy.swc")
    again = read_morphology(tmp_path / "toy.swc")
    assert_equal(toy, again)
    assert is_pointwise(again)
    sections = make_sections(toy), make_sections(again)
    np.testing.assert_array_equal(sections[0].parent, sections[1].parent)
    np.testing.assert_array_equal(sections[0].parent_x, sections[1].parent_x)
    assert (sections[1].n_section, set(sections[1].parent_x[1:])) == (15, {0.5})


def test_two_somata_are_not_written(file, tmp_path):
    outline = '("CellBody" ({0} 0 0 1) ({1} 0 0 1) ({1} 9 0 1) ({0} 9 0 1))'
    m = read_morphology(file(outline.format(0, 9) + outline.format(100, 110), "two.asc"))
    with pytest.raises(MorphologyError, match="2 somata"):
        write_swc(m, tmp_path / "two.swc")
    assert not (tmp_path / "two.swc").exists()


def test_a_folder_that_is_not_there_is_told(file, tmp_path):
    m = read_morphology(file("1 1 0 0 0 5 -1\n"))
    with pytest.raises(MorphologyError, match=r"cannot be written \(No such file"):
        write_swc(m, tmp_path / "nowhere" / "cell.swc")
    assert list(tmp_path.iterdir()) == [tmp_path / "cell.swc"]


SWC = (
    b"# seed\n1 1 0 0 0 5 -1\n2 3 5 0 0 1 1\n3 3 15 0 0 0.9 2\n4 3 25 5 0 0.8 3\n"
    b"5 3 25 -5 0 0.8 3\n6 2 -5 0 0 0.5 1\n7 2 -40 0 0 0.4 6\n"
)
PIECES = [
    *(b"", b" ", b"\n", b"\r", b"\0", b"#", b";", b",", b"-", b".", b"1", b"9", b"e", b"_", b"+"),
    *(b"nan", b"inf", b"-1", b"0", b"1e999", b"(", b")", b"|", b"<", b">", b'"', b"\xff", b"\xc3"),
    *(b"(1 2 3 4)", b"((", b"))", b"(Axon)", b'"CellBody"', b" Normal ", b"99999999999999999999"),
    *("٣".encode(), "\u2028".encode(), b"\x0b", b"\x1f\x8b", b"1_0", b"0x1p3", b"\t"),
]


@pytest.mark.parametrize("seed", range(8))
def test_mutated_files_are_read_or_refused_but_never_break(tmp_path, seed):
    rng = random.Random(seed)
    path = tmp_path / "mutated"
    n_read = 0
    for round_ in range(120):
        data = SWC if round_ % 2 else random_asc(seed).encode()
        for _ in range(rng.randint(1, 3)):
            at, cut = rng.randrange(len(data)), rng.choice([0, 0, 1, 1, 3, 20])
            data = data[:at] + rng.choice(PIECES) + data[at + cut :]
        path.write_bytes(data)
        morphology, problems = inspect(path)
        refused = any(p.severity == "error" for p in problems)
        assert (morphology is None) == refused
        if morphology is None:
            with pytest.raises(MorphologyError):
                read_morphology(path)
        else:
            assert (morphology.parent < np.arange(morphology.n_point)).all()
            assert np.isfinite(morphology.xyz).all()
            assert (morphology.radius >= 0).all()
            sections = make_sections(morphology)
            assert (sections.diameter >= 0).all()
            n_read += 1
    assert 3 < n_read < 115  # both happen


@given(data=st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_random_bytes_are_refused(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("bytes") / "random"
    path.write_bytes(data)
    morphology, problems = inspect(path)
    assert morphology is not None or problems
