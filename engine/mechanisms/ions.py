"""Ions: which of their variables are fixed and which follow from others, as NEURON decides it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import UserError
from engine.mechanisms.expressions import (
    ZERO,
    Binary,
    Call,
    Expr,
    Name,
    Number,
    Select,
)
from engine.mechanisms.model import Ion, Mechanism, Program, Step
from engine.units import ABSOLUTE_ZERO_C, FARADAY, GAS_CONSTANT

VALENCES = {"na": 1.0, "k": 1.0, "ca": 2.0}
"""Known without a VALENCE."""
CONCENTRATIONS = {"na": (10.0, 140.0), "k": (54.4, 2.5), "ca": (5e-5, 2.0)}
"""NEURON's inside and outside concentrations (mM) where nothing sets them; 1 and 1 for others."""
REVERSALS = {"na": 50.0, "k": -77.0, "ca": 132.4579341637009}
"""NEURON's reversal potentials (mV) where nothing sets them; 0 for others."""
IMPOSSIBLE = 1e6
"""mV, of a reversal potential with a concentration that is not positive (negative: outside)."""


@dataclass(frozen=True)
class IonStyle:
    """How one ion behaves on the nodes that carry certain mechanisms.

    Attributes
    ----------
    name : str
    valence : float
        0 where no mechanism knows it and nothing needs it.
    concentration : {"unused", "fixed", "state"}
        ``state`` where a mechanism writes one of the two.
    computed : bool
        The reversal potential is Nernst's, at the start of a run; else it is a number.
    follows : bool
        It is computed anew at the start of every step too, since a concentration may have changed.
    """

    name: str
    valence: float
    concentration: str
    computed: bool
    follows: bool


def ion_style(name: str, mechanisms: Sequence[Mechanism]) -> IonStyle:
    """The style of an ion where these mechanisms sit together.

    NEURON's rules: a written concentration makes both concentrations states, and the reversal
    potential is computed whether it is used or not; where concentrations are only read it is
    computed once; where they are not used it is a number that the user sets.

    Raises
    ------
    UserError
        Where two mechanisms give the ion different valences, or none gives one that is needed.
    """
    uses = [(m, ion) for m in mechanisms for ion in m.ions if ion.name == name]
    given = {ion.valence for _, ion in uses if ion.valence is not None} | (
        {VALENCES[name]} if name in VALENCES else set()
    )
    if len(given) > 1:
        who = next(m.name for m, ion in uses if ion.valence not in (None, VALENCES.get(name)))
        raise UserError(
            f"mechanism '{who}' gives ion '{name}' another valence than the rest; "
            "make its VALENCE agree"
        )
    read = any(c in ion.read for _, ion in uses for c in ion.concentrations)
    written = any(c in ion.write for _, ion in uses for c in ion.concentrations)
    computed = read or written
    if computed and not given:
        raise UserError(
            f"no mechanism gives the valence of ion '{name}', which its reversal potential needs; "
            f"add VALENCE to USEION {name}"
        )
    return IonStyle(
        name=name,
        valence=next(iter(given), 0.0),
        concentration="state" if written else "fixed" if read else "unused",
        computed=computed,
        follows=written,
    )


def nernst(inside: Expr, outside: Expr, valence: float) -> Expr:
    """Reversal potential in mV at ``celsius``; NEURON's value where it is not defined."""
    if valence == 0:
        return ZERO
    factor = Binary(
        "/",
        Binary(
            "*",
            Number(1000.0 * GAS_CONSTANT),
            Binary("-", Name("celsius"), Number(ABSOLUTE_ZERO_C)),
        ),
        Number(FARADAY),
    )
    value = Binary(
        "*",
        Binary("/", factor, Number(valence)),
        Call("log", (Binary("/", outside, inside),)),
    )
    return Select(
        Binary("<=", inside, ZERO),
        Number(IMPOSSIBLE),
        Select(Binary("<=", outside, ZERO), Number(-IMPOSSIBLE), value),
    )


def ion_mechanism(style: IonStyle) -> Mechanism:
    """The ion itself as a mechanism without current, to stand before all others on its nodes.

    Its ``initialize`` computes the reversal potential (run it once more after mechanisms that set
    concentrations have been initialized), its ``current`` does so again where it ``follows``.
    """
    inside, outside, reversal = f"{style.name}i", f"{style.name}o", f"e{style.name}"
    value = nernst(Name(inside), Name(outside), style.valence)
    program = Program((Step("nernst", value),), ((reversal, Name("nernst")),))
    return Mechanism(
        name=f"{style.name}_ion",
        kind="density",
        title=f"Reversal potential of {style.name}",
        path=Path(__file__),
        parameters=(),
        states=(),
        assigned=(),
        ions=(Ion(style.name, (inside, outside), (reversal,), style.valence),),
        currents=(),
        initialize=program if style.computed else Program(),
        current=program if style.follows else Program(),
        advance=Program(),
        analytic=True,
    )


def starting_value(variable: str, ion: str) -> float:
    """NEURON's value of ``ena``, ``nai`` or ``nao`` where nothing sets it; 0 for a current."""
    if variable == f"e{ion}":
        return REVERSALS.get(ion, 0.0)
    inside, outside = CONCENTRATIONS.get(ion, (1.0, 1.0))
    return {f"{ion}i": inside, f"{ion}o": outside}.get(variable, 0.0)


__all__ = [
    "CONCENTRATIONS",
    "REVERSALS",
    "VALENCES",
    "IonStyle",
    "ion_mechanism",
    "ion_style",
    "nernst",
    "starting_value",
]
