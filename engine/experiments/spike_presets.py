"""Studies to start from."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from engine.errors import UserError
from engine.experiment import Experiment
from engine.experiments.spike_study import CONDITIONS, GROUPS, Condition, SpikeStudy, bare
from engine.recipes import apply, recipe
from engine.spines import SpineDensity, SpineShape

DISTRIBUTED = (0, 25, 50, 75, 100, 110, 120, 125, 130, 140, 165, 190, 215, 240)
CLUSTERS = (0, 2, 4, 5, 6, 7, 8, 10, 12)
"""The grid of Zhang et al. 2023, Fig. 5."""
QUICK = {
    "few": ((75, 100, 110, 120, 130), (2, 4, 5, 6, 8)),
    "full": ((100, 130, 140, 150, 165), (4, 5, 6, 7, 8, 10)),
    "both": ((100, 110, 120, 130, 140, 165), (4, 5, 6, 7, 8, 10)),
}
"""Where the curves of either model rise: numbers of synapses, and of clusters."""
SPINE = SpineShape(cm=0.44, g_pas=1 / 48300, e_pas=-86.0, ra=261.97)
"""Of Eyal et al. 2018: a neck of 1.35 by 0.25 µm, a head of 2.8 µm², passive."""
FACTOR = 1.9
"""Of Eyal et al. 2018, for the membrane of the spines."""


@dataclass(frozen=True)
class Preset:
    """A card to start from.

    ``note`` is one line on what it does and how long that takes.
    """

    title: str
    note: str
    make: Callable[[Experiment, tuple[Condition, ...]], SpikeStudy]


def human_cell(morphology: str | None = None) -> Experiment:
    """The human L2/3 cell with the membrane of Eyal et al. 2018, no spines; 1000 ms of 0.04 ms.

    Parameters
    ----------
    morphology
        Another cell to put the membrane on; the grown one of the samples by default.
    """
    cell = bare(recipe("human_l23"))
    if morphology is not None:
        cell = apply(cell, morphology)
    return replace(cell, dt=0.04, duration=1000.0, name="")


def paper(cell: Experiment, conditions: tuple[Condition, ...] = GROUPS["few"]) -> SpikeStudy:
    """The grid of Zhang et al. 2023, Fig. 5: 14 and 9 points of 50 trials for each model."""
    return SpikeStudy(
        cell=cell,
        conditions=conditions,
        distributed=DISTRIBUTED,
        clusters=CLUSTERS,
        n_trials=50,
        spines=SpineDensity(shape=SPINE),
        factor=FACTOR,
        name="paper",
    )


def quick(cell: Experiment, conditions: tuple[Condition, ...] = GROUPS["few"]) -> SpikeStudy:
    """A readable curve in minutes: where the paper's curves rise, 20 trials, until 650 ms.

    In the publication every spike comes between 533 and 582 ms, so nothing is missed after that;
    everything before is as in :func:`paper`, number by number.
    """
    models = {name.partition("-")[0] for name in conditions}
    grid, clusters = QUICK["both" if len(models) > 1 else models.pop() if models else "few"]
    return replace(
        paper(cell, conditions),
        cell=replace(cell, duration=650.0),
        distributed=grid,
        clusters=clusters,
        n_trials=20,
        name="quick",
    )


PRESETS: dict[str, Preset] = {
    "quick": Preset(
        "Quick look",
        "Points where the curves rise, 20 trials each: minutes, with wide intervals",
        quick,
    ),
    "paper": Preset(
        "Clustered against distributed, as published",
        "Zhang et al. 2023, Fig. 5: 14 and 9 points, 50 trials each, 1,150 cells a model",
        paper,
    ),
}


def preset(
    name: str, cell: Experiment | None = None, conditions: tuple[Condition, ...] = GROUPS["few"]
) -> SpikeStudy:
    """A study by the name of its card.

    Parameters
    ----------
    name
        ``paper`` or ``quick``.
    cell
        Bare membrane; by default :func:`human_cell`.
    conditions

    Raises
    ------
    UserError
        If there is no such preset.
    """
    if name not in PRESETS:
        raise UserError(f"there is no preset '{name}'; choose from {', '.join(PRESETS)}")
    ordered = tuple(c for c in CONDITIONS if c in conditions)
    return PRESETS[name].make(human_cell() if cell is None else cell, ordered)
