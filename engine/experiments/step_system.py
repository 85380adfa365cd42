"""The equations of one step on a tree, as numbers to solve again and again."""

from dataclasses import dataclass

import numpy as np

from engine.compartments import CompartmentTree
from engine.types import FloatArray, IntArray
from engine.units import NF_PER_UF_CM2_UM2, US_PER_S_CM2_UM2

CM, G_LEAK, E_LEAK = 1.0, 5e-5, -71.0
"""µF/cm², S/cm², mV of the passive membrane whose equations are solved."""
SWING = 20.0
"""mV between the voltages of a node and its neighbors in number: a solve has something to do."""


@dataclass(frozen=True, eq=False)
class StepSystem:
    """A symmetric tree matrix and its right side, as :func:`engine.backends.kernels.solve` has it.

    The solves of a device take :class:`engine.backends.gpu.variants.TreeSystem`, whose right side
    has the axial currents in it.

    Attributes
    ----------
    parent : (n_comp,) int32
        Parents first, -1 at roots.
    a : (n_comp,) µS
        Axial conductance to the parent.
    v : (n_comp,) mV
    d, r : (n_comp,) µS, nA
        Diagonal, and right side without the axial currents.
    """

    parent: IntArray
    a: FloatArray
    v: FloatArray
    d: FloatArray
    r: FloatArray

    @property
    def n_comp(self) -> int:
        return len(self.parent)


def passive_step(tree: CompartmentTree, dt: float = 0.025) -> StepSystem:
    """The equations of a step of a passive cell whose voltage is not yet even.

    Which numbers they are makes no difference to the time of a solve.

    Parameters
    ----------
    tree : CompartmentTree
    dt : ms
    """
    return step_of(tree.parent, np.where(tree.parent < 0, 0.0, tree.g_axial), tree.area, dt)


def step_of(parent: IntArray, a: FloatArray, area: FloatArray, dt: float) -> StepSystem:
    """The same from a tree's numbers: (n_comp,) each, ``a`` µS, 0 at roots, ``area`` µm²."""
    inner = parent >= 0
    leak = G_LEAK * area * US_PER_S_CM2_UM2
    d = CM * area * NF_PER_UF_CM2_UM2 / dt + leak + a
    np.add.at(d, parent[inner], a[inner])
    v = E_LEAK + SWING * np.sin(np.arange(len(parent)))
    return StepSystem(parent, a, v, d, leak * (E_LEAK - v))
