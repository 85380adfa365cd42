"""What the step loop of a model is given, and what it hands on to the mechanisms' kernels."""

from engine.backends import event_source
from engine.backends.event_source import event_name, takes_events
from engine.backends.structure import Structure, ion_name, state_name, table_name
from engine.mechanisms.emit import arguments
from engine.mechanisms.emit_lanes import has_lanes
from engine.mechanisms.model import KERNELS, KernelName, Mechanism
from engine.mechanisms.sleep import sleeps

COMMON = [
    "clock",
    "counter",
    "dt",
    "threshold",
    "limit",
    "n_root",
    "n_instance",
    "single",
    "parent",
    "a",
    "own",
    "leak_i",
    "leak_g",
    "area",
    "v",
    "d",
    "r",
    "f",
    "inverse",
    "rate",
    "carry",
    "x",
    "applied",
    "level_start",
    "rest",
    "n_part",
    "part_start",
    "joint",
    "share",
    "flow",
    "i_membrane",
    "g_membrane",
    "clamp_node",
    "clamp_on",
    "clamp_off",
    "clamp_amplitude",
    "played_node",
    "played_column",
    "played",
    "hold_node",
    "hold_until",
    "hold_level",
    "hold_conductance",
    "hold_current",
    "gap_node",
    "gap_conductance",
    "gap_current",
    "point_node",
    "i_point",
    "g_point",
    "probe_start",
    "probe_slot",
    "probe_place",
    "spike_node",
    "above",
    "place",
    "times",
    "traces",
    "frame_every",
    "frame_times",
    "frames",
    "spikes",
    "celsius",
    "spare",
    "silent_group",
    "silent_numbers",
    "silent_host",
    "silent_count",
    "active_group",
    "active_numbers",
    "active_host",
]
"""What every step loop takes, in order."""
ONE_POINT = ("point", "instance", "slot")
LOCAL = ("t", "flag", *ONE_POINT)
"""Names of the step loop's own."""


def actual_arguments(mechanism: Mechanism, which: KernelName) -> list[str]:
    """What the step loop hands to a mechanism's kernel: names of its own arguments."""
    actual = []
    for argument in arguments(mechanism, which):
        match argument.kind:
            case "voltage":
                actual.append("v")
            case "out_current" if mechanism.kind == "point":
                actual.append(table_name(mechanism, "i") if has_lanes(mechanism) else "i_point")
            case "out_conductance" if mechanism.kind == "point":
                actual.append(table_name(mechanism, "g") if has_lanes(mechanism) else "g_point")
            case "out_current":
                actual.append("i_membrane")
            case "out_conductance":
                actual.append("g_membrane")
            case "ion_read" | "ion_write" | "ion_set":
                actual.append(ion_name(argument.name))
            case "scalar":
                actual.append(argument.name)
            case "count" if argument.name == "n_instance":
                actual.append("single" if mechanism.kind == "point" else "n_instance")
            case "count" if argument.name in ONE_POINT:
                actual.append(argument.name)
            case "weight":
                actual.append(event_name(mechanism, "weight"))
            case "count" | "node":
                actual.append(table_name(mechanism, argument.name))
            case _:
                actual.append(state_name(mechanism, argument.name))
    return actual


def loop_arguments(structure: Structure) -> list[str]:
    """Arguments of the step loop after ``n_step``, in order."""
    own: dict[str, None] = dict.fromkeys(structure.probed)
    for mechanism in structure.mechanisms:
        for which in KERNELS:
            own |= dict.fromkeys(actual_arguments(mechanism, which))
        if takes_events(mechanism):
            own |= dict.fromkeys(
                event_source.taken(mechanism, actual_arguments, structure.reached(mechanism))
            )
    return COMMON + [name for name in own if name not in COMMON and name not in LOCAL]


def may_sleep(mechanism: Mechanism) -> bool:
    """Whether its points are computed from their first event on."""
    return takes_events(mechanism) and has_lanes(mechanism) and sleeps(mechanism)
