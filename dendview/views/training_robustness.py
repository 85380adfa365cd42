"""Right answers to disturbed images: dendritic neurons beside what they are compared with."""

from pathlib import Path
from typing import Any, get_args

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QPointF, Qt, pyqtSignal
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QToolButton,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from dendview.colors import THEMES, Theme, ThemeName
from dendview.state import AppState
from dendview.svg_pictures import save_svg
from dendview.training import find_run, shown_epoch
from dendview.views.plotting import color_plot
from dendview.widgets.elided import ElidedLabel
from dendview.widgets.lazy import LazyWidget
from dendview.wording import number, plural
from engine.atomic import written_aside
from engine.errors import UserError
from engine.experiments.proportions import mcnemar
from engine.experiments.robustness import SUBJECTS, conclusion, to_json
from engine.experiments.robustness.study import (
    DISTURBANCES,
    Curve,
    Disturbance,
    Point,
    Result,
)
from engine.exporting.robustness import export_robustness_csv
from engine.exporting.robustness_figure import COLORS, robustness_svg

SYMBOLS: dict[str, tuple[str, bool]] = {
    "hpc_net": ("o", True),
    "moved": ("t1", False),
    "ann": ("s", True),
    "encoded_ann": ("o", False),
    "passed_ann": ("s", False),
    "resnet": ("d", False),
}
"""Mark of a network, and whether it is filled."""
SIGNS: dict[str, str] = {
    "hpc_net": "●", "moved": "△", "ann": "■", "encoded_ann": "○", "passed_ann": "□", "resnet": "◇"
}  # fmt: skip
SHORT: dict[str, str] = {
    "hpc_net": "HPC-Net",
    "moved": "HPC-Net, synapses at the somata",
    "ann": "ANN of the same shape",
    "encoded_ann": "ANN behind the spikes",
    "passed_ann": "ANN behind spikes and membranes",
    "resnet": "ResNet-20, attacked itself",
}
REACH = 14.0
"""Pixels within which the pointer means a point."""
AMOUNTS = ((1000, "First 1\u202f000 images"), (0, "All test images"))
INVITATION = (
    "How robust is the trained network? An attack made for another network disturbs the test "
    "images; the dendritic network, an ANN and controls without dendrites answer."
)


class TrainingRobustness(LazyWidget):
    """Accuracy over epsilon, under attack or under noise, with what it says in words."""

    run_clicked = pyqtSignal(int)  # test images, 0: all
    cancel_clicked = pyqtSignal()
    open_clicked = pyqtSignal()
    help_clicked = pyqtSignal()

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._at: list[tuple[Curve, Point]] = []
        self.setMinimumHeight(170)
        self.disturbance = QComboBox()
        self.disturbance.setAccessibleName("Disturbance")
        for key, text in DISTURBANCES.items():
            self.disturbance.addItem({"attack": "Attack", "noise": "Noise"}[key], key)
            self.disturbance.setItemData(
                self.disturbance.count() - 1, text, Qt.ItemDataRole.ToolTipRole
            )
        self.disturbance.setToolTip(
            "What is done to every pixel: FGSM on the surrogate, or random signs of the same size"
        )
        self.help = QToolButton()
        self.help.setText("?")
        self.help.setAccessibleName("What is compared")
        self.help.setToolTip("What is compared, and what the numbers say")
        self.amount = QComboBox()
        self.amount.setAccessibleName("How many images")
        for n, text in AMOUNTS:
            self.amount.addItem(text, n)
        self.run = QPushButton("Examine")
        self.open = QPushButton("Open…")
        self.open.setToolTip("Show the result of an earlier study (robustness.json)")
        self.title = ElidedLabel("")
        top = QHBoxLayout()
        top.setContentsMargins(10, 6, 10, 2)
        top.setSpacing(6)
        for widget in (self.run, self.amount, self.open):
            top.addWidget(widget)
        top.addStretch(1)
        top.addWidget(self.disturbance)
        top.addWidget(self.help)
        self.title.setContentsMargins(10, 0, 10, 0)
        self.plot = pg.PlotWidget()
        self.plot.setAccessibleName("Right answers over the size of the disturbance")
        self.plot.setFrameShape(self.plot.Shape.NoFrame)
        self.plot.setMenuEnabled(False)
        self.plot.hideButtons()
        self.plot.setMouseEnabled(x=False, y=False)
        self.plot.setMinimumHeight(100)
        self.plot.setLabel("bottom", "epsilon (part of the brightness)")
        self.plot.setLabel("left", "right (%)")
        for name in ("left", "bottom"):
            self.plot.getAxis(name).enableAutoSIPrefix(False)
        self.plot.getAxis("left").setWidth(52)
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.text.setContentsMargins(10, 2, 10, 4)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        scroll = QScrollArea()
        scroll.setAccessibleName("What the numbers say")
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(scroll.Shape.NoFrame)
        scroll.setWidget(self.text)
        scroll.setMinimumHeight(36)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(top)
        layout.addWidget(self.title)
        layout.addWidget(self.plot, 5)
        layout.addWidget(scroll, 2)
        self.run.clicked.connect(self._on_run)
        self.open.clicked.connect(self.open_clicked)
        self.help.clicked.connect(self.help_clicked)
        self.disturbance.currentIndexChanged.connect(self.redraw)
        self._hover = pg.SignalProxy(
            self.plot.scene().sigMouseMoved, rateLimit=20, slot=self._on_hover
        )
        events = state.events
        for event in (
            events.robustness, events.robustness_note, events.robustness_missing, events.job,
            events.theme, events.training_shown, events.training_runs, events.training_choice,
            events.robustness_from,
        ):  # fmt: skip
            event.connect(self.redraw)

    @property
    def shown(self) -> Disturbance:
        """What is done to the pixels in the plot."""
        chosen = self.disturbance.currentData()
        return next(d for d in get_args(Disturbance) if d == chosen)

    @property
    def n_chosen(self) -> int:
        """Test images a study is to take, 0: all."""
        return int(self.amount.currentData())

    # Drawing

    def _draw(self) -> None:
        state = self._state
        theme, result = THEMES[state.theme], state.robustness
        self._draw_buttons()
        self._at = []
        self.plot.getPlotItem().clear()
        color_plot(self.plot, theme)
        self.title.setText(self._title(result) if result is not None else "")
        self.plot.setVisible(result is not None)
        self.title.setVisible(result is not None)
        self.disturbance.setVisible(result is not None)
        if result is None:
            note = state.robustness_note or state.robustness_missing
            self.text.setText(f"{INVITATION}<br><br>{note}" if note else INVITATION)
            return
        self._draw_curves(result, theme)
        said = conclusion(result) or "The curves grow as networks are trained and asked."
        if state.robustness_missing:
            said += f"<br><br>No other study can be made here: {state.robustness_missing}"
        self.text.setText(f"{legend_text(result, self.shown, state.theme)}<br>{said}")

    def _title(self, result: Result) -> str:
        """What the curves are of, and where that is not the epoch the other views show."""
        state = self._state
        if state.robustness_from:
            return f"{title_of(result)}; opened from {Path(state.robustness_from).name}"
        shown = shown_epoch(
            find_run(state.training_runs, state.training_shown), state.training_choice
        )
        if result.epoch is None or shown in (None, result.epoch):
            return title_of(result)
        return f"{title_of(result)}; not of epoch {shown}, which is shown"

    def _draw_buttons(self) -> None:
        state = self._state
        job = state.job
        examining = job is not None and job.kind == "robustness"
        self.run.setText("Cancel" if examining else "Examine")
        trained = any(r.number == state.training_shown and r.n_epoch for r in state.training_runs)
        missing = state.robustness_missing
        free = job is None and trained and not missing
        self.run.setEnabled(free or (job is not None and examining and not job.cancelling))
        self.amount.setEnabled(free)
        tip = "Train, attack and ask the networks on the shown training's images"
        if missing:
            tip = missing
        elif not trained:
            tip = "Train a network first"
        elif job is not None and not examining:
            tip = "Possible when nothing else is computed"
        self.run.setToolTip("Stop; what is found is kept" if examining else tip)

    def _draw_curves(self, result: Result, theme: Theme) -> None:
        item = self.plot.getPlotItem()
        most = max((*result.study.epsilons, 0.02))
        self.plot.setRange(xRange=(-0.02 * most, 1.04 * most), yRange=(0, 103), padding=0)
        for value in range(0, 101, 20):
            line = pg.InfiniteLine(value, angle=0, pen=pg.mkPen(theme.grid))
            item.addItem(line, ignoreBounds=True)
        if 0 < result.threshold < most:
            pen = pg.mkPen(theme.muted, style=Qt.PenStyle.DotLine)
            item.addItem(pg.InfiniteLine(result.threshold, pen=pen), ignoreBounds=True)
        for subject in reversed(SUBJECTS):  # the first one on top
            if (curve := result.curve(subject, self.shown)) is not None:
                self._draw_curve(curve, COLORS[self._state.theme][subject], theme)

    def _draw_curve(self, curve: Curve, color: str, theme: Theme) -> None:
        item = self.plot.getPlotItem()
        x = np.array([p.epsilon for p in curve.points])
        for k in range(min((len(p.others) for p in curve.points), default=0)):
            thin = QColor(color)
            thin.setAlpha(120)
            y = np.array([100 * p.others[k] / p.n for p in curve.points])
            item.addItem(pg.PlotCurveItem(x, y, pen=pg.mkPen(thin, width=1), antialias=True))
        y = np.array([100 * p.accuracy.value for p in curve.points])
        item.addItem(pg.PlotCurveItem(x, y, pen=pg.mkPen(color, width=2), antialias=True))
        for p in curve.points:
            low, high = 100 * p.accuracy.low, 100 * p.accuracy.high
            ends = [p.epsilon, p.epsilon], [low, high]
            item.addItem(pg.PlotCurveItem(*ends, pen=pg.mkPen(color, width=1)))
            self._at.append((curve, p))
        symbol, filled = SYMBOLS[curve.subject]
        marks = pg.ScatterPlotItem(
            x, y, size=8, symbol=symbol, pen=pg.mkPen(color, width=1.5),
            brush=pg.mkBrush(color if filled else theme.canvas),
        )  # fmt: skip
        item.addItem(marks)

    # What the person does

    def _on_run(self) -> None:
        job = self._state.job
        if job is not None and job.kind == "robustness":
            self.cancel_clicked.emit()
        else:
            self.run_clicked.emit(self.n_chosen)

    def near(self, position: QPointF) -> tuple[Curve, Point] | None:
        """The point of a curve that lies nearest to a place of the scene, within reach."""
        box = self.plot.getPlotItem().getViewBox()
        best, found = REACH, None
        for curve, point in self._at:
            there = box.mapViewToScene(QPointF(point.epsilon, 100 * point.accuracy.value))
            away = float(np.hypot(there.x() - position.x(), there.y() - position.y()))
            if away < best:
                best, found = away, (curve, point)
        return found

    def _on_hover(self, arguments: tuple[Any, ...]) -> None:
        near = self.near(arguments[0]) if self.isVisible() else None
        if near is None:
            QToolTip.hideText()
            return
        at = self.plot.mapToGlobal(self.plot.mapFromScene(arguments[0]))
        QToolTip.showText(at, point_text(*near), self.plot)

    # Export

    def drawing(self, theme: ThemeName) -> str:
        """Both plots as SVG.

        Raises
        ------
        UserError
            If no study is shown.
        """
        result = self._state.robustness
        if result is None:
            raise UserError("no robustness study is shown; run one, or open a result")
        return robustness_svg(result, theme)

    def recipe(self) -> str:
        """The study with its result."""
        result = self._state.robustness
        return "" if result is None else to_json(result)

    def export(self, path: str | Path) -> None:
        """Write the study as ``.png``, ``.svg``, ``.csv`` or ``.json``.

        Raises
        ------
        UserError
            If none is shown, or the file cannot be written.
        """
        result = self._state.robustness
        if result is None:
            raise UserError("no robustness study is shown; run one, or open a result")
        path = Path(path)
        match path.suffix.lower():
            case ".csv":
                export_robustness_csv(result, path)
            case ".json":
                with written_aside(path) as aside:
                    aside.write_text(to_json(result), encoding="utf-8")
            case _:
                save_svg(self.drawing(self._state.theme), path, self.recipe())


def title_of(result: Result) -> str:
    """``mnist, 784–64–10, epoch 3: 2 000 of 10 000 test images``."""
    shape = "–".join(str(n) for n in result.shape)
    many = (
        plural(result.n_test, "test image")
        if result.n_test == result.n_all
        else f"{number(result.n_test)} of {plural(result.n_all, 'test image')}"
    )
    epoch = "epoch not recorded" if result.epoch is None else f"epoch {result.epoch}"
    unfinished = "" if result.complete else ", not finished"
    return f"{result.data}, {shape}, {epoch}: {many}{unfinished}"


def legend_text(result: Result, disturbance: Disturbance, theme: str) -> str:
    """Marks, names and undisturbed accuracies of the networks, as rich text."""
    name: Any = theme
    rows = []
    for subject in SUBJECTS:
        curve = result.curve(subject, disturbance)
        if curve is None or not curve.points:
            continue
        first = curve.points[0]
        clean = f" {100 * first.accuracy.value:.1f} %" if first.epsilon == 0 else ""
        color = COLORS[name][subject]
        words = f"{SHORT[subject]}{clean}".replace(" ", "&nbsp;")
        rows.append(f"<span style='color:{color}'>{SIGNS[subject]}</span>&nbsp;{words}")
    dotted = ""
    if 0 < result.threshold < max((*result.study.epsilons, 0.02)):
        dotted = f" Dotted: a pixel darker than {result.threshold:.3f} gives no spike in a sample."
    return f"{' &nbsp; '.join(rows)} <br>Undisturbed accuracies; bars: Wilson 95 %.{dotted}<br>"


def point_text(curve: Curve, point: Point) -> str:
    """All that is known of a point."""
    told = point.accuracy
    lines = [
        SUBJECTS[curve.subject],
        f"{DISTURBANCES[curve.disturbance]}, epsilon {point.epsilon:g} "
        f"(whole gray levels: {point.applied:.3g})",
        f"{number(point.right)} of {number(point.n)} right: {100 * told.value:.1f} % "
        f"({100 * told.low:.1f} to {100 * told.high:.1f}, Wilson 95 %)",
    ]
    if point.others:
        low, high = point.spread
        lines.append(f"{1 + len(point.others)} trainings: {100 * low:.1f} to {100 * high:.1f} %")
    if point.discordant is not None:
        one, other = point.discordant
        lines.append(
            f"Right with dendrites alone: {number(one)}; with synapses at the somata alone: "
            f"{number(other)} (McNemar's p {mcnemar(one, other):.2g})"
        )
    return "\n".join(lines)
