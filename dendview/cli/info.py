"""What is in a morphology file."""

import argparse
import dataclasses

from dendview.cli.cells import add_cell_arguments, print_json, print_table, read_cell
from dendview.wording import number, plural, quantity, whole
from engine.morphology.metrics import Metrics, TypeMetrics, measure


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_cell_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")


def execute(args: argparse.Namespace) -> None:
    morphology, sections, tree = read_cell(args)
    metrics = measure(morphology, sections, tree)
    if args.json:
        notes = [dataclasses.asdict(note) for note in morphology.notes]
        head = {"cell": morphology.name, "source": morphology.source}
        cut = {"rule": str(args.rule), "nodes": args.nodes, "axon": args.axon}
        print_json({**head, **cut, **dataclasses.asdict(metrics), "notes": notes})
        return
    print_table([("cell", f"{morphology.name} ({morphology.source.upper()})"), *rows(metrics)])
    for note in morphology.notes:
        print(f"note: {note.text}" + (f" (line {note.line})" if note.line else ""))


def rows(metrics: Metrics) -> list[tuple[str, str]]:
    """The numbers a person asks for first."""
    box = " × ".join(
        quantity(high - low, "") for low, high in zip(metrics.low, metrics.high, strict=True)
    )
    soma = (
        f"{quantity(metrics.soma_length, 'µm')} long, {quantity(metrics.soma_diameter, 'µm')} wide"
    )
    return [
        ("points", number(metrics.n_point)),
        ("sections", number(metrics.n_section)),
        ("segments", number(metrics.n_segment)),
        ("nodes", number(metrics.n_node)),
        ("trees", number(metrics.n_tree)),
        ("branch points", number(metrics.n_branch_point)),
        ("tips", number(metrics.n_tip)),
        ("highest order", number(metrics.max_branch_order)),
        ("length", whole(metrics.length, "µm")),
        ("membrane", whole(metrics.area, "µm²")),
        ("soma", soma if metrics.soma_area else "none"),
        ("farthest tip", whole(metrics.max_path_distance, "µm") + " along the cable"),
        ("bounding box", f"{box} µm"),
        *((kind.name, describe(kind)) for kind in metrics.by_type),
    ]


def describe(kind: TypeMetrics) -> str:
    """One structure type in a line."""
    length, area = whole(kind.length, "µm"), whole(kind.area, "µm²")
    return f"{plural(kind.n_section, 'section')}, {length}, {area}"
