# mypy: disable-error-code="no-untyped-def"
"""How a short current anywhere on a passive cell is felt at a site: impulse responses.

A passive cell is a linear system with a symmetric matrix, so the voltage at a site by a current at
a node is the voltage at the node by the same current at the site: one run from the site gives every
node of the cell. The steady counterpart is :func:`engine.resistance.transfer_resistance`.
"""

import numpy as np
from numba import njit

from engine.errors import UserError
from engine.linear import is_linear, leak
from engine.model import Model
from engine.stimuli import Site
from engine.types import FloatArray, IntArray
from engine.units import US_PER_S_CM2_UM2

J = {"nogil": True, "cache": True, "error_model": "numpy"}


@njit(**J)
def _factor(parent, a, d, f):
    """Eliminate from the tips to the roots; ``d`` becomes its inverse, ``f`` the shares."""
    for i in range(parent.size - 1, -1, -1):
        d[i] = 1.0 / d[i]
        f[i] = a[i] * d[i]
        if parent[i] >= 0:
            d[parent[i]] -= f[i] * a[i]


@njit(**J)
def _substitute(parent, d, f, x):
    """Solve in place for one right side with what :func:`_factor` gave."""
    for i in range(parent.size - 1, -1, -1):
        if parent[i] >= 0:
            x[parent[i]] += f[i] * x[i]
        x[i] *= d[i]
    for i in range(parent.size):
        if parent[i] >= 0:
            x[i] += f[i] * x[parent[i]]


@njit(**J)
def _propagate(parent, d, f, rate, x, response):
    """Fill the rows with the voltages after 1, 2, … steps of a cell on its own; ``x`` is spent."""
    for m in range(response.shape[0]):
        _substitute(parent, d, f, x)
        for i in range(x.size):
            response[m, i] = x[i]
            x[i] *= rate[i]


def membrane_conductance(model: Model) -> FloatArray:
    """(n_comp,) µS, the conductance of a passive cell's membrane.

    Raises
    ------
    UserError
        If something on the cell is not passive; names it.
    """
    found = [p.mechanism.name for p in model.placed if not is_linear(p.mechanism)]
    found += ["spines of their own"] * (model.twigs is not None)
    found += ["a voltage clamp"] * len(model.hold_node) + ["a gap junction"] * len(model.gap_node)
    if found:
        raise UserError(
            "impulse responses hold for passive trees, and this one has "
            f"{found[0]}; leave it out, or simulate the cell instead"
        )
    g = leak(model.placed, model.n_comp, model.experiment.celsius)[1]
    return g * model.tree.area * US_PER_S_CM2_UM2


def impulse_responses(model: Model, site: Site, n_step: int | None = None) -> FloatArray:
    """Voltage at a site after 1, 2, … steps, by 1 nA into each node during the first of them.

    Exactly what backward Euler gives with the model's time step: by linearity the voltage of any
    run from rest is the sum of the currents of all steps, each through its response.

    Parameters
    ----------
    model
        Of a passive cell.
    site
        Where the voltage is read.
    n_step
        By default as many as the model's run has.

    Returns
    -------
    (n_step, n_comp) mV/nA, from rest

    Raises
    ------
    UserError
        If the cell is not passive.
    """
    rate = model.capacitance / model.experiment.dt
    parent, d, f = _factored(model, membrane_conductance(model) + rate)
    x = np.zeros(model.n_comp)
    x[model.tree.locate(site.section, site.x)] = 1.0
    response = np.empty((model.n_step if n_step is None else n_step, model.n_comp))
    _propagate(parent, d, f, rate, x, response)
    return response


def _factored(model: Model, own: FloatArray) -> tuple[IntArray, FloatArray, FloatArray]:
    """The tree's matrix with ``own`` (n_comp,) µS on every node beside the axial conductances."""
    parent, a = model.tree.parent, model.tree.g_axial
    d, f = own + a, np.zeros(model.n_comp)
    inner = np.flatnonzero(parent >= 0)
    np.add.at(d, parent[inner], a[inner])
    _factor(parent, a, d, f)
    return parent, d, f
