"""Every setting of a training: preset, learning, network, spikes, and code against text."""

from typing import Any

from PyQt6.QtCore import QEvent, QObject, QSignalBlocker, Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QAbstractSpinBox,
    QButtonGroup,
    QComboBox,
    QGridLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from dendview.controllers.training_plan import PRESET_TEXTS
from dendview.state import AppState
from dendview.training_fields import (
    CONDUCTANCE,
    DISAGREEMENTS,
    ENCODING,
    LEARNING,
    NETWORK,
    OPTIMIZER,
    RULE,
    SHUFFLE,
    SYNAPSES,
    WAY,
    Choice,
    Disagreement,
    Number,
)
from dendview.views.lab_panel import PresetCard
from dendview.widgets.lazy import LazyWidget
from dendview.widgets.quantity import QuantityBox
from engine.experiments.hpc_net.spec import Conductance, Training
from engine.morphology.samples import PREFIX, SAMPLES

HUMAN = f"{PREFIX}human_l23"
FIELD = 112
"""Points of a box."""
SHORT = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon


class TrainingForm(LazyWidget):
    """Reports edits of the plan; shows the state's."""

    preset_chosen = pyqtSignal(str)
    edited = pyqtSignal(str, str, object)  # group, field, value
    cell_chosen = pyqtSignal(str)  # source
    all_chosen = pyqtSignal(str)  # "code" or "text"

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.presets = [PresetCard(n, c.title, c.note) for n, c in PRESET_TEXTS.items()]
        self.boxes: dict[tuple[str, str, str], QuantityBox] = {}
        self.combos: dict[str, QComboBox] = {}
        self.switches: dict[str, tuple[QToolButton, QToolButton]] = {}
        self._rows: list[tuple[Number, QLabel, QuantityBox]] = []
        self.cell = QComboBox()
        self.cell.setAccessibleName("Hidden neuron")
        self.cell.setToolTip("Morphology of all hidden neurons; their membrane is passive")
        self.cell.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.cell.installEventFilter(self)
        self.cell.setSizeAdjustPolicy(SHORT)
        self.cell.setFixedWidth(FIELD)
        self.cell.activated.connect(lambda row: self.cell_chosen.emit(self.cell.itemData(row)))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(_heading("Preset"))
        for card in self.presets:
            column.addWidget(card)
            card.chosen.connect(self.preset_chosen)
        column.addWidget(_heading("Learning"))
        grid = _grid()
        self._number(grid, LEARNING[0])
        self._choice(grid, OPTIMIZER)
        for field in LEARNING[1:]:
            self._number(grid, field)
        self._choice(grid, SHUFFLE)
        self._choice(grid, RULE)
        column.addLayout(grid)
        column.addWidget(_heading("Paper: code or text"))
        note = QLabel("Where they disagree the code is taken; every line can be switched.")
        note.setProperty("role", "muted")
        note.setWordWrap(True)
        column.addWidget(note)
        column.addLayout(self._disagreements())
        column.addWidget(_heading("Network"))
        grid = _grid()
        row = grid.rowCount()
        grid.addWidget(QLabel("Hidden neuron"), row, 0)
        grid.addWidget(self.cell, row, 1)
        for field in NETWORK:
            self._number(grid, field)
        self._choice(grid, SYNAPSES)
        for field in CONDUCTANCE:
            self._number(grid, field)
        self._choice(grid, WAY)
        column.addLayout(grid)
        column.addWidget(_heading("Spikes of a pixel"))
        grid = _grid()
        for field in ENCODING:
            self._number(grid, field)
        column.addLayout(grid)
        events = state.events
        for event in (events.training_plan, events.cell, events.message):
            event.connect(self.redraw)

    # Making

    def _number(self, grid: QGridLayout, field: Number) -> None:
        label = QLabel(field.label)
        label.setToolTip(field.tip)
        box = QuantityBox(
            field.unit if field.unit != "images" else "",
            minimum=field.minimum,
            maximum=field.maximum,
            step=field.step,
            decimals=field.decimals,
        )
        box.setAccessibleName(f"{field.label} in {field.unit}" if field.unit else field.label)
        box.setToolTip(f"{field.tip}\n{box.toolTip()}")
        box.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
        box.setAlignment(Qt.AlignmentFlag.AlignRight)
        box.setFixedWidth(FIELD)
        box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        box.installEventFilter(self)
        box.valueChanged.connect(lambda value, f=field: self._on_number(f, value))
        label.setBuddy(box)
        row = grid.rowCount()
        grid.addWidget(label, row, 0)
        grid.addWidget(box, row, 1)
        self.boxes[field.group, field.name, field.label] = box
        self._rows.append((field, label, box))

    def _choice(self, grid: QGridLayout, field: Choice) -> None:
        label, combo = QLabel(field.label), QComboBox()
        label.setToolTip(field.tip)
        combo.setToolTip(field.tip)
        combo.setAccessibleName(field.label)
        combo.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        combo.installEventFilter(self)
        combo.setSizeAdjustPolicy(SHORT)
        combo.setFixedWidth(FIELD)
        combo.addItems(list(field.options.values()))
        combo.activated.connect(
            lambda row, f=field: self.edited.emit(f.group, f.name, list(f.options)[row])
        )
        label.setBuddy(combo)
        row = grid.rowCount()
        grid.addWidget(label, row, 0)
        grid.addWidget(combo, row, 1)
        self.combos[field.name if field is not OPTIMIZER else "optimizer"] = combo

    def _disagreements(self) -> QGridLayout:
        """A row for each: what it is about, the code's value, the text's."""
        grid = QGridLayout()
        grid.setHorizontalSpacing(4)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(0, 1)
        for at, (name, title) in enumerate((("code", "Code"), ("text", "Text")), 1):
            link = QPushButton(title)
            link.setProperty("flat_link", True)
            link.setToolTip(f"All five as in the paper's {name}")
            link.clicked.connect(lambda _=False, n=name: self.all_chosen.emit(n))
            grid.addWidget(link, 0, at)
        for row, field in enumerate(DISAGREEMENTS, 1):
            label = QLabel(field.label)
            label.setToolTip(field.tip)
            grid.addWidget(label, row, 0)
            pair = (
                self._switch(field, field.code, field.code_says, "code"),
                self._switch(field, field.text, field.text_says, "text"),
            )
            group = QButtonGroup(self)
            for column, button in enumerate(pair, 1):
                grid.addWidget(button, row, column)
                group.addButton(button)
            self.switches[field.name] = pair
        return grid

    def _switch(self, field: Disagreement, value: Any, says: str, whose: str) -> QToolButton:
        button = QToolButton()
        button.setObjectName("switch")
        button.setText(says)
        button.setCheckable(True)
        button.setToolTip(f"As in the paper's {whose}. {field.tip}")
        button.setAccessibleName(f"{field.label}: {says}, as in the {whose}")
        button.setSizePolicy(
            button.sizePolicy().Policy.Expanding, button.sizePolicy().Policy.Preferred
        )
        button.clicked.connect(lambda: self.edited.emit(field.group, field.name, value))
        return button

    # Drawing

    def _draw(self) -> None:
        plan = self._state.training_plan
        self.setEnabled(plan is not None)
        if plan is None:
            return
        for card in self.presets:
            card.show_chosen(card.name == plan.name)
        for field, label, box in self._rows:
            shown = field.shown(plan)
            label.setVisible(shown)
            box.setVisible(shown)
            with QSignalBlocker(box):
                box.setValue(field.get(plan))
        for choice in (OPTIMIZER, SHUFFLE, RULE, SYNAPSES, WAY):
            combo = self.combos[choice.name if choice is not OPTIMIZER else "optimizer"]
            combo.setCurrentIndex(chosen_row(choice, plan))
        for field_ in DISAGREEMENTS:
            code, text = self.switches[field_.name]
            value = field_.get(plan)
            for button, own in ((code, field_.code), (text, field_.text)):
                group = button.group()
                if group is not None:
                    group.setExclusive(False)
                button.setChecked(value == own)
                if group is not None:
                    group.setExclusive(True)
        self._draw_cells(plan)

    def _draw_cells(self, plan: Training) -> None:
        source, cell = plan.network.cell.morphology, self._state.cell
        wanted = {HUMAN: SAMPLES["human_l23"].title}
        if cell is not None:
            wanted.setdefault(cell.source, f"Open cell: {cell.morphology.name}")
        wanted.setdefault(source, source.rsplit("/", 1)[-1].removeprefix(PREFIX))
        with QSignalBlocker(self.cell):
            self.cell.clear()
            for name, title in wanted.items():
                self.cell.addItem(title, name)
            self.cell.setCurrentIndex(self.cell.findData(source))

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """The wheel scrolls the page; it changes a value only in the box that has the focus."""
        wheel = event is not None and event.type() == QEvent.Type.Wheel
        if wheel and event is not None and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()
            return True
        return super().eventFilter(watched, event)

    def _on_number(self, field: Number, value: float) -> None:
        self.edited.emit(field.group, field.name, value if field.decimals else round(value))


def chosen_row(choice: Choice, plan: Training) -> int:
    """Which option a plan has: conductances are, whatever their numbers; -1 where it has none."""
    value, options = choice.get(plan), list(choice.options)
    if isinstance(value, Conductance):
        return next(i for i, option in enumerate(options) if isinstance(option, Conductance))
    return options.index(value) if value in options else -1


def _grid() -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(8)
    grid.setVerticalSpacing(4)
    grid.setColumnStretch(0, 1)
    return grid


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "heading")
    label.setContentsMargins(0, 6, 0, 0)
    return label
