"""Folders of the user's own ``.mod`` files beside the library."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from engine.errors import FileError, MechanismError
from engine.mechanisms.loading import library, load_mechanism
from engine.mechanisms.model import Mechanism

_NAMED = re.compile(r"^\s*(?:SUFFIX|POINT_PROCESS|ARTIFICIAL_CELL)\s+(\w+)", re.MULTILINE)


@dataclass(frozen=True, eq=False)
class ModFile:
    """A file of a folder: ready, or why not.

    Attributes
    ----------
    path : Path
    name : str
        Of its mechanism; that of the file where it names none.
    mechanism : Mechanism or None
    error : MechanismError or None
        Exactly one of the two is there.
    """

    path: Path
    name: str
    mechanism: Mechanism | None
    error: MechanismError | None


def read_folder(folder: str | Path) -> tuple[ModFile, ...]:
    """Every ``.mod`` file of a folder, by file name; a file is read again only when it has changed.

    Of several files of one mechanism none is ready: which one was meant is not for us to guess.

    Raises
    ------
    FileError
        If there is no such folder or no ``.mod`` file in it.
    """
    place = Path(folder).expanduser()
    if not place.is_dir():
        raise FileError(folder, "this is no folder", "name a folder that holds .mod files")
    paths = sorted(p for p in place.iterdir() if p.suffix.lower() == ".mod" and p.is_file())
    if not paths:
        raise FileError(folder, "this folder holds no .mod file", "choose another folder")
    files = [_read(path, path.stat().st_mtime_ns, path.stat().st_size) for path in paths]
    return tuple(_without_twins(file, files) for file in files)


def _without_twins(file: ModFile, files: Sequence[ModFile]) -> ModFile:
    """The file; not ready where another one of its folder is of the same mechanism."""
    twins = [f.path.name for f in files if f.name == file.name and f is not file]
    if file.mechanism is None or not twins:
        return file
    what = f"mechanism '{file.name}' is also in {', '.join(twins)}"
    error = MechanismError(file.path, what, "keep one of these files in the folder")
    return ModFile(file.path, file.name, None, error)


@lru_cache(maxsize=1024)
def _read(path: Path, changed: int, size: int) -> ModFile:
    try:
        mechanism = load_mechanism(path)
    except MechanismError as error:
        found = _NAMED.search(path.read_text("utf-8", "replace")) if path.is_file() else None
        return ModFile(path, found[1] if found else path.stem, None, error)
    return ModFile(path, mechanism.name, mechanism, None)


def known_mechanisms(folders: Sequence[str], wanted: Sequence[str]) -> dict[str, Mechanism]:
    """The library and what folders hold, by name; a file wins over the library, a later folder over
    an earlier one.

    Parameters
    ----------
    folders
    wanted
        Names that are going to be used: a file of one of these must be ready.

    Raises
    ------
    FileError
        If a folder cannot be read.
    MechanismError
        If the file of a wanted mechanism is not ready.
    """
    known = library()
    refused: dict[str, MechanismError] = {}
    for folder in folders:
        for file in read_folder(folder):
            refused.pop(file.name, None)
            if file.mechanism is not None:
                known[file.name] = file.mechanism
            elif file.error is not None:
                refused[file.name] = file.error
    for name in wanted:
        if name in refused:
            raise refused[name]
    return known
