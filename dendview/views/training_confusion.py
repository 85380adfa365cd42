"""The confusion matrix: test samples by label and answer; a click asks for the samples."""

import numpy as np
from PyQt6.QtCore import QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import (
    QColor,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PyQt6.QtWidgets import QToolTip, QWidget

from dendview.colors import THEMES, Theme, contrast, hex_color, mix, rgb
from dendview.state import AppState
from dendview.training_findings import Findings
from dendview.views.cell_text import font
from dendview.views.training_sample import percent
from dendview.wording import number, plural

LEAST, MOST = 15.0, 38.0
"""Side of a square in pixels."""
EDGE = 6.0
TITLE = 15.0
SHORT, SLANT = 16.0, 58.0
"""Pixels of names that need no slant, and degrees that others stand at."""

Place = tuple[int | None, int | None]
"""Label and answer; None stands for all."""


class ConfusionGrid(QWidget):
    """A square per label (row) and answer (column), darker the larger its part of the row."""

    cell_clicked = pyqtSignal(object, object)  # label, answer

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.setAccessibleName("Confusion matrix: labels by answers")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.shares = False

    # What there is

    def _found(self) -> Findings | None:
        found = self._state.training_findings
        return found if found is not None and found.wanted.shown.test is not None else None

    def sizeHint(self) -> QSize:
        return QSize(250, 250)

    def minimumSizeHint(self) -> QSize:
        found = self._found()
        n = len(found.data.classes) if found is not None else 10
        left, top, right = self._room(found)
        return QSize(round(left + n * LEAST + right), round(top + n * LEAST + EDGE))

    def width_for(self, height: int) -> int:
        """Pixels that a matrix of this height takes."""
        found = self._found()
        left, top, right = self._room(found)
        n = len(found.data.classes) if found is not None else 10
        return round(left + n * min(max((height - top - EDGE) / n, LEAST), MOST) + right)

    def _room(self, found: Findings | None) -> tuple[float, float, float]:
        """Left of, above and right of the squares."""
        if found is None:
            return 40.0, 40.0, EDGE
        metrics = QFontMetricsF(font(11))
        wide = max(metrics.horizontalAdvance(name) for name in found.data.classes)
        if wide <= SHORT:
            return TITLE + wide + 12, TITLE + 22, EDGE
        last = metrics.horizontalAdvance(found.data.classes[-1])
        angle = np.radians(SLANT)
        side = 0.5 * LEAST
        return (
            TITLE + wide + 12,
            TITLE + wide * np.sin(angle) + 12,
            max(last * np.cos(angle) - side, EDGE),
        )

    def _side(self, found: Findings) -> float:
        left, top, right = self._room(found)
        n = len(found.data.classes)
        room = min((self.width() - left - right) / n, (self.height() - top - EDGE) / n)
        return min(max(room, LEAST), MOST)

    def _box(self, found: Findings, label: int, answer: int) -> QRectF:
        (left, top, _), side = self._room(found), self._side(found)
        return QRectF(left + answer * side, top + label * side, side - 1.5, side - 1.5)

    def _at(self, at: QPointF) -> Place | None:
        """What lies at a point: a square, the name of a row or of a column."""
        if (found := self._found()) is None:
            return None
        (left, top, _), side = self._room(found), self._side(found)
        n = len(found.data.classes)
        row, column = int((at.y() - top) // side), int((at.x() - left) // side)
        inside_row, inside_column = 0 <= row < n, 0 <= column < n
        if inside_row and inside_column:
            return row, column
        if inside_row and TITLE <= at.x() < left:
            return row, None
        if inside_column and TITLE <= at.y() < top:
            return None, column
        return None

    # Painting

    def paintEvent(self, event: QPaintEvent | None) -> None:
        theme = THEMES[self._state.theme]
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(theme.canvas))
        found = self._found()
        if found is None:
            self._paint_nothing(painter, theme)
            return
        self._paint_names(painter, theme, found)
        test = found.wanted.shown.test
        assert test is not None
        side = self._side(found)
        painter.setFont(font(min(12.0, 0.42 * side + 1)))
        for label in range(len(found.data.classes)):
            total = max(int(test.confusion[label].sum()), 1)
            for answer in range(len(found.data.classes)):
                count = int(test.confusion[label, answer])
                self._paint_square(
                    painter, theme, self._box(found, label, answer), count, total, label == answer
                )
        self._paint_choice(painter, theme, found)

    def _paint_nothing(self, painter: QPainter, theme: Theme) -> None:
        painter.setPen(QColor(theme.muted))
        painter.setFont(font(12))
        text = (
            "The untrained network was not tested"
            if self._state.training_findings is not None
            else self._state.training_note or "Labels by answers, once an epoch is finished"
        )
        box = QRectF(self.rect()).adjusted(10, 0, -10, 0)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, text)

    def _paint_names(self, painter: QPainter, theme: Theme, found: Findings) -> None:
        (left, top, _), side = self._room(found), self._side(found)
        choice, n = self._state.training_choice, len(found.data.classes)
        painter.setFont(font(11))
        painter.setPen(QColor(theme.muted))
        middle = QRectF(left, 0, n * side, TITLE)
        painter.drawText(middle, Qt.AlignmentFlag.AlignCenter, "answer")
        painter.save()
        painter.translate(0, top + n * side / 2)
        painter.rotate(-90)
        painter.drawText(QRectF(-60, 0, 120, TITLE), Qt.AlignmentFlag.AlignCenter, "label")
        painter.restore()
        wide = QFontMetricsF(painter.font()).horizontalAdvance(max(found.data.classes, key=len))
        for i, name in enumerate(found.data.classes):
            painter.setPen(QColor(theme.accent if choice.label == i else theme.text))
            box = QRectF(TITLE, top + i * side, left - TITLE - 7, side - 1.5)
            right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(box, right, name)
            painter.setPen(QColor(theme.accent if choice.answer == i else theme.text))
            at = left + (i + 0.5) * side - 0.75
            if wide <= SHORT:
                box = QRectF(at - side / 2, top - 20, side, 18)
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, name)
                continue
            painter.save()
            painter.translate(at + 3, top - 5)
            painter.rotate(-SLANT)
            painter.drawText(QPointF(0, 0), name)
            painter.restore()

    def _paint_square(
        self, painter: QPainter, theme: Theme, box: QRectF, count: int, total: int, right: bool
    ) -> None:
        part = count / total
        ground = mix(rgb(theme.canvas), rgb(theme.grid), 0.35)
        full = theme.accent if right else theme.error
        color = mix(ground, rgb(full), part**0.5 if right else min(1.0, (3 * part) ** 0.5))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(hex_color(color)))
        painter.drawRoundedRect(box, 2.5, 2.5)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if not count:
            return
        ink = max(("#ffffff", "#0c0e12"), key=lambda c: contrast(rgb(c), color))
        painter.setPen(QColor(ink))
        text = number(count)
        if self.shares:
            text = f"{100 * part:.1f}" if part < 0.0995 else f"{100 * part:.0f}"
        whole = painter.font()
        if (wide := QFontMetricsF(whole).horizontalAdvance(text)) > box.width() - 2:
            painter.setFont(font(max(whole.pixelSize() * (box.width() - 2) / wide, 7.0)))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
        painter.setFont(whole)

    def _paint_choice(self, painter: QPainter, theme: Theme, found: Findings) -> None:
        choice, n = self._state.training_choice, len(found.data.classes)
        if choice.label is None and choice.answer is None:
            return
        rows = range(n) if choice.label is None else (choice.label,)
        columns = range(n) if choice.answer is None else (choice.answer,)
        first = self._box(found, rows[0], columns[0])
        last = self._box(found, rows[-1], columns[-1])
        painter.setPen(QPen(QColor(theme.text), 2))
        painter.drawRoundedRect(first.united(last).adjusted(-1, -1, 1, 1), 3, 3)

    # What the person does

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        if event is None or event.button() != Qt.MouseButton.LeftButton:
            return
        choice = self._state.training_choice
        place = self._at(event.position())
        if place is None or place == (choice.label, choice.answer):
            place = (None, None)  # a second click lets go
        self.cell_clicked.emit(*place)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        if event is None or (found := self._found()) is None:
            return
        steps = {
            Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1),
            Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0),
        }  # fmt: skip
        choice, n = self._state.training_choice, len(found.data.classes)
        if event.key() in steps:
            down, aside = steps[Qt.Key(event.key())]
            row = 0 if choice.label is None else choice.label + down
            column = 0 if choice.answer is None else choice.answer + aside
            self.cell_clicked.emit(row % n, column % n)
        elif event.key() in (Qt.Key.Key_Backspace, Qt.Key.Key_Delete):
            self.cell_clicked.emit(None, None)
        else:
            super().keyPressEvent(event)

    def event(self, event) -> bool:  # type: ignore[no-untyped-def]
        if isinstance(event, QHelpEvent) and event.type() == QHelpEvent.Type.ToolTip:
            place = self._at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), self.tip(place) if place else "", self)
            return True
        return bool(super().event(event))

    def tip(self, place: Place) -> str:
        """All that is known of a square, a row or a column."""
        found = self._found()
        test = found.wanted.shown.test if found is not None else None
        if found is None or test is None:
            return ""
        (label, answer), classes = place, found.data.classes
        if label is not None and answer is not None:
            count, total = int(test.confusion[label, answer]), int(test.confusion[label].sum())
            return (
                f"Label {classes[label]}, answer {classes[answer]}: {plural(count, 'sample')}, "
                f"{percent(count / max(total, 1))} of the {number(total)} with this label"
            )
        if label is not None:
            total = int(test.confusion[label].sum())
            part = int(test.confusion[label, label]) / max(total, 1)
            return f"Label {classes[label]}: {percent(part)} of {number(total)} right"
        assert answer is not None
        total = int(test.confusion[:, answer].sum())
        part = int(test.confusion[answer, answer]) / max(total, 1)
        return f"Answer {classes[answer]}: right in {percent(part)} of {number(total)}"
