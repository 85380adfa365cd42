"""Time of a trial of the spike lab beside NEURON and CoreNEURON."""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from dendview.cli.measuring import add_output, add_peers_python, check_number, show
from dendview.folders import whole_path
from engine.benchmarks.spike_lab import PEERS, measure, report
from engine.errors import UserError
from engine.experiments.spike_presets import human_cell, preset
from engine.experiments.spike_study import CONDITIONS, Trial, is_clustered


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--condition", choices=CONDITIONS, default="few-distributed", help="default %(default)s"
    )
    parser.add_argument("--synapses", type=int, default=120, help="default %(default)s")
    parser.add_argument(
        "--trials", type=int, default=8, metavar="N", help="side by side (default %(default)s)"
    )
    parser.add_argument(
        "--duration", type=float, default=1000.0, metavar="MS", help="default %(default)s"
    )
    parser.add_argument("--morphology", metavar="PATH", help="default: the grown human L2/3 cell")
    parser.add_argument(
        "--peers", default=",".join(PEERS), metavar="NAMES",
        help="comma-separated (default %(default)s); 'none' for the engine alone",
    )  # fmt: skip
    add_peers_python(parser, "NEURON and its compiler")
    add_output(parser)


def execute(args: argparse.Namespace) -> None:
    peers = () if args.peers == "none" else tuple(args.peers.split(","))
    if unknown := [peer for peer in peers if peer not in PEERS]:
        raise UserError(f"there is no peer '{unknown[0]}'; choose from {', '.join(PEERS)}")
    check_number(args.trials, "trials")
    path = None if args.morphology is None else whole_path(args.morphology)
    study = preset("paper", human_cell(path), (args.condition,))
    study = replace(study, cell=replace(study.cell, duration=args.duration))
    if is_clustered(args.condition) and args.synapses % study.input.cluster_size:
        raise UserError(
            f"{args.synapses} synapses are no whole clusters of {study.input.cluster_size}; ask "
            "for a multiple"
        )
    trials = tuple(Trial(args.condition, args.synapses, k) for k in range(args.trials))
    answers: dict[str, dict[str, Any]] = {}

    def rows() -> Iterator[tuple[str, dict[str, Any]]]:
        for program, answer in measure(study, trials, peers, args.peers_python):
            answers[program] = answer
            found = report(study, trials, answers)
            yield line(program, found["programs"][program]), found

    show(args, rows())


def line(program: str, row: dict) -> str:
    """One program for people."""
    if "seconds" not in row:
        return f"{program:10s}  - ({row['missing']})"
    said = f"{program:10s}  {row['seconds']:.3f} s a trial ({row['cpu_seconds']:.3f} s processor)"
    if "ratio" in row:
        same = "the same spikes" if row["same_spikes"] else "other spikes"
        said += f", {row['ratio']:.1f} times that of the engine, {same}"
    return said
