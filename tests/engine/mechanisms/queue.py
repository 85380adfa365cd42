"""The slow, obvious delivery of events to the points of one cell, in NEURON's order of a step."""

import numpy as np

from engine.mechanisms.model import KernelName, Mechanism
from tests.engine.mechanisms.harness import Cell, run_numba


class Queue:
    """Points whose voltage is prescribed; every connection has one slot of weights."""

    def __init__(self, cell: Cell, connections: list[tuple[int, list[float]]]) -> None:
        self.cell, self.mechanism = cell, cell.mechanism
        self.width = len(self.mechanism.weights)
        self.target = [point for point, _ in connections]
        self.none = len(connections) * self.width  # zeros, for events that no connection caused
        weights = [
            w for _, given in connections for w in (given + [0.0] * self.width)[: self.width]
        ]
        cell.arrays["weight"] = np.array(weights + [0.0] * self.width)
        self.pending: list[tuple[float, int, int, int, float, bool]] = []
        self.armed: dict[tuple[int, int], tuple[float, bool]] = {}
        self.spikes: list[tuple[int, float]] = []
        self.count = 0

    def run(self, which: KernelName, t: float, flag: float = 0.0) -> None:
        self.cell.scalars |= {"t": t, "flag": flag}
        self.cell = run_numba(self.cell, which)

    def push(self, t: float, point: int, slot: int, flag: float, own: bool) -> None:
        self.count += 1
        self.pending.append((t, self.count, point, slot, flag, own))

    def event(self, t: float, connection: int) -> None:
        """What a NetCon brings from outside."""
        self.push(t, self.target[connection], connection * self.width, 0.0, False)

    def start(self) -> None:
        if self.mechanism.connect is not None:
            for connection, point in enumerate(self.target):
                slot = connection * self.width
                self.cell.event = {"point": point, "instance": 0, "slot": slot}
                self.run("connect", 0.0)
        self.run("initialize", 0.0)
        for point in range(len(self.cell.node)):
            self._collect("initialize", point, self.none)

    def _collect(self, where: KernelName, point: int, slot: int) -> None:
        arrays = self.cell.arrays
        for send in (s for s in self.mechanism.sends if s.where == where):
            time, flag = arrays[send.time][point], arrays[send.flag][point]
            if np.isnan(time):
                continue
            if send.kind == "send":
                self.push(time, point, slot, flag, True)
            elif send.kind == "event":
                self.spikes.append((point, time))
            else:
                moved = max(e for e in self.pending if e[2] == point and e[5] and e[4] == 1)
                self.pending.remove(moved)
                self.push(time, point, moved[3], moved[4], True)

    def deliver(self, until: float) -> None:
        while due := [e for e in self.pending if e[0] <= until]:
            first = min(due)
            self.pending.remove(first)
            t, _, point, slot, flag, _ = first
            self.cell.event = {"point": point, "instance": 0, "slot": slot}
            self.run("receive", t, flag)
            self._collect("receive", point, slot)
            flags = [self.cell.arrays[w.flag][point] for w in self.mechanism.watches]
            if not np.isnan(flags).all():
                self.run("watch", t)
                for i, (watch, begun) in enumerate(zip(self.mechanism.watches, flags, strict=True)):
                    self.armed.pop((point, i), None)
                    if not np.isnan(begun):
                        holds = self.cell.arrays[watch.value][point] >= 0
                        self.armed[point, i] = begun, bool(holds)

    def check(self, t: float) -> None:
        """Conditions that have begun to hold."""
        self.run("watch", t)
        for (point, i), (flag, holds) in self.armed.items():
            now = self.cell.arrays[self.mechanism.watches[i].value][point] > 0
            if now and not holds:
                self.push(t, point, self.none, flag, False)
            self.armed[point, i] = flag, bool(now)

    def step(self, t: float, dt: float, before: np.ndarray, after: np.ndarray) -> None:
        """One step with the voltages before and after it."""
        self.cell.arrays["voltage"][:] = before
        self.check(t)
        self.deliver(t + dt / 2)
        for name in ("i_membrane", "g_membrane"):
            self.cell.arrays[name][:] = 0.0
        for ion in self.mechanism.ions:
            if ion.current in self.cell.arrays:
                self.cell.arrays[ion.current][:] = 0.0
        self.run("current", t + dt / 2)
        self.cell.arrays["voltage"][:] = after
        self.run("advance", t + dt)
        self.deliver(t + dt / 2 + dt / 2)  # NEURON records before this


def queue_of(mechanism: Mechanism, connections: list[tuple[int, list[float]]]) -> Queue:
    """One point of a mechanism on one node."""
    return Queue(Cell(mechanism, np.array([0]), 1), connections)
