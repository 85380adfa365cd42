"""Whole files or none: write aside, then rename."""

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EACCES, EISDIR, ENOENT, ENOSPC, ENOTDIR, EPERM, EROFS
from pathlib import Path
from tempfile import mkstemp

from engine.errors import FileError

WAYS_OUT = {
    ENOSPC: "free some space or choose another disk",
    EACCES: "choose a folder you may write to",
    EPERM: "choose a folder you may write to",
    EROFS: "choose a folder you may write to",
    ENOENT: "choose a folder that exists",
    ENOTDIR: "choose a folder that exists",
    EISDIR: "choose a file name, not a folder",
}


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path``; what is written there takes its place at the end.

    Raises
    ------
    FileError
        If the file cannot be written; says why and what to do. An older file of that name then
        stays as it was.
    """
    path = Path(path)
    aside: Path | None = None
    try:
        handle, name = mkstemp(prefix=f".{path.name[:40]}.", suffix=".part", dir=path.parent)
        os.close(handle)
        aside = Path(name)
        aside.chmod(0o666 & ~_umask())
        yield aside
        if path.is_dir():
            raise IsADirectoryError(EISDIR, "it is a folder")
        os.replace(aside, path)
    except OSError as error:
        reason = error.strerror or str(error)
        fix = WAYS_OUT.get(error.errno or 0, "choose another file")
        raise FileError(path, f"the file cannot be written ({reason})", fix) from error
    finally:
        if aside is not None:
            with contextlib.suppress(OSError):
                aside.unlink()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
