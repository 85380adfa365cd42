"""KINETIC: reactions as equations, and NEURON's ``sparse`` method for them."""

from collections import ChainMap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.mechanisms.expressions import (
    ONE,
    ZERO,
    Binary,
    Call,
    Expr,
    Name,
    Number,
    Select,
    add,
    divide,
    multiply,
    subtract,
)
from engine.mechanisms.gauss import eliminate
from engine.mechanisms.loops import repeat
from engine.mechanisms.source import Block, Compartment, Conserve, Reaction, Side, elements

if TYPE_CHECKING:
    from engine.mechanisms.lower import Lowering, Scope

TOLERANCE = 1e-6
"""Sum of the changes in a turn at which NEURON's method stops."""
MAX_TURNS = 22
STEADY_DT = 1e9
"""ms, of the step that reaches a steady state."""
STEADY_TURNS = 7
Values = dict[str, Expr]
Molecules = list[tuple[int, str]]


@dataclass
class _Scheme:
    """Fluxes and their derivatives at certain values of the states.

    ``matrix[i, j]`` is minus the derivative of the flux into i by state j.
    """

    flux: Values = field(default_factory=dict)
    matrix: dict[tuple[str, str], Expr] = field(default_factory=dict)
    conserved: dict[str, tuple[Molecules, Expr]] = field(default_factory=dict)
    volume: Values = field(default_factory=dict)
    linear: bool = True

    def add_flux(self, state: str, value: Expr) -> None:
        self.flux[state] = add(self.flux.get(state, ZERO), value)

    def add_entry(self, i: str, j: str, value: Expr) -> None:
        self.matrix[i, j] = add(self.matrix.get((i, j), ZERO), value)


def solve_scheme(lowering: "Lowering", block: Block, steady: bool) -> None:
    """One implicit step of a KINETIC block.

    Notes
    -----
    NEURON's ``sparse``: Newton's method from the old states in which the rates of a turn are held;
    one turn where all reactions are of first order, else until the changes sum to less than 1e-6,
    concentrations below 0 being set to 0. STEADYSTATE is such a step of 1e9 ms.
    """
    saved = lowering.save()
    trial = _evaluate(lowering, block)
    lowering.restore(saved)
    old = {x: lowering.values.get(x, Name(x)) for x in trial.flux}
    if not old:
        raise lowering.error(
            f"KINETIC {block.name} has no reaction of a STATE", "add ~ a <-> b (kf, kb)", block.line
        )
    if not steady:
        dt: Expr = Name("dt")
        new = (
            _turn(lowering, block, old, old, dt)
            if trial.linear
            else _settle(lowering, block, old, dt)
        )
    elif trial.linear:
        new = _settle(lowering, block, old, Number(STEADY_DT))
    else:
        new = _settle(lowering, block, _approach(lowering, block, old), Number(STEADY_DT))
    lowering.values |= new
    _evaluate(lowering, block)  # the assigned variables as they are with the new states


def _settle(lowering: "Lowering", block: Block, old: Values, dt: Expr) -> Values:
    """Turns until the changes are small; no state below 0."""

    def turn(values: Values) -> Values:
        x = {name: values[name] for name in old}
        new = _turn(lowering, block, x, old, dt)
        change: Expr = ZERO
        for name in old:
            change = add(change, Call("fabs", (subtract(new[name], x[name]),)))
        kept = {n: Select(Binary("<", value, ZERO), ZERO, value) for n, value in new.items()}
        return kept | {"change": change}

    def condition(values: Values) -> Expr:
        return Binary(">", values["change"], Number(TOLERANCE))

    found = repeat(lowering, old | {"change": ONE}, condition, turn, MAX_TURNS)
    return {name: found[name] for name in old}


def _approach(lowering: "Lowering", block: Block, old: Values) -> Values:
    """Single turns of 1e9 ms until no state is below 0."""

    def turn(values: Values) -> Values:
        x = {name: values[name] for name in old}
        new = _turn(lowering, block, x, x, Number(STEADY_DT))
        low = {name: Binary("<", value, Number(-1e-6)) for name, value in new.items()}
        bad: Expr = ZERO
        for condition in low.values():
            bad = add(bad, Select(condition, ONE, ZERO))
        return {n: Select(low[n], ZERO, value) for n, value in new.items()} | {"bad": bad}

    def condition(values: Values) -> Expr:
        return Binary(">", values["bad"], ZERO)

    found = repeat(lowering, old | {"bad": ONE}, condition, turn, STEADY_TURNS)
    return {name: found[name] for name in old}


def _turn(lowering: "Lowering", block: Block, x: Values, old: Values, dt: Expr) -> Values:
    """One turn of Newton's method."""
    outside = dict(lowering.values)
    lowering.values |= x
    scheme = _evaluate(lowering, block)
    lowering.values = outside
    order = [name for name in x if name not in scheme.conserved]
    order += [name for name in x if name in scheme.conserved]
    matrix, right = [], []
    for name in order:
        if name in scheme.conserved:
            molecules, rest = scheme.conserved[name]
            row: Values = dict.fromkeys(order, ZERO)
            for count, other in molecules:
                weight = multiply(Number(float(count)), scheme.volume.get(other, ONE))
                row[other] = add(row.get(other, ZERO), weight)
                rest = subtract(rest, multiply(weight, x[other]))
            matrix.append([row[other] for other in order])
        else:
            inertia = divide(scheme.volume.get(name, ONE), dt)
            row = {other: scheme.matrix.get((name, other), ZERO) for other in order}
            row[name] = lowering.define("diagonal", add(row[name], inertia))
            matrix.append([row[other] for other in order])
            rest = subtract(scheme.flux[name], multiply(inertia, subtract(x[name], old[name])))
            if x[name] == old[name]:
                rest = scheme.flux[name]
        right.append(lowering.define("right", rest))
    delta = eliminate(matrix, right, lowering.define, pivot=False)
    moved = dict(zip(order, delta, strict=True))
    return {name: lowering.define(name, add(x[name], moved[name])) for name in x}


def _evaluate(lowering: "Lowering", block: Block) -> _Scheme:
    """Run the block's statements and collect its reactions."""
    scheme = _Scheme()

    def collect(statement: object, scope: "Scope") -> None:
        match statement:
            case Reaction():
                _reaction(lowering, scheme, statement, scope)
            case Conserve(side, total, line):
                molecules = _molecules(lowering, side, scope)
                states = [name for _, name in molecules]
                if not set(states) <= set(lowering.source.states):
                    raise lowering.error("CONSERVE names what is no STATE", "remove it", line)
                scheme.conserved[states[-1]] = molecules, lowering.number(total, scope, line)
            case Compartment():
                _compartment(lowering, scheme, statement, scope)
            case _:
                raise lowering.error("an equation stands in KINETIC", "use LINEAR", block.line)

    outer, lowering.on_reaction = lowering.on_reaction, collect
    lowering.execute(block.body)
    lowering.on_reaction = outer
    return scheme


def _molecules(lowering: "Lowering", side: Side, scope: "Scope") -> Molecules:
    return [(count, lowering.target(molecule, scope, molecule.line)) for count, molecule in side]


def _compartment(
    lowering: "Lowering", scheme: _Scheme, statement: Compartment, scope: "Scope"
) -> None:
    for name in statement.names:
        size = lowering.source.arrays.get(name)
        members = elements(name, size) if size else [name]
        for k, member in enumerate(members):
            inner = scope
            if statement.index:
                inner = scope.new_child({statement.index: Number(float(k))})
            volume = lowering.number(statement.volume, inner, statement.line)
            scheme.volume[member] = lowering.define("volume", volume)


def _reaction(lowering: "Lowering", scheme: _Scheme, r: Reaction, scope: "Scope") -> None:
    left, right = (_molecules(lowering, side, scope) for side in (r.left, r.right))
    states = lowering.source.states
    forward = lowering.define("forward", lowering.number(r.forward, scope, r.line))
    backward = lowering.define("backward", lowering.number(r.backward, scope, r.line))
    if any(count < 1 for count, _ in (*left, *right)):
        raise lowering.error("a reaction holds a minus", "write -> or exchange the sides", r.line)
    if r.inflow:
        lowering.values |= {"f_flux": ZERO, "b_flux": forward}
        for _, name in left:
            if name in states:
                scheme.add_flux(name, forward)
        return
    fluxes = []
    for rate, side in ((forward, left), (backward, right)):
        value = rate
        for count, name in side:
            for _ in range(count):
                value = multiply(value, lowering.value(name, ChainMap(), r.line))
        fluxes.append(lowering.define("flux", value))
        scheme.linear &= sum(count for count, name in side if name in states) <= 1
    lowering.values |= {"f_flux": fluxes[0], "b_flux": fluxes[1]}
    net = lowering.define("flux", subtract(*fluxes))
    for sign, side in ((-1.0, left), (1.0, right)):
        for count, name in side:
            if name in states:
                scheme.add_flux(name, multiply(Number(sign * count), net))
    for way, rate, side in ((1.0, forward, left), (-1.0, backward, right)):
        for place, (count, name) in enumerate(side):
            if name not in states:
                continue
            slope = multiply(Number(float(count)), rate)
            for other, (n, molecule) in enumerate(side):
                for _ in range(n - 1 if other == place else n):
                    slope = multiply(slope, lowering.value(molecule, ChainMap(), r.line))
            slope = lowering.define("slope", slope)
            for sign, members in ((1.0, left), (-1.0, right)):
                for n, molecule in members:
                    if molecule in states:
                        scheme.add_entry(molecule, name, multiply(Number(way * sign * n), slope))
