"""Where the published programs' kernels find their nodes: orders for whole populations of cells.

Y. Zhang et al., Nat. Commun. 14:5798 (2023); P. Kumbhar et al., Front. Neuroinform. 13:63 (2019).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.backends.gpu.variants.systems import Population
from engine.errors import UserError
from engine.schedule import Schedule, make_schedule
from engine.types import IntArray, ScheduleMethod

WARP = 32
Places = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class GlobalLayout:
    """Places of all nodes of a population and the arrays of a kernel.

    Attributes
    ----------
    place : tuple of (n_comp,) int64
        For every cell of the population, the place of each of its nodes.
    size : int
        Places in all.
    n_step : int
        Most steps of any group.
    arrays
    """

    place: tuple[Places, ...]
    size: int
    n_step: int
    arrays: dict[str, NDArray]


def lay_interleaved(population: Population) -> GlobalLayout:
    """Cell permutation 1: the j-th nodes of all cells side by side, the largest cell first."""
    orders = [
        np.concatenate(
            [
                np.flatnonzero(shape.parent < 0),
                make_schedule(shape.parent, "permute1", 1).node[::-1],
            ]
        )
        for shape in population.shapes
    ]
    if any(np.count_nonzero(shape.parent < 0) > 1 for shape in population.shapes):
        raise UserError(
            "permute1 takes cells of one root; give the trees of a forest as systems of their own"
        )
    size = population.size
    by_size = np.argsort(-size, kind="stable")  # thread t has cell by_size[t]
    thread = np.empty(len(size), np.int64)
    thread[by_size] = np.arange(len(size))
    stride = np.searchsorted(-size[by_size], -np.arange(size.max()), side="left")
    base = np.cumsum(stride) - stride
    place: list[Places] = []
    parent = np.full(int(stride.sum()), -1, np.int32)
    for cell, s in enumerate(population.shape_of):
        at = np.empty(size[cell], np.int64)
        at[orders[s]] = base[: size[cell]] + thread[cell]
        up = population.shapes[s].parent
        inner = up >= 0
        parent[at[inner]] = at[up[inner]]
        place.append(at)
    sorted_size = size[by_size]
    arrays = {
        "stride": stride.astype(np.int32),
        "size": sorted_size.astype(np.int32),
        "last": (base[sorted_size - 1] + np.arange(len(size))).astype(np.int32),
        "parent": parent,
    }
    return GlobalLayout(tuple(place), int(stride.sum()), int(size.max()) - 1, arrays)


def lay_groups(population: Population, method: ScheduleMethod, n_threads: int) -> GlobalLayout:
    """Warps of ``32 / k`` neighboring cells (blocks of one cell beyond 32 threads).

    The cells of a warp begin together, and what they do in a step lies side by side.
    """
    per_group = max(1, WARP // n_threads)
    schedules = [make_schedule(shape.parent, method, n_threads) for shape in population.shapes]
    known: dict[tuple[int, ...], int] = {}
    merged: list[tuple[list[Places], IntArray, IntArray]] = []
    place: list[Places] = []
    start, kind = [0], []
    for cells in _groups(population.n_cell, per_group):
        key = tuple(int(s) for s in population.shape_of[cells])
        if key not in known:
            known[key] = len(merged)
            merged.append(_merge([schedules[s] for s in key]))
        kind.append(known[key])
        at, _, parent = merged[known[key]]
        place += [start[-1] + a for a in at]
        start.append(start[-1] + len(parent))
    step_at = np.cumsum([0, *(len(m[1]) for m in merged)])
    of_group = np.array(kind)
    arrays = {
        "group_steps": np.array([len(m[1]) - 1 for m in merged], np.int32)[of_group],
        "step_of_group": step_at[of_group].astype(np.int32),
        "step_start": np.concatenate([m[1] for m in merged]).astype(np.int32),
        "group_start": np.array(start[:-1], np.int64),
        "n_node": np.array([len(m[2]) for m in merged], np.int32)[of_group],
        "parent": np.concatenate([merged[m][2] for m in kind]).astype(np.int32),
    }
    return GlobalLayout(tuple(place), start[-1], max(s.n_step for s in schedules), arrays)


def _groups(n_cell: int, per_group: int) -> Iterator[range]:
    for first in range(0, n_cell, per_group):
        yield range(first, min(first + per_group, n_cell))


def _merge(schedules: list[Schedule]) -> tuple[list[Places], IntArray, IntArray]:
    """Places of every cell's nodes in a group, the group's steps, and its parents' places."""
    n_step = max(s.n_step for s in schedules)
    cell = np.repeat(np.arange(len(schedules)), [s.n_serial for s in schedules])
    node = np.concatenate([s.node for s in schedules])
    step = np.concatenate([np.repeat(np.arange(s.n_step), s.width) for s in schedules])
    order = np.argsort(step, kind="stable")
    step_start = np.searchsorted(step[order], np.arange(n_step + 1)).astype(np.int32)
    at = [np.full(s.n_comp, -1, np.int64) for s in schedules]
    place = np.empty(len(node), np.int64)
    place[order] = np.arange(len(node))
    total = len(node)
    for c, schedule in enumerate(schedules):
        at[c][schedule.node] = place[cell == c]
        roots = np.flatnonzero(schedule.parent < 0)
        at[c][roots] = total + np.arange(len(roots))
        total += len(roots)
    parent = np.full(total, -1, np.int32)
    for c, schedule in enumerate(schedules):
        inner = schedule.parent >= 0
        parent[at[c][inner]] = at[c][schedule.parent[inner]]
    return at, step_start, parent


def lay_lists(population: Population, n_threads: int) -> GlobalLayout:
    """Dendritic hierarchical scheduling in the cells' own order: every lane follows its list."""
    made = []
    for shape in population.shapes:
        schedule = make_schedule(shape.parent, "dhs", n_threads)
        made.append((schedule, *_lists(schedule)))
    size = population.size
    start = (np.cumsum(size, dtype=np.int64) - size).astype(np.int64)
    shape_of = population.shape_of
    keys = ("lane_first", "lane_count", "lane_last", "next", "previous", "parent")
    arrays: dict[str, NDArray] = {
        key: np.concatenate([made[s][2][key] for s in shape_of]).astype(np.int32) for key in keys
    }
    arrays["steps_of_cell"] = np.array([m[0].n_step for m in made], np.int32)[shape_of]
    roots = [np.count_nonzero(shape.parent < 0) for shape in population.shapes]
    arrays["roots_of_cell"] = np.array(roots, np.int32)[shape_of]
    arrays["cell_start"] = start
    place = tuple(first + made[s][1] for first, s in zip(start, shape_of, strict=True))
    return GlobalLayout(place, int(size.sum()), max(m[0].n_step for m in made), arrays)


def _lists(schedule: Schedule) -> tuple[Places, dict[str, NDArray]]:
    """Places (roots first, then by index), and each lane's list in both directions."""
    n, k = schedule.n_comp, schedule.n_threads
    order = np.argsort(schedule.parent >= 0, kind="stable")
    at = np.empty(n, np.int64)
    at[order] = np.arange(n)
    follow, previous = np.full((2, n), -1, np.int32)
    first, last = np.full((2, k), -1, np.int32)
    lane = schedule.thread[schedule.node]
    by_lane = np.argsort(lane, kind="stable")
    nodes, lane = at[schedule.node[by_lane]], lane[by_lane]
    same = lane[1:] == lane[:-1]
    follow[nodes[:-1][same]] = nodes[1:][same]
    previous[nodes[1:][same]] = nodes[:-1][same]
    count = np.bincount(lane, minlength=k)
    if len(nodes):
        ends = np.append(~same, True)
        last[lane[ends]] = nodes[ends]
        begins = np.append(True, ~same)
        first[lane[begins]] = nodes[begins]
    parent = np.full(n, -1, np.int32)
    inner = schedule.parent >= 0
    parent[at[inner]] = at[schedule.parent[inner]]
    lists: dict[str, NDArray] = {
        "lane_first": first, "lane_count": count, "lane_last": last,
        "next": follow, "previous": previous, "parent": parent,
    }  # fmt: skip
    return at, lists
