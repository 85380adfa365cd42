"""Which thread eliminates which compartment at which step, in numbers."""

import argparse
from pathlib import Path
from typing import get_args

from dendview.cli.cells import add_cell_arguments, print_json, print_table, read_cell
from engine.errors import UserError
from engine.exporting import export_schedule_csv, export_schedule_json
from engine.exporting.schedule import summary
from engine.schedule import make_schedule
from engine.types import ScheduleMethod


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_cell_arguments(parser)
    parser.add_argument(
        "--method", choices=get_args(ScheduleMethod), default="dhs", help="default %(default)s"
    )
    parser.add_argument(
        "--threads",
        type=int,
        default=16,
        metavar="K",
        help="threads a cell is given (default %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="write the whole schedule to FILE (.csv or .json)"
    )


def execute(args: argparse.Namespace) -> None:
    morphology, _, tree = read_cell(args)
    schedule = make_schedule(tree, args.method, args.threads)
    answer = {
        "cell": morphology.name,
        **summary(schedule),
        "rule": str(args.rule),
        "nodes": args.nodes,
        "axon": args.axon,
        "n_segments": tree.n_segment,
        "depth": schedule.depth,
        "serial_steps": schedule.n_serial,
    }
    if args.out is not None:
        writers = {".csv": export_schedule_csv, ".json": export_schedule_json}
        if (ending := args.out.suffix.lower()) not in writers:
            raise UserError(f"{args.out}: a schedule is written as .csv or .json; end the name so")
        writers[ending](schedule, tree, args.out)
    if args.json:
        print_json(answer)
        return
    steps, bound = schedule.n_step, schedule.bound
    above = ": no schedule can be shorter" if schedule.optimal else f"; {steps - bound} above it"
    share = f"{100 * schedule.relative:.2f} % of {schedule.n_serial} serial steps"
    print_table(
        [
            ("cell", f"{morphology.name}: {tree.n_comp} nodes, depth {schedule.depth}"),
            ("schedule", f"{schedule.method} with {schedule.n_threads} threads"),
            ("steps", f"{steps} ({share})"),
            ("bound", f"{bound}{above}"),
            ("idle slots", f"{schedule.n_idle} of {steps * schedule.n_threads}"),
        ]
    )
