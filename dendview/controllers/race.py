"""Runs the race of the schedules."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from dendview.race import Race, make_race
from dendview.state import AppState


class RaceController:
    """Replaces ``race`` and ``playing``; another tree or number of threads ends the race."""

    def __init__(self, state: AppState) -> None:
        self.state = state
        for event in (state.events.cell, state.events.nodes, state.events.n_threads):
            event.connect(self._forget)

    def preparation(self) -> Callable[[], Race] | None:
        """What brings the racers to the start, also in another thread; None without a cell."""
        state = self.state
        if state.cell is None:
            return None
        return partial(make_race, state.cell.trees[state.nodes], state.n_threads)

    def begin(self, race: Race) -> None:
        """Go, unless the threads are others by now."""
        if race.n_threads == self.state.n_threads:
            self.state.race = replace(race, step=0.0)
            self.state.playing = "race"

    def toggle(self) -> None:
        """Pause or go on; once it is over, again from the start."""
        race = self.state.race
        if race is None or self.state.playing == "race":
            self.state.playing = ""
            return
        if race.over:
            self.state.race = replace(race, step=0.0)
        self.state.playing = "race"

    def finish(self) -> None:
        """To the end at once."""
        if (race := self.state.race) is not None:
            self.state.race = replace(race, step=float(race.length))
            if self.state.playing == "race":
                self.state.playing = ""

    def tick(self, seconds: float) -> None:
        """So much time has passed."""
        race = self.state.race
        if self.state.playing != "race" or race is None:
            return
        self.state.race = race = replace(race, step=race.after(seconds))
        if race.over:
            self.state.playing = ""

    def _forget(self, *_: object) -> None:
        if self.state.playing == "race":
            self.state.playing = ""
        self.state.race = None
