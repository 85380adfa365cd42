"""Arguments and steps that the commands share: which cell, cut how."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, TextIO

from dendview.controllers.files import usual_cut
from engine.compartments import CompartmentTree
from engine.discretize import Rule, discretize
from engine.errors import UserError
from engine.morphology.model import Morphology, Sections
from engine.morphology.reading import read_morphology
from engine.morphology.samples import resolve
from engine.morphology.sections import make_sections, stub_axon


def add_cell_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", help="morphology (SWC or ASC, .gz too) or sample:NAME")
    parser.add_argument(
        "--rule",
        type=rule,
        metavar="KIND:VALUE",
        help="how sections are cut: max_length:UM, d_lambda:FRACTION or fixed:N "
        f"(default: a sample's own, else {Rule()})",
    )
    parser.add_argument(
        "--nodes",
        choices=("neuron", "merged"),
        help="keep NEURON's massless node at every section end, or merge those that join nothing "
        "(default: a sample's own, else neuron)",
    )
    parser.add_argument(
        "--axon",
        choices=("keep", "stub"),
        default="keep",
        help="keep the reconstructed axon or replace it by two cylinders of 30 µm "
        "(default %(default)s)",
    )


def rule(text: str) -> Rule:
    """``max_length:40`` as a rule; argparse prints the sentence where it is none."""
    try:
        return Rule.parse(text)
    except UserError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def out_folder(folder: Path) -> Path:
    """A folder for results, made where it is missing.

    Raises
    ------
    UserError
        If it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = "is a file" if folder.is_file() else error.strerror or str(error)
        raise UserError(
            f"{folder}: no folder for results can be made there ({what}); name another with --out"
        ) from error
    return folder


def read_cell(args: argparse.Namespace) -> tuple[Morphology, Sections, CompartmentTree]:
    """The morphology, sections and compartments the arguments ask for.

    A rule or node set that was not asked for becomes the usual one in ``args``.
    """
    usual_rule, usual_nodes = usual_cut(args.path)
    args.rule = args.rule or usual_rule
    args.nodes = args.nodes or usual_nodes
    morphology = read_morphology(resolve(args.path))
    sections = make_sections(morphology)
    if args.axon == "stub":
        sections = stub_axon(sections)
    return (
        morphology,
        sections,
        discretize(sections, args.rule, nodes=args.nodes, n_point=morphology.n_point),
    )


def print_json(answer: dict[str, Any]) -> None:
    json.dump(answer, sys.stdout, indent=2, ensure_ascii=False)
    print()


def print_table(rows: list[tuple[str, str]], file: TextIO | None = None) -> None:
    """Names on the left, values on the right; to a file or, by default, to the terminal."""
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name:<{width}}  {value}", file=file)
