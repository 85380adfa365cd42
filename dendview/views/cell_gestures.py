"""Mouse and keys over the 3-D cell, told as what they mean."""

from PyQt6.QtCore import QEvent, QObject, QPoint, QPointF, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent
from PyQt6.QtWidgets import QApplication, QWidget

HOVER_DELAY = 40
"""ms between two looks at what the pointer rests on."""

STEP = 24.0
"""Pixels an arrow key is worth."""


class Gestures(QObject):
    """Watches widgets and says what the person does; other filters and the widgets see none of it.

    Left drag turns; right, middle or Shift drag moves; the wheel zooms; a press without a drag is
    a click. Arrow keys turn (with Shift: move), plus and minus zoom, F fits.
    """

    turned = pyqtSignal(float, float)  # pixels
    moved = pyqtSignal(float, float)  # pixels
    zoomed = pyqtSignal(float, object)  # factor, QPointF or None for the middle
    clicked = pyqtSignal(QPointF)
    double_clicked = pyqtSignal(QPointF)
    menu_asked = pyqtSignal(QPointF, QPoint)  # here, on the screen
    rested = pyqtSignal(QPointF)  # the pointer, with no button down
    pressed = pyqtSignal()
    left = pyqtSignal()
    fit_asked = pyqtSignal()

    def __init__(self, parent: QObject, *watched: QWidget) -> None:
        super().__init__(parent)
        self._press: tuple[QPointF, Qt.MouseButton] | None = None
        self._last = QPointF()
        self._dragging = self._double = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(HOVER_DELAY)
        self._timer.timeout.connect(self._on_rest)
        for widget in watched:
            widget.setMouseTracking(True)
            widget.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """True where the event was ours."""
        if event is None:
            return False
        match event.type():
            case QEvent.Type.MouseButtonPress if isinstance(event, QMouseEvent):
                self._on_press(event)
            case QEvent.Type.MouseMove if isinstance(event, QMouseEvent):
                self._on_move(event)
            case QEvent.Type.MouseButtonRelease if isinstance(event, QMouseEvent):
                self._on_release(event)
            case QEvent.Type.MouseButtonDblClick if isinstance(event, QMouseEvent):
                self._on_double(event)
            case QEvent.Type.Wheel if isinstance(event, QWheelEvent):
                turn = event.angleDelta().y() or 4 * event.pixelDelta().y()
                self.zoomed.emit(1.0015**turn, event.position())
            case QEvent.Type.KeyPress if isinstance(event, QKeyEvent):
                return self._on_key(event)
            case QEvent.Type.Leave:
                self._timer.stop()
                self.left.emit()
                return False
            case _:
                return False
        event.accept()
        return True

    def _on_press(self, event: QMouseEvent) -> None:
        self._press = event.position(), event.button()
        self._last = event.position()
        self._dragging = self._double = False
        self._timer.stop()
        self.pressed.emit()

    def _on_move(self, event: QMouseEvent) -> None:
        at, before = event.position(), self._last
        if self._press is None:
            self._last = at
            if not self._timer.isActive():
                self._timer.start()
            return
        start, button = self._press
        if not self._dragging:
            if (at - start).manhattanLength() < QApplication.startDragDistance() / 2:
                return
            self._dragging = True
        self._last = at
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        turns = button == Qt.MouseButton.LeftButton and not shift
        (self.turned if turns else self.moved).emit(at.x() - before.x(), at.y() - before.y())

    def _on_release(self, event: QMouseEvent) -> None:
        if self._press is None:
            return
        _, button = self._press
        was_click = not (self._dragging or self._double)
        self._press, self._dragging, self._double = None, False, False
        if not was_click:
            return
        if button == Qt.MouseButton.LeftButton:
            self.clicked.emit(event.position())
        elif button == Qt.MouseButton.RightButton:
            self.menu_asked.emit(event.position(), event.globalPosition().toPoint())

    def _on_double(self, event: QMouseEvent) -> None:
        self._on_press(event)
        if event.button() == Qt.MouseButton.LeftButton:
            self._double = True
            self.double_clicked.emit(event.position())

    def _on_key(self, event: QKeyEvent) -> bool:
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        towards = self.moved if shift else self.turned
        match event.key():
            case Qt.Key.Key_F:
                self.fit_asked.emit()
            case Qt.Key.Key_Left:
                towards.emit(-STEP, 0.0)
            case Qt.Key.Key_Right:
                towards.emit(STEP, 0.0)
            case Qt.Key.Key_Up:
                towards.emit(0.0, -STEP)
            case Qt.Key.Key_Down:
                towards.emit(0.0, STEP)
            case Qt.Key.Key_Plus | Qt.Key.Key_Equal:
                self.zoomed.emit(1.25, None)
            case Qt.Key.Key_Minus:
                self.zoomed.emit(0.8, None)
            case _:
                return False
        return True

    def _on_rest(self) -> None:
        if self._press is None:
            self.rested.emit(self._last)
