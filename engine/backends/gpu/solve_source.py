"""The part of the kernel that holds a cell's numbers and solves its equations.

``v``, ``d`` and ``r`` are the voltages, diagonals and right sides of the tree's nodes by place,
``twig_v`` … those of spines' nodes, and ``whole_v`` … take either. They are one and the same, but
where the tree's are in shared memory and the spines' are not: these are many more, neighboring
threads go over neighboring ones, and nobody waits for them.
"""

from engine.backends.gpu.text import GpuStructure, Names, indented

WHERE = """
#if defined(IN_SHARED) || defined(TREE_SHARED)
extern __shared__ double fast[];
double* const v = fast + cell * {width};
#else
double* const v = own + _v;
#endif
#ifdef TREE_SHARED
double* const d = v + n_node;
double* const r = d + n_node;
double* const work = r + n_node;
double* const twig_v = own + _v;
double* const twig_d = own + _d - n_node;
double* const twig_r = twig_d + (n_all - n_node);
const Split whole_v = {{v, twig_v, n_node}};
const Split whole_d = {{d, twig_d, n_node}}, whole_r = {{r, twig_r, n_node}};
const int n_near = n_node;
#else
#ifdef IN_SHARED
double* const d = v + n_all;
#else
double* const d = own + _d;
#endif
double* const r = d + n_all;
double *const twig_v = v, *const twig_d = d, *const twig_r = r;
double *const whole_v = v, *const whole_d = d, *const whole_r = r;
const int n_near = n_all;
#ifdef IN_SHARED
double* const work = r + n_all;
#else
double* const work = own + _work;
#endif
#endif
"""
"""``n_near``: so many voltages are in shared memory, if any."""


def _offset(names: Names, arena: str, name: str) -> str:
    names.at(arena, name)
    return name


def state(names: Names, structure: GpuStructure) -> list[str]:
    """Where a cell's numbers are, and its tree."""
    for name in ("_v", "_d", "_work"):
        names.at("own", name)
    links = ("start", "child", "sibling", "above")
    tables = ", ".join(f"table + {_offset(names, 'table', f'_{name}')}" for name in links)
    lines = [
        *WHERE.format(width=names.number("_width")).strip().splitlines(),
        f"const StepTree tree = {{n_node, n_solve, {tables}, "
        f"common + {_offset(names, 'common', '_a')}}};",
    ]
    if structure.solve == "contract":
        kinds = {"round": "Round", "ends": "Ends", "receiver": "Receiver", "after": "int"}
        given = [f"(const {kind}*)(table + {_offset(names, 'table', f'_{name}')})"
                 for name, kind in kinds.items()]  # fmt: skip
        lines += [
            f"const RoundTree rounds = {{n_node, n_solve, {', '.join(given)}}};",
            "double *const edge = work, *const down = work + n_node;",
        ]
    return lines


def load(names: Names) -> list[str]:
    """Into shared memory at the start of a launch."""
    return [
        "#if defined(IN_SHARED) || defined(TREE_SHARED)",
        "if (!begin)",
        "    for (int i = member; i < n_near; i += threads) v[i] = own[_v + i];",
        "#endif",
    ]


def store(names: Names) -> list[str]:
    """Back at its end."""
    return [
        "#if defined(IN_SHARED) || defined(TREE_SHARED)",
        "for (int i = member; i < n_near; i += threads) own[_v + i] = v[i];",
        "#endif",
    ]


def assemble(names: Names, structure: GpuStructure) -> list[str]:
    """Diagonal and right side of every node of the tree: capacitance, leak, membrane, neighbors."""
    common = {name: names.at("common", f"_{name}", "i") for name in
              ("diagonal", "area", "leak_i", "leak_g", "a")}  # fmt: skip
    return [
        "for (int i = member; i < n_node; i += threads) {",
        "    const int above = tree.above[i];",
        f"    double axial = above < 0 ? 0.0 : {common['a']} * (v[above] - v[i]);",
        "    for (int link = tree.child[i]; link >= 0;) {",
        "        const int c = link >> 1;",
        "        axial -= tree.axial[c] * (v[i] - v[c]);",
        "        link = link & 1 ? tree.sibling[c] : -1;",
        "    }",
        f"    const double leak = fma({common['leak_g']}, v[i], {common['leak_i']});",
        f"    d[i] = fma(d[i], {common['area']}, {common['diagonal']});",
        f"    r[i] = axial - fma(r[i], {common['area']}, leak);",
        *([f"    edge[i] = {common['a']};"] if structure.solve == "contract" else []),
        "}",
    ]


def solve(structure: GpuStructure) -> list[str]:
    """The change of voltage of the tree's nodes in ``r``."""
    work = {
        "dhs": [
            "eliminate(tree, d, r, d, r, member, width, wait);",
            "substitute(tree, d, r, member, wait);",
        ],
        "contract": ["contract(rounds, d, r, edge, down, member, width, wait);"],
    }[structure.solve]
    return ["by_lanes(team, lanes, [&](int width, const auto& wait) {", *indented(work), "});"]
