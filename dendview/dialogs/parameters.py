"""The parameters of one thing of the experiment, with units, to look at or to change."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QFrame,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from dendview.widgets.quantity import QuantityBox


@dataclass(frozen=True)
class Field:
    """A quantity that may be changed; ``default`` is named beside it where there is one."""

    name: str
    value: float
    unit: str = ""
    minimum: float = -1e9
    maximum: float = 1e9
    step: float = 0.1
    default: float | None = None


class ParametersDialog(QDialog):
    """Fields in a form; :attr:`values` are what was typed, in the fields' units.

    Parameters
    ----------
    title
        What is shown: ``hh · soma``.
    rows
        What cannot be changed: (name, value).
    fields
        What can be changed.
    apply
        Takes the values by name; False keeps the dialog open (the window has said why).
    """

    def __init__(
        self,
        title: str,
        rows: Sequence[tuple[str, str]],
        fields: Sequence[Field],
        apply: Callable[[dict[str, float]], bool],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self._apply = apply
        self._fields = tuple(fields)
        heading = QLabel(title)
        heading.setProperty("role", "title")
        page = QWidget()
        form = QFormLayout(page)
        form.setContentsMargins(0, 0, 0, 0)
        form.setHorizontalSpacing(18)
        form.setVerticalSpacing(7)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.FieldsStayAtSizeHint)
        for name, value in rows:
            shown = QLabel(value)
            shown.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            form.addRow(_muted(name), shown)
        self.boxes: dict[str, QuantityBox] = {}
        for field in self._fields:
            box = QuantityBox(
                field.unit, field.value, field.minimum, field.maximum, field.step, decimals=9
            )
            box.setMinimumWidth(150)
            box.setAccessibleName(field.name)
            if field.default is not None:
                box.setToolTip(f"default: {box.textFromValue(field.default)}")
            self.boxes[field.name] = box
            form.addRow(_muted(field.name), box)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        page.setAutoFillBackground(False)
        scroll.setWidget(page)
        scroll.setStyleSheet(
            "QScrollArea, QScrollArea > QWidget > QWidget { background: transparent; }"
        )
        standard = QDialogButtonBox.StandardButton
        wanted = standard.Ok | standard.Cancel if self._fields else standard.Close
        self.buttons = QDialogButtonBox(wanted)
        self.buttons.accepted.connect(self._on_ok)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(22, 20, 22, 16)
        layout.setSpacing(12)
        layout.addWidget(heading)
        layout.addWidget(scroll, 1)
        layout.addWidget(self.buttons)
        rows_height = form.sizeHint().height()
        self.resize(380, min(150 + rows_height, 640))

    @property
    def values(self) -> dict[str, float]:
        return {name: box.value() for name, box in self.boxes.items()}

    def _on_ok(self) -> None:
        """Close where nothing was changed, or where what was changed could be taken."""
        changed = any(self.boxes[field.name].value() != field.value for field in self._fields)
        if not changed or self._apply(self.values):
            self.accept()


def _muted(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "muted")
    return label
