"""How many threads are fastest now: on a busy machine waiting for one another costs more than it
wins."""

from collections.abc import Iterable

RETRY = 8
"""Every so many calls the other choice is tried again."""


class Pace:
    """Choose among numbers of threads by the time steps took; the numbers of a run do not change.

    Parameters
    ----------
    choices
        Numbers of threads, the one to begin with first.
    """

    def __init__(self, choices: Iterable[int]) -> None:
        self._seconds: dict[int, float | None] = dict.fromkeys(choices)
        self._calls = 0

    def choose(self) -> int:
        """The number for the next call."""
        self._calls += 1
        known = {choice: s for choice, s in self._seconds.items() if s is not None}
        for choice in self._seconds:
            if choice not in known:
                return choice
        best = min(known, key=lambda choice: known[choice])
        others = [choice for choice in known if choice != best]
        if others and self._calls % RETRY == 0:
            return others[self._calls // RETRY % len(others)]
        return best

    def note(self, choice: int, seconds: float) -> None:
        """Remember what a step took."""
        self._seconds[choice] = seconds
