"""The sample cells that ship with the program."""

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from engine.errors import UserError

PREFIX = "sample:"


@dataclass(frozen=True)
class SampleInfo:
    """A cell to try things on.

    Attributes
    ----------
    title : str
        A few words.
    description : str
        One line for a card.
    file : str
        Name in the folder of sample models.
    rule : str
        How the published model of this class is cut, as ``Rule.parse`` reads it.
    nodes : {"merged", "neuron"}
        The node set in which the published counts are given.
    recipe : str or None
        Name of its published membrane in :mod:`engine.recipes`.
    """

    title: str
    description: str
    file: str
    rule: str = "max_length:40"
    nodes: Literal["merged", "neuron"] = "neuron"
    recipe: str | None = None


SAMPLES: dict[str, SampleInfo] = {
    "human_l23": SampleInfo(
        "Human L2/3 pyramidal cell",
        "Temporal cortex, like Eyal et al. 2018: long, thick dendrites, 20.8 mm in all",
        "human_l23.swc",
        recipe="human_l23",
    ),
    "l5b": SampleInfo(
        "L5b pyramidal cell",
        "Thick-tufted cell of rat cortex, like Hay et al. 2011: trunk of 0.8 mm and a tuft",
        "l5b.swc",
        recipe="l5b",
    ),
    "ca1": SampleInfo(
        "CA1 pyramidal cell",
        "Hippocampus, like Migliore et al. 2004: many obliques on the apical trunk",
        "ca1.swc",
        rule="max_length:20",
        recipe="ca1",
    ),
    "ca3b": SampleInfo(
        "CA3b pyramidal cell",
        "Hippocampus, like Hemond et al. 2008: a short trunk that divides at once",
        "ca3b.swc",
        rule="d_lambda:0.1",
    ),
    "purkinje": SampleInfo(
        "Purkinje cell",
        "Cerebellum, like Masoli et al. 2015: a flat fan of 1,400 branches",
        "purkinje.swc",
        rule="fixed:1",
    ),
    "spn": SampleInfo(
        "Striatal projection neuron",
        "Striatum, like Lindroos et al. 2018: eight stems in all directions",
        "spn.swc",
    ),
    "mitral": SampleInfo(
        "Mitral cell",
        "Olfactory bulb, like Migliore et al. 2015: a tuft on a stalk, laterals of 0.9 mm",
        "mitral.swc",
        recipe="mitral",
    ),
    "ball_and_stick": SampleInfo(
        "Ball and stick",
        "A soma of 20 µm and one dendrite of 300 µm: the smallest cell with a cable",
        "ball_and_stick.swc",
        rule="max_length:20",
        nodes="merged",
    ),
    "toy15": SampleInfo(
        "Tree of 15 compartments",
        "The tree of Zhang et al. 2023, Fig. 2d: five steps with four threads",
        "toy15.swc",
        rule="fixed:1",
        nodes="merged",
    ),
}


def folder() -> Path:
    """Where the sample cells lie: in the installed package, else beside it in the checkout."""
    engine = Path(__file__).resolve().parents[1]
    inside = engine / "sample_models"
    return inside if inside.is_dir() else engine.parent / "sample_models"


def sample_path(name: str) -> Path:
    """File of a sample cell.

    Raises
    ------
    UserError
        If there is no such sample, or its file is missing from the installation.
    """
    if name not in SAMPLES:
        near = get_close_matches(name.lower(), SAMPLES, 1, 0.5)
        hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(SAMPLES)}"
        raise UserError(f"there is no sample '{name}'; {hint}")
    path = folder() / SAMPLES[name].file
    if not path.is_file():
        raise UserError(
            f"{path}: the sample '{name}' is missing; "
            "reinstall DendView, or run python -m engine.sample_folder in the checkout"
        )
    return path


def resolve(source: str | Path) -> Path:
    """Path of what was asked for: ``sample:NAME`` by its name, a path as it is.

    Raises
    ------
    UserError
        If there is no such sample.
    """
    text = str(source)
    return sample_path(text.removeprefix(PREFIX)) if text.startswith(PREFIX) else Path(source)
