"""Taking something off the cell, and with it what was recorded of it (no Qt)."""

import re
from dataclasses import dataclass, replace
from typing import Any

from dendview.attached_fields import Group
from dendview.attaching import recordables_at
from dendview.experiment_fields import changed
from dendview.state import Cell
from dendview.wording import variable_text
from engine.errors import UserError
from engine.experiment import Experiment, Probe
from engine.stimuli import Site

NUMBERED = re.compile(r"\[(\d+)\]$")
"""``g_ExpSyn[1]``: of the second such synapse at a place."""


@dataclass(frozen=True)
class Removed:
    """An experiment without a thing; ``probes`` of its variables went with it."""

    experiment: Experiment
    probes: tuple[Probe, ...] = ()


def without_item(experiment: Experiment, cell: Cell, group: Group, index: int) -> Removed:
    """The experiment without one item of a group and without the probes that read it.

    Those of others of its kind at the same place are numbered anew: ``g_ExpSyn[1]`` becomes
    ``g_ExpSyn`` where the first synapse goes.
    """
    items = getattr(experiment, group)
    left = changed(experiment, **{group: items[:index] + items[index + 1 :]})
    if not (suffix := _suffix(group, items[index])):
        return Removed(left)
    here = _node(cell, items[index].site)
    same = [
        i
        for i, item in enumerate(items)
        if _suffix(group, item) == suffix and _node(cell, item.site) == here
    ]
    number = same.index(index)
    kept, gone = [], []
    for probe in experiment.probes:
        name, at = _split(probe.variable)
        if not name.endswith(suffix) or _node(cell, probe.site) != here or at < number:
            kept.append(probe)
        elif at == number:
            gone.append(probe)
        else:
            fewer = f"{name}[{at - 1}]" if at > 1 else name
            kept.append(replace(probe, variable=fewer))
    return Removed(replace(left, probes=tuple(kept)), tuple(gone))


def without_lost_probes(experiment: Experiment, cell: Cell) -> Removed:
    """The experiment without probes of variables that its membrane no longer has at their sites."""
    asked = [probe for probe in experiment.probes if probe.variable != "v"]
    try:
        there = recordables_at(cell, experiment, [probe.site for probe in asked])
    except UserError:  # who checks the experiment says what is wrong with it
        return Removed(experiment)
    gone = tuple(
        probe
        for probe, found in zip(asked, there, strict=True)
        if probe.variable not in {entry.variable for entry in found}
    )
    kept = tuple(probe for probe in experiment.probes if probe not in gone)
    return Removed(replace(experiment, probes=kept) if gone else experiment, gone)


def lost_text(probes: tuple[Probe, ...]) -> str:
    """``m_hh and ina are no longer recorded``."""
    names = list(dict.fromkeys(variable_text(probe.variable) for probe in probes))
    listed = ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else names[0]
    return f"{listed} {'are' if len(names) > 1 else 'is'} no longer recorded"


def _suffix(group: Group, item: Any) -> str:
    """How the names of the variables of a thing end; empty where it has none."""
    if group == "synapses":
        return f"_{item.mechanism}"
    return {"voltage_clamps": "i_VoltageClamp", "gap_junctions": "i_GapJunction"}.get(group, "")


def _node(cell: Cell, site: Site) -> int:
    tree = cell.trees["neuron"]
    return tree.locate(site.section, site.x) if site.section in tree.section_index else -1


def _split(variable: str) -> tuple[str, int]:
    """A probe's variable and which of its kind at the place it means."""
    found = NUMBERED.search(variable)
    return (variable[: found.start()], int(found[1])) if found else (variable, 0)
