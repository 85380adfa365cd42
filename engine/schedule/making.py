"""From a tree to a schedule, by any method."""

from typing import get_args

from engine.compartments import CompartmentTree
from engine.errors import UserError
from engine.schedule.branches import branches
from engine.schedule.dhs import dhs
from engine.schedule.model import Schedule
from engine.schedule.permute import permute1, permute2
from engine.schedule.plain import hines, levels
from engine.schedule.topology import Topology, as_parent, as_thread_count, make_topology
from engine.types import IntArray, ScheduleMethod

METHODS: tuple[ScheduleMethod, ...] = get_args(ScheduleMethod)


def make_schedule(
    tree: CompartmentTree | IntArray, method: ScheduleMethod, n_threads: int
) -> Schedule:
    """Decide which thread eliminates which node of a tree at which step.

    Parameters
    ----------
    tree : CompartmentTree or (n_comp,) int
        A tree or forest, or its parent array: parents first, -1 at a root.
    method : str
        ``hines``, ``permute1``, ``permute2``, ``branches``, ``depth_levels``, ``height_levels`` or
        ``dhs``.
    n_threads : int
        k, 1 to 1024. ``hines`` leaves all but one idle.

    Raises
    ------
    UserError
        If it is not a tree, the method is unknown or k is out of range.
    """
    return schedule_topology(make_topology(as_parent(tree)), method, as_thread_count(n_threads))


def schedule_topology(tree: Topology, method: ScheduleMethod, n_threads: int) -> Schedule:
    """The same for a topology made before, so that several schedules of a tree share it."""
    match method:
        case "hines":
            parts = hines(tree)
        case "permute1":
            parts = permute1(tree, n_threads)
        case "permute2":
            parts = permute2(tree, n_threads)
        case "branches":
            parts = branches(tree, n_threads)
        case "depth_levels":
            parts = levels(tree, n_threads, "depth")
        case "height_levels":
            parts = levels(tree, n_threads, "height")
        case "dhs":
            parts = dhs(tree, n_threads)
        case _:
            raise UserError(
                f"there is no schedule method '{method}'; choose one of {', '.join(METHODS)}"
            )
    return Schedule.from_parts(method, n_threads, *parts, tree.parent)
