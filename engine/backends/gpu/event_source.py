"""The part of the kernel that delivers events, written out for every mechanism that takes them.

Points that do not send to each other do not see each other's events, so each point's are handled by
one thread: those that are known before the run stand sorted by point, those that are not wait in a
queue of the point's own. The others are in :mod:`engine.backends.gpu.relay_source`.
"""

from engine.backends.gpu.relays import relay_table
from engine.backends.gpu.text import GpuStructure, Names, indented, loop_points, point_places
from engine.backends.structure import state_name
from engine.mechanisms.emit_cuda import body_call
from engine.mechanisms.model import KernelName, Mechanism

NEVER = "(1.0 / 0.0)"
GROW, LOST = 2, 4
"""What a thread reports: a queue is more than half full; an event found no room."""


class PointEvents:
    """Text for the events of one mechanism; point ``j``, its node ``at``."""

    def __init__(self, names: Names, structure: GpuStructure, mechanism: Mechanism) -> None:
        self.names, self.structure, self.mechanism = names, structure, mechanism
        self.queued = mechanism.name in structure.queued
        self.n_weight = max(1, len(mechanism.weights))

    def own(self, name: str, index: str = "j") -> str:
        return self.names.at("own", state_name(self.mechanism, name), index)

    def moving(self, name: str, index: str = "j") -> str:
        return self.names.at("moving", state_name(self.mechanism, name), index)

    def where(self, name: str, index: str = "j") -> str:
        return self.names.at("where", state_name(self.mechanism, name), index)

    def given(self, name: str, index: str = "j") -> str:
        return self.names.at("given", state_name(self.mechanism, name), index)

    def body(self, which: KernelName) -> str:
        places = point_places(self.names, self.structure, self.mechanism, which)
        return body_call(self.mechanism, which, places)

    @property
    def nothing(self) -> str:
        """Slot of the weights, all zero at first, of events that no connection brought."""
        return f"({self.where('_n_slot', '')} + j)"

    def queue(self) -> list[str]:
        """``queue``: the events that wait for point j."""
        first = self.names.number(state_name(self.mechanism, "_queue"))
        linked = self.mechanism in self.structure.linked
        arrived = self.moving("_arrived", "") if linked else self.moving("_waiting", "2 * j + 1")
        return [
            f"const long long line = (long long)instance * n_queue + {first} + j;",
            "const Queue queue = {waiting + line * 2 * room, waiting_what + line * 3 * room, "
            f"&{self.moving('_waiting', '2 * j')}, &{arrived}, room}};",
        ]

    def reset(self) -> list[str]:
        """Back to t = 0: weights as given, no event delivered, none pending."""
        lines = [
            f"for (int slot = {self.where('_first')}; slot < {self.where('_first', '(j + 1)')}; "
            "++slot) {",
            f"    for (int k = 0; k < {self.n_weight}; ++k)",
            f"        {self.own('_weight', f'{self.n_weight} * slot + k')} = "
            f"{self.given('_weights', f'{self.n_weight} * slot + k')};",
        ]
        if self.mechanism.connect is not None:
            lines += ["    const double flag = 0.0;", f"    {self.body('connect')}"]
        lines += [
            "}",
            f"{self.moving('_cursor')} = {self.where('_begin')};",
            f"{self.own('_next')} = {self._known(self.where('_begin'))};",
        ]
        return lines

    def _known(self, event: str) -> str:
        """Time of a known event, or never."""
        time = self.names.at("common", state_name(self.mechanism, "_time"), event)
        return f"{event} < {self.where('_end')} ? {time} : {NEVER}"

    def begin(self) -> list[str]:
        """What INITIAL of the point has sent."""
        sends = self.collect("initialize", self.nothing)
        return [*self.queue(), *sends] if sends else []

    def collect(self, where: KernelName, slot: str) -> list[str]:
        lines = []
        for send in (s for s in self.mechanism.sends if s.where == where):
            time = self.own(send.time)
            if send.kind == "send":
                push = f"push(queue, {time}, {slot}, {self.own(send.flag)}, 1)"
                lines += [f"if ({time} == {time} && !{push}) status |= {LOST};"]
            elif send.kind == "move":
                lines += [f"if ({time} == {time}) move_event(queue, {time});"]
            elif reached := self.structure.reached(self.mechanism):
                lines += [f"if ({time} == {time}) {{"]
                for target in reached:
                    lines += indented(self._relay(target, time))
                lines += ["}"]
        return lines

    def _relay(self, target: Mechanism, time: str) -> list[str]:
        """``net_event``: an event for every point of another mechanism that hears this one."""

        def of(what: str, index: str = "q") -> str:
            return self.names.at("where", relay_table(self.mechanism, target, what), index)

        delay = self.names.at("given", relay_table(self.mechanism, target, "delay"), "q")
        other = PointEvents(self.names, self.structure, target)
        return [
            f"for (int q = {of('start', 'j')}; q < {of('start', '(j + 1)')}; ++q) {{",
            f"    const int slot = {of('slot')};",
            f"    const double when = {time} + {delay};",
            f"    const int j = {of('point')};",
            *indented(other.queue()),
            f"    if (!push(queue, when, slot, 0.0, 0)) status |= {LOST};",
            "}",
        ]

    def deliver(self) -> list[str]:
        """Sources and watched conditions at the start of a step, then every event up to ``limit``,
        the earliest first."""
        if not self.queued:
            return [
                f"if (!({self.own('_next')} <= limit)) continue;",
                "do {",
                *indented([f"const double t = {self.own('_next')}, flag = 0.0;", *self.take()]),
                *indented([self.body("receive")]),
                f"}} while ({self.own('_next')} <= limit);",
            ]
        return [
            *self.queue(),
            "if (check) {",
            *indented([*self._sources(), *self._watch()]),
            "}",
            "while (true) {",
            "    const int e = first_event(queue);",
            f"    const double known = {self.own('_next')};",
            f"    const double queued = e < 0 ? {NEVER} : queue.value[2 * e];",
            "    if (!(known <= limit || queued <= limit)) break;",
            "    const double t = known <= queued ? known : queued;",
            "    double flag = 0.0;",
            "    int slot;",
            "    if (known <= queued) {",
            *indented(self.take(declare=False), 2),
            "    } else {",
            "        slot = queue.what[3 * e];",
            "        flag = queue.value[2 * e + 1];",
            "        remove_event(queue, e);",
            "    }",
            *indented([self.body("receive"), *self.collect("receive", "slot"), *self.arm()]),
            "}",
            f"if (2 * queue.count[0] > room) status |= {GROW};",
        ]

    def take(self, declare: bool = True) -> list[str]:
        """The next known event: its slot; the one after it is next."""
        slot = self.names.at("table", state_name(self.mechanism, "_slot"), self.moving("_cursor"))
        return [
            f"{'const int ' * declare}slot = {slot};",
            f"const int following = ++{self.moving('_cursor')};",
            f"{self.own('_next')} = {self._known('following')};",
        ]

    def _sources(self) -> list[str]:
        """Events through the connections whose source has crossed its threshold upward."""
        above = self.moving("_above", "e")
        delay, slot = self.given("_delay", "e"), self.where("_source_slot", "e")
        end = self.where("_source", "(j + 1)")
        return [
            f"for (int e = {self.where('_source')}; e < {end}; ++e) {{",
            f"    const int now = whole_v[{self.where('_source_node', 'e')}] > "
            f"{self.given('_threshold', 'e')};",
            f"    if (now && !{above} && !push(queue, t + {delay}, {slot}, 0.0, 0)) "
            f"status |= {LOST};",
            f"    {above} = now;",
            "}",
        ]

    def _watch(self) -> list[str]:
        if not self.mechanism.watches:
            return []
        lines = [self.body("watch")]
        for i, watch in enumerate(self.mechanism.watches):
            value, armed = self.own(watch.value), self.moving(f"_armed_{i}")
            push = f"push(queue, t, {self.nothing}, {self.own(f'_armed_flag_{i}')}, 0)"
            lines += [
                f"if ({armed} > 0) {{",
                f"    if ({value} > 0.0 && {armed} == 1 && !{push}) status |= {LOST};",
                f"    {armed} = {value} > 0.0 ? 2 : 1;",
                "}",
            ]
        return lines

    def arm(self) -> list[str]:
        """Watches that a call of NET_RECEIVE has reached; all others end."""
        watches = self.mechanism.watches
        if not watches:
            return []
        flags = [self.own(watch.flag) for watch in watches]
        lines = [f"if ({' || '.join(f'{flag} == {flag}' for flag in flags)}) {{"]
        lines += [f"    {self.body('watch')}"]
        for i, (watch, flag) in enumerate(zip(watches, flags, strict=True)):
            armed = self.moving(f"_armed_{i}")
            holds = f"({self.own(watch.value)} >= 0.0 ? 2 : 1)"
            lines += [
                f"    {armed} = {flag} == {flag} ? {holds} : 0;",
                f"    {self.own(f'_armed_flag_{i}')} = {flag};",
            ]
        return [*lines, "}"]


def takers(structure: GpuStructure) -> list[Mechanism]:
    """Mechanisms that take events."""
    return [m for m in structure.mechanisms if m.receive is not None]


def apart(structure: GpuStructure) -> list[Mechanism]:
    """Those of them whose points neither send to others nor hear from them."""
    return [m for m in takers(structure) if m not in structure.linked]


def events(names: Names, structure: GpuStructure) -> list[str]:
    """Events up to ``limit`` of points that are apart; ``check`` whether sources and watches are
    looked at first."""
    lines: list[str] = []
    for mechanism in apart(structure):
        text = PointEvents(names, structure, mechanism)
        lines += loop_points(names, mechanism, text.deliver())
    return lines


def reset_events(names: Names, structure: GpuStructure) -> list[str]:
    """Before INITIAL."""
    lines: list[str] = []
    for mechanism in takers(structure):
        text = PointEvents(names, structure, mechanism)
        lines += loop_points(names, mechanism, text.reset())
    return lines


def begin_events(names: Names, structure: GpuStructure) -> list[str]:
    """After INITIAL, of points that are apart."""
    lines: list[str] = []
    for mechanism in apart(structure):
        if body := PointEvents(names, structure, mechanism).begin():
            lines += loop_points(names, mechanism, body)
    return lines
