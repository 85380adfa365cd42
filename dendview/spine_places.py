"""Where spines are drawn: necks stand off the surface of the dendrite, to a side that chance picks.

A site such as ``spine[7](1)`` is a place on a spine of the experiment; :func:`on_cell` finds the
place of the cell below it. No Qt.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from engine.errors import UserError
from engine.experiment import Experiment
from engine.morphology.model import Sections
from engine.spines import Part, SpineShape, place_on_spine
from engine.stimuli import Site
from engine.types import BoolArray, FloatArray

SIDES = 7
"""Seed of the sides that spines of an experiment look to, which have no meaning."""


@dataclass(frozen=True, eq=False)
class DrawnSpines:
    """Spines and synapses to draw, in µm as in the file.

    Attributes
    ----------
    foot, tip : (n, 3)
        On the axis of the dendrite, and the end of the head.
    neck_radius, head_radius, head_length : (n,)
    active : (n,) bool
        Those that are pointed out.
    dots : (m, 3)
        Synapses on the surface of the cell itself.
    dot_active : (m,) bool
    """

    foot: FloatArray
    tip: FloatArray
    neck_radius: FloatArray
    head_radius: FloatArray
    head_length: FloatArray
    active: BoolArray
    dots: FloatArray
    dot_active: BoolArray

    @property
    def along(self) -> FloatArray:
        """(n, 3) unit vectors from foot to tip."""
        reach = self.tip - self.foot
        return reach / np.maximum(np.linalg.norm(reach, axis=1), 1e-9)[:, None]

    @property
    def head(self) -> FloatArray:
        """(n, 3) the middle of every head."""
        return self.tip - self.along * self.head_length[:, None] / 2


def places(sections: Sections, sites: Sequence[Site]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(n, 3) µm of every site on the cable, (n, 3) unit vectors along it, and (n,) its radii."""
    at, along = np.zeros((len(sites), 3)), np.zeros((len(sites), 3))
    radius = np.zeros(len(sites))
    index = {name: i for i, name in enumerate(sections.name)}
    of: dict[int, list[int]] = {}
    for i, site in enumerate(sites):
        of.setdefault(index[site.section], []).append(i)
    for section, rows in of.items():
        here = slice(sections.start[section], sections.start[section + 1])
        points = sections.xyz[here].astype(float)
        path = np.concatenate([[0.0], np.linalg.norm(np.diff(points, axis=0), axis=1).cumsum()])
        where = np.array([sites[i].x for i in rows]) * path[-1]
        at[rows] = np.stack([np.interp(where, path, points[:, k]) for k in range(3)], axis=1)
        radius[rows] = np.interp(where, path, sections.diameter[here].astype(float) / 2)
        piece = np.clip(np.searchsorted(path, where, "right") - 1, 0, len(points) - 2)
        step = np.diff(points, axis=0)[piece]
        along[rows] = step / np.maximum(np.linalg.norm(step, axis=1), 1e-9)[:, None]
    return at, along, radius


def aside(along: FloatArray, rng: np.random.Generator) -> FloatArray:
    """(n, 3) unit vectors at right angles to others, turned by chance."""
    free = rng.normal(size=along.shape)
    free -= (free * along).sum(axis=1, keepdims=True) * along
    return free / np.maximum(np.linalg.norm(free, axis=1, keepdims=True), 1e-9)


def shape_of(experiment: Experiment, number: int) -> SpineShape:
    """Lengths and diameters of a spine of the experiment."""
    given = experiment.spines[number].shape
    if given is None and experiment.spine_density:
        given = experiment.spine_density[0].shape
    return given or SpineShape()


def spine_text(shape: SpineShape) -> str:
    """``neck 1.35 × 0.25 µm, head 0.944 × 0.944 µm``."""
    neck = f"neck {shape.neck_length:.3g} × {shape.neck_diameter:.3g} µm"
    return f"{neck}, head {shape.head_length:.3g} × {shape.head_diameter:.3g} µm"


def part_of(experiment: Experiment, site: Site) -> tuple[int, Part] | None:
    """Which spine of the experiment a site is on, and what of it; None on the cell itself."""
    try:
        found = place_on_spine(site)
    except UserError:
        return None
    return found if found is not None and 0 <= found[0] < len(experiment.spines) else None


def on_cell(experiment: Experiment | None, site: Site) -> Site:
    """The place itself, or that where the neck of its spine begins."""
    found = None if experiment is None else part_of(experiment, site)
    if experiment is None or found is None:
        return site
    return experiment.spines[found[0]].site


@lru_cache(maxsize=4)
def spines_of(sections: Sections, experiment: Experiment) -> DrawnSpines | None:
    """The spines of an experiment; None where there are none or where they are not on this cell."""
    known = sections.name
    if not experiment.spines or any(s.site.section not in known for s in experiment.spines):
        return None
    shapes = [shape_of(experiment, i) for i in range(len(experiment.spines))]
    foot, along, radius = places(sections, [s.site for s in experiment.spines])
    reach = radius + [s.neck_length + s.head_length for s in shapes]
    return DrawnSpines(
        foot=foot,
        tip=foot + reach[:, None] * aside(along, np.random.default_rng(SIDES)),
        neck_radius=np.array([s.neck_diameter / 2 for s in shapes]),
        head_radius=np.array([s.head_diameter / 2 for s in shapes]),
        head_length=np.array([s.head_length for s in shapes]),
        active=np.ones(len(shapes), bool),
        dots=np.zeros((0, 3)),
        dot_active=np.zeros(0, bool),
    )


def place_of(sections: Sections, experiment: Experiment, site: Site) -> FloatArray | None:
    """(3,) µm where a site on a spine is drawn; None where it is on the cell itself."""
    found, drawn = part_of(experiment, site), spines_of(sections, experiment)
    if found is None or drawn is None:
        return None
    number, part = found
    if part == "end":
        return np.asarray(drawn.tip[number])
    if part == "head":
        return np.asarray(drawn.head[number])
    base = drawn.tip[number] - drawn.along[number] * drawn.head_length[number]
    return np.asarray((drawn.foot[number] + base) / 2)
