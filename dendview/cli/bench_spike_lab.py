"""Time of a trial of the spike lab beside NEURON and CoreNEURON."""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

from dendview.cli.cells import print_json
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
    parser.add_argument(
        "--peers-python", default=sys.executable, metavar="PATH",
        help="a Python that has NEURON installed, with its compiler (default: this one)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the JSON to FILE too")


def execute(args: argparse.Namespace) -> None:
    peers = () if args.peers == "none" else tuple(args.peers.split(","))
    if unknown := [peer for peer in peers if peer not in PEERS]:
        raise UserError(f"there is no peer '{unknown[0]}'; choose from {', '.join(PEERS)}")
    if args.trials < 1:
        raise UserError(f"{args.trials} trials cannot be measured; ask for at least 1")
    path = args.morphology
    if path is not None and not path.startswith("sample:"):
        path = str(Path(path).absolute())
    study = preset("paper", human_cell(path), (args.condition,))
    study = replace(study, cell=replace(study.cell, duration=args.duration))
    if is_clustered(args.condition) and args.synapses % study.input.cluster_size:
        raise UserError(
            f"{args.synapses} synapses are no whole clusters of {study.input.cluster_size}; ask "
            "for a multiple"
        )
    trials = tuple(Trial(args.condition, args.synapses, k) for k in range(args.trials))
    answers = {}
    for program, answer in measure(study, trials, peers, args.peers_python):
        answers[program] = answer
        found = report(study, trials, answers)
        print(line(program, found["programs"][program]), file=sys.stderr, flush=True)
        if args.out is not None:  # after every program, so that what is measured is not lost
            text = json.dumps(found, indent=2, ensure_ascii=False)
            args.out.write_text(text + "\n", encoding="utf-8")
    if args.json:
        print_json(found)


def line(program: str, row: dict) -> str:
    """One program for people."""
    if "seconds" not in row:
        return f"{program:10s}  - ({row['missing']})"
    said = f"{program:10s}  {row['seconds']:.3f} s a trial ({row['cpu_seconds']:.3f} s processor)"
    if "ratio" in row:
        same = "the same spikes" if row["same_spikes"] else "other spikes"
        said += f", {row['ratio']:.1f} times that of the engine, {same}"
    return said
