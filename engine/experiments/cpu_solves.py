# mypy: disable-error-code="no-untyped-def"
"""Many equal cells solved by one core in the orders of the schedules, and as the engine does it.

One core takes all nodes of a step one after the other: these times tell what an order costs in
memory traffic and waiting, not what k threads win. Every solve begins with writing the diagonal
and the right side of all nodes, as a step does.
"""

from typing import Any, Literal, get_args

import numpy as np
from numba import njit

from engine.backends import kernels, rows
from engine.backends.layout import level_order
from engine.experiments.step_system import StepSystem
from engine.mechanisms import lanes
from engine.schedule.model import Schedule
from engine.types import FloatArray, IntArray

J = {"nogil": True, "cache": True, "error_model": "numpy"}
EIGHT = lanes.WIDTH
Walk = Literal["serial", "gather", "stored", "engine"]
"""Serial Hines in the order of the tree; a schedule's order over nodes numbered as in the tree,
parents gathering from lists of children; the same over nodes stored in that order; the engine's."""
WALKS: tuple[Walk, ...] = get_args(Walk)
ARRAYS = {"serial": 4, "gather": 6, "stored": 4, "engine": 4}
"""Numbers kept for each node of each cell."""
FEW = 3
"""So many cells the engine solves one by one, more of them eight side by side."""


@njit(**J)
def _serial(times, parent, a, own_d, own_r, v, d, r, f):
    for _ in range(times):
        for c in range(d.shape[0]):
            dc, rc = d[c], r[c]
            for i in range(own_d.size):
                dc[i] = own_d[i]
                rc[i] = own_r[i]
            kernels.solve_serial(parent, a, v[c], dc, rc, f[c])


@njit(**J)
def _gather(
    times, node, step_start, root, parent, start, child, a, own_d, own_r, v, d, r, f, share, flow
):
    for _ in range(times):
        for c in range(d.shape[0]):
            dc, rc = d[c], r[c]
            for i in range(own_d.size):
                dc[i] = own_d[i]
                rc[i] = own_r[i]
            order = (node, step_start, root, parent, start, child)
            kernels.solve_scheduled(*order, a, v[c], dc, rc, f[c], share[c], flow[c])


@njit(**J)
def _stored(times, parent, n_root, a, own_d, own_r, v, d, r, f):
    for _ in range(times):
        for c in range(d.shape[0]):
            dc, rc = d[c], r[c]
            for i in range(own_d.size):
                dc[i] = own_d[i]
                rc[i] = own_r[i]
            kernels.solve(parent, n_root, a, v[c], dc, rc, f[c])


@njit(**J)
def _eights(times, parent, n_root, a, own_d, own_r, v, d, r, f):
    for _ in range(times):
        for b in range(d.shape[0]):
            db, rb = d[b], r[b]
            for i in range(own_d.size):
                lanes.store(db, i * EIGHT, lanes.splat(own_d[i]))
                lanes.store(rb, i * EIGHT, lanes.splat(own_r[i]))
            rows.solve_eights(parent, n_root, a, v[b], db, rb, f[b])


class CpuSolve:
    """A population of equal cells, ready to be solved over and over by one core.

    Parameters
    ----------
    system : StepSystem
    walk
    n_cells : int
    schedule : Schedule
        Of the system's tree; its order counts where the walk is ``gather`` or ``stored``.
    room : (≥ :func:`numbers_needed`,)
        Memory to work in; solves that are measured in turn may share it.
    """

    def __init__(
        self,
        system: StepSystem,
        walk: Walk,
        n_cells: int,
        schedule: Schedule,
        room: FloatArray | None = None,
    ) -> None:
        n = system.n_comp
        self.walk, self.n_cells, self.n_comp = walk, n_cells, n
        self._together = EIGHT if walk == "engine" and n_cells > FEW else 1
        shape = ARRAYS[walk], -(-n_cells // self._together), n * self._together
        if room is None:
            room = np.empty(numbers_needed(walk, n_cells, n))
        self._arrays = room[: np.prod(shape)].reshape(shape)
        self._order, n_root = _places(system, walk, schedule)
        self._v = np.repeat(system.v[self._order], self._together)
        own = tuple(x[self._order] for x in (system.a, system.d, system.r))
        if walk == "serial":
            self._fixed: tuple[Any, ...] = (system.parent, *own)
            self._call = _serial
        elif walk == "gather":
            self._fixed = (*_lists(schedule), *own)
            self._call = _gather
        else:
            place = np.empty_like(self._order)
            place[self._order] = np.arange(n, dtype=np.int32)
            up = system.parent[self._order]
            parent = np.where(up < 0, 0, place[up]).astype(np.uint32)
            self._fixed = (parent, n_root, *own)
            self._call = _stored if self._together == 1 else _eights
        self.take_room()

    def take_room(self) -> None:
        """Fill the memory this works in, which another solve may have used since."""
        self._arrays[0] = self._v
        self._arrays[1:] = 0.0

    def solve(self, times: int = 1) -> None:
        """Solve every cell so many times."""
        self._call(times, *self._fixed, *self._arrays)

    @property
    def solution(self) -> FloatArray:
        """(n_cells, n_comp) mV, change of voltage in the order of the tree."""
        n = self.n_comp
        r = self._arrays[2].reshape(-1, n, self._together).swapaxes(1, 2).reshape(-1, n)
        result = np.empty((self.n_cells, n))
        result[:, self._order] = r[: self.n_cells]
        return result


def numbers_needed(walk: Walk, n_cells: int, n_comp: int) -> int:
    """Double precision numbers that a population takes."""
    together = EIGHT if walk == "engine" and n_cells > FEW else 1
    return ARRAYS[walk] * -(-n_cells // together) * together * n_comp


def _places(system: StepSystem, walk: Walk, schedule: Schedule) -> tuple[IntArray, int]:
    """The tree's node at each place, and how many roots come first."""
    root = np.flatnonzero(system.parent < 0).astype(np.int32)
    if walk == "engine":
        return level_order(system.parent).order, root.size
    if walk == "stored":
        return np.concatenate([root, schedule.node[::-1]]), root.size
    return np.arange(system.n_comp, dtype=np.int32), root.size


def _lists(schedule: Schedule) -> tuple[IntArray, ...]:
    """Steps, roots and lists of children, as :func:`kernels.solve_scheduled` takes them."""
    parent, n = schedule.parent, schedule.n_comp
    index = np.arange(n, dtype=np.int32)
    root = index[parent < 0]
    child = np.lexsort((-index, parent))[root.size :].astype(np.int32)
    start = np.searchsorted(parent[child], np.arange(n + 1)).astype(np.int32)
    return schedule.node, schedule.step_start, root, parent, start, child
