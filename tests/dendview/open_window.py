"""Real windows for tests: nothing is remembered, the engine keeps quiet unless one is given."""

from PyQt6.QtCore import QStandardPaths

from dendview.app import make_window
from dendview.settings import Settings
from dendview.state import AppState


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
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    qtbot.waitActive(window)
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
