"""What a cell's steady membrane opposes a current with, computed without a run."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from engine.biophysics import Painter
from engine.compartments import CompartmentTree
from engine.experiment import Experiment
from engine.mechanisms.expressions import (
    FUNCTIONS,
    OPERATORS,
    Binary,
    Call,
    Expr,
    Name,
    Number,
    Select,
    Unary,
)
from engine.mechanisms.model import Mechanism, Step
from engine.placing import Placed, place, place_ions
from engine.twigs import density_counts
from engine.types import FloatArray
from engine.units import US_PER_S_CM2_UM2
from engine.validation import experiment_mechanisms

STEP = 0.1
"""mV downward over which the steady current is compared: the resistance that a small negative pulse
shows."""
LEAST = 1e-9
"""S/cm², the least conductance a membrane is taken to have."""

Values = dict[str, Any]  # numbers and (n,) arrays by name


def steady_conductance(experiment: Experiment, tree: CompartmentTree) -> FloatArray:
    """Slope of the steady current at the initial voltage, of all density mechanisms together.

    Gates stand where INITIAL puts them at each voltage; concentrations stay as they start.

    Parameters
    ----------
    experiment
    tree

    Returns
    -------
    (n_comp,) µS
        0 at massless nodes.

    Raises
    ------
    UserError
        If the experiment's mechanisms cannot be put on the tree.
    """
    painter, known = Painter(tree), experiment_mechanisms(experiment)
    placed = place(experiment, tree, painter, known)
    ion_placed, ions = place_ions(experiment, placed, painter)
    v = experiment.v_init
    rise = _current(experiment, tree, (*ion_placed, *placed), ions, v)
    rise -= _current(experiment, tree, (*ion_placed, *placed), ions, v - STEP)
    density = np.maximum(np.nan_to_num(rise / STEP), LEAST)  # mA/cm² for each mV is S/cm²
    own = density * tree.area
    for spines in experiment.spine_density:  # their necks hinder a leak next to nothing
        shape = spines.shape
        leak = density if shape.g_pas is None else shape.g_pas
        own += density_counts(spines, painter) * (shape.head_area + shape.neck_area) * leak
    return own * US_PER_S_CM2_UM2


def transfer_resistance(tree: CompartmentTree, conductance: FloatArray, node: int) -> FloatArray:
    """How far a steady current at a node moves every node's voltage.

    Parameters
    ----------
    tree
    conductance : (n_comp,) µS
        Of the membrane.
    node

    Returns
    -------
    (n_comp,) MΩ (mV for each nA)
        At the node itself it is the input resistance.
    """
    parent, axial = tree.parent.tolist(), tree.g_axial.tolist()
    diag, right = conductance.tolist(), [0.0] * tree.n_comp
    right[node] = 1.0
    for i, (p, g) in enumerate(zip(parent, axial, strict=True)):
        if p >= 0:
            diag[i] += g
            diag[p] += g
    for i in range(tree.n_comp - 1, -1, -1):
        if (p := parent[i]) >= 0:
            factor = axial[i] / diag[i]
            diag[p] -= factor * axial[i]
            right[p] += factor * right[i]
    for i, p in enumerate(parent):
        right[i] = (right[i] + (axial[i] * right[p] if p >= 0 else 0.0)) / diag[i]
    return np.array(right)


def _current(
    experiment: Experiment,
    tree: CompartmentTree,
    placed: Iterable[Placed],
    ions: Mapping[str, FloatArray],
    v: float,
) -> FloatArray:
    """(n_comp,) mA/cm², outward positive, with all gates at rest at a voltage (mV)."""
    total, now = np.zeros(tree.n_comp), dict(ions)
    with np.errstate(all="ignore"):
        for p in placed:
            values = _inputs(experiment, tree, p, now, v)
            for which in (p.mechanism.initialize, p.mechanism.current):
                _run(which.steps, values)
                stored = [(name, _value(e, values)) for name, e in which.stores]
                values |= dict(stored)
                for name, given in stored:
                    if name in p.mechanism.ion_sets and name in now:
                        now[name] = now[name].copy()
                        now[name][p.node] = given
            if (current := p.mechanism.current.current) is not None:
                total[p.node] += _value(current, values)
    return total


def _inputs(
    experiment: Experiment,
    tree: CompartmentTree,
    p: Placed,
    ions: Mapping[str, FloatArray],
    v: float,
) -> Values:
    own: Mechanism = p.mechanism
    values: Values = {
        "celsius": experiment.celsius,
        "dt": experiment.dt,
        "t": 0.0,
        "v": np.full(len(p.node), v),
        "diam": tree.diameter[p.node],
        "area": tree.area[p.node],
    }
    values |= dict.fromkeys((x.name for x in (*own.states, *own.assigned)), 0.0)
    values |= dict.fromkeys((name for ion in own.ions for name in ion.read), 0.0)
    values |= {name: a[p.node] for name, a in ions.items()}
    return values | p.shared | p.values


def _run(steps: Iterable[Step], values: Values) -> None:
    """Definitions in order; a loop goes on where its condition still holds."""
    for step in steps:
        if (loop := step.loop) is None:
            values[step.target] = _value(step.value, values)
            continue
        values |= {n: _value(e, values) for n, e in zip(loop.carried, loop.start, strict=True)}
        for _ in range(loop.limit):
            _run(loop.head, values)
            on = np.asarray(_value(loop.condition, values)) != 0
            if not on.any():
                break
            _run(loop.body, values)
            after = [_value(e, values) for e in loop.after]
            values |= {
                n: np.where(on, new, values[n]) for n, new in zip(loop.carried, after, strict=True)
            }


def _value(e: Expr, values: Values) -> Any:
    """An expression over arrays; both branches of a choice are computed."""
    match e:
        case Number(value):
            return value
        case Name(name):
            return values[name]
        case Unary("-", operand):
            return -_value(operand, values)
        case Unary(_, operand):
            return np.asarray(_value(operand, values)) == 0
        case Binary("&&" | "||" as operator, left, right):
            a = np.asarray(_value(left, values)) != 0
            b = np.asarray(_value(right, values)) != 0
            return a & b if operator == "&&" else a | b
        case Binary(operator, left, right):
            return OPERATORS[operator](_number(left, values), _number(right, values))
        case Call(function, arguments):
            return FUNCTIONS[function][1](*(_number(a, values) for a in arguments))
        case Select(condition, then, other):
            on = np.asarray(_value(condition, values)) != 0
            return np.where(on, _value(then, values), _value(other, values))
    raise AssertionError(e)


def _number(e: Expr, values: Values) -> Any:
    return np.asarray(_value(e, values), np.float64)
