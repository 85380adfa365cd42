"""Everything that is wrong with a morphology file, for the table a person mends it by."""

from pathlib import Path

from engine.morphology.problems import Problem
from engine.morphology.reading import inspect

__all__ = ["Problem", "examine"]


def examine(path: str | Path) -> tuple[Problem, ...]:
    """All problems of a file in one pass, errors before warnings and by line; empty for a clean
    file.

    The checks are those of :func:`engine.morphology.reading.read_morphology`, which refuses a file
    exactly where there is an error here. Nothing is raised: a file that cannot be opened is one
    problem.
    """
    return inspect(path)[1]
