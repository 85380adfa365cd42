"""Read a morphology file: everything is checked first, so that nothing is ever half-loaded."""

from pathlib import Path

from engine.morphology import asc, swc, swc_checks
from engine.morphology.content import cell_name, load_text, recognize
from engine.morphology.model import Morphology
from engine.morphology.problems import Problem, Refusal, as_error, in_order


def read_morphology(path: str | Path) -> Morphology:
    """Load an SWC or Neurolucida ASC file, plain or gzipped, recognized by its content.

    Raises
    ------
    MorphologyError
        With the first problem of the file and how many others there are;
        :func:`engine.morphology.doctor.examine` lists them all.
    """
    morphology, problems = inspect(path)
    if morphology is None:
        raise as_error(path, problems)
    return morphology


def inspect(path: str | Path) -> tuple[Morphology | None, tuple[Problem, ...]]:
    """What the file holds and everything that is wrong with it; the morphology is None where an
    error forbids it.
    """
    try:
        text = load_text(path)
        if recognize(text) == "swc":
            rows = swc.parse_rows(text)
            problems = swc_checks.find_problems(rows)
            if any(p.severity == "error" for p in problems):
                return None, in_order(problems)
            return swc.build(rows, problems, cell_name(path)), in_order(problems)
        morphology, problems = asc.read(text, cell_name(path))
        return morphology, in_order(problems)
    except Refusal as refusal:
        return None, (refusal.problem,)
