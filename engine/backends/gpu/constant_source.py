"""A step of cells whose membrane is linear: the matrix never changes and was factored before.

As on the CPU (:mod:`engine.backends.constant`): with M x = r for the change of voltage x, where
M = C / dt + G, the right side of the next step is r - G x = (C / dt) x but for what is injected,
which is taken out again at the end of a step. Every :data:`engine.backends.constant.REFRESH` steps
it is computed from the voltages anew.

``r`` goes on from step to step; there is no ``d``.
"""

from engine.backends.constant import REFRESH
from engine.backends.gpu.attached_source import change, clamps, each_twig, played, twig
from engine.backends.gpu.solve_source import neighbors, solve
from engine.backends.gpu.text import GpuStructure, Names, indented


def constant_step(names: Names, structure: GpuStructure, bad: int) -> list[str]:
    """From ``t``, the middle of the step, to the new voltages; ``bad`` is set in ``status``."""
    injected = [
        *(clamps(names, "{sign}") if structure.clamps else []),
        *(["meet(team);"] if structure.clamps and structure.played else []),
        *(played(names, "{sign}") if structure.played else []),
    ]
    put, taken = ([line.replace("{sign}", sign) for line in injected] for sign in "+-")
    twigs = structure.twigs
    return [
        f"if ((counter + s) % {REFRESH} == 0) {{",
        *indented(_right_side(names, structure)),
        "    meet(team);",
        "}",
        *put,
        "meet(team);",
        *(_twigs_in(names) if twigs else []),
        *solve(names, structure),
        "meet(team);",
        *(_twigs_out(names, bad) if twigs else []),
        *_change(names, bad),
        *(["meet(team);", *taken] if injected else []),
    ]


def _right_side(names: Names, structure: GpuStructure) -> list[str]:
    """All currents into the nodes at their voltages."""
    leak_g, leak_i = (names.at("common", name, "i") for name in ("_leak_g", "_leak_i"))
    lines = [
        "for (int i = member; i < n_node; i += threads) {",
        *indented(neighbors(names)),
        f"    r[i] = axial - fma({leak_g}, v[i], {leak_i});",
        "}",
    ]
    if not structure.twigs:
        return lines
    kind = names.number("_n_kind")
    leak = "fma(kind[{g} * " + kind + "], twig_v[{at}], kind[{i} * " + kind + "])"
    body = [
        *twig(names),
        "const double to_head = g_head * (twig_v[neck] - twig_v[head]);",
        "const double to_end = has_end ? g_end * (twig_v[head] - twig_v[end]) : 0.0;",
        "twig_r[neck] = g_neck * (v[parent] - twig_v[neck]) - to_head"
        f" - {leak.format(g=6, i=5, at='neck')};",
        f"twig_r[head] = to_head - to_end - {leak.format(g=8, i=7, at='head')};",
        "twig_r[end] = to_end;",
    ]
    out = ["right = fma(many, g * (twig_v[neck] - v[at]), right);"]
    return [*lines, *each_twig(names, body), "meet(team);", *_bearers(names, out)]


def _bearers(names: Names, body: list[str]) -> list[str]:
    """Every node of the tree that bears twigs adds something of them, one after the other."""
    starts = [names.at("where", "_bearer_start", index) for index in ("b", "(b + 1)")]
    return [
        f"for (int b = member; b < {names.at('where', '_n_bearer')}; b += threads) {{",
        f"    const int at = {names.at('where', '_bearer', 'b')};",
        "    double right = r[at];",
        f"    for (int e = {starts[0]}; e < {starts[1]}; ++e) {{",
        "        const int neck = n_node + e;",
        f"        const double many = {names.at('given', '_twig_many', 'e')};",
        f"        const int which = {names.at('where', '_twig_kind', 'e')};",
        "        const double g = common[_kinds + which];",
        *indented(body, 2),
        "    }",
        "    r[at] = right;",
        "}",
    ]


def _over(names: Names) -> list[str]:
    """1 over the diagonals of a twig's nodes."""
    row, kind = f"common[{_common(names, '_over')} + {{row}} * ", names.number("_n_kind")
    which = f"{kind} + {names.at('where', '_twig_kind', 'e')}]"
    return [
        f"const double over_head = {row.format(row='(has_end ? 1 : 3)')}{which};",
        f"const double over_neck = {row.format(row='(has_end ? 2 : 4)')}{which};",
    ]


def _common(names: Names, name: str) -> str:
    names.at("common", name)
    return name


def _twigs_in(names: Names) -> list[str]:
    """Right sides of ends, heads and necks, then what they leave to the tree."""
    body = [
        *twig(names),
        *_over(names),
        "if (has_end) twig_r[head] += twig_r[end];  // an end has no capacitance",
        "twig_r[neck] = fma(g_head * over_head, twig_r[head], twig_r[neck]);",
    ]
    over_neck = [line for line in _over(names) if "over_neck" in line]
    share = [
        f"const bool has_end = {names.at('where', '_twig_end', 'e')};",
        *over_neck,
        "right = fma(many, g * over_neck * twig_r[neck], right);",
    ]
    return [*each_twig(names, body), "meet(team);", *_bearers(names, share), "meet(team);"]


def _twigs_out(names: Names, bad: int) -> list[str]:
    """From the parents' change of voltage that of necks, heads and ends, and what it leaves."""
    over_end = f"common[{_common(names, '_over')} + {names.at('where', '_twig_kind', 'e')}]"
    kind = names.number("_n_kind")
    body = [
        *twig(names),
        *_over(names),
        "const double neck_change = fma(g_neck, r[parent], twig_r[neck]) * over_neck;",
        "const double head_change = fma(g_head, neck_change, twig_r[head]) * over_head;",
        *change("neck", "neck_change", bad),
        *change("head", "head_change", bad),
        f"twig_r[neck] = kind[3 * {kind}] / dt * neck_change;",
        f"twig_r[head] = kind[4 * {kind}] / dt * head_change;",
        "if (has_end) {",
        f"    const double end_change = fma({over_end}, twig_r[end], head_change);",
        *indented(change("end", "end_change", bad)),
        "    twig_r[end] = 0.0;",
        "}",
    ]
    return [*each_twig(names, body), "meet(team);"]


def _change(names: Names, bad: int) -> list[str]:
    """New voltages of the tree, and the right side that they leave."""
    return [
        "for (int i = member; i < n_node; i += threads) {",
        "    v[i] += r[i];",
        f"    r[i] *= {names.at('common', '_rate', 'i')};",
        f"    if (!(fabs(v[i]) <= limit_v)) status |= {bad};",
        "}",
    ]
