"""A mechanism as three straight-line programs over its variables: initialize, current, advance."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.mechanisms.expressions import Expr

KernelName = Literal["initialize", "current", "advance"]
KERNELS: tuple[KernelName, ...] = ("initialize", "current", "advance")

ArgumentKind = Literal[
    "count", "node", "voltage", "out_current", "out_conductance", "parameter", "geometry", "global",
    "state", "assigned", "ion_read", "ion_write", "scalar",
]  # fmt: skip


@dataclass(frozen=True)
class Parameter:
    """A PARAMETER: a value per node where ``per_node`` (RANGE), else one for all (GLOBAL)."""

    name: str
    default: float
    unit: str = ""
    limits: tuple[float, float] | None = None
    per_node: bool = False


@dataclass(frozen=True)
class Variable:
    """A STATE or ASSIGNED variable with its unit as written in the file."""

    name: str
    unit: str = ""


@dataclass(frozen=True)
class Ion:
    """USEION: what is read (``ena``, ``cai``) and written (``ina``)."""

    name: str
    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    valence: float | None = None


@dataclass(frozen=True)
class Step:
    """One definition of a straight-line program; every target is defined once."""

    target: str
    value: Expr


@dataclass(frozen=True)
class Program:
    """What one kernel computes for one node and instance.

    Attributes
    ----------
    steps
        Definitions in order; each reads inputs and earlier targets only.
    stores
        (variable, value): state and assigned variables written back at the end.
    current, conductance
        Sum of the membrane currents in mA/cm² and its derivative by v in S/cm²; None in other
        kernels.
    ion_currents
        (name, value): ``ina`` … in mA/cm², added to the ion's current.
    """

    steps: tuple[Step, ...] = ()
    stores: tuple[tuple[str, Expr], ...] = ()
    current: Expr | None = None
    conductance: Expr | None = None
    ion_currents: tuple[tuple[str, Expr], ...] = ()


@dataclass(frozen=True)
class Mechanism:
    """A density mechanism ready to be emitted.

    Attributes
    ----------
    name : str
        SUFFIX.
    kind : {"density"}
    title : str
    path : Path
    parameters, states, ions
    assigned
        The variables that live from one kernel to the next, found by a pass; all others are
        temporaries.
    currents : tuple of str
        Membrane currents in the file's order: NONSPECIFIC_CURRENT and written ion currents.
    initialize, current, advance : Program
    analytic : bool
        The conductance is the exact derivative (the current is linear in v at fixed states), not
        NEURON's difference.
    """

    name: str
    kind: Literal["density"]
    title: str
    path: Path
    parameters: tuple[Parameter, ...]
    states: tuple[Variable, ...]
    assigned: tuple[Variable, ...]
    ions: tuple[Ion, ...]
    currents: tuple[str, ...]
    initialize: Program
    current: Program
    advance: Program
    analytic: bool

    def program(self, which: KernelName) -> Program:
        return {"initialize": self.initialize, "current": self.current, "advance": self.advance}[
            which
        ]

    def parameter(self, name: str) -> Parameter:
        """The parameter of that name.

        Raises
        ------
        UserError
            If there is none; names a close match.
        """
        from difflib import get_close_matches

        from engine.errors import UserError

        known = {p.name: p for p in self.parameters}
        if name in known:
            return known[name]
        close = get_close_matches(name, known, 1)
        hint = f"did you mean '{close[0]}'?" if close else f"it has {', '.join(known) or 'none'}"
        raise UserError(f"mechanism '{self.name}' has no parameter '{name}'; {hint}")


@dataclass(frozen=True)
class Argument:
    """One argument of an emitted kernel.

    Kinds and shapes: ``count`` int (n, n_instance, first); ``node`` (n,) int32; ``voltage``,
    ``out_current``, ``out_conductance``, ``ion_read``, ``ion_write`` (n_comp * n_instance,),
    node-major; ``parameter``, ``geometry`` (n,); ``global``, ``scalar`` float; ``state``,
    ``assigned`` (n * n_instance,).
    """

    name: str
    kind: ArgumentKind
