"""Published membranes on the open cell, and experiments opened from their files."""

from dataclasses import replace

import pytest
from PyQt6.QtWidgets import QComboBox

from dendview.controllers.experiment import ExperimentController
from dendview.controllers.files import FilesController
from dendview.membranes import choice_of, published
from dendview.state import AppState
from dendview.views.experiment_panel import ExperimentPanel
from engine.errors import FileError, UserError
from engine.experiment import Cable, Insertion, Probe, to_json
from engine.recipes import RECIPES, recipe_path
from engine.stimuli import CurrentClamp, Site
from tests.dendview.small_cell import small_experiment, small_state

from .open_window import in_perspective, open_cell, open_window

SWC = "1 1 0 0 0 8 -1\n2 3 20 0 0 1 1\n3 3 120 0 0 1 2\n"


@pytest.mark.parametrize("name", RECIPES)
def test_every_published_membrane_goes_on_and_comes_off(name):
    clamp = CurrentClamp(Site("soma[0]"))
    state = small_state(stimuli=(clamp,), duration=123.0)
    controller, before, cell = ExperimentController(state), state.experiment, state.cell
    assert controller.put_membrane(name)
    after, given = state.experiment, published(name)
    assert (after.insertions, after.cables) == (given.insertions, given.cables)
    assert (after.f_factors, after.spine_density) == (given.f_factors, given.spine_density)
    assert (after.celsius, after.v_init, after.axon) == (given.celsius, given.v_init, given.axon)
    assert (after.morphology, after.stimuli, after.duration) == ("small.swc", (clamp,), 123.0)
    assert state.cell.morphology is cell.morphology
    assert f"{given.celsius:g} °C" in state.message.text
    assert "ModelDB" in state.message.details
    assert choice_of(after) == f"recipe:{name}"
    assert controller.undo()
    assert state.experiment == before
    assert "put on the membrane of" in state.message.text


def test_what_sat_on_the_old_axon_goes_with_it():
    """The stub of two cylinders has sections 0 and 1, so only a place on a third one is lost."""
    state = small_state(probes=(Probe(Site("soma[0]")), Probe(Site("apic[1]"))))
    gone = replace(state.experiment.probes[0], site=Site("axon[7]"))
    state.experiment = replace(state.experiment, probes=(*state.experiment.probes, gone))
    controller = ExperimentController(state)
    assert controller.put_membrane("human_l23")
    assert [p.site.section for p in state.experiment.probes] == ["soma[0]", "apic[1]"]
    assert "without 1 thing that sat on the old axon" in state.message.text


def test_the_same_membrane_twice_is_said_and_is_no_step():
    state = small_state()
    controller = ExperimentController(state)
    controller.put_membrane("ca1")
    assert not controller.put_membrane("ca1")
    assert "already" in state.message.text
    controller.undo()
    assert not controller.can_undo


def test_a_membrane_that_measures_from_a_dendrite_the_cell_lacks_is_refused(tmp_path):
    path = tmp_path / "cell.swc"
    path.write_text(SWC)
    state = AppState()
    FilesController(state).open(str(path))
    before = state.experiment
    assert not ExperimentController(state).put_membrane("l5b")
    assert "apic[0]" in state.message.text
    assert state.message.kind == "error"
    assert state.experiment is before


def test_a_membrane_with_another_cable_is_not_the_published_one():
    other = replace(published("ca1"), cables=(Cable(ra=99.0),))
    assert choice_of(other) == ""
    assert choice_of(small_experiment(insertions=(Insertion("hh", "all"),))) == "hh everywhere"


def test_the_panel_offers_them(qtbot):
    state = small_state()
    controller, panel = ExperimentController(state), ExperimentPanel(state)
    qtbot.addWidget(panel)
    panel.experiment_edited.connect(controller.replace)
    panel.membrane_chosen.connect(controller.put_membrane)
    panel.resize(320, 900)
    with qtbot.waitExposed(panel):
        panel.show()

    def combo():
        boxes = panel.findChildren(QComboBox)
        return next(c for c in boxes if c.accessibleName() == "Preset")

    qtbot.wait(20)
    assert combo().currentText() == "Custom"
    combo().setCurrentIndex(combo().findText("CA1, Migliore 2004"))
    qtbot.wait(20)
    assert choice_of(state.experiment) == "recipe:ca1"
    assert combo().currentText() == "CA1, Migliore 2004"
    assert panel._scroll.widget().minimumSizeHint().width() <= 320
    combo().setCurrentIndex(combo().findText("Passive"))
    qtbot.wait(20)
    assert [i.mechanism for i in state.experiment.insertions] == ["pas"]
    assert state.experiment.reversals == ()
    controller.undo()
    assert choice_of(state.experiment) == "recipe:ca1"


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_menu_puts_one_on_and_nothing_is_cut_off(qtbot, theme):
    from .open_window import cut_off

    window = open_window(qtbot, theme=theme)
    assert not window.actions_table["membrane:l5b"].isEnabled()
    open_cell(qtbot, window, "sample:l5b")
    window.refresh()
    window.actions_table["membrane:l5b"].trigger()
    assert choice_of(window.state.experiment) == "recipe:l5b"
    for perspective in ("explore", "simulate"):
        in_perspective(qtbot, window, perspective)
        assert cut_off(window) == []


# Experiments as files


def test_an_experiment_is_opened_with_its_cell(tmp_path):
    (tmp_path / "cell.swc").write_text(SWC)
    experiment = replace(published("ca1"), morphology="cell.swc", duration=77.0, name="mine")
    file = tmp_path / "mine.json"
    file.write_text(to_json(experiment))
    state = AppState()
    FilesController(state).open(str(file))
    cell = str(tmp_path / "cell.swc")
    assert state.experiment == replace(experiment, morphology=cell)
    assert state.cell.source == cell
    assert state.recent == (str(file),)
    assert "mine.json" in state.message.text


def test_a_recipe_of_the_program_is_opened(qtbot):
    window = open_window(qtbot)
    open_cell(qtbot, window, str(recipe_path("ca1")))
    assert choice_of(window.state.experiment) == "recipe:ca1"
    assert window.state.cell.source == "sample:ca1"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{", "this is not JSON"),
        ('{"a": 1}', "this JSON is not an experiment"),
        (None, "cannot be read"),
        (to_json(replace(published("ca1"), morphology="gone.swc")), "gone.swc is not there"),
        (
            to_json(replace(published("ca1"), mechanism_folders=("mods",))),
            "mods: this is no folder",
        ),
    ],
)
def test_a_bad_experiment_is_refused_with_a_sentence(tmp_path, text, what):
    file = tmp_path / "bad.json"
    if text is not None:
        file.write_text(text)
    state = AppState()
    with pytest.raises(FileError, match=what):
        FilesController(state).open(str(file))
    assert state.cell is None
    assert FilesController(state).problems(str(file)) == ()


def test_an_experiment_that_does_not_fit_its_cell_is_refused(tmp_path):
    (tmp_path / "cell.swc").write_text(SWC)
    file = tmp_path / "bad.json"
    probes = (Probe(Site("tuft[0]")),)
    file.write_text(to_json(replace(published("ca1"), morphology="cell.swc", probes=probes)))
    with pytest.raises(UserError, match=r"no section 'tuft\[0\]'"):
        FilesController(AppState()).open(str(file))
