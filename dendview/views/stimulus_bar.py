"""The clamps under the traces: pulses in nA whose edges can be dragged."""

from collections.abc import Callable
from dataclasses import replace

import pyqtgraph as pg
from PyQt6.QtGui import QColor

from dendview.colors import THEMES, ThemeName
from dendview.views.trace_style import DASHES
from dendview.wording import place
from engine.experiment import Experiment
from engine.stimuli import CurrentClamp

N_HANDLES = 6
"""Clamps that can be dragged; with more, handles would lie on one another."""


class StimulusBar:
    """Draws the clamps of an experiment into a plot; calls back with an edited experiment."""

    def __init__(self, plot: pg.PlotItem, edited: Callable[[Experiment], object]) -> None:
        self._plot = plot
        self._edited = edited
        self._experiment: Experiment | None = None
        self._shown: tuple[object, ...] = ()
        self._items: list[object] = []

    def refresh(self, experiment: Experiment, theme: ThemeName) -> None:
        """Draw the clamps, if they are not drawn already."""
        self._experiment = experiment
        key = (experiment.stimuli, experiment.duration, theme)
        if key == self._shown:
            return
        self._shown = key
        for item in self._items:
            self._plot.removeItem(item)
        self._items = []
        color = QColor(THEMES[theme].warning)
        for i, clamp in enumerate(experiment.stimuli):
            self._add_pulse(i, clamp, experiment.duration, color)
            if len(experiment.stimuli) <= N_HANDLES:
                self._add_handles(i, clamp, experiment.duration, theme)
        amplitudes = [clamp.amplitude for clamp in experiment.stimuli]
        low, high = min(0.0, *amplitudes), max(0.0, *amplitudes)
        margin = 0.15 * (high - low) or 0.1
        self._plot.setYRange(low - margin, high + margin, padding=0)
        ticks = [(value, f"{value:g}".replace("-", "−")) for value in sorted({0.0, low, high})]
        self._plot.getAxis("left").setTicks([ticks])

    def _add_pulse(self, index: int, clamp: CurrentClamp, duration: float, color: QColor) -> None:
        on, off = clamp.delay, min(clamp.delay + clamp.duration, duration)
        fill = QColor(color)
        fill.setAlpha(45)
        curve = pg.PlotCurveItem(
            x=[0.0, on, on, off, off, duration],
            y=[0.0, 0.0, clamp.amplitude, clamp.amplitude, 0.0, 0.0],
            pen=pg.mkPen(color, width=1, style=DASHES[index % len(DASHES)]),
            fillLevel=0.0,
            brush=fill,
        )
        self._plot.addItem(curve, ignoreBounds=True)
        self._items.append(curve)

    def _add_handles(
        self, index: int, clamp: CurrentClamp, duration: float, theme: ThemeName
    ) -> None:
        edge = QColor(THEMES[theme].warning)
        edge.setAlpha(160)
        region = pg.LinearRegionItem(
            (clamp.delay, clamp.delay + clamp.duration),
            brush=QColor(0, 0, 0, 0),
            hoverBrush=QColor(edge.red(), edge.green(), edge.blue(), 40),
            pen=pg.mkPen(edge, width=1),
            hoverPen=pg.mkPen(THEMES[theme].text, width=3),
            swapMode="block",
        )
        region.setZValue(30 + index)
        for line in region.lines:
            line.setBounds((0.0, None))
        region.setToolTip(
            f"{clamp.amplitude:g} nA at {place(clamp.site)}: drag the edges or the pulse"
        )
        region.sigRegionChangeFinished.connect(lambda item: self._on_drag(index, item))
        self._plot.addItem(region, ignoreBounds=True)
        self._items.append(region)

    def _on_drag(self, index: int, region: pg.LinearRegionItem) -> None:
        """A drag has ended: the pulse at the nearest round times."""
        if self._experiment is None or index >= len(self._experiment.stimuli):
            return
        step = drag_step(self._experiment.duration)
        on, off = (max(round(value / step), 0) * step for value in region.getRegion())
        clamps = list(self._experiment.stimuli)
        clamps[index] = replace(
            clamps[index], delay=round(on, 6), duration=round(max(off - on, step), 6)
        )
        self._shown = ()  # drawn again from what the edit leads to
        self._edited(replace(self._experiment, stimuli=tuple(clamps)))


def drag_step(duration: float) -> float:
    """ms between two places a dragged edge can have."""
    return 1.0 if duration >= 100 else 0.5 if duration >= 20 else 0.1
