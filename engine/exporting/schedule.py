"""A schedule as a table of nodes, or as a summary with the nodes of every step."""

import csv
import json
from itertools import pairwise
from pathlib import Path

import numpy as np

from engine import __version__
from engine.compartments import CompartmentTree
from engine.exporting.atomic import written_aside
from engine.schedule import depths
from engine.schedule.model import Schedule

COLUMNS = ("node", "parent", "step", "thread", "depth", "section", "x", "segment", "massless")


def export_schedule_csv(schedule: Schedule, tree: CompartmentTree, path: Path) -> None:
    """Write one row per node, in the order of the tree; step and thread of a root are -1.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    names = np.array(tree.sections.name, object)[tree.section]
    rows = zip(
        range(tree.n_comp),
        schedule.parent.tolist(),
        schedule.step.tolist(),
        schedule.thread.tolist(),
        depths(schedule.parent).tolist(),
        names.tolist(),
        tree.x.tolist(),
        tree.segment.tolist(),
        tree.massless.astype(int).tolist(),
        strict=True,
    )
    with written_aside(path) as aside, aside.open("w", encoding="utf-8", newline="") as file:
        file.write(f"# program: DendView {__version__}\n")
        file.write(f"# schedule: {json.dumps(summary(schedule))}\n")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)


def export_schedule_json(schedule: Schedule, tree: CompartmentTree, path: Path) -> None:
    """Write the summary, where every node is and its thread, and the nodes of every step.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    start = schedule.step_start.tolist()
    node = schedule.node.tolist()
    body = {
        "program": f"DendView {__version__}",
        **summary(schedule),
        "node_set": tree.nodes,
        "sections": list(tree.sections.name),
        "section": tree.section.tolist(),
        "x": tree.x.tolist(),
        "parent": schedule.parent.tolist(),
        "thread": schedule.thread.tolist(),
        "steps": [node[a:b] for a, b in pairwise(start)],
    }
    with written_aside(path) as aside:
        aside.write_text(json.dumps(body, ensure_ascii=False), encoding="utf-8")


def summary(schedule: Schedule) -> dict[str, str | int | bool]:
    """What the command line and the files say about a schedule."""
    return {
        "method": schedule.method,
        "n_threads": schedule.n_threads,
        "n_nodes": schedule.n_comp,
        "n_steps": schedule.n_step,
        "bound": schedule.bound,
        "idle_slots": schedule.n_idle,
        "optimal": schedule.optimal,
    }
