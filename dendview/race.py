"""A race of schedules on one cell: every lane takes its steps at the same beat. No Qt here."""

from dataclasses import dataclass

from engine.compartments import CompartmentTree
from engine.schedule import lower_bound
from engine.schedule.making import schedule_topology
from engine.schedule.topology import as_parent, make_topology
from engine.types import IntArray, ScheduleMethod

RACERS: tuple[ScheduleMethod, ...] = (
    "dhs", "height_levels", "depth_levels", "permute2", "branches", "hines",
)  # fmt: skip
"""Who takes part, from the top lane down; permute 1 gives a cell one thread, as serial Hines."""
FIELD_SECONDS = 7.0
"""The slowest lane but serial Hines is done after so many seconds."""
HURRY = 8.0
"""So many times as fast once only serial Hines is under way."""


@dataclass(frozen=True, eq=False)
class Lane:
    """One method's way: ``done[s]`` nodes are eliminated after s steps, (n_step + 1,)."""

    method: ScheduleMethod
    done: IntArray

    @property
    def n_step(self) -> int:
        return len(self.done) - 1

    def share(self, step: float) -> float:
        """Share of the nodes that are done, 0 to 1."""
        whole = int(self.done[-1])
        return float(self.done[min(int(step), self.n_step)]) / whole if whole else 1.0

    def busy(self, step: float) -> int:
        """Threads at work in the step under way; 0 once it is through."""
        s = int(step)
        return int(self.done[s + 1] - self.done[s]) if s < self.n_step else 0


@dataclass(frozen=True, eq=False)
class Race:
    """All lanes after ``step`` beats; a part of a beat counts for how soon the next one comes."""

    lanes: tuple[Lane, ...]
    n_threads: int
    bound: int
    step: float = 0.0

    @property
    def length(self) -> int:
        """Beats until the last lane is through."""
        return max(lane.n_step for lane in self.lanes)

    @property
    def over(self) -> bool:
        return self.step >= self.length

    @property
    def beats_per_second(self) -> float:
        """The beat of the race, quicker once nobody but serial Hines runs."""
        field = [lane.n_step for lane in self.lanes if lane.method != "hines"]
        slowest = max([*field, 1])
        beat = slowest / FIELD_SECONDS
        return beat * HURRY if self.step >= slowest else beat

    def after(self, seconds: float) -> float:
        """Beats done so much later."""
        return min(self.step + seconds * self.beats_per_second, float(self.length))

    def place(self, lane: Lane) -> int:
        """1 for who is through first, 0 while under way; equals share a place."""
        if self.step < lane.n_step:
            return 0
        return 1 + sum(other.n_step < lane.n_step for other in self.lanes)

    def verdict(self, lane: Lane) -> str:
        """``82 steps = bound ✓ optimal`` or ``121 steps (+48 %)``; empty while under way."""
        if self.step < lane.n_step:
            return ""
        if lane.n_step <= self.bound:
            return f"{lane.n_step} = bound {self.bound} ✓ optimal"
        return f"{lane.n_step} (+{100 * (lane.n_step / max(self.bound, 1) - 1):.0f} %)"


def make_race(tree: CompartmentTree | IntArray, n_threads: int) -> Race:
    """All racers at the start; takes a second on a large tree."""
    topology = make_topology(as_parent(tree))
    lanes = tuple(
        Lane(method, schedule_topology(topology, method, n_threads).step_start) for method in RACERS
    )
    return Race(lanes, n_threads, lower_bound(topology.parent, n_threads))
