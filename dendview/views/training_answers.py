"""What the network answers: confusion matrix, and the samples behind a square of it."""

from pathlib import Path

import numpy as np
from PyQt6.QtCore import QSize, Qt, pyqtSignal
from PyQt6.QtGui import QIcon, QPixmap, QResizeEvent
from PyQt6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QListView,
    QListWidget,
    QListWidgetItem,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from dendview.colors import ThemeName
from dendview.state import AppState
from dendview.svg_pictures import save_svg
from dendview.training_findings import Findings, Gallery
from dendview.views.training_confusion import ConfusionGrid
from dendview.views.training_sample import epoch_name, percent, picture_of, recipe_of
from dendview.widgets.elided import ElidedLabel
from dendview.widgets.lazy import LazyWidget
from dendview.wording import number, plural
from engine.errors import UserError
from engine.exporting.training_figure import confusion_svg
from engine.exporting.training_results_figure import samples_svg

PICTURE = 40
"""Pixels of an image in the gallery."""
LONG = 9
"""Letters from which on label and answer stand in two lines."""
MOST_SAVED = 64
"""Samples in a drawing of the gallery."""


class TrainingAnswers(LazyWidget):
    """Confusion matrix of the shown epoch beside the images of a square, or all wrong ones."""

    cell_clicked = pyqtSignal(object, object)  # label or None, answer or None
    sample_clicked = pyqtSignal(int)

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._listed: tuple[object, ...] = ()
        self.title = ElidedLabel("")
        self.shares = QCheckBox("% of row")
        self.shares.setToolTip("Write the part of each label's samples, not their number")
        top = QHBoxLayout()
        top.setContentsMargins(10, 5, 10, 3)
        top.addWidget(self.title, 1)
        top.addWidget(self.shares)
        self.grid = ConfusionGrid(state)
        self.samples = SamplesPlot(self)
        self.what = QLabel()
        self.what.setWordWrap(True)
        self.list = QListWidget()
        self.list.setAccessibleName("Samples of the chosen square")
        self.list.setViewMode(QListView.ViewMode.IconMode)
        self.list.setMovement(QListView.Movement.Static)
        self.list.setResizeMode(QListView.ResizeMode.Adjust)
        self.list.setUniformItemSizes(True)
        self.list.setIconSize(QSize(PICTURE, PICTURE))
        self.list.setSpacing(2)
        side = QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(6, 2, 4, 2)
        column.setSpacing(4)
        column.addWidget(self.what)
        column.addWidget(self.list, 1)
        self.split = QSplitter(Qt.Orientation.Horizontal)
        self.split.addWidget(self.grid)
        self.split.addWidget(side)
        self.split.setChildrenCollapsible(False)
        self.split.setStretchFactor(0, 5)
        self.split.setStretchFactor(1, 4)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(top)
        layout.addWidget(self.split, 1)
        self.grid.cell_clicked.connect(self.cell_clicked)
        self.shares.toggled.connect(self._on_shares)
        self.list.currentItemChanged.connect(lambda item, _: self._on_item(item))
        events = state.events
        for event in (
            events.training_findings, events.training_choice, events.training_note, events.theme,
        ):  # fmt: skip
            event.connect(self.redraw)

    @property
    def theme(self) -> ThemeName:
        """Of the window."""
        return self._state.theme

    @property
    def findings(self) -> Findings | None:
        """What is shown."""
        return self._state.training_findings

    def _draw(self) -> None:
        self.grid.updateGeometry()
        self.grid.update()
        found = self._state.training_findings
        self.title.setText(title_of(found) if found is not None else "")
        gallery = found.gallery if found is not None else None
        if found is None or gallery is None:
            self.list.clear()
            self._listed = ()
            self.what.setText("" if found is None else "No answers are known of this epoch.")
            return
        self.what.setText(gallery_text(found, gallery))
        self._fill(found, gallery)

    def _fill(self, found: Findings, gallery: Gallery) -> None:
        key = gallery, found.data, self._state.theme
        self.list.blockSignals(True)
        if key != self._listed:
            self._listed = key
            self._share_room()
            self.list.clear()
            wide = max(len(name) for name in found.data.classes) > 2
            self.list.setGridSize(QSize(82 if wide else 68, PICTURE + (56 if wide else 40)))
            for row in range(len(gallery.sample)):
                self.list.addItem(self._item(found, gallery, row))
        here = gallery.sample.tolist()
        if found.sample in here:
            self.list.setCurrentRow(here.index(found.sample))
        else:
            self.list.setCurrentRow(-1)
        self.list.blockSignals(False)

    def _item(self, found: Findings, gallery: Gallery, row: int) -> QListWidgetItem:
        sample, said = int(gallery.sample[row]), int(gallery.said[row])
        classes, label = found.data.classes, int(found.data.test_labels[sample])
        density = self.devicePixelRatioF()
        side = round(PICTURE * density)
        image = QPixmap.fromImage(picture_of(found.image(sample), self._state.theme))
        image = image.scaled(side, side)
        image.setDevicePixelRatio(density)
        sure = "" if gallery.confidence is None else percent(float(gallery.confidence[row]))
        short = classes[said] if label == said else f"{classes[label]} → {classes[said]}"
        if len(short) > LONG:
            short = short.replace("→ ", "→\n")
        item = QListWidgetItem(QIcon(image), f"{short}\n{sure}" if sure else short)
        item.setData(Qt.ItemDataRole.UserRole, sample)
        item.setSizeHint(self.list.gridSize() - QSize(4, 2))
        item.setTextAlignment(Qt.AlignmentFlag.AlignHCenter)
        tip = f"Test image {number(sample)}: label {classes[label]}, answered {classes[said]}"
        item.setToolTip(f"{tip}, {sure} sure" if sure else tip)
        return item

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self._share_room()

    def _share_room(self) -> None:
        """Give the matrix the width its height asks for, and the rest to the samples."""
        wide, least = self.width(), self.grid.minimumSizeHint().width()
        high = self.height() - self.title.height() - 10
        wanted = min(self.grid.width_for(high), max(round(0.66 * wide), least))
        self.split.setSizes([wanted, max(wide - wanted, 1)])

    def _on_shares(self, on: bool) -> None:
        self.grid.shares = on
        self.grid.update()

    def _on_item(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self.sample_clicked.emit(int(item.data(Qt.ItemDataRole.UserRole)))

    def drawing(self, theme: ThemeName) -> str:
        """The confusion matrix as SVG.

        Raises
        ------
        UserError
            If there is nothing to draw.
        """
        found = self._state.training_findings
        test = found.wanted.shown.test if found is not None else None
        if found is None or test is None:
            raise UserError("no tested epoch is shown; train a network and choose an epoch first")
        return confusion_svg(test, found.data.classes, theme)

    def recipe(self) -> str:
        """The training, from which 'dendview train --recipe' makes the same."""
        return recipe_of(self._state.training_findings)

    def export(self, path: str | Path) -> None:
        """Write the drawing in the theme of the window, as ``.png`` or ``.svg``.

        Raises
        ------
        UserError
            If there is nothing to draw, or the file cannot be written.
        """
        save_svg(self.drawing(self._state.theme), path, self.recipe())


class SamplesPlot:
    """The samples beside the matrix, to be saved."""

    def __init__(self, answers: TrainingAnswers) -> None:
        self._answers = answers

    def grab(self) -> QPixmap:
        """The list as it is seen."""
        self._answers.draw_now()
        return self._answers.list.grab()

    def drawing(self, theme: ThemeName) -> str:
        """The first samples as SVG.

        Raises
        ------
        UserError
            If there are none.
        """
        found = self._answers.findings
        gallery = found.gallery if found is not None else None
        if found is None or gallery is None:
            raise UserError("no tested epoch is shown; train a network and choose an epoch first")
        classes, captions = found.data.classes, []
        for row, sample in enumerate(gallery.sample[:MOST_SAVED].tolist()):
            label, said = int(found.data.test_labels[sample]), int(gallery.said[row])
            first = classes[label] if label == said else f"{classes[label]} → {classes[said]}"
            sure = "" if gallery.confidence is None else percent(float(gallery.confidence[row]))
            captions.append((first, sure))
        shown = gallery.sample[: len(captions)]
        images = np.stack([found.image(int(i)) for i in shown]) if captions else np.zeros((0, 1, 1))
        title = f"{name_of(found)}: {gallery_text(found, gallery)}"
        return samples_svg(images, captions, title, theme)

    def recipe(self) -> str:
        """The training, from which 'dendview train --recipe' makes the same."""
        return self._answers.recipe()

    def export(self, path: str | Path) -> None:
        """Write the drawing in the theme of the window, as ``.png`` or ``.svg``.

        Raises
        ------
        UserError
            If there is nothing to draw, or the file cannot be written.
        """
        save_svg(self.drawing(self._answers.theme), path, self.recipe())


def name_of(found: Findings) -> str:
    """``Epoch 12``."""
    name = epoch_name(found.epoch)
    return name[:1].upper() + name[1:]


def title_of(found: Findings) -> str:
    """``Epoch 12: 96.39 % of 360 test samples right``."""
    head = name_of(found)
    test = found.wanted.shown.test
    if test is None:
        return f"{head}: not tested"
    n = int(test.confusion.sum())
    return f"{head}: {100 * test.accuracy:.2f} % of {plural(n, 'test sample')} right"


def gallery_text(found: Findings, gallery: Gallery) -> str:
    """``13 wrong, the surest first``."""
    label, answer = found.wanted.label, found.wanted.answer
    classes, n = found.data.classes, gallery.n_all
    if label is None and answer is None:
        text = f"{number(n)} wrong"
    elif answer is None:
        text = f"Label {classes[label or 0]}: {number(n)}"
    elif label is None:
        text = f"Answer {classes[answer]}: {number(n)}"
    else:
        text = f"{classes[label]}, answered {classes[answer]}: {number(n)}"
    wrong = label is None and answer is None and gallery.confidence is not None
    if n > len(gallery.sample):
        order = "surest" if wrong else "first"
        text += f", the {order} {number(len(gallery.sample))} shown"
    elif wrong and n:
        text += ", the surest first"
    return text
