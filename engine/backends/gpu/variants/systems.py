"""Tree systems to be solved, and populations of cells in which many share a tree."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.compartments import CompartmentTree
from engine.errors import UserError
from engine.schedule.topology import as_parent
from engine.types import FloatArray, IntArray
from engine.units import NF_PER_UF_CM2_UM2, US_PER_S_CM2_UM2

CM, G_LEAK = 1.0, 1e-4
"""µF/cm² and S/cm² of the passive membrane whose equations are solved."""


@dataclass(frozen=True, eq=False)
class TreeSystem:
    """One cell's linear system: a symmetric tree matrix and a right side.

    Attributes
    ----------
    parent : (n_comp,) int32
        Parents first, -1 at a root.
    g_axial : (n_comp,) µS
        ``-g_axial[i]`` stands between i and its parent; anything at a root.
    diag : (n_comp,) µS
    rhs : (n_comp,) nA
    copies : int
        So many equal cells.
    """

    parent: IntArray
    g_axial: FloatArray
    diag: FloatArray
    rhs: FloatArray
    copies: int = 1

    @property
    def n_comp(self) -> int:
        return len(self.parent)


@dataclass(frozen=True, eq=False)
class Shape:
    """What cells with the same tree, axial conductances and (where it matters) diagonal share."""

    parent: IntArray
    g_axial: FloatArray
    diag: FloatArray

    @property
    def n_comp(self) -> int:
        return len(self.parent)


@dataclass(frozen=True, eq=False)
class Population:
    """Cells in the order in which a device keeps them: small ones first, equal trees side by side.

    Attributes
    ----------
    systems : tuple of TreeSystem
        As they were given.
    shapes : tuple of Shape
    shape_of : (n_cell,) int32
        Ascending.
    system_of : (n_cell,) int32
        Which of the systems each cell is; copies stand side by side.
    """

    systems: tuple[TreeSystem, ...]
    shapes: tuple[Shape, ...]
    shape_of: IntArray
    system_of: IntArray

    @property
    def n_cell(self) -> int:
        return len(self.shape_of)

    @property
    def size(self) -> IntArray:
        """(n_cell,) nodes of every cell."""
        return np.array([s.n_comp for s in self.shapes], np.int32)[self.shape_of]

    @property
    def n_node(self) -> int:
        """Nodes of all cells."""
        return int(self.size.sum(dtype=np.int64))


def make_population(systems: Sequence[TreeSystem], by_diag: bool = False) -> Population:
    """Sort cells and find out which share a tree.

    Parameters
    ----------
    systems
        At least one.
    by_diag
        Cells with other diagonals are other shapes: needed where factors are kept for a shape.

    Raises
    ------
    UserError
        If there is no system, an array has the wrong length, or one is not a tree.
    """
    if not systems:
        raise UserError("there is nothing to solve; give at least one tree system")
    found: dict[tuple[bytes, ...], int] = {}
    shapes: list[Shape] = []
    shape_of_system = []
    for number, system in enumerate(systems):
        parent = as_parent(system.parent)
        _check(number, system)
        numbers = (system.g_axial, system.diag) if by_diag else (system.g_axial,)
        key = (parent.tobytes(), *(np.asarray(x, float).tobytes() for x in numbers))
        if key not in found:
            found[key] = len(shapes)
            shapes.append(
                Shape(parent, np.where(parent < 0, 0.0, system.g_axial), np.array(system.diag))
            )
        shape_of_system.append(found[key])
    ranked = sorted(range(len(shapes)), key=lambda s: (shapes[s].n_comp, s))
    place = np.argsort(ranked)
    order = sorted(range(len(systems)), key=lambda i: (place[shape_of_system[i]], i))
    copies = [systems[i].copies for i in order]
    system_of = np.repeat(np.array(order, np.int32), copies)
    return Population(
        tuple(systems),
        tuple(shapes[s] for s in ranked),
        place[np.array(shape_of_system)][system_of].astype(np.int32),
        system_of,
    )


def _check(number: int, system: TreeSystem) -> None:
    for name in ("g_axial", "diag", "rhs"):
        if (size := len(getattr(system, name))) != system.n_comp:
            raise UserError(
                f"system {number} has {system.n_comp} nodes and {size} values of {name}; "
                "give one for each node"
            )
    if system.copies < 1:
        raise UserError(f"system {number} is wanted {system.copies} times; ask for at least one")


def passive_system(
    tree: CompartmentTree, dt: float = 0.025, copies: int = 1, seed: int = 0
) -> TreeSystem:
    """A backward Euler step of a passive cell with random currents.

    The diagonal is ``C/dt + g_leak + sum of g_axial``; currents are drawn between -1 and 1 nA.
    """
    return step_system(tree.parent, tree.g_axial, tree.area, dt, copies, seed)


def step_system(
    parent: IntArray, g_axial: FloatArray, area: FloatArray, dt: float, copies: int, seed: int
) -> TreeSystem:
    """The same from a tree's numbers: (n_comp,) each, µS and µm²."""
    inner = parent >= 0
    g_axial = np.where(inner, g_axial, 0.0)
    diag = area * (CM * NF_PER_UF_CM2_UM2 / dt + G_LEAK * US_PER_S_CM2_UM2) + g_axial
    np.add.at(diag, parent[inner], g_axial[inner])
    rhs = np.random.default_rng(seed).uniform(-1, 1, len(parent))
    return TreeSystem(parent, g_axial, diag, rhs, copies)
