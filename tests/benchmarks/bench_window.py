"""Seconds until something is seen: ``python -m tests.benchmarks.bench_window`` (on any display).

- ``cold_start``: from the start of ``dendview --smoke`` on a sample to its end.
- ``load``: in a window that is open, from the wish for the largest bench tree to its drawn picture.
- ``recolor``: another voltage frame for 75,000 segments, from the state to the graphics card.
- ``geometry``: the capsules of 75,000 points. ``gantt``: a step of a schedule of 100,000 nodes.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from dendview.cli.display import display
from tests.benchmarks.bench_step import commit, processor
from tests.conftest import DATA, ROOT

SAMPLE = "sample:human_l23"


def timed(work: Callable[[], object], rounds: int) -> dict[str, Any]:
    """Seconds of every round: the median, the least and the greatest."""
    taken = []
    for _ in range(rounds):
        begin = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begin)
    return {
        "median_s": round(statistics.median(taken), 5),
        "least_s": round(min(taken), 5),
        "greatest_s": round(max(taken), 5),
        "rounds": rounds,
    }


def cold_start(rounds: int) -> dict[str, Any]:
    """A new process: imports, window, a sample read, cut, scheduled and drawn once, and its end."""
    command = [sys.executable, "-m", "dendview", "--smoke", SAMPLE]
    return timed(lambda: subprocess.run(command, cwd=ROOT, check=True, capture_output=True), rounds)


def load(rounds: int) -> dict[str, Any]:
    """Read, cut and draw 74,932 points in an open window."""
    from dendview.app import make_window, wait_for_cell

    path = DATA / "bench" / "tree50k.swc.gz"
    window = make_window(warm=False)
    window.resize(1600, 1000)
    window.show()
    window.open_source(SAMPLE)  # whatever is compiled or imported once
    assert wait_for_cell(window)

    def work() -> None:
        window.open_source(str(path))
        assert wait_for_cell(window)
        window.grab()  # draws what is due

    result = timed(work, rounds)
    assert window.state.cell is not None
    result["n_point"] = window.state.cell.morphology.n_point
    window.close()
    return result


def recolor(rounds: int) -> dict[str, Any]:
    """One frame after the other; the picture itself is the graphics card's."""
    from vispy import gloo

    from dendview.state import AppState, Run
    from dendview.views.cell_view import CellView
    from engine.experiment import Experiment
    from tests.dendview.made_cells import bush
    from tests.dendview.shown_view import recording_of

    cell = bush(1900, 12, 40)
    frames = (-65 + 40 * np.random.default_rng(0).random((rounds + 1, cell.n_segment))).astype("f4")
    run = Run(1, Experiment("made"), recording_of(frames), "done")
    view = CellView(AppState(cell=cell, runs=(run,), shown_run=1, color_by="voltage"))
    view.resize(300, 200)
    view.show()
    view.render_image(300, 200)
    frame = iter(range(1, rounds + 1))

    def work() -> None:
        view._state.time = float(next(frame))
        view._prepare()
        gloo.finish()

    result = timed(work, rounds)
    view.canvas.close()
    return {"n_segment": cell.n_segment, **result}


def geometry(rounds: int) -> dict[str, Any]:
    """Display capsules of a cell with 76,000 points."""
    from dendview.geometry import make_geometry
    from tests.dendview.made_cells import bush

    cell = bush(1900, 40, 40)
    result = timed(lambda: make_geometry(cell.sections, cell.trees["neuron"]), rounds)
    return {"n_point": cell.morphology.n_point, **result}


def gantt(rounds: int) -> dict[str, Any]:
    """A step of the player in the chart of a schedule of 100,000 nodes with 1024 threads."""
    from PyQt6.QtWidgets import QApplication

    from dendview.controllers.schedule import ScheduleController
    from dendview.state import AppState
    from dendview.views.gantt_view import GanttView
    from tests.dendview.schedule_cells import cell_with_tree, sample_cell

    rng = np.random.default_rng(0)
    parent = np.maximum(np.arange(100_000) - rng.integers(1, 4000, 100_000), 0).astype(np.int32)
    parent[0] = -1
    state = AppState(n_threads=1024)
    controller = ScheduleController(state, lambda name, nodes: None)
    state.cell = cell_with_tree(sample_cell("spn"), parent)
    view = GanttView(state)
    view.resize(760, 260)
    view.show()
    view.grab()

    def work() -> None:
        controller.advance()
        QApplication.processEvents()
        view.grab()

    return {"n_node": len(parent), **timed(work, rounds)}


CASES: dict[str, tuple[Callable[[int], dict[str, Any]], int]] = {
    "cold_start": (cold_start, 3),
    "load": (load, 3),
    "recolor": (recolor, 30),
    "geometry": (geometry, 5),
    "gantt": (gantt, 10),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    args = parser.parse_args()
    now = datetime.now(UTC)
    report: dict[str, Any] = {
        "what": "seconds until something is seen in the window",
        "device": processor(),
        "cores": os.cpu_count(),
        "date": now.isoformat(timespec="seconds"),
        "commit": commit(),
        "load_before": os.getloadavg(),
        "cases": {},
    }
    with display():
        from dendview.app import make_app
        from dendview.diagnosis import probe_opengl

        app = make_app()  # kept: without it Qt has no screen
        report["opengl"] = probe_opengl().label
        for name in args.cases:
            measure, rounds = CASES[name]
            report["cases"][name] = measure(rounds)
            print(f"{name:12s} {report['cases'][name]}", flush=True)
        app.processEvents()
    report["load_after"] = os.getloadavg()
    args.out.mkdir(parents=True, exist_ok=True)
    path = args.out / f"window_{now:%Y%m%d-%H%M%S}_{report['commit']}.json"
    path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"load {report['load_before'][0]:.1f} to {report['load_after'][0]:.1f}; wrote {path}")


if __name__ == "__main__":
    main()
