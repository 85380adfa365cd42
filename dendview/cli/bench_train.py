"""Time of an epoch of training beside NEURON."""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

from dendview.cli.cells import print_json
from dendview.cli.spike_lab import duration
from engine.benchmarks.train import measure, report
from engine.errors import UserError
from engine.experiments.hpc_net import HpcNet, Training, hidden_cell, load


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", default="digits", metavar="DIR", help="default: bundled digits")
    parser.add_argument("--hidden", type=int, default=64, metavar="N", help="default %(default)s")
    parser.add_argument("--morphology", metavar="PATH", help="default: the grown human L2/3 cell")
    parser.add_argument(
        "--rule", choices=("quasi_static", "exact"), default="quasi_static",
        help="default %(default)s",
    )  # fmt: skip
    parser.add_argument(
        "--peers-python", default=sys.executable, metavar="PATH",
        help="a Python that has NEURON installed, with its compiler (default: this one)",
    )  # fmt: skip
    parser.add_argument("--peers", default="neuron", metavar="NAMES", help="neuron or none")
    parser.add_argument("--rounds", type=int, default=3, help="default %(default)s")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the JSON to FILE too")


def execute(args: argparse.Namespace) -> None:
    if args.peers not in ("neuron", "none"):
        raise UserError(f"there is no peer '{args.peers}'; choose neuron or none")
    if args.rounds < 1:
        raise UserError(f"{args.rounds} rounds cannot be measured; ask for at least 1")
    data = load(args.data)
    network = HpcNet(n_hidden=args.hidden)
    if args.morphology is not None:
        path = args.morphology
        if not path.startswith("sample:"):
            path = str(Path(path).absolute())
        network = replace(network, cell=hidden_cell(path))
    training = Training(network, data=args.data)
    training = replace(training, learning=replace(training.learning, rule=args.rule))
    answers = {}
    python = args.peers_python if args.peers == "neuron" else None
    for program, answer in measure(training, data, args.rounds, python):
        answers[program] = answer
        found = report(training, data, answers)
        print(line(program, found["programs"][program]), file=sys.stderr, flush=True)
        if args.out is not None:  # after every program, so that what is measured is not lost
            text = json.dumps(found, indent=2, ensure_ascii=False)
            args.out.write_text(text + "\n", encoding="utf-8")
    if args.json:
        print_json(found)


def line(program: str, row: dict) -> str:
    """One program for people."""
    if "seconds" not in row:
        return f"{program:13s} - ({row['missing']})"
    said = (
        f"{program:13s} {1e3 * row['seconds']:.4g} ms a sample, {duration(row['epoch'])} an epoch"
    )
    if "processes" in row:
        said += f" on {row['processes']} processes"
    if "ratio" in row:
        said += (
            f", {row['ratio']:.4g} times the shortcut's; voltages within "
            f"{row['largest_relative_difference']:.1e}"
        )
    return said
