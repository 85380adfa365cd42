"""What every name of a file is, checked once."""

from dataclasses import dataclass

from engine.errors import MechanismError
from engine.mechanisms.expressions import Element, Name
from engine.mechanisms.source import (
    Assign,
    Body,
    For,
    If,
    Local,
    Nested,
    Source,
    While,
    elements,
)

SCALARS = ("celsius", "dt", "t")
GEOMETRY = ("diam", "area")
_BUILT_IN = ("v", *SCALARS, *GEOMETRY)


@dataclass(frozen=True)
class Symbols:
    """Names by role.

    Attributes
    ----------
    parameters, states, assigned
        As declared, without the names the engine supplies.
    currents
        Membrane currents in the file's order.
    ion_reads
        Ion variables that are read only.
    ion_sets
        Concentrations and reversal potentials that are set; some may be states.
    ion_currents
        Those of ``currents`` that belong to ions.
    electrode
        Those of ``currents`` that flow inward where they are positive.
    total_currents
        Ion currents that are read as well as written: outside BREAKPOINT they are the sum over all
        mechanisms.
    overwritten
        Parameters that statements assign; from INITIAL on each point has its own value.
    """

    parameters: tuple[str, ...]
    states: tuple[str, ...]
    assigned: tuple[str, ...]
    currents: tuple[str, ...]
    ion_reads: tuple[str, ...]
    ion_sets: tuple[str, ...] = ()
    ion_currents: tuple[str, ...] = ()
    electrode: tuple[str, ...] = ()
    total_currents: tuple[str, ...] = ()
    overwritten: tuple[str, ...] = ()

    def stored(self, name: str) -> str:
        """What a variable is called where it lives from kernel to kernel."""
        if name in self.ion_currents:
            return f"own_{name}"
        return f"{name}_now" if name in self.overwritten else name

    @property
    def keepable(self) -> tuple[str, ...]:
        """Variables of the file that a pass may decide to keep."""
        return (*self.assigned, *self.currents, *self.overwritten)

    @property
    def readable(self) -> frozenset[str]:
        return frozenset(
            (
                *_BUILT_IN, *self.parameters, *self.states, *self.assigned, *self.ion_reads,
                *self.ion_sets,
            )
        )  # fmt: skip

    @property
    def writable(self) -> frozenset[str]:
        """What statements may assign; an assigned v holds to the end of the kernel and moves no
        membrane."""
        return frozenset(
            (*self.states, *self.assigned, *self.currents, *self.ion_sets, *self.overwritten, "v")
        )


def make_symbols(source: Source) -> Symbols:
    """Sort the names of a file.

    Raises
    ------
    MechanismError
        Where a block is missing or a name of the NEURON block is not what it should be.
    """
    if not source.suffix:
        raise MechanismError(
            source.path, "no NEURON block with SUFFIX", "add NEURON { SUFFIX name … }"
        )
    if source.receive is not None and source.kind == "density":
        raise MechanismError(
            source.path,
            "NET_RECEIVE stands in a density mechanism",
            "events need POINT_PROCESS instead of SUFFIX",
            source.receive.line,
        )
    reads, currents, sets = _ions(source)
    ion_currents = tuple(currents)
    own = [*source.nonspecific, *source.electrode]
    currents += [name for name, _ in own]
    if source.breakpoint is None and (currents or source.derivatives or source.kinetics):
        raise MechanismError(source.path, "no BREAKPOINT block", "add BREAKPOINT { … }")
    for name in {name for name in currents if currents.count(name) > 1}:
        line = next(line for current, line in own if current == name)
        raise MechanismError(
            source.path, f"the current '{name}' is declared twice", "keep one", line
        )
    supplied = {*_BUILT_IN, *reads, *currents, *sets}
    assigned = _assigned(source)
    declared = dict.fromkeys((*source.parameters, *source.pointers))
    parameters = tuple(name for name in declared if name not in supplied)
    symbols = Symbols(
        parameters=parameters,
        states=tuple(name for name in source.states if name not in supplied),
        assigned=tuple(
            name for name in source.assigned if name not in supplied | source.pointers.keys()
        ),
        currents=tuple(currents),
        ion_reads=tuple(reads),
        ion_sets=tuple(sets),
        ion_currents=ion_currents,
        electrode=tuple(name for name, _ in source.electrode),
        total_currents=tuple(
            ion.current
            for ion, _ in source.ions
            if ion.current in ion.read and ion.current in ion.write
        ),
        overwritten=tuple(name for name in parameters if name in assigned),
    )
    for name in assigned & source.pointers.keys():
        raise MechanismError(
            source.path,
            f"POINTER '{name}' is assigned",
            "it can be read only; assign a variable of this mechanism",
            source.pointers[name],
        )
    for ion, line in source.ions:
        for name in set(ion.write) & set(sets) - set(source.states) - assigned:
            raise MechanismError(
                source.path,
                f"ion {ion.name} is told that '{name}' is written, and no statement computes it",
                f"make {name} a STATE or assign it",
                line,
            )
    known = symbols.readable | symbols.writable | set(source.constants)
    for name, line in {**source.ranges, **source.globals}.items():
        if name not in known:
            raise MechanismError(
                source.path,
                f"'{name}' is listed in NEURON and declared nowhere",
                "declare it in PARAMETER or ASSIGNED",
                line,
            )
    return symbols


def _assigned(source: Source) -> set[str]:
    """Names that statements assign and no LOCAL or formal argument hides."""
    found: set[str] = set()

    def walk(body: Body, hidden: frozenset[str]) -> None:
        for statement in body:
            match statement:
                case Local(names, _):
                    hidden |= set(names)
                case Assign(Element(name), _, _):
                    found.update(elements(name, source.arrays.get(name, 0)))
                case Assign(Name(name), _, _) if name not in hidden:
                    found.add(name)
                case For(name, _, _, _, inner, _):
                    walk(inner, hidden | {name})
                case While(_, inner, _):
                    walk(inner, hidden)
                case If(_, then, other, _):
                    walk(then, hidden)
                    walk(other, hidden)
                case Nested(inner, _):
                    walk(inner, hidden)

    for block in source.blocks():
        walk(block.body, frozenset((*block.formals, block.name)))
    return found


def _ions(source: Source) -> tuple[list[str], list[str], list[str]]:
    """Names read from ions, currents written to them, other variables of theirs that are set."""
    reads: list[str] = []
    currents: list[str] = []
    sets: list[str] = []
    for ion, line in source.ions:
        allowed = (f"e{ion.name}", *ion.concentrations, ion.current)
        for name in (*ion.read, *ion.write):
            if name not in allowed:
                raise MechanismError(
                    source.path,
                    f"ion {ion.name} has no '{name}'",
                    f"it has {', '.join(allowed)}",
                    line,
                )
        reads += [name for name in ion.read if name not in ion.write and name not in reads]
        currents += [name for name in ion.write if name == ion.current]
        sets += [name for name in ion.write if name != ion.current]
    return reads, currents, sets
