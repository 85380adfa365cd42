"""All parameters of a run, with their units: run, clamps, recordings, membrane, cable, cutting."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, get_args

from PyQt6.QtCore import QEvent, QObject, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QIcon, QPainter, QPixmap
from PyQt6.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from dendview import experiment_fields as fields
from dendview.colors import THEMES
from dendview.experiment_fields import Field
from dendview.resources import line_icon
from dendview.state import AppState
from dendview.theme_qt import derived_colors
from dendview.views.trace_style import trace_color
from dendview.widgets.lazy import LazyWidget
from dendview.widgets.quantity import QuantityBox
from dendview.wording import place
from engine.experiment import Experiment, Insertion
from engine.mechanisms import Mechanism, library
from engine.regions import Region
from engine.stimuli import Site

NOTHING_OPEN = "Open a cell to set up an experiment"


class ExperimentPanel(LazyWidget):
    """Shows ``state.experiment``; reports an edit as a whole new experiment."""

    experiment_edited = pyqtSignal(object)  # Experiment
    segment_clicked = pyqtSignal(int)

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.state = state
        self._shape: tuple[object, ...] | None = None
        self._boxes: list[tuple[Field, QuantityBox]] = []
        self._combos: list[tuple[QComboBox, Callable[[Experiment], object]]] = []
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._chip = QLabel()
        self._chip.setWordWrap(True)
        self._chip.setContentsMargins(12, 8, 12, 8)
        self._chip.setToolTip("What the next run takes: compartments, steps, time and memory")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._scroll, 1)
        column.addWidget(self._chip)
        for event in (
            state.events.experiment,
            state.events.cell,
            state.events.preflight,
            state.events.theme,
        ):
            event.connect(self.redraw)

    def sizeHint(self) -> QSize:
        return QSize(320, 600)

    # Drawing

    def _draw(self) -> None:
        experiment = self.state.experiment
        parts = self.state.preflight.split(" · ")
        self._chip.setText(" · ".join(part.replace(" ", "\u00a0") for part in parts))
        self._chip.setVisible(bool(self.state.preflight))
        theme = THEMES[self.state.theme]
        self._chip.setStyleSheet(
            f"background: {theme.window}; color: {theme.muted}; border-top: 1px solid {theme.grid};"
        )
        if experiment is None or self.state.cell is None:
            self._shape, self._boxes, self._combos = None, [], []
            nothing = QLabel(NOTHING_OPEN)
            nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
            nothing.setProperty("role", "muted")
            nothing.setWordWrap(True)
            self._scroll.setWidget(nothing)
            return
        if (shape := _shape(experiment, self.state.theme)) != self._shape:
            self._build(experiment)
            self._shape = shape
        for field, box in self._boxes:
            box.blockSignals(True)
            box.setValue(field.get(experiment))
            box.blockSignals(False)
        for combo, get in self._combos:
            combo.blockSignals(True)
            combo.setCurrentIndex(combo.findData(get(experiment)))
            combo.blockSignals(False)

    def _build(self, experiment: Experiment) -> None:
        """Make the widgets of an experiment of this shape; values come after."""
        bar = self._scroll.verticalScrollBar()
        place = bar.value() if bar is not None else 0
        self._boxes, self._combos = [], []
        self._icons = derived_colors(THEMES[self.state.theme])
        known = library()
        body = QWidget()
        body.setObjectName("panel")
        column = QVBoxLayout(body)
        column.setContentsMargins(12, 8, 12, 12)
        column.setSpacing(6)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        column.addLayout(self._grid)
        column.addStretch(1)
        self._build_run()
        self._build_clamps(experiment)
        self._build_probes(experiment)
        self._build_membrane(experiment, known)
        self._build_cable(experiment)
        self._build_cutting(experiment)
        self._heading("Spikes")
        self._site_row("At", experiment.spike_site, "the middle of the first section")
        self._rows(fields.SPIKES)
        self._scroll.setWidget(body)
        if bar is not None:
            bar.setValue(place)

    def _build_run(self) -> None:
        self._heading("Run")
        self._rows(fields.RUN)

    def _build_clamps(self, experiment: Experiment) -> None:
        self._heading("Current clamps")
        for i, clamp in enumerate(experiment.stimuli):
            color = THEMES[self.state.theme].warning
            self._item_row(clamp.site, place(clamp.site), color, "stimuli", i, "clamp")
            self._rows(fields.clamp_fields(i), indent=True)
        if not experiment.stimuli:
            self._note("None. Right-click the cell ▸ Current clamp here.")

    def _build_probes(self, experiment: Experiment) -> None:
        self._heading("Recorded")
        for i, probe in enumerate(experiment.probes):
            text = place(probe.site) + ("" if probe.variable == "v" else f" {probe.variable}")
            color = trace_color(i, self.state.theme)
            self._item_row(probe.site, text, color, "probes", i, "probe")
        if not experiment.probes:
            self._note(
                "The soma's voltage, as nothing else is chosen. Right-click the cell for more."
            )

    def _build_membrane(self, experiment: Experiment, known: dict[str, Mechanism]) -> None:
        self._heading("Membrane")
        presets = {name: name for name in fields.PRESETS}
        if not fields.preset_of(experiment.insertions):
            presets[""] = "Custom"
        self._combo(
            "Preset",
            presets,
            lambda e: fields.preset_of(e.insertions),
            lambda e, name: fields.with_insertions(e, fields.PRESETS[name], known) if name else e,
        )
        for i, insertion in enumerate(experiment.insertions):
            mechanism = known.get(insertion.mechanism)
            self._mechanism_row(insertion, mechanism, i, known)
            if mechanism is not None:
                self._rows(fields.insertion_fields(i, mechanism), indent=True)
        names = fields.reversal_names(experiment.insertions, known)
        if names:
            self._subheading("Ions")
            self._rows(map(fields.reversal_field, names), indent=True)
        self._insert_row(known)

    def _build_cable(self, experiment: Experiment) -> None:
        self._heading("Cable")
        for i, cable in enumerate(experiment.cables):
            if len(experiment.cables) > 1 or cable.region != "all":
                self._subheading(cable.region)
            self._rows(fields.cable_fields(i))

    def _build_cutting(self, experiment: Experiment) -> None:
        self._heading("Compartments")
        self._combo(
            "Cut by",
            fields.RULE_NAMES,
            lambda e: e.rule.kind,
            lambda e, kind: replace(e, rule=fields.DEFAULT_RULES[kind]),
        )
        self._rows([fields.rule_field(experiment.rule.kind)])
        self._combo(
            "Node set",
            {"merged": "Merged (fewest)", "neuron": "NEURON's"},
            lambda e: e.nodes,
            lambda e, nodes: replace(e, nodes=nodes),
        )
        self._combo(
            "Axon",
            {"keep": "As reconstructed", "stub": "Stub of 2 × 30 µm"},
            lambda e: e.axon,
            lambda e, axon: replace(e, axon=axon),
        )

    # Rows

    def _row(self) -> int:
        return self._grid.rowCount()

    def _heading(self, text: str) -> None:
        label = QLabel(text)
        label.setProperty("role", "heading")
        row = self._row()
        if row > 1:
            self._grid.setRowMinimumHeight(row, 10)
            row += 1
        self._grid.addWidget(label, row, 0, 1, 3)

    def _subheading(self, text: str) -> None:
        self._grid.addWidget(QLabel(text), self._row(), 0, 1, 3)

    def _note(self, text: str) -> None:
        label = QLabel(text)
        label.setProperty("role", "muted")
        label.setWordWrap(True)
        self._grid.addWidget(label, self._row(), 0, 1, 3)

    def _rows(self, shown: Iterable[Field], indent: bool = False) -> None:
        """A label and a box for every field."""
        for field in shown:
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
            box.valueChanged.connect(lambda value, f=field: self._put(f, value))
            label = QLabel(field.label)
            label.setBuddy(box)
            label.setToolTip(field.tip)
            if indent:
                label.setContentsMargins(12, 0, 0, 0)
            row = self._row()
            self._grid.addWidget(label, row, 0)
            self._grid.addWidget(box, row, 1, 1, 2)
            self._boxes.append((field, box))

    def _combo(
        self,
        text: str,
        choices: dict[Any, str],
        get: Callable[[Experiment], object],
        put: Callable[[Experiment, Any], Experiment],
    ) -> None:
        combo = QComboBox()
        combo.setAccessibleName(text)
        combo.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        combo.installEventFilter(self)
        _shrink(combo)
        for value, name in choices.items():
            combo.addItem(name, value)
        combo.currentIndexChanged.connect(
            lambda index: self._edit(lambda e: put(e, combo.itemData(index)))
        )
        label = QLabel(text)
        label.setBuddy(combo)
        row = self._row()
        self._grid.addWidget(label, row, 0)
        self._grid.addWidget(combo, row, 1, 1, 2)
        self._combos.append((combo, get))

    def _item_row(
        self, site: Site, text: str, color: str, group: str, index: int, noun: str
    ) -> None:
        """A place that is selected by a click, with a button that removes what sits there."""
        row = self._row()
        self._grid.addWidget(self._site_button(site, text, color), row, 0, 1, 2)
        remove = self._remove_button(f"Remove the {noun} at {text}")
        remove.clicked.connect(lambda _: self._edit(lambda e: _without(e, group, index)))
        self._grid.addWidget(remove, row, 2)

    def _site_row(self, text: str, site: Site | None, default: str) -> None:
        row = self._row()
        self._grid.addWidget(QLabel(text), row, 0)
        if site is None:
            label = QLabel(default)
            label.setProperty("role", "muted")
            label.setWordWrap(True)
            self._grid.addWidget(label, row, 1, 1, 2)
        else:
            button = self._site_button(site, place(site), THEMES[self.state.theme].muted)
            self._grid.addWidget(button, row, 1, 1, 2)

    def _mechanism_row(
        self,
        insertion: Insertion,
        mechanism: Mechanism | None,
        index: int,
        known: dict[str, Mechanism],
    ) -> None:
        row = self._row()
        where = "everywhere" if insertion.region == "all" else f"in {insertion.region}"
        label = QLabel(f"<b>{insertion.mechanism}</b> {where}")
        label.setToolTip(getattr(mechanism, "title", "") or "not known to this program")
        self._grid.addWidget(label, row, 0, 1, 2)
        remove = self._remove_button(f"Remove {insertion.mechanism} {where}")
        remove.clicked.connect(
            lambda _: self._edit(
                lambda e: fields.with_insertions(
                    e, e.insertions[:index] + e.insertions[index + 1 :], known
                )
            )
        )
        self._grid.addWidget(remove, row, 2)

    def _insert_row(self, known: dict[str, Mechanism]) -> None:
        """Put another mechanism into a region."""
        mechanism, region = QComboBox(), QComboBox()
        for combo, names, called in (
            (mechanism, list(known), "Mechanism to add"),
            (region, list(get_args(Region)), "Region to add it to"),
        ):
            combo.addItems(names)
            combo.setAccessibleName(called)
            combo.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            combo.installEventFilter(self)
            _shrink(combo)
        add = QPushButton("Add")
        add.setToolTip("Insert the mechanism into the region, with its default parameters")

        def insert(_: object) -> None:
            new = Insertion(mechanism.currentText(), region.currentText())  # type: ignore[arg-type]
            self._edit(lambda e: replace(e, insertions=(*e.insertions, new)))

        add.clicked.connect(insert)
        line = QHBoxLayout()
        line.setSpacing(6)
        for widget in (mechanism, region):
            line.addWidget(widget, 1)
        line.addWidget(add)
        self._grid.addLayout(line, self._row(), 0, 1, 3)

    def _site_button(self, site: Site, text: str, color: str) -> QPushButton:
        button = QPushButton(_dot(color), text)
        button.setIconSize(QSize(10, 10))
        button.setFlat(True)
        button.setStyleSheet(
            "QPushButton { text-align: left; border: none; background: none; padding: 3px 0; }"
            "QPushButton:hover, QPushButton:focus { text-decoration: underline; }"
        )
        button.setToolTip("Show this place on the cell")
        button.clicked.connect(lambda _: self._on_site(site))
        return button

    def _remove_button(self, tip: str) -> QToolButton:
        button = QToolButton()
        button.setIcon(line_icon("close", self._icons["muted"], self._icons["disabled"]))
        button.setIconSize(QSize(14, 14))
        button.setAutoRaise(True)
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        return button

    # Edits

    def _put(self, field: Field, value: float) -> None:
        self._edit(lambda e: field.put(e, value))

    def _edit(self, change: Callable[[Experiment], Experiment]) -> None:
        """Report a changed experiment; then show what the state made of it."""
        experiment = self.state.experiment
        if experiment is not None and (changed := change(experiment)) != experiment:
            self.experiment_edited.emit(changed)
        self.redraw()

    def _on_site(self, site: Site) -> None:
        cell = self.state.cell
        if cell is not None and site.section in cell.sections.name:
            self.segment_clicked.emit(cell.segment(site))

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


def _shape(experiment: Experiment, theme: str) -> tuple[object, ...]:
    """What decides which widgets there are, apart from their values."""
    return (
        tuple(clamp.site for clamp in experiment.stimuli),
        experiment.probes,
        tuple((i.mechanism, i.region) for i in experiment.insertions),
        tuple(cable.region for cable in experiment.cables),
        experiment.rule.kind,
        experiment.spike_site,
        theme,
    )


def _without(experiment: Experiment, group: str, index: int) -> Experiment:
    items = getattr(experiment, group)
    return replace(experiment, **{group: items[:index] + items[index + 1 :]})


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


def _shrink(combo: QComboBox) -> None:
    """Let a box be narrower than its longest entry."""
    combo.setMinimumContentsLength(6)
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
