"""Files dropped on the window, damaged ones, and reading that goes on."""

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QApplication

from .open_window import drop


def test_a_dropped_file_opens_and_is_remembered(qtbot, window, data_dir):
    path = data_dir / "morphologies/paper/SPN_lindroos2018_latest_WT-P270-20-14ak.swc"
    assert drop(window, path).isAccepted()
    qtbot.waitUntil(lambda: window.state.cell is not None, timeout=20_000)
    assert window.state.cell.morphology.name.startswith("SPN")
    assert window.settings.recent == (str(path),)
    assert window.menus["File/Recent"].actions()[0].text() == path.name


def test_a_damaged_file_changes_nothing_and_says_what_is_wrong(qtbot, opened, tmp_path):
    before = opened.state.cell
    bad = tmp_path / "bad.swc"
    bad.write_text("1 1 0 0 0 5 -1\n2 3 10 0 0 1 1\n3 3 20 0 0 1 99\n4 3 30 0 0 -1 3\n")
    opened.open_source(str(bad))
    qtbot.waitUntil(lambda: opened.sheet is not None and opened.sheet.isVisible(), timeout=10_000)
    assert opened.state.cell is before
    assert opened.sheet.sentence.text().startswith("Line 3: point 3 has parent 99")
    assert opened.sheet.table.item(0, 0).text() == "3"
    assert opened.sheet.table.item(1, 0).text() == "4"
    opened.sheet.copy.click()
    assert "bad.swc" in QApplication.clipboard().text()
    assert "line 4" in QApplication.clipboard().text()
    opened.sheet.close()


def test_what_is_no_morphology_is_named(qtbot, window, tmp_path):
    paper = tmp_path / "paper.swc"
    paper.write_bytes(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj")
    window.open_source(str(paper))
    qtbot.waitUntil(lambda: window.sheet is not None, timeout=10_000)
    assert "PDF" in window.sheet.sentence.text()
    assert window.state.perspective == "start"
    window.sheet.close()


def test_reading_does_not_hold_up_the_window_and_the_last_wish_wins(qtbot, window):
    window.open_source("sample:human_l23")
    assert window.state.job.text.startswith("Reading")
    assert window.state.cell is None  # it came back before the file was read
    window.open_source("sample:toy15")
    qtbot.waitUntil(lambda: not window.reading, timeout=20_000)
    qtbot.wait(300)
    assert window.state.cell.source == "sample:toy15"
    assert window.state.job is None


def test_escape_stops_reading(qtbot, window):
    window.open_source("sample:human_l23")
    window.refresh()
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert window.state.job is None
    qtbot.wait(500)
    assert window.state.cell is None
