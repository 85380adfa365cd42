"""A schedule: which thread eliminates which compartment at which step."""

from dataclasses import dataclass

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

    @property
    def n_step(self) -> int:
        return len(self.step_start) - 1

    @property
    def n_comp(self) -> int:
        return len(self.thread)
