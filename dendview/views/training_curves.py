"""Loss and accuracy over the epochs, live; earlier trainings dimmed, changes of the rate marked."""

from pathlib import Path
from typing import Any

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QPointF, Qt, pyqtSignal
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QToolTip, QVBoxLayout, QWidget

from dendview.colors import THEMES, Theme
from dendview.state import AppState
from dendview.svg_pictures import save_svg_as_png
from dendview.training import TrainingRun, data_name, find_run, shown_epoch
from dendview.views.plotting import color_plot
from dendview.widgets.lazy import LazyWidget
from dendview.widgets.timers import make_timer
from engine.errors import UserError
from engine.experiments.hpc_net.spec import to_json
from engine.exporting.atomic import written_aside
from engine.exporting.training_figure import TESTED, TRAIN, curves_svg

N_DIMMED = 4
"""Earlier trainings that are drawn."""
DRAW_MS = 120
"""Between two drawings of a growing curve."""
FLOORS = (0.0, 0.5, 0.8, 0.9)
"""Where the axis of the accuracy may begin."""


class TrainingCurves(LazyWidget):
    """Reports the epoch that is clicked."""

    epoch_clicked = pyqtSignal(object)  # int, or None to follow the last one

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._waiting = make_timer(self, DRAW_MS, self._after_wait, once=True)
        self.setMinimumSize(260, 220)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.loss, self.accuracy = _plot("loss"), _plot("accuracy (%)")
        self.loss.getAxis("bottom").setStyle(showValues=False)
        self.accuracy.setLabel("bottom", "epoch")
        self.loss.setXLink(self.accuracy)
        self.legend = QLabel()
        self.legend.setAccessibleName("Legend and last values of the curves")
        self.log = QCheckBox("Log loss")
        self.log.setToolTip("Draw the loss by tens")
        top = QHBoxLayout()
        top.setContentsMargins(10, 4, 10, 0)
        top.addWidget(self.legend, 1)
        top.addWidget(self.log)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(top)
        layout.addWidget(self.loss, 1)
        layout.addWidget(self.accuracy, 1)
        self.log.clicked.connect(self.redraw)
        self._hover = []
        for plot in (self.loss, self.accuracy):
            plot.scene().sigMouseClicked.connect(lambda event, p=plot: self._on_click(p, event))
            self._hover.append(
                pg.SignalProxy(
                    plot.scene().sigMouseMoved, rateLimit=20,
                    slot=lambda found, p=plot: self._on_hover(p, found[0]),
                )
            )  # fmt: skip
        events = state.events
        events.training_runs.connect(self._redraw_soon)
        for event in (events.training_shown, events.training_choice, events.theme):
            event.connect(self.redraw)

    def _redraw_soon(self, *_: object) -> None:
        if not self._waiting.isActive():
            self._waiting.start()

    def _after_wait(self) -> None:
        self.redraw()

    # Drawing

    def _draw(self) -> None:
        state = self._state
        theme = THEMES[state.theme]
        run = find_run(state.training_runs, state.training_shown)
        earlier = [r for r in state.training_runs if r is not run][-N_DIMMED:]
        for plot in (self.loss, self.accuracy):
            plot.getPlotItem().clear()
            color_plot(plot, theme)
        self.loss.setLogMode(y=self.log.isChecked())
        for other in earlier:
            self._draw_dimmed(other, theme)
        if run is not None:
            self._draw_run(run, theme)
        self._set_ranges(run, earlier)
        self._tell(run)

    def _draw_run(self, run: TrainingRun, theme: Theme) -> None:
        name = self._state.theme
        at = [p.epoch for p in run.points]
        tested = [float(e.number) for e in run.epochs]
        for plot, learned, test in (
            (self.loss, [p.loss for p in run.points], [e.test_loss for e in run.epochs]),
            (
                self.accuracy,
                [100 * p.accuracy for p in run.points],
                [100 * e.test_accuracy for e in run.epochs],
            ),
        ):
            line = pg.mkPen(TRAIN[name], width=1)
            plot.plot(at, learned, pen=line, antialias=True)
            plot.plot(
                tested, test, pen=pg.mkPen(TESTED[name], width=1), antialias=True,
                symbol="o", symbolSize=6, symbolBrush=pg.mkBrush(TESTED[name]),
                symbolPen=pg.mkPen(theme.canvas),
            )  # fmt: skip
            self._mark(plot, run, theme)

    def _mark(self, plot: pg.PlotWidget, run: TrainingRun, theme: Theme) -> None:
        """Lines where the rate was changed, and at the epoch that is looked at."""
        first = plot is self.loss
        for number, change in enumerate(run.changes):
            pen = pg.mkPen(theme.warning, width=1, style=Qt.PenStyle.DashLine)
            line = pg.InfiniteLine(
                change.epoch, angle=90, pen=pen, label=f"rate {change.rate:g}" if first else None,
                labelOpts={
                    "color": theme.warning, "position": 0.93 - 0.12 * (number % 3),
                    "anchors": [(0, 0.5), (1, 0.5)],
                },
            )  # fmt: skip
            plot.addItem(line, ignoreBounds=True)
        if (epoch := shown_epoch(run, self._state.training_choice)) is not None and (
            self._state.training_choice.epoch is not None
        ):
            pen = pg.mkPen(theme.accent, width=2)
            plot.addItem(pg.InfiniteLine(epoch, angle=90, pen=pen), ignoreBounds=True)

    def _draw_dimmed(self, run: TrainingRun, theme: Theme) -> None:
        gray = QColor(theme.muted)
        gray.setAlpha(110)
        at = [float(e.number) for e in run.epochs]
        pen = pg.mkPen(gray, width=1)
        self.loss.plot(at, [e.test_loss for e in run.epochs], pen=pen)
        self.accuracy.plot(at, [100 * e.test_accuracy for e in run.epochs], pen=pen)

    def _set_ranges(self, run: TrainingRun | None, earlier: list[TrainingRun]) -> None:
        runs = [*earlier, *([run] if run is not None else [])]
        wanted = run.training if run is not None else self._state.training_plan
        planned: float = wanted.learning.epochs if wanted is not None else 10
        last = max([1.0, *(p.epoch for r in runs for p in r.points)])
        if run is not None and run.state != "running":
            planned = max(run.n_epoch, 1)
        if runs:
            planned = max(min(1.25 * last + 1, planned), last)
        self.accuracy.setXRange(0, planned, padding=0.02)
        losses = [p.loss for r in runs for p in r.points]
        losses += [e.test_loss for r in runs for e in r.epochs]
        losses = [x for x in losses if np.isfinite(x) and x > 0]
        if self.log.isChecked():
            low, high = min(losses, default=0.01), max(losses, default=3.0)
            self.loss.setYRange(np.log10(low), np.log10(max(high, 1.1 * low)), padding=0.06)
        else:
            self.loss.setYRange(0, max(losses, default=2.5), padding=0.04)
        tests = [e.test_accuracy for r in runs for e in r.epochs]
        low = max((f for f in FLOORS if tests and f <= min(tests)), default=0.0)
        self.accuracy.setYRange(100 * low, 100, padding=0.04)

    def _tell(self, run: TrainingRun | None) -> None:
        name, theme = self._state.theme, THEMES[self._state.theme]
        learned = tested = ""
        if run is not None and run.points:
            p = run.points[-1]
            learned = f" {p.loss:.3g}, {100 * p.accuracy:.1f} %"
        if run is not None and run.epochs:
            e = run.epochs[-1]
            tested = f" {e.test_loss:.3g}, {100 * e.test_accuracy:.2f} %"
        muted = f"<span style='color:{theme.muted}'>"
        more = " &nbsp;▬ earlier" if len(self._state.training_runs) > 1 else ""
        self.legend.setText(
            f"<span style='color:{TRAIN[name]}'>▬</span> learning{learned} &nbsp;"
            f"<span style='color:{TESTED[name]}'>●</span> test{tested}{muted}{more}</span>"
            if run is not None
            else f"{muted}Start a training to see its curves.</span>"
        )

    # What the person does

    def _epoch_at(self, plot: pg.PlotWidget, position: QPointF) -> int | None:
        """The kept epoch nearest to a place, or None beside the plot."""
        run = find_run(self._state.training_runs, self._state.training_shown)
        box = plot.getPlotItem().getViewBox()
        if run is None or not run.kept or not box.sceneBoundingRect().contains(position):
            return None
        x = box.mapSceneToView(position).x()
        return min(run.kept, key=lambda epoch: abs(epoch - x))

    def _on_click(self, plot: pg.PlotWidget, event: Any) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        epoch = self._epoch_at(plot, event.scenePos())
        if epoch is not None:
            self.epoch_clicked.emit(None if event.double() else epoch)

    def _on_hover(self, plot: pg.PlotWidget, position: QPointF) -> None:
        epoch = self._epoch_at(plot, position) if self.isVisible() else None
        run = find_run(self._state.training_runs, self._state.training_shown)
        if epoch is None or run is None:
            QToolTip.hideText()
            return
        place = plot.mapToGlobal(plot.mapFromScene(position))
        QToolTip.showText(place, epoch_text(run, epoch), plot)

    def keyPressEvent(self, event: Any) -> None:
        run = find_run(self._state.training_runs, self._state.training_shown)
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(event.key())
        if run is None or not run.kept or step is None:
            super().keyPressEvent(event)
            return
        now = shown_epoch(run, self._state.training_choice)
        at = run.kept.index(now) if now in run.kept else len(run.kept) - 1
        self.epoch_clicked.emit(run.kept[min(max(at + step, 0), len(run.kept) - 1)])

    # Export

    def export(self, path: str | Path) -> None:
        """Write the curves of the shown training as ``.svg`` or as ``.png`` with its recipe.

        Raises
        ------
        UserError
            If no training is shown, or the file cannot be written.
        """
        run = find_run(self._state.training_runs, self._state.training_shown)
        if run is None or not run.points:
            raise UserError("no training is shown; start one in the training lab first")
        svg = curves_svg(run, title(run))
        path = Path(path)
        if path.suffix.lower() == ".svg":
            with written_aside(path) as aside:
                aside.write_text(svg, encoding="utf-8")
        else:
            save_svg_as_png(svg, path, recipe=to_json(run.training))


def title(run: TrainingRun) -> str:
    """``digits: 64 hidden neurons, rate 0.05``."""
    learning = run.training.learning
    return (
        f"{data_name(run.training.data)}: {run.training.network.n_hidden} hidden neurons, "
        f"{learning.optimizer.name}, rate {learning.rate:g}"
    )


def epoch_text(run: TrainingRun, epoch: int) -> str:
    """All that is known of a finished epoch."""
    row = next((e for e in run.epochs if e.number == epoch), None)
    if row is None:
        return "Epoch 0: before all learning\nClick to look at its weights"
    return (
        f"Epoch {epoch}\nlearning: loss {row.train_loss:.4f}, {100 * row.train_accuracy:.2f} %\n"
        f"test: loss {row.test_loss:.4f}, {100 * row.test_accuracy:.2f} %\n"
        f"rate {row.rate:g}, {row.seconds:.1f} s\nClick to look at its weights and answers"
    )


def _plot(label: str) -> pg.PlotWidget:
    plot = pg.PlotWidget()
    plot.setFrameShape(plot.Shape.NoFrame)
    plot.setMenuEnabled(False)
    plot.hideButtons()
    plot.setMouseEnabled(x=False, y=False)
    plot.setLabel("left", label)
    plot.getAxis("left").setWidth(56)
    plot.showGrid(y=True, alpha=0.15)
    for name in ("left", "bottom"):
        plot.getAxis(name).enableAutoSIPrefix(False)
    plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    plot.setAccessibleName(f"Curves of the {label}")
    return plot
