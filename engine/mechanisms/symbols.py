"""What every name of a file is, checked once."""

from dataclasses import dataclass

from engine.errors import MechanismError
from engine.mechanisms.source import Source

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
    """

    parameters: tuple[str, ...]
    states: tuple[str, ...]
    assigned: tuple[str, ...]
    currents: tuple[str, ...]
    ion_reads: tuple[str, ...]

    @property
    def readable(self) -> frozenset[str]:
        return frozenset(
            (*_BUILT_IN, *self.parameters, *self.states, *self.assigned, *self.ion_reads)
        )

    @property
    def writable(self) -> frozenset[str]:
        """What statements may assign; an assigned v holds to the end of the kernel and moves no
        membrane."""
        return frozenset((*self.states, *self.assigned, *self.currents, "v"))


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
    if source.breakpoint is None:
        raise MechanismError(source.path, "no BREAKPOINT block", "add BREAKPOINT { … }")
    reads, currents = _ions(source)
    currents += [name for name, _ in source.nonspecific]
    for name in {name for name in currents if currents.count(name) > 1}:
        line = next(line for current, line in source.nonspecific if current == name)
        raise MechanismError(
            source.path, f"the current '{name}' is declared twice", "keep one", line
        )
    supplied = {*_BUILT_IN, *reads, *currents}
    symbols = Symbols(
        parameters=tuple(name for name in source.parameters if name not in supplied),
        states=tuple(source.states),
        assigned=tuple(name for name in source.assigned if name not in supplied),
        currents=tuple(currents),
        ion_reads=tuple(reads),
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


def _ions(source: Source) -> tuple[list[str], list[str]]:
    """Names read from ions and currents written to them."""
    reads: list[str] = []
    currents: list[str] = []
    for ion, line in source.ions:
        allowed = (f"e{ion.name}", f"{ion.name}i", f"{ion.name}o", f"i{ion.name}")
        for name in (*ion.read, *ion.write):
            if name not in allowed:
                raise MechanismError(
                    source.path,
                    f"ion {ion.name} has no '{name}'",
                    f"it has {', '.join(allowed)}",
                    line,
                )
        for name in ion.write:
            if name != f"i{ion.name}":
                raise MechanismError(
                    source.path,
                    f"construct USEION {ion.name} WRITE {name} is not supported",
                    f"only the current i{ion.name} can be written so far",
                    line,
                )
        reads += [name for name in ion.read if name not in ion.write and name not in reads]
        currents += ion.write
    return reads, currents
