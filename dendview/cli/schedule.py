"""Which thread eliminates which compartment at which step, in numbers."""

import argparse
from pathlib import Path
from typing import get_args

from dendview.cli.cells import add_cell_arguments, print_json, print_table, read_cell
from engine.errors import UserError
from engine.exporting import export_schedule_csv, export_schedule_json
from engine.schedule import depths, idle_slots, lower_bound, make_schedule
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
    bound = lower_bound(tree.parent, schedule.n_threads)
    n_root = int((tree.parent < 0).sum())
    answer = {
        "cell": morphology.name,
        "method": schedule.method,
        "n_threads": schedule.n_threads,
        "rule": str(args.rule),
        "nodes": args.nodes,
        "axon": args.axon,
        "n_nodes": tree.n_comp,
        "n_segments": tree.n_segment,
        "depth": int(depths(tree.parent).max()),
        "serial_steps": tree.n_comp - n_root,
        "n_steps": schedule.n_step,
        "bound": bound,
        "idle_slots": idle_slots(schedule),
        "optimal": schedule.n_step == bound,
    }
    if args.out is not None:
        writers = {".csv": export_schedule_csv, ".json": export_schedule_json}
        if args.out.suffix not in writers:
            raise UserError(f"{args.out}: a schedule is written as .csv or .json; end the name so")
        writers[args.out.suffix](schedule, tree, args.out)
    if args.json:
        print_json(answer)
        return
    steps, serial = schedule.n_step, max(tree.n_comp - n_root, 1)
    print_table(
        [
            ("cell", f"{morphology.name}: {tree.n_comp} nodes, depth {answer['depth']}"),
            ("schedule", f"{schedule.method} with {schedule.n_threads} threads"),
            ("steps", f"{steps} ({100 * steps / serial:.2f} % of {serial} serial steps)"),
            (
                "bound",
                f"{bound}"
                + (
                    ": no schedule can be shorter"
                    if steps == bound
                    else f"; {steps - bound} above it"
                ),
            ),
            ("idle slots", f"{answer['idle_slots']} of {steps * schedule.n_threads}"),
        ]
    )
