"""A file as NEURON's Import3d reads it, live, and random files to compare with it."""

import gzip
import random
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from engine.morphology.model import Sections


class NeuronSection(NamedTuple):
    """``parent`` is (name, x) or None; ``points`` (n, 4): x, y, z, diameter in µm."""

    parent: tuple[str, float] | None
    points: np.ndarray


class _Cell:
    """What Import3d fills."""


def import_sections(h: Any, path: Path, kind: str, scratch: Path) -> dict[str, NeuronSection]:
    """NEURON's sections of a file by name; leaves no section behind."""
    if path.suffix == ".gz":
        with gzip.open(path) as packed, (scratch / f"unpacked.{kind}").open("wb") as plain:
            shutil.copyfileobj(packed, plain)
        path = scratch / f"unpacked.{kind}"
    reader = h.Import3d_SWC_read() if kind == "swc" else h.Import3d_Neurolucida3()
    reader.quiet = 1
    reader.input(str(path))
    cell: Any = _Cell()
    h.Import3d_GUI(reader, 0).instantiate(cell)
    found = {}
    for section in cell.all:
        on = section.parentseg()
        points = [
            [section.x3d(i), section.y3d(i), section.z3d(i), section.diam3d(i)]
            for i in range(section.n3d())
        ]
        found[_name(section)] = NeuronSection(
            None if on is None else (_name(on.sec), on.x), np.array(points)
        )
    for section in cell.all:
        h.delete_section(sec=section)
    return found


def _name(section: Any) -> str:
    return section.name().rsplit(".", 1)[-1]


def our_sections(sections: Sections) -> dict[str, NeuronSection]:
    """The same view of ours."""
    found = {}
    for i, name in enumerate(sections.name):
        span = slice(sections.start[i], sections.start[i + 1])
        over = sections.parent[i]
        found[name] = NeuronSection(
            None if over < 0 else (sections.name[over], float(sections.parent_x[i])),
            np.column_stack([sections.xyz[span], sections.diameter[span]]).astype(float),
        )
    return found


def assert_same(
    ours: dict[str, NeuronSection], theirs: dict[str, NeuronSection], soma_slack: float = 0.0
) -> None:
    """Same names, joints and points, to the last bit but for the soma's ``soma_slack`` (µm)."""
    assert sorted(ours) == sorted(theirs)
    for name, own in ours.items():
        assert own.parent == theirs[name].parent, name
        assert own.points.shape == theirs[name].points.shape, name
        slack = soma_slack if name.startswith("soma") else 0.0
        np.testing.assert_allclose(
            own.points, theirs[name].points, rtol=0, atol=slack, err_msg=name
        )


def random_swc(seed: int) -> str | None:
    """A small tree with all the turns: branched somata, stems of one point, points at one place.

    None where NEURON runs a stem of one point into the next branch of the file, which is no result
    to compare with.
    """
    rng = random.Random(seed)
    n, n_soma = rng.randint(1, 14), rng.randint(0, 5)
    reach = rng.choice([1, 2, 3, 14])
    types = rng.choice([[3], [3, 4, 2], [3, 2]])
    parent, tag, rows = [-1], [1 if n_soma else rng.choice(types)], []
    for i in range(1, n):
        p = rng.randint(max(0, i - reach), i - 1)
        if tag[p] == 1 and i < n_soma:
            own = 1
        else:
            own = tag[p] if tag[p] != 1 and rng.random() < 0.8 else rng.choice(types)
        parent.append(p)
        tag.append(own)
    if _runs_on(parent, tag):
        return None
    for i in range(n):
        place = [round(rng.uniform(-50, 50), 2) for _ in range(3)]
        if i and rng.random() < 0.1:
            place = rows[parent[i]][2:5]
        radius = round(rng.uniform(0.1, 5), 2) if rng.random() < 0.8 else 2.0
        rows.append([i + 1, tag[i], *place, radius, parent[i] + 1 if i else -1])
    return "".join(" ".join(map(str, row)) + "\n" for row in rows)


def _runs_on(parent: list[int], tag: list[int]) -> bool:
    for p in range(len(parent)):
        stem = tag[p] != 1 and (p == 0 or (p > 1 and tag[parent[p]] == 1))
        later = [i for i in range(p + 2, len(parent)) if parent[i] == p]
        next_is_ours = p + 1 < len(parent) and parent[p + 1] == p and tag[p + 1] == tag[p]
        if stem and later and tag[later[-1]] == tag[p] and not next_is_ours:
            return True
    return False


def random_asc(seed: int) -> str:
    """A soma outline (or none, or two) and trees with branches of any length, some at one place."""
    rng = random.Random(seed)

    def point(spread: float = 50.0) -> str:
        x, y, z = (round(rng.uniform(-spread, spread), 2) for _ in range(3))
        return f"({x} {y} {z} {round(rng.uniform(0.1, 3), 2)})"

    def branch(depth: int) -> str:
        points = [point() for _ in range(rng.choice([1, 2, 2, 3, 5]))]
        if len(points) > 1 and rng.random() < 0.2:
            points[1] = points[0]
        text = " ".join(points)
        if depth and rng.random() < 0.7:
            kids = [branch(depth - 1) for _ in range(rng.choice([1, 2, 2, 3]))]
            if rng.random() < 0.3:
                kids[0] = points[-1] + " " + kids[0]
            return f"{text} ({' | '.join(kids)})"
        return text + rng.choice(["", " Normal", " High"])

    outlines = ""
    for k in range(rng.choice([0, 1, 1, 1, 2])):
        angles = np.sort(np.random.default_rng(seed + k).uniform(0, 2 * np.pi, rng.randint(5, 30)))
        center, shift = rng.uniform(-20, 20), rng.choice([0, 200]) * k
        dots = " ".join(
            f"({center + shift + 9 * np.cos(a):.2f} {5 * np.sin(a):.2f} {4.0 * k} 0.1)"
            for a in angles
        )
        outlines += f'("CellBody" (Color Red) (CellBody) {dots})\n'
    kinds = [rng.choice(["Axon", "Dendrite", "Apical"]) for _ in range(rng.randint(1, 4))]
    trees = "".join(f"( (Color Blue) ({kind}) {branch(3)} )\n" for kind in kinds)
    return outlines + trees
