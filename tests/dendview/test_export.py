"""What is saved: names, pictures of the right size with the recipe inside, data, refusals."""

import json
import re

import numpy as np
import pytest
from PyQt6.QtGui import QImage

from dendview.controllers.export import KINDS, ExportController
from dendview.controllers.files import FilesController
from dendview.pictures import save_array
from dendview.state import AppState
from engine.errors import UserError
from engine.experiment import from_json

from .open_window import open_cell, open_window


@pytest.fixture(scope="module")
def toy():
    state = AppState()
    FilesController(state).open_sample("toy15")
    return state


def test_names_are_plain_dated_and_tell_the_experiment(toy):
    names = ExportController(toy, clock=lambda: 1_700_000_000.0)
    name = names.file_name("cell", "png")
    assert re.fullmatch(r"toy15_cell_2023111[45]-\d{6}_[0-9a-f]{8}\.png", name)
    assert name == names.file_name("cell", "png")


def test_names_stay_short_and_ascii(tmp_path):
    path = tmp_path / f"Zelle:µ {'lang' * 50}.swc"
    path.write_text("1 1 0 0 0 8 -1\n2 3 20 0 0 1 1\n")
    state = AppState()
    FilesController(state).open(str(path))
    name = ExportController(state).file_name("traces", "csv")
    assert len(name) <= 120
    assert name.isascii()
    assert name.startswith("Zelle-lang")
    assert not set(name) & set(': "/\\')


def test_the_experiment_is_saved_as_it_is(toy, tmp_path):
    ExportController(toy).save("experiment", tmp_path / "e.json")
    assert from_json((tmp_path / "e.json").read_text()) == toy.experiment


def test_what_is_not_there_cannot_be_saved(toy, tmp_path):
    with pytest.raises(UserError, match="There is no run yet; press F5"):
        ExportController(toy).save("traces", tmp_path / "t.csv")
    assert not (tmp_path / "t.csv").exists()


def test_a_place_that_cannot_be_written_is_named(toy, tmp_path):
    path = tmp_path / "missing" / "e.json"
    with pytest.raises(UserError, match=r"e\.json cannot be written .*; choose another folder"):
        ExportController(toy).save("experiment", path)


def test_pixels_come_back_from_the_file(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (7, 5, 4), np.uint8)
    pixels[..., 3] = 255
    save_array(pixels, tmp_path / "p.png")
    image = QImage(str(tmp_path / "p.png"))
    assert (image.width(), image.height()) == (5, 7)
    assert image.pixelColor(3, 6).getRgb() == tuple(pixels[6, 3])


@pytest.fixture
def dialog(qtbot, tmp_path):
    window = open_window(qtbot)
    open_cell(qtbot, window, "sample:spn")
    window.settings.folder = str(tmp_path)
    qtbot.wait(150)  # the panels find their places
    window.actions_table["export"].trigger()
    yield window.sheet
    window.sheet.close()


def test_a_picture_is_saved_at_its_scale_with_the_recipe(qtbot, dialog, tmp_path):
    window = dialog.parent()
    dialog.scale.setCurrentIndex(dialog.scale.findData(2))
    dialog.theme.setCurrentIndex(dialog.theme.findData("light"))
    dialog.export.click()
    (path,) = tmp_path.glob("spn_cell_*.png")
    image = QImage(str(path))
    view = window.pane.view
    assert (image.width(), image.height()) == (2 * view.width(), 2 * view.height())
    assert image.pixelColor(image.width() - 3, 3).lightnessF() > 0.95  # the light ground
    assert from_json(image.text("Recipe")) == window.state.experiment
    assert window.state.theme == "dark"
    assert not dialog.isVisible()
    assert window.toast.text == f"Saved {path.name}"
    window.toast.button("Copy path").click()


def test_the_preview_follows_the_theme(qtbot, dialog):
    qtbot.waitUntil(lambda: not dialog.picture.pixmap().isNull(), timeout=3000)

    def ground():
        image = dialog.picture.pixmap().toImage()
        return image.pixelColor(image.width() - 4, 4).lightnessF()

    assert ground() < 0.2
    dialog.theme.setCurrentIndex(dialog.theme.findData("light"))
    qtbot.waitUntil(lambda: ground() > 0.9, timeout=3000)


def test_a_schedule_is_saved_in_both_formats(dialog, tmp_path):
    window = dialog.parent()
    dialog.choose("schedule")
    dialog.format.setCurrentIndex(dialog.format.findData("json"))
    dialog.export.click()
    (path,) = tmp_path.glob("*_schedule_*.json")
    assert json.loads(path.read_text())["n_steps"] == window.state.schedule.n_step
    window.actions_table["export"].trigger()
    window.sheet.choose("schedule")
    window.sheet.export.click()
    (path,) = tmp_path.glob("*_schedule_*.csv")
    assert path.stat().st_size > 1000


@pytest.mark.parametrize("target", ["gantt", "costs", "methods"])
def test_plots_are_saved_by_their_views(qtbot, dialog, tmp_path, target):
    window = dialog.parent()
    window.controllers.schedule.compare()
    window.controllers.schedule.add_curve()
    dialog.choose(target)
    dialog.export.click()
    assert not dialog.error.isVisible(), dialog.error.text()
    (path,) = tmp_path.glob(f"*_{target}_*")
    assert path.stat().st_size > 50


def test_a_refused_export_stays_open_with_its_choices(dialog, tmp_path):
    dialog.choose("experiment")
    dialog.path.setText(str(tmp_path / "no" / "where.json"))
    dialog.export.click()
    assert dialog.isVisible()
    assert "cannot be written" in dialog.error.text()
    assert dialog.kind.target == "experiment"
    dialog.choose("cell")
    dialog.path.setText(str(tmp_path / "no" / "where.png"))
    dialog.export.click()
    assert dialog.isVisible()
    assert "choose another" in dialog.error.text()


def test_without_a_run_traces_cannot_be_chosen(dialog):
    titles = {kind.target: kind.title for kind in KINDS}
    items = [dialog.kinds.item(row) for row in range(dialog.kinds.count())]
    traces = next(item for item in items if item.text() == titles["traces"])
    assert not traces.flags()
    assert "F5" in traces.toolTip()
