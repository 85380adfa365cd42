"""Keep variables of a mechanism that it needs for itself only, so that they can be recorded."""

from collections.abc import Iterable
from dataclasses import replace
from difflib import get_close_matches

from engine.errors import UserError
from engine.mechanisms.keeping import keep, trim
from engine.mechanisms.model import KernelName, Mechanism, Program, Variable


def record(mechanism: Mechanism, names: Iterable[str]) -> Mechanism:
    """The same mechanism, which stores the named variables as well.

    Parameters
    ----------
    mechanism
    names
        ASSIGNED variables or currents of the file (``gna``, ``minf``, ``ina``). They are found
        among ``assigned`` by :attr:`Recordable.stored`, one value per node and instance, set by
        the kernel that computes them last in a step, as NEURON's range variables.

    Raises
    ------
    UserError
        If the mechanism has no such variable; names a close match.
    """
    known = {variable.name: variable for variable in mechanism.recordable}
    asked = set[str]()
    for name in names:
        if name not in known:
            close = get_close_matches(name, known, 1)
            hint = f"did you mean '{close[0]}'?" if close else f"it has {', '.join(known)}"
            raise UserError(f"mechanism '{mechanism.name}' has no variable '{name}'; {hint}")
        asked.add(known[name].stored)
    fixed = mechanism.results | asked
    kept = keep(mechanism.whole, fixed, (v.stored for v in mechanism.recordable)) | asked
    programs: dict[KernelName, Program] = {
        which: trim(program, fixed | kept) for which, program in mechanism.whole.items()
    }
    return replace(
        mechanism,
        assigned=tuple(
            Variable(v.stored, v.unit) for v in mechanism.recordable if v.stored in kept
        ),
        **programs,  # type: ignore[arg-type]
    )
