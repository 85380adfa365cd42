"""Real windows for tests: nothing is remembered, the engine keeps quiet unless one is given."""

from collections import Counter

from PyQt6.QtCore import QMimeData, QPointF, QStandardPaths, Qt, QUrl
from PyQt6.QtGui import QDropEvent
from PyQt6.QtWidgets import QAbstractButton, QLabel, QToolButton

from dendview.app import make_window
from dendview.settings import Settings
from dendview.state import AppState
from dendview.widgets.elided import ElidedLabel


class QuietWorker:
    """An engine's process that hears everything and says what a test puts into ``replies``."""

    def __init__(self):
        self.alive, self.sent, self.replies = False, [], []

    def start(self):
        self.alive = True

    def send(self, command):
        self.sent.append(command)
        return True

    def poll(self):
        replies, self.replies = self.replies, []
        return replies

    def restart(self):
        self.alive = True

    def close(self):
        self.alive = False


def open_window(qtbot, *, settings=None, worker=None, size=(1280, 800), theme="dark"):
    """A shown window."""
    QStandardPaths.setTestModeEnabled(True)
    state = AppState(theme=theme)
    window = make_window(state, settings or Settings(), worker or QuietWorker(), warm=False)
    window.resize(*size)
    qtbot.addWidget(window, before_close_func=_end)
    with qtbot.waitExposed(window):
        window.show()
    with qtbot.waitActive(window):
        window.activateWindow()
    return window


def _end(window):
    from PyQt6.QtCore import QThreadPool

    QThreadPool.globalInstance().waitForDone(10_000)
    window.close()


def open_cell(qtbot, window, source="sample:human_l23", perspective=None):
    """Open a cell and wait until it is shown."""
    window.open_source(source, perspective)
    qtbot.waitUntil(lambda: not window.reading, timeout=30_000)
    assert window.state.cell is not None
    return window.state.cell


def in_perspective(qtbot, window, perspective):
    """Go to a perspective and let it be laid out."""
    window.state.perspective = perspective
    qtbot.wait(60)


def drawn_pixels(view):
    """How many pixels of a view are not its most frequent color."""
    image = view.grab().toImage()
    colors = Counter(
        image.pixel(x, y) for x in range(0, image.width(), 3) for y in range(0, image.height(), 3)
    )
    return sum(colors.values()) - colors.most_common(1)[0][1]


def cut_off(window):
    """Texts of labels and buttons that have less room than they need."""
    texts = []
    for widget in (*window.findChildren(QLabel), *window.findChildren(QAbstractButton)):
        if not widget.isVisible() or not widget.text() or isinstance(widget, ElidedLabel):
            continue
        wraps = isinstance(widget, QLabel) and widget.wordWrap()
        if isinstance(widget, QToolButton) and "segment" in widget.objectName():
            continue
        need = widget.minimumSizeHint().width()
        if not wraps and widget.width() < need:
            texts.append((widget.text(), widget.width(), need))
    return texts


def drop(window, path):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    event = QDropEvent(
        QPointF(200, 200),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    window.dropEvent(event)
    return event
