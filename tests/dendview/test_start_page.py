"""The start page: cards with pictures, recent files, a place to drop."""

import numpy as np
import pytest
from PyQt6.QtCore import QMimeData, QPointF, QSize, QStandardPaths, Qt, QThreadPool, QUrl
from PyQt6.QtGui import QDropEvent
from PyQt6.QtWidgets import QPushButton

from dendview.state import AppState
from dendview.thumbnails import draw_cell, project
from dendview.views.start_page import StartPage
from engine.morphology.reading import read_morphology
from engine.morphology.samples import SAMPLES, sample_path


@pytest.fixture
def page(qtbot):
    QStandardPaths.setTestModeEnabled(True)
    page = StartPage(AppState())
    page.resize(1280, 700)
    qtbot.addWidget(page, before_close_func=lambda _: QThreadPool.globalInstance().waitForDone())
    with qtbot.waitExposed(page):
        page.show()
    return page


def test_every_sample_has_a_card_with_its_picture(qtbot, page):
    assert [card.name for card in page.cards] == list(SAMPLES)
    drawn = lambda: all(not card.picture.pixmap().isNull() for card in page.cards)  # noqa: E731
    qtbot.waitUntil(drawn, timeout=30_000)
    page._state.theme = "light"
    qtbot.waitUntil(drawn, timeout=30_000)


def test_a_card_is_chosen_by_mouse_and_by_key(qtbot, page):
    with qtbot.waitSignal(page.sample_chosen) as signal:
        qtbot.mouseMove(page.cards[1])
        qtbot.mouseClick(page.cards[1], Qt.MouseButton.LeftButton)
    assert signal.args == [page.cards[1].name]
    with qtbot.waitSignal(page.sample_chosen) as signal:
        qtbot.keyClick(page.cards[2], Qt.Key.Key_Return)
    assert signal.args == [page.cards[2].name]


def test_cards_use_the_width_there_is(qtbot, page):
    assert page.cards[4].y() == page.cards[0].y()
    page.resize(760, 700)
    qtbot.waitUntil(lambda: page.cards[4].y() > page.cards[0].y())
    assert page.cards[2].y() == page.cards[0].y()


def test_recent_files_are_offered(qtbot, page):
    assert not page._recent_heading.isVisible()
    page._state.recent = ("/cells/one.swc", "/cells/two.asc")
    button = next(b for b in page.findChildren(QPushButton) if b.text().startswith("two.asc"))
    with qtbot.waitSignal(page.file_chosen) as signal:
        button.click()
    assert signal.args == ["/cells/two.asc"]


def test_a_drop_is_taken(qtbot, page):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile("/cells/one.swc")])
    copy, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    event = QDropEvent(QPointF(9, 9), copy, data, left, Qt.KeyboardModifier.NoModifier)
    with qtbot.waitSignal(page.drop.dropped) as signal:
        page.drop.dropEvent(event)
    assert signal.args == ["/cells/one.swc"]


def test_a_picture_is_centered_upright_and_fills_its_frame():
    xyz = np.array([[0.0, 0, 0], [10, 40, 0], [-10, 40, 5]])
    points, scale = project(xyz, 100, 80, 10)
    assert scale == pytest.approx(60 / 40)
    np.testing.assert_allclose(points[:, 1], [70, 10, 10])  # y up: the tips are above
    np.testing.assert_allclose(points[:, 0], [50, 65, 35])


def test_a_picture_shows_the_types(qapp):
    morphology = read_morphology(sample_path("human_l23"))
    image = draw_cell(morphology, QSize(186, 116), "dark", 2.0)
    assert (image.width(), image.height()) == (372, 232)
    colors = {
        image.pixelColor(x, y).name()
        for x in range(image.width())
        for y in range(image.height())
        if image.pixelColor(x, y).alpha() == 255
    }
    assert "#e69f00" in colors  # the soma
    assert len(colors) > 3
