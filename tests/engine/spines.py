"""Explicit spines as sections of their own, hung on a cell."""

from dataclasses import replace

import numpy as np

from engine.morphology.model import Sections
from engine.morphology.sections import section_names

SPINE = 7
"""Structure type of a spine's neck and head: region ``other``."""


def with_spines(
    cell: Sections,
    section: str,
    places: list[float],
    neck: tuple[float, float],
    head: tuple[float, float],
) -> Sections:
    """A cell with spines on one section.

    Parameters
    ----------
    cell
    section, places
        Where the necks begin, 0 to 1.
    neck, head
        Length and diameter in µm. Spine k is the sections ``dend_7[2k]`` and ``dend_7[2k+1]``.
    """
    n, m = cell.n_section, len(places)
    host = cell.name.index(section)
    necks = n + 2 * np.arange(m)
    parent = np.stack([np.full(m, host), necks], axis=1).ravel()
    parent_x = np.stack([places, np.ones(m)], axis=1).ravel()
    along = [0.0, neck[0], 0.0, head[0]]  # each section in a place of its own; only lengths count
    xyz = np.zeros((4 * m, 3))
    xyz[:, 0] = np.tile(along, m)
    tag = np.concatenate([cell.tag, np.full(2 * m, SPINE)]).astype(np.int32)
    return replace(
        cell,
        parent=np.concatenate([cell.parent, parent]).astype(np.int32),
        parent_x=np.concatenate([cell.parent_x, parent_x]),
        tag=tag,
        name=section_names(tag),
        start=np.concatenate([cell.start, cell.start[-1] + 2 * np.arange(1, 2 * m + 1)]).astype(
            np.int32
        ),
        xyz=np.concatenate([cell.xyz, xyz]).astype(np.float32),
        diameter=np.concatenate(
            [cell.diameter, np.tile([neck[1], neck[1], head[1], head[1]], m)]
        ).astype(np.float32),
        point=np.concatenate([cell.point, np.full(4 * m, -1)]).astype(np.int32),
        wired=np.concatenate([cell.wired, np.zeros(2 * m, bool)]),
    )
