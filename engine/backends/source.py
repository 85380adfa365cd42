"""The step loop of a model, written out for its mechanisms: one call runs hundreds of steps."""

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from engine.backends import (
    attached,
    constant,
    event_source,
    kernels,
    parts,
    queue,
    rows,
    twigs,
)
from engine.backends.arguments import actual_arguments, loop_arguments, may_sleep
from engine.backends.event_source import (
    call,
    emit_events,
    event_name,
    next_event,
    takes_events,
)
from engine.backends.structure import Structure, ion_name, is_ion, table_name
from engine.mechanisms.emit_lanes import (
    EQUATIONS,
    IMPORT,
    WRITTEN_OUT,
    emit_lanes,
    emit_parts,
    has_lanes,
)
from engine.mechanisms.emit_numba import emit_numba
from engine.mechanisms.model import KernelName, Mechanism


def _calls(
    structure: Structure, which: KernelName, ions_only: bool = False, awake: bool = False
) -> list[str]:
    """Calls of a kernel of all mechanisms; ``awake``: of points that may sleep only those."""
    lines = []
    for m in structure.mechanisms:
        if empty(m, which) or (ions_only and not is_ion(m)):
            continue
        actual = actual_arguments(m, which)
        actual += EQUATIONS if which == "current" and structure.closes(m) else ()
        if awake and may_sleep(m):
            actual[actual.index(table_name(m, "n"))] = f"{event_name(m, 'awake')}[0]"
        lines.append(f"{m.name}_{which}{_suffix(structure, m, which)}{', '.join(actual)})")
    return lines


def _suffix(structure: Structure, mechanism: Mechanism, which: KernelName) -> str:
    """Which of a mechanism's kernels, with the bracket of its call."""
    if which not in WRITTEN_OUT or not has_lanes(mechanism):
        return "("
    return "_parts(n_part, " if structure.cores and mechanism.kind != "point" else "_lanes("


def empty(mechanism: Mechanism, which: KernelName) -> bool:
    """Whether a kernel would do nothing."""
    program = mechanism.program(which)
    return not (program.stores or program.ion_currents or program.current is not None)


def emit(structure: Structure) -> str:
    """Python source with the mechanisms' kernels, ``system``, ``advance`` and ``start``."""
    return "\n".join(
        [
            '"""Generated from the mechanisms '
            + ", ".join(m.name for m in structure.mechanisms)
            + '."""',
            f"# kernels {_fingerprint()}",
            "from numba import njit",
            "from engine.backends.constant import (",
            "    REFRESH, clamp_changes, right_side, right_side_eights, step_eights, step_one,",
            ")",
            "from engine.backends.attached import (",
            "    add_points, collect_points, couple, hold, measure_hold, play,",
            ")",
            "from engine.backends.kernels import (",
            "    assemble_rest, detect, inject, sample, snapshot",
            ")",
            "from engine.backends.parts import (",
            "    assemble_parts, right_side_parts, share_out, solve_parts, step_parts,",
            ")",
            "from engine.backends.rows import (",
            "    assemble_eights, assemble_lanes, eliminate, solve_eights, substitute,",
            "    update_lanes,",
            ")",
            "from engine.backends.twigs import (",
            "    drop_active, drop_silent, drop_silent_eights, hang_active, hang_silent,",
            "    hang_silent_eights,",
            ")",
            IMPORT,
            event_source.IMPORT,
            *(emit_numba(m) for m in structure.mechanisms),
            *(
                line
                for m in structure.mechanisms
                if takes_events(m)
                for line in emit_events(m, actual_arguments, structure.reached(m))
            ),
            *(
                emit_lanes(m, (structure.layout(m),), structure.silent, structure.closes(m))
                for m in structure.mechanisms
                if has_lanes(m)
            ),
            *(
                emit_parts(m)
                for m in structure.mechanisms
                if structure.cores and has_lanes(m) and m.kind != "point"
            ),
            *_system(structure),
            *_loop(structure),
            "def start(*given):",
            "    return advance(-1, *given)[2]",
        ]
    )


def _zero(names: Iterable[str]) -> list[str]:
    return [
        line for name in names for line in (f"for j in range({name}.size):", f"    {name}[j] = 0.0")
    ]


def _samples(structure: Structure, column: str) -> list[str]:
    return [
        f"sample({name}, probe_slot, probe_place, probe_start[{k}], probe_start[{k + 1}], "
        f"traces, {column})"
        for k, name in enumerate(structure.probed)
    ]


def _currents(structure: Structure, awake: bool = True) -> list[str]:
    return [
        *_zero(ion_name(n) for n in structure.ion_currents if n not in structure.silent),
        *_calls(structure, "current", awake=awake),
    ]


def _assemble(structure: Structure) -> list[str]:
    """Diagonal and right side of the nodes that the last mechanism has not done."""
    membrane = "own, leak_i, leak_g, area, v, i_membrane, g_membrane, d, r"
    eights = "_eights" if structure.rows else "_lanes"
    if structure.last is not None:
        return [f"assemble_rest(rest, n_instance, {membrane})"]
    return [f"assemble{eights}({membrane})"]


def _attach(structure: Structure) -> list[str]:
    """Everything on single nodes, into the equations of the step; ``t`` is its middle."""
    lines = ["inject(t, clamp_node, clamp_on, clamp_off, clamp_amplitude, r)"]
    for m in (m for m in structure.points if has_lanes(m) and not empty(m, "current")):
        n = f"{event_name(m, 'awake')}[0]" if may_sleep(m) else table_name(m, "n")
        given = ", ".join(table_name(m, table) for table in ("node", "i", "g"))
        lines.append(f"add_points({n}, {given}, d, r)")
    if not all(map(has_lanes, structure.points)):
        lines.append("collect_points(point_node, i_point, g_point, d, r)")
    if structure.attached:
        clamps = "hold_node, hold_until, hold_level, hold_conductance"
        lines += [
            "play(counter[0], played_node, played_column, played, r)",
            f"hold(t, {clamps}, v, d, r)",
            "couple(gap_node, gap_conductance, v, d, r, gap_current)",
        ]
    if structure.twigs:
        eights = "_eights" * structure.rows
        silent = "silent_group, silent_numbers, silent_host, silent_count"
        lines += [
            f"hang_silent{eights}({silent}, v, d, r)",
            "hang_active(active_group, active_numbers, active_host, v, d, r, f)",
            "d[spare : spare + 8] = 0.0",
            "r[spare : spare + 8] = 0.0",
        ]
    return lines


def _drop(structure: Structure) -> list[str]:
    """Voltages of twigs, after those of the tree."""
    eights, silent = "_eights" * structure.rows, "silent_group, silent_numbers, silent_host"
    return [
        f"bad += drop_silent{eights}({silent}, v, r, limit)",
        "bad += drop_active(active_group, active_host, v, r, f, limit)",
    ] * structure.twigs


def _measure(structure: Structure) -> list[str]:
    """Currents of the voltage clamps at the voltages now and the levels at ``t``."""
    clamps = "hold_node, hold_until, hold_level, hold_conductance"
    return [f"measure_hold(t, {clamps}, v, hold_current)"] * structure.attached


def _function(head: str, body: Iterable[str]) -> list[str]:
    lines = (f"    {line}" for line in body)
    return ['@njit(nogil=True, cache=True, error_model="numpy")', f"def {head}:", *lines, ""]


def _start(structure: Structure) -> list[str]:
    """What ``advance`` does at t = 0: every INITIAL block, the currents and the first sample."""
    return [
        "t = 0.0",
        *_events(structure, "prepare", "t"),
        *_calls(structure, "initialize"),
        *_calls(structure, "initialize", ions_only=True),  # concentrations are set now
        *_events(structure, "begin", "t"),
        *_events(structure, "deliver", "t"),
        *_currents(structure, awake=False),
        *_zero(("i_membrane", "g_membrane")),
        *_settle(structure),
        "times[0] = t",
        *_samples(structure, "0"),
        "frame_times[0] = t",
        "snapshot(v, place, n_instance, frames[0])",
        "n_spike = detect(v, spike_node, threshold, n_instance, above, t, spikes, 0)",
        "return 0, 0, n_spike, 0",
    ]


def _events(structure: Structure, function: str, first: str) -> list[str]:
    """Calls of what handles events, mechanism by mechanism.

    Where what one sends may reach another one's points, events are delivered in the order of their
    times whatever mechanism they are for.
    """
    takers = [m for m in structure.mechanisms if takes_events(m)]

    def call_of(m: Mechanism, first: str) -> str:
        return call(m, function, first, actual_arguments, structure.reached(m))

    if function != "deliver" or not structure.relays:
        return [call_of(m, first) for m in takers]
    lines = ["while True:"]
    lines += [f"    soonest_{k} = {next_event(m)}" for k, m in enumerate(takers)]
    times = ", ".join(f"soonest_{k}" for k in range(len(takers)))
    lines += [f"    soonest = min(({times},))", f"    if not soonest <= {first}:", "        break"]
    for k, m in enumerate(takers):
        lines += [f"    {'el' * (k > 0)}if soonest_{k} == soonest:"]
        lines += [f"        {call_of(m, 'soonest')}"]
    return lines


def _settle(structure: Structure) -> list[str]:
    """Currents at single nodes at t = 0; the equations they were added to are not used."""
    if not (structure.points or structure.attached):
        return []
    clears = _zero(("i_point", "g_point")) if structure.points else []
    gaps = "couple(gap_node, gap_conductance, v, d, r, gap_current)"
    clean = ["d[spare:] = 0.0", "r[spare:] = 0.0"] * structure.twigs
    return [*clears, *_measure(structure), *([gaps] if structure.attached else []), *clean]


def _system(structure: Structure) -> list[str]:
    """``system``: diagonal and right side of the step that comes next, one instance."""
    body = [
        "t = clock[0] + 0.5 * dt",
        *_currents(structure),
        *_assemble(structure),
        *_attach(structure),
        *(["r[spare:] = 0.0"] * structure.twigs),
    ]
    return _function(f"system({', '.join(loop_arguments(structure))})", body)


def _loop(structure: Structure) -> list[str]:
    """``advance``: one fixed step of NEURON's after the other.

    With a negative number of steps it begins a run instead: two functions would each take in, and
    make LLVM optimize, the same kernels.
    """
    measured = _measure(structure)
    if structure.constant and structure.cores:
        clamps = "clamp_node, clamp_on, clamp_off, clamp_amplitude"
        places = "parent, n_root, part_start, joint"
        solved = [
            "if counter[0] % REFRESH == 0:",
            "    right_side_parts(",
            "        parent, part_start, joint, a, leak_i, leak_g, v, carry, applied)",
            f"clamp_changes(t, {clamps}, applied, carry)",
            f"bad = step_parts({places}, rate, inverse, f, v, carry, x, limit)",
        ]
    elif structure.constant:
        sides = "a, leak_i, leak_g, v, carry, applied"
        clamps = "clamp_node, clamp_on, clamp_off, clamp_amplitude"
        places = (
            "step_eights(parent, n_root"
            if structure.rows
            else ("step_one(parent, n_root, level_start")
        )
        solved = [
            "if counter[0] % REFRESH == 0:",
            f"    right_side{'_eights' * structure.rows}(parent, n_root, {sides})",
            f"clamp_changes(t, {clamps}, applied, carry)",
            f"bad = {places}, rate, inverse, f, v, carry, x, limit)",
        ]
    elif structure.cores:
        membrane = "own, leak_i, leak_g, area, v, i_membrane, g_membrane, d, r"
        places = "parent, n_root, part_start, joint"
        solved = [
            f"assemble_parts(n_part, {membrane})",
            *_attach(structure),
            f"bad = solve_parts({places}, a, v, d, r, f, share, flow, limit)",
            *_drop(structure),
            *measured,
        ]
    elif structure.rows:
        solved = [
            *_assemble(structure),
            *_attach(structure),
            "solve_eights(parent, n_root, a, v, d, r, f)",
            "bad = update_lanes(v[: parent.size * n_instance], r, limit)",
            *_drop(structure),
            *measured,
        ]
    else:
        solved = [
            *_assemble(structure),
            *_attach(structure),
            "eliminate(parent, n_root, a, v, d, r, f)",
            "bad = substitute(parent, n_root, level_start, v, r, f, limit)",
            *_drop(structure),
            *measured,
        ]
    step = [
        *(
            line
            for m in structure.mechanisms
            if takes_events(m)
            for line in event_source.is_crowded(m)
        ),
        *_events(structure, "check", "t"),
        *_events(structure, "deliver", "t + 0.5 * dt"),
        "t += 0.5 * dt",
        *_currents(structure),
        *solved,
        "t += 0.5 * dt",
        "if bad > 0:",
        "    clock[0] = t",
        "    return s, n_frame, n_spike, bad",
        *_calls(structure, "advance", awake=True),
        "times[s] = t",
        *_samples(structure, "s"),
        "n_spike = detect(v, spike_node, threshold, n_instance, above, t, spikes, n_spike)",
        "counter[0] += 1",
        "if counter[0] % frame_every == 0:",
        "    frame_times[n_frame] = t",
        "    snapshot(v, place, n_instance, frames[n_frame])",
        "    n_frame += 1",
    ]
    body = [
        "if n_step < 0:",
        *(f"    {line}" for line in _start(structure)),
        "t = clock[0]",
        "n_frame = 0",
        "n_spike = 0",
        "for s in range(n_step):",
        *(f"    {line}" for line in step),
        "clock[0] = t",
        "return n_step, n_frame, n_spike, 0",
    ]
    return _function(f"advance(n_step, {', '.join(loop_arguments(structure))})", body)


def _fingerprint() -> str:
    """Changes with the kernels that the generated code takes in, so that no old code is run."""
    files = (
        Path(str(module.__file__))
        for module in (attached, constant, event_source, kernels, parts, queue, rows, twigs)
    )
    return sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
