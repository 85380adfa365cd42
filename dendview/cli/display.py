"""A display for pictures: the person's own, or a virtual one (Xvfb) that ends with the command."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from engine.errors import UserError


@contextmanager
def display() -> Iterator[None]:
    """Make sure that Qt can draw while the block runs.

    Raises
    ------
    UserError
        If there is neither a display nor Xvfb.
    """
    if sys.platform != "linux" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        yield
        return
    if shutil.which("Xvfb") is None:
        raise UserError(
            "there is no display and Xvfb is not installed, so no picture can be drawn; "
            "install it (Debian/Ubuntu: apt-get install xvfb) or run 'sh assets/start.sh'"
        )
    read_end, write_end = os.pipe()
    command = [
        "Xvfb",
        "-displayfd",
        str(write_end),
        "-screen",
        "0",
        "2560x1600x24",
        "-nolisten",
        "tcp",
    ]
    server = subprocess.Popen(command, pass_fds=(write_end,), stderr=subprocess.DEVNULL)
    os.close(write_end)
    try:
        with os.fdopen(read_end) as pipe:
            number = pipe.readline().strip()  # Xvfb writes it when it is ready
        if not number:
            raise UserError(
                "Xvfb did not start, so no picture can be drawn; try 'Xvfb :99' to see why"
            )
        os.environ["DISPLAY"] = f":{number}"
        os.environ.setdefault("LIBGL_ALWAYS_SOFTWARE", "1")
        yield
    finally:
        os.environ.pop("DISPLAY", None)
        server.terminate()
        server.wait(timeout=10)
