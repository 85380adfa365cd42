# mypy: disable-error-code="no-untyped-def, assignment"
"""What is put on single nodes: played currents, voltage clamps, gap junctions, points.

Every ``node`` is a place of :class:`engine.backends.flat.Flat`, so it says the instance, too. All
kernels add to ``d`` (µS) and ``r`` (nA) after the membrane has been assembled.
"""

from engine.backends.kernels import J, njit


@njit(**J)
def play(step, node, column, current, r):
    """Add the currents (n_step, n_column) of a step to the right side."""
    for c in range(node.size):
        r[node[c]] += current[step, column[c]]


@njit(**J)
def level_at(time, until):
    """Which of three levels is on, 3 after the last."""
    level = 0
    while level < 3 and time >= until[level]:
        level += 1
    return level


@njit(**J)
def hold(time, node, until, level, conductance, v, d, r):
    """Add the voltage clamps that are on at a time to the equations."""
    for c in range(node.size):
        on = level_at(time, until[c])
        if on < 3:
            j = node[c]
            d[j] += conductance[c]
            r[j] += conductance[c] * (level[c, on] - v[j])


@njit(**J)
def measure_hold(time, node, until, level, conductance, v, current):
    """The clamps' currents (nA) at the voltages now, at the levels of a time."""
    for c in range(node.size):
        on = level_at(time, until[c])
        current[c] = conductance[c] * (level[c, on] - v[node[c]]) if on < 3 else 0.0


@njit(**J)
def couple(node, conductance, v, d, r, current):
    """Add gap junctions (two nodes each) at the voltages before the step; notes their currents."""
    for c in range(conductance.size):
        a, b = node[c, 0], node[c, 1]
        i = conductance[c] * (v[a] - v[b])
        current[c] = i
        d[a] += conductance[c]
        d[b] += conductance[c]
        r[a] -= i
        r[b] += i


@njit(**J)
def add_points(n, node, i_entry, g_entry, d, r):
    """Add what the first ``n`` points of a mechanism give, one after the other."""
    for c in range(n):
        j = node[c]
        d[j] += g_entry[c]
        r[j] -= i_entry[c]


@njit(**J)
def collect_points(node, i_point, g_point, d, r):
    """Move what points gave at their nodes (each listed once) into the equations."""
    for c in range(node.size):
        j = node[c]
        d[j] += g_point[j]
        r[j] -= i_point[j]
        i_point[j] = 0.0
        g_point[j] = 0.0
