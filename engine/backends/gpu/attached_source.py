"""What sits on single nodes, and spines: twigs of two or three nodes beside the tree.

Entries of one node are added by one thread in their order, so that sums have the same bits however
many threads there are. Twig e of a cell has its neck at place ``n_node + e``, its head ``n_twig``
further on and the end of its head ``2 n_twig`` further on.
"""

from engine.backends.gpu.text import GpuStructure, Names, indented, loop_nodes

LEVEL = "t < {until}[0] ? 0 : t < {until}[1] ? 1 : t < {until}[2] ? 2 : 3"


def attach(names: Names, structure: GpuStructure) -> list[str]:
    """Everything on single nodes; ``t`` is the middle of the step."""
    lines: list[str] = []
    if structure.clamps:
        lines += ["meet(team);", *clamps(names)]
    if any(m.kind == "point" for m in structure.mechanisms):
        lines += ["meet(team);", *_points(names)]
    if structure.played:
        lines += ["meet(team);", *played(names)]
    if structure.holds:
        lines += ["meet(team);", *_holds(names)]
    if structure.gaps:
        lines += ["meet(team);", *_gaps(names)]
    return [*lines, "meet(team);"]


def attached_currents(names: Names, structure: GpuStructure) -> list[str]:
    """Currents of voltage clamps at the new voltages and the levels at ``t``; those of gap
    junctions at the start."""
    lines: list[str] = []
    if any(m.kind == "point" for m in structure.mechanisms):
        lines += ["if (s < 0) {  // nobody takes them", *indented(_points(names)), "}"]
    if structure.holds:
        lines += _measure_holds(names)
    if structure.gaps:
        i, conductance = names.at("own", "gap_current", "j"), names.at("given", "_gap_g", "j")
        node, other = (names.at("where", name, "j") for name in ("_gap_a", "_gap_b"))
        lines += [
            "if (s < 0)",
            f"    for (int j = member; j < {names.at('where', '_n_gap')}; j += threads)",
            f"        {i} = {conductance} * (whole_v[{node}] - whole_v[{other}]);",
        ]
    return lines


def clamps(names: Names, sign: str = "+") -> list[str]:
    """What current clamps inject at ``t``."""
    on, off = names.at("given", "_clamp_on", "j"), names.at("given", "_clamp_off", "j")
    return loop_nodes(
        names.at("where", "_n_clamp"),
        names.at("where", "_clamp_node", "j"),
        ["double sum = whole_r[at];"],
        [f"if ({on} <= t && t < {off}) sum {sign}= {names.at('given', '_clamp_i', 'j')};"],
        ["whole_r[at] = sum;"],
    )


def _points(names: Names) -> list[str]:
    """Every node with points once."""
    i, g = names.at("own", "_i_point", "at"), names.at("own", "_g_point", "at")
    return [
        f"for (int j = member; j < {names.at('where', '_n_point')}; j += threads) {{",
        f"    const int at = {names.at('where', '_point_node', 'j')};",
        f"    whole_d[at] += {g};",
        f"    whole_r[at] -= {i};",
        f"    {i} = {g} = 0.0;",
        "}",
    ]


def played(names: Names, sign: str = "+") -> list[str]:
    """What waveforms inject in the step."""
    column = names.at("where", "_played_column", "j")
    width = names.number("_played_width")
    return loop_nodes(
        names.at("where", "_n_played"),
        names.at("where", "_played_node", "j"),
        ["double sum = whole_r[at];"],
        [f"sum {sign}= played[(long long)(counter + s) * {width} + {column}];"],
        ["whole_r[at] = sum;"],
    )


def _level(names: Names) -> list[str]:
    """``level``: 0 to 2, 3 where the clamp is off."""
    until = f"(given + {_offset(names, '_hold_until')} + 3 * j)"
    return [f"const int level = {LEVEL.format(until=until)};"]


def _offset(names: Names, name: str) -> str:
    names.at("given", name)
    return name


def _holds(names: Names) -> list[str]:
    g, level = names.at("given", "_hold_g", "j"), names.at("given", "_hold_level", "3 * j + level")
    return loop_nodes(
        names.at("where", "_n_hold"),
        names.at("where", "_hold_node", "j"),
        ["double diagonal = whole_d[at], right = whole_r[at];"],
        [
            *_level(names),
            "if (level < 3) {",
            f"    diagonal += {g};",
            f"    right += {g} * ({level} - whole_v[at]);",
            "}",
        ],
        ["whole_d[at] = diagonal;", "whole_r[at] = right;"],
    )


def _measure_holds(names: Names) -> list[str]:
    g, level = names.at("given", "_hold_g", "j"), names.at("given", "_hold_level", "3 * j + level")
    return [
        f"for (int j = member; j < {names.at('where', '_n_hold')}; j += threads) {{",
        *indented(_level(names)),
        f"    {names.at('own', 'hold_current', 'j')} = level < 3"
        f" ? {g} * ({level} - whole_v[{names.at('where', '_hold_node', 'j')}]) : 0.0;",
        "}",
    ]


def _gaps(names: Names) -> list[str]:
    """Either side of every gap junction is an entry."""
    other, which = (names.at("where", name, "j") for name in ("_side_other", "_side_gap"))
    return loop_nodes(
        names.at("where", "_n_side"),
        names.at("where", "_side_node", "j"),
        ["double diagonal = whole_d[at], right = whole_r[at];"],
        [
            f"const int gap = {which};",
            f"const double g = {names.at('given', '_gap_g', 'gap')};",
            f"const double i = g * (whole_v[at] - whole_v[{other}]);",
            f"if ({names.at('where', '_side_first', 'j')})",
            f"    {names.at('own', 'gap_current', 'gap')} = i;",
            "diagonal += g;",
            "right -= i;",
        ],
        ["whole_d[at] = diagonal;", "whole_r[at] = right;"],
    )


def twig(names: Names) -> list[str]:
    """The twig's places and numbers."""
    kind = names.number("_n_kind")
    lines = [
        "const int neck = n_node + e, head = neck + n_twig, end = head + n_twig;",
        f"const int parent = {names.at('where', '_twig_parent', 'e')};",
        f"const bool has_end = {names.at('where', '_twig_end', 'e')};",
        f"const double* const kind = common + {_common(names, '_kinds')} "
        f"+ {names.at('where', '_twig_kind', 'e')};",
    ]
    for column, name in enumerate(("g_neck", "g_head", "g_end")):
        lines.append(f"const double {name} = kind[{column} * {kind}];")
    return lines


def _common(names: Names, name: str) -> str:
    names.at("common", name)
    return name


def each_twig(names: Names, body: list[str]) -> list[str]:
    """Every twig ``e``."""
    n = names.at("where", "_n_twigs")
    return [f"for (int e = member; e < {n}; e += threads) {{", *indented(body), "}"]


def twig_shares(names: Names) -> list[str]:
    """The equations of ends, heads and necks, to which ``d`` and ``r`` hold what sits on them, are
    eliminated, all twigs at once; then every node of the tree that bears some gathers what they
    leave, one after the other."""
    kind = names.number("_n_kind")
    leak = "fma(kind[{g} * " + kind + "], {v}, kind[{i} * " + kind + "])"
    eliminate = [
        *twig(names),
        "const double v_neck = twig_v[neck], v_head = twig_v[head];",
        "const double to_head = g_head * (v_neck - v_head);",
        f"double d_head = twig_d[head] + (kind[4 * {kind}] / dt + kind[8 * {kind}] + g_head);",
        f"double r_head = twig_r[head] + (to_head - {leak.format(g=8, i=7, v='v_head')});",
        "if (has_end) {",
        "    const double to_end = g_end * (v_head - twig_v[end]);",
        "    const double over = 1.0 / (twig_d[end] + g_end), factor = g_end * over;",
        "    const double r_end = twig_r[end] + to_end;",
        "    d_head = fma(-factor, g_end, d_head + g_end);",
        "    r_head = fma(factor, r_end, r_head - to_end);",
        "    twig_d[end] = over;",
        "    twig_r[end] = r_end;",
        "}",
        "const double over = 1.0 / d_head, factor = g_head * over;",
        f"const double d_neck = twig_d[neck] + (kind[3 * {kind}] / dt + kind[6 * {kind}]"
        " + g_neck + g_head);",
        f"const double r_neck = twig_r[neck] + (g_neck * (v[parent] - v_neck) - to_head"
        f" - {leak.format(g=6, i=5, v='v_neck')});",
        "twig_d[head] = over;",
        "twig_r[head] = r_head;",
        "twig_d[neck] = 1.0 / fma(-factor, g_head, d_neck);",
        "twig_r[neck] = fma(factor, r_head, r_neck);",
    ]
    many = names.at("given", "_twig_many", "e")
    gather = [
        f"for (int b = member; b < {names.at('where', '_n_bearer')}; b += threads) {{",
        f"    const int at = {names.at('where', '_bearer', 'b')};",
        "    double diagonal = d[at], right = r[at];",
        f"    for (int e = {names.at('where', '_bearer_start', 'b')}; "
        f"e < {names.at('where', '_bearer_start', '(b + 1)')}; ++e) {{",
        "        const int neck = n_node + e;",
        f"        const double g = common[_kinds + {names.at('where', '_twig_kind', 'e')}];",
        "        const double factor = g * twig_d[neck];",
        f"        diagonal = fma({many}, fma(-factor, g, g), diagonal);",
        "        const double out = g * (v[at] - twig_v[neck]);",
        f"        right = fma({many}, fma(factor, twig_r[neck], -out), right);",
        "    }",
        "    d[at] = diagonal;",
        "    r[at] = right;",
        "}",
    ]
    return [*each_twig(names, eliminate), "meet(team);", *gather, "meet(team);"]


def twig_values(names: Names, bad: int) -> list[str]:
    """From the parents' change of voltage that of necks, heads and ends; ``bad`` is set where one
    is beyond the limits."""
    body = [
        *twig(names),
        "const double neck_change = fma(g_neck, r[parent], twig_r[neck]) * twig_d[neck];",
        "const double head_change = fma(g_head, neck_change, twig_r[head]) * twig_d[head];",
        *change("neck", "neck_change", bad),
        *change("head", "head_change", bad),
        "if (has_end) {",
        "    const double end_change = fma(g_end, head_change, twig_r[end]) * twig_d[end];",
        *indented(change("end", "end_change", bad)),
        "}",
    ]
    return each_twig(names, body)


def change(node: str, by: str, bad: int) -> list[str]:
    """A new voltage of a twig's node."""
    return [
        f"twig_v[{node}] += {by};",
        f"if (!(fabs(twig_v[{node}]) <= limit_v)) status |= {bad};",
    ]
