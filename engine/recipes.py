"""Published membranes to put on a cell: cable, channels and temperature of a whole model."""

from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from engine.errors import UserError
from engine.experiment import Experiment, from_json
from engine.morphology.samples import folder


@dataclass(frozen=True)
class RecipeInfo:
    """A published membrane.

    Attributes
    ----------
    title : str
        A few words.
    source : str
        Publication and number in ModelDB.
    note : str
        One line: what it does, and what differs from the publication.
    file : str
        Name in the folder of sample models.
    rise : float
        mV by which a current has to move the resting soma to make it fire, with a margin.
    """

    title: str
    source: str
    note: str
    file: str
    rise: float = 20.0


RECIPES: dict[str, RecipeInfo] = {
    "human_l23": RecipeInfo(
        "Human L2/3 pyramidal cell",
        "Eyal et al. 2018, ModelDB 238347",
        "Passive dendrites with their spines as a factor; 0.5 nA for 500 ms gives one spike",
        "human_l23_eyal2018.json",
    ),
    "l5b": RecipeInfo(
        "L5b pyramidal cell",
        "Hay et al. 2011, ModelDB 139653, biophysics 3",
        "Calcium spikes in the tuft; 0.793 nA makes the published cell fire 13 times a second",
        "l5b_hay2011.json",
    ),
    "ca1": RecipeInfo(
        "CA1 pyramidal cell",
        "Migliore et al. 2004, ModelDB 32992",
        "A-type potassium and Ih grow with the distance from the soma; rests at −65 mV; made for "
        "synaptic input: from 0.4 nA on it stays depolarized after a few spikes, as published",
        "ca1_migliore2004.json",
        rise=10.0,
    ),
    "mitral": RecipeInfo(
        "Mitral cell",
        "Migliore et al. 2015, ModelDB 168591",
        "Sodium in all dendrites, so spikes run from tuft to laterals",
        "mitral_migliore2015.json",
    ),
}


def recipe_path(name: str) -> Path:
    """File of a recipe.

    Raises
    ------
    UserError
        If there is no such recipe, or its file is missing from the installation.
    """
    if name not in RECIPES:
        near = get_close_matches(name.lower(), RECIPES, 1, 0.5)
        hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(RECIPES)}"
        raise UserError(f"there is no recipe '{name}'; {hint}")
    path = folder() / RECIPES[name].file
    if not path.is_file():
        raise UserError(
            f"{path}: the recipe '{name}' is missing; "
            "reinstall DendView, or run python -m engine.sample_folder in the checkout"
        )
    return path


def recipe(name: str) -> Experiment:
    """The experiment of a published membrane on the sample cell of its kind.

    Raises
    ------
    UserError
        As :func:`recipe_path`.
    """
    path = recipe_path(name)
    return from_json(path.read_text(encoding="utf-8"), path)


def apply(given: Experiment, morphology: str) -> Experiment:
    """A recipe on another cell: membrane, cut and temperature of the one, shape of the other.

    Parameters
    ----------
    given
        What :func:`recipe` gave.
    morphology
        Path of a file, or ``sample:NAME``; its sections are named as NEURON's Import3d names them,
        so ``soma[0]`` and, where distances are measured from it, ``apic[0]`` are the roots.
    """
    return replace(given, morphology=morphology)
