"""The sample cells: recipes with their seeds, grown and written as SWC text.

The same recipe and seed give the same bytes.
"""

from collections.abc import Callable

import numpy as np

from engine.morphology import synthesis_cells as cells
from engine.morphology.model import Morphology, Note, Tag
from engine.morphology.pointwise import CODE, MARKER, is_pointwise
from engine.morphology.samples import SAMPLES
from engine.morphology.synthesis_fan import purkinje

RECIPES: dict[str, tuple[Callable[[int], Morphology], int]] = {}
"""Recipe and seed of every sample."""


def grow(name: str) -> Morphology:
    """Grow a sample cell; the same every time."""
    recipe, seed = RECIPES[name]
    return recipe(seed)


def ball_and_stick(seed: int = 0) -> Morphology:
    """A sphere 20 µm wide and a cylinder of 300 µm by 2 µm; nothing in it is random."""
    y = np.concatenate([[0.0], np.linspace(10.0, 310.0, 13)])
    n = len(y)
    return Morphology(
        xyz=np.column_stack([np.zeros(n), y, np.zeros(n)]),
        radius=np.array([10.0] + [1.0] * (n - 1)),
        parent=np.arange(-1, n - 1, dtype=np.int32),
        tag=np.array([Tag.SOMA] + [Tag.BASAL] * (n - 1), np.int32),
        line=np.full(n, -1, np.int32),
        name="ball_and_stick",
        source="made",
    )


TOY_PARENT = (-1, 0, 0, 0, 0, 0, 5, 6, 6, 7, 7, 8, 11, 8, 13)
"""The tree of Zhang et al. 2023, Fig. 2d, from 0 at the soma."""


def toy15(seed: int = 0) -> Morphology:
    """The 15 compartments of the paper's example, one a point, laid out by hand."""
    places = [
        (0, 0, 0),
        (-34, -22, 10),
        (-14, -36, -14),
        (14, -36, 14),
        (34, -22, -10),
        (0, 40, 0),
        (0, 72, 2),
        (-32, 98, 10),
        (22, 97, -8),
        (-62, 106, -2),
        (-46, 134, 20),
        (8, 131, -16),
        (-4, 169, -8),
        (46, 115, 6),
        (56, 147, 12),
    ]
    radius = [9, 1.6, 1.6, 1.6, 1.6, 3.4, 2.9, 2.2, 2.3, 1.4, 1.4, 1.7, 1.4, 1.7, 1.4]
    tag = [Tag.SOMA] + [Tag.BASAL] * 4 + [Tag.APICAL] * 10
    return Morphology(
        xyz=np.array(places, float),
        radius=np.array(radius, float),
        parent=np.array(TOY_PARENT, np.int32),
        tag=np.array(tag, np.int32),
        line=np.full(15, -1, np.int32),
        name="toy15",
        source="made",
        notes=(Note(CODE, MARKER),),
    )


RECIPES.update(
    human_l23=(cells.human_l23, 5),
    l5b=(cells.l5b, 3),
    ca1=(cells.ca1, 7),
    ca3b=(cells.ca3b, 4),
    purkinje=(purkinje, 1),
    spn=(cells.spn, 1),
    mitral=(cells.mitral, 1),
    ball_and_stick=(ball_and_stick, 0),
    toy15=(toy15, 0),
)


def swc_text(name: str) -> str:
    """A sample as SWC; the header says program, recipe and seed. Lengths are given to the nm."""
    m = grow(name)
    info = SAMPLES[name]
    head = [
        f"# {info.title}: {info.description}",
        f"# made by DendView (engine.morphology.synthesis), recipe {name}, "
        f"seed {RECIPES[name][1]}; not traced from a reconstruction",
        f"# cut by the rule {info.rule} as the published model is",
    ]
    if is_pointwise(m):
        head.append(f"# {MARKER}")
    head.append("# id type x y z radius parent (µm)")
    rows = [
        f"{i} {tag} {x:.3f} {y:.3f} {z:.3f} {radius:.3f} {parent + 1 if parent >= 0 else -1}"
        for i, (tag, (x, y, z), radius, parent) in enumerate(
            zip(m.tag, m.xyz + 0.0, m.radius, m.parent, strict=True), 1
        )
    ]
    return "\n".join([*head, *rows]).replace(" -0.000 ", " 0.000 ") + "\n"
