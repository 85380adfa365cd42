"""From spikes to an answer: input spikes, voltage of chosen hidden neurons, output voltages."""

from pathlib import Path

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QPointF, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QResizeEvent
from PyQt6.QtWidgets import QGridLayout, QLabel, QToolTip, QVBoxLayout, QWidget

from dendview.colors import THEMES, Theme, ThemeName
from dendview.scene import nice_ticks
from dendview.state import AppState
from dendview.svg_pictures import save_svg
from dendview.training_findings import Findings
from dendview.views.plotting import color_plot, parted
from dendview.views.training_sample import SampleBar, epoch_name, recipe_of
from dendview.widgets.elided import ElidedLabel
from dendview.widgets.lazy import LazyWidget
from dendview.wording import number
from engine.errors import UserError
from engine.exporting.training_results_figure import HUES, Passage, span, voltages_svg

WIDE = 430
"""Pixels from which the plots of a low panel stand side by side."""
LETTER = 6.6
"""Pixels of a letter of a name beside a curve."""
LINE = 12.0
"""Pixels between the names of two curves."""
NOTHING = "Voltages of a sample, once a network is trained."


class TrainingVoltage(LazyWidget):
    """Spikes of the input neurons, the chosen hidden neurons, and the output neurons over time."""

    sample_clicked = pyqtSignal(int)
    mean_chosen = pyqtSignal(bool)

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.setMinimumSize(240, 150)
        self.sample = SampleBar()
        self.empty = QLabel(NOTHING)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)
        self.empty.setProperty("role", "muted")
        self._titles: dict[pg.PlotWidget, ElidedLabel] = {}
        self._boxes: dict[pg.PlotWidget, QWidget] = {}
        self.spikes = self._plot("Input spikes by pixel")
        self.hidden = self._plot("Hidden neuron")
        self.output = self._plot("Output neurons (mV)")
        self.spikes.getPlotItem().invertY(True)
        self.grid = QGridLayout()
        self.grid.setContentsMargins(4, 0, 4, 0)
        self.grid.setSpacing(0)
        self._wide: bool | None = None
        self._beside: dict[pg.PlotWidget, float] = {}  # room for names, as a share of the time
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.sample)
        layout.addWidget(self.empty, 1)
        layout.addLayout(self.grid, 1)
        self.sample.sample_chosen.connect(self.sample_clicked)
        self.sample.mean_chosen.connect(self.mean_chosen)
        self._place()
        events = state.events
        for event in (
            events.training_findings, events.training_choice, events.training_note, events.theme,
        ):  # fmt: skip
            event.connect(self.redraw)

    @property
    def plots(self) -> tuple[pg.PlotWidget, ...]:
        return self.spikes, self.hidden, self.output

    def _plot(self, title: str) -> pg.PlotWidget:
        plot = pg.PlotWidget()
        plot.setAccessibleName(title)
        plot.setFrameShape(plot.Shape.NoFrame)
        plot.setMenuEnabled(False)
        plot.hideButtons()
        plot.setMouseEnabled(x=False, y=False)
        plot.setMinimumSize(90, 60)
        for name in ("left", "bottom"):
            plot.getAxis(name).enableAutoSIPrefix(False)
        plot.getAxis("left").setWidth(38)
        plot.getPlotItem().getViewBox().sigResized.connect(self.redraw)  # room for names
        move = pg.SignalProxy(
            plot.scene().sigMouseMoved, rateLimit=20, slot=lambda at: self._on_hover(plot, at[0])
        )
        plot.told = move  # lives as long as the plot
        self._titles[plot] = ElidedLabel("")
        self._titles[plot].setContentsMargins(6, 2, 2, 0)
        self._boxes[plot] = QWidget()
        column = QVBoxLayout(self._boxes[plot])
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._titles[plot])
        column.addWidget(plot, 1)
        return plot

    def _place(self) -> None:
        """Side by side where there is room, else one above the other."""
        wide = self.width() >= max(WIDE, 1.5 * self.height())
        if wide == self._wide:
            return
        self._wide = wide
        for i, plot in enumerate(self.plots):
            box = self._boxes[plot]
            self.grid.removeWidget(box)
            self.grid.addWidget(box, 0 if wide else i, i if wide else 0)
        for i, share in enumerate((4, 5, 5)):
            self.grid.setColumnStretch(i, share if wide else (1 if i == 0 else 0))
            self.grid.setRowStretch(i, (1 if i == 0 else 0) if wide else share)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self._place()
        self.redraw()

    # Drawing

    def _draw(self) -> None:
        state = self._state
        theme, found = THEMES[state.theme], state.training_findings
        self.sample.setVisible(found is not None)
        self.empty.setVisible(found is None)
        for plot in self.plots:
            self._boxes[plot].setVisible(found is not None)
            plot.getPlotItem().clear()
            color_plot(plot, theme)
        self.empty.setText(state.training_note or NOTHING)
        if found is None:
            return
        self.sample.show_findings(found, state.theme)
        passage = passage_of(found, self._neurons(found))
        for plot in self.plots:
            self._shade(plot, passage, theme)
        self._draw_spikes(passage, theme)
        self._draw_hidden(passage, theme)
        self._draw_output(passage, theme)
        last = float(passage.time[-1])
        for plot in self.plots:
            plot.setXRange(0, last * (1 + self._beside.get(plot, 0.0)), padding=0)
            narrow = plot.getPlotItem().getViewBox().width() < 150
            ticks = [(t, f"{t:g}") for t in nice_ticks(0, last, 3 if narrow else 5)]
            plot.getAxis("bottom").setTicks([ticks, []])
            named = bool(self._wide) or plot is self.output
            plot.setLabel("bottom", "time (ms)" if named else None, color=theme.muted)
            plot.getAxis("bottom").setStyle(showValues=named)

    def _neurons(self, found: Findings) -> tuple[int, ...]:
        n = found.network.spec.n_hidden
        return tuple(j for j in self._state.training_choice.neurons if 0 <= j < n)

    def _title(self, plot: pg.PlotWidget, short: str, long: str) -> None:
        title = self._titles[plot]
        title.setText(long if title.fontMetrics().horizontalAdvance(long) < plot.width() else short)
        title.setToolTip(long)

    def _shade(self, plot: pg.PlotWidget, passage: Passage, theme: Theme) -> None:
        color = QColor(theme.accent)
        color.setAlpha(22)
        region = pg.LinearRegionItem(passage.window, movable=False, brush=color, pen=pg.mkPen(None))
        region.setZValue(-10)
        plot.getPlotItem().addItem(region, ignoreBounds=True)

    def _draw_spikes(self, passage: Passage, theme: Theme) -> None:
        dots = pg.ScatterPlotItem(
            passage.spike_time, passage.spike_pixel, size=2.2, pen=None,
            brush=pg.mkBrush(theme.text), antialias=False,
        )  # fmt: skip
        self.spikes.getPlotItem().addItem(dots)
        self.spikes.setYRange(-0.5, passage.n_in - 0.5, padding=0.02)
        n = number(len(passage.spike_time))
        self._title(self.spikes, f"{n} input spikes", f"{n} input spikes, by pixel")

    def _draw_hidden(self, passage: Passage, theme: Theme) -> None:
        item, hues = self.hidden.getPlotItem(), HUES[self._state.theme]
        ends, drawn = [], []
        for k, j in enumerate(passage.neurons):
            color = hues[k % len(hues)]
            before, after = passage.before[j], passage.after[j]
            thin = pg.mkPen(color, width=1, style=Qt.PenStyle.DashLine)
            item.addItem(pg.PlotCurveItem(passage.time, before, pen=thin, antialias=True))
            full = pg.mkPen(color, width=2)
            item.addItem(pg.PlotCurveItem(passage.time, after, pen=full, antialias=True))
            drawn += [before, after]
            if len(passage.neurons) > 1:
                ends.append((float(after[-1]), str(j), color))
        low, high = span(drawn)
        self.hidden.setYRange(low, high, padding=0)
        several = ", ".join(str(j) for j in passage.neurons)
        head = f"Hidden {several} (mV)"
        dashed = f"Hidden {several} (mV), dashed: {passage.names[0]}"
        self._title(self.hidden, head, dashed)
        self._name(self.hidden, ends, low, high, float(passage.time[-1]))

    def _draw_output(self, passage: Passage, theme: Theme) -> None:
        item = self.output.getPlotItem()
        window = (passage.time > passage.window[0]) & (passage.time <= passage.window[1])
        answer = int(passage.output[:, window].mean(axis=1).argmax())
        low, high = span([passage.output])
        ends = []
        for c, name in enumerate(passage.classes):
            color, width = theme.muted, 1.0
            if c == passage.label:
                color, width = theme.done, 2.0
            elif c == answer:
                color, width = theme.error, 2.0
            pen = pg.mkPen(color, width=width)
            curve = pg.PlotCurveItem(passage.time, passage.output[c], pen=pen, antialias=True)
            curve.setZValue(width)
            item.addItem(curve)
            ends.append((float(passage.output[c, -1]), name, color))
        if LINE * len(ends) > self.output.getPlotItem().getViewBox().height():
            ends = [end for end in ends if end[2] != theme.muted]  # no room for all
        self.output.setYRange(low, high, padding=0)
        right = "" if answer == passage.label else f", answer {passage.classes[answer]}"
        label = passage.classes[passage.label]
        self._title(self.output, "Outputs (mV)", f"Outputs (mV): label {label}{right}")
        self._name(self.output, ends, low, high, float(passage.time[-1]))

    def _name(
        self,
        plot: pg.PlotWidget,
        ends: list[tuple[float, str, str]],
        low: float,
        high: float,
        last: float,
    ) -> None:
        """Names beside the ends of curves, moved apart."""
        self._beside[plot] = 0.0
        if not ends:
            return
        ends = sorted(ends)
        height = max(plot.getPlotItem().getViewBox().height(), 40.0)
        line = LINE * (high - low) / height
        font = QLabel().font()
        font.setPixelSize(11)
        for y, (_, name, color) in zip(
            parted([e[0] for e in ends], line, low, high), ends, strict=True
        ):
            text = pg.TextItem(name, color=color, anchor=(0, 0.5))
            text.setFont(font)
            text.setPos(last, y)
            plot.getPlotItem().addItem(text, ignoreBounds=True)
        letters = LETTER * max(len(name) for _, name, _ in ends) + 10
        wide = max(float(plot.getPlotItem().getViewBox().width()), 2.5 * letters)
        self._beside[plot] = letters / (wide - letters)

    # What the person does

    def _on_hover(self, plot: pg.PlotWidget, at: QPointF) -> None:
        found = self._state.training_findings
        box = plot.getPlotItem().getViewBox()
        if found is None or not self.isVisible() or not box.sceneBoundingRect().contains(at):
            QToolTip.hideText()
            return
        there = box.mapSceneToView(at)
        text = self.tip(found, plot, there.x(), there.y())
        QToolTip.showText(plot.mapToGlobal(plot.mapFromScene(at)), text, plot)

    def tip(self, found: Findings, plot: pg.PlotWidget, x: float, y: float) -> str:
        """What lies under the pointer."""
        time = found.time
        step = int(np.clip(round(x / found.network.spec.cell.dt), 0, len(time) - 1))
        head = f"{time[step]:.1f} ms"
        if plot is self.spikes:
            pixel = int(np.clip(round(y), 0, found.data.n_in - 1))
            row, column = divmod(pixel, found.data.shape[1])
            value = float(found.image(found.sample)[row, column])
            n = int((found.spike_pixel == pixel).sum())
            return f"{head} · pixel {pixel} (row {row}, column {column}): {value:.2f}, {n} spikes"
        if plot is self.hidden:
            rows = [
                f"neuron {j}: {found.before.hidden[j, step]:.3g} → "
                f"{found.after.hidden[j, step]:.3g} mV"
                for j in self._neurons(found)
            ]
        else:
            order = np.argsort(-found.after.output[:, step])[:3]
            rows = [f"{found.data.classes[c]}: {found.after.output[c, step]:.3g} mV" for c in order]
        return "\n".join([head, *rows]).replace("-", "−")

    def drawing(self, theme: ThemeName) -> str:
        """The plots as SVG.

        Raises
        ------
        UserError
            If there is nothing to draw.
        """
        found = self._state.training_findings
        if found is None:
            raise UserError("no trained network is shown; train one in the Training perspective")
        passage = passage_of(found, self._neurons(found))
        return voltages_svg(passage, passage_title(found), theme)

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


def passage_of(found: Findings, neurons: tuple[int, ...]) -> Passage:
    """What the plots show."""
    asked = found.wanted
    duration = found.network.spec.cell.duration
    learning = asked.training.learning
    window = (20.0, 50.0) if duration >= 50 else (learning.start, learning.stop)
    return Passage(
        found.time,
        found.spike_time,
        found.spike_pixel,
        found.data.n_in,
        neurons,
        found.before.hidden,
        found.after.hidden,
        found.after.output,
        found.data.classes,
        found.label,
        window,
        (epoch_name(asked.first.epoch), epoch_name(asked.shown.epoch)),
    )


def passage_title(found: Findings) -> str:
    """To which image, by which network."""
    label = found.data.classes[found.label]
    if found.wanted.mean:
        return f"Mean over {found.after.n} test images of class {label}, {epoch_name(found.epoch)}"
    return f"Test image {found.sample} (label {label}), {epoch_name(found.epoch)}"
