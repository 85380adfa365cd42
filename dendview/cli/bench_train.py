"""Time of an epoch of training beside NEURON."""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from dendview.cli.measuring import add_output, add_peers_python, check_number, show
from dendview.cli.spike_lab import duration
from dendview.folders import whole_path
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
    add_peers_python(parser, "NEURON and its compiler")
    parser.add_argument(
        "--backend", choices=("auto", "cpu", "gpu"), default="auto",
        help="gpu: both ways there too; auto: where there is one (default %(default)s)",
    )  # fmt: skip
    parser.add_argument("--peers", default="neuron", metavar="NAMES", help="neuron or none")
    parser.add_argument("--rounds", type=int, default=3, help="default %(default)s")
    add_output(parser)


def execute(args: argparse.Namespace) -> None:
    if args.peers not in ("neuron", "none"):
        raise UserError(f"there is no peer '{args.peers}'; choose neuron or none")
    check_number(args.rounds, "rounds")
    data = load(args.data)
    network = HpcNet(n_hidden=args.hidden)
    if args.morphology is not None:
        network = replace(network, cell=hidden_cell(whole_path(args.morphology)))
    training = Training(network, data=args.data)
    training = replace(training, learning=replace(training.learning, rule=args.rule))
    answers: dict[str, dict[str, Any]] = {}
    python = args.peers_python if args.peers == "neuron" else None

    def rows() -> Iterator[tuple[str, dict[str, Any]]]:
        for program, answer in measure(training, data, args.rounds, python, args.backend):
            answers[program] = answer
            found = report(training, data, answers)
            yield line(program, found["programs"][program]), found

    show(args, rows())


def short(seconds: float) -> str:
    """Three digits of what a person would wait for in seconds, else as usual."""
    return f"{seconds:#.3g} s" if seconds < 90 else duration(seconds)


def line(program: str, row: dict) -> str:
    """One program for people."""
    if "seconds" not in row:
        return f"{program:13s} - ({row['missing']})"
    said = f"{program:13s} {1e3 * row['seconds']:.4g} ms a sample, {short(row['epoch'])} an epoch"
    if "test_seconds" in row:
        said += f" and {short(row['test_seconds'])} to test"
    if "processes" in row:
        said += f" on {row['processes']} processes"
    if "ratio" in row:
        said += (
            f", {row['ratio']:.4g} times the shortcut's; voltages within "
            f"{row['largest_relative_difference']:.1e}"
        )
    return said
