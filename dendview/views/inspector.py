"""The inspector: the selected segment with all its parameters, or the cell and its notes."""

from PyQt6.QtCore import QPoint, Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from dendview.describe import Description, describe
from dendview.state import AppState
from dendview.widgets.elided import ElidedLabel
from dendview.widgets.lazy import LazyWidget


class Inspector(LazyWidget):
    """Rows of :func:`dendview.describe.describe`, and what can be done at the selection."""

    clamp_clicked = pyqtSignal(int)  # segment
    probe_clicked = pyqtSignal(int)  # segment
    more_clicked = pyqtSignal(QPoint)  # where a menu is to open

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("inspector")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setMinimumWidth(230)
        self._state = state
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.clamp = QPushButton("Add clamp")
        self.clamp.setToolTip("Inject a current pulse here (Ctrl+I)")
        self.clamp.clicked.connect(lambda: self._emit(self.clamp_clicked))
        self.probe = QPushButton("Record")
        self.probe.setToolTip("Record the voltage here (Ctrl+R)")
        self.probe.clicked.connect(lambda: self._emit(self.probe_clicked))
        self.more = QPushButton("More ▾")
        self.more.setToolTip("Other currents, synapses, gap junctions and recordings here")
        self.more.setAccessibleName("More to put here")
        self.more.clicked.connect(
            lambda: self.more_clicked.emit(self.more.mapToGlobal(self.more.rect().bottomLeft()))
        )
        self._actions = QWidget()
        buttons = QHBoxLayout(self._actions)
        buttons.setContentsMargins(12, 8, 12, 10)
        buttons.addWidget(self.clamp)
        buttons.addWidget(self.probe)
        buttons.addWidget(self.more)
        buttons.addStretch()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._scroll, 1)
        layout.addWidget(self._actions)
        events = state.events
        for event in (
            events.cell,
            events.experiment,
            events.selection,
            events.schedule,
            events.nodes,
        ):
            event.connect(self.redraw)

    def _emit(self, signal: object) -> None:
        if self._state.selection is not None:
            signal.emit(self._state.selection)  # type: ignore[attr-defined]

    def _draw(self) -> None:
        description = describe(self._state)
        self._actions.setVisible(self._state.selection is not None)
        page = QWidget()
        page.setObjectName("panel")
        layout = QVBoxLayout(page)
        layout.setContentsMargins(12, 10, 12, 12)
        layout.setSpacing(2)
        if description is None:
            layout.addWidget(_label("Nothing is open.", "muted"))
        else:
            self._fill(layout, description)
        layout.addStretch()
        self._scroll.setWidget(page)

    def _fill(self, layout: QVBoxLayout, description: Description) -> None:
        title = ElidedLabel(description.title)
        font = title.font()
        font.setBold(True)
        font.setPointSizeF(font.pointSizeF() * 1.25)
        title.setFont(font)
        layout.addWidget(title)
        subtitle = ElidedLabel(description.subtitle)
        subtitle.setProperty("role", "muted")
        layout.addWidget(subtitle)
        for group in description.groups:
            layout.addSpacing(10)
            layout.addWidget(_label(group.heading, "heading"))
            grid = QGridLayout()
            grid.setHorizontalSpacing(10)
            grid.setVerticalSpacing(3)
            grid.setColumnStretch(0, 1)
            for row, (name, value) in enumerate(group.rows):
                shown = _label(value)
                shown.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
                shown.setAccessibleName(f"{name}: {value}")
                grid.addWidget(_label(name, "muted"), row, 0, Qt.AlignmentFlag.AlignTop)
                grid.addWidget(shown, row, 1)
            layout.addLayout(grid)
        if description.remarks:
            layout.addSpacing(10)
            layout.addWidget(_label("Notes on the file", "heading"))
            for remark in description.remarks:
                layout.addWidget(_label(remark))
        if self._state.selection is None:
            layout.addSpacing(10)
            layout.addWidget(_label("Click the cell to inspect a segment.", "muted"))


def _label(text: str, role: str = "") -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    if role:
        label.setProperty("role", role)
    return label
