"""Section rules where NEURON gives no answer, and the stub that replaces an axon."""

import numpy as np
import pytest

from engine.morphology.model import Tag
from engine.morphology.reading import read_morphology
from engine.morphology.sections import make_sections, stub_axon

CELL = """\
1 1 0 0 0 5 -1
2 3 5 0 0 1 1
3 3 15 0 0 0.9 2
4 2 -5 0 0 0.5 1
5 2 -40 0 0 0.4 4
6 2 -60 10 0 0.4 5
7 2 -60 -10 0 0.4 5
8 3 -70 20 0 0.7 6
9 3 -90 20 0 0.7 8
"""


def sections_of(file, text):
    return make_sections(read_morphology(file(text)))


def points(sections, name):
    i = sections.name.index(name)
    span = slice(sections.start[i], sections.start[i + 1])
    return np.column_stack([sections.xyz[span], sections.diameter[span]]).astype(float)


def test_a_point_soma_is_a_cylinder_as_long_as_wide(file):
    s = sections_of(file, CELL)
    np.testing.assert_array_equal(
        points(s, "soma[0]"), [[-5, 0, 0, 10], [0, 0, 0, 10], [5, 0, 0, 10]]
    )
    assert s.point[:3].tolist() == [-1, 0, -1]
    assert s.wired[s.name.index("dend[0]")]


def test_a_stem_of_one_point_does_not_run_into_the_next_branch(file):
    soma = "1 1 0 0 0 5 -1\n2 1 0 5 0 5 1\n"
    text = soma + "3 3 9 0 0 1 2\n4 3 0 9 0 1 2\n5 3 0 19 0 1 4\n6 3 19 0 0 1 3\n"
    s = sections_of(file, text)
    stem = s.name.index("dend[0]")
    assert points(s, "dend[0]")[-1].tolist() == [9, 0, 0, 2]
    child = [i for i in range(s.n_section) if s.parent[i] == stem]
    assert [s.parent_x[i] for i in child] == [1.0]
    assert points(s, s.name[child[0]])[:, 0].tolist() == [9, 19]


@pytest.mark.parametrize(
    ("radii", "diameters"),
    [
        ((5, 0, 0.9), (1.8 / 0.9 * 5, 10, 1.8)),  # towards the soma first
        ((0, 0, 0.9), (1.8, 1.8, 1.8)),  # then away from it
        ((0, 0, 0), (1, 1, 1)),  # then half a micrometer
    ],
)
def test_radii_of_zero_take_the_nearest(file, radii, diameters):
    text = "".join(f"{i + 1} 3 {10 * i} 0 0 {r} {i or -1}\n" for i, r in enumerate(radii))
    s = sections_of(file, text)
    np.testing.assert_allclose(s.diameter, diameters, rtol=1e-6)


def test_an_axon_is_replaced_by_two_cylinders_of_exactly_30_um(file):
    s = sections_of(file, CELL)
    stub = stub_axon(s)
    assert stub.name == ("soma[0]", "dend[0]", "dend[1]", "axon[0]", "axon[1]")
    assert stub.parent.tolist() == [-1, 0, 0, 0, 3]
    assert stub.parent_x.tolist() == [0, 0.5, 0.5, 1, 1]
    first, second = points(stub, "axon[0]"), points(stub, "axon[1]")
    assert first[:, 3].tolist() == second[:, 3].tolist()
    old = points(s, "axon[0]")
    assert first[0, 3] == pytest.approx((old[0, 3] + old[-1, 3]) / 2)
    for cable in (first, second):
        assert np.linalg.norm(np.diff(cable[:, :3], axis=0)) == 30.0
    assert first[0, :3].tolist() == [5, 0, 0]  # the soma's far end
    assert first[1, 0] < -20  # the way the old axon went
    assert second[0].tolist() == first[1].tolist()
    assert (stub.point[stub.start[3] :] == -1).all()


def test_a_dendrite_on_the_axon_moves_to_where_the_axon_hung(file):
    s = sections_of(file, CELL)
    assert s.name[s.parent[s.name.index("dend[1]")]].startswith("axon")
    stub = stub_axon(s)
    moved = stub.name.index("dend[1]")
    assert (stub.parent[moved], stub.parent_x[moved]) == (0, 0.5)


def test_a_cell_without_axon_gets_one_of_1_um_away_from_the_rest(file):
    rows = [row for row in CELL.splitlines() if row.split()[1] != "2"][:3]
    stub = stub_axon(sections_of(file, "\n".join(rows)))
    axon = points(stub, "axon[0]")
    assert (axon[:, 3] == 1).all()
    half = stub_axon(sections_of(file, "\n".join(rows)), attach=0.5)
    assert points(half, "axon[0]")[1, 0] < points(half, "axon[0]")[0, 0]  # dendrites go to +x
    assert half.parent_x[-2] == 0.5


def test_an_axon_of_other_cylinders(file):
    stub = stub_axon(sections_of(file, CELL), 0.0, (5.0, 30.0, 12.5), 1.5)
    names = ["axon[0]", "axon[1]", "axon[2]"]
    assert list(stub.name[-3:]) == names
    assert stub.parent.tolist()[-3:] == [0, stub.n_section - 3, stub.n_section - 2]
    assert stub.parent_x.tolist()[-3:] == [0, 1, 1]
    for name, length in zip(names, (5.0, 30.0, 12.5), strict=True):
        p = points(stub, name)
        assert np.linalg.norm(np.diff(p[:, :3], axis=0)) == pytest.approx(length, rel=1e-6)
        assert p[:, 3].tolist() == [1.5, 1.5]


def test_what_cannot_be_stubbed_is_refused(file):
    s = sections_of(file, "1 2 0 0 0 5 -1\n2 2 5 0 0 1 1\n")
    with pytest.raises(ValueError, match="axon only"):
        stub_axon(s)
    with pytest.raises(ValueError, match=r"at 2"):
        stub_axon(sections_of(file, CELL), attach=2)
    for sizes in (((30.0, 0.0), None), ((30.0,), -1.0), ((), None)):
        with pytest.raises(ValueError, match="positive"):
            stub_axon(sections_of(file, CELL), 1.0, *sizes)


def test_the_stubs_of_the_paper(data_dir):
    folder = data_dir / "morphologies" / "paper"
    human = stub_axon(
        make_sections(
            read_morphology(folder / "human_L23PC_eyal2018_2013_03_06_cell11_1125_H41_06.ASC")
        )
    )
    # sections and stub diameter of ModelDB 238347, cell0603_11_model_937
    assert human.n_section == 219
    assert np.count_nonzero(human.tag == Tag.BASAL) == 115
    assert np.count_nonzero(human.tag == Tag.APICAL) == 101
    assert points(human, "axon[1]")[:, 3] == pytest.approx([1.39, 1.39])
    l5b = stub_axon(make_sections(read_morphology(folder / "L5bPC_hay2011_cell1.asc")))
    assert l5b.n_section == 196
