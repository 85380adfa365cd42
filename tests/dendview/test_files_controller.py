"""Opening cells: all or nothing, remembered, and each cut as its kind wants."""

import numpy as np
import pytest

from dendview.controllers.files import FilesController, title
from dendview.state import AppState
from engine.errors import MorphologyError, UserError
from engine.morphology.samples import SAMPLES

SWC = "1 1 0 0 0 8 -1\n2 3 20 0 0 1 1\n3 3 120 0 0 1 2\n"


@pytest.fixture
def swc(tmp_path):
    path = tmp_path / "small.swc"
    path.write_text(SWC)
    return str(path)


def test_a_file_becomes_the_open_cell(swc):
    state = AppState()
    FilesController(state).open(swc)
    assert state.perspective == "explore"
    assert state.cell.morphology.n_point == 3
    assert set(state.cell.trees) == {"neuron", "merged"}
    assert state.experiment.morphology == swc
    assert state.message.text.startswith("Read 3 points in 0.")
    assert title(state.cell) == "small"


def test_path_distance_is_that_of_every_segment(swc):
    state = AppState()
    FilesController(state).open(swc)
    tree = state.cell.trees["neuron"]
    assert state.cell.distance.shape == (tree.n_segment,)
    assert state.cell.distance.min() == 0
    last = tree.node_of_segment[np.argmax(state.cell.distance)]
    assert tree.center[last, 0] > 100  # the far end of the dendrite


def test_notes_of_a_file_are_counted_and_told(data_dir):
    state = AppState()
    path = data_dir / "morphologies/loader/morphio_disconnected_neurite.swc"
    FilesController(state).open(str(path))
    n = len(state.cell.morphology.notes)
    assert n > 0
    assert f"{n} note" in state.message.text
    assert state.message.details == "\n".join(state.message.details.splitlines())
    assert len(state.message.details.splitlines()) == n


def test_a_file_that_is_refused_changes_nothing(swc, tmp_path):
    state = AppState()
    files = FilesController(state)
    files.open(swc)
    before = (state.cell, state.experiment, state.message, state.recent)
    bad = tmp_path / "bad.swc"
    bad.write_text("1 1 0 0 0 8 -1\n2 3 20 0 0 1 7\n")
    with pytest.raises(MorphologyError, match=r"bad\.swc:2: point 2 has parent 7"):
        files.open(str(bad))
    assert (state.cell, state.experiment, state.message, state.recent) == before
    assert [p.line for p in files.problems(str(bad)) if p.severity == "error"] == [2]


def test_a_missing_file_is_named():
    files = FilesController(AppState())
    with pytest.raises(MorphologyError, match=r"nowhere\.swc: there is no such file; check"):
        files.open("/nowhere.swc")
    with pytest.raises(UserError, match="did you mean 'ca1'"):
        files.open("sample:ca11")


def test_another_cell_leaves_nothing_of_the_one_before(swc):
    state = AppState()
    files = FilesController(state)
    files.open(swc)
    state.selection, state.time, state.step = 2, 5.0, 1
    state.perspective = "schedule"
    files.open_sample("toy15")
    assert state.selection is None
    assert (state.time, state.step, state.runs) == (0.0, 0, ())
    assert state.perspective == "schedule"


def test_listeners_never_see_an_experiment_of_another_cell(swc):
    """A marker is put where the experiment says, so cell and experiment must fit at every event."""
    state = AppState()
    files = FilesController(state)
    seen = []

    def check(*_):
        if state.cell is not None and state.experiment is not None:
            seen.append([state.cell.segment(p.site) for p in state.experiment.probes])
            assert state.experiment.morphology == state.cell.source

    state.events.cell.connect(check)
    state.events.experiment.connect(check)
    files.open(swc)
    files.open_sample("toy15")
    assert len(seen) == 2


def test_recent_files_are_the_last_ten_without_doubles_and_samples(tmp_path):
    state = AppState()
    files = FilesController(state)
    for i in range(12):
        path = tmp_path / f"{i}.swc"
        path.write_text(SWC)
        files.open(str(path))
    files.open_sample("toy15")
    files.open(str(tmp_path / "5.swc"))
    names = [name.rpartition("/")[2] for name in state.recent]
    assert names == ["5.swc", *(f"{i}.swc" for i in (11, 10, 9, 8, 7, 6, 4, 3, 2))]
    files.forget(state.recent[0])
    assert len(state.recent) == 9


def test_the_toy_has_its_fifteen_compartments():
    state = AppState()
    FilesController(state).open_sample("toy15")
    assert state.nodes == "merged"
    assert state.cell.trees[state.nodes].n_comp == 15


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_every_sample_opens_cut_as_its_model_and_without_trouble(name):
    state = AppState()
    FilesController(state).open_sample(name)
    assert title(state.cell) == SAMPLES[name].title
    assert {note.code for note in state.cell.morphology.notes} <= {"compartments.pointwise"}
    assert str(state.experiment.rule) == SAMPLES[name].rule


def test_closing_leaves_the_start_page(swc):
    state = AppState()
    files = FilesController(state)
    files.open(swc)
    files.close()
    assert (state.cell, state.experiment, state.perspective) == (None, None, "start")
