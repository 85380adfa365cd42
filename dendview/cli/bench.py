"""How fast the engine is, beside other simulators."""

import argparse
from collections.abc import Iterator
from typing import Any

from dendview.cli import bench_population, bench_solve, bench_spike_lab, bench_train
from dendview.cli.measuring import add_output, add_peers_python, check_number, show
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
    trees = words.add_parser("population", help="time of a step of different trees in one run")
    trees.set_defaults(measure=bench_population.execute)
    bench_population.add_arguments(trees)


def execute(args: argparse.Namespace) -> None:
    args.measure(args)


def add_step_arguments(parser: argparse.ArgumentParser) -> None:
    add_output(parser)
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
    add_peers_python(parser, "the peers")
    parser.add_argument("--rounds", type=int, default=5, help="default %(default)s")


def measure_steps(args: argparse.Namespace) -> None:
    wanted = [] if args.peers == "none" else args.peers.split(",")
    if unknown := [peer for peer in wanted if peer not in PEERS]:
        raise UserError(
            f"there is no peer '{unknown[0]}'; choose from {', '.join(p for p in PEERS)}"
        )
    check_number(args.rounds, "rounds")
    chosen = [s for s in settings(args.quick) if not args.only or args.only in s.name]
    if not chosen:
        raise UserError(f"no row has '{args.only}' in its name; try hh or 5000x64")
    peers = (OURS, *(peer for peer in wanted if peer != OURS))

    def rows() -> Iterator[tuple[str, dict[str, Any]]]:
        done = []
        for setting, answers in measure(chosen, peers, args.peers_python, args.rounds):
            done.append((setting, answers))
            yield line(setting.name, answers), report(done)

    show(args, rows())


def line(name: str, answers: dict) -> str:
    """One row for people: ns of every program, and the ratio to the fastest peer."""
    parts = [f"{name:22s}"]
    for peer in PEERS:
        if (answer := answers.get(peer)) is not None:
            parts.append(f"{peer} {answer['ns']:6.2f}" if "ns" in answer else f"{peer} -")
    if "ratio" in answers:
        parts.append(f"{answers['ratio']:.1f} times as fast as {answers['fastest_peer']}")
    return "  ".join(parts)
