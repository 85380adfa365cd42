"""What a study has finished, kept in its folder: arrays, and what they were made from."""

import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import astuple, is_dataclass
from io import BytesIO
from pathlib import Path

import numpy as np

from engine.atomic import written_aside

Arrays = dict[str, np.ndarray]
MADE_FROM = "made_from"


def key_of(*parts: object) -> str:
    """A short name of arrays, numbers, texts and dataclasses of those: equal where they are."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(f"{part.dtype.str}{part.shape}".encode())
            digest.update(np.ascontiguousarray(part).tobytes())
        elif is_dataclass(part) and not isinstance(part, type):
            digest.update(repr(astuple(part)).encode())
        else:
            digest.update(repr(part).encode())
        digest.update(b";")
    return digest.hexdigest()[:32]


def save_piece(path: Path, key: str, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays with the key of what they were made from.

    Raises
    ------
    FileError
        If the file cannot be written; an older one of that name stays as it was.
    """
    image = BytesIO()
    made_from = np.frombuffer(json.dumps(key).encode(), np.uint8)
    np.savez(image, **{MADE_FROM: made_from}, **arrays)  # type: ignore[arg-type]
    with written_aside(path) as aside:
        aside.write_bytes(image.getbuffer())


def load_piece(path: Path, key: str) -> Arrays | None:
    """The arrays of a file; None where it is missing, damaged, or made from something else."""
    try:
        with np.load(path, allow_pickle=False) as file:
            if json.loads(bytes(file[MADE_FROM])) != key:
                return None
            return {name: file[name] for name in file.files if name != MADE_FROM}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
