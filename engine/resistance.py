"""What a cell's steady membrane opposes a current with, computed without a run."""

from collections.abc import Callable, Iterable, Mapping
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
from engine.spines import SpineShape
from engine.twigs import density_counts
from engine.types import FloatArray
from engine.units import US_PER_S_CM2_UM2
from engine.validation import experiment_mechanisms

STEP = 0.1
"""mV downward over which the steady current is compared: the resistance that a small negative pulse
shows."""
LEAST = 1e-9
"""S/cm², the least conductance a membrane is taken to have."""

MOST_STEPS, STRIDE, NEAR, FARTHEST = 60, 4.0, 1e-3, 40.0
"""Steps to the voltage at rest; mV: the longest, the one after which it is found, and how far from
the initial voltage it is looked for."""

OfSpines = Callable[[SpineShape], FloatArray | float | None]
Values = dict[str, Any]  # numbers and (n,) arrays by name


class Membrane:
    """The steady density currents of an experiment on a tree, as a function of the voltage.

    Gates stand where INITIAL puts them at each voltage; concentrations stay as they start.

    Parameters
    ----------
    experiment
    tree

    Raises
    ------
    UserError
        If the experiment's mechanisms cannot be put on the tree.
    """

    def __init__(self, experiment: Experiment, tree: CompartmentTree) -> None:
        self._experiment, self._tree = experiment, tree
        painter, known = Painter(tree), experiment_mechanisms(experiment)
        placed = place(experiment, tree, painter, known)
        ion_placed, self._ions = place_ions(experiment, placed, painter)
        self._placed = (*ion_placed, *placed)
        self._spines = [  # their necks hinder a leak next to nothing
            (shape, density_counts(spines, painter) * (shape.head_area + shape.neck_area))
            for spines in experiment.spine_density
            for shape in (spines.shape,)
        ]

    def conductance(self, voltage: FloatArray) -> FloatArray:
        """(n_comp,) µS, slope of the current at voltages (n_comp,) mV; 0 at massless nodes."""
        density = self._slope(voltage, self._density(voltage))
        return self._whole(density, lambda shape: shape.g_pas)

    def current_and_conductance(self, voltage: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(n_comp,) nA outward, and its slope in µS."""
        density = self._density(voltage)
        slope = self._slope(voltage, density)

        def leak(shape: SpineShape) -> FloatArray | None:
            if shape.g_pas is None or shape.e_pas is None:
                return None
            return shape.g_pas * (voltage - shape.e_pas)

        return self._whole(density, leak), self._whole(slope, lambda shape: shape.g_pas)

    def _density(self, voltage: FloatArray) -> FloatArray:
        density = _current(self._experiment, self._tree, self._placed, self._ions, voltage)
        return np.nan_to_num(density)

    def _slope(self, voltage: FloatArray, density: FloatArray) -> FloatArray:
        """(n_comp,) S/cm²: mA/cm² for each mV."""
        return np.maximum((density - self._density(voltage - STEP)) / STEP, LEAST)

    def _whole(self, density: FloatArray, own: OfSpines) -> FloatArray:
        """What a density makes of segments and their spines, which have an own one or the same."""
        whole = density * self._tree.area
        for shape, area in self._spines:
            given = own(shape)
            whole += area * (density if given is None else given)
        return whole * US_PER_S_CM2_UM2


def steady_conductance(
    experiment: Experiment, tree: CompartmentTree, at_rest: bool = False
) -> FloatArray:
    """Slope of the steady current of all density mechanisms together.

    Parameters
    ----------
    experiment
    tree
    at_rest
        At the voltages at which the cell rests, where it does, else at the initial voltage.

    Returns
    -------
    (n_comp,) µS
        0 at massless nodes.

    Raises
    ------
    UserError
        If the experiment's mechanisms cannot be put on the tree.
    """
    membrane = Membrane(experiment, tree)
    v = np.full(tree.n_comp, experiment.v_init)
    if at_rest and not experiment.tune_rest:
        found = resting_voltage(membrane, tree, v)
        v = v if found is None else found
    return membrane.conductance(v)


def resting_voltage(
    membrane: Membrane, tree: CompartmentTree, start: FloatArray
) -> FloatArray | None:
    """Where all currents of a cell are in balance, beginning from voltages (n_comp,) mV.

    Returns
    -------
    (n_comp,) mV or None
        None where no balance is found nearby, as in a cell that fires by itself.

    Notes
    -----
    Newton's method on I(v) + G v = 0 with the tree's axial conductances G; no step moves a node by
    more than :data:`STRIDE`.
    """
    v = start.copy()
    inner = np.flatnonzero(tree.parent >= 0)
    up, axial = tree.parent[inner], tree.g_axial[inner]
    for _ in range(MOST_STEPS):
        current, slope = membrane.current_and_conductance(v)
        flow = axial * (v[up] - v[inner])
        right = -current
        right[inner] += flow
        np.subtract.at(right, up, flow)
        change = _solve(tree, slope, right)
        largest = np.abs(change).max()
        v += change * min(1.0, STRIDE / max(largest, 1e-12))
        if not np.isfinite(v).all() or np.abs(v - start).max() > FARTHEST:
            return None
        if largest < NEAR:
            return v
    return None


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
    unit = np.zeros(tree.n_comp)
    unit[node] = 1.0
    return _solve(tree, conductance, unit)


def _solve(tree: CompartmentTree, conductance: FloatArray, current: FloatArray) -> FloatArray:
    """(n_comp,) mV by which currents (n_comp,) nA into the nodes move them."""
    parent, axial = tree.parent.tolist(), tree.g_axial.tolist()
    diag, right = conductance.tolist(), current.tolist()
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
    v: FloatArray,
) -> FloatArray:
    """(n_comp,) mA/cm², outward positive, with all gates at rest at voltages (n_comp,) mV."""
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
    v: FloatArray,
) -> Values:
    own: Mechanism = p.mechanism
    values: Values = {
        "celsius": experiment.celsius,
        "dt": experiment.dt,
        "t": 0.0,
        "v": v[p.node],
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
