"""Errors whose message is a sentence for a person: what, where, why, what to do.

Command line and window print ``str(error)`` as it is; anything that is not a
:class:`UserError` is a defect of ours.
"""

from pathlib import Path


class UserError(ValueError):
    """Something the person gave us cannot be used; the message says what and the way out."""


class FileError(UserError):
    """A file cannot be read; ``str()`` gives ``path:line: what; fix``.

    Parameters
    ----------
    path
        The file as the person named it.
    what
        What is wrong, in one clause.
    fix
        What the person can do, in one clause; may be empty.
    line
        Line in the file, from 1; None where the whole file is meant.
    """

    def __init__(self, path: str | Path, what: str, fix: str = "", line: int | None = None) -> None:
        self.path, self.what, self.fix, self.line = Path(path), what, fix, line
        where = f"{path}:{line}" if line is not None else f"{path}"
        super().__init__(f"{where}: {what}" + (f"; {fix}" if fix else ""))

    def __reduce__(self) -> tuple[type["FileError"], tuple[Path, str, str, int | None]]:
        """Survive the pipe of the engine's process."""
        return type(self), (self.path, self.what, self.fix, self.line)


class MorphologyError(FileError):
    """A morphology file is damaged or is not a morphology."""


class MechanismError(FileError):
    """A ``.mod`` file does not parse, or uses what the engine does not support."""


class BackendError(UserError):
    """The wanted backend cannot run here."""


class UnstableError(UserError):
    """A run left what a membrane can have; names the compartment, the time and the way out."""
