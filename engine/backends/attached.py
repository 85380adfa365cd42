# mypy: disable-error-code="no-untyped-def, assignment"
"""What is put on single nodes: played currents, voltage clamps, gap junctions, points.

Kernels as in :mod:`engine.backends.kernels`: flat arrays, node-major with instances fastest. All
add to ``d`` (µS) and ``r`` (nA) after the membrane has been assembled.
"""

from engine.backends.kernels import J, njit


@njit(**J)
def play(step, node, current, n_instance, r):
    """Add the currents (n_step, n_played) of a step to the right side."""
    for c in range(node.size):
        for j in range(node[c] * n_instance, (node[c] + 1) * n_instance):
            r[j] += current[step, c]


@njit(**J)
def level_at(time, until):
    """Which of three levels is on, 3 after the last."""
    level = 0
    while level < 3 and time >= until[level]:
        level += 1
    return level


@njit(**J)
def hold(time, node, until, level, conductance, n_instance, v, d, r):
    """Add the voltage clamps that are on at a time to the equations."""
    for c in range(node.size):
        on = level_at(time, until[c])
        if on < 3:
            for j in range(node[c] * n_instance, (node[c] + 1) * n_instance):
                d[j] += conductance[c]
                r[j] += conductance[c] * (level[c, on] - v[j])


@njit(**J)
def measure_hold(time, node, until, level, conductance, n_instance, v, current):
    """The clamps' currents (nA) at the voltages now, at the levels of a time."""
    for c in range(node.size):
        on = level_at(time, until[c])
        for j in range(n_instance):
            now = v[node[c] * n_instance + j]
            current[c * n_instance + j] = conductance[c] * (level[c, on] - now) if on < 3 else 0.0


@njit(**J)
def couple(node, conductance, n_instance, v, d, r, current):
    """Add gap junctions (two nodes each) at the voltages before the step; notes their currents."""
    for c in range(conductance.size):
        for j in range(n_instance):
            a, b = node[c, 0] * n_instance + j, node[c, 1] * n_instance + j
            i = conductance[c] * (v[a] - v[b])
            current[c * n_instance + j] = i
            d[a] += conductance[c]
            d[b] += conductance[c]
            r[a] -= i
            r[b] += i


@njit(**J)
def collect_points(node, n_instance, i_point, g_point, d, r):
    """Move what points gave at their nodes (each listed once) into the equations."""
    for c in range(node.size):
        for j in range(node[c] * n_instance, (node[c] + 1) * n_instance):
            d[j] += g_point[j]
            r[j] -= i_point[j]
            i_point[j] = 0.0
            g_point[j] = 0.0
