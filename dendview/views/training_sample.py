"""Which test image is looked at: its picture, its number, and what the network says of it."""

import numpy as np
from PyQt6.QtCore import QSignalBlocker, pyqtSignal
from PyQt6.QtGui import QImage, QPixmap
from PyQt6.QtWidgets import QComboBox, QGridLayout, QLabel, QSpinBox, QWidget

from dendview.colors import THEMES, ThemeName, rgb
from dendview.training_findings import Findings
from dendview.widgets.elided import ElidedLabel
from dendview.wording import number
from engine.experiments.hpc_net.spec import to_json
from engine.types import FloatArray

SIDE = 48
"""Pixels of the picture."""


class SampleBar(QWidget):
    """Picture and number of the test image that is shown; both can be changed here."""

    sample_chosen = pyqtSignal(int)
    mean_chosen = pyqtSignal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.picture = QLabel()
        self.picture.setFixedSize(SIDE, SIDE)
        self.picture.setAccessibleName("The test image")
        self.box = QSpinBox()
        self.box.setAccessibleName("Number of the test image")
        self.box.setPrefix("Test image ")
        self.box.setKeyboardTracking(False)
        self.box.setMinimumHeight(24)
        self.box.setToolTip("Which test image the network is shown (↑ ↓)")
        self.kind = QComboBox()
        self.kind.setAccessibleName("Image or mean of its class")
        self.kind.addItems(["This image", "Mean of its class"])
        self.kind.setToolTip("The response to this image, or the mean one to images of its class")
        self.text = ElidedLabel("")
        grid = QGridLayout(self)
        grid.setContentsMargins(10, 5, 10, 3)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        grid.addWidget(self.picture, 0, 0, 2, 1)
        grid.addWidget(self.box, 0, 1)
        grid.addWidget(self.kind, 0, 2)
        grid.addWidget(self.text, 1, 1, 1, 3)
        grid.setColumnStretch(3, 1)
        self.box.valueChanged.connect(self.sample_chosen)
        self.kind.activated.connect(lambda row: self.mean_chosen.emit(row == 1))

    def show_findings(self, found: Findings | None, theme: ThemeName) -> None:
        """Tell of the image that is shown."""
        self.setEnabled(found is not None)
        if found is None:
            self.picture.clear()
            self.text.setText("")
            return
        last = len(found.data.test) - 1
        with QSignalBlocker(self.box):
            self.box.setRange(0, last)
            self.box.setSuffix(f" of {number(last)}")
            self.box.setValue(found.sample)
        self.kind.setCurrentIndex(int(found.wanted.mean))
        density = self.devicePixelRatioF()
        image = picture_of(found.image(found.sample), theme)
        side = round(SIDE * density)
        picture = QPixmap.fromImage(image).scaled(side, side)
        picture.setDevicePixelRatio(density)
        self.picture.setPixmap(picture)
        self.text.setText(said_text(found))
        self.text.setToolTip(said_text(found))


def picture_of(brightness: FloatArray, theme: ThemeName) -> QImage:
    """An image of the data: bright ink on the dark theme, dark ink on the light one."""
    low, high = (np.array(rgb(c), float) for c in _inks(theme))
    pixels = low + brightness[..., None] * (high - low)
    rows, columns = brightness.shape
    shown = np.rint(pixels).astype(np.uint8).tobytes()
    kind = QImage.Format.Format_RGB888
    return QImage(shown, columns, rows, 3 * columns, kind).copy()


def _inks(theme: ThemeName) -> tuple[str, str]:
    colors = THEMES[theme]
    return ("#000000" if theme == "dark" else "#eef0f4"), colors.text


def percent(share: float) -> str:
    """``98 %``, ``99.7 %``, ``0.3 %``, ``≈100 %``."""
    value = 100 * share
    if 99.95 <= value < 100:
        return "≈100 %"
    digits = 1 if (value > 99 or value < 1) and 0 < value < 100 else 0
    return f"{value:.{digits}f} %"


def epoch_name(epoch: int) -> str:
    """``untrained`` or ``epoch 12``."""
    return "untrained" if epoch == 0 else f"epoch {epoch}"


def said_text(found: Findings) -> str:
    """``label 4 · untrained: 9 (21 %) · epoch 12: 4 (98 %)``."""
    classes = found.data.classes
    asked = found.wanted
    parts = [f"label {classes[found.label]}"]
    for snap, answer, sure in zip(
        (asked.first, asked.shown), found.answers.answer, found.answers.confidence, strict=True
    ):
        text = f"{epoch_name(snap.epoch)}: {classes[int(answer)]} ({percent(float(sure))})"
        if text not in parts:
            parts.append(text)
    return " · ".join(parts)


def recipe_of(found: Findings | None) -> str:
    """The training as JSON."""
    return "" if found is None else to_json(found.wanted.training)
