"""From nothing to a window: the application, the excepthook, the theme, the window, its engine."""

import gc
import os
import signal
import sys
import threading
import traceback
from types import TracebackType
from typing import NoReturn

from PyQt6.QtCore import QCoreApplication, QEventLoop, Qt, QThreadPool
from PyQt6.QtWidgets import QApplication

from dendview.controllers.bundle import make_controllers
from dendview.diagnosis import probe_opengl
from dendview.main_window import MainWindow
from dendview.resources import app_icon
from dendview.settings import Settings
from dendview.state import AppState, Message, Perspective
from dendview.theme_qt import apply_theme
from dendview.widgets.garbage import hold
from dendview.widgets.timers import make_timer
from dendview.wiring import make_handlers, wire
from dendview.worker.interface import Worker
from dendview.worker.process import EngineProcess
from engine.errors import UserError

SMOKE_PATIENCE_S = 120
THREADS_PATIENCE_MS = 5000
"""How long background work is waited for when the window is closed."""
WARM_DELAY_MS = 1500
"""The first picture comes first; starting the engine would take a core from it."""


def make_app(arguments: list[str] | None = None) -> QApplication:
    """The application, made once; OpenGL contexts are shared so that docks may float."""
    running = QApplication.instance()
    if isinstance(running, QApplication):
        return running
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
    QCoreApplication.setOrganizationName("DendView")
    QCoreApplication.setApplicationName("DendView")
    app = QApplication(arguments or ["dendview"])
    app.setDesktopFileName("dendview")
    app.setWindowIcon(app_icon())
    return app


def make_window(
    state: AppState | None = None,
    settings: Settings | None = None,
    worker: Worker | None = None,
    *,
    warm: bool = True,
) -> MainWindow:
    """A window, not yet shown, with its controllers joined to it.

    Parameters
    ----------
    state
        A new one by default.
    settings
        What is remembered; by default nothing is, as pictures and tests want it.
    worker
        The engine's process; by default a new one.
    warm
        Start the engine soon, so that it is ready when a person is.
    """
    import vispy

    vispy.use("pyqt6", "gl2")
    app = make_app()
    settings = settings or Settings()
    state = state or AppState(theme=settings.theme, recent=settings.recent)
    apply_theme(app, state.theme)
    controllers = make_controllers(state, worker or EngineProcess())
    window = MainWindow(state, controllers, settings, probe_opengl(), make_handlers)
    wire(window)
    if (geometry := settings.geometry) is None or not window.restoreGeometry(geometry):
        fit_on_screen(window)
    if window.gl.problem:
        state.message = Message(window.gl.advice, "error", window.gl.problem)
    if warm:
        make_timer(window, WARM_DELAY_MS, controllers.run.warm, once=True).start()
    window.poll_timer.start()
    return window


def fit_on_screen(window: MainWindow) -> None:
    """1600 x 1000, or as much of it as the screen has."""
    screen = window.screen()
    if screen is not None:
        room = screen.availableGeometry()
        window.resize(min(1600, room.width()), min(1000, room.height()))


def install_excepthook(state: AppState) -> None:
    """Tell defects of ours in the window: PyQt would end the program at the first one."""
    main_thread = threading.get_ident()

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        text = "".join(traceback.format_exception(kind, error, trace))
        sys.stderr.write(text)
        if threading.get_ident() != main_thread or issubclass(kind, KeyboardInterrupt):
            return
        if isinstance(error, UserError):
            state.message = Message(str(error), "error")
            return
        what = f"Something went wrong in DendView ({kind.__name__}); cell and runs are still here."
        state.message = Message(what, "error", text)

    sys.excepthook = hook


def wait_for_cell(window: MainWindow, seconds: float = SMOKE_PATIENCE_S) -> bool:
    """Let the window live until the cell is shown; False where it was refused or took too long."""
    loop = QEventLoop()
    make_timer(loop, 20, lambda: None if window.reading else loop.quit()).start()
    make_timer(loop, int(seconds * 1000), loop.quit, once=True).start()
    loop.exec()
    return window.state.cell is not None and not window.reading


def wait_for_threads(milliseconds: int = THREADS_PATIENCE_MS) -> bool:
    """Let background work come to its end; False where it took longer than that."""
    pool = QThreadPool.globalInstance()
    return pool is None or pool.waitForDone(milliseconds)


def end_at_once(settings: Settings, status: int) -> NoReturn:
    """End the program with background work in it: taking Python down under that work crashes.

    The engine's process has ended with the window.
    """
    settings.keep()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def run(source: str | None, perspective: Perspective | None = None, smoke: bool = False) -> int:
    """Open the window and stay until it is closed.

    Parameters
    ----------
    source
        A path or ``sample:NAME``; None for the start page.
    perspective
        To begin with, once the cell is open.
    smoke
        Open, draw one frame and end.

    Returns
    -------
    int
        Exit status: 0, or 1 where a smoke run could not show the cell.
    """
    app = make_app(sys.argv[:1])
    settings = Settings() if smoke else Settings.of_the_user()
    window = make_window(settings=settings, warm=not smoke)
    install_excepthook(window.state)
    window.show()
    if source is not None:
        window.open_source(source, perspective)
    if not smoke:
        for number in (signal.SIGINT, signal.SIGTERM):  # Python hears them between two polls
            signal.signal(number, lambda *_: window.close())
        hold()  # for good: work that outlives the window must not start the collector
        gc.collect()
        gc.freeze()  # what is there now stays; later collections need not look at it
        status = app.exec()
        if not wait_for_threads():
            end_at_once(settings, status)
        return status
    shown = source is None or wait_for_cell(window)
    app.processEvents()
    image = window.grab()
    window.close()
    done = wait_for_threads()
    app.processEvents()
    status = 0
    if not shown or image.isNull():
        message = window.state.message
        sys.stderr.write(
            f"dendview: {message.details or message.text if message else 'no cell was shown'}\n"
        )
        status = 1
    if not done:
        end_at_once(settings, status)
    return status
