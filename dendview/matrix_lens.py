"""The matrix of a small tree while a schedule eliminates it, as plain numbers. No Qt here."""

from dataclasses import dataclass

import numpy as np

from engine.compartments import CompartmentTree
from engine.experiments.step_system import passive_step
from engine.schedule.model import Schedule
from engine.types import BoolArray, FloatArray, IntArray

LARGEST = 40
"""Nodes of the largest matrix that can be read."""


@dataclass(frozen=True, eq=False)
class Lens:
    """The system after so many steps.

    Row i says ``d[i] x[i] - a x[parent] - sum of a x[child] = b[i]``. Eliminating node i subtracts
    its row, scaled, from its parent's: the parent's entry for i becomes 0, ``d`` and ``b`` of the
    parent change; the entry of row i for the parent stays for the way back.

    Attributes
    ----------
    parent : (n_comp,) int32
    a : (n_comp,) µS
        Between each node and its parent; 0 at roots.
    d, b : (n_comp,) µS, nA
    gone : (n_comp,) bool
        Nodes that are eliminated.
    taken : (n_comp,) int32
        The thread of each node of the step shown, else -1.
    changed : (n_comp,) bool
        Rows that this step has changed.
    """

    parent: IntArray
    a: FloatArray
    d: FloatArray
    b: FloatArray
    gone: BoolArray
    taken: IntArray
    changed: BoolArray

    @property
    def n_comp(self) -> int:
        return len(self.parent)

    def entry(self, row: int, column: int) -> float | None:
        """The number at a place of the matrix; None where there never is one."""
        if row == column:
            return float(self.d[row])
        if self.parent[row] == column:
            return -float(self.a[row])
        if self.parent[column] == row:
            return 0.0 if self.gone[column] else -float(self.a[column])
        return None

    def tell(self, row: int, column: int) -> str:
        """A line on a place; ``column`` n_comp is the right side."""
        if column == self.n_comp:
            return f"b[{row}] = {self.b[row]:.4g} nA"
        value = self.entry(row, column)
        if value is None:
            return ""
        if row == column:
            return f"d[{row}] = {value:.4g} µS"
        if value == 0.0:
            return f"row {row}, column {column}: 0, node {column} is eliminated"
        return f"row {row}, column {column}: {value:.4g} µS"


def look(tree: CompartmentTree, schedule: Schedule, step: int) -> Lens:
    """The equations of a passive step of a tree when ``step`` steps of its schedule are done."""
    system = passive_step(tree)
    parent, a = system.parent, system.a
    inner = np.flatnonzero(parent >= 0)
    flow = a[inner] * (system.v[parent[inner]] - system.v[inner])
    d, b = system.d.copy(), system.r.copy()
    np.add.at(b, inner, flow)
    np.subtract.at(b, parent[inner], flow)
    step = min(max(step, 0), schedule.n_step)
    gone, changed = np.zeros(len(parent), bool), np.zeros(len(parent), bool)
    taken = np.full(len(parent), -1, np.int32)
    for s in range(step):
        for i in schedule.node[schedule.step_start[s] : schedule.step_start[s + 1]]:
            factor = a[i] / d[i]
            d[parent[i]] -= factor * a[i]
            b[parent[i]] += factor * b[i]
            gone[i] = True
            if s == step - 1:
                taken[i] = schedule.thread[i]
                changed[parent[i]] = True
    return Lens(parent, a, d, b, gone, taken, changed)
