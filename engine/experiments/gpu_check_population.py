"""Do different trees in one run on a device give the processor's numbers, and the bits of each
alone?"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from engine.backends.base import Backend, Samples, join
from engine.backends.cpu import CpuBackend
from engine.backends.gpu.backend import GpuBackend
from engine.backends.gpu.device import Device
from engine.backends.gpu.shape import Shape
from engine.errors import BackendError
from engine.experiment import Probe
from engine.experiments.gpu_check import MODEL_LIMIT, CheckRow, relative, run_whole, small_models
from engine.model import Model
from engine.population import Member, Population, PopulationModel, build_population
from engine.stimuli import Site

SHAPES = (
    Shape(4, 4), Shape(32, 32), Shape(128, 32), Shape(256, 256), Shape(32, 32, "contract"),
    Shape(128, 32, store="global"), Shape(128, 64, "contract", "tree"),
)  # fmt: skip
TREES = {"ball_and_stick": 19, "spn": 5, "mitral": 2, "ca1": 1}
"""Copies of sample cells."""


def check_populations(
    device: Device, shapes: Sequence[Shape] = SHAPES, trees: Sequence[str] = tuple(TREES)
) -> Iterator[CheckRow]:
    """A population of several trees with each shape of cells, against the processor."""
    model = some_cells(trees)
    right = whole_population(CpuBackend(), model)
    cells = f"{model.population.n_cell} cells"
    for shape in shapes:
        row = CheckRow("model", f"population {shape.name}", cells, model.n_step)
        backend = GpuBackend(device, shape)
        try:
            first, second = (whole_population(backend, model) for _ in range(2))
            alone = [run_whole(backend, one) for one in model.models]
        except BackendError as error:
            yield replace(row, problem=str(error))
            continue
        pairs = list(zip(first, right, strict=True))
        spikes = all(np.array_equal(one.spikes, other.spikes) for one, other in pairs)
        errors = [relative(one.traces, other.traces) for one, other in pairs]
        yield replace(
            row,
            limit=MODEL_LIMIT,
            error=max(errors) if spikes else np.inf,
            same_twice=equal(first, second),
            problem="" if equal(first, alone) else "a cell has other bits than it has alone",
        )


def some_cells(trees: Sequence[str]) -> PopulationModel:
    """Spiking cells of several trees, a passive cell and one with spines, in one duration."""
    small: dict[str, Model] = {}
    for name, model in small_models():
        small.setdefault(name, model)
    passive, spiking, spiny = (small[name].experiment for name in ("passive", "hh", "spines"))
    probes = (Probe(Site("soma[0]")),)
    cells = [
        Member(replace(spiking, morphology=f"sample:{name}", probes=probes), TREES[name], name)
        for name in trees
    ]
    others = Member(passive, 3, "passive"), Member(spiny, 2, "spiny")
    return build_population(Population((*cells, *others)))


def whole_population(backend: Backend, model: PopulationModel) -> list[Samples]:
    """All of a run."""
    run = backend.start_population(model.models)
    pairs = zip(run.initialize(), run.advance(model.n_step), strict=True)
    return [join(one, other) for one, other in pairs]


def equal(first: Sequence[Samples], second: Sequence[Samples]) -> bool:
    """Whether traces and spikes of all models have the same bits."""
    return all(
        np.array_equal(one.traces, other.traces) and np.array_equal(one.spikes, other.spikes)
        for one, other in zip(first, second, strict=True)
    )
