"""Random binary trees as SWC files, the same for every program."""

from pathlib import Path

import numpy as np

POINTS = 8
"""Points of a branch."""
STEP = 9.0
"""µm between them."""
BRANCHES = {1000: 200, 5000: 1000, 50_000: 10_000}
"""Branches of a tree by its nominal number of compartments, five to a branch."""


def write_tree(path: Path, n_branch: int, seed: int = 1) -> None:
    """Grow a cell with a soma of three points, stems and random bifurcations.

    Parameters
    ----------
    path
        The SWC file.
    n_branch
        Unbranched pieces of dendrite, even.
    seed
    """
    random = np.random.default_rng(seed)
    lines = ["1 1 0 0 0 10 -1", "2 1 0 -10 0 10 1", "3 1 0 10 0 10 1"]
    n_stem = 6
    tips: list[tuple[int, np.ndarray, np.ndarray, float]] = []

    def grow(parent: int, start: np.ndarray, direction: np.ndarray, radius: float) -> None:
        place = start
        for _ in range(POINTS):
            direction = direction + 0.25 * random.normal(size=3)
            direction = direction / np.linalg.norm(direction)
            place = place + STEP * direction
            radius = max(0.25, 0.985 * radius)
            x, y, z = place
            lines.append(f"{len(lines) + 1} 3 {x:.4f} {y:.4f} {z:.4f} {radius:.4f} {parent}")
            parent = len(lines)
        tips.append((parent, place, direction, radius))

    for _ in range(n_stem):
        direction = random.normal(size=3)
        direction /= np.linalg.norm(direction)
        grow(1, 10 * direction, direction, 1.2)
    for _ in range((n_branch - n_stem) // 2):
        parent, place, direction, radius = tips.pop(int(random.integers(len(tips))))
        across = np.cross(direction, random.normal(size=3))
        across /= np.linalg.norm(across)
        for side in (1, -1):
            grow(parent, place, direction + 0.7 * side * across, max(0.3, 0.85 * radius))
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
