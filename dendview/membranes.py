"""Membranes to put on the open cell: the usual ones, and those of published models (no Qt)."""

from collections.abc import Container
from dataclasses import dataclass, replace
from functools import lru_cache

from dendview.experiment_fields import PRESETS, changed, preset_of
from dendview.state import Cell
from engine.errors import UserError
from engine.experiment import Experiment
from engine.model import with_axon
from engine.morphology.sections import make_sections
from engine.recipes import RECIPES, RecipeInfo, recipe
from engine.spines import place_on_spine
from engine.stimuli import Site

OF_A_RECIPE = (
    *("axon", "stub", "rule", "cables", "insertions", "reversals", "ion_values", "tune_rest"),
    *("f_factors", "spine_density"),
    *("celsius", "v_init", "dt", "spike_threshold", "spike_site"),
)
"""What a published model says of a run; what is done to the cell, and for how long, stays."""
OF_A_MEMBRANE = ("insertions", "cables", "f_factors", "spine_density")
"""What a published membrane is known by."""
PREFIX = "recipe:"
"""Before a recipe's name where it stands among the usual membranes."""
ON_CELL = ("stimuli", "probes", "waveforms", "voltage_clamps", "synapses", "gap_junctions")


@dataclass(frozen=True)
class Applied:
    """An experiment with another membrane; ``lost`` things sat on what it takes off the cell."""

    experiment: Experiment
    lost: int = 0


def short_title(info: RecipeInfo) -> str:
    """``L5b, Hay 2011``."""
    kind = info.title.removesuffix(" cell").removesuffix(" pyramidal")
    return f"{kind}, {info.source.partition(',')[0].replace(' et al.', '')}"


def choices() -> dict[str, str]:
    """Every membrane by its key: the usual ones first, then the published ones."""
    usual = {name: name for name in PRESETS}
    return usual | {f"{PREFIX}{name}": short_title(info) for name, info in RECIPES.items()}


@lru_cache
def published(name: str) -> Experiment:
    """A recipe, read once.

    Raises
    ------
    UserError
        If its file is missing from the installation.
    """
    return recipe(name)


def published_in(experiment: Experiment) -> RecipeInfo | None:
    """The published membrane an experiment has, if it is one."""
    return RECIPES.get(choice_of(experiment).removeprefix(PREFIX))


def choice_of(experiment: Experiment) -> str:
    """Key of the membrane an experiment has; empty where it is none of them."""
    for name in RECIPES:
        try:
            given = published(name)
        except UserError:  # missing from the installation: who asks for it is told
            continue
        if all(getattr(experiment, f) == getattr(given, f) for f in OF_A_MEMBRANE):
            return f"{PREFIX}{name}"
    return preset_of(experiment.insertions)


def with_recipe(experiment: Experiment, name: str, cell: Cell) -> Applied:
    """A published membrane on the open cell: its cable, channels, ions, temperature and cutting.

    Morphology, stimuli, recordings and duration stay; what sat on an axon that the model replaces
    by a stub goes with that axon.

    Raises
    ------
    UserError
        As :func:`published`.
    """
    given = published(name)
    taken = {field: getattr(given, field) for field in OF_A_RECIPE}
    after = replace(experiment, **taken)
    sections = set(with_axon(make_sections(cell.morphology), after).name)
    lost = 0
    for field in ON_CELL:
        items = getattr(after, field)
        kept = tuple(item for item in items if _is_on(item, sections))
        lost += len(items) - len(kept)
        after = changed(after, **{field: kept})
    return Applied(after, lost)


def _is_on(item: object, sections: Container[str]) -> bool:
    """Whether all places that a thing names are on the cell."""
    places = [getattr(item, "site", None), getattr(item, "other", None)]
    places.append(getattr(getattr(item, "source", None), "site", None))
    sites = [p for p in places if isinstance(p, Site)]
    return all(p.section in sections or place_on_spine(p) is not None for p in sites)
