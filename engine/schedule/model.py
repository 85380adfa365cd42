"""A schedule: which thread eliminates which compartment at which step."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from engine.schedule.bound import depths, lower_bound, threads_needed
from engine.types import IntArray, ScheduleMethod


@dataclass(frozen=True, eq=False)
class Schedule:
    """An order of elimination of a tree over k threads; roots are not eliminated and not counted.

    Attributes
    ----------
    method : str
    n_threads : int
        k, the threads a cell is given.
    node : (n_comp - n_root,) int32
        Nodes in the order of processing, tips first.
    step_start : (n_step + 1,) int32
        Step s takes ``node[step_start[s]:step_start[s + 1]]``.
    thread : (n_comp,) int32
        Thread of every node, -1 at a root.
    parent : (n_comp,) int32
        The tree it was made for.
    """

    method: ScheduleMethod
    n_threads: int
    node: IntArray
    step_start: IntArray
    thread: IntArray
    parent: IntArray

    @classmethod
    def from_parts(
        cls,
        method: ScheduleMethod,
        n_threads: int,
        node: IntArray,
        step_start: IntArray,
        thread_of_entry: IntArray,
        parent: IntArray,
    ) -> "Schedule":
        """A schedule whose threads are given in the order of processing, (n_comp - n_root,)."""
        thread = np.full(parent.size, -1, np.int32)
        thread[node] = thread_of_entry
        return cls(
            method, n_threads, node.astype(np.int32), step_start.astype(np.int32), thread, parent
        )

    @property
    def n_step(self) -> int:
        return len(self.step_start) - 1

    @property
    def n_comp(self) -> int:
        return len(self.thread)

    @property
    def n_serial(self) -> int:
        """Steps of one thread: all nodes but the roots."""
        return len(self.node)

    @property
    def n_idle(self) -> int:
        """Slots (a thread in a step) that do nothing."""
        return self.n_threads * self.n_step - self.n_serial

    @property
    def occupancy(self) -> float:
        """Share of the slots that do something, 0 to 1; 1 where there is nothing to do."""
        return self.n_serial / (self.n_threads * self.n_step) if self.n_step else 1.0

    @property
    def relative(self) -> float:
        """Steps as a share of the serial ones, 0 to 1."""
        return self.n_step / self.n_serial if self.n_serial else 1.0

    @cached_property
    def width(self) -> IntArray:
        """(n_step,) int32, nodes taken in every step."""
        return np.diff(self.step_start).astype(np.int32)

    @cached_property
    def step(self) -> IntArray:
        """(n_comp,) int32, the step that takes each node, from 0; -1 at a root."""
        step = np.full(self.n_comp, -1, np.int32)
        step[self.node] = np.repeat(np.arange(self.n_step, dtype=np.int32), self.width)
        return step

    @cached_property
    def ready(self) -> IntArray:
        """(n_comp,) int32, the first step that finds a node's children all done; -1 at a root."""
        ready = np.zeros(self.n_comp, np.int32)
        child = np.flatnonzero(self.parent >= 0)
        np.maximum.at(ready, self.parent[child], self.step[child] + 1)
        ready[self.parent < 0] = -1
        return ready

    @cached_property
    def n_free(self) -> IntArray:
        """(n_step,) int32, nodes that every step could have taken."""
        ready = self.ready[self.node]
        freed = np.cumsum(np.bincount(ready, minlength=self.n_step))
        return (freed - self.step_start[:-1]).astype(np.int32)

    @cached_property
    def n_threads_enough(self) -> int:
        """Threads from which on the best schedule of this tree is as short as the tree is deep."""
        return threads_needed(self.parent)

    @cached_property
    def depth(self) -> int:
        """Ancestors of the deepest node: no schedule has fewer steps, however many threads."""
        return int(depths(self.parent).max())

    @cached_property
    def bound(self) -> int:
        """Fewest steps that any schedule with this many threads can have."""
        return lower_bound(self.parent, self.n_threads)

    @property
    def optimal(self) -> bool:
        return self.n_step == self.bound

    @property
    def binds(self) -> Literal["depth", "work"]:
        """What keeps any schedule from being shorter: the tree's depth, or too few threads."""
        return "depth" if self.bound == self.depth else "work"
