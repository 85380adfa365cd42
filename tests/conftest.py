"""Fixtures shared by the tests of both packages."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.morphology.samples import PREFIX, resolve

ROOT = Path(__file__).parent.parent
DATA = Path(os.environ.get("DENDVIEW_TEST_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of real morphologies and data sets; they are other people's files."""
    if not DATA.is_dir():
        pytest.skip(f"no test data at {DATA}; set DENDVIEW_TEST_DATA to their folder")
    return DATA


@pytest.fixture
def cell_path(request: pytest.FixtureRequest) -> Callable[[str], Path]:
    """The file of ``sample:NAME``, which is always there, or of a name in the data folder."""

    def path_of(name: str) -> Path:
        if name.startswith(PREFIX):
            return resolve(name)
        return request.getfixturevalue("data_dir") / name

    return path_of


@pytest.fixture(scope="session")
def h():
    """NEURON's interpreter, or a skip where NEURON is not installed."""
    reason = "NEURON is not installed (pip install 'dendview[test]')"
    neuron = pytest.importorskip("neuron", reason=reason)
    neuron.h.load_file("stdrun.hoc")
    neuron.h.load_file("import3d.hoc")
    return neuron.h
