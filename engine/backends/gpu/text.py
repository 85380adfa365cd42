"""Pieces of CUDA text that name arrays, which become arguments of the kernel as they are named."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from engine.backends.gpu.shape import Solve
from engine.backends.structure import ion_name, state_name, table_name
from engine.mechanisms.model import Argument, KernelName, Mechanism


@dataclass(frozen=True)
class GpuStructure:
    """What of a model its kernel's text depends on; models of one structure share it.

    Attributes
    ----------
    mechanisms
        Those that are code, in the order in which they are computed; points last.
    silent
        Ion currents that nobody asks for.
    varying
        Reversal potentials and concentrations that a mechanism sets or a probe reads; each instance
        has its own.
    queued
        Names of the points whose events are not all known before the run.
    relays
        Pairs of point mechanisms: what points of the first send with ``net_event`` reaches points
        of the second.
    clamps, played, holds, gaps, twigs
        Whether there are such.
    single
        Whether the mechanisms' arithmetic is in single precision.
    solve
        How the tree's equations are solved.
    """

    mechanisms: tuple[Mechanism, ...]
    silent: tuple[str, ...] = ()
    varying: tuple[str, ...] = ()
    queued: tuple[str, ...] = ()
    relays: tuple[tuple[str, str], ...] = ()
    clamps: bool = False
    played: bool = False
    holds: bool = False
    gaps: bool = False
    twigs: bool = False
    single: bool = False
    solve: Solve = "dhs"

    @property
    def constant(self) -> bool:
        """Whether the matrix never changes, so that it is factored once."""
        return not (self.mechanisms or self.holds or self.gaps)

    @property
    def name(self) -> str:
        return "_".join([m.name for m in self.mechanisms] or ["passive"])

    @property
    def linked(self) -> tuple[Mechanism, ...]:
        """Mechanisms whose points send to others or hear from them."""
        names = {name for pair in self.relays for name in pair}
        return tuple(m for m in self.mechanisms if m.name in names)

    def reached(self, mechanism: Mechanism) -> tuple[Mechanism, ...]:
        """Mechanisms whose points get the ``net_event`` of this one's."""
        names = {target for source, target in self.relays if source == mechanism.name}
        return tuple(m for m in self.mechanisms if m.name in names)


@dataclass
class Names:
    """The offsets and numbers that a text has named, in order: arguments of its kernel."""

    used: dict[str, str] = field(default_factory=dict)

    def at(self, arena: str, name: str, index: str = "") -> str:
        """An element of an array in an arena."""
        assert self.used.setdefault(name, arena) == arena
        return f"{arena}[{name} + {index}]" if index else f"{arena}[{name}]"

    def number(self, name: str) -> str:
        """A number that is one for all instances."""
        assert self.used.setdefault(name, "number") == "number"
        return name


Places = Callable[[Argument, int], str]


def density_places(
    names: Names, structure: GpuStructure, mechanism: Mechanism, which: KernelName
) -> Places:
    """Where a density mechanism's arguments are: entry ``j`` on node ``at``."""

    def place(argument: Argument, _: int) -> str:
        match argument.kind:
            case "parameter" | "geometry":
                return names.at("common", state_name(mechanism, argument.name), "j")
            case "out_current":
                return "r[at]"
            case "out_conductance":
                return "d[at]"
            case "voltage":
                return "v[at]"
        return shared_place(names, structure, mechanism, argument)

    return place


def point_places(
    names: Names, structure: GpuStructure, mechanism: Mechanism, which: KernelName
) -> Places:
    """Where a point's arguments are: point ``j`` on node ``at``, event in ``slot``."""
    width = max(1, len(mechanism.weights))

    def place(argument: Argument, weight: int) -> str:
        match argument.kind:
            case "parameter" | "geometry":
                return names.at("given", state_name(mechanism, argument.name), "j")
            case "out_current":
                return "i"
            case "out_conductance":
                return "g"
            case "voltage":
                return "whole_v[at]"
            case "weight":
                return names.at(
                    "own", state_name(mechanism, "_weight"), f"{width} * slot + {weight}"
                )
        return shared_place(names, structure, mechanism, argument)

    return place


def shared_place(
    names: Names, structure: GpuStructure, mechanism: Mechanism, argument: Argument
) -> str:
    """Places that density mechanisms and points have alike."""
    match argument.kind:
        case "global":
            return names.at("common", state_name(mechanism, argument.name))
        case "state" | "assigned" | "event":
            return names.at("own", state_name(mechanism, argument.name), "j")
        case "scalar":
            return argument.name
        case "ion_write" if argument.name in structure.silent:
            return "nothing"
        case "ion_read" | "ion_set" if argument.name not in structure.varying:
            if argument.name not in currents(structure):
                return names.at("common", ion_name(argument.name), "at")
    return names.at("own", ion_name(argument.name), "at")


def currents(structure: GpuStructure) -> set[str]:
    """Ion currents, silent ones among them."""
    return {ion.current for m in structure.mechanisms for ion in m.ions}


def indented(lines: Iterable[str], by: int = 1) -> list[str]:
    """Lines further to the right."""
    return [f"{'    ' * by}{line}" for line in lines]


def loop_density(names: Names, mechanism: Mechanism, body: list[str]) -> list[str]:
    """Every node of a density mechanism, each by one thread."""
    n = names.number(table_name(mechanism, "n"))
    node = names.at("table", table_name(mechanism, "node"), "j")
    return [
        f"for (int j = team.thread; j < {n}; j += team.threads) {{",
        *indented([f"const int at = {node};", *body]),
        "}",
    ]


def loop_points(names: Names, mechanism: Mechanism, body: list[str]) -> list[str]:
    """Every point of a mechanism, each by one thread."""
    n = names.at("where", table_name(mechanism, "n"))
    node = names.at("where", table_name(mechanism, "node"), "j")
    return [
        f"for (int j = team.thread, n = {n}; j < n; j += team.threads) {{",
        *indented([f"const int at = {node};", *body]),
        "}",
    ]


def loop_nodes(
    n: str, node: str, before: list[str], body: list[str], after: list[str]
) -> list[str]:
    """Entries ``j`` sorted by node: all of one node by the same thread, one after the other."""
    return [
        f"for (int first = team.thread, n = {n}; first < n; first += team.threads) {{",
        "    int j = first;",
        f"    const int at = {node};",
        f"    if (j > 0 && {node.replace('+ j]', '+ j - 1]')} == at) continue;",
        *indented(before),
        "    do {",
        *indented(body, 2),
        f"    }} while (++j < n && {node} == at);",
        *indented(after),
        "}",
    ]
