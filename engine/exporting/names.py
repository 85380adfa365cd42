"""Names of exported files."""

import re
import unicodedata
from datetime import datetime
from hashlib import sha256
from pathlib import PurePath

from engine.experiment import SAMPLE_PREFIX, Experiment, to_json

MAX_LENGTH = 120


def file_name(experiment: Experiment, extension: str, when: datetime | None = None) -> str:
    """``<cell>_<experiment>_<YYYYMMDD-HHMMSS>_<hash8>.<extension>``.

    ASCII without colons or spaces, at most 120 characters; the hash tells experiments apart.

    Parameters
    ----------
    experiment
    extension
        With or without its dot.
    when
        Now, unless given.
    """
    source = experiment.morphology.removeprefix(SAMPLE_PREFIX)
    cell = re.sub(r"\.(swc|asc)(\.gz)?$", "", PurePath(source).name, flags=re.IGNORECASE)
    stamp = (when or datetime.now()).strftime("%Y%m%d-%H%M%S")
    digest = sha256(to_json(experiment).encode()).hexdigest()[:8]
    tail = f"_{stamp}_{digest}.{extension.removeprefix('.')}"
    room = MAX_LENGTH - len(tail) - 1
    name = _ascii(experiment.name) or "run"
    cell = _ascii(cell) or "cell"
    name = name[: max(room // 2, room - len(cell))]
    return f"{cell[: room - len(name)]}_{name}{tail}"


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9.-]+", "-", plain).strip("-.")
