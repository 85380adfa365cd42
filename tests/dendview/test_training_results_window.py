"""Results of a training in a real window: what is chosen in one panel is followed by the others."""

from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import Qt

from dendview.training import snapshot
from dendview.training_scene import OTHER_CELL
from dendview.worker.protocol import Examine

from .made_training import trained
from .open_window import cut_off, in_perspective, open_cell, open_window


def opened(qtbot, window, tmp_path):
    """The training is shown, and its results are there."""
    window.controllers.training.home = lambda: tmp_path
    open_cell(qtbot, window, "sample:spn", "training")
    window.controllers.training.open_folder(Path(trained().folder))
    in_perspective(qtbot, window, "training")
    settled(qtbot, window)
    return window


def settled(qtbot, window, epoch=2):
    def there():
        found, results = window.state.training_findings, window.controllers.training_results
        return found is not None and found.epoch == epoch and not results._busy

    qtbot.waitUntil(there, timeout=60_000)
    qtbot.wait(60)
    return window.state.training_findings


def show(qtbot, window, name):
    dock = window.docks.by_name[name]
    dock.show()
    dock.raise_()
    qtbot.wait(60)


@pytest.fixture
def lab(qtbot, window, tmp_path):
    return opened(qtbot, window, tmp_path)


def test_from_a_square_to_the_voltages_of_a_wrong_answer(qtbot, lab):
    """J5: click an epoch, a square of its matrix, a digit; its voltages are drawn."""
    state, docks = lab.state, lab.docks
    lab.controllers.training_look.choose_epoch(1)
    settled(qtbot, lab, 1)
    test = snapshot(trained(), 1).test
    wrong = test.confusion - np.diag(np.diag(test.confusion))
    label, answer = (int(i) for i in np.unravel_index(wrong.argmax(), wrong.shape))
    show(qtbot, lab, "training_answers")
    grid = docks.training_answers.grid
    at = grid._box(state.training_findings, label, answer).center().toPoint()
    qtbot.mouseClick(grid, Qt.MouseButton.LeftButton, pos=at)
    qtbot.waitUntil(
        lambda: (
            state.training_findings.wanted.label == label
            and state.training_findings.gallery.n_all == wrong[label, answer]
        ),
        timeout=30_000,
    )
    qtbot.wait(80)
    samples = docks.training_answers.list
    assert samples.count() == wrong[label, answer] >= 2
    rect = samples.visualItemRect(samples.item(1))
    qtbot.mouseClick(samples.viewport(), Qt.MouseButton.LeftButton, pos=rect.center())
    sample = samples.item(1).data(Qt.ItemDataRole.UserRole)
    qtbot.waitUntil(lambda: state.training_findings.sample == sample, timeout=30_000)
    qtbot.wait(80)
    voltage = docks.training_voltage
    assert f"label {label}, answer {answer}" in voltage._titles[voltage.output].toolTip()
    assert voltage.sample.box.value() == sample
    assert state.training_findings.label == label


def test_the_weights_of_the_clicked_neuron_are_on_the_cell(qtbot, lab):
    state = lab.state
    assert state.color_by == "weight"  # the first results bring them
    show(qtbot, lab, "training_hidden")
    maps = lab.docks.training_hidden.maps
    box = maps.map_box("after")
    at = box.center()
    qtbot.mouseClick(maps, Qt.MouseButton.LeftButton, pos=at.toPoint())
    (neuron,) = state.training_choice.neurons
    assert neuron == 3
    qtbot.wait(60)
    scene, _ = lab.pane.view._current()
    assert scene.legend.note == "neuron 3, epoch 2"
    assert scene.synapses is not None
    show(qtbot, lab, "training_weights")
    weights = lab.docks.training_weights
    weights.on_cell.click()
    assert state.color_by == "type"
    weights.on_cell.click()
    assert state.color_by == "weight"


def test_another_cell_can_be_changed_for_the_hidden_neuron(qtbot, lab):
    open_cell(qtbot, lab, "sample:mitral", "training")
    lab.state.color_by = "weight"
    show(qtbot, lab, "training_weights")
    assert lab.pane.view._current()[0].reason == OTHER_CELL
    qtbot.mouseClick(lab.docks.training_weights.open, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not lab.reading, timeout=30_000)
    assert lab.state.cell.source == "sample:spn"
    assert not lab.docks.training_weights.open.isVisible()


def test_another_number_of_image_brings_its_voltages(qtbot, lab):
    voltage = lab.docks.training_voltage
    voltage.sample.box.setFocus()
    voltage.sample.box.selectAll()
    qtbot.keyClicks(voltage.sample.box, "42")
    qtbot.keyClick(voltage.sample.box, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: lab.state.training_findings.sample == 42, timeout=30_000)


def test_robustness_is_examined_from_the_menu(qtbot, lab):
    robustness = lab.controllers.robustness
    robustness._missing = lambda: ""
    lab.state.robustness_missing = ""
    lab.refresh()
    lab.actions_table["examine"].trigger()
    (work,) = [w for w in robustness._worker.sent if isinstance(w, Examine)]
    assert (work.epoch, work.study.n) == (2, 1000)
    qtbot.wait(60)
    view = lab.docks.training_robustness
    assert view.isVisible()
    assert view.run.text() == "Cancel"
    lab.actions_table["cancel"].trigger()
    assert lab.state.job.cancelling
    robustness.drop()
    assert lab.state.job is None


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_nothing_is_cut_off_at_the_smallest_size(qtbot, tmp_path, theme):
    window = opened(qtbot, open_window(qtbot, theme=theme), tmp_path)
    for name in ("training_answers", "training_hidden", "training_weights", "training_robustness"):
        show(qtbot, window, name)
        least = window.minimumSizeHint()
        assert (least.width() <= 1280, least.height() <= 800) == (True, True)
        assert cut_off(window) == []
