"""The part of the kernel that delivers events of points that send to each other (``net_event``).

All threads of a cell look whether any of its points has an event due; if so, one thread delivers
them all in the order of the processor: by time, then mechanism by mechanism; of one mechanism those
known before the run first, then by arrival. What comes back within the step is delivered in it.
"""

from engine.backends.gpu.event_source import GROW, LOST, NEVER, PointEvents
from engine.backends.gpu.text import GpuStructure, Names, indented, loop_points
from engine.backends.structure import state_name, table_name
from engine.mechanisms.model import Mechanism


def relay_events(names: Names, structure: GpuStructure) -> list[str]:
    """All events up to ``limit``; ``check`` whether sources and watches are looked at first."""
    if not structure.linked:
        return []
    texts = [_Linked(names, structure, m) for m in structure.linked]
    lines = ["bool due = false;"]
    for text in texts:
        lines += loop_points(names, text.mechanism, text.look())
    lines += ["if (any_of(team, due) && member == 0) {"]
    lines += [
        "    if (check) {",
        *(f"        {line}" for t in texts for line in t.check()),
        "    }",
    ]
    for text in texts:
        lines += indented([*text.handle(), *text.soonest(), *text.deliver_until()])
    lines += ["    while (true) {"]
    lines += [f"        const double soonest_{i} = soonest_of_{t.name}();"
              for i, t in enumerate(texts)]  # fmt: skip
    lines += ["        double soonest = soonest_0;"]
    lines += [f"        if (soonest_{i} < soonest) soonest = soonest_{i};"
              for i in range(1, len(texts))]  # fmt: skip
    lines += ["        if (!(soonest <= limit)) break;"]
    for i, text in enumerate(texts):
        other = "else " * (i > 0)
        lines += [f"        {other}if (soonest_{i} == soonest) deliver_{text.name}(soonest);"]
    lines += ["    }"]
    lines += [f"    {line}" for text in texts for line in text.crowded()]
    return [*lines, "}"]


def begin_relays(names: Names, structure: GpuStructure) -> list[str]:
    """After INITIAL: what the points have sent, in their order."""
    lines: list[str] = []
    for mechanism in structure.linked:
        text = _Linked(names, structure, mechanism)
        if body := text.events.begin():
            lines += text.in_order(body)
    return ["if (member == 0) {", *indented(lines), "}"] if lines else []


class _Linked:
    """Text for one mechanism whose points send to others or hear from them."""

    def __init__(self, names: Names, structure: GpuStructure, mechanism: Mechanism) -> None:
        self.names, self.structure, self.mechanism = names, structure, mechanism
        self.events = PointEvents(names, structure, mechanism)

    @property
    def name(self) -> str:
        return self.mechanism.name

    @property
    def _at(self) -> str:
        node = self.names.at("where", table_name(self.mechanism, "node"), "j")
        return f"const int at = {node};"

    def in_order(self, body: list[str]) -> list[str]:
        """A loop over all points ``j`` as they stand in the model."""
        n = self.names.at("where", table_name(self.mechanism, "n"))
        order = self.names.at("where", state_name(self.mechanism, "_order"), "o")
        return [
            f"for (int o = 0, n = {n}; o < n; ++o) {{",
            f"    const int j = {order};",
            f"    {self._at}",
            *indented(body),
            "}",
        ]

    def look(self) -> list[str]:
        """Whether something is due for point j; what was passed without is noted."""
        events = self.events
        above, end = events.moving("_above", "e"), events.where("_source", "(j + 1)")
        lines = [
            *events.queue(),
            "if (check) {",
            f"    for (int e = {events.where('_source')}; e < {end}; ++e) {{",
            f"        const int now = {self._crossed};",
            f"        if (now && !{above}) due = true;",
            f"        else {above} = now;",
            "    }",
        ]
        if self.mechanism.watches:
            lines.append(f"    {events.body('watch')}")
        for i, watch in enumerate(self.mechanism.watches):
            armed, value = events.moving(f"_armed_{i}"), events.own(watch.value)
            lines += [
                f"    if ({armed} > 0) {{",
                f"        if ({value} > 0.0 && {armed} == 1) due = true;",
                f"        else {armed} = {value} > 0.0 ? 2 : 1;",
                "    }",
            ]
        lines += [
            "}",
            f"if ({events.own('_next')} <= limit) due = true;",
            "for (int e = 0; e < queue.count[0]; ++e)",
            "    if (queue.value[2 * e] <= limit) due = true;",
        ]
        return lines

    @property
    def _crossed(self) -> str:
        events = self.events
        return f"whole_v[{events.where('_source_node', 'e')}] > {events.given('_threshold', 'e')}"

    def check(self) -> list[str]:
        """Events of sources that have crossed their thresholds, then of watched conditions."""
        events = self.events
        above, end = events.moving("_above", "e"), events.where("_source", "(j + 1)")
        slot, delay = events.where("_source_slot", "e"), events.given("_delay", "e")
        lines = self.in_order(
            [
                *events.queue(),
                f"for (int e = {events.where('_source')}; e < {end}; ++e) {{",
                f"    if (!({self._crossed}) || {above}) continue;",
                f"    if (!push(queue, t + {delay}, {slot}, 0.0, 0)) status |= {LOST};",
                f"    {above} = 1;",
                "}",
            ]
        )
        for i, watch in enumerate(self.mechanism.watches):
            armed, value = events.moving(f"_armed_{i}"), events.own(watch.value)
            sent = f"t, {events.nothing}, {events.own(f'_armed_flag_{i}')}, 0"
            lines += self.in_order(
                [
                    f"if (!({armed} == 1 && {value} > 0.0)) continue;",
                    *events.queue(),
                    f"if (!push(queue, {sent})) status |= {LOST};",
                    f"{armed} = 2;",
                ]
            )
        return lines

    def handle(self) -> list[str]:
        """``handle_{name}``: NET_RECEIVE of point j, and what it asks for."""
        events = self.events
        return [
            f"auto handle_{self.name} = [&](int j, int slot, double flag, double t) {{",
            f"    {self._at}",
            *indented(events.queue()),
            f"    {events.body('receive')}",
            *indented([*events.collect("receive", "slot"), *events.arm()]),
            "};",
        ]

    def soonest(self) -> list[str]:
        """``soonest_of_{name}``: the time of the first event of any of the points."""
        body = [
            *self.events.queue(),
            f"if ({self.events.own('_next')} < soonest) soonest = {self.events.own('_next')};",
            "for (int e = 0; e < queue.count[0]; ++e)",
            "    if (queue.value[2 * e] < soonest) soonest = queue.value[2 * e];",
        ]
        return [
            f"auto soonest_of_{self.name} = [&]() {{",
            f"    double soonest = {NEVER};",
            *indented(self.in_order(body)),
            "    return soonest;",
            "};",
        ]

    def deliver_until(self) -> list[str]:
        """``deliver_{name}``: all events up to a time, those that come of them among them."""
        events = self.events
        body = [
            f"if ({events.own('_next')} < known) {{",
            f"    known = {events.own('_next')};",
            "    known_by = j;",
            "}",
            *events.queue(),
            "const int e = first_event(queue);",
            "if (e < 0) continue;",
            "const double when = queue.value[2 * e];",
            "const int arrival = queue.what[3 * e + 1];",
            "if (when < queued || (when == queued && arrival < arrived)) {",
            "    queued = when;",
            "    arrived = arrival;",
            "    queued_by = j;",
            "    entry = e;",
            "}",
        ]
        return [
            f"auto deliver_{self.name} = [&](double until) {{",
            "    while (true) {",
            f"        double known = {NEVER}, queued = {NEVER}, flag = 0.0;",
            "        int known_by = -1, queued_by = -1, arrived = 0, entry = 0, slot;",
            *indented(self.in_order(body), 2),
            "        if (!(known <= until || queued <= until)) return;",
            "        const int j = known <= queued ? known_by : queued_by;",
            "        if (known <= queued) {",
            *indented(events.take(declare=False), 3),
            "        } else {",
            *indented(events.queue(), 3),
            "            slot = queue.what[3 * entry];",
            "            flag = queue.value[2 * entry + 1];",
            "            remove_event(queue, entry);",
            "        }",
            f"        handle_{self.name}(j, slot, flag, known <= queued ? known : queued);",
            "    }",
            "};",
        ]

    def crowded(self) -> list[str]:
        """Ask for more room where a queue is more than half full."""
        full = f"if (2 * queue.count[0] > room) status |= {GROW};"
        return self.in_order([*self.events.queue(), full])
