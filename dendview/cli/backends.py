"""Arguments that say what runs a model."""

import argparse

from engine.precision import with_precision
from engine.types import BackendName


def add_backend_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--backend",
        choices=("auto", "cpu", "gpu"),
        default="auto",
        help="auto takes what is faster with the cell, measured once (default %(default)s)",
    )
    parser.add_argument(
        "--precision",
        choices=("double", "single"),
        default="double",
        help="of the membrane's currents and states on a GPU; voltages are solved for in double "
        "precision either way (default %(default)s)",
    )


def wanted_backend(args: argparse.Namespace) -> BackendName:
    """The backend and its precision.

    Raises
    ------
    BackendError
        If they do not go together.
    """
    return with_precision(args.backend, args.precision)
