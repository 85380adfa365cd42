"""The part of the kernel that holds a cell's numbers and solves its equations.

``v``, ``d`` and ``r`` are the voltages, diagonals and right sides of the tree's nodes by place,
``twig_v`` … those of spines' nodes, and ``whole_v`` … take either. They are one and the same, but
where the tree's are in shared memory and the spines' are not: these are many more, neighboring
threads go over neighboring ones, and nobody waits for them.
"""

from engine.backends.gpu.text import GpuStructure, Names, indented


def _offset(names: Names, arena: str, name: str) -> str:
    names.at(arena, name)
    return name


def _numbers(structure: GpuStructure, at: str, step: str, name: str = "{name}") -> list[str]:
    """Pointers to all but the voltages, ``step`` numbers one after another."""
    kept = ("r",) if structure.constant else ("d", "r")
    lines = []
    for name_of in kept:
        lines.append(f"double* const {name.format(name=name_of)} = {at};")
        at = f"{name.format(name=name_of)} + {step}"
    return lines


def state(names: Names, structure: GpuStructure) -> list[str]:
    """Where a cell's numbers are, and its tree."""
    own = {name: f"own + {_offset(names, 'own', name)}" for name in ("_v", "_rest", "_work")}
    kept = ("v", "r") if structure.constant else ("v", "d", "r")
    lines = [
        "#if defined(IN_SHARED) || defined(TREE_SHARED)",
        "extern __shared__ double fast[];",
        f"double* const v = fast + cell * {names.number('_width')};",
        "#else",
        f"double* const v = {own['_v']};",
        "#endif",
        "#ifdef TREE_SHARED",
        "const int n_near = n_node, n_far = n_all - n_node;",
        *_numbers(structure, "v + n_node", "n_node"),
        f"double* const twig_v = {own['_v']};",
        *_numbers(structure, f"{own['_rest']} - n_node", "n_far", "twig_{name}"),
        *(f"const Split whole_{name} = {{{name}, twig_{name}, n_node}};" for name in kept),
        "#else",
        "const int n_near = n_all;",
        "#ifdef IN_SHARED",
        *_numbers(structure, "v + n_all", "n_all"),
        "#else",
        *_numbers(structure, own["_rest"], "n_all"),
        "#endif",
        *(f"double *const twig_{name} = {name}, *const whole_{name} = {name};" for name in kept),
        "#endif",
    ]
    links = ("start", "child", "sibling", "above")
    tables = ", ".join(f"table + {_offset(names, 'table', f'_{name}')}" for name in links)
    lines.append(
        f"const StepTree tree = {{n_node, n_solve, {tables}, "
        f"common + {_offset(names, 'common', '_a')}}};"
    )
    if structure.solve == "contract":
        kinds = {"round": "Round", "ends": "Ends", "receiver": "Receiver", "after": "int"}
        given = [f"(const {kind}*)(table + {_offset(names, 'table', f'_{name}')})"
                 for name, kind in kinds.items()]  # fmt: skip
        lines.append(f"const RoundTree rounds = {{n_node, n_solve, {', '.join(given)}}};")
    if structure.solve == "contract" and not structure.constant:
        lines += [
            "#if defined(IN_SHARED) || defined(TREE_SHARED)",
            "double* const edge = r + n_near;",
            "#else",
            f"double* const edge = {own['_work']};",
            "#endif",
            "double* const down = edge + n_node;",
        ]
    return lines


def load(names: Names, structure: GpuStructure) -> list[str]:
    """Into shared memory at the start of a launch."""
    return _between(names, structure, "{near}[i] = own[{place} + i];", "if (!begin)")


def store(names: Names, structure: GpuStructure) -> list[str]:
    """Back at its end."""
    return _between(names, structure, "own[{place} + i] = {near}[i];")


def _between(names: Names, structure: GpuStructure, copy: str, when: str = "") -> list[str]:
    """Copies of what goes on from launch to launch."""
    kept = {"v": "_v"} | ({"r": "_carry"} if structure.constant else {})
    lines = []
    for near, place in kept.items():
        names.at("own", place)
        lines += [
            *([when] if when else []),
            f"for (int i = member; i < n_near; i += threads) {copy.format(near=near, place=place)}",
        ]
    return ["#if defined(IN_SHARED) || defined(TREE_SHARED)", *lines, "#endif"]


def neighbors(names: Names) -> list[str]:
    """``axial``: current into node i of the tree from its neighbors there."""
    return [
        "const int above = tree.above[i];",
        f"double axial = above < 0 ? 0.0 : {names.at('common', '_a', 'i')} * (v[above] - v[i]);",
        "for (int link = tree.child[i]; link >= 0;) {",
        "    const int c = link >> 1;",
        "    axial -= tree.axial[c] * (v[i] - v[c]);",
        "    link = link & 1 ? tree.sibling[c] : -1;",
        "}",
    ]


def assemble(names: Names, structure: GpuStructure) -> list[str]:
    """Diagonal and right side of every node of the tree: capacitance, leak, membrane, neighbors."""
    common = {name: names.at("common", f"_{name}", "i") for name in
              ("diagonal", "area", "leak_i", "leak_g", "a")}  # fmt: skip
    return [
        "for (int i = member; i < n_node; i += threads) {",
        *indented(neighbors(names)),
        f"    const double leak = fma({common['leak_g']}, v[i], {common['leak_i']});",
        f"    d[i] = fma(d[i], {common['area']}, {common['diagonal']});",
        f"    r[i] = axial - fma(r[i], {common['area']}, leak);",
        *([f"    edge[i] = {common['a']};"] if structure.solve == "contract" else []),
        "}",
    ]


def solve(names: Names, structure: GpuStructure) -> list[str]:
    """The change of voltage of the tree's nodes in ``r``."""
    if structure.constant:
        work = _solve_constant(names, structure)
    elif structure.solve == "contract":
        work = ["contract(rounds, d, r, edge, down, member, width, wait);"]
    else:
        work = [
            "eliminate(tree, d, r, d, r, member, width, wait);",
            "substitute(tree, d, r, member, wait);",
        ]
    return ["by_lanes(team, lanes, [&](int width, const auto& wait) {", *indented(work), "});"]


def _solve_constant(names: Names, structure: GpuStructure) -> list[str]:
    """With what was factored before."""
    arena = "given" if structure.twigs else "common"

    def place(name: str) -> str:
        return f"{arena} + {_offset(names, arena, name)}"

    if structure.solve == "contract":
        kept = ", ".join(
            place(n) for n in ("_inverse", "_kept_edge", "_factor", "_kept_down", "_gain")
        )
        return [
            f"const KeptRounds kept = {{{kept}}};",
            "contract_constant(rounds, kept, r, member, width, wait);",
        ]
    return [
        f"eliminate_constant(tree, {place('_inverse')}, r, member, width, wait);",
        f"substitute(tree, {place('_factor')}, r, member, wait);",
    ]
