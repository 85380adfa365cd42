"""Responses of the hidden neurons before and after learning (Fig. 6c): a row per neuron."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PyQt6.QtCore import QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import (
    QColor,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PyQt6.QtWidgets import QCheckBox, QHBoxLayout, QToolTip, QVBoxLayout, QWidget

from dendview.colors import THEMES, Theme, ThemeName, diverging_map, hex_color
from dendview.scene import nice_ticks
from dendview.state import AppState
from dendview.svg_pictures import save_svg
from dendview.training_findings import Findings
from dendview.views.cell_text import font
from dendview.views.training_sample import SampleBar, epoch_name, recipe_of
from dendview.widgets.lazy import LazyWidget
from engine.errors import UserError
from engine.exporting.training_figure import responses_svg
from engine.types import IntArray

LEFT, RIGHT, TOP, BOTTOM, GAP = 34.0, 62.0, 20.0, 34.0, 14.0
"""Pixels around and between the two maps."""
BAR = 10.0

MOST_NEURONS = 6
"""Hidden neurons whose voltages are drawn together."""
MORE = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
"""Held on a click, they choose a neuron beside the others."""

Side = Literal["before", "after"]


@dataclass(frozen=True)
class Spot:
    """A point of a map."""

    side: Side
    neuron: int
    step: int


class ResponseMaps(QWidget):
    """Two maps, neurons by time, in the same colors; a click chooses a neuron, Ctrl-click more."""

    neurons_chosen = pyqtSignal(tuple)

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.by_size = False
        self.setAccessibleName("Voltage of the hidden neurons over time")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumSize(220, 130)

    def sizeHint(self) -> QSize:
        return QSize(420, 300)

    def order(self, found: Findings) -> IntArray:
        """(n_hidden,) neurons from the top: by number, or the most active after learning first."""
        n = found.network.spec.n_hidden
        if not self.by_size:
            return np.arange(n, dtype=np.int32)
        mean = found.after.hidden.mean(axis=1)
        return np.argsort(-mean, kind="stable").astype(np.int32)

    def map_box(self, side: Side) -> QRectF:
        """Where a map is drawn."""
        wide = (self.width() - LEFT - RIGHT - GAP) / 2
        left = LEFT if side == "before" else LEFT + wide + GAP
        return QRectF(left, TOP, max(wide, 10), max(self.height() - TOP - BOTTOM, 10))

    def spot_at(self, at: QPointF) -> Spot | None:
        """What lies at a point."""
        if (found := self._state.training_findings) is None:
            return None
        n, last = found.network.spec.n_hidden, found.network.n_time - 1
        sides: tuple[Side, ...] = ("before", "after")
        for side in sides:
            box = self.map_box(side)
            if box.contains(at):
                row = min(int((at.y() - box.top()) / box.height() * n), n - 1)
                step = round((at.x() - box.left()) / box.width() * last)
                return Spot(side, int(self.order(found)[row]), step)
        return None

    # Painting

    def paintEvent(self, event: QPaintEvent | None) -> None:
        theme = THEMES[self._state.theme]
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.canvas))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        found = self._state.training_findings
        if found is None:
            painter.setPen(QColor(theme.muted))
            painter.setFont(font(12))
            text = self._state.training_note or "Responses to an image, once a network is trained"
            box = QRectF(self.rect()).adjusted(10, 0, -10, 0)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, text)
            return
        order = self.order(found)
        titles = epoch_name(found.wanted.first.epoch), epoch_name(found.epoch)
        for side, title, response in (
            ("before", titles[0], found.before), ("after", titles[1], found.after)
        ):  # fmt: skip
            box = self.map_box("before" if side == "before" else "after")
            self._paint_map(painter, box, response.hidden[order], found)
            painter.setFont(font(12, bold=True))
            painter.setPen(QColor(theme.text))
            head = QRectF(box.left(), 0, box.width(), TOP - 2)
            painter.drawText(head, Qt.AlignmentFlag.AlignCenter, title)
            self._paint_times(painter, theme, box, found)
        self._paint_neurons(painter, theme, order, found)
        self._paint_bar(painter, theme, found)

    def _paint_map(
        self, painter: QPainter, box: QRectF, values: np.ndarray, found: Findings
    ) -> None:
        table, limit = diverging_map(self._state.theme, True), found.voltage_limit
        at = np.rint((np.clip(values / limit, -1, 1) + 1) * 127.5).astype(int)
        pixels = table[at].tobytes()  # outlives the image
        rows, columns = values.shape
        image = QImage(pixels, columns, rows, 3 * columns, QImage.Format.Format_RGB888)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.drawImage(box, image)
        painter.setPen(QPen(QColor(THEMES[self._state.theme].grid), 1))
        painter.drawRect(box)

    def _paint_times(self, painter: QPainter, theme: Theme, box: QRectF, found: Findings) -> None:
        duration = float(found.time[-1])
        painter.setFont(font(11))
        painter.setPen(QColor(theme.muted))
        for t in nice_ticks(0, duration, 3 if box.width() < 170 else 5):
            x = box.left() + box.width() * t / duration
            painter.drawLine(QPointF(x, box.bottom() + 1), QPointF(x, box.bottom() + 4))
            label = QRectF(x - 20, box.bottom() + 4, 40, 14)
            painter.drawText(label, Qt.AlignmentFlag.AlignCenter, f"{t:g}")
        label = QRectF(box.left(), box.bottom() + 17, box.width(), 15)
        painter.drawText(label, Qt.AlignmentFlag.AlignCenter, "time (ms)")
        start = found.wanted.training.learning.start
        x = box.left() + box.width() * start / duration
        painter.setPen(QPen(QColor(theme.text), 1, Qt.PenStyle.DotLine))
        painter.drawLine(QPointF(x, box.top()), QPointF(x, box.bottom()))

    def _paint_neurons(
        self, painter: QPainter, theme: Theme, order: IntArray, found: Findings
    ) -> None:
        n = len(order)
        boxes = self.map_box("before"), self.map_box("after")
        high = boxes[0].height() / n
        painter.setFont(font(11))
        painter.save()
        painter.translate(0, boxes[0].center().y())
        painter.rotate(-90)
        painter.setPen(QColor(theme.muted))
        name = QRectF(-80, 0, 160, 14)
        painter.drawText(name, Qt.AlignmentFlag.AlignCenter, "hidden neuron")
        painter.restore()
        chosen = self._state.training_choice.neurons
        used: list[float] = []
        numbers = [*chosen, *(order.tolist() if not self.by_size else ())]
        step = max(1, int(np.ceil(15 / high)))
        for j in numbers:
            if not 0 <= j < n:
                continue
            row = int(np.flatnonzero(order == j)[0])
            y = boxes[0].top() + (row + 0.5) * high
            is_chosen = j in chosen
            if not is_chosen and j % (2 * step if step > 1 else 1):
                continue
            if any(abs(y - other) < 13 for other in used):
                continue
            used.append(y)
            painter.setPen(QColor(theme.text if is_chosen else theme.muted))
            box = QRectF(12, y - 8, LEFT - 16, 16)
            right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(box, right, str(j))
        painter.setPen(QPen(QColor(theme.text), 1.6))
        for j in chosen:
            if not 0 <= j < n:
                continue
            row = int(np.flatnonzero(order == j)[0])
            for box in boxes:
                lane = QRectF(box.left(), box.top() + row * high, box.width(), high)
                painter.drawRect(lane.adjusted(-1, -1, 1, 1))

    def _paint_bar(self, painter: QPainter, theme: Theme, found: Findings) -> None:
        box = self.map_box("after")
        bar = QRectF(box.right() + 12, box.top(), BAR, box.height())
        table, limit = diverging_map(self._state.theme, True), found.voltage_limit
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(Qt.PenStyle.NoPen)
        step = bar.height() / len(table)
        for i, color in enumerate(table):
            painter.setBrush(QColor(hex_color(color)))
            painter.drawRect(QRectF(bar.left(), bar.bottom() - (i + 1) * step, BAR, step + 0.6))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setFont(font(11))
        for share in (-1.0, -0.5, 0.0, 0.5, 1.0):
            y = bar.center().y() - share * bar.height() / 2
            painter.setPen(QColor(theme.muted))
            painter.drawLine(QPointF(bar.right(), y), QPointF(bar.right() + 3, y))
            text = f"{share * limit:.3g}".replace("-", "−")
            label = QRectF(
                bar.right() + 5, min(max(y - 8, box.top() - 3), box.bottom() - 12), 40, 16
            )
            left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
            painter.setPen(QColor(theme.text))
            painter.drawText(label, left, text)
        painter.setPen(QColor(theme.muted))
        unit = QRectF(bar.left() - 4, 0, 50, TOP - 2)
        painter.drawText(unit, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, "mV")

    # What the person does

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        if event is not None and event.button() == Qt.MouseButton.LeftButton:
            spot = self.spot_at(event.position())
            if spot is not None:
                more = bool(event.modifiers() & MORE)
                now = self._state.training_choice.neurons
                self.neurons_chosen.emit(with_neuron(now, spot.neuron, more))

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        found = self._state.training_findings
        steps = {
            Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_PageUp: -10, Qt.Key.Key_PageDown: 10
        }  # fmt: skip
        if event is None or found is None or event.key() not in steps:
            super().keyPressEvent(event)
            return
        order = self.order(found)
        now = self._state.training_choice.neurons
        row = np.flatnonzero(order == now[-1]) if now else np.zeros(0, int)
        after = (int(row[0]) if row.size else -1) + steps[Qt.Key(event.key())]
        self.neurons_chosen.emit((int(order[int(np.clip(after, 0, len(order) - 1))]),))

    def event(self, event) -> bool:  # type: ignore[no-untyped-def]
        if isinstance(event, QHelpEvent) and event.type() == QHelpEvent.Type.ToolTip:
            spot = self.spot_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), self.tip(spot) if spot else "", self)
            return True
        return bool(super().event(event))

    def tip(self, spot: Spot) -> str:
        """Voltages of a neuron at a time, before and after."""
        found = self._state.training_findings
        if found is None:
            return ""
        rows = [f"Hidden neuron {spot.neuron} at {found.time[spot.step]:.1f} ms"]
        for snap, response in (
            (found.wanted.first, found.before), (found.wanted.shown, found.after)
        ):  # fmt: skip
            value = response.hidden[spot.neuron, spot.step]
            rows.append(f"{epoch_name(snap.epoch)}: {value:.3g} mV".replace("-", "−"))
        return "\n".join(rows)


def with_neuron(neurons: tuple[int, ...], neuron: int, more: bool) -> tuple[int, ...]:
    """The neurons after a click on one; with ``more`` beside the others, or no longer."""
    if not more:
        return (neuron,)
    if neuron in neurons:
        return tuple(j for j in neurons if j != neuron) or neurons
    return (*neurons, neuron)[-MOST_NEURONS:]


class TrainingHidden(LazyWidget):
    """The image, and what all hidden neurons do before and after learning."""

    sample_clicked = pyqtSignal(int)
    mean_chosen = pyqtSignal(bool)
    neurons_chosen = pyqtSignal(tuple)

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.sample = SampleBar()
        self.maps = ResponseMaps(state)
        self.sort = QCheckBox("Most active first")
        self.sort.setToolTip("Order the neurons by their mean voltage after learning")
        top = QHBoxLayout()
        top.setContentsMargins(0, 0, 10, 0)
        top.addWidget(self.sample, 1)
        top.addWidget(self.sort, 0, Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(top)
        layout.addWidget(self.maps, 1)
        self.sample.sample_chosen.connect(self.sample_clicked)
        self.sample.mean_chosen.connect(self.mean_chosen)
        self.maps.neurons_chosen.connect(self.neurons_chosen)
        self.sort.toggled.connect(self._on_sort)
        events = state.events
        for event in (
            events.training_findings, events.training_choice, events.training_note, events.theme,
        ):  # fmt: skip
            event.connect(self.redraw)

    def _draw(self) -> None:
        self.sample.show_findings(self._state.training_findings, self._state.theme)
        self.maps.update()

    def _on_sort(self, on: bool) -> None:
        self.maps.by_size = on
        self.maps.update()

    def drawing(self, theme: ThemeName) -> str:
        """The responses before and after learning as SVG.

        Raises
        ------
        UserError
            If there is nothing to draw.
        """
        found = self._state.training_findings
        if found is None:
            raise UserError("no trained network is shown; train one in the Training perspective")
        order, dt = self.maps.order(found), found.network.spec.cell.dt
        before, after = found.before.hidden[order], found.after.hidden[order]
        return responses_svg(before, after, dt, responses_title(found), theme)

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


def responses_title(found: Findings) -> str:
    """What the responses are to."""
    label = found.data.classes[found.label]
    what = (
        f"mean over {found.after.n} test images of class {label}"
        if found.wanted.mean
        else f"test image {found.sample} (label {label})"
    )
    return f"Hidden neurons, {what}, before and after {epoch_name(found.epoch)}"
