"""Where a study is, and how long it will take."""

from dataclasses import dataclass
from time import perf_counter

from engine.experiments.robustness.study import Result


@dataclass(frozen=True, eq=False)
class Progress:
    """Where a study is.

    Attributes
    ----------
    phase : str
        What is being done, as words.
    fraction : float
        Of the whole study.
    remaining : float
        Seconds, foreseen; infinite until something is measured.
    result : Result
        With all points so far.
    """

    phase: str
    fraction: float
    remaining: float
    result: Result


@dataclass
class Clock:
    """Work done and to do, in multiplications.

    What was found in the folder took no time, and the first piece of work none that counts: it
    waits for what is compiled and built.
    """

    total: float
    done: float = 0.0
    measured: float = 0.0
    begin: float | None = None

    def note(self, work: float, found: bool = False) -> None:
        self.done += work
        if found:
            return
        if self.begin is None:
            self.begin = perf_counter()
        else:
            self.measured += work

    @property
    def fraction(self) -> float:
        return min(1.0, self.done / self.total)

    @property
    def remaining(self) -> float:
        if self.begin is None or not self.measured:
            return float("inf")
        return (perf_counter() - self.begin) / self.measured * max(0.0, self.total - self.done)
