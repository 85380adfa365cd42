"""Statements that have to do with events: what they leave behind for the event queue."""

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.mechanisms.expressions import ZERO, Binary, Expr, Name, Number, fold
from engine.mechanisms.model import KernelName, Send, Watch
from engine.mechanisms.source import WatchFor

if TYPE_CHECKING:
    from engine.mechanisms.lower import Lowering

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


def send(lowering: "Lowering", name: str, values: tuple[Expr, ...], line: int) -> None:
    """``net_send`` and its like: time and flag go to a slot."""
    kind, wanted = SENDS[name]
    if lowering.kernel not in _PREFIX or lowering.source.kind == "density":
        raise lowering.error(
            f"{name} stands outside INITIAL and NET_RECEIVE of a point process",
            "move it there",
            line,
        )
    if len(values) != wanted:
        raise lowering.error(
            f"{name} takes {wanted} argument(s), not {len(values)}", "mend the call", line
        )
    slot = lowering.slots.send(kind)
    time = values[0] if wanted == 1 else fold(Binary("+", Name("t"), values[0]))
    lowering.values[slot.time] = lowering.define("when", time)
    if kind == "send":
        lowering.values[slot.flag] = lowering.define("flag", values[1])


def watch(lowering: "Lowering", statement: WatchFor, flag: Expr) -> None:
    """``WATCH``: its flag goes to a slot; the condition is computed by a kernel of its own."""
    if lowering.kernel != "receive":
        raise lowering.error("WATCH stands outside NET_RECEIVE", "move it there", statement.line)
    if excess(statement.condition) is None:
        raise lowering.error("WATCH needs a comparison", "write WATCH (a > b) 1", statement.line)
    lowering.values[lowering.slots.watch(statement).flag] = flag
