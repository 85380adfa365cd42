"""What makes the rows of an SWC file no tree, or an odd one.

An error forbids loading because mending it would need a guess; a warning is read as the message
says.
"""

import re
from collections.abc import Iterator

import numpy as np

from engine.morphology.model import Tag
from engine.morphology.problems import Problem, refuse
from engine.morphology.swc import Rows, parent_rows, parents_have_smaller_ids

FAR = 1e9
"""µm; a coordinate beyond this is no neuron and would not fit single precision."""

_FACTOR = r"([0-9]+\.?[0-9]*)"
_SCALE = re.compile(rf"\s*#\s*SCALE[ \t]+{_FACTOR}[ \t]+{_FACTOR}[ \t]+{_FACTOR}\s*$")
_UNIT = re.compile(r"\bunits?\"?\s*[:=]\s*\"?(?:1 )?(nanometers?|nm|pixels?|voxels?|mm)\b", re.I)


def find_problems(rows: Rows) -> list[Problem]:
    """Everything wrong or odd in the rows: numbers first, then the tree they make."""
    problems = [*rows.problems, *_header_problems(rows), *_number_problems(rows)]
    if len(rows.id):
        problems += _identity_problems(rows)
        problems += _tree_problems(rows)
    elif not problems:
        raise refuse("format.no_points", "the file holds no points", "save or download it again")
    if any(p.severity == "error" for p in problems):
        return [p for p in problems if p.code != "topology.order"]  # may be but a consequence
    return problems


def _header_problems(rows: Rows) -> Iterator[Problem]:
    """A scale or a unit told before the first point; NEURON does not apply them either."""
    first = int(rows.line.min()) - 1 if len(rows.line) else 0
    for number, line in enumerate(rows.text[:first], 1):
        scale, unit = _SCALE.match(line), _UNIT.search(line)
        if scale and any(float(factor) != 1 for factor in scale.groups()):
            yield Problem(
                "geometry.scale",
                f"the header gives the scale {' '.join(scale.groups())}",
                "coordinates are taken as they stand; apply it first if that was not done yet",
                number,
                line.strip()[:200],
                "warning",
            )
        if unit:
            yield Problem(
                "geometry.units",
                f"the header gives the unit {unit[1]}, but SWC and simulations use µm",
                "scale coordinates and radii to µm before simulating",
                number,
                line.strip()[:200],
                "warning",
            )


def _number_problems(rows: Rows) -> Iterator[Problem]:
    radius, xyz = rows.values[:, 4], rows.values[:, 1:4]
    for i in np.flatnonzero(rows.id < 0):
        yield Problem(
            "identity.out_of_range",
            f"the id {rows.id[i]} is negative",
            "number the points from 1",
            int(rows.line[i]),
            rows.row(i),
        )
    for i in np.flatnonzero(radius < 0):
        yield Problem(
            "geometry.negative_radius",
            f"point {rows.id[i]} has the radius {radius[i]:g} µm",
            "write the radius without the sign, or measure it again",
            int(rows.line[i]),
            rows.row(i),
        )
    for i in np.flatnonzero((np.abs(xyz) > FAR).any(axis=1) | (radius > FAR)):
        yield Problem(
            "geometry.too_far",
            f"point {rows.id[i]} is farther out or wider than any neuron",
            "write coordinates and radius in µm",
            int(rows.line[i]),
            rows.row(i),
        )
    zero = np.flatnonzero(radius == 0)
    if zero.size:
        yield Problem(
            "geometry.zero_radius",
            f"{_points(zero.size)} the radius 0",
            "cables take the radius of the nearest point towards the soma that has one "
            "(0.5 µm where none has)",
            int(rows.line[zero[0]]),
            rows.row(zero[0]),
            "warning",
        )
    if len(xyz) > 1:
        extent = np.ptp(xyz, axis=0).max()
        if extent == 0:
            yield Problem(
                "geometry.one_place",
                "all points lie at one place, so no cable has a length",
                "check the coordinates",
                severity="warning",
            )
        if extent > 50_000 and not any(map(_UNIT.search, rows.text[: int(rows.line.min()) - 1])):
            yield Problem(
                "geometry.units",
                f"the cell is {extent / 1000:.0f} mm large, so its unit is probably not µm",
                "scale coordinates and radii to µm before simulating",
                severity="warning",
            )


def _points(n: int) -> str:
    return "1 point has" if n == 1 else f"{n} points have"


def _identity_problems(rows: Rows) -> Iterator[Problem]:
    order = np.argsort(rows.id, kind="stable")
    same = np.flatnonzero(rows.id[order][1:] == rows.id[order][:-1])
    for first, again in zip(order[same], order[same + 1], strict=True):
        yield Problem(
            "identity.duplicate",
            f"the id {rows.id[again]} is already that of line {rows.line[first]}",
            "remove this row or give the point an id of its own",
            int(rows.line[again]),
            rows.row(again),
        )


def _tree_problems(rows: Rows) -> Iterator[Problem]:
    up = parent_rows(rows)
    n = len(up)
    for i in np.flatnonzero(up == -2):
        if int(rows.parent[i]) in rows.left_out:
            continue  # it is in the file, in a row that is told of already
        hint = "join it to an existing point, or write -1 if it is a root"
        yield Problem(
            "topology.missing_parent",
            f"point {rows.id[i]} has parent {rows.parent[i]}, which is not in the file",
            hint,
            int(rows.line[i]),
            rows.row(i),
        )
    own = rows.parent == rows.id
    for i in np.flatnonzero(own):
        yield Problem(
            "topology.self_parent",
            f"point {rows.id[i]} is its own parent",
            "write the id of the point it grows from, or -1 if it is the root",
            int(rows.line[i]),
            rows.row(i),
        )
    yield from _cycles(rows, np.where(own, -1, up))
    roots = np.flatnonzero(up == -1)
    soma = rows.values[:, 0] == Tag.SOMA
    if not roots.size and not (up == -2).any() and not own.any() and n:
        return  # the cycle says it
    somata = roots[soma[roots]]
    for i in somata[1:]:
        yield Problem(
            "topology.two_somata",
            f"point {rows.id[i]} is a second soma, not joined to that of line "
            f"{rows.line[somata[0]]}",
            "keep one cell per file, or join the two by a parent",
            int(rows.line[i]),
            rows.row(i),
        )
    if roots.size > 1 and somata.size <= 1:
        yield Problem(
            "topology.several_roots",
            f"the file holds {roots.size} trees that are not joined",
            "each stays a tree of its own; give the root a parent if it belongs to the cell",
            int(rows.line[roots[1]]),
            rows.row(roots[1]),
            "warning",
        )
    again = np.flatnonzero(soma & (up >= 0) & ~soma[up])
    if again.size:
        yield Problem(
            "semantics.split_soma",
            f"point {rows.id[again[0]]} is soma (type 1) but grows from a point that is not",
            "it makes a soma section of its own; correct its type if that is not meant",
            int(rows.line[again[0]]),
            rows.row(again[0]),
            "warning",
        )
    if not soma.any():
        yield Problem(
            "semantics.no_soma",
            "no point is marked as soma (type 1)",
            "the first point serves as the root",
            severity="warning",
        )
    if not parents_have_smaller_ids(rows):
        yield Problem(
            "topology.order",
            "points stand before or have smaller ids than their parents",
            "they were sorted along the tree",
            severity="warning",
        )


def _cycles(rows: Rows, up: np.ndarray) -> Iterator[Problem]:
    """One problem for every ring of points; ``up`` holds no self-parents."""
    if (up < np.arange(len(up))).all() or parents_have_smaller_ids(rows):
        return
    state = np.zeros(len(up), np.int8)  # 0 unseen, 1 on this path, 2 done
    for start in range(len(up)):
        path = []
        i = start
        while i >= 0 and state[i] == 0:
            state[i] = 1
            path.append(i)
            i = int(up[i])
        if i >= 0 and state[i] == 1:
            ring = path[path.index(i) :]
            at = min(ring, key=lambda j: rows.line[j])
            shown = ", ".join(str(rows.id[j]) for j in sorted(ring, key=lambda j: rows.line[j])[:6])
            yield Problem(
                "topology.cycle",
                f"{len(ring)} points ({shown}{', …' if len(ring) > 6 else ''}) are each other's "
                "ancestors, so they never reach a root",
                "give one of them a parent outside the ring, or -1 if it is the root",
                int(rows.line[at]),
                rows.row(at),
            )
        state[path] = 2
