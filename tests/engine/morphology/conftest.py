"""Small files on the spot."""

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    """``file(text, name="cell.swc")`` writes a text (or bytes) and returns its path."""

    def write(text: str | bytes, name: str = "cell.swc") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write
