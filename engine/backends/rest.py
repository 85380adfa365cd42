"""The leak's reversal potential at which a cell rests at its initial voltage."""

from dataclasses import replace

import numpy as np

from engine.backends.cpu import CpuRun
from engine.errors import UserError
from engine.model import Model
from engine.units import US_PER_S_CM2_UM2

LEAK = "pas"


def rested(model: Model) -> Model:
    """The model, its leak tuned where its experiment asks for it."""
    return tune_rest(model) if model.experiment.tune_rest else model


def tune_rest(model: Model) -> Model:
    """Let the leak reverse, segment by segment, where no net membrane current flows at ``v_init``.

    As the published CA1 models do after ``finitialize``: e = v + Σ i / g over all other mechanisms
    with their states at rest. Clamps, synapses and gap junctions have no part in it.

    Parameters
    ----------
    model : Model

    Returns
    -------
    Model
        With other values of ``e`` of mechanism ``pas``.

    Raises
    ------
    UserError
        If a segment has no such leak.
    """
    leaks = [n for n, p in enumerate(model.placed) if p.mechanism.name == LEAK]
    if not leaks:
        raise UserError("tune_rest needs the mechanism 'pas', whose e it sets; insert it")
    number = leaks[0]
    leak = model.placed[number]
    area = model.tree.area[leak.node] * US_PER_S_CM2_UM2
    if (bad := np.flatnonzero(~(leak.values["g"] > 0))).size:
        node = int(leak.node[bad[0]])
        where = f"{model.tree.sections.name[model.tree.section[node]]}({model.tree.x[node]:.3g})"
        raise UserError(
            f"tune_rest finds no leak at {where}: g of mechanism 'pas' is "
            f"{leak.values['g'][bad[0]]:g} S/cm²; make it positive there"
        )
    run = CpuRun(_alone(model))
    run.initialize()
    _, _, _, r = run.system()
    e = leak.values["e"] - r[leak.node] / (leak.values["g"] * area)
    placed = list(model.placed)
    placed[number] = replace(leak, values={**leak.values, "e": e})
    return replace(model, placed=tuple(placed))


def _alone(model: Model) -> Model:
    """One instance with nothing but its membrane; points stay in their places, without nodes."""
    no_node, nothing = np.empty(0, np.int32), np.empty(0)
    placed = tuple(replace(p, node=no_node) if p.is_point else p for p in model.placed)
    return replace(
        model,
        n_instance=1,
        placed=placed,
        clamp_node=no_node,
        clamp_on=nothing,
        clamp_off=nothing,
        clamp_amplitude=nothing,
        played_node=no_node,
        played=np.empty((model.n_step, 0)),
        hold_node=no_node,
        gap_node=np.empty((0, 2), np.int32),
        gap_conductance=nothing,
        probes=(),
    )
