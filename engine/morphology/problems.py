"""What can be wrong with a morphology file: one row of the doctor's table."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.errors import MorphologyError
from engine.morphology.model import Note


@dataclass(frozen=True)
class Problem:
    """One thing found in a file.

    Attributes
    ----------
    code : str
        Name of the rule, ``family.rule`` (``topology.missing_parent``).
    meaning : str
        What is wrong, as one clause that can stand behind ``file:line:``.
    fix : str
        What the person can do.
    line : int or None
        Line in the file from 1; None where the whole file is meant.
    text : str
        The row as it stands in the file.
    severity : {"error", "warning"}
        An error forbids loading; a warning becomes a note of the morphology.
    """

    code: str
    meaning: str
    fix: str
    line: int | None = None
    text: str = ""
    severity: Literal["error", "warning"] = "error"


class Refusal(Exception):  # noqa: N818  (not an error of the program: the file's)
    """Reading ends here because of ``problem``; turned into a MorphologyError with the path."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.meaning)
        self.problem = problem


def refuse(code: str, meaning: str, fix: str, line: int | None = None, text: str = "") -> Refusal:
    """The refusal to raise where nothing more can be read."""
    return Refusal(Problem(code, meaning, fix, line, text))


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Errors first, then by line; problems of the whole file before those of a line."""
    return tuple(sorted(problems, key=lambda p: (p.severity != "error", p.line or 0)))


def as_error(path: str | Path, problems: Iterable[Problem]) -> MorphologyError:
    """The first error as the exception to raise; its sentence tells how many others there are."""
    errors = [problem for problem in in_order(problems) if problem.severity == "error"]
    first, n_other = errors[0], len(errors) - 1
    others = "" if not n_other else f" ({n_other} other problem{'s' if n_other > 1 else ''})"
    return MorphologyError(path, first.meaning + others, first.fix, first.line)


def as_notes(problems: Iterable[Problem]) -> tuple[Note, ...]:
    """Warnings as the notes a morphology carries."""
    return tuple(
        Note(p.code, f"{p.meaning}; {p.fix}" if p.fix else p.meaning, p.line)
        for p in in_order(problems)
        if p.severity == "warning"
    )
