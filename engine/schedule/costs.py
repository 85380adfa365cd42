"""What schedules cost: steps against threads (the paper's Fig. 2f) and by method (Fig. 1h)."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from engine.compartments import CompartmentTree
from engine.schedule.bound import depths, lower_bound
from engine.schedule.making import METHODS, schedule_topology
from engine.schedule.topology import as_parent, as_thread_count, make_topology
from engine.types import FloatArray, IntArray, ScheduleMethod

POWERS = tuple(2**i for i in range(11))
"""1, 2, 4, ... 1024 threads."""


@dataclass(frozen=True, eq=False)
class CostCurve:
    """Steps of one tree with a growing number of threads.

    Attributes
    ----------
    method : str
    n_threads, n_step, bound : (n,) int32
        k, the steps with k threads, and the fewest any schedule could have.
    n_serial : int
        Steps of one thread.
    depth : int
        Steps of any number of threads, at best.
    """

    method: ScheduleMethod
    n_threads: IntArray
    n_step: IntArray
    bound: IntArray
    n_serial: int
    depth: int

    @property
    def relative(self) -> FloatArray:
        """(n,) steps as a share of the serial ones; 1 where there is nothing to do."""
        return self.n_step / self.n_serial if self.n_serial else np.ones(len(self.n_step))


@dataclass(frozen=True)
class MethodCost:
    """One method's cost; ``above`` is the share of steps over the bound, 0 where optimal."""

    method: ScheduleMethod
    n_threads: int
    n_step: int
    bound: int
    n_idle: int
    relative: float
    occupancy: float

    @property
    def above(self) -> float:
        return self.n_step / self.bound - 1 if self.bound else 0.0


def cost_curve(
    tree: CompartmentTree | IntArray,
    n_threads: Iterable[int] = POWERS,
    method: ScheduleMethod = "dhs",
) -> CostCurve:
    """Steps of a tree for several numbers of threads.

    Raises
    ------
    UserError
        As :func:`engine.schedule.make_schedule`.
    """
    parent = as_parent(tree)
    topology = make_topology(parent)
    ks = [as_thread_count(k) for k in n_threads]
    return CostCurve(
        method,
        np.array(ks, np.int32),
        np.array([schedule_topology(topology, method, k).n_step for k in ks], np.int32),
        np.array([lower_bound(parent, k) for k in ks], np.int32),
        int(np.count_nonzero(parent >= 0)),
        int(depths(parent).max()),
    )


def compare(tree: CompartmentTree | IntArray, n_threads: int) -> tuple[MethodCost, ...]:
    """Every method with the same number of threads, in the order of ``METHODS``.

    Raises
    ------
    UserError
        As :func:`engine.schedule.make_schedule`.
    """
    topology, k = make_topology(as_parent(tree)), as_thread_count(n_threads)
    bound = lower_bound(topology.parent, k)
    made = (schedule_topology(topology, method, k) for method in METHODS)
    return tuple(
        MethodCost(s.method, k, s.n_step, bound, s.n_idle, s.relative, s.occupancy) for s in made
    )
