"""What the commands that measure have in common: their output, row by row, and its options."""

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dendview.cli.cells import print_json
from engine.errors import UserError


def add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the JSON to FILE too")


def add_peers_python(parser: argparse.ArgumentParser, has: str) -> None:
    parser.add_argument(
        "--peers-python", default=sys.executable, metavar="PATH",
        help=f"a Python that has {has} installed (default: this one)",
    )  # fmt: skip


def check_number(number: int, of_what: str) -> None:
    """Refuse to measure nothing.

    Raises
    ------
    UserError
        If the number is not positive.
    """
    if number < 1:
        raise UserError(f"{number} {of_what} cannot be measured; ask for at least 1")


def show(args: argparse.Namespace, rows: Iterable[tuple[str, dict[str, Any]]]) -> None:
    """Print what is measured as it comes: lines for people, at the end the JSON that is asked for.

    Parameters
    ----------
    args
        ``json`` and ``out`` of :func:`add_output`.
    rows : (line, document)
        The document holds everything that is known by then; it is written after every row, so that
        what is measured is not lost.
    """
    document = None
    for line, document in rows:
        print(line, file=sys.stderr, flush=True)
        if args.out is not None:
            text = json.dumps(document, indent=2, ensure_ascii=False)
            args.out.write_text(text + "\n", encoding="utf-8")
    if args.json and document is not None:
        print_json(document)
