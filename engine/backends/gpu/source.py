"""The CUDA text of a model: one kernel that takes hundreds of steps."""

from engine.backends.gpu.attached_source import attach, attached_currents, twig_shares, twig_values
from engine.backends.gpu.constant_source import constant_step
from engine.backends.gpu.event_source import begin_events, events, reset_events
from engine.backends.gpu.relay_source import begin_relays, relay_events
from engine.backends.gpu.signature import arguments, look_up
from engine.backends.gpu.solve_source import assemble, load, solve, state, store
from engine.backends.gpu.text import (
    GpuStructure,
    Names,
    Places,
    density_places,
    indented,
    loop_density,
    loop_nodes,
    loop_points,
    point_places,
)
from engine.backends.gpu.variants.sources import cuda_source
from engine.backends.structure import ion_name, is_ion, table_name
from engine.mechanisms.emit_cuda import body_call, emit_bodies, emit_invariants
from engine.mechanisms.model import KernelName, Mechanism

KERNEL = "take_steps"
BAD, GROW, LOST = 1, 2, 4
"""What stopped an instance: a voltage beyond the limits, a queue filling up, an event lost."""


def emit(structure: GpuStructure, several: bool = False) -> tuple[str, list[tuple[str, str]]]:
    """The text, and the named that its kernel takes as :mod:`engine.backends.gpu.signature` says.

    ``several``: models with different trees share the launch.

    Returns
    -------
    text : str
    named : list of (name, arena)
        int32 arguments in order: where an array starts in its arena, or a number.
    """
    names = Names()
    prologue = _prologue(names, structure, several)
    body = [
        *_function("initialize", _initialize(names, structure)),
        *_function(
            "deliver",
            [*events(names, structure), *relay_events(names, structure)],
            "double limit, bool check",
        ),
        *_step_functions(names, structure),
        *_function("advance", _advance(names, structure)),
        *_function("sample", _sample(names), "int column"),
    ]
    loop = _loop(names, structure)
    declared = arguments(names, several)
    if several:
        prologue = [*look_up(names), *prologue]
    text = "\n".join(
        [
            f"// Generated from the mechanisms {', '.join(m.name for m in structure.mechanisms)}.",
            cuda_source("step.cuh"),
            *(emit_bodies(m, True, structure.single) for m in structure.mechanisms),
            f'extern "C" __global__ void __launch_bounds__(MOST_THREADS, LEAST_BLOCKS) {KERNEL}(',
            *(f"    {line}" for line in _wrapped(declared)),
            ") {",
            *indented([*prologue, *body, *loop]),
            "}",
            "",
        ]
    )
    return text, list(names.used.items())


def _wrapped(declared: list[str]) -> list[str]:
    return [f"{d}{',' * (i + 1 < len(declared))}" for i, d in enumerate(declared)]


def _function(name: str, body: list[str], arguments: str = "") -> list[str]:
    return [f"auto {name} = [&]({arguments}) {{", *indented(body), "};"]


def _prologue(names: Names, structure: GpuStructure, several: bool) -> list[str]:
    """Whose thread this is, and where its cell's numbers are."""
    first = "block[2 * blockIdx.x + 1]" if several else "blockIdx.x * (blockDim.x / threads)"
    return [
        "const int member = threadIdx.x % threads, cell = threadIdx.x / threads;",
        f"const int instance = {first} + cell;",
        "if (instance >= n_instance) return;",
        "const Team team = {member, threads, threads >= 32 ? 0xffffffffu",
        "    : ((1u << threads) - 1u) << (threadIdx.x % 32 - member)};",
        "double* const own = own_all + (long long)instance * own_width;",
        "int* const moving = moving_all + (long long)instance * moving_width;",
        "const double* const given = given_all + (long long)instance * given_width;",
        "const int* const where = where_all + (long long)instance * where_width;",
        *state(names, structure),
        "double t = 0.0;",
        "int status = 0;",
    ]


def _step_functions(names: Names, structure: GpuStructure) -> list[str]:
    """What leads from the middle of a step to the new voltages."""
    if structure.constant:
        return _function("solve_step", constant_step(names, structure, BAD), "int s")
    twigs = []
    if structure.twigs:
        twigs += _function("twigs_in", twig_shares(names))
        twigs += _function("twigs_out", twig_values(names, BAD))
    step = [
        "assemble();",
        "attach(s);",
        *(["twigs_in();"] if structure.twigs else []),
        *solve(names, structure),
        "meet(team);",
        *(["twigs_out();"] if structure.twigs else []),
        "for (int i = member; i < n_node; i += threads) {",
        "    v[i] += r[i];",
        f"    if (!(fabs(v[i]) <= limit_v)) status |= {BAD};",
        "}",
    ]
    return [
        *_function("measure", _currents(names, structure)),
        *_function("assemble", assemble(names, structure)),
        *_function("attach", attach(names, structure), "int s"),
        *twigs,
        *_function("solve_step", step, "int s"),
    ]


def _loop(names: Names, structure: GpuStructure) -> list[str]:
    """NEURON's fixed step, again and again; the step before the first sets everything to t = 0."""
    clock, done = names.at("own", "_clock"), names.at("moving", "_done")
    return [
        f"if (resume && ({names.at('moving', '_status')} & {BAD})) return;",
        *load(names, structure),
        f"int s = begin ? -1 : resume ? {done} : 0;",
        f"if (!begin) t = {clock};",
        f"if (member == 0 && !resume) {names.at('moving', '_spikes')} = 0;",
        "meet(team);",
        "for (; s < n_step; ++s) {",
        "    if (s < 0) initialize();",
        "    deliver(s < 0 ? 0.0 : t + 0.5 * dt, s >= 0);",
        "    meet(team);",
        "    if (s >= 0) t += 0.5 * dt;",
        *([] if structure.constant else ["    measure();"]),
        "    if (s >= 0) solve_step(s);",
        "    bool leave = false;",
        "    if (any_of(team, status != 0)) {",
        *(
            f"        if (any_of(team, (status & {bit}) != 0)) status |= {bit};"
            for bit in (BAD, GROW, LOST)
        ),
        "        leave = true;",
        "    }",
        *indented(attached_currents(names, structure)),
        "    if (s >= 0) t += 0.5 * dt;",
        f"    if (status & {BAD | LOST}) break;",
        "    if (s >= 0) advance();",
        "    meet(team);",
        "    sample(begin ? 0 : s);",
        "    meet(team);",
        "    if (leave) {",
        "        ++s;",
        "        break;",
        "    }",
        "}",
        *store(names, structure),
        "if (member == 0) {",
        f"    {clock} = t;",
        f"    {done} = s;",
        f"    {names.at('moving', '_status')} = status;",
        "}",
    ]


def _empty(mechanism: Mechanism, which: KernelName) -> bool:
    program = mechanism.program(which)
    return not (program.stores or program.ion_currents or program.current is not None)


def _place_of(
    names: Names, structure: GpuStructure, mechanism: Mechanism, which: KernelName
) -> Places:
    make = point_places if mechanism.kind == "point" else density_places
    return make(names, structure, mechanism, which)


def _element(
    names: Names, structure: GpuStructure, mechanism: Mechanism, which: KernelName
) -> list[str]:
    """Call of a mechanism's body for entry ``j`` on node ``at``."""
    place = _place_of(names, structure, mechanism, which)
    silent = any(name in structure.silent for name, _ in mechanism.program(which).ion_currents)
    call = body_call(mechanism, which, place, hoisted=True)
    return [*(["double nothing = 0.0;"] if silent else []), call]


def _scope(
    names: Names,
    structure: GpuStructure,
    mechanism: Mechanism,
    which: KernelName,
    loop: list[str],
) -> list[str]:
    """A loop over elements, with what is one for all of them before it."""
    place = _place_of(names, structure, mechanism, which)
    if before := emit_invariants(mechanism, which, place):
        return ["{", *indented([*before, *loop]), "}"]
    return loop


def _each(
    names: Names, structure: GpuStructure, mechanism: Mechanism, which: KernelName
) -> list[str]:
    loop = loop_points if mechanism.kind == "point" else loop_density
    lines = loop(names, mechanism, _element(names, structure, mechanism, which))
    return _scope(names, structure, mechanism, which, lines)


def _initialize(names: Names, structure: GpuStructure) -> list[str]:
    """INITIAL of connections, mechanisms and, with the concentrations set now, of ions again."""
    lines = [
        "for (int i = member; i < own_width; i += threads) own[i] = base[i];",
        "for (int i = member; i < moving_width; i += threads) moving[i] = 0;",
        "meet(team);",
        "for (int i = member; i < n_all; i += threads) {",
        "    whole_v[i] = v_init;",
        f"    {'' if structure.constant else 'whole_d[i] = '}whole_r[i] = 0.0;",
        "}",
        "meet(team);",
        *reset_events(names, structure),
        "for (int turn = 0; turn < 2; ++turn) {",
    ]
    for mechanism in structure.mechanisms:
        if not _empty(mechanism, "initialize"):
            loop = ["meet(team);", *_each(names, structure, mechanism, "initialize")]
            if not is_ion(mechanism):
                loop = ["if (turn == 0) {", *indented(loop), "}"]
            lines += indented(loop)
    return [*lines, "}", "meet(team);", *begin_events(names, structure),
            *begin_relays(names, structure), "meet(team);"]  # fmt: skip


def _currents(names: Names, structure: GpuStructure) -> list[str]:
    """Currents of the membrane at v, as densities: their sum in r, their derivative in d."""
    summed = [
        ion_name(name)
        for name in sorted({n for m in structure.mechanisms for n, _ in m.current.ion_currents}
                           | _read_currents(structure))
        if name not in structure.silent
    ]  # fmt: skip
    lines = [
        "for (int i = member; i < n_all; i += threads) {",
        "    whole_d[i] = 0.0;",
        "    whole_r[i] = 0.0;",
        *(f"    if (i < n_node) {names.at('own', name, 'i')} = 0.0;" for name in summed),
        "}",
    ]
    for mechanism in structure.mechanisms:
        if mechanism.kind != "point" and not _empty(mechanism, "current"):
            lines += ["meet(team);", *_each(names, structure, mechanism, "current")]
    points = [m for m in structure.mechanisms if m.kind == "point" and not _empty(m, "current")]
    for mechanism in points:
        lines += ["meet(team);", *_point_currents(names, structure, mechanism)]
    return [*lines, "meet(team);"]


def _read_currents(structure: GpuStructure) -> set[str]:
    return {ion.current for m in structure.mechanisms for ion in m.ions if ion.current in ion.read}


def _point_currents(names: Names, structure: GpuStructure, mechanism: Mechanism) -> list[str]:
    """Points give nA and µS; the sums of a node stand beside those of the membrane."""
    node = names.at("where", table_name(mechanism, "node"), "j")
    loop = loop_nodes(
        names.at("where", table_name(mechanism, "n")),
        node,
        ["double i = 0.0, g = 0.0;"],
        _element(names, structure, mechanism, "current"),
        [
            f"{names.at('own', '_i_point', 'at')} += i;",
            f"{names.at('own', '_g_point', 'at')} += g;",
        ],
    )
    return _scope(names, structure, mechanism, "current", loop)


def _advance(names: Names, structure: GpuStructure) -> list[str]:
    """States with the new voltages."""
    lines: list[str] = []
    for mechanism in structure.mechanisms:
        if not _empty(mechanism, "advance"):
            lines += ["meet(team);", *_each(names, structure, mechanism, "advance")]
    return lines


def _sample(names: Names) -> list[str]:
    """Probes, spikes and, of the first instance, frames."""
    above, spikes = names.at("moving", "_high"), names.at("moving", "_spikes")
    return [
        "for (int p = member; p < n_probe; p += threads) {",
        f"    const int from = {names.at('where', '_probe', 'p')};",
        "    const double value = from < 0 ? whole_v[-1 - from] : own[from];",
        "    traces[((long long)p * n_instance + instance) * (n_step > 0 ? n_step : 1) + column]"
        " = value;",
        "}",
        "if (member == 0) {",
        "    const int now = v[spike_node] > threshold;",
        f"    if (now && !{above})",
        f"        spikes[(long long)instance * spike_room + {spikes}++] = t;",
        f"    {above} = now;",
        "}",
        "const int number = begin ? 0 : counter + column + 1;",
        "if (instance == 0 && number % frame_every == 0) {",
        "    const long long frame = begin ? 0 : number / frame_every - counter / frame_every - 1;",
        "    for (int i = member; i < n_comp; i += threads)",
        f"        frames[frame * n_comp + i] = (float)v[{names.at('table', '_place', 'i')}];",
        "}",
    ]
