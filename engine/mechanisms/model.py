"""A mechanism as straight-line programs over its variables: initialize, current, advance, and
what events do."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from engine.mechanisms.expressions import Expr, names

KernelName = Literal["initialize", "current", "advance", "receive", "connect", "watch"]
KERNELS: tuple[KernelName, ...] = ("initialize", "current", "advance")
"""Computed for all nodes of a mechanism at once."""
EVENT_KERNELS: tuple[KernelName, ...] = ("receive", "connect", "watch")
"""What events need: ``receive`` and ``connect`` for one point, ``watch`` for all of them."""

ArgumentKind = Literal[
    "count", "node", "voltage", "out_current", "out_conductance", "parameter", "geometry", "global",
    "state", "assigned", "ion_read", "ion_write", "ion_set", "weight", "event", "scalar",
]  # fmt: skip


@dataclass(frozen=True)
class Parameter:
    """A PARAMETER: a value per node where ``per_node`` (RANGE), else one for all (GLOBAL).

    A POINTER is a per-node parameter too, 0 where the file gives no default.
    """

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
class Recordable:
    """A variable of the file and what it is called where it is stored."""

    name: str
    stored: str
    unit: str = ""


@dataclass(frozen=True)
class Ion:
    """USEION: what is read (``ena``, ``cai``, ``ica``) and written (``ina``, ``cai``)."""

    name: str
    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    valence: float | None = None

    @property
    def current(self) -> str:
        return f"i{self.name}"

    @property
    def concentrations(self) -> tuple[str, str]:
        """Inside and outside."""
        return f"{self.name}i", f"{self.name}o"


@dataclass(frozen=True)
class Send:
    """A ``net_send``, ``net_event`` or ``net_move`` of a block.

    Attributes
    ----------
    where
        The kernel that stores it: ``initialize`` or ``receive``.
    kind
        ``send``: NET_RECEIVE of the same point is to be called at ``time`` with ``flag``, and with
        the weights of the connection that caused it (from INITIAL: with zeros).
        ``event``: the point has fired at ``time``; its own connections deliver that.
        ``move``: the point's pending ``send`` with flag 1 is to come at ``time`` instead (where
        there is none, NEURON stops the run).
    time, flag
        Variables of kind ``event``, one value per point and instance. ``time`` (ms, absolute) is
        NaN where the statement was not reached; ``flag`` is 0 except for ``send``.
    """

    where: KernelName
    kind: Literal["send", "event", "move"]
    time: str
    flag: str


@dataclass(frozen=True)
class Watch:
    """A ``WATCH (a > b) flag`` statement.

    Attributes
    ----------
    flag
        Variable that ``receive`` stores: the flag where the statement was reached, else NaN.
    value
        Variable that ``watch`` stores: positive where the condition holds, else 0 or negative.

    Notes
    -----
    As NEURON does it: when a call of ``receive`` reaches a WATCH, the point's other watches end;
    the new one is armed with "it holds already" where ``value >= 0``. Before the events of each
    step are delivered, where ``value > 0`` and it did not hold before, ``receive`` is called with
    ``flag`` and weights 0 at the step's time; it then counts as holding until ``value <= 0``.
    """

    flag: str
    value: str


@dataclass(frozen=True)
class Loop:
    """Repeat a straight line while a condition holds.

    Attributes
    ----------
    carried
        Names that change from one turn to the next; after the loop they hold their last values.
    start
        Their values before the first turn.
    head, condition
        Definitions for the condition, and the condition itself.
    body, after
        Definitions of a turn, and the values of ``carried`` after it, all taken at once.
    limit
        Turns after which the loop ends in any case.
    """

    carried: tuple[str, ...]
    start: tuple[Expr, ...]
    head: tuple["Step", ...]
    condition: Expr
    body: tuple["Step", ...]
    after: tuple[Expr, ...]
    limit: int

    @property
    def reads(self) -> set[str]:
        """Names from outside."""
        inner = {*self.carried, *(name for s in (*self.head, *self.body) for name in s.defines)}
        used = {name for s in (*self.head, *self.body) for name in s.reads}
        used |= {name for e in (self.condition, *self.after) for name in names(e)}
        return used - inner | {name for e in self.start for name in names(e)}


@dataclass(frozen=True)
class Step:
    """One definition of a straight-line program; every target is defined once.

    Where ``loop`` is there it defines the loop's ``carried`` names instead.
    """

    target: str
    value: Expr
    loop: Loop | None = None

    @property
    def defines(self) -> tuple[str, ...]:
        return self.loop.carried if self.loop else (self.target,)

    @property
    def reads(self) -> set[str]:
        return self.loop.reads if self.loop else set(names(self.value))


@dataclass(frozen=True)
class Program:
    """What one kernel computes for one node and instance.

    Attributes
    ----------
    steps
        Definitions in order; each reads inputs and earlier targets only.
    stores
        (variable, value): states, assigned variables, ion variables that are set (``cai``),
        weights and events, written back at the end.
    current, conductance
        Sum of the membrane currents and its derivative by v, outward positive: mA/cm² and S/cm²,
        for a point nA and µS; None in other kernels.
    ion_currents
        (name, value): ``ina`` … in mA/cm², added to the ion's current (a point divides by ``area``
        itself).
    """

    steps: tuple[Step, ...] = ()
    stores: tuple[tuple[str, Expr], ...] = ()
    current: Expr | None = None
    conductance: Expr | None = None
    ion_currents: tuple[tuple[str, Expr], ...] = ()


def weight_name(argument: str) -> str:
    """Name in a program of an argument of NET_RECEIVE."""
    return f"netcon__{argument}"


@dataclass(frozen=True)
class Mechanism:
    """A mechanism ready to be emitted.

    Attributes
    ----------
    name : str
        SUFFIX, POINT_PROCESS or ARTIFICIAL_CELL.
    kind : {"density", "point", "artificial"}
        A point sits on a node and gives nA and µS; several may share a node. An artificial cell
        has no node and no current.
    title : str
    path : Path
    parameters, states, ions
    assigned
        The variables that live from one kernel to the next, found by a pass, and those that are
        recorded; all others are temporaries.
    currents : tuple of str
        Membrane currents in the file's order: NONSPECIFIC_CURRENT, ELECTRODE_CURRENT and written
        ion currents.
    initialize, current, advance : Program
    analytic : bool
        The conductance is the exact derivative (the current is linear in v at fixed states), not
        NEURON's difference.
    receive : Program or None
        NET_RECEIVE for one point; None where it has none.
    connect : Program or None
        INITIAL inside NET_RECEIVE, for one connection at t = 0. Where it is None every argument
        of a connection but the first starts from 0.
    watch : Program
        Values of the WATCH conditions.
    weights : tuple of str
        Arguments of NET_RECEIVE; every connection (and instance) holds one number for each.
    sends : tuple of Send
    watches : tuple of Watch
    recordable : tuple of Recordable
        What :func:`engine.mechanisms.recording.record` can keep: variables that are neither
        parameters nor states, and currents.
    whole : kernel → Program
        The programs with every variable of the file among their stores.
    """

    name: str
    kind: Literal["density", "point", "artificial"]
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
    receive: Program | None = None
    connect: Program | None = None
    watch: Program = Program()
    weights: tuple[str, ...] = ()
    sends: tuple[Send, ...] = ()
    watches: tuple[Watch, ...] = ()
    recordable: tuple[Recordable, ...] = ()
    whole: dict[KernelName, Program] = field(default_factory=dict, compare=False, repr=False)

    @property
    def results(self) -> set[str]:
        """What the programs store in any case: states, ion variables, weights, events."""
        slots = {name for send in self.sends for name in (send.time, send.flag)}
        slots |= {name for watch in self.watches for name in (watch.flag, watch.value)}
        own = {state.name for state in self.states} | set(self.ion_sets)
        return own | slots | {weight_name(weight) for weight in self.weights}

    @property
    def straight(self) -> bool:
        """Whether no kernel that runs every step holds a loop."""
        programs = (self.current, self.advance, self.watch)
        return not any(step.loop for program in programs for step in program.steps)

    @property
    def event_kernels(self) -> tuple[KernelName, ...]:
        """The kernels for events that are emitted."""
        there = {"receive": self.receive, "connect": self.connect, "watch": self.watches}
        return tuple(which for which in EVENT_KERNELS if there[which])

    @property
    def ion_sets(self) -> tuple[str, ...]:
        """Concentrations and reversal potentials it sets."""
        return tuple(name for ion in self.ions for name in ion.write if name != ion.current)

    @property
    def writes_concentration(self) -> bool:
        """Whether it sets a concentration. NEURON computes such mechanisms before all others, the
        last one first (ions come before both)."""
        return any(name in ion.concentrations for ion in self.ions for name in ion.write)

    def program(self, which: KernelName) -> Program:
        """What a kernel computes; nothing where the file has no such block."""
        programs: dict[KernelName, Program | None] = {
            "initialize": self.initialize, "current": self.current, "advance": self.advance,
            "receive": self.receive, "connect": self.connect, "watch": self.watch,
        }  # fmt: skip
        return programs[which] or Program()

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

    Kinds and shapes: ``count`` int (n, n_instance, first; in ``receive`` and ``connect`` point,
    instance, n_instance, slot); ``node`` (n,) int32, for points ascending, the same node several
    times where several points sit on it; ``voltage``, ``out_current``, ``out_conductance``,
    ``ion_read``, ``ion_write`` (added to), ``ion_set`` (read and set) (n_comp * n_instance,),
    node-major; ``parameter``, ``geometry`` (n,); ``global``, ``scalar`` float; ``state``,
    ``assigned``, ``event`` (n * n_instance,); ``weight`` flat, the arguments of one connection (and
    instance) start at ``slot``.
    """

    name: str
    kind: ArgumentKind
