"""Where what a person computes is kept when nobody names a place, and the names of its folders."""

import os
import sys
import time
from pathlib import Path

from engine.morphology.samples import PREFIX


def data_folder(kind: str, variable: str) -> Path:
    """Folder for results of a kind: an environment variable's, else the system's place for data.

    Parameters
    ----------
    kind
        Name of the folder inside DendView's, ``spike-lab``.
    variable
        Environment variable that names another folder.

    Returns
    -------
    Path
        The folder need not exist.
    """
    if own := os.environ.get(variable):
        return Path(own).expanduser()
    if shared := os.environ.get("XDG_DATA_HOME"):
        return Path(shared).expanduser() / "dendview" / kind
    if sys.platform == "win32" and (local := os.environ.get("LOCALAPPDATA")):
        return Path(local) / "dendview" / kind
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "dendview" / kind
    return Path.home() / ".local" / "share" / "dendview" / kind


def stamped(name: str, number: int) -> str:
    """Name of a new folder, which tells when it was made: ``20261122-143502-quick-1``."""
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{name}-{number}"


def whole_path(source: str) -> str:
    """A source that means the same file wherever it is read; samples stay as they are."""
    return source if source.startswith(PREFIX) else str(Path(source).absolute())
