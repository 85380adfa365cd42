"""The clamps under the traces: pulses in nA whose edges can be dragged."""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np
import pyqtgraph as pg
from PyQt6.QtGui import QColor

from dendview.colors import THEMES, ThemeName
from dendview.experiment_fields import changed
from dendview.views.trace_style import DASHES
from dendview.wording import place
from engine.experiment import Experiment
from engine.stimuli import CurrentClamp, Waveform
from engine.types import FloatArray
from engine.waveforms import waveform

Kind = Literal["stimuli", "waveforms"]

N_HANDLES = 6
"""Clamps that can be dragged; with more, handles would lie on one another."""
N_DRAWN = 2000
"""Points of a current that follows a formula."""


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
        key = (experiment.stimuli, experiment.waveforms, experiment.duration, theme)
        if key == self._shown:
            return
        self._shown = key
        for item in self._items:
            self._plot.removeItem(item)
        self._items = []
        color = QColor(THEMES[theme].warning)
        currents: list[tuple[Kind, int, CurrentClamp | Waveform]] = [
            *(("stimuli", i, clamp) for i, clamp in enumerate(experiment.stimuli)),
            *(("waveforms", i, wave) for i, wave in enumerate(experiment.waveforms)),
        ]
        low = high = 0.0
        for number, (kind, i, clamp) in enumerate(currents):
            time, current = course(clamp, experiment)
            low, high = min(low, float(current.min())), max(high, float(current.max()))
            self._add_course(number, time, current, color)
            if len(currents) <= N_HANDLES:
                self._add_handles(kind, i, number, clamp, theme)
        margin = 0.15 * (high - low) or 0.1
        self._plot.setYRange(low - margin, high + margin, padding=0)
        ticks = [(value, f"{value:.2g}".replace("-", "−")) for value in sorted({0.0, low, high})]
        self._plot.getAxis("left").setTicks([ticks])

    def _add_course(
        self, number: int, time: FloatArray, current: FloatArray, color: QColor
    ) -> None:
        fill = QColor(color)
        fill.setAlpha(45)
        curve = pg.PlotCurveItem(
            x=time,
            y=current,
            pen=pg.mkPen(color, width=1, style=DASHES[number % len(DASHES)]),
            fillLevel=0.0,
            brush=fill,
        )
        self._plot.addItem(curve, ignoreBounds=True)
        self._items.append(curve)

    def _add_handles(
        self,
        kind: Kind,
        index: int,
        number: int,
        clamp: CurrentClamp | Waveform,
        theme: ThemeName,
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
        region.setZValue(30 + number)
        for line in region.lines:
            line.setBounds((0.0, None))
        what = f"{clamp.amplitude:g} nA" if isinstance(clamp, CurrentClamp) else clamp.kind
        region.setToolTip(f"{what} at {place(clamp.site)}: drag the edges or the pulse")
        region.sigRegionChangeFinished.connect(lambda item: self._on_drag(kind, index, item))
        self._plot.addItem(region, ignoreBounds=True)
        self._items.append(region)

    def _on_drag(self, kind: Kind, index: int, region: pg.LinearRegionItem) -> None:
        """A drag has ended: the pulse at the nearest round times."""
        if self._experiment is None or index >= len(getattr(self._experiment, kind)):
            return
        step = drag_step(self._experiment.duration)
        on, off = (max(round(value / step), 0) * step for value in region.getRegion())
        clamps = list(getattr(self._experiment, kind))
        clamps[index] = replace(
            clamps[index], delay=round(on, 6), duration=round(max(off - on, step), 6)
        )
        self._shown = ()  # drawn again from what the edit leads to
        self._edited(changed(self._experiment, **{kind: tuple(clamps)}))


def course(clamp: CurrentClamp | Waveform, experiment: Experiment) -> tuple[FloatArray, FloatArray]:
    """Time (ms) and current (nA) of a clamp over the run, at its corners or finely enough to see.

    Returns
    -------
    time, current : (n,)
    """
    end = experiment.duration
    on, off = min(clamp.delay, end), min(clamp.delay + clamp.duration, end)
    if isinstance(clamp, CurrentClamp):
        amplitude = clamp.amplitude
        steps = np.array([0.0, 0.0, amplitude, amplitude, 0.0, 0.0])
        return np.array([0.0, on, on, off, off, end]), steps
    inside = np.linspace(on, off, N_DRAWN, endpoint=False)
    time = np.concatenate([[0.0, on], inside, [inside[-1], end]])
    current = waveform(clamp, inside, experiment.seed) if off > on else np.zeros(N_DRAWN)
    return time, np.concatenate([[0.0, 0.0], current, [0.0, 0.0]])


def drag_step(duration: float) -> float:
    """ms between two places a dragged edge can have."""
    return 1.0 if duration >= 100 else 0.5 if duration >= 20 else 0.1
