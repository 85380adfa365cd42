"""Every file of the collection is read or refused as its origin says."""

import csv

import pytest

from engine.errors import MorphologyError
from engine.morphology.doctor import examine
from engine.morphology.reading import read_morphology
from engine.morphology.sections import make_sections
from tests.conftest import DATA

OUR_CHOICE = {
    # questionable by origin; True: read with a note, False: refused
    "neurom_bifurcating_soma.swc": True,
    "neurom_soma_zero_radius.swc": True,
    "neuror_zero-diameter-beginning.swc": True,
    "morphio_disconnected_neurite.swc": True,
    "neurostr_simple_untyped.asc": True,
    "two_roots.swc": True,
    "commas.swc": True,
    "float_ids.swc": True,
    "all_same_point.swc": True,
}


def _rows() -> list[dict[str, str]]:
    manifest = DATA / "morphologies" / "MANIFEST.csv"
    if not manifest.is_file():
        return []
    with manifest.open() as table:
        return list(csv.DictReader(table))


@pytest.mark.parametrize("row", _rows(), ids=lambda row: row["file"].rsplit("/", 1)[-1])
def test_file(data_dir, row):
    path = data_dir / row["file"]
    expected = row["expected"]
    is_cell = row["format"].startswith(("SWC", "ASC"))
    wanted = OUR_CHOICE.get(path.name, is_cell and expected.startswith("valid"))
    problems = examine(path)
    if wanted:
        m = read_morphology(path)
        assert m.n_point > 0
        assert make_sections(m).n_section > 0
        assert len(m.notes) == len(problems)
        assert path.name not in OUR_CHOICE or m.notes
    else:
        assert not is_cell or expected.startswith("invalid")
        with pytest.raises(MorphologyError) as refused:
            read_morphology(path)
        assert str(refused.value).startswith(f"{path}")
        assert refused.value.fix
        assert problems[0].severity == "error"
        assert refused.value.line == problems[0].line


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("loader/neurom_Neuron_missing_parents.swc", 4),
        ("loader/neurostr_missing_fields.swc", 2),
        ("loader/xyz2swc_NonStandard.swc", 18),
        ("loader/neurostr_wrong_id_type.swc", 2),
    ],
)
def test_every_problem_of_a_damaged_file_is_found(data_dir, name, lines):
    problems = examine(data_dir / "morphologies" / name)
    errors = [p for p in problems if p.severity == "error"]
    assert len(errors) == len({p.line for p in errors}) == lines
    assert all(p.text and p.meaning and p.fix for p in errors)
