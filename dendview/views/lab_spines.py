"""The panel *Spines*: their shape and number to play with, and what that does to the cell."""

from PyQt6.QtCore import QSignalBlocker, Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QDoubleSpinBox,
    QGridLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from dendview.lab import LabEffect
from dendview.state import AppState
from dendview.widgets.lazy import AskingWidget
from dendview.wording import number, place
from engine.experiments.spine_effect import SpineEffect
from engine.spines import SpineDensity, SpineShape

SLIDERS: tuple[tuple[str, str, str, float, float, float], ...] = (
    ("neck_length", "Neck length", "µm", 0.1, 4.0, 0.05),
    ("neck_diameter", "Neck diameter", "µm", 0.05, 1.0, 0.01),
    ("head_diameter", "Head size", "µm", 0.2, 2.0, 0.02),
    ("per_um", "Density", "/µm", 0.0, 4.0, 0.05),
)
"""Name, text, unit, least, most and step; the head is as long as it is wide."""
ROWS: tuple[tuple[str, str], ...] = (
    ("n_spines", "Spines"),
    ("factor", "F factor"),
    ("neck_resistance", "Neck resistance"),
    ("input_resistance", "Input resistance"),
    ("spine", "EPSP in the spine head"),
    ("dendrite", "… in the dendrite"),
    ("soma", "… at the soma"),
)
PATIENCE = 500
"""Milliseconds after the last change until the effect is asked for."""


class LabSpines(AskingWidget):
    """Reports changes of the spines; shows the effect that the state holds."""

    spines_chosen = pyqtSignal(object)  # dict of numbers
    effect_wanted = pyqtSignal()

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent, PATIENCE)
        self._state = state
        self.setMinimumSize(240, 120)
        self.sliders: dict[str, QSlider] = {}
        self.boxes: dict[str, QDoubleSpinBox] = {}
        self.values: dict[tuple[str, str], QLabel] = {}
        page = QWidget()
        page.setObjectName("panel")
        column = QVBoxLayout(page)
        column.setContentsMargins(10, 8, 10, 8)
        column.setSpacing(6)
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(3)
        for row, (name, text, unit, low, high, step) in enumerate(SLIDERS):
            slider = QSlider(Qt.Orientation.Horizontal)
            slider.setRange(round(low / step), round(high / step))
            slider.setAccessibleName(text)
            slider.setMinimumWidth(36)
            box = QDoubleSpinBox()
            box.setRange(low, high)
            box.setSingleStep(step)
            box.setDecimals(2)
            box.setSuffix(f" {unit}")
            box.setKeyboardTracking(False)
            box.setAccessibleName(f"{text} in {unit}")
            box.setMaximumWidth(96)
            slider.valueChanged.connect(lambda v, n=name, s=step: self._on_slide(n, v * s))
            slider.sliderReleased.connect(lambda n=name: self._on_release(n))
            box.valueChanged.connect(lambda v, n=name: self._emit(n, v))
            self.sliders[name], self.boxes[name] = slider, box
            grid.addWidget(QLabel(text), row, 0)
            grid.addWidget(slider, row, 1)
            grid.addWidget(box, row, 2)
        grid.setColumnStretch(1, 1)
        column.addLayout(grid)
        self.usual = QPushButton("As published")
        self.usual.setToolTip("Neck 1.35 × 0.25 µm, head of 2.8 µm², 1.3 spines per µm")
        self.usual.clicked.connect(self._on_usual)
        column.addWidget(self.usual, 0, Qt.AlignmentFlag.AlignLeft)
        table = QGridLayout()
        table.setHorizontalSpacing(10)
        table.setVerticalSpacing(2)
        table.setColumnStretch(0, 1)
        for at, text in ((1, "Few"), (2, "All")):
            head = QLabel(text)
            head.setProperty("role", "heading")
            head.setAlignment(Qt.AlignmentFlag.AlignRight)
            table.addWidget(head, 0, at)
        for row, (key, text) in enumerate(ROWS, 1):
            label = QLabel(text)
            label.setProperty("role", "muted")
            table.addWidget(label, row, 0)
            for at, model in ((1, "few"), (2, "full")):
                value = QLabel("—")
                value.setAlignment(Qt.AlignmentFlag.AlignRight)
                value.setAccessibleName(f"{text}, {model}")
                self.values[model, key] = value
                table.addWidget(value, row, at)
        column.addLayout(table)
        self.note = QLabel()
        self.note.setProperty("role", "muted")
        self.note.setWordWrap(True)
        column.addWidget(self.note)
        column.addStretch()
        scroll = QScrollArea()
        scroll.setWidget(page)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scroll)
        events = state.events
        for event in (events.lab_study, events.lab_effect, events.job):
            event.connect(self.redraw)
        for event in (events.lab_study, events.job):
            event.connect(self.ask_soon)

    def _ask(self) -> None:
        if self._state.lab_study is not None and self._state.job is None:
            self.effect_wanted.emit()

    def _draw(self) -> None:
        study, known = self._state.lab_study, self._state.lab_effect
        for widget in (*self.sliders.values(), *self.boxes.values(), self.usual):
            widget.setEnabled(study is not None)
        if study is None:
            return
        for name, _, _, _, _, step in SLIDERS:
            value = value_of(study.spines, name)
            with QSignalBlocker(self.sliders[name]), QSignalBlocker(self.boxes[name]):
                if not self.sliders[name].isSliderDown():
                    self.sliders[name].setValue(round(value / step))
                self.boxes[name].setValue(value)
        fresh = known is not None and known.study.spines == study.spines
        effects = dict(known.effects) if known is not None and fresh else {}
        for (model, key), label in self.values.items():
            effect = effects.get(model)  # type: ignore[call-overload]
            label.setText("—" if effect is None else value_text(effect, key))
        self.note.setText(self._note(known if fresh else None, list(effects.values())))

    def _note(self, known: LabEffect | None, effects: list[SpineEffect]) -> str:
        if known is not None and known.error:
            return known.error
        if known is not None and known.pending:
            if self._state.job is not None:
                return "The effect is computed when nothing else runs."
            return "Computing…"
        if effects:
            where = place(effects[0].site)
            return f"One AMPA and NMDA event on a spine at {where}, at rest; F from membrane areas."
        return ""

    def _on_slide(self, name: str, value: float) -> None:
        with QSignalBlocker(self.boxes[name]):
            self.boxes[name].setValue(value)
        if not self.sliders[name].isSliderDown():  # keys and clicks; a drag is told at its end
            self._emit(name, value)

    def _on_release(self, name: str) -> None:
        self._emit(name, self.boxes[name].value())

    def _emit(self, name: str, value: float) -> None:
        values = {name: value}
        if name == "head_diameter":
            values["head_length"] = value
        self.spines_chosen.emit(values)

    def _on_usual(self) -> None:
        usual, shape = SpineDensity(), SpineShape()
        self.spines_chosen.emit(
            {
                "per_um": usual.per_um,
                "neck_length": shape.neck_length,
                "neck_diameter": shape.neck_diameter,
                "head_length": shape.head_length,
                "head_diameter": shape.head_diameter,
            }
        )


def value_of(spines: SpineDensity, name: str) -> float:
    """A number of the spines by the name of its slider."""
    return float(spines.per_um if name == "per_um" else getattr(spines.shape, name))


def value_text(effect: SpineEffect, key: str) -> str:
    """A number of the effect with its unit."""
    value = getattr(effect, key)
    match key:
        case "n_spines":
            return number(int(value))
        case "factor":
            return f"{value:.2f}"
        case "neck_resistance" | "input_resistance":
            return f"{value:.1f} MΩ"
        case _:
            return f"{value:.3g} mV"
