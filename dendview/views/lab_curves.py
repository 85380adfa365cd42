"""Spike probability against active synapses; grows as trials finish."""

from pathlib import Path
from typing import Any

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QPointF, Qt, pyqtSignal
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QToolTip, QVBoxLayout, QWidget

from dendview.colors import THEMES, Theme, ThemeName
from dendview.lab import (
    TITLES,
    LabRun,
    half_text,
    point_text,
    shift_texts,
    shifts_of,
    short_text,
)
from dendview.runs import shown_study
from dendview.state import AppState
from dendview.svg_pictures import save_svg
from dendview.views.plotting import color_plot
from dendview.widgets.lazy import LazyWidget
from engine.errors import UserError
from engine.experiments.spike_probability import Curve, CurvePoint
from engine.experiments.spike_study import Condition, is_clustered, is_full, to_json
from engine.exporting.spike_figure import COLORS, spike_svg

SYMBOLS: dict[Condition, str] = {
    "few-distributed": "o",
    "few-clustered": "t1",
    "full-distributed": "s",
    "full-clustered": "d",
}
REACH = 14.0
"""Pixels within which a click means a point."""
APART = 3.0
"""Pixels between the bars of two conditions at one number of synapses."""
LEAD = "Half of the trials fire at so many synapses (95 % interval)"
N_DIMMED = 4
"""Earlier studies that are drawn."""


class LabCurves(LazyWidget):
    """The curves of the shown study, earlier ones dimmed, the published ones dashed."""

    point_clicked = pyqtSignal(object)  # Point
    deviation_chosen = pyqtSignal(bool)
    published_chosen = pyqtSignal(bool)

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.setMinimumSize(260, 170)
        self._at: list[tuple[Curve, CurvePoint, float, float]] = []  # what can be clicked
        self.plot = pg.PlotWidget()
        self.plot.setFrameShape(self.plot.Shape.NoFrame)
        self.plot.setMenuEnabled(False)
        self.plot.hideButtons()
        self.plot.setMouseEnabled(x=False, y=False)
        self.plot.setLabel("bottom", "active synapses")
        self.plot.setLabel("left", "spike probability")
        self.plot.getAxis("left").setWidth(58)
        for name in ("left", "bottom"):
            self.plot.getAxis(name).enableAutoSIPrefix(False)
        self.deviation = QCheckBox("± SD, as published")
        self.deviation.setToolTip(
            "Mean ± SD of single outcomes, which does not narrow with more trials; else Wilson's "
            "95 % intervals"
        )
        self.published = QCheckBox("Published")
        self.published.setToolTip("Zhang et al. 2023, Fig. 5: 50 trials a point, dashed")
        self.numbers = QLabel()
        self.numbers.setWordWrap(True)
        self.numbers.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.numbers.setContentsMargins(10, 0, 10, 4)
        self.numbers.setAccessibleName("Half points of the curves and their differences")
        self.what = QLabel("Wilson 95 % intervals")
        self.what.setProperty("role", "muted")
        top = QHBoxLayout()
        top.setContentsMargins(10, 4, 10, 0)
        top.setSpacing(12)
        top.addWidget(self.what, 1)
        top.addWidget(self.deviation)
        top.addWidget(self.published)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(top)
        layout.addWidget(self.plot, 1)
        layout.addWidget(self.numbers)
        self.deviation.clicked.connect(self.deviation_chosen)
        self.published.clicked.connect(self.published_chosen)
        scene = self.plot.scene()
        scene.sigMouseClicked.connect(self._on_click)
        self._hover = pg.SignalProxy(scene.sigMouseMoved, rateLimit=20, slot=self._on_hover)
        events = state.events
        for event in (
            events.lab_runs, events.lab_shown, events.lab_study, events.lab_point, events.theme,
            events.lab_deviation, events.lab_published,
        ):  # fmt: skip
            event.connect(self.redraw)

    # Drawing

    def _draw(self) -> None:
        state = self._state
        theme, run = THEMES[state.theme], shown_study(state)
        self.deviation.setChecked(state.lab_deviation)
        self.published.setChecked(state.lab_published)
        self.what.setText("Mean ± SD" if state.lab_deviation else "Wilson 95 % intervals")
        item = self.plot.getPlotItem()
        item.clear()
        color_plot(self.plot, theme)
        self._at = []
        study = run.study if run is not None else state.lab_study
        points = [n for c in study.conditions for n in study.points(c)] if study else [240]
        last = max(points, default=240) or 1
        self.plot.setRange(xRange=(-0.03 * last, 1.05 * last), yRange=(-0.05, 1.06), padding=0)
        self.plot.getAxis("left").setTicks([[(k / 5, f"{k / 5:.1f}") for k in range(6)], []])
        half = pg.InfiniteLine(0.5, angle=0, pen=pg.mkPen(theme.grid, style=Qt.PenStyle.DotLine))
        item.addItem(half, ignoreBounds=True)
        earlier = [r for r in state.lab_runs if run is None or r.number != run.number]
        for other in earlier[-N_DIMMED:]:
            self._draw_dimmed(other, theme)
        if state.lab_published and study is not None:
            for condition in study.conditions:
                self._draw_published(condition, last)
        if run is not None:
            for k, curve in enumerate(run.curves):
                aside = k - (len(run.curves) - 1) / 2
                self._draw_curve(curve, aside, last, theme)
        self._tell(run)

    def _draw_curve(self, curve: Curve, aside: float, last: float, theme: Theme) -> None:
        item, state = self.plot.getPlotItem(), self._state
        color = COLORS[state.theme][curve.condition]
        per_pixel = 1.08 * last / max(self.plot.width() - 70, 100)
        shown = [p for p in curve.points if p.n]
        x = np.array([p.n_synapses + APART * aside * per_pixel for p in shown])
        y = np.array([p.probability.value for p in shown])
        for at, p in zip(x, shown, strict=True):
            low, high = p.band if state.lab_deviation else (p.probability.low, p.probability.high)
            cap = 3 * per_pixel
            bar = pg.PlotCurveItem(
                [at, at, at - cap, at + cap, at - cap, at + cap],
                [low, high, low, low, high, high],
                pen=pg.mkPen(color, width=1), connect="pairs",
            )  # fmt: skip
            item.addItem(bar)
            self._at.append((curve, p, float(at), p.probability.value))
        item.addItem(pg.PlotCurveItem(x, y, pen=pg.mkPen(color, width=1), antialias=True))
        chosen = state.lab_point
        sizes = [14 if chosen == (curve.condition, p.n_synapses) else 9 for p in shown]
        pens = [
            pg.mkPen(theme.text, width=2)
            if chosen == (curve.condition, p.n_synapses)
            else pg.mkPen(theme.canvas, width=1)
            for p in shown
        ]
        dots = pg.ScatterPlotItem(
            x, y, size=sizes, symbol=SYMBOLS[curve.condition], pen=pens, brush=pg.mkBrush(color)
        )
        item.addItem(dots)
        if curve.half is not None:
            at = curve.half.at.value
            tick = pg.PlotCurveItem([at, at], [0.46, 0.54], pen=pg.mkPen(color, width=3))
            item.addItem(tick)

    def _draw_published(self, condition: Condition, last: float) -> None:
        from engine.experiments.published_spikes import published

        color = QColor(COLORS[self._state.theme][condition])
        known = sorted(published(condition).items())
        x, y = [n for n, _ in known if n <= last], [p for n, p in known if n <= last]
        pen = pg.mkPen(color, width=1, style=Qt.PenStyle.DashLine)
        self.plot.getPlotItem().addItem(pg.PlotCurveItem(x, y, pen=pen))
        hollow = pg.ScatterPlotItem(
            x, y, size=6, symbol=SYMBOLS[condition], pen=pg.mkPen(color, width=1), brush=None
        )
        self.plot.getPlotItem().addItem(hollow)

    def _draw_dimmed(self, run: LabRun, theme: Theme) -> None:
        gray = QColor(theme.muted)
        gray.setAlpha(110)
        for curve in run.curves:
            shown = [p for p in curve.points if p.n]
            x, y = [p.n_synapses for p in shown], [p.probability.value for p in shown]
            self.plot.getPlotItem().addItem(pg.PlotCurveItem(x, y, pen=pg.mkPen(gray, width=1)))
            dots = pg.ScatterPlotItem(
                x, y, size=5, symbol=SYMBOLS[curve.condition], pen=None, brush=pg.mkBrush(gray)
            )
            self.plot.getPlotItem().addItem(dots)

    def _tell(self, run: LabRun | None) -> None:
        """Legend with half points, and how far the curves are apart."""
        state = self._state
        if run is None:
            study = state.lab_study
            names = study.conditions if study is not None else ()
            lines = [self._named(c, TITLES[c]) for c in names]
            self.numbers.setText("  ".join(lines) + "<br>Run the study to see its curves.")
            return
        self.numbers.setText(self._table(run))
        lines = [half_text(curve) for curve in run.curves]
        self.numbers.setToolTip("\n".join((LEAD, *lines, *shift_texts(run.curves))))

    def _table(self, run: LabRun) -> str:
        """Half points by model and pattern, with their differences beside and below."""
        half = {c.condition: c.half for c in run.curves}
        shifts = shifts_of(run.curves)

        def cell(condition: Condition) -> str:
            if condition not in half:
                return "<td></td>"
            known = half[condition]
            text = "—" if known is None else short_text(known.at)
            return f"<td>{self._named(condition, joined(text))}</td>"

        def shift(one: Condition, other: Condition) -> str:
            text = joined(short_text(shifts[one, other])) if (one, other) in shifts else ""
            return f"<td>{text}</td>"

        models = {is_full(c) for c in half}
        both = len({is_clustered(c) for c in half}) == 2
        head = "".join(
            f"<td>{joined(text)}</td>"
            for text, shown in (
                ("distributed", any(not is_clustered(c) for c in half)),
                ("clustered", any(is_clustered(c) for c in half)),
                ("clustered − distributed", both),
            )
            if shown
        )
        muted = THEMES[self._state.theme].muted
        rows = [f"<tr style='color:{muted}'><td>half&nbsp;at&nbsp;</td>{head}</tr>"]
        if False in models:
            cells = cell("few-distributed") + cell("few-clustered")
            last = shift("few-distributed", "few-clustered") if both else ""
            rows.append(f"<tr><td>few</td>{cells}{last}</tr>")
        if True in models:
            cells = cell("full-distributed") + cell("full-clustered")
            last = shift("full-distributed", "full-clustered") if both else ""
            rows.append(f"<tr><td>all</td>{cells}{last}</tr>")
        if len(models) == 2:
            cells = shift("few-distributed", "full-distributed")
            cells += shift("few-clustered", "full-clustered")
            rows.append(f"<tr><td>all&nbsp;−&nbsp;few&nbsp;</td>{cells}</tr>")
        table = "".join(rows).replace("<td></td></tr>", "</tr>")
        return f"<table cellspacing='1' cellpadding='1' style='font-size:11px'>{table}</table>"

    def _named(self, condition: Condition, text: str) -> str:
        color = COLORS[self._state.theme][condition]
        sign = (
            ("▲" if is_clustered(condition) else "●")
            if not is_full(condition)
            else ("◆" if is_clustered(condition) else "■")
        )
        return f"<span style='color:{color}'>{sign}</span>&nbsp;{text}"

    # What the person does

    def _near(self, position: QPointF) -> tuple[Curve, CurvePoint] | None:
        box = self.plot.getPlotItem().getViewBox()
        best, found = REACH, None
        for curve, point, x, y in self._at:
            there = box.mapViewToScene(QPointF(x, y))
            away = float(np.hypot(there.x() - position.x(), there.y() - position.y()))
            if away < best:
                best, found = away, (curve, point)
        return found

    def _on_click(self, event: Any) -> None:
        near = self._near(event.scenePos())
        if event.button() == Qt.MouseButton.LeftButton and near is not None:
            curve, point = near
            self.point_clicked.emit((curve.condition, point.n_synapses))

    def _on_hover(self, arguments: tuple[QPointF]) -> None:
        near = self._near(arguments[0]) if self.isVisible() else None
        if near is None:
            QToolTip.hideText()
            return
        view = self.plot
        QToolTip.showText(
            view.mapToGlobal(view.mapFromScene(arguments[0])), point_text(*near), view
        )

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        self.redraw()

    # Export

    def drawing(self, theme: ThemeName) -> str:
        """The curves of the shown study as SVG.

        Raises
        ------
        UserError
            If no study is shown.
        """
        run, state = shown_study(self._state), self._state
        if run is None or not run.curves:
            raise UserError("no study is shown; run one in the spike lab first")
        return spike_svg(run.curves, theme, state.lab_deviation)

    def recipe(self) -> str:
        """The shown study, from which 'dendview spike-lab --recipe' makes the same curves."""
        run = shown_study(self._state)
        return "" if run is None else to_json(run.study)

    def export(self, path: str | Path) -> None:
        """Write the curves in the theme of the window, as ``.png`` or ``.svg``.

        Raises
        ------
        UserError
            If no study is shown, or the file cannot be written.
        """
        save_svg(self.drawing(self._state.theme), path, self.recipe())


def joined(text: str) -> str:
    """A text that is not broken into lines."""
    return text.replace(" ", "&nbsp;")
