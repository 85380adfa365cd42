"""Spike probabilities beside the published ones: ``python -m tests.benchmarks.bench_spike_lab``.

The grid of Zhang et al. 2023, Fig. 5, on the published cell: every condition, 50 trials at each of
its 46 points, 2,300 trials. Places and trains come from another generator than the publication's,
so only statistics can agree: at each point Wilson's interval of ours has to hold the published
probability, or at least to meet the interval around that (50 trials, too).

The run keeps its trials in a folder and goes on there when it is started again.
"""

import argparse
import json
import os
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numba
import numpy as np

from engine.executor import LocalPool
from engine.experiments.proportions import HalfPoint, difference, overlap, wilson
from engine.experiments.published_spikes import N_TRIALS, SOURCE
from engine.experiments.spike_presets import human_cell, preset
from engine.experiments.spike_probability import Curve, curves, run_study
from engine.experiments.spike_store import read_run
from engine.experiments.spike_study import GROUPS
from engine.experiments.spike_trials import prepare
from tests.benchmarks.bench_step import commit, processor
from tests.conftest import DATA
from tests.engine.test_recipes import REAL

ASC = DATA / "morphologies" / "paper" / REAL["human_l23"]


def rows(curve: Curve) -> list[dict[str, Any]]:
    """Every published point beside ours."""
    found = []
    for p in (p for p in curve.points if p.n):
        ours, known = p.probability, curve.published.get(p.n_synapses)
        row: dict[str, Any] = {
            "synapses": p.n_synapses, "n": p.n, "fired": p.fired, "failed": p.failed,
            "probability": ours.value, "wilson": [ours.low, ours.high],
        }  # fmt: skip
        if known is not None:
            theirs = wilson(round(known * N_TRIALS), N_TRIALS)
            row["published"] = known
            row["contains"] = ours.low <= known <= ours.high
            row["overlaps"] = overlap((ours.low, ours.high), (theirs.low, theirs.high))
        found.append(row)
    return found


def half(found: HalfPoint | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {"synapses": found.at.value, "interval": [found.at.low, found.at.high],
            "width": found.width}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, default=Path("spike-lab-run"), help="folder of trials")
    parser.add_argument("--condition", choices=GROUPS, default="all")
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--workers", type=int)
    parser.add_argument(
        "--report", action="store_true", help="run nothing, tell what the folder holds"
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    args = parser.parse_args()
    study = preset("paper", human_cell(str(ASC)), GROUPS[args.condition])
    study = replace(study, n_trials=args.trials)
    load, begin = os.getloadavg(), time.perf_counter()
    steps = run_study(study, args.run, pool=LocalPool(args.workers), resume=True)
    for step in () if args.report else steps:
        if step.finished:
            left = "" if step.seconds_left is None else f", {step.seconds_left:.0f} s left"
            print(f"{step.n_done} of {step.n_total}{left}", flush=True)
    finished = read_run(args.run)[1]
    outcomes = [finished[trial] for trial in study.trials() if trial in finished]
    found = tuple(c for c in curves(study, outcomes) if any(p.n for p in c.points))
    by_name = {curve.condition: curve for curve in found}
    shifts = {}
    for pattern in ("distributed", "clustered"):
        few, full = (by_name.get(f"{model}-{pattern}") for model in ("few", "full"))
        if few and full and few.half and full.half:
            shift = difference(few.half, full.half)
            shifts[pattern] = {"synapses": shift.value, "interval": [shift.low, shift.high]}
    now = datetime.now(UTC)
    table = [row for curve in found for row in rows(curve)]
    report = {
        "what": "spike probability by number of active synapses, beside the published one",
        "published": SOURCE,
        "morphology": ASC.name,
        "segments": prepare(study).tree.n_segment,
        "spines": int(prepare(study).spines.sum()),
        "seed": study.seed,
        "dt_ms": study.cell.dt,
        "duration_ms": study.cell.duration,
        "device": processor(),
        "cores": os.cpu_count(),
        "load_before": load,
        "seconds": None if args.report else time.perf_counter() - begin,
        "seconds_per_trial": {
            c.condition: float(
                np.median([o.seconds for o in outcomes if o.trial.condition == c.condition])
            )
            for c in found
        },
        "date": now.isoformat(timespec="seconds"),
        "commit": commit(),
        "versions": {"numba": numba.__version__, "numpy": np.__version__},
        "points": sum("published" in row for row in table),
        "contain": sum(row.get("contains", False) for row in table),
        "overlap": sum(row.get("overlaps", False) for row in table),
        "failed": sum(o.failed is not None for o in outcomes),
        "shift_by_spines": shifts,
        "curves": {c.condition: {"half": half(c.half), "points": rows(c)} for c in found},
    }
    path = args.out / f"spike_lab_{now:%Y%m%d-%H%M%S}_{commit()}.json"
    path.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(
        f"{report['contain']} of {report['points']} intervals hold the published probability, "
        f"{report['overlap']} meet its interval; {path}"
    )


if __name__ == "__main__":
    main()
