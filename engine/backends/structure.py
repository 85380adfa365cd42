"""What a step loop depends on, and what it calls the arrays of mechanisms and ions."""

from dataclasses import dataclass

from engine.mechanisms.emit_lanes import Closing, Layout, has_lanes
from engine.mechanisms.model import Mechanism
from engine.placing import written_currents


@dataclass(frozen=True)
class Structure:
    """What of a model its step loop depends on; models of one structure share compiled code.

    Linear mechanisms are not among ``mechanisms``: they are numbers in the arrays. ``rows`` is True
    for eight instances, False for one. ``attached`` is True where played currents, voltage clamps
    or gap junctions sit on single nodes. ``cores`` is True where one cell runs on several cores.
    ``silent`` are the ion currents that nobody asks for, so that they need not be summed up.
    ``twigs`` is True where there are spines. ``consecutive`` names the mechanisms whose nodes lie
    in a row (in one instance). ``relays`` are pairs of point mechanisms: what points of the first
    send with ``net_event`` reaches points of the second.
    """

    mechanisms: tuple[Mechanism, ...]
    rows: bool
    attached: bool = False
    cores: bool = False
    silent: tuple[str, ...] = ()
    twigs: bool = False
    consecutive: tuple[str, ...] = ()
    relays: tuple[tuple[str, str], ...] = ()

    def reached(self, mechanism: Mechanism) -> tuple[Mechanism, ...]:
        """Mechanisms whose points get the ``net_event`` of this one's."""
        names = {target for source, target in self.relays if source == mechanism.name}
        return tuple(m for m in self.mechanisms if m.name in names)

    @property
    def name(self) -> str:
        names = "_".join([m.name for m in self.mechanisms] or ["passive"])
        kind = "_rows" * self.rows + "_attached" * self.attached + "_cores" * self.cores
        kind += "_twigs" * self.twigs + "_relays" * bool(self.relays)
        return names + kind

    @property
    def constant(self) -> bool:
        """Whether the matrix never changes, so that it is factored once."""
        return not (self.mechanisms or self.attached or self.twigs)

    def layout(self, mechanism: Mechanism) -> Layout:
        """How a mechanism's nodes lie."""
        if self.rows:
            return "rows"
        return "consecutive" if mechanism.name in self.consecutive else "scattered"

    @property
    def last(self) -> Mechanism | None:
        """The last mechanism with a density of current, where it can close the equations."""
        density = [m for m in self.mechanisms if m.kind == "density"]
        found = [m for m in density if m.program("current").current is not None]
        if not found or self.cores or not has_lanes(found[-1]):
            return None
        return found[-1] if self.layout(found[-1]) != "scattered" else None

    def closes(self, mechanism: Mechanism) -> Closing | None:
        """Whether a mechanism's currents go straight into the equations."""
        if mechanism is not self.last:
            return None
        density = [m for m in self.mechanisms if m.kind == "density"]
        n_current = sum(m.program("current").current is not None for m in density)
        return "alone" if n_current == 1 else "with others"

    @property
    def points(self) -> tuple[Mechanism, ...]:
        return tuple(m for m in self.mechanisms if m.kind == "point")

    @property
    def ion_currents(self) -> tuple[str, ...]:
        """Written or read."""
        used = {ion.current for m in self.mechanisms for ion in m.ions if ion.current in ion.read}
        return tuple(sorted(used | {n for m in self.mechanisms for n in written_currents(m)}))

    @property
    def ion_values(self) -> tuple[str, ...]:
        """Reversal potentials and concentrations that are read or set."""
        names = {n for m in self.mechanisms for ion in m.ions for n in (*ion.read, *ion.write)}
        return tuple(sorted(names - {ion.current for m in self.mechanisms for ion in m.ions}))

    @property
    def probed(self) -> tuple[str, ...]:
        """Every array that a probe can read, in the order of ``probe_start``."""
        ions = [ion_name(name) for name in (*self.ion_currents, *self.ion_values)]
        own = [state_name(m, x.name) for m in self.mechanisms for x in (*m.states, *m.assigned)]
        return ("v", *ions, *own, *(("hold_current", "gap_current") if self.attached else ()))


def state_name(mechanism: Mechanism, variable: str) -> str:
    """Name of a mechanism's array in the step loop."""
    return f"{mechanism.name}__{variable}"


def table_name(mechanism: Mechanism, table: str) -> str:
    """Name in the step loop of what says where a mechanism sits: ``n``, ``first`` or ``node``."""
    return f"{mechanism.name}__where__{table}"


def ion_name(variable: str) -> str:
    """Name of an ion's array in the step loop."""
    return f"ion__{variable}"


def is_ion(mechanism: Mechanism) -> bool:
    """Whether it stands for an ion itself, which computes its reversal potential."""
    return any(name == f"e{ion.name}" for ion in mechanism.ions for name in ion.write)
