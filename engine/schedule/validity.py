"""Is it a schedule at all? Asked of every method in the tests, and of any from outside."""

import numpy as np

from engine.schedule.model import Schedule


def check(schedule: Schedule) -> None:
    """Every node but the roots once, every child in an earlier step, one node a thread and step.

    Raises
    ------
    ValueError
        Naming the first violation.
    """
    _check_nodes(schedule)
    _check_steps(schedule)
    _check_order(schedule)
    _check_threads(schedule)


def _first(bad: np.ndarray) -> int | None:
    found = np.flatnonzero(bad)
    return int(found[0]) if found.size else None


def _check_nodes(schedule: Schedule) -> None:
    n_comp, node, parent = schedule.n_comp, schedule.node, schedule.parent
    if parent.size != n_comp:
        raise ValueError(f"the schedule gives {n_comp} nodes a thread, its tree has {parent.size}")
    if (i := _first((node < 0) | (node >= n_comp))) is not None:
        raise ValueError(f"entry {i} takes node {node[i]}; the tree has nodes 0 to {n_comp - 1}")
    times = np.bincount(node, minlength=n_comp)
    if (i := _first((times > 0) & (parent < 0))) is not None:
        raise ValueError(f"node {i} is a root and is taken; roots are not eliminated")
    if (i := _first((times != 1) & (parent >= 0))) is not None:
        raise ValueError(f"node {i} is taken {times[i]} times; every node must be taken once")


def _check_steps(schedule: Schedule) -> None:
    start, k = schedule.step_start, schedule.n_threads
    if start[0] != 0 or start[-1] != schedule.n_serial:
        raise ValueError(
            f"the steps span entries {start[0]} to {start[-1]}, the nodes 0 to {schedule.n_serial}"
        )
    if (s := _first(schedule.width < 0)) is not None:
        raise ValueError(f"step {s} ends at entry {start[s + 1]}, before it begins at {start[s]}")
    if (s := _first(schedule.width > k)) is not None:
        raise ValueError(f"step {s} takes {schedule.width[s]} nodes; there are {k} threads")


def _check_order(schedule: Schedule) -> None:
    step, parent = schedule.step, schedule.parent
    late = (parent >= 0) & (step[parent] >= 0) & (step >= step[parent])
    if (i := _first(late)) is not None:
        raise ValueError(
            f"node {i} is taken in step {step[i]} and its parent {parent[i]} in step "
            f"{step[parent[i]]}; a child must come in an earlier step"
        )


def _check_threads(schedule: Schedule) -> None:
    thread, k = schedule.thread, schedule.n_threads
    if (i := _first((schedule.parent < 0) & (thread != -1))) is not None:
        raise ValueError(f"node {i} is a root and is given thread {thread[i]}; roots have none")
    if (i := _first((schedule.parent >= 0) & ((thread < 0) | (thread >= k)))) is not None:
        raise ValueError(f"node {i} is given thread {thread[i]}; threads are 0 to {k - 1}")
    slot = schedule.step[schedule.node].astype(np.int64) * k + thread[schedule.node]
    order = np.argsort(slot, kind="stable")
    if (i := _first(np.diff(slot[order]) == 0)) is not None:
        a, b = schedule.node[order[i]], schedule.node[order[i + 1]]
        raise ValueError(
            f"nodes {a} and {b} are both on thread {thread[a]} in step {schedule.step[a]}"
        )
