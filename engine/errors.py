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


class OutOfDeviceMemoryError(BackendError):
    """More memory was asked for than the device has free.

    Parameters
    ----------
    wanted, free : bytes
    fits
        Cells that could run at once; None where that is not known.
    too_large
        Whether not even one would fit if nothing else used the GPU.
    """

    def __init__(
        self, wanted: int, free: int, fits: int | None = None, too_large: bool = False
    ) -> None:
        self.wanted, self.free, self.fits, self.too_large = wanted, free, fits, too_large
        if fits:
            way = f"run at most {fits} cells at once, or choose backend 'cpu'"
        elif too_large:
            way = "take coarser compartments, or choose backend 'cpu'"
        elif fits == 0:
            way = "close what else uses the GPU, or choose backend 'cpu'"
        else:
            way = "record fewer sites, run fewer cells at once, or choose backend 'cpu'"
        super().__init__(
            f"this needs {gigabytes(wanted)} GB of the GPU's memory, {gigabytes(free)} GB are "
            f"free; {way}"
        )

    def __reduce__(
        self,
    ) -> tuple[type["OutOfDeviceMemoryError"], tuple[int, int, int | None, bool]]:
        """Survive the pipe of the engine's process."""
        return type(self), (self.wanted, self.free, self.fits, self.too_large)


def gigabytes(size: int) -> str:
    """A number of bytes to three digits."""
    return f"{size / 1e9:.3g}"


class UnstableError(UserError):
    """A run left what a membrane can have; names the compartment, the time and the way out."""
