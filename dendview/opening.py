"""Opening a cell from the window: read in the background, then the cell or a sheet of problems."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dendview.cell_menus import show_mechanisms
from dendview.controllers.files import Opened
from dendview.dialogs.file_problems import FileProblemsDialog
from dendview.state import Job, Message, Perspective
from dendview.widgets.background import Background
from engine.errors import FileError, UserError
from engine.morphology.doctor import Problem
from engine.morphology.samples import PREFIX

if TYPE_CHECKING:
    from dendview.main_window import MainWindow


def open_source(window: MainWindow, source: str, perspective: Perspective | None = None) -> None:
    """Read a source without holding up the window, then show it, in a perspective if one is given.

    Where it cannot be read a sheet says why, and what was open stays open.
    """
    files, state = window.controllers.files, window.state
    window.reading = source
    if state.job is None or state.job is window.reading_job:  # a run that goes on keeps its place
        name = Path(source.removeprefix(PREFIX)).name
        state.job = window.reading_job = Job(f"Reading {name}…")
    task = Background(window)

    def work() -> Opened | tuple[FileError, Sequence[Problem]]:
        try:
            return files.load(source)
        except FileError as error:
            return error, files.problems(str(error.path))

    def finish(answer: object) -> None:
        task.deleteLater()
        if not _is_wanted(window, source):
            return
        if isinstance(answer, Opened):
            files.show(answer)
            if perspective is not None:
                state.perspective = perspective
            return
        assert isinstance(answer, tuple)
        error, problems = answer
        show_problems(window, error, problems)

    def fail(error: Exception) -> None:
        task.deleteLater()
        if not _is_wanted(window, source):
            return
        if not isinstance(error, UserError):
            raise error  # a defect of ours: the excepthook tells it with its traceback
        state.message = Message(str(error), "error")

    task.done.connect(finish)
    task.failed.connect(fail)
    task.start(work, priority=1)  # before the pictures of the start page


def open_dropped(window: MainWindow, path: str) -> None:
    """What was dropped: a file to read, or a folder (or one file) of mechanisms."""
    dropped = Path(path)
    if dropped.suffix.lower() == ".mod" and dropped.is_file():
        show_mechanisms(window, str(dropped.parent))
    elif not dropped.is_dir():
        window.open_source(path)
    elif any(file.suffix.lower() == ".mod" for file in dropped.iterdir()):
        show_mechanisms(window, path)
    else:
        text = f"{dropped.name} is a folder without .mod files; drop a morphology, or mechanisms."
        window.state.message = Message(text, "warning")


def stop_reading(window: MainWindow) -> None:
    """Let go of what is being read; its result will not be shown."""
    _end_reading(window)
    window.state.message = Message("Stopped reading.")


def _end_reading(window: MainWindow) -> None:
    window.reading = ""
    if window.state.job is window.reading_job:
        window.state.job = None
    window.reading_job = None
    window.refresh_soon()


def _is_wanted(window: MainWindow, source: str) -> bool:
    """Whether the person still waits for this source; it is then no longer being read."""
    if window.reading != source:
        return False
    _end_reading(window)
    return True


def show_problems(window: MainWindow, error: FileError, problems: Sequence[Problem]) -> None:
    """The sheet that says why a file was refused."""
    where = f"Line {error.line}: " if error.line is not None else ""
    what = f"{where}{error.what}"
    sentence = what[:1].upper() + what[1:] + "." + (f" {_sentence(error.fix)}" if error.fix else "")
    window.state.message = Message(f"{error.path.name} was not opened.", "error", str(error))
    window.toast.hide()  # the sheet says more
    if not error.path.exists():
        window.controllers.files.forget(str(error.path))
    theme = window.state.theme
    window.show_sheet(FileProblemsDialog(error.path, sentence, problems, theme, window))


def _sentence(clause: str) -> str:
    return clause[:1].upper() + clause[1:].rstrip(".") + "."
