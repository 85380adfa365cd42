"""Time of a step of cells of different trees: all in one run, beside each tree in a run of its own.

Both take the same steps of the same cells with the same threads; the rounds of both alternate, and
medians are taken. What is in the way of each other shows as a ratio below 1, what would be idle and
is filled by another tree as one above 1.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

from engine.backends import choose_backend, why_no_gpu
from engine.backends.base import Backend, Samples
from engine.benchmarks.step import machine
from engine.experiment import default_experiment
from engine.morphology.reading import read_morphology
from engine.morphology.samples import resolve
from engine.morphology.sections import make_sections
from engine.population import Member, Population, PopulationModel, build_population
from engine.stimuli import CurrentClamp, Site
from engine.types import BackendName

CELLS = ("ball_and_stick", "spn", "mitral", "ca1", "ca3b", "l5b", "human_l23", "purkinje")
NS = 1e9
DURATION = 100.0
"""ms that the runs are described with; nothing is recorded, so they may go on for longer."""


def some_trees(names: Sequence[str] = CELLS, copies: int = 20) -> PopulationModel:
    """So many of each sample cell, with the membrane and the current of a first run of it."""
    members = []
    for name in names:
        sections = make_sections(read_morphology(resolve(f"sample:{name}")))
        experiment = default_experiment(f"sample:{name}", sections, name=name)
        clamp = CurrentClamp(Site(sections.name[0]), 0.0, 1e9, 1.0)
        long = replace(experiment, duration=DURATION, frame_interval=DURATION)
        members.append(Member(replace(long, stimuli=(clamp,)), copies, name))
    return build_population(Population(tuple(members)))


def measure(
    model: PopulationModel, n_step: int = 400, rounds: int = 5, names: Sequence[BackendName] = ()
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Both ways on the processor and, where there is one, on the device.

    Yields
    ------
    name
        Of the backend.
    answer
        Seconds and ns per compartment and step of ``together`` and ``in_turn``, the ratio of the
        second to the first, and whether every cell has the same bits in both.
    """
    for name in names or ("cpu", *(("gpu",) if not why_no_gpu() else ())):
        backend = choose_backend(name)
        yield name, compare(model, backend, n_step, rounds)


def compare(model: PopulationModel, backend: Backend, n_step: int, rounds: int) -> dict[str, Any]:
    """As :func:`measure`, on one backend."""
    whole = backend.start_population(model.models)
    ran = backend.describe()
    each = [backend.start(one) for one in model.models]
    whole.initialize()
    for run in each:
        run.initialize()
    together: list[float] = []
    in_turn: list[float] = []
    same = True
    for _ in range(1 + rounds):  # the first one compiles
        found, seconds = timed(lambda: whole.advance(n_step))
        together.append(seconds)
        parts, seconds = timed(lambda: [run.advance(n_step) for run in each])
        in_turn.append(seconds)
        pairs = zip(found, parts, strict=True)
        same &= all(np.array_equal(one.traces, other.traces) for one, other in pairs)
    n_node = sum(one.n_comp * one.n_instance for one in model.models)
    times = {"together": median(together[1:]), "in_turn": median(in_turn[1:])}
    return {
        "engine": ran,
        "cells": model.population.n_cell,
        "trees": len(model.groups),
        "compartments": n_node,
        "steps": n_step,
        "seconds": times,
        "ns": {way: NS * seconds / (n_node * n_step) for way, seconds in times.items()},
        "ratio": times["in_turn"] / times["together"],
        "same_bits": same,
    }


def timed(work: Callable[[], list[Samples]]) -> tuple[list[Samples], float]:
    """What some work gives, and the seconds it takes."""
    begin = perf_counter()
    found = work()
    return found, perf_counter() - begin


def report(answers: dict[str, dict[str, Any]], model: PopulationModel) -> dict[str, Any]:
    """Everything as one document."""
    cells = {
        name: {"copies": member.copies, "compartments": model.member_model(k).n_comp}
        for k, (name, member) in enumerate(
            zip(model.population.names, model.population.members, strict=True)
        )
    }
    return {"machine": machine(), "cells": cells, "backends": answers}
