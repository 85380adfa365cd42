"""The start page: sample cells, recent files and a place to drop a file."""

import contextlib
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QSize, Qt, pyqtSignal
from PyQt6.QtGui import (
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPixmap,
)
from PyQt6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from dendview.colors import ThemeName
from dendview.controllers.training_plan import CARDS
from dendview.resources import line_icon
from dendview.state import AppState
from dendview.theme_qt import THEMES
from dendview.thumbnails import cache_file, draw_cell
from dendview.views.lab_panel import PresetCard
from dendview.widgets.background import Background
from dendview.widgets.drops import dropped_path
from engine.errors import UserError
from engine.morphology.reading import read_morphology
from engine.morphology.samples import SAMPLES, sample_path

CARD = QSize(208, 208)
PICTURE = QSize(186, 116)


def card_picture(name: str, theme: ThemeName) -> tuple[str, ThemeName, QImage]:
    """The picture of a sample, from the cache or drawn; an empty one where it cannot be read."""
    try:
        path = Path(sample_path(name))
        kept = cache_file(path, PICTURE, theme)
        image = QImage(str(kept))
        if image.isNull():
            image = draw_cell(read_morphology(path), PICTURE, theme)
            with contextlib.suppress(OSError):  # a cache that cannot be written only costs time
                kept.parent.mkdir(parents=True, exist_ok=True)
                image.save(str(kept))
    except (UserError, OSError):
        image = QImage()  # the card opens it all the same, and then the reason is told
    image.setDevicePixelRatio(2.0)
    return name, theme, image


class SampleCard(QFrame):
    """A sample: picture, title, one line; a click or Return opens it."""

    chosen = pyqtSignal(str)

    def __init__(self, name: str, title: str, description: str) -> None:
        super().__init__()
        self.setObjectName("card")
        self.name = name
        self.setFixedSize(CARD)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(title)
        self.setAccessibleDescription(description)
        self.setToolTip(description)
        self.picture = QLabel()
        self.picture.setFixedHeight(PICTURE.height())
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        heading = QLabel(title)
        font = heading.font()
        font.setBold(True)
        heading.setFont(font)
        line = QLabel(description)
        line.setProperty("role", "muted")
        line.setWordWrap(True)
        line.setAlignment(Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(11, 10, 11, 10)
        layout.setSpacing(3)
        layout.addWidget(self.picture)
        layout.addSpacing(4)
        layout.addWidget(heading)
        layout.addWidget(line, 1)

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        if event is not None and self.rect().contains(event.position().toPoint()):
            self.chosen.emit(self.name)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        if event is not None and event.key() in (
            Qt.Key.Key_Return,
            Qt.Key.Key_Enter,
            Qt.Key.Key_Space,
        ):
            self.chosen.emit(self.name)
        else:
            super().keyPressEvent(event)


class DropZone(QFrame):
    """Says where a file may be dropped, and offers to choose one."""

    dropped = pyqtSignal(str)
    browse_clicked = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("dropzone")
        self.setAcceptDrops(True)
        self.setFixedHeight(96)
        self.icon = QLabel()
        text = QLabel("Drop an SWC or ASC file here")
        font = text.font()
        font.setBold(True)
        text.setFont(font)
        hint = QLabel("also .gz; the format is told by the content")
        hint.setProperty("role", "muted")
        self.button = QPushButton("Open a file…")
        self.button.setProperty("primary", True)
        self.button.clicked.connect(self.browse_clicked)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addStretch()
        words.addWidget(text)
        words.addWidget(hint)
        words.addStretch()
        row = QHBoxLayout(self)
        row.setContentsMargins(22, 12, 22, 12)
        row.setSpacing(16)
        row.addWidget(self.icon)
        row.addLayout(words, 1)
        row.addWidget(self.button)

    def _mark(self, over: bool) -> None:
        self.setProperty("over", over)
        if (style := self.style()) is not None:
            style.unpolish(self)
            style.polish(self)

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:
        if event is not None and dropped_path(event.mimeData()):
            self._mark(True)
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent | None) -> None:
        self._mark(False)

    def dropEvent(self, event: QDropEvent | None) -> None:
        self._mark(False)
        if event is not None and (path := dropped_path(event.mimeData())):
            event.acceptProposedAction()
            self.dropped.emit(path)


class StartPage(QScrollArea):
    """What a person sees first. Works offline."""

    sample_chosen = pyqtSignal(str)
    file_chosen = pyqtSignal(str)
    browse_clicked = pyqtSignal()
    images_chosen = pyqtSignal(str)  # a data set to train on

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._pictures = Background(self)
        self._pictures.done.connect(self._show_picture)
        self._pictures.failed.connect(_raise)
        self.setAccessibleName("Start page")
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        page = QWidget()
        page.setObjectName("start")
        self.setWidget(page)
        column = QVBoxLayout(page)
        column.setContentsMargins(44, 30, 44, 30)
        column.setSpacing(10)
        headline = QLabel("Open a neuron")
        headline.setProperty("role", "headline")
        column.addWidget(headline)
        lead = QLabel(
            "See its compartments, step through its schedule, run it and watch the voltage spread."
        )
        lead.setProperty("role", "muted")
        column.addWidget(lead)
        column.addSpacing(8)
        self.drop = DropZone()
        self.drop.dropped.connect(self.file_chosen)
        self.drop.browse_clicked.connect(self.browse_clicked)
        column.addWidget(self.drop)
        self._recent_heading = _heading("Recent files")
        column.addWidget(self._recent_heading)
        self._recent = QVBoxLayout()
        self._recent.setSpacing(0)
        column.addLayout(self._recent)
        column.addWidget(_heading("Samples"))
        self._grid = QGridLayout()
        self._grid.setSpacing(14)
        self._grid.setAlignment(Qt.AlignmentFlag.AlignLeft)
        column.addLayout(self._grid)
        column.addWidget(_heading("Train a network of neurons (HPC-Net)"))
        row = QHBoxLayout()
        row.setSpacing(14)
        self.image_cards = [PresetCard(n, card.title, card.note) for n, card in CARDS.items()]
        for image_card in self.image_cards:
            image_card.setFixedWidth(CARD.width())
            image_card.chosen.connect(self.images_chosen)
            row.addWidget(image_card)
        row.addStretch()
        column.addLayout(row)
        column.addStretch()
        self.cards = [
            SampleCard(name, info.title, info.description) for name, info in SAMPLES.items()
        ]
        for card in self.cards:
            card.chosen.connect(self.sample_chosen)
        self._columns = 0
        state.events.theme.connect(self._draw_pictures)
        state.events.recent.connect(self._list_recent)
        self._list_recent()
        self._draw_pictures()

    def _draw_pictures(self, *_: object) -> None:
        theme = self._state.theme
        colors = THEMES[theme]
        self.drop.icon.setPixmap(line_icon("drop", colors.accent, colors.muted).pixmap(36, 36))
        for card in self.cards:
            self._pictures.start(partial(card_picture, card.name, theme))

    def _show_picture(self, drawn: tuple[str, ThemeName, QImage]) -> None:
        name, theme, image = drawn
        for card in self.cards:
            if card.name != name or theme != self._state.theme:
                continue
            if image.isNull():
                card.picture.setText("no picture")
            else:
                card.picture.setPixmap(QPixmap.fromImage(image))

    def _list_recent(self, *_: object) -> None:
        while (item := self._recent.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        recent = self._state.recent[:5]
        self._recent_heading.setVisible(bool(recent))
        for source in recent:
            path = Path(source)
            button = QPushButton(f"{path.name}     {path.parent}")
            button.setObjectName("recent")
            button.setProperty("flat_link", True)
            button.setToolTip(source)
            button.setCursor(Qt.CursorShape.PointingHandCursor)
            button.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
            button.clicked.connect(lambda _=False, source=source: self.file_chosen.emit(source))
            self._recent.addWidget(button)

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        viewport = self.viewport()
        assert viewport is not None
        columns = max(1, (viewport.width() - 88 + 14) // (CARD.width() + 14))
        if columns != self._columns:
            self._columns = columns
            for i, card in enumerate(self.cards):
                self._grid.addWidget(card, i // columns, i % columns)


def _raise(error: Exception) -> None:
    raise error  # a defect of ours: the excepthook tells it


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "heading")
    label.setContentsMargins(0, 12, 0, 0)
    return label
