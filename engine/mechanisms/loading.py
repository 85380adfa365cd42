"""Read mechanisms: the user's files and the ones that come with the program."""

from functools import cache
from pathlib import Path

from engine.errors import MechanismError
from engine.mechanisms.compile import compile_mechanism
from engine.mechanisms.model import Mechanism
from engine.mechanisms.parser import parse_source

LIBRARY = Path(__file__).parent / "library"


def parse(text: str, path: str | Path) -> Mechanism:
    """The mechanism a text describes.

    Parameters
    ----------
    text
        NMODL.
    path
        What error messages call it.

    Raises
    ------
    MechanismError
        ``path:line: what; way out`` where the text is not NMODL or needs what the engine does not
        support.
    """
    return compile_mechanism(parse_source(text, path))


def load_mechanism(path: str | Path) -> Mechanism:
    """Read a ``.mod`` file.

    Raises
    ------
    MechanismError
        If the file cannot be read, or as :func:`parse`.
    """
    try:
        text = Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise MechanismError(
            path, f"the file cannot be read ({error.strerror})", "check the path"
        ) from None
    return parse(text, path)


@cache
def _library() -> tuple[tuple[str, Mechanism], ...]:
    loaded = (load_mechanism(path) for path in sorted(LIBRARY.glob("*.mod")))
    return tuple((mechanism.name, mechanism) for mechanism in loaded)


def library() -> dict[str, Mechanism]:
    """The mechanisms that come with the program, by name."""
    return dict(_library())
