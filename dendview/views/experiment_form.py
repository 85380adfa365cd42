"""Rows of a panel about an experiment: labels with boxes, choices, and places on the cell."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from PyQt6.QtCore import QEvent, QObject, QPoint, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QIcon, QPainter, QPixmap
from PyQt6.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from dendview.colors import THEMES, ThemeName
from dendview.experiment_fields import Field
from dendview.resources import line_icon
from dendview.theme_qt import derived_colors
from dendview.widgets.quantity import QuantityBox
from dendview.wording import place, quantity
from engine.distributions import Distribution
from engine.experiment import Experiment
from engine.stimuli import Site

Change = Callable[[Experiment], Experiment]


class ExperimentForm(QWidget):
    """A grid of three columns that rows are added to; ``edited`` tells a function that changes.

    Parameters
    ----------
    experiment
        Whose values decide which rows are boxes: one that changes along the cell is told as a law.
    theme
    """

    edited = pyqtSignal(object)  # Change
    site_clicked = pyqtSignal(object)  # Site

    def __init__(self, experiment: Experiment, theme: ThemeName) -> None:
        super().__init__()
        self.setObjectName("panel")
        self._experiment, self._theme = experiment, THEMES[theme]
        self._boxes: list[tuple[Field, QuantityBox]] = []
        self._combos: list[tuple[QComboBox, Callable[[Experiment], object]]] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 12, 12)
        column.setSpacing(6)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        column.addLayout(self._grid)
        column.addStretch(1)

    def show_values(self, experiment: Experiment) -> None:
        """Fill all boxes and choices; nothing is told of it."""
        for field, box in self._boxes:
            if not isinstance(value := field.get(experiment), Distribution):
                box.blockSignals(True)
                box.setValue(value)
                box.blockSignals(False)
        for combo, get in self._combos:
            combo.blockSignals(True)
            combo.setCurrentIndex(combo.findData(get(experiment)))
            combo.blockSignals(False)

    def _row(self) -> int:
        return self._grid.rowCount()

    def heading(self, text: str) -> None:
        """A title over the rows that come."""
        label = QLabel(text)
        label.setProperty("role", "heading")
        row = self._row()
        if row > 1:
            self._grid.setRowMinimumHeight(row, 10)
            row += 1
        self._grid.addWidget(label, row, 0, 1, 3)

    def subheading(self, text: str) -> None:
        """A lesser title."""
        self._grid.addWidget(QLabel(text), self._row(), 0, 1, 3)

    def note(self, text: str) -> None:
        """A muted sentence across the columns."""
        self._grid.addWidget(_muted(text), self._row(), 0, 1, 3)

    def rows(self, shown: Iterable[Field], indent: bool = False) -> None:
        """A label and a box for every field; a law instead where a value changes along the cell."""
        for field in shown:
            label = QLabel(field.label)
            label.setToolTip(field.tip)
            if indent:
                label.setContentsMargins(12, 0, 0, 0)
            row = self._row()
            self._grid.addWidget(label, row, 0)
            if isinstance(law := field.get(self._experiment), Distribution):
                self._grid.addWidget(_muted(quantity(law, field.unit)), row, 1, 1, 2)
                continue
            box = QuantityBox(
                field.unit,
                minimum=field.minimum,
                maximum=field.maximum,
                step=field.step,
                decimals=field.decimals,
            )
            box.setAccessibleName(f"{field.label} in {field.unit}" if field.unit else field.label)
            if field.tip:
                box.setToolTip(f"{field.tip}\n{box.toolTip()}")
            box.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
            box.setAlignment(Qt.AlignmentFlag.AlignRight)
            box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            box.installEventFilter(self)
            box.valueChanged.connect(
                lambda value, put=field.put: self.edited.emit(lambda e: put(e, value))
            )
            label.setBuddy(box)
            self._grid.addWidget(box, row, 1, 1, 2)
            self._boxes.append((field, box))

    def combo(
        self,
        text: str,
        choices: dict[Any, str],
        get: Callable[[Experiment], object],
        put: Callable[[Experiment, Any], Experiment],
        indent: bool = False,
    ) -> None:
        """A label and a choice."""
        combo = self._make_combo(text)
        for value, name in choices.items():
            combo.addItem(name, value)
        combo.currentIndexChanged.connect(
            lambda index: self.edited.emit(lambda e: put(e, combo.itemData(index)))
        )
        label = QLabel(text)
        label.setBuddy(combo)
        if indent:
            label.setContentsMargins(12, 0, 0, 0)
        row = self._row()
        self._grid.addWidget(label, row, 0)
        self._grid.addWidget(combo, row, 1, 1, 2)
        self._combos.append((combo, get))

    def item_row(
        self, site: Site, text: str, color: str, noun: str, remove: Callable[[], object]
    ) -> None:
        """A place that is selected by a click, with a button that removes what sits there."""
        row = self._row()
        self._grid.addWidget(self._site_button(site, text, color), row, 0, 1, 2)
        self._add_remove(row, f"Remove the {noun} at {text}", remove)

    def button_row(self, text: str, tip: str, clicked: Callable[[QPoint], object]) -> None:
        """A button across the columns; ``clicked`` hears where a menu may open."""
        button = QPushButton(text)
        button.setToolTip(tip)
        button.clicked.connect(lambda _: clicked(button.mapToGlobal(button.rect().bottomLeft())))
        self._grid.addWidget(button, self._row(), 0, 1, 3)

    def named_row(self, html: str, tip: str, noun: str, remove: Change) -> None:
        """Something by its name, with a button that removes it."""
        row = self._row()
        label = QLabel(html)
        label.setToolTip(tip)
        self._grid.addWidget(label, row, 0, 1, 2)
        self._add_remove(row, f"Remove {noun}", lambda: self.edited.emit(remove))

    def add_row(
        self, choices: Sequence[tuple[str, Sequence[str]]], tip: str, add: Callable[..., Change]
    ) -> None:
        """Choices with an Add button; ``add`` is called with what is chosen."""
        combos = [self._make_combo(called) for called, _ in choices]
        line = QHBoxLayout()
        line.setSpacing(6)
        for combo, (_, names) in zip(combos, choices, strict=True):
            combo.addItems(names)
            line.addWidget(combo, 1)
        button = QPushButton("Add")
        button.setToolTip(tip)
        button.clicked.connect(
            lambda _: self.edited.emit(add(*(combo.currentText() for combo in combos)))
        )
        line.addWidget(button)
        self._grid.addLayout(line, self._row(), 0, 1, 3)

    def site_row(
        self, text: str, site: Site | None, default: str, choose: Callable[[], object] | None = None
    ) -> None:
        """A label and a place that is selected by a click; ``default`` where there is none.

        ``choose`` is called where another place is wanted.
        """
        row = self._row()
        label = QLabel(text)
        if choose is not None:
            label.setContentsMargins(12, 0, 0, 0)
        self._grid.addWidget(label, row, 0)
        if site is None:
            self._grid.addWidget(_muted(default), row, 1, 1, 2)
        else:
            button = self._site_button(site, place(site), self._theme.muted)
            self._grid.addWidget(button, row, 1, 1, 1 if choose else 2)
            if choose is not None:
                self._grid.addWidget(_choose_button(text, choose), row, 2)

    def _site_button(self, site: Site, text: str, color: str) -> QPushButton:
        button = QPushButton(_dot(color), text)
        button.setIconSize(QSize(10, 10))
        button.setFlat(True)
        button.setStyleSheet(
            "QPushButton { text-align: left; border: none; background: none; padding: 3px 0; }"
            "QPushButton:hover, QPushButton:focus { text-decoration: underline; }"
        )
        button.setToolTip("Show this place on the cell")
        button.clicked.connect(lambda _: self.site_clicked.emit(site))
        return button

    def _add_remove(self, row: int, tip: str, remove: Callable[[], object]) -> None:
        icons = derived_colors(self._theme)
        button = QToolButton()
        button.setIcon(line_icon("close", icons["muted"], icons["disabled"]))
        button.setIconSize(QSize(14, 14))
        button.setAutoRaise(True)
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.clicked.connect(lambda _: remove())
        self._grid.addWidget(button, row, 2)

    def _make_combo(self, called: str) -> QComboBox:
        """A choice that may be narrower than its longest entry."""
        combo = QComboBox()
        combo.setAccessibleName(called)
        combo.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        combo.installEventFilter(self)
        combo.setMinimumContentsLength(6)
        combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        return combo

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """The wheel scrolls the panel; it changes a value only in the box that has the focus."""
        if (
            event is not None
            and event.type() == QEvent.Type.Wheel
            and isinstance(watched, QWidget)
            and not watched.hasFocus()
        ):
            event.ignore()
            return True
        return super().eventFilter(watched, event)


def _choose_button(text: str, choose: Callable[[], object]) -> QToolButton:
    """Asks for another place."""
    button = QToolButton()
    button.setText("…")
    button.setAutoRaise(True)
    button.setToolTip("Choose another place on the cell")
    button.setAccessibleName(f"{text}: choose another place")
    button.clicked.connect(lambda _: choose())
    return button


def _dot(color: str) -> QIcon:
    """A filled circle, sharp at three times the pixel density."""
    picture = QPixmap(30, 30)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(color))
    painter.drawEllipse(1, 1, 28, 28)
    painter.end()
    return QIcon(picture)


def _muted(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "muted")
    label.setWordWrap(True)
    return label
