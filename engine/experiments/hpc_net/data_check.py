"""What a folder of images holds: sizes, and whether its files are those that were published."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from engine.errors import FileError, UserError
from engine.experiments.hpc_net.data import (
    DIGITS,
    DOWNLOADS,
    IMAGES,
    LABELS,
    SETS,
    Dataset,
    find,
    load,
)

FileState = Literal["published", "other", "unpacked"]


@dataclass(frozen=True)
class FileCheck:
    """A file: as it was published, another one of that name, or unpacked and so not compared."""

    name: str
    n_bytes: int
    state: FileState


@dataclass(frozen=True, eq=False)
class DataCheck:
    """Images that can be learned from.

    Attributes
    ----------
    source : str
        ``digits`` or an absolute folder.
    name : str
    n_train, n_test : int
    shape : tuple of int
        Rows and columns of an image.
    classes : tuple of str
    files : tuple of FileCheck
        Empty for the bundled digits.
    published : str
        The key of :data:`engine.experiments.hpc_net.data.DOWNLOADS` whose hashes all files have.
    examples : (n_class, n_in) uint8
        The first training image of every class.
    levels : (n_level,)
        Brightness (0 to 1) of every pixel value.
    """

    source: str
    name: str
    n_train: int
    n_test: int
    shape: tuple[int, int]
    classes: tuple[str, ...]
    files: tuple[FileCheck, ...]
    published: str
    examples: np.ndarray
    levels: np.ndarray


def check_data(source: str) -> DataCheck:
    """Read the data of a source, and compare its files with what was published.

    Raises
    ------
    UserError
        With one sentence on what is missing or wrong and the way out.
    """
    data = load(source)
    files: tuple[FileCheck, ...] = ()
    published = ""
    if source != DIGITS:
        folder = Path(source)
        paths = [find(folder, which, kind) for which in SETS for kind in (IMAGES, LABELS)]
        sums = {path.name: _sum(path) for path in paths}
        known = {file: key for key, d in DOWNLOADS.items() for file in d.files}
        files = tuple(
            FileCheck(path.name, path.stat().st_size, _state(path.name, sums[path.name], known))
            for path in paths
        )
        sources = {known.get((path.name, sums[path.name]), "") for path in paths}
        published = sources.pop() if len(sources) == 1 else ""
    return DataCheck(
        source=source if source == DIGITS else str(Path(source).absolute()),
        name=data.name,
        n_train=len(data.train),
        n_test=len(data.test),
        shape=data.shape,
        classes=data.classes,
        files=files,
        published=published,
        examples=_examples(data),
        levels=data.levels,
    )


def holds_data(folder: Path) -> bool:
    """Whether a folder has the four files, unread."""
    try:
        for which in SETS:
            for kind in (IMAGES, LABELS):
                find(folder, which, kind)
    except UserError:
        return False
    return True


def _examples(data: Dataset) -> np.ndarray:
    found = np.zeros((len(data.classes), data.n_in), np.uint8)
    for k in range(len(data.classes)):
        rows = np.flatnonzero(data.train_labels == k)
        if rows.size:
            found[k] = data.train[rows[0]]
    return found


def _state(name: str, digest: str, known: dict[tuple[str, str], str]) -> FileState:
    if (name, digest) in known:
        return "published"
    return "other" if name.endswith(".gz") else "unpacked"


def _sum(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        what = f"the file cannot be read ({error.strerror or error})"
        raise FileError(path, what, "check the path") from None
