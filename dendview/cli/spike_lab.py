"""How many synapses make a neuron fire: a grid of trials, its curves and its files."""

import argparse
import math
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from dendview.cli.backends import add_backend_arguments, wanted_backend
from dendview.cli.cells import out_folder, print_json, print_table
from dendview.cli.run import ended_as_by_ctrl_c
from dendview.cli.spike_replay import replay_trial
from dendview.folders import whole_path
from engine.errors import UserError
from engine.executor import LocalPool, Pool, dask_pool
from engine.experiments.proportions import difference
from engine.experiments.spike_presets import PRESETS, human_cell, preset
from engine.experiments.spike_probability import Curve, curves, run_study, text_of
from engine.experiments.spike_store import STUDY, TRIALS, read_run
from engine.experiments.spike_study import GROUPS, SpikeStudy, check, read_study, to_json
from engine.experiments.spike_trials import Outcome, area_factor
from engine.exporting.spike_figure import export_spike_svg, spike_svg
from engine.exporting.spike_lab import export_spike_hdf5, export_spike_tables

BAR = 30
SHAPE = {
    "neck-length": "of every spine's neck (default 1.35)",
    "neck-diameter": "default 0.25",
    "head-diameter": "and length of the head, a cylinder (default 0.944)",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the run")
    parser.add_argument(
        "--preset",
        choices=tuple(PRESETS),
        help="quick: points where the curves rise, 20 trials, minutes; paper: the whole grid of "
        "Zhang et al. 2023, Fig. 5, 50 trials (default quick)",
    )
    parser.add_argument(
        "--condition",
        choices=tuple(GROUPS),
        help="few: spines as a factor and explicit ones under active synapses only; full: every "
        "spine; each distributed, clustered or both (default few)",
    )
    parser.add_argument("--trials", type=int, metavar="N", help="at every point")
    parser.add_argument(
        "--distributed",
        type=_numbers,
        metavar="N,N,…",
        help="numbers of synapses, not the preset's",
    )
    parser.add_argument(
        "--clusters", type=_numbers, metavar="N,N,…", help="numbers of clusters, not the preset's"
    )
    parser.add_argument(
        "--morphology",
        metavar="PATH",
        help="cell to put the membrane on, SWC or ASC (default: the grown human L2/3 cell)",
    )
    for option, what in SHAPE.items():
        parser.add_argument(f"--{option}", type=float, metavar="UM", help=what)
    parser.add_argument(
        "--density", type=float, metavar="PER_UM", help="spines on a µm of dendrite (default 1.3)"
    )
    parser.add_argument(
        "--f-factor",
        metavar="F",
        help="for the spines that are left out of the few condition: a number, or 'area' for that "
        "of the cell and its spines (default 1.9)",
    )
    parser.add_argument(
        "--seed", type=int, metavar="N", help="of all places and trains (default 1)"
    )
    parser.add_argument(
        "--recipe", type=Path, metavar="FILE", help=f"run the {STUDY} of another run again"
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on with the trials that are in the folder"
    )
    add_backend_arguments(parser)
    parser.add_argument(
        "--workers", type=int, metavar="N", help="processes (default: one for every core)"
    )
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="of Dask, to use its workers: tcp://HOST:8786"
    )
    parser.add_argument(
        "--sd", action="store_true", help="draw mean ± SD as the publication, not Wilson's 95 %%"
    )
    parser.add_argument("--json", action="store_true", help="print the curves as JSON")
    parser.add_argument(
        "--replay",
        metavar="TRIAL",
        help="no run, but one trial of the folder again with its traces and the voltage of the "
        "whole cell: few-distributed:110:3 is the third with 110 synapses",
    )


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is no list such as 100,110,120") from None


def execute(args: argparse.Namespace) -> int:
    if args.replay is not None:
        print_table(replay_trial(args.out, args.replay, wanted_backend(args)))
        return 0
    study = wanted_study(args)
    pool: Pool | None = None if args.workers is None else LocalPool(args.workers)
    if args.scheduler:
        pool = dask_pool(args.scheduler)
    folder = out_folder(args.out)
    stopped = False
    try:
        with ended_as_by_ctrl_c():
            for _ in show_progress(study, folder, pool, args):
                pass
    except KeyboardInterrupt:
        stopped = True
    _, finished = read_run(folder)
    outcomes = [finished[trial] for trial in study.trials() if trial in finished]
    written = write(study, outcomes, folder, args.sd)
    found = curves(study, outcomes)
    if args.json:
        print_json(answer(study, outcomes, found, written))
    else:
        print_table([*summary(found), ("written", ", ".join(map(str, written)))])
    if stopped:
        print(
            f"dendview: stopped; {len(outcomes)} of {study.n_total} trials are kept in {folder}, "
            f"go on with 'dendview spike-lab --resume --out {folder}'",
            file=sys.stderr,
        )
    return 130 if stopped else 0


def wanted_study(args: argparse.Namespace) -> SpikeStudy:
    """The study that the arguments ask for: of a file, of the folder to go on with, or a preset's.

    Raises
    ------
    UserError
    """
    named = (args.preset, args.condition, args.morphology)
    if args.recipe is not None:
        if any(named):
            raise UserError(
                "--recipe says which preset, condition and cell it is; leave the others out"
            )
        study = read_study(args.recipe)
    elif args.resume and (args.out / STUDY).exists() and not any(named):
        study = read_study(args.out / STUDY)
    else:
        path = None if args.morphology is None else whole_path(args.morphology)
        conditions = GROUPS[args.condition or "few"]
        study = preset(args.preset or "quick", human_cell(path), conditions)
    changes = {
        "n_trials": args.trials, "distributed": args.distributed, "clusters": args.clusters,
        "seed": args.seed,
    }  # fmt: skip
    study = replace(study, **{name: value for name, value in changes.items() if value is not None})
    return with_factor(with_spines(study, args), args.f_factor)


def with_spines(study: SpikeStudy, args: argparse.Namespace) -> SpikeStudy:
    """The study with the shape and number of spines that the arguments ask for."""
    shape, spines = study.spines.shape, study.spines
    if args.neck_length is not None:
        shape = replace(shape, neck_length=args.neck_length)
    if args.neck_diameter is not None:
        shape = replace(shape, neck_diameter=args.neck_diameter)
    if args.head_diameter is not None:
        shape = replace(shape, head_length=args.head_diameter, head_diameter=args.head_diameter)
    if args.density is not None:
        spines = replace(spines, per_um=args.density)
    return replace(study, spines=replace(spines, shape=shape))


def with_factor(study: SpikeStudy, factor: str | None) -> SpikeStudy:
    """The study with the factor that stands for spines.

    Raises
    ------
    UserError
        If it is neither a number nor ``area``.
    """
    if factor is None:
        return study
    if factor == "area":
        check(study)
        return replace(study, factor=area_factor(study))
    try:
        return replace(study, factor=float(factor))
    except ValueError:
        raise UserError(
            f"the factor '{factor}' is no number; write one such as 1.9, or 'area'"
        ) from None


def show_progress(
    study: SpikeStudy, folder: Path, pool: Pool | None, args: argparse.Namespace
) -> Iterator[None]:
    """Run; on a terminal draw a bar."""
    show, width = sys.stderr.isatty(), 0
    backend = wanted_backend(args)
    run = run_study(study, folder, pool=pool, backend=backend, resume=args.resume)
    try:
        for progress in run:
            if show:
                filled = int(BAR * progress.n_done / max(progress.n_total, 1))
                left = progress.seconds_left
                rest = "" if left is None else f", {duration(left)} left"
                line = (
                    f"[{'#' * filled}{'.' * (BAR - filled)}] {progress.n_done} of "
                    f"{progress.n_total} trials{rest}"
                )
                print(f"\r{line:<{width}}", end="", file=sys.stderr, flush=True)
                width = len(line)
            yield
    finally:
        run.close()
        if show:
            print(file=sys.stderr)


def duration(seconds: float) -> str:
    """``45 s``, ``12 min`` or ``3.5 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def write(study: SpikeStudy, outcomes: list[Outcome], folder: Path, sd: bool) -> list[Path]:
    """Tables, HDF5 and the figure; with the study and the list of trials they are the run."""
    written = [folder / STUDY, folder / TRIALS, *export_spike_tables(study, outcomes, folder)]
    export_spike_hdf5(study, outcomes, folder / "spike-lab.h5")
    found = curves(study, outcomes)
    export_spike_svg(found, folder / "curves.svg", deviation=sd)
    from dendview.svg_pictures import save_svg_as_png

    save_svg_as_png(spike_svg(found, deviation=sd), folder / "curves.png", recipe=to_json(study))
    return [*written, *(folder / name for name in ("spike-lab.h5", "curves.svg", "curves.png"))]


def summary(found: tuple[Curve, ...]) -> list[tuple[str, str]]:
    """The curves for people."""
    rows: list[tuple[str, str]] = []
    for curve in found:
        rows.append((curve.condition, "spike probability (Wilson 95 %), of trials; published"))
        for p in curve.points:
            failed = f", {p.failed} failed" if p.failed else ""
            known = curve.published.get(p.n_synapses)
            theirs = "" if known is None else f"; {known:.2f}"
            rows.append((f"  {p.n_synapses}", f"{text_of(p.probability)}, {p.n}{failed}{theirs}"))
        half = "the trials do not rise through one half"
        if curve.half is not None:
            half = f"{text_of(curve.half.at, 1)} synapses"
        rows.append(("  half", half))
    by_name = {curve.condition: curve for curve in found}
    for pattern in ("distributed", "clustered"):
        few, full = (by_name.get(f"{model}-{pattern}") for model in ("few", "full"))  # type: ignore[call-overload]
        if few is not None and full is not None and few.half and full.half:
            shift = text_of(difference(few.half, full.half), 1)
            rows.append((f"shift, {pattern}", f"all spines need {shift} synapses more"))
    return rows


def answer(
    study: SpikeStudy, outcomes: list[Outcome], found: tuple[Curve, ...], written: list[Path]
) -> dict[str, Any]:
    """The curves for programs."""
    return {
        "study": study.name,
        "seed": study.seed,
        "trials": {"finished": len(outcomes), "wanted": study.n_total},
        "failed": [
            {"trial": str(o.trial), "reason": o.failed} for o in outcomes if o.failed is not None
        ],
        "seconds_per_trial": sum(o.seconds for o in outcomes) / max(len(outcomes), 1),
        "curves": [{**plain(asdict(curve)), "published": curve.published} for curve in found],
        "files": [str(path) for path in written],
    }


def plain(value: Any) -> Any:
    """A value as JSON can hold it: what is unknown or open is null."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
