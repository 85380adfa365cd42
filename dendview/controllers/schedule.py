"""Keeps the schedule of the open cell, moves its player, and counts what schedules cost."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from typing import get_args

from dendview.controllers.cells import make_cell
from dendview.controllers.files import usual_cut
from dendview.schedule_scene import METHOD_TEXTS, sensible_speed
from dendview.state import AppState, Message, NamedCurve
from engine.errors import UserError
from engine.experiment import default_experiment
from engine.morphology.reading import read_morphology
from engine.morphology.samples import PREFIX, SAMPLES, sample_path
from engine.schedule import CostCurve, MethodCost, compare, cost_curve, make_schedule
from engine.schedule.model import Schedule
from engine.schedule.topology import as_thread_count
from engine.types import IntArray, NodeSet

SMALL = 100
"""Samples with fewer nodes (the toy, the ball and stick) are no class of cells to compare with."""


@cache
def sample_parent(name: str, nodes: NodeSet) -> IntArray:
    """Parent array of a sample cell, cut as when it is opened."""
    source = f"{PREFIX}{name}"
    experiment = replace(default_experiment(source), rule=usual_cut(source)[0])
    return make_cell(source, read_morphology(sample_path(name)), experiment).trees[nodes].parent


@cache
def sample_curve(name: str, nodes: NodeSet) -> CostCurve | None:
    """Steps of a sample cell against threads; None where it is too small to compare with."""
    parent = sample_parent(name, nodes)
    return cost_curve(parent) if len(parent) >= SMALL else None


class ScheduleController:
    """Replaces ``schedule``, ``step``, ``playing`` and what depends on them.

    The schedule follows ``cell``, ``method``, ``n_threads`` and ``nodes`` by itself.

    Parameters
    ----------
    state
    sample : callable
        Curve of a sample by name and node set.
    """

    def __init__(
        self,
        state: AppState,
        sample: Callable[[str, NodeSet], CostCurve | None] = sample_curve,
    ) -> None:
        self.state = state
        self._sample = sample
        self._pending = 0.0  # steps due while playing, less than one
        self._samples_due: list[str] = []
        self._compared: Schedule | None = None  # whose methods are counted
        for event in (state.events.method, state.events.n_threads):
            event.connect(self._recompute)
        for event in (state.events.cell, state.events.nodes):
            event.connect(self._recompute_all)
        self._recompute_all()

    def choose_method(self, method: str) -> None:
        """Another method; an unknown one is refused with a message."""
        if method in METHOD_TEXTS:
            self.state.method = method
        else:
            self._refuse(
                UserError(f"there is no method '{method}'; choose one of {', '.join(METHOD_TEXTS)}")
            )

    def choose_threads(self, n_threads: int) -> None:
        """Another number of threads; outside 1 to 1024 it is refused with a message."""
        try:
            self.state.n_threads = as_thread_count(n_threads)
        except UserError as error:
            self._refuse(error)

    def choose_nodes(self, nodes: str) -> None:
        """The other node set: ``neuron`` or ``merged``."""
        if nodes in get_args(NodeSet):
            self.state.nodes = nodes  # type: ignore[assignment]
        else:
            self._refuse(UserError(f"there is no node set '{nodes}'; choose neuron or merged"))

    def go_to(self, step: int) -> None:
        """Show the schedule when so many steps are done; clamped to what there is."""
        schedule = self.state.schedule
        self.state.step = 0 if schedule is None else min(max(step, 0), schedule.n_step)

    def advance(self, n_step: int = 1) -> None:
        """So many steps on, or back where negative; stops at the ends."""
        self.go_to(self.state.step + n_step)

    def toggle_play(self) -> None:
        """Play or pause; at the end it begins anew."""
        state = self.state
        if state.playing == "schedule":
            state.playing = ""
        elif state.schedule is not None and state.schedule.n_step:
            if state.step >= state.schedule.n_step:
                state.step = 0
            self._pending = 0.0
            state.playing = "schedule"

    def set_speed(self, speed: float) -> None:
        """Steps per second while playing."""
        if speed > 0:
            self.state.step_speed = speed

    def tick(self, seconds: float) -> None:
        """So much time has passed: a playing schedule moves on, and stops at its end."""
        state = self.state
        if state.playing != "schedule" or state.schedule is None:
            return
        self._pending += seconds * state.step_speed
        due = int(self._pending)
        self._pending -= due
        if due:
            self.advance(due)
        if state.step >= state.schedule.n_step:
            state.playing = ""

    def add_curve(self) -> bool:
        """Count the next missing curve of the chart of costs; False where none is missing.

        The open cell comes first; then a sample a call, so that a window stays alive in between.
        """
        state = self.state
        if state.cell is None:
            return False
        if not state.cost_curves:
            curve = cost_curve(state.cell.trees[state.nodes])
            state.cost_curves = (NamedCurve(state.cell.morphology.name, curve, own=True),)
            return True
        while self._samples_due:
            name = self._samples_due.pop(0)
            sample = self._sample(name, state.nodes)
            if sample is not None and f"{PREFIX}{name}" != state.cell.source:
                named = NamedCurve(SAMPLES[name].title.removesuffix(" cell"), sample)
                state.cost_curves = (*state.cost_curves, named)
                return True
        return False

    def comparison(self) -> Callable[[], tuple[MethodCost, ...]] | None:
        """What counts all methods, also in another thread; None where that is done or under way."""
        state = self.state
        if state.cell is None or state.schedule is None or state.comparison:
            return None
        if self._compared is state.schedule:
            return None
        self._compared = state.schedule
        return partial(compare, state.cell.trees[state.nodes], state.n_threads)

    def show_comparison(self, schedule: Schedule, costs: tuple[MethodCost, ...]) -> None:
        """Take in what was counted, unless there is another schedule by now."""
        if schedule is self.state.schedule:
            self.state.comparison = costs

    def compare(self) -> None:
        """Count all methods for the table now, if that has not been done for this schedule."""
        if (count := self.comparison()) is not None and self.state.schedule is not None:
            self.show_comparison(self.state.schedule, count())

    def _recompute_all(self, *_: object) -> None:
        self._samples_due = list(SAMPLES)
        self.state.cost_curves = ()
        self._recompute()

    def _recompute(self, *_: object) -> None:
        state = self.state
        if state.playing == "schedule":
            state.playing = ""
        state.comparison = ()
        if state.cell is None:
            state.schedule, state.step = None, 0
            return
        try:
            schedule = make_schedule(state.cell.trees[state.nodes], state.method, state.n_threads)
        except UserError as error:
            state.schedule, state.step = None, 0
            self._refuse(error)
            return
        state.step = 0
        state.schedule = schedule
        state.step_speed = sensible_speed(schedule.n_step)

    def _refuse(self, error: UserError) -> None:
        self.state.message = Message(str(error), "error")
