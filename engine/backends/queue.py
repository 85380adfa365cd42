# mypy: disable-error-code="no-untyped-def, assignment"
"""A queue of pending events in flat arrays: a binary heap by time, then by order of arrival.

``time`` (size,) ms and ``flag`` (size,) hold what NET_RECEIVE gets; ``what`` (size, 5) int64 the
order of arrival, the point, the instance, the slot of its weights, and 1 for what the point sent
to itself; ``count`` (3,) int64 the number of events, of arrivals so far, and of events lost because
the arrays were full.
"""

from engine.backends.kernels import J, njit

OWN = 4


@njit(**J)
def before(time, what, a, b):
    """Whether event a comes before event b."""
    if time[a] != time[b]:
        return time[a] < time[b]
    return what[a, 0] < what[b, 0]


@njit(**J)
def exchange(time, flag, what, a, b):
    time[a], time[b] = time[b], time[a]
    flag[a], flag[b] = flag[b], flag[a]
    for k in range(5):
        what[a, k], what[b, k] = what[b, k], what[a, k]


@njit(**J)
def rise(time, flag, what, i):
    """Move an event up to where no later one is above it."""
    while i > 0 and before(time, what, i, (i - 1) // 2):
        exchange(time, flag, what, i, (i - 1) // 2)
        i = (i - 1) // 2


@njit(**J)
def sink(time, flag, what, n, i):
    """Move an event down to where no earlier one is below it."""
    while True:
        first = i
        for child in (2 * i + 1, 2 * i + 2):
            if child < n and before(time, what, child, first):
                first = child
        if first == i:
            return
        exchange(time, flag, what, i, first)
        i = first


@njit(**J)
def push(time, flag, what, count, at, point, instance, slot, flag_value, own):
    """Add an event; counted as lost where there is no room."""
    i = count[0]
    if i == time.size:
        count[2] += 1
        return
    time[i], flag[i] = at, flag_value
    what[i, 0], what[i, 1], what[i, 2], what[i, 3] = count[1], point, instance, slot
    what[i, OWN] = own
    count[0] += 1
    count[1] += 1
    rise(time, flag, what, i)


@njit(**J)
def pop(time, flag, what, count):
    """Take the first event out; returns where it can still be read."""
    last = count[0] - 1
    exchange(time, flag, what, 0, last)
    count[0] = last
    sink(time, flag, what, last, 0)
    return last


@njit(**J)
def move(time, flag, what, count, point, instance, at):
    """Let a point's pending event to itself with flag 1 come at another time."""
    found = -1
    for i in range(count[0]):
        mine = what[i, 1] == point and what[i, 2] == instance and what[i, OWN] == 1
        if mine and flag[i] == 1.0 and (found < 0 or before(time, what, found, i)):
            found = i
    if found >= 0:
        time[found] = at
        what[found, 0] = count[1]
        count[1] += 1
        rise(time, flag, what, found)
        sink(time, flag, what, count[0], found)


@njit(**J)
def detect_sources(
    t, node, connection, threshold, delay, above, point, n_weight, n_instance, v,
    time, flag, what, count,
):  # fmt: skip
    """Send an event through every connection whose source has crossed its threshold upward."""
    for d in range(node.size):
        c = connection[d]
        for j in range(n_instance):
            k = d * n_instance + j
            now = v[node[d] * n_instance + j] > threshold[d]
            if now and not above[k]:
                slot = (c * n_instance + j) * n_weight
                push(time, flag, what, count, t + delay[d], point[c], j, slot, 0.0, 0)
            above[k] = now
