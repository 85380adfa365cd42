"""The middle of the window: the 3-D cell under a thin line of what it is colored by."""

from PyQt6.QtCore import QSize, Qt
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from dendview.actions import COLORINGS
from dendview.state import AppState
from dendview.views.cell_view import CellView
from dendview.widgets.elided import ElidedLabel
from dendview.wording import number


class CellPane(QWidget):
    """The cell and the line above it.

    Attributes
    ----------
    view : CellView
    color_by : QComboBox
        Its item data are the values of ``state.color_by``.
    """

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        header = QWidget()
        header.setObjectName("cellHeader")
        header.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.color_by = QComboBox()
        self.color_by.setAccessibleName("Color by")
        self.color_by.setMinimumWidth(130)
        for value, text in COLORINGS.items():
            self.color_by.addItem(text, value)
        label = QLabel("&Color by")
        label.setBuddy(self.color_by)
        self.caption = ElidedLabel("")
        self.caption.setProperty("role", "muted")
        self._row = QHBoxLayout(header)
        self._row.setContentsMargins(10, 4, 8, 4)
        self._row.setSpacing(6)
        self._row.addWidget(label)
        self._row.addWidget(self.color_by)
        self._row.addSpacing(8)
        self._row.addWidget(self.caption, 1)
        self.view = CellView(state)
        self.view.setMinimumSize(240, 160)
        self.view.canvas.native.setAccessibleName(self.view.accessibleName())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(header)
        layout.addWidget(self.view, 1)
        state.events.color_by.connect(self._show_coloring)
        for event in (state.events.schedule, state.events.perspective):
            event.connect(self._show_caption)
        self._show_coloring()
        self._show_caption()

    def add_button(self, action: QAction) -> None:
        """A small button at the right end of the line."""
        button = QToolButton()
        button.setDefaultAction(action)
        button.setIconSize(QSize(16, 16))
        button.setAutoRaise(True)
        self._row.addWidget(button)

    def _show_coloring(self, *_: object) -> None:
        self.color_by.setCurrentIndex(self.color_by.findData(self._state.color_by))

    def _show_caption(self, *_: object) -> None:
        """Where schedules are seen, what no schedule can beat."""
        text, schedule = "", self._state.schedule
        if self._state.perspective == "schedule" and schedule is not None:
            n, depth = number(schedule.n_comp), number(schedule.depth)
            text = f"{n} compartments, depth {depth} = the shortest any schedule can be"
        self.caption.setText(text)
        self.caption.setToolTip(text)
