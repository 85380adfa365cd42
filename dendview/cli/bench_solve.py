"""``dendview bench solve``: the tree solve by every schedule, on the GPU and one core."""

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dendview.cli.cells import rule
from dendview.cli.measuring import add_output, check_number, show
from engine.backends.gpu.cupy_device import cupy_device
from engine.backends.gpu.device import Device
from engine.benchmarks import solve
from engine.discretize import Rule
from engine.errors import BackendError, UserError

REAL = (
    ("L5bPC_hay2011_cell1.asc", Rule("max_length", 40)),
    ("SPN_lindroos2018_latest_WT-P270-20-14ak.swc", Rule("max_length", 40)),
    ("derived/CA1PC_migliore2004_n128su.derived.swc", Rule("max_length", 20)),
    ("derived/Purkinje_masoli2015.derived.swc", Rule("fixed", 1)),
)
"""Reconstructions of the paper's classes, taken where ``DENDVIEW_TEST_DATA`` has them."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_output(parser)
    parser.add_argument("--quick", action="store_true", help="two cells, 250 of each")
    parser.add_argument("--only", metavar="WORD", help="cells whose name has WORD, such as ca1")
    parser.add_argument(
        "--cells", metavar="NUMBERS", help="numbers of cells (default 250,1500,3000)"
    )
    parser.add_argument(
        "--morphology",
        action="append",
        default=[],
        metavar="PATH",
        help="this cell in place of the samples; may be given several times",
    )
    parser.add_argument(
        "--rule",
        type=rule,
        default=Rule("max_length", 40),
        metavar="KIND:VALUE",
        help="how the cells of --morphology are cut (default %(default)s)",
    )
    parser.add_argument("--device", type=int, default=0, metavar="N", help="which GPU, from 0 on")
    parser.add_argument(
        "--rounds", type=int, default=20, help="that a median is taken of (default %(default)s)"
    )


def execute(args: argparse.Namespace) -> None:
    """Measure and print; with no device one core alone, and says why."""
    check_number(args.rounds, "rounds")
    chosen, numbers = cells(args), sizes(args)
    device, why = find_device(args.device)
    if device is None:
        print(f"one core only: {why}", file=sys.stderr)
    done: list[solve.Row] = []

    def rows() -> Iterator[tuple[str, dict[str, Any]]]:
        for row in solve.measure(chosen, numbers, device, args.rounds):
            done.append(row)
            yield line(row), solve.report(done, device, why)

    show(args, rows())
    for found in solve.compare(done) if device is not None else ():
        print(ratios(found), file=sys.stderr)


def find_device(index: int) -> tuple[Device | None, str]:
    """The device of that number, or why there is none."""
    try:
        return cupy_device(index), ""
    except BackendError as error:
        return None, str(error).removeprefix("backend 'gpu' is unavailable: ")


def sizes(args: argparse.Namespace) -> tuple[int, ...]:
    """Numbers of cells; without any given those of the paper, the smallest where it is quick.

    Raises
    ------
    UserError
        If what is given is no list of positive numbers.
    """
    if args.cells is None:
        return solve.SIZES[:1] if args.quick else solve.SIZES
    try:
        found = tuple(int(word) for word in args.cells.split(","))
    except ValueError:
        found = ()
    if not found or min(found) < 1:
        raise UserError(f"'{args.cells}' is no list of numbers of cells; write 250,1500,3000")
    return found


def cells(args: argparse.Namespace) -> list[solve.Cell]:
    """The sample cells and what else is asked for.

    Raises
    ------
    UserError
        If nothing is left.
    """
    given = [(path, args.rule) for path in args.morphology]
    if (data := os.environ.get("DENDVIEW_TEST_DATA")) and not args.quick and not given:
        folder = Path(data) / "morphologies" / "paper"
        given += [(str(folder / name), cut) for name, cut in REAL if (folder / name).is_file()]
    names = ("spn", "ca1") if args.quick else (*solve.CLASSES, solve.FULL_SPINE)
    wanted = [name for name in names if not args.morphology and (args.only or "") in name]
    found = [
        solve.full_spine_cell() if name == solve.FULL_SPINE else solve.sample_cell(name)
        for name in wanted
    ]
    found += [solve.read_cell(path, cut) for path, cut in given if (args.only or "") in path]
    if not found:
        if args.morphology:
            raise UserError(f"no file of --morphology has '{args.only}' in its name")
        known = ", ".join((*solve.CLASSES, solve.FULL_SPINE))
        raise UserError(f"no cell has '{args.only}' in its name; there are {known}")
    return found


def line(row: solve.Row) -> str:
    """One row for people."""
    name = Path(row.cell).name[:22]
    start = f"{name:22}  {row.n_cell:5} cells  {row.variant:24}"
    answer: dict[str, Any] = row.answer()
    if "ms" not in answer:
        return f"{start}  {row.missing}"
    text = f"{start}  {answer['ms']:9.4f} ms  {answer['ns_per_node']:8.4f} ns/node"
    if "cold_ms" in answer:
        text += f"  cold {answer['cold_ms']:8.4f} ms"
    if "times_the_floor" in answer:
        text += f"  {answer['times_the_floor']:6.2f} x floor" + " (in cache)" * row.in_cache
    return text


def ratios(found: dict[str, Any]) -> str:
    """What a population shows, for people."""
    parts = [f"{key} {value:.1f}" for key, value in found.items() if "/" in key]
    if (paper := found.get("paper")) is not None:
        words = [f"{key} {value:.1f}" for key, value in paper.items() if "/" in key]
        parts.append("paper: " + ", ".join(words))
    return f"{Path(found['cell']).name[:22]:22}  {found['n_cell']:5} cells  " + "; ".join(parts)
