"""How fast the engine is, beside other simulators."""

import argparse
import json
import sys
from pathlib import Path

from dendview.cli import bench_solve, bench_spike_lab, bench_train
from dendview.cli.cells import print_json
from engine.benchmarks.step import OURS, PEERS, measure, report, settings
from engine.errors import UserError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    words = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    step = words.add_parser("step", help="time of a step of a whole cell")
    step.set_defaults(measure=measure_steps)
    add_step_arguments(step)
    solves = words.add_parser("solve", help="time of the tree solve by every schedule")
    solves.set_defaults(measure=bench_solve.execute)
    bench_solve.add_arguments(solves)
    trials = words.add_parser("spike-lab", help="time of a trial of the spike lab")
    trials.set_defaults(measure=bench_spike_lab.execute)
    bench_spike_lab.add_arguments(trials)
    epochs = words.add_parser("train", help="time of an epoch of the training lab")
    epochs.set_defaults(measure=bench_train.execute)
    bench_train.add_arguments(epochs)


def execute(args: argparse.Namespace) -> None:
    args.measure(args)


def add_step_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the JSON to FILE too")
    parser.add_argument(
        "--quick", action="store_true", help="1,000 and 5,000 compartments, passive and hh"
    )
    parser.add_argument(
        "--only", metavar="WORD", help="rows whose name has WORD, such as hh_5000x64"
    )
    parser.add_argument(
        "--peers", metavar="NAMES", default=",".join(p for p in PEERS if p != OURS),
        help="comma-separated (default %(default)s); 'none' for the engine alone",
    )  # fmt: skip
    parser.add_argument(
        "--peers-python",
        metavar="PATH",
        default=sys.executable,
        help="a Python that has the peers installed (default: this one)",
    )
    parser.add_argument("--rounds", type=int, default=5, help="default %(default)s")


def measure_steps(args: argparse.Namespace) -> None:
    wanted = [] if args.peers == "none" else args.peers.split(",")
    if unknown := [peer for peer in wanted if peer not in PEERS]:
        raise UserError(
            f"there is no peer '{unknown[0]}'; choose from {', '.join(p for p in PEERS)}"
        )
    if args.rounds < 1:
        raise UserError(f"{args.rounds} rounds cannot be measured; ask for at least 1")
    chosen = [s for s in settings(args.quick) if not args.only or args.only in s.name]
    if not chosen:
        raise UserError(f"no row has '{args.only}' in its name; try hh or 5000x64")
    rows = []
    peers = (OURS, *(peer for peer in wanted if peer != OURS))
    for setting, answers in measure(chosen, peers, args.peers_python, args.rounds):
        rows.append((setting, answers))
        print(line(setting.name, answers), file=sys.stderr, flush=True)
        if args.out is not None:  # after every row, so that what is measured is not lost
            text = json.dumps(report(rows), indent=2, ensure_ascii=False)
            args.out.write_text(text + "\n", encoding="utf-8")
    if args.json:
        print_json(report(rows))


def line(name: str, answers: dict) -> str:
    """One row for people: ns of every program, and the ratio to the fastest peer."""
    parts = [f"{name:22s}"]
    for peer in PEERS:
        if (answer := answers.get(peer)) is not None:
            parts.append(f"{peer} {answer['ns']:6.2f}" if "ns" in answer else f"{peer} -")
    if "ratio" in answers:
        parts.append(f"{answers['ratio']:.1f} times as fast as {answers['fastest_peer']}")
    return "  ".join(parts)
