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


@pytest.fixture(autouse=True)
def _collect_garbage():
    yield
    gc.collect()  # a leaked GL widget crashes a later test
