"""What the inspector says about a cell or a place on it, as plain rows (no Qt)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from dendview.attaching import mechanisms_of
from dendview.colors import type_name
from dendview.spine_places import part_of, shape_of, spine_text
from dendview.state import AppState, Cell
from dendview.wording import UNITS, number, quantity, whole
from engine.distributions import Value
from engine.experiment import Experiment, Insertion
from engine.mechanisms import Mechanism
from engine.morphology.metrics import Metrics, measure
from engine.regions import mask_of_tags
from engine.schedule import depths
from engine.stimuli import Site
from engine.types import IntArray

Row = tuple[str, str]
MOST_SPINES = 12
"""Spines of a segment that are told one by one."""


@dataclass(frozen=True)
class Group:
    """Rows under a heading."""

    heading: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Description:
    """A title, a line under it, groups of rows, and remarks below them."""

    title: str
    subtitle: str
    groups: tuple[Group, ...]
    remarks: tuple[str, ...] = ()


def describe(state: AppState) -> Description | None:
    """The selected segment; without one the cell; None where no cell is open."""
    if state.cell is None:
        return None
    if state.selection is None:
        return describe_cell(state.cell)
    return describe_segment(state, state.cell, state.selection)


@lru_cache(maxsize=2)
def describe_cell(cell: Cell) -> Description:
    """What the file holds and what it was cut into."""
    tree = cell.trees["neuron"]
    metrics = measure(cell.morphology, cell.sections, tree)
    where = cell.source if cell.source.startswith("sample:") else Path(cell.source).name
    nodes = (
        ("segments", number(cell.n_segment)),
        ("NEURON's nodes", number(tree.n_comp)),
        ("merged nodes", number(cell.trees["merged"].n_comp)),
    )
    remarks = tuple(
        f"line {note.line}: {note.text}" if note.line else note.text
        for note in cell.morphology.notes
    )
    groups = (Group("Morphology", metric_rows(metrics)), Group("Compartments", nodes))
    return Description(cell.morphology.name, where, groups, remarks)


def metric_rows(metrics: Metrics) -> tuple[Row, ...]:
    """What is measured of a cell, for people."""
    rows = [
        ("points", number(metrics.n_point)),
        ("sections", number(metrics.n_section)),
        ("branch points", number(metrics.n_branch_point)),
        ("tips", number(metrics.n_tip)),
        ("highest branch order", number(metrics.max_branch_order)),
        ("total length", whole(metrics.length, "µm")),
        ("membrane area", whole(metrics.area, "µm²")),
        ("farthest tip", whole(metrics.max_path_distance, "µm")),
    ]
    if metrics.soma_area > 0:
        rows.append(("soma diameter", quantity(metrics.soma_diameter, "µm")))
    if metrics.n_tree > 1:
        rows.append(("separate trees", number(metrics.n_tree)))
    return tuple(rows)


def describe_segment(state: AppState, cell: Cell, segment: int) -> Description:
    """Geometry of a segment, its place in the schedule, and its membrane in the experiment."""
    tree = cell.trees["neuron"]
    node = int(tree.node_of_segment[segment])
    section = int(tree.section[node])
    name = cell.sections.name[section]
    tag = int(cell.sections.tag[section])
    n_in_section = int(tree.nseg[section])
    place = f"segment {round(tree.x[node] * n_in_section + 0.5)} of {n_in_section}"
    geometry = (
        ("length", quantity(tree.length[node], "µm")),
        ("diameter", quantity(tree.diameter[node], "µm")),
        ("membrane area", quantity(tree.area[node], "µm²")),
        ("axial conductance", quantity(tree.g_axial[node], "µS")),
        ("distance from soma", quantity(cell.distance[segment], "µm")),
        ("position", ", ".join(f"{v:.0f}" for v in tree.center[node]) + " µm"),
    )
    groups = [Group("Geometry", geometry), _schedule_group(state, cell, segment)]
    if state.experiment is not None:
        groups += membrane_groups(state.experiment, tag)
        if spines := spine_rows(cell, state.experiment, segment):
            groups.append(Group("Spines", spines))
    title = f"{name}({tree.x[node]:.4g})"
    return Description(title, f"{type_name(tag)} · {place}", tuple(groups))


def spine_rows(cell: Cell, experiment: Experiment, segment: int) -> tuple[Row, ...]:
    """The spines on a segment that are known one by one, each with what sits on it."""
    known, found = cell.sections.name, []
    for i, spine in enumerate(experiment.spines):
        if spine.site.section in known and cell.segment(spine.site) == segment:
            found.append(i)
    rows = []
    for i in found[:MOST_SPINES]:
        things = [y.mechanism for y in experiment.synapses if _on_spine(experiment, y.site) == i]
        things += ["clamp" for c in experiment.stimuli if _on_spine(experiment, c.site) == i]
        things += ["recorded" for p in experiment.probes if _on_spine(experiment, p.site) == i]
        rows.append((f"spine[{i}]", ", ".join(things) or spine_text(shape_of(experiment, i))))
    if len(found) > MOST_SPINES:
        rows.append(("", f"and {number(len(found) - MOST_SPINES)} more"))
    return tuple(rows)


def _on_spine(experiment: Experiment, site: Site) -> int | None:
    found = part_of(experiment, site)
    return None if found is None else found[0]


def _schedule_group(state: AppState, cell: Cell, segment: int) -> Group:
    tree = cell.trees[state.nodes]
    node = int(tree.node_of_segment[segment])
    rows: list[Row] = [
        ("node", f"{number(node)} of {number(tree.n_comp)}"),
        ("depth", number(int(node_depths(cell, state.nodes)[node]))),
        ("children", number(int(np.count_nonzero(tree.parent == node)))),
    ]
    schedule = state.schedule
    if schedule is not None and schedule.n_comp == tree.n_comp:
        step = schedule.step[node]
        if step < 0:
            rows.append(("thread, step", "root: not eliminated"))
        else:
            rows.append(("thread", number(int(schedule.thread[node]))))
            rows.append(("step", f"{number(int(step) + 1)} of {number(schedule.n_step)}"))
    return Group("In the schedule", tuple(rows))


@lru_cache(maxsize=4)
def node_depths(cell: Cell, nodes: str) -> IntArray:
    """(n_comp,) depth of every node of one of the cell's trees."""
    return np.asarray(depths(cell.trees[nodes].parent))  # type: ignore[index]


def membrane_groups(experiment: Experiment, tag: int) -> list[Group]:
    """Cable and mechanisms at a structure type, with all their parameters and units."""
    tags = np.array([tag], np.int32)
    cables = [c for c in experiment.cables if mask_of_tags(tags, c.region)[0]]
    groups = []
    if cables:
        rows = (
            ("capacitance", quantity(cables[-1].cm, "µF/cm²")),
            ("axial resistivity", quantity(cables[-1].ra, "Ω·cm")),
        )
        groups.append(Group("Cable", rows))
    for insertion in experiment.insertions:
        if mask_of_tags(tags, insertion.region)[0]:
            heading = f"Mechanism {insertion.mechanism}"
            rows_of = parameter_rows(insertion, mechanisms_of(experiment))
            groups.append(Group(heading, tuple(rows_of)))
    return groups


@dataclass(frozen=True)
class ParameterValue:
    """A parameter of an inserted mechanism: its value now, its default and its unit."""

    name: str
    value: Value
    default: float
    unit: str


def parameters(insertion: Insertion, known: Mapping[str, Mechanism]) -> tuple[ParameterValue, ...]:
    """All parameters of an inserted mechanism; empty where it is not known."""
    mechanism = known.get(insertion.mechanism)
    if mechanism is None:
        return ()
    given = dict(insertion.parameters)
    return tuple(
        ParameterValue(p.name, given.get(p.name, p.default), p.default, UNITS.get(p.unit, p.unit))
        for p in mechanism.parameters
        if p.name not in ("celsius", "v")
    )


def parameter_rows(insertion: Insertion, known: Mapping[str, Mechanism]) -> list[Row]:
    """The parameters of a mechanism as rows."""
    return [(p.name, quantity(p.value, p.unit)) for p in parameters(insertion, known)]


def summary(state: AppState) -> str:
    """For the status bar: ``human_L23 · 1 263 nodes · 81 steps at 16 threads (optimal)``."""
    if state.cell is None:
        return ""
    name = state.cell.morphology.name
    parts = [
        name if len(name) <= 28 else f"{name[:26]}…",
        f"{number(state.cell.trees[state.nodes].n_comp)} nodes",
    ]
    schedule = state.schedule
    if schedule is not None:
        threads = "thread" if schedule.n_threads == 1 else "threads"
        steps = f"{number(schedule.n_step)} steps at {number(schedule.n_threads)} {threads}"
        parts.append(steps + (" (optimal)" if schedule.optimal else ""))
    return " · ".join(parts)
