"""The part of a step loop that delivers events, written out for every mechanism that takes them."""

from collections.abc import Callable, Sequence

from engine.mechanisms.model import KernelName, Mechanism, Send

TABLES = (
    "time",
    "connection",
    "cursor",
    "point",
    "weight",
    "detector_node",
    "detector_connection",
    "detector_threshold",
    "detector_delay",
    "above",
    "queue_time",
    "queue_flag",
    "queue_what",
    "queue_count",
    "armed",
    "armed_flag",
    "awake",
)
"""Arrays that every mechanism with NET_RECEIVE has beside its own. Every point is of one instance,
so all loops over instances turn once: ``single`` is 1."""
IMPORT = "from engine.backends.queue import detect_sources, move, pop, push"
RELAY = ("start", "connection", "delay")
GROW, LOST = -1, -2
"""What a step loop returns in place of the number of bad voltages: room for events is running out,
or has run out."""

Actual = Callable[[Mechanism, KernelName], list[str]]


def takes_events(mechanism: Mechanism) -> bool:
    return mechanism.receive is not None


def event_name(mechanism: Mechanism, table: str) -> str:
    """Name in the step loop of one of the :data:`TABLES`."""
    return f"{mechanism.name}__event__{table}"


def relay_name(source: Mechanism, target: Mechanism, table: str) -> str:
    """Name of a table of what points of one mechanism send to those of another.

    ``start`` (n_point + 1,): where each source's connections begin in ``connection`` and ``delay``.
    """
    return f"{source.name}__relay__{target.name}__{table}"


def event_arguments(mechanism: Mechanism) -> list[str]:
    """Names of all tables of a mechanism; none where it takes no events."""
    return [event_name(mechanism, t) for t in TABLES] if takes_events(mechanism) else []


def emit_events(
    mechanism: Mechanism, actual: Actual, reached: Sequence[Mechanism] = ()
) -> list[str]:
    """Source of ``{name}_handle``, ``_prepare``, ``_begin``, ``_check`` and ``_deliver``.

    Parameters
    ----------
    mechanism
        With NET_RECEIVE.
    actual
        What the step loop calls the arguments of a kernel.
    reached
        Mechanisms whose points get the ``net_event`` of this one's.
    """
    one = "point, instance, slot, flag, t"
    return [
        *_function(mechanism, "handle", one, _handle, actual, reached),
        *_function(mechanism, "prepare", "t", _prepare, actual, reached),
        *_function(mechanism, "begin", "t", _begin, actual, reached),
        *_function(mechanism, "check", "t", _check, actual, reached),
        *_function(mechanism, "deliver", "limit", _deliver, actual, reached),
    ]


def call(
    mechanism: Mechanism,
    function: str,
    first: str,
    actual: Actual,
    reached: Sequence[Mechanism] = (),
) -> str:
    """A call of one of the emitted functions."""
    return f"{mechanism.name}_{function}({', '.join([first, *taken(mechanism, actual, reached)])})"


def next_event(mechanism: Mechanism) -> str:
    """The time of a mechanism's next event, infinity without one."""
    time, cursor = event_name(mechanism, "time"), event_name(mechanism, "cursor")
    count, queued = event_name(mechanism, "queue_count"), event_name(mechanism, "queue_time")
    return (
        f"min({time}[{cursor}[0]] if {cursor}[0] < {time}.size else math.inf, "
        f"{queued}[0] if {count}[0] > 0 else math.inf)"
    )


def is_crowded(mechanism: Mechanism) -> list[str]:
    """Lines that leave the loop before a step for which there may be no room in the queue."""
    count, time = event_name(mechanism, "queue_count"), event_name(mechanism, "queue_time")
    return [
        f"if {count}[2] > 0 or 2 * {count}[0] > {time}.size:",
        "    clock[0] = t",
        f"    return s, n_frame, n_spike, {LOST} if {count}[2] > 0 else {GROW}",
    ]


def taken(mechanism: Mechanism, actual: Actual, reached: Sequence[Mechanism] = ()) -> list[str]:
    """Arguments of every emitted function after its first ones."""
    given = ("point", "instance", "slot", "flag", "t")
    names = ["single", "v", *event_arguments(mechanism)]
    for which in ("receive", "connect", "watch", "initialize"):
        names += actual(mechanism, which)
    slots = [f"{mechanism.name}__{send.time}" for send in mechanism.sends]
    slots += [f"{mechanism.name}__{send.flag}" for send in mechanism.sends]
    slots += [f"{mechanism.name}__{name}" for w in mechanism.watches for name in (w.flag, w.value)]
    for target in reached:
        slots += [relay_name(mechanism, target, table) for table in RELAY]
        slots += event_arguments(target)
    return [name for name in dict.fromkeys(names + slots) if name not in given]


def _function(
    mechanism: Mechanism,
    name: str,
    first: str,
    body: Callable[[Mechanism, Actual, Sequence[Mechanism]], list[str]],
    actual: Actual,
    reached: Sequence[Mechanism],
) -> list[str]:
    head = f"def {mechanism.name}_{name}({', '.join([first, *taken(mechanism, actual, reached)])}):"
    lines = (f"    {line}" for line in body(mechanism, actual, reached))
    return ['@njit(nogil=True, error_model="numpy")', head, *lines, ""]


def _tables(mechanism: Mechanism, *names: str) -> str:
    return ", ".join(event_name(mechanism, name) for name in names)


def _queue(mechanism: Mechanism) -> str:
    return _tables(mechanism, "queue_time", "queue_flag", "queue_what", "queue_count")


def _none(mechanism: Mechanism) -> str:
    """Slot of the weights, all zero, of events that no connection brought."""
    width = max(1, len(mechanism.weights))
    return f"({_tables(mechanism, 'point')}.size * single + instance) * {width}"


def _collect(
    mechanism: Mechanism, where: KernelName, slot: str, reached: Sequence[Mechanism]
) -> list[str]:
    """What one point has sent (its number is ``k``)."""
    lines = []
    for send in (s for s in mechanism.sends if s.where == where):
        time = f"{mechanism.name}__{send.time}[k]"
        sent = _sent(mechanism, send, time, slot, reached)
        lines += [f"if {time} == {time}:", *(f"    {line}" for line in sent)]
    return lines


def _sent(
    mechanism: Mechanism, send: Send, time: str, slot: str, reached: Sequence[Mechanism]
) -> list[str]:
    queue = _queue(mechanism)
    match send.kind:
        case "send":
            flag = f"{mechanism.name}__{send.flag}[k]"
            return [f"push({queue}, {time}, point, instance, {slot}, {flag}, 1)"]
        case "move":
            return [f"move({queue}, point, instance, {time})"]
    lines = ["pass"]
    for target in reached:
        start, connection, delay = (relay_name(mechanism, target, table) for table in RELAY)
        width = max(1, len(target.weights))
        lines += [
            f"for q in range({start}[k], {start}[k + 1]):",
            f"    c = {connection}[q]",
            f"    push({_queue(target)}, {time} + {delay}[q], {_tables(target, 'point')}[c], 0, "
            f"c * {width}, 0.0, 0)",
        ]
    return lines


def _handle(mechanism: Mechanism, actual: Actual, reached: Sequence[Mechanism]) -> list[str]:
    """NET_RECEIVE of one point, and what it asks for."""
    lines = [
        f"{mechanism.name}_receive({', '.join(actual(mechanism, 'receive'))})",
        "k = point * single + instance",
        *_collect(mechanism, "receive", "slot", reached),
    ]
    if not mechanism.watches:
        return lines
    flags = [f"{mechanism.name}__{watch.flag}[k]" for watch in mechanism.watches]
    size = f"{mechanism.name}__{mechanism.watches[0].flag}.size"
    armed, armed_flag = (event_name(mechanism, name) for name in ("armed", "armed_flag"))
    lines += [f"if {' or '.join(f'{flag} == {flag}' for flag in flags)}:"]
    lines += [f"    {mechanism.name}_watch({', '.join(actual(mechanism, 'watch'))})"]
    for i, (watch, flag) in enumerate(zip(mechanism.watches, flags, strict=True)):
        holds = f"2 if {mechanism.name}__{watch.value}[k] >= 0.0 else 1"
        lines += [
            f"    {armed}[{i} * {size} + k] = ({holds}) if {flag} == {flag} else 0",
            f"    {armed_flag}[{i} * {size} + k] = {flag}",
        ]
    return lines


def _prepare(mechanism: Mechanism, actual: Actual, reached: Sequence[Mechanism]) -> list[str]:
    """INITIAL of every connection."""
    if mechanism.connect is None:
        return ["pass"]
    width = max(1, len(mechanism.weights))
    return [
        f"for c in range({_tables(mechanism, 'point')}.size):",
        f"    point = {_tables(mechanism, 'point')}[c]",
        "    for instance in range(single):",
        f"        slot = (c * single + instance) * {width}",
        "        flag = 0.0",
        f"        {mechanism.name}_connect({', '.join(actual(mechanism, 'connect'))})",
    ]


def _begin(mechanism: Mechanism, actual: Actual, reached: Sequence[Mechanism]) -> list[str]:
    """What INITIAL of the points has sent."""
    sends = _collect(mechanism, "initialize", _none(mechanism), reached)
    if not sends:
        return ["pass"]
    return [
        f"for point in range({mechanism.name}__where__n):",
        "    for instance in range(single):",
        "        k = point * single + instance",
        *(f"        {line}" for line in sends),
    ]


def _check(mechanism: Mechanism, actual: Actual, reached: Sequence[Mechanism]) -> list[str]:
    """Thresholds of sources and watched conditions at the start of a step."""
    width = max(1, len(mechanism.weights))
    detectors = ("node", "connection", "threshold", "delay")
    tables = _tables(mechanism, *(f"detector_{name}" for name in detectors), "above", "point")
    lines = [f"detect_sources(t, {tables}, {width}, single, v, {_queue(mechanism)})"]
    if not mechanism.watches:
        return lines
    armed, armed_flag = (event_name(mechanism, name) for name in ("armed", "armed_flag"))
    lines.append(f"{mechanism.name}_watch({', '.join(actual(mechanism, 'watch'))})")
    for i, watch in enumerate(mechanism.watches):
        value = f"{mechanism.name}__{watch.value}"
        push = f"push({_queue(mechanism)}, t, point, instance, {_none(mechanism)}, "
        lines += [
            f"for k in range({value}.size):",
            f"    e = {i} * {value}.size + k",
            f"    if {armed}[e] > 0:",
            "        point, instance = k // single, k % single",
            f"        if {value}[k] > 0.0 and {armed}[e] == 1:",
            f"            {push}{armed_flag}[e], 0)",
            f"        {armed}[e] = 2 if {value}[k] > 0.0 else 1",
        ]
    return lines


def _deliver(mechanism: Mechanism, actual: Actual, reached: Sequence[Mechanism]) -> list[str]:
    """Every event up to a time, known ones and queued ones, the earliest first."""
    width = max(1, len(mechanism.weights))
    time, connection, cursor = (
        event_name(mechanism, name) for name in ("time", "connection", "cursor")
    )
    count, queue_time = (event_name(mechanism, f"queue_{name}") for name in ("count", "time"))
    what, flag = (event_name(mechanism, f"queue_{name}") for name in ("what", "flag"))
    awake, rest = event_name(mechanism, "awake"), ", ".join(taken(mechanism, actual, reached))
    handle = f"{mechanism.name}_handle"
    return [
        "while True:",
        f"    known = {time}[{cursor}[0]] if {cursor}[0] < {time}.size else math.inf",
        f"    queued = {queue_time}[0] if {count}[0] > 0 else math.inf",
        "    if not (known <= limit or queued <= limit):",
        "        return",
        "    if known <= queued:",
        f"        c = {connection}[{cursor}[0]]",
        f"        {cursor}[0] += 1",
        f"        point = {_tables(mechanism, 'point')}[c]",
        f"        {awake}[0] = max({awake}[0], point + 1)",
        "        for instance in range(single):",
        f"            slot = (c * single + instance) * {width}",
        f"            {handle}(point, instance, slot, 0.0, known, {rest})",
        "    else:",
        f"        e = pop({_queue(mechanism)})",
        f"        point, instance, slot = {what}[e, 1], {what}[e, 2], {what}[e, 3]",
        f"        {handle}(point, instance, slot, {flag}[e], queued, {rest})",
    ]
