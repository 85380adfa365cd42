"""Write ``sample_models/``: the grown cells, their sizes beside the published ones, the recipes.

``python -m engine.sample_folder [FOLDER]`` writes the same bytes every time.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from engine.discretize import Rule, discretize
from engine.morphology.model import Tag
from engine.morphology.reading import read_morphology
from engine.morphology.samples import SAMPLES, folder
from engine.morphology.sections import make_sections, stub_axon
from engine.morphology.synthesis import RECIPES, swc_text
from engine.recipe_folder import write_recipes
from engine.recipes import RECIPES as MEMBRANES


@dataclass(frozen=True)
class Target:
    """A published model: what a sample is to be like, and where the figures come from.

    ``length`` in µm, ``area`` and ``soma`` (the soma's area) in µm²; ``cm`` in µF/cm² as its rule
    was given. The soma of the CA1 model has no length, so it is no measure.
    """

    n_section: int
    length: float
    area: float
    soma: float | None
    n_node: int
    source: str
    cm: float = 1.0


TARGETS = {
    "human_l23": Target(219, 20719, 88496, 1586, 1263, "Eyal et al. 2018, ModelDB 238347"),
    "l5b": Target(196, 12658, 31193, 1131, 839, "Hay et al. 2011, ModelDB 139653"),
    "ca1": Target(202, 12852, 30198, None, 1414, "Migliore et al. 2004, ModelDB 32992"),
    "ca3b": Target(135, 12461, 28316, 466, 1079, "Hemond et al. 2008, ModelDB 101629", cm=1.41),
    "purkinje": Target(1611, 12104, 72119, 2790, 3223, "Masoli et al. 2015, ModelDB 229585"),
    "spn": Target(60, 4109, 13433, 626, 268, "Lindroos et al. 2018, ModelDB 237653"),
    "mitral": Target(30, 9413, 72467, 1195, 507, "Migliore et al. 2015, ModelDB 168591, gid 185"),
}
"""Sizes of the models of Zhang et al. 2023, measured in NEURON 9 on the files of the models.

Axons as in the models: stubs for human and L5b, left out of the Purkinje and mitral lengths.
"""

HEAD = """\
# Sample models

These cells are grown by DendView's own code, `engine/morphology/synthesis*.py`. No point in them is
traced from a reconstruction: a recipe fixes the number of branches, their mean lengths and the
total length, and a seeded random generator lays them out in space. Branches wander, are drawn away
from the soma, and fork in the plane with most room; diameters follow the number of tips a branch
carries (Rall's rule with a fitted power). The Purkinje cell is spun instead: places strewn over a
fan are joined where wire and path to the soma are shortest (Cuntz et al., PLoS Comput. Biol.
6:e1000877, 2010).

    python -m engine.sample_folder        # writes this folder again, byte for byte

Sizes beside those of the published models of the same class (in brackets), cut by the rule named
(NEURON's nodes; the axon of the human and of the L5b cell replaced by a stub, as the models do):

| file | seed | rule | sections | length, µm | area, µm² | soma, µm² | nodes | model |
|---|---|---|---|---|---|---|---|---|
"""

DIGITS = """
## Digits

`digits-images.gz` and `digits-labels.gz` are 1797 handwritten digits of 8 x 8 pixels with 17 gray
levels, as IDX files of bytes: the test part of "Optical Recognition of Handwritten Digits" by
E. Alpaydin and C. Kaynak (UCI Machine Learning Repository, 1998, CC BY 4.0), in the order of
scikit-learn's copy; `python -m engine.digits_folder` writes them again from there. The training lab
learns from them where no other data are given.
"""

TAIL = """
The Purkinje model is made of pieces with two points each, so many of its 1611 sections do not
branch; ours all do.

`ball_and_stick.swc` is a sphere of 20 µm with a cylinder of 300 µm by 2 µm.

`toy15.swc` is the tree of Zhang et al. 2023 (Nat. Commun. 14:5798), Fig. 2d. Its header holds the
line `one compartment a point`: DendView then makes each point a compartment joined to the middle of
its parent, as the figure draws it; other programs ignore the line. With the rule `fixed:1`, merged
nodes and four threads the schedule is {9, 10, 12, 14}, {1, 7, 11, 13}, {2, 3, 4, 8}, {6}, {5}, the
soma being 0.

## Published membranes

Cable, channels, temperature and cut of whole models, as experiments that DendView opens. They name
regions and distances, so they hold for the published morphology as well as for the grown one.

| file | model | |
|---|---|---|
"""


@dataclass(frozen=True)
class Size:
    """What a sample measures; as in :class:`Target`."""

    n_section: int
    length: float
    area: float
    soma: float
    n_node: int


def size_of(name: str, path: Path) -> Size:
    """Size of a sample, measured as its published model is."""
    target = TARGETS[name]
    sections = make_sections(read_morphology(path))
    if name in ("human_l23", "l5b"):
        sections = stub_axon(sections)
    rule = Rule.parse(SAMPLES[name].rule)
    tree = discretize(sections, rule, nodes="neuron", ra=150.0, cm=target.cm)
    return Size(
        n_section=sections.n_section,
        length=float(tree.length.sum()),
        area=float(tree.area.sum()),
        soma=float(tree.area[tree.tag == Tag.SOMA].sum()),
        n_node=tree.n_comp,
    )


def readme(target_folder: Path) -> str:
    """The text, with sizes measured on the files in a folder."""
    rows = []
    for name, target in TARGETS.items():
        info = SAMPLES[name]
        size = size_of(name, target_folder / info.file)
        rows.append(
            f"| {info.file} | {RECIPES[name][1]} | {info.rule} "
            f"| {size.n_section} ({target.n_section}) "
            f"| {size.length:.0f} ({target.length:.0f}) | {size.area:.0f} ({target.area:.0f}) "
            f"| {size.soma:.0f} ({target.soma or '–'}) "
            f"| {size.n_node} ({target.n_node}) | {target.source} |"
        )
    recipes = [f"| {r.file} | {r.title}, {r.source} | {r.note} |" for r in MEMBRANES.values()]
    return HEAD + "\n".join(rows) + "\n" + TAIL + "\n".join(recipes) + "\n" + DIGITS


def write_samples(target: Path) -> None:
    """(Re)write every sample, every recipe and the folder's README (not the digits)."""
    target.mkdir(parents=True, exist_ok=True)
    for name, info in SAMPLES.items():
        (target / info.file).write_text(swc_text(name), encoding="utf-8", newline="\n")
    write_recipes(target)
    (target / "README.md").write_text(readme(target), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write_samples(Path(sys.argv[1]) if len(sys.argv) > 1 else folder())
