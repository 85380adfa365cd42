"""Time of a step of cells of different trees in one run."""

import argparse
from collections.abc import Iterator
from typing import Any

from dendview.cli.measuring import add_output, check_number, show
from engine.benchmarks.population import CELLS, measure, report, some_trees
from engine.errors import UserError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--cells", default=",".join(CELLS), metavar="NAMES",
        help="sample cells, comma-separated (default %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--copies", type=int, default=20, metavar="N", help="of each (default %(default)s)"
    )
    parser.add_argument(
        "--backend", choices=("auto", "cpu", "gpu"), default="auto",
        help="auto: cpu, and gpu where there is one (default %(default)s)",
    )  # fmt: skip
    parser.add_argument("--steps", type=int, default=400, help="of a round (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="default %(default)s")
    add_output(parser)


def execute(args: argparse.Namespace) -> None:
    for what in ("copies", "steps", "rounds"):
        check_number(getattr(args, what), what)
    names = args.cells.split(",")
    if unknown := [name for name in names if name not in CELLS]:
        raise UserError(f"there is no cell '{unknown[0]}'; choose from {', '.join(CELLS)}")
    model = some_trees(names, args.copies)
    backends = () if args.backend == "auto" else (args.backend,)
    answers: dict[str, dict[str, Any]] = {}

    def rows() -> Iterator[tuple[str, dict[str, Any]]]:
        for name, answer in measure(model, args.steps, args.rounds, backends):
            answers[name] = answer
            yield line(answer), report(answers, model)

    show(args, rows())


def line(answer: dict[str, Any]) -> str:
    """One backend for people."""
    ns, bits = answer["ns"], "the same bits" if answer["same_bits"] else "OTHER BITS"
    trees = f"{answer['trees']} tree" + "s" * (answer["trees"] > 1)
    return (
        f"{answer['engine']}: {answer['cells']} cells of {trees}, "
        f"{answer['compartments']:,} compartments: {ns['together']:.3g} ns a compartment and step "
        f"in one run, {ns['in_turn']:.3g} one tree after the other ({answer['ratio']:.2f} times as "
        f"long), {bits}"
    )
