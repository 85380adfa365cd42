"""What is in a morphology file."""

import argparse
import dataclasses

from dendview.cli.cells import add_cell_arguments, print_json, print_table, read_cell
from engine.morphology.metrics import measure


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_cell_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")


def execute(args: argparse.Namespace) -> None:
    morphology, sections, tree = read_cell(args)
    metrics = measure(morphology, sections, tree)
    if args.json:
        notes = [dataclasses.asdict(note) for note in morphology.notes]
        print_json(
            {
                "cell": morphology.name,
                "source": morphology.source,
                **dataclasses.asdict(metrics),
                "notes": notes,
            }
        )
        return
    print_table([("cell", f"{morphology.name} ({morphology.source.upper()})"), *metrics.rows()])
    for note in morphology.notes:
        print(f"note: {note.text}" + (f" (line {note.line})" if note.line else ""))
