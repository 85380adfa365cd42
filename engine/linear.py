"""Mechanisms whose current is a line in v: they are numbers in the equations, no code."""

from collections.abc import Sequence

import numpy as np

from engine.mechanisms.expressions import Expr, evaluate, names
from engine.mechanisms.model import Mechanism, Program
from engine.placing import Placed
from engine.types import FloatArray


def is_linear(mechanism: Mechanism) -> bool:
    """Whether the current is a constant plus a constant conductance times v, as a leak's is.

    Such a mechanism has no states, has nothing to do with ions, whose values may change, and its
    parameters are all it depends on.
    """
    program = mechanism.current
    if (
        mechanism.kind != "density"
        or mechanism.states
        or mechanism.ions
        or program.stores
        or program.current is None
        or not mechanism.analytic
    ):
        return False
    fixed = {p.name for p in mechanism.parameters} | {"celsius"}
    return (
        _reads(program, program.current) <= fixed | {"v"}
        and program.conductance is not None
        and _reads(program, program.conductance) <= fixed
    )


def _reads(program: Program, expression: Expr) -> set[str]:
    """Inputs that an expression of a program depends on, through all its definitions."""
    value = {step.target: step.value for step in program.steps}
    inputs: set[str] = set()
    seen: set[str] = set()
    todo = set(names(expression))
    while todo:
        name = todo.pop()
        if name not in value:
            inputs.add(name)
        elif name not in seen:
            seen.add(name)
            todo |= set(names(value[name]))
    return inputs


def leak(placed: Sequence[Placed], n_comp: int, celsius: float) -> tuple[FloatArray, FloatArray]:
    """Current density at 0 mV and conductance density of the linear mechanisms.

    Returns
    -------
    i, g : (n_comp,) mA/cm², S/cm²
    """
    i, g = np.zeros(n_comp), np.zeros(n_comp)
    for p in placed:
        if is_linear(p.mechanism) and len(p.node):
            given = list(p.values)
            table = np.stack([np.zeros(len(p.node)), *p.values.values()], axis=1)
            kinds, kind = np.unique(table, axis=0, return_inverse=True)
            shared = {**p.shared, "celsius": celsius, "v": 0.0}
            pairs = [
                line(p.mechanism.current, {**shared, **dict(zip(given, row[1:], strict=True))})
                for row in kinds.tolist()
            ]
            i[p.node] += np.array([pair[0] for pair in pairs])[kind]
            g[p.node] += np.array([pair[1] for pair in pairs])[kind]
    return i, g


def line(program: Program, values: dict[str, float]) -> tuple[float, float]:
    """Current at the voltage in ``values`` and conductance of a linear mechanism."""
    known = dict(values)
    for step in program.steps:
        known[step.target] = evaluate(step.value, known)
    if program.current is None or program.conductance is None:
        return 0.0, 0.0
    return evaluate(program.current, known), evaluate(program.conductance, known)
