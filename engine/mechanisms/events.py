"""Statements that have to do with events: what they leave behind for the event queue."""

import math
from dataclasses import dataclass, field

from engine.mechanisms.expressions import ZERO, Binary, Expr, Number
from engine.mechanisms.model import KernelName, Send, Watch
from engine.mechanisms.source import WatchFor

NEVER = Number(math.nan)
"""Time of an event that was not sent."""
SENDS: dict[str, tuple[str, int]] = {
    "net_send": ("send", 2),
    "net_event": ("event", 1),
    "net_move": ("move", 1),
}
"""Procedures that send: kind and number of arguments."""
_PREFIX: dict[KernelName, str] = {"initialize": "start", "receive": "send"}


@dataclass
class Slots:
    """Where one kernel leaves its events.

    Every statement that sends has a slot of its own, in the order in which they are met, so that a
    straight line of code can say which of them happened.
    """

    kernel: KernelName
    sends: list[Send] = field(default_factory=list)
    watched: list[WatchFor] = field(default_factory=list)

    def send(self, kind: str) -> Send:
        assert kind in ("send", "event", "move")
        stem = f"{_PREFIX[self.kernel]}__{len(self.sends) + 1}"
        self.sends.append(Send(self.kernel, kind, f"{stem}__time", f"{stem}__flag"))  # type: ignore[arg-type]
        return self.sends[-1]

    def watch(self, statement: WatchFor) -> Watch:
        if statement not in self.watched:
            self.watched.append(statement)
        return watch_slot(self.watched.index(statement))

    def unset(self) -> dict[str, Expr]:
        """What the slots hold where nothing happened."""
        values: dict[str, Expr] = {}
        for send in self.sends:
            values |= {send.time: NEVER, send.flag: ZERO}
        return values | {watch_slot(i).flag: NEVER for i in range(len(self.watched))}


def watch_slot(i: int) -> Watch:
    return Watch(f"watch__{i + 1}__flag", f"watch__{i + 1}__value")


def excess(condition: Expr) -> Expr | None:
    """What is positive where ``a > b`` or ``a < b`` holds; None for other conditions."""
    match condition:
        case Binary(">" | ">=", left, right):
            return Binary("-", left, right)
        case Binary("<" | "<=", left, right):
            return Binary("-", right, left)
    return None
