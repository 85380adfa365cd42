"""Files in which every point is a compartment of its own, joined to the middle of its parent.

SWC can say which point follows which, but not that a branch point *is* a compartment: by NEURON's
rules a massless node stands there. Trees drawn as graphs of compartments, as in papers about
scheduling, say so in a comment line of their header.
"""

import numpy as np

from engine.morphology.cables import Cables
from engine.morphology.model import Morphology, Note

MARKER = "one compartment a point"
"""The comment line, behind its ``#``."""
CODE = "compartments.pointwise"


def header_note(lines: list[str]) -> tuple[Note, ...]:
    """A note where the comments at the head of an SWC file hold the marker, else nothing."""
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if text and not text.startswith("#"):
            break
        if text.lstrip("# ") == MARKER:
            said = "every point is a compartment, joined to the middle of its parent"
            return (Note(CODE, said, number),)
    return ()


def is_pointwise(morphology: Morphology) -> bool:
    return any(note.code == CODE for note in morphology.notes)


def cables_pointwise(m: Morphology) -> Cables:
    """A cable from every point's parent to the point, in the point's width, joined at 0.5."""
    n = m.n_point
    root = m.parent < 0
    return Cables(
        first=np.arange(n),
        n_own=np.ones(n, int),
        lead=m.parent.astype(int),
        own_width=np.ones(n, bool),
        parent=m.parent.astype(int),
        parent_x=np.where(root, 0.0, 0.5),
        wired=~root,
    )
