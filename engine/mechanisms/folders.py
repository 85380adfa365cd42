"""Folders of ``.mod`` files that a person opens: what is ready, and why the rest is not."""

from dataclasses import dataclass
from pathlib import Path

from engine.errors import MechanismError, UserError
from engine.mechanisms.loading import library, load_mechanism
from engine.mechanisms.model import Mechanism

KINDS = {"density": "channel", "point": "point process", "artificial": "artificial cell"}


@dataclass(frozen=True)
class FileReport:
    """One file of a folder.

    Attributes
    ----------
    path : Path
    name : str
        SUFFIX, POINT_PROCESS or ARTIFICIAL_CELL; the file's own name where it cannot be read.
    ready : bool
    sentence : str
        What it is, or why it cannot be used and the way out.
    """

    path: Path
    name: str
    ready: bool
    sentence: str


def describe_folder(folder: str | Path) -> tuple[FileReport, ...]:
    """Every ``.mod`` file of a folder, in the order of their names.

    Raises
    ------
    UserError
        Where the folder cannot be read or holds no ``.mod`` file.
    """
    return tuple(report for report, _ in _read(folder))


def user_mechanisms(folder: str | Path) -> dict[str, Mechanism]:
    """The mechanisms of a folder that are ready, by name; the others are left out.

    Raises
    ------
    UserError
        As :func:`describe_folder`.
    """
    return {m.name: m for report, m in _read(folder) if m is not None and report.ready}


def _read(folder: str | Path) -> list[tuple[FileReport, Mechanism | None]]:
    known = library()
    first: dict[str, Path] = {}
    found: list[tuple[FileReport, Mechanism | None]] = []
    for path in _files(folder):
        try:
            mechanism = load_mechanism(path)
        except MechanismError as error:
            found.append((FileReport(path, path.stem, False, str(error)), None))
            continue
        name = mechanism.name
        if name in known:
            clash = f"'{name}' is also the name of a mechanism that comes with the program"
        elif name in first:
            clash = f"'{name}' is also defined in {first[name].name}"
        else:
            first[name] = path
            found.append((FileReport(path, name, True, _summary(mechanism)), mechanism))
            continue
        sentence = f"{path}: {clash}; rename it after {_keyword(mechanism)}"
        found.append((FileReport(path, name, False, sentence), mechanism))
    return found


def _files(folder: str | Path) -> list[Path]:
    place = Path(folder).expanduser()
    try:
        entries = sorted(place.iterdir())
    except OSError as error:
        raise UserError(
            f"{folder}: the folder cannot be read ({error.strerror}); choose another"
        ) from None
    files = [path for path in entries if path.suffix.lower() == ".mod" and path.is_file()]
    if not files:
        raise UserError(f"{folder}: there is no .mod file here; choose a folder that holds some")
    return files


def _keyword(mechanism: Mechanism) -> str:
    words = {"density": "SUFFIX", "point": "POINT_PROCESS", "artificial": "ARTIFICIAL_CELL"}
    return words[mechanism.kind]


def _summary(mechanism: Mechanism) -> str:
    """``channel nax: writes ina; 2 states, 4 parameters``."""
    parts = []
    if mechanism.currents:
        parts.append("current " + ", ".join(mechanism.currents))
    if concentrations := [
        n for ion in mechanism.ions for n in ion.write if n in ion.concentrations
    ]:
        parts.append("sets " + ", ".join(concentrations))
    if mechanism.receive is not None:
        parts.append("receives events")
    for count, what in ((len(mechanism.states), "state"), (len(mechanism.parameters), "parameter")):
        if count:
            parts.append(f"{count} {what}{'s' * (count > 1)}")
    head = f"{KINDS[mechanism.kind]} {mechanism.name}"
    return f"{head}: {', '.join(parts)}" if parts else head
