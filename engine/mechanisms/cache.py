"""Generated source as modules in the user's cache folder, so that each text is compiled once."""

import hashlib
import importlib.util
import os
import re
import sys
import tempfile
import threading
from functools import cache
from pathlib import Path
from types import ModuleType

import numba

INLINED = tuple(
    Path(__file__).with_name(f"{name}.py")
    for name in ("fastmath", "lanes", "elementary", "quotients")
)
"""Modules of which generated code takes functions in."""
_lock = threading.Lock()


def cache_dir() -> Path:
    """Folder of generated sources: ``$DENDVIEW_CACHE``, else ``$XDG_CACHE_HOME/dendview``, else
    the system's custom.

    The folder need not exist.
    """
    if own := os.environ.get("DENDVIEW_CACHE"):
        return Path(own).expanduser()
    if shared := os.environ.get("XDG_CACHE_HOME"):
        return Path(shared).expanduser() / "dendview"
    if sys.platform == "win32" and (local := os.environ.get("LOCALAPPDATA")):
        return Path(local) / "dendview" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "dendview"
    return Path.home() / ".cache" / "dendview"


def compile_source(source: str, name: str) -> ModuleType:
    """Import a text as a module whose file outlives the process.

    Parameters
    ----------
    source
        Python source; functions with ``cache=True`` find their machine code again in later
        processes.
    name
        What the module is about; becomes part of its file name.

    Returns
    -------
    ModuleType
        The same module for the same text within one process.

    Notes
    -----
    The file is named by the hash of the text, of the inlined arithmetic and of numba's version,
    written aside and renamed, so that two processes may do this at once. Where the folder cannot
    be written a temporary one is used.
    """
    inlined = (path.read_text(encoding="utf-8") for path in INLINED)
    seed = "\0".join((source, *inlined, numba.__version__))
    digest = hashlib.sha256(seed.encode()).hexdigest()[:20]
    stem = f"dendview_{re.sub(r'[^0-9A-Za-z_]', '_', name)}_{digest}"
    with _lock:
        if stem in sys.modules:
            return sys.modules[stem]
        path = _write(source, stem)
        spec = importlib.util.spec_from_file_location(stem, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[stem] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[stem]
            raise
        return module


def _write(source: str, stem: str) -> Path:
    """The file that holds the text, written unless it is there already."""
    text = source.encode()
    for folder in (cache_dir() / "kernels", _temporary_folder):
        place = folder() if callable(folder) else folder
        path = place / f"{stem}.py"
        try:
            place.mkdir(parents=True, exist_ok=True)
            if not (path.is_file() and path.read_bytes() == text and os.access(place, os.W_OK)):
                handle, aside = tempfile.mkstemp(prefix=f".{stem}.", suffix=".part", dir=place)
                with os.fdopen(handle, "wb") as file:
                    file.write(text)
                os.replace(aside, path)
        except OSError:
            continue
        return path
    raise OSError(f"neither {cache_dir()} nor the temporary folder can be written")


@cache
def _temporary_folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="dendview-"))
