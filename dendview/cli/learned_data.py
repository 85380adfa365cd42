"""Which images a network that has learned already may be given."""

import sys
from pathlib import Path

from dendview.folders import whole_path
from engine.errors import UserError
from engine.experiments.hpc_net import Dataset, Network, State
from engine.experiments.hpc_net.data import DIGITS


def named_data(given: str) -> str:
    """What --data names: the bundled digits, or a folder as it is called from anywhere."""
    return given if given == DIGITS else whole_path(given)


def own_data(learned: str, given: str | None) -> str:
    """The images a network learned from, where they are now.

    Another folder is taken only where the one it learned from is gone; that is told.

    Raises
    ------
    UserError
        If others are given.
    """
    if given is None:
        return learned
    asked = named_data(given)
    if asked == learned or (DIGITS not in (asked, learned) and _same(asked, learned)):
        return learned
    if learned == DIGITS or Path(learned).is_dir():
        raise UserError(
            f"--data {given}: this network learned from {learned}; leave --data out, or train "
            "another network on those images in a new folder"
        )
    print(f"dendview: images are read from {asked}; {learned} is gone", file=sys.stderr)
    return asked


def _same(one: str, other: str) -> bool:
    return Path(one).resolve() == Path(other).resolve()


def check_fits(state: State, network: Network, data: Dataset, path: Path) -> None:
    """Refuse images of another kind than those that were learned.

    Raises
    ------
    UserError
    """
    n_in, n_out = len(state.weights.hidden), len(state.weights.output_bias)
    if (n_in, n_out) != (network.n_in, network.n_out):
        raise UserError(
            f"{path}: this network has {n_in} inputs and {n_out} outputs, the images of "
            f"{data.name} have {network.n_in} pixels and {network.n_out} classes; give it the "
            "images it learned from"
        )
