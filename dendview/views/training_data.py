"""Data of a training: cards, what was found in the folder, and the ways out where it is missing."""

import numpy as np
from PyQt6.QtCore import QSize, Qt, pyqtSignal
from PyQt6.QtGui import QImage, QPainter, QPixmap
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from dendview.controllers.training_plan import CARDS
from dendview.state import AppState
from dendview.training import TrainingData, data_name
from dendview.views.lab_panel import PresetCard
from dendview.widgets.lazy import LazyWidget
from dendview.wording import number
from engine.experiments.hpc_net.data import DIGITS, DOWNLOADS
from engine.experiments.hpc_net.data_check import DataCheck

TILE = 22
"""Points of an example image."""
N_EXAMPLE = 10


class TrainingDataView(LazyWidget):
    """Reports what data the person wants; shows the state's."""

    card_chosen = pyqtSignal(str)
    folder_wanted = pyqtSignal()
    download_clicked = pyqtSignal()
    digits_clicked = pyqtSignal()
    check_clicked = pyqtSignal()

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.cards = [PresetCard(name, card.title, card.note) for name, card in CARDS.items()]
        self.found = QLabel()
        self.found.setWordWrap(True)
        self.files = QLabel()
        self.files.setProperty("role", "muted")
        self.files.setWordWrap(True)
        self.pictures = QLabel()
        self.pictures.setAccessibleName("The first image of every class")
        self.error = QLabel()
        self.error.setProperty("role", "error")
        self.error.setWordWrap(True)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(8)
        self.bar.setAccessibleName("Progress of the download")
        self.download = QPushButton("Download")
        self.download.setProperty("primary", True)
        self.folder = QPushButton("Folder…")
        self.folder.setToolTip("Images in the four IDX files of MNIST's form, plain or .gz")
        self.digits = QPushButton("Use the digits")
        self.digits.setToolTip("The bundled ones, which need no network")
        self.again = QPushButton("Look again")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        for card in self.cards:
            column.addWidget(card)
            card.chosen.connect(self.card_chosen)
        for widget in (self.found, self.pictures, self.files, self.error, self.bar):
            column.addWidget(widget)
        for row in ((self.download, self.digits), (self.folder, self.again)):
            line = QHBoxLayout()
            line.setSpacing(6)
            for button in row:
                line.addWidget(button, 1)
            column.addLayout(line)
        self.download.clicked.connect(self.download_clicked)
        self.folder.clicked.connect(self.folder_wanted)
        self.digits.clicked.connect(self.digits_clicked)
        self.again.clicked.connect(self.check_clicked)
        for event in (state.events.training_data, state.events.training_plan, state.events.job):
            event.connect(self.redraw)

    def _draw(self) -> None:
        data = self._state.training_data
        source = data.source if data is not None else ""
        for card in self.cards:
            card.show_chosen(
                card.name == source if card.name == DIGITS else data_name(source) == card.name
            )
        missing = data is not None and data.state == "missing"
        fetching = data is not None and data.state == "fetching"
        wrong = data is not None and data.state == "wrong"
        self.bar.setVisible(fetching)
        self.download.setVisible(missing and bool(data is not None and data.download))
        self.digits.setVisible(missing or wrong)
        self.again.setVisible(missing or wrong)
        self.error.setVisible(data is not None and bool(data.error))
        self.files.setVisible(False)
        self.pictures.setVisible(False)
        if data is None:
            return
        self.error.setText(data.error)
        self.found.setText(words(data))
        self.found.setToolTip("" if data.source == DIGITS else data.source)
        self.download.setEnabled(self._state.job is None)
        if data.download:
            self.download.setText(f"Download {DOWNLOADS[data.download].megabytes:.0f} MB")
        if fetching:
            self.bar.setRange(0, 1000)
            self.bar.setValue(round(1000 * (data.fraction or 0.0)))
        if data.check is not None:
            text = file_words(data.check)
            self.files.setText(text)
            self.files.setVisible(bool(text))
            files = "\n".join(
                f"{f.name}: {number(f.n_bytes)} bytes, {STATES[f.state]}" for f in data.check.files
            )
            self.files.setToolTip(files)
            self.pictures.setPixmap(self._tiles(data.check))
            self.pictures.setVisible(True)
            self.pictures.setToolTip(", ".join(data.check.classes))

    def _tiles(self, check: DataCheck) -> QPixmap:
        """The first image of every class, side by side."""
        ratio = self.devicePixelRatioF()
        size, gap = round(TILE * ratio), round(3 * ratio)
        shown = min(len(check.examples), N_EXAMPLE)
        picture = QPixmap(QSize(shown * (size + gap) - gap, size))
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        rows, columns = check.shape
        for k in range(shown):
            gray = np.rint(255 * check.levels[check.examples[k]]).astype(np.uint8)
            image = QImage(gray.tobytes(), columns, rows, columns, QImage.Format.Format_Grayscale8)
            painter.drawImage(
                k * (size + gap), 0, image.scaled(
                    size, size, Qt.AspectRatioMode.KeepAspectRatio,
                    Qt.TransformationMode.SmoothTransformation,
                ),
            )  # fmt: skip
        painter.end()
        picture.setDevicePixelRatio(ratio)
        return picture


STATES = {
    "published": "as published",
    "other": "not the published file of that name",
    "unpacked": "unpacked, so not compared",
}


def words(data: TrainingData) -> str:
    """What is known of the data, in one line."""
    name = data_name(data.source)
    match data.state:
        case "unchecked" | "checking":
            return f"Looking at {name}…"
        case "fetching":
            return f"Fetching {name}…"
        case "missing":
            if not data.download:
                return f"There are no images in {data.source}."
            known = DOWNLOADS[data.download]
            return (
                f"{known.title} is not on this machine: {known.megabytes:.1f} MB, {known.license}."
            )
        case "wrong":
            return f"The images in {data.source} cannot be used."
    assert data.check is not None
    check = data.check
    rows, columns = check.shape
    return (
        f"✓ {number(check.n_train)} to learn from, {number(check.n_test)} to test; "
        f"{rows}\u00a0×\u00a0{columns}\u00a0pixels, {len(check.classes)}\u00a0classes"
    )


def file_words(check: DataCheck) -> str:
    """Whether the files are those that were published."""
    if not check.files:
        return ""
    if check.published:
        return f"✓ all {len(check.files)} files as published (SHA-256)"
    states = [file.state for file in check.files]
    if "other" in states:
        return f"⚠ {states.count('other')} of {len(states)} files are not those that were published"
    if "unpacked" in states:
        return "unpacked files: not compared with those that were published"
    return "⚠ files of different data sets"
