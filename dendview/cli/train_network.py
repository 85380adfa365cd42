"""What the arguments of a training say of its network."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from dendview.cli.run import read_experiment
from dendview.folders import whole_path
from engine.errors import UserError
from engine.experiment import Experiment
from engine.experiments.hpc_net import HpcNet, hidden_cell
from engine.experiments.hpc_net.spec import Conductance, membrane_cell
from engine.recipes import RECIPES, recipe

NETWORK = "morphology", "membrane", "dt", "hidden", "synapses", "placement", "conductance"


def add_network_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--morphology", metavar="PATH", help="of the hidden neurons, SWC or ASC")
    parser.add_argument(
        "--membrane",
        metavar="RECIPE",
        help="of the hidden neurons, with --compartmental where it is not passive: one of "
        f"{', '.join(RECIPES)}, or an experiment.json",
    )
    parser.add_argument("--dt", type=float, metavar="MS", help="time step (default 0.25)")
    parser.add_argument("--hidden", type=int, metavar="N", help="hidden neurons")
    parser.add_argument("--synapses", type=int, metavar="N", help="of every connection")
    parser.add_argument(
        "--placement", choices=("basal", "dendrite", "soma"), help="of the synapses"
    )
    parser.add_argument(
        "--conductance",
        nargs="?",
        const=Conductance().peak,
        type=float,
        metavar="PEAK",
        help="conductance synapses in place of currents, with --compartmental: the µS that a "
        "weight of 1 opens (default %(const)s)",
    )
    parser.add_argument(
        "--compartmental",
        action="store_true",
        help="simulate every neuron instead of the exact shortcut; very slow",
    )


def network_words(args: argparse.Namespace) -> dict[str, Any]:
    """The arguments that make a network, by the words they are given with; None where not given."""
    return {f"--{name}": getattr(args, name) for name in NETWORK}


def network_of(network: HpcNet, args: argparse.Namespace) -> HpcNet:
    """The network with what the arguments say.

    Raises
    ------
    UserError
        If a membrane or the time step makes no hidden neuron.
    """
    changes: dict[str, Any] = {
        "n_hidden": args.hidden,
        "n_synapses": args.synapses,
        "placement": args.placement,
        "seed": args.seed,
        "cell": hidden_neuron(network.cell, args),
    }
    if args.conductance is not None:
        changes["conductance"] = replace(
            network.conductance or Conductance(), peak=args.conductance
        )
    return replace(network, **{name: x for name, x in changes.items() if x is not None})


def hidden_neuron(cell: Experiment, args: argparse.Namespace) -> Experiment:
    """The hidden neuron by morphology, membrane and time step.

    Raises
    ------
    UserError
        If there is no such membrane, or the time step is impossible.
    """
    path = None if args.morphology is None else whole_path(args.morphology)
    if args.membrane is not None:
        if args.membrane.endswith(".json"):
            membrane = read_experiment(Path(args.membrane))
            membrane = replace(membrane, morphology=whole_path(membrane.morphology))
        else:
            membrane = recipe(args.membrane)
        cell = membrane_cell(membrane, path)
    elif path is not None:
        cell = hidden_cell(path)
    if args.dt is not None:
        if not 0 < args.dt <= 1:
            raise UserError(
                f"a time step of {args.dt:g} ms cannot be used; choose one above 0 and at most 1 ms"
            )
        cell = replace(cell, dt=args.dt)
    return cell
