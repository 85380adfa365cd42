"""Weights before and after learning: histograms, and the switch that puts them on the cell."""

from pathlib import Path

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QPointF, QSignalBlocker, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QResizeEvent
from PyQt6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from dendview.colors import THEMES, Theme, ThemeName
from dendview.state import AppState
from dendview.svg_pictures import save_svg
from dendview.training import data_name
from dendview.training_findings import Findings, WeightsShown
from dendview.training_synapses import segments_of
from dendview.views.plotting import color_plot
from dendview.views.training_sample import epoch_name, recipe_of
from dendview.widgets.lazy import LazyWidget
from dendview.wording import number, plural
from engine.errors import UserError
from engine.experiments.hpc_net.analysis import WeightCounts
from engine.exporting.training_results_figure import weights_svg
from engine.types import FloatArray

KINDS: dict[WeightsShown, str] = {
    "after": "Weights now",
    "change": "Change",
    "before": "Untrained weights",
}
WIDE = 380
"""Pixels from which the histograms stand side by side."""
NOTHING = "Weights, once a network is trained."


class TrainingWeights(LazyWidget):
    """Histograms of both layers, and which neuron's weights the cell shows."""

    on_cell_chosen = pyqtSignal(bool)
    kind_chosen = pyqtSignal(str)
    neurons_chosen = pyqtSignal(tuple)
    cell_wanted = pyqtSignal()

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._counts: dict[pg.PlotWidget, WeightCounts] = {}
        self.setMinimumHeight(150)
        self.on_cell = QCheckBox("On the cell:")
        self.on_cell.setToolTip("Color the cell by the weights of a hidden neuron's synapses")
        self.neuron = QSpinBox()
        self.neuron.setPrefix("neuron ")
        self.neuron.setAccessibleName("Hidden neuron")
        self.neuron.setToolTip("Whose weights are drawn on the cell")
        self.kind = QComboBox()
        self.kind.setAccessibleName("Which weights")
        for key, text in KINDS.items():
            self.kind.addItem(text, key)
        self.kind.setToolTip("What is drawn on the cell: weights, or how much learning moved them")
        top = QHBoxLayout()
        top.setContentsMargins(10, 6, 10, 2)
        top.setSpacing(8)
        for widget in (self.on_cell, self.neuron, self.kind):
            top.addWidget(widget)
        top.addStretch(1)
        self.logarithmic = QCheckBox("Log")
        self.logarithmic.setAccessibleName("Logarithmic counts")
        self.logarithmic.setChecked(True)
        self.logarithmic.setToolTip("Count on a logarithmic axis: shows the few large weights too")
        top.addWidget(self.logarithmic)
        self.other = QLabel("The open cell is not the hidden neuron of this training.")
        self.other.setWordWrap(True)
        self.open = QPushButton("Open it")
        self.open.setToolTip("Open the morphology of the hidden neuron")
        row = QHBoxLayout()
        row.setContentsMargins(10, 0, 10, 2)
        row.addWidget(self.other, 1)
        row.addWidget(self.open)
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setContentsMargins(10, 0, 10, 4)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.hidden, self.output = self._plot("To hidden neurons"), self._plot("To output neurons")
        self.grid = QGridLayout()
        self.grid.setContentsMargins(4, 0, 4, 0)
        self.grid.setSpacing(0)
        self._wide: bool | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(1)
        layout.addLayout(top)
        layout.addLayout(row)
        layout.addLayout(self.grid, 1)
        layout.addWidget(self.text)
        self._place()
        self.on_cell.clicked.connect(self.on_cell_chosen)
        self.neuron.valueChanged.connect(lambda j: self.neurons_chosen.emit((j,)))
        self.kind.activated.connect(lambda i: self.kind_chosen.emit(self.kind.itemData(i)))
        self.open.clicked.connect(self.cell_wanted)
        self.logarithmic.toggled.connect(self.redraw)
        events = state.events
        for event in (
            events.training_findings, events.training_choice, events.training_note, events.theme,
            events.training_weights, events.color_by, events.cell,
        ):  # fmt: skip
            event.connect(self.redraw)

    def _plot(self, title: str) -> pg.PlotWidget:
        plot = pg.PlotWidget()
        plot.setAccessibleName(f"Histogram of weights, {title.lower()}")
        plot.setFrameShape(plot.Shape.NoFrame)
        plot.setMenuEnabled(False)
        plot.hideButtons()
        plot.setMouseEnabled(x=False, y=False)
        plot.setMinimumSize(90, 70)
        for name in ("left", "bottom"):
            plot.getAxis(name).enableAutoSIPrefix(False)
        plot.getAxis("left").setWidth(60)
        plot.getPlotItem().getViewBox().sigResized.connect(self.redraw)  # room for ticks
        plot.told = pg.SignalProxy(
            plot.scene().sigMouseMoved, rateLimit=20, slot=lambda at: self._on_hover(plot, at[0])
        )
        return plot

    def _place(self) -> None:
        wide = self.width() >= WIDE
        if wide == self._wide:
            return
        self._wide = wide
        for i, plot in enumerate((self.hidden, self.output)):
            self.grid.removeWidget(plot)
            self.grid.addWidget(plot, 0 if wide else i, i if wide else 0)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self._place()

    # Drawing

    def _draw(self) -> None:
        state = self._state
        theme, found = THEMES[state.theme], state.training_findings
        for plot in (self.hidden, self.output):
            plot.getPlotItem().clear()
            color_plot(plot, theme)
        self._counts = {}
        tree = state.cell.trees["neuron"] if state.cell is not None else None
        other = found is not None and (tree is None or segments_of(found.network, tree) is None)
        self.other.setVisible(other)
        self.open.setVisible(other)
        usable = found is not None and not other
        for widget in (self.on_cell, self.neuron, self.kind):
            widget.setEnabled(usable)
        self.on_cell.setChecked(state.color_by == "weight")
        self.kind.setCurrentIndex(list(KINDS).index(state.training_weights))
        if found is None:
            self.text.setText(state.training_note or NOTHING)
            return
        last = found.network.spec.n_hidden - 1
        with QSignalBlocker(self.neuron):
            self.neuron.setRange(0, last)
            chosen = state.training_choice.neurons
            self.neuron.setValue(min(chosen[-1], last) if chosen else 0)
        self._draw_counts(self.hidden, found.hidden_counts, "weight to a hidden neuron", theme)
        self._draw_counts(self.output, found.output_counts, "weight to an output", theme)
        first, name = epoch_name(found.wanted.first.epoch), epoch_name(found.epoch)
        key = (
            f"<span style='color:{theme.warning}'>□</span> {first} &nbsp; "
            f"<span style='color:{theme.accent}'>■</span> {name}"
        )
        self.text.setText(f"{key} &nbsp; {counts_text(found)}")

    def _draw_counts(
        self, plot: pg.PlotWidget, counts: WeightCounts, title: str, theme: Theme
    ) -> None:
        self._counts[plot] = counts
        item, logarithmic = plot.getPlotItem(), self.logarithmic.isChecked()
        values = counts.counts.astype(float)
        if logarithmic:
            values = np.log10(np.maximum(values, 0.5))  # none stands below the axis
        floor = float(np.log10(0.5)) if logarithmic else 0.0
        fill = QColor(theme.accent)
        fill.setAlpha(150)
        for row, (pen, brush) in enumerate(
            ((pg.mkPen(theme.warning, width=1.5), None), (pg.mkPen(theme.accent), fill))
        ):
            curve = pg.PlotCurveItem(
                counts.edge, values[row], stepMode="center", pen=pen, brush=brush,
                fillLevel=floor if brush is not None else None,
            )  # fmt: skip
            curve.setZValue(1 - row)
            item.addItem(curve)
        top = max(float(values.max()), floor + 1) * 1.06
        plot.setYRange(floor, top, padding=0)
        plot.setXRange(float(counts.edge[0]), float(counts.edge[-1]), padding=0.01)
        axis = plot.getAxis("left")
        if logarithmic:
            room = plot.getPlotItem().getViewBox().height() / max(top - floor, 1)
            powers = range(0, int(top) + 1, 1 if room > 16 else 2)
            axis.setTicks([[(float(k), number(10**k)) for k in powers], []])
        else:
            axis.setTicks(None)
        plot.setLabel("bottom", title, color=theme.muted)
        if plot is self.hidden:
            plot.setLabel("left", "synapses", color=theme.muted)

    def _on_hover(self, plot: pg.PlotWidget, at: QPointF) -> None:
        found, counts = self._state.training_findings, self._counts.get(plot)
        box = plot.getPlotItem().getViewBox()
        if found is None or counts is None or not box.sceneBoundingRect().contains(at):
            QToolTip.hideText()
            return
        text = bin_text(found, counts, box.mapSceneToView(at).x())
        QToolTip.showText(plot.mapToGlobal(plot.mapFromScene(at)), text, plot)

    def drawing(self, theme: ThemeName) -> str:
        """The histograms as SVG.

        Raises
        ------
        UserError
            If there is nothing to draw.
        """
        found = self._state.training_findings
        if found is None:
            raise UserError("no trained network is shown; train one in the Training perspective")
        asked = found.wanted
        names = epoch_name(asked.first.epoch), epoch_name(asked.shown.epoch)
        title = f"Weights of {data_name(asked.training.data)}"
        return weights_svg(found.hidden_counts, found.output_counts, names, title, theme)

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


def bin_text(found: Findings, counts: WeightCounts, weight: float) -> str:
    """How many weights lie where a weight does."""
    k = int(np.clip(np.searchsorted(counts.edge, weight) - 1, 0, counts.counts.shape[1] - 1))
    low, high = (f"{v:.3g}".replace("-", "−") for v in counts.edge[k : k + 2])
    before, after = (number(int(n)) for n in counts.counts[:, k])
    names = epoch_name(found.wanted.first.epoch), epoch_name(found.epoch)
    return f"{low} … {high}\n{names[0]}: {before}, {names[1]}: {after}"


def counts_text(found: Findings) -> str:
    """Number and root mean square of the weights of both layers, before and after."""
    first, shown = found.wanted.first.weights, found.wanted.shown.weights
    rows = []
    for name, before, after in (
        ("hidden", first.hidden, shown.hidden), ("output", first.output, shown.output)
    ):  # fmt: skip
        rows.append(
            f"{plural(before.size, f'{name} weight')}: {_size(before):.3g} → {_size(after):.3g}"
        )
    return f"Root mean squares: {'; '.join(rows)}"


def _size(weights: FloatArray) -> float:
    return float(np.sqrt(np.mean(weights**2)))
