"""What the program runs on: OpenGL, platform, versions."""

import ctypes
import os
import platform
import sys
from dataclasses import dataclass
from importlib import metadata

from PyQt6.QtCore import PYQT_VERSION_STR, qVersion
from PyQt6.QtGui import QGuiApplication, QOffscreenSurface, QOpenGLContext

SOFTWARE = ("llvmpipe", "softpipe", "swrast", "software rasterizer", "gdi generic")


@dataclass(frozen=True)
class OpenGL:
    """What an OpenGL context says of itself; ``problem`` where there is none."""

    renderer: str = ""
    vendor: str = ""
    version: str = ""
    problem: str = ""

    @property
    def software(self) -> bool:
        """Whether the processor draws instead of a graphics card."""
        return any(name in self.renderer.lower() for name in SOFTWARE)

    @property
    def label(self) -> str:
        """A few words for the status bar."""
        if self.problem:
            return "no OpenGL"
        name = self.renderer.split("(")[0].strip() or "OpenGL"
        return f"{name} (software)" if self.software else name

    @property
    def advice(self) -> str:
        """What a person can do about it, or an empty string."""
        if self.problem:
            return (
                "The 3-D view cannot draw. Install a graphics driver, or Mesa's software renderer "
                "(Debian/Ubuntu: apt-get install libgl1 libegl1), and start again."
            )
        if self.software:
            return "The processor draws the 3-D view; a graphics driver makes it smoother."
        return ""


def probe_opengl() -> OpenGL:
    """Ask a context of our own, off the screen, so that it needs no view."""
    context = QOpenGLContext()
    if not context.create():
        return OpenGL(problem="no OpenGL context could be made")
    surface = QOffscreenSurface()
    surface.setFormat(context.format())
    surface.create()
    if not context.makeCurrent(surface):
        return OpenGL(problem="the OpenGL context could not be used")
    try:
        address = context.getProcAddress(b"glGetString")
        if address is None:
            return OpenGL(problem="OpenGL has no glGetString")
        prototype = ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.c_uint)
        get_string = prototype(int(address))
        vendor, renderer, version = (
            (get_string(code) or b"").decode() for code in (0x1F00, 0x1F01, 0x1F02)
        )
        return OpenGL(renderer, vendor, version)
    finally:
        context.doneCurrent()


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def platform_advice(platform_name: str) -> str:
    """A way out on Wayland, offered and never forced: xcb breaks drag and drop there."""
    if platform_name != "wayland":
        return ""
    return (
        "If the 3-D view stays black on Wayland, start with QT_QPA_PLATFORM=xcb "
        "(dragging files onto the window may then not work)."
    )


def system_report(gl: OpenGL, engine: str) -> str:
    """Everything a bug report needs, a line each."""
    name = QGuiApplication.platformName()
    screen = QGuiApplication.primaryScreen()
    lines = [
        f"DendView {_version('dendview')}",
        f"Python {sys.version.split()[0]} on {platform.platform()}",
        f"Processor: {platform.machine()}, {os.cpu_count()} threads",
        f"Qt {qVersion()}, PyQt {PYQT_VERSION_STR}, platform {name}",
    ]
    if screen is not None:
        size = screen.size()
        lines.append(
            f"Screen: {size.width()} x {size.height()}, scale {screen.devicePixelRatio():g}"
        )
    if gl.problem:
        lines.append(f"OpenGL: {gl.problem}")
    else:
        lines.append(f"OpenGL: {gl.renderer}; {gl.vendor}; {gl.version}")
    lines.append(f"Engine: {engine or 'not started'}")
    packages = ("numpy", "numba", "vispy", "pyqtgraph", "h5py", "morphio", "psygnal", "pint")
    lines.append(", ".join(f"{package} {_version(package)}" for package in packages))
    lines += [text for text in (gl.advice, platform_advice(name)) if text]
    return "\n".join(lines)
