"""Which variables live from one kernel to the next; everything else is a temporary and vanishes."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from engine.mechanisms.expressions import names
from engine.mechanisms.model import KernelName, Program

Programs = Mapping[KernelName, Program]


def keep(programs: Programs, results: Iterable[str], keepable: Iterable[str]) -> set[str]:
    """Variables some kernel reads before it writes them.

    Parameters
    ----------
    programs
        With every variable of the file among their stores.
    results
        What is stored in any case: states, ion variables, events.
    keepable
        The variables to choose from.
    """
    results, candidates, kept = set(results), set(keepable), set[str]()
    while True:
        read = {name for p in programs.values() for name in reads(p, results | kept)[1]}
        if (more := kept | (read & candidates)) == kept:
            return kept
        kept = more


def trim(program: Program, stored: set[str]) -> Program:
    """Drop the stores of other variables, and what no result needs."""
    needed, _ = reads(program, stored)
    return replace(
        program,
        steps=tuple(step for step in program.steps if needed & set(step.defines)),
        stores=tuple(store for store in program.stores if store[0] in stored),
    )


def reads(program: Program, stored: set[str]) -> tuple[set[str], set[str]]:
    """The definitions of a program that its results need, and the inputs."""
    definitions = {name: step.reads for step in program.steps for name in step.defines}
    results = [value for name, value in program.stores if name in stored]
    results += [value for value in (program.current, program.conductance) if value is not None]
    results += [value for _, value in program.ion_currents]
    needed: set[str] = set()
    pending = [name for value in results for name in names(value)]
    while pending:
        name = pending.pop()
        if name not in needed:
            needed.add(name)
            pending += definitions.get(name, ())
    return needed & definitions.keys(), needed - definitions.keys()
