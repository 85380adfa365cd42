"""Windows under test: real Qt widgets on a virtual screen."""

import gc
import os

import pytest

os.environ.setdefault("LIBGL_ALWAYS_SOFTWARE", "1")
os.environ.setdefault("QT_XCB_GL_INTEGRATION", "xcb_glx")

from PyQt6.QtCore import QCoreApplication, Qt

# before the application exists
QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)


@pytest.fixture(scope="session")
def qapp_args() -> list[str]:
    return ["dendview-tests"]


@pytest.fixture(scope="session", autouse=True)
def _freeze_what_stays():
    """Modules are looked at by no later collection: each takes milliseconds then."""
    import engine.simulation  # noqa: F401

    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _collect_garbage():
    yield
    gc.collect()  # a leaked GL widget crashes a later test


@pytest.fixture
def window(qtbot):
    """A window without a cell."""
    from tests.dendview.open_window import open_window

    return open_window(qtbot)


@pytest.fixture
def opened(qtbot, window):
    """A window with a small cell."""
    from tests.dendview.open_window import open_cell

    open_cell(qtbot, window, "sample:spn")
    return window


@pytest.fixture
def show(qtbot):
    """Shows a state in a 3-D view and waits until it is drawn."""
    from dendview.views.cell_view import CellView
    from tests.dendview.shown_view import settle

    views = []

    def make(state, size=(600, 450)):
        view = CellView(state)
        qtbot.addWidget(view)
        view.resize(*size)
        with qtbot.waitExposed(view):
            view.show()
        views.append(view)
        settle(qtbot, view)
        return view

    yield make
    for view in views:
        view.canvas.close()
