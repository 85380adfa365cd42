"""The solves of a GPU, to be measured beside those of the processor."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from engine.backends.gpu.device import Device
from engine.backends.gpu.variants import PERMUTE1, SolvePlan, SolveVariant, prepare
from engine.backends.gpu.variants.contraction import contract
from engine.backends.gpu.variants.layout import tree_beside_twigs
from engine.backends.gpu.variants.systems import TreeSystem
from engine.backends.gpu.variants.variant import TWIGGY, scatter
from engine.errors import BackendError
from engine.experiments.step_system import StepSystem
from engine.experiments.timings import Job, Way
from engine.schedule import make_schedule
from engine.types import ScheduleMethod

DHS, CONTRACT = TWIGGY
SOLVES = 5
"""Solves in a round; the device times each, and their median counts."""


def find_device() -> "GpuSolves | str":
    """What measures the solves of this machine's GPU, or the reason why there is none."""
    from engine.backends.gpu.cupy_device import cupy_device

    try:
        return GpuSolves(cupy_device())
    except BackendError as error:
        return str(error)


class GpuSolves:
    """Every way to solve on a device; keeps the plans of one number of cells at a time."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.name = device.properties.name
        self._plans: dict[str, SolvePlan | str] = {}
        self._n_cells = 0

    def ways(self, job: Job) -> tuple[Way, ...]:
        """The published ways with the job's threads, and ours."""
        return tuple(_way(variant, title, job) for variant, title in _variants(job))

    def seconds(self, way: Way, job: Job, n_cells: int) -> float | str:
        """Of one solve of all cells, by the device's clock; the reason where that cannot be."""
        if n_cells != self._n_cells:
            self._plans, self._n_cells = {}, n_cells
        if way.name not in self._plans:
            self._plans[way.name] = self._prepare(way, job, n_cells)
        plan = self._plans[way.name]
        return plan if isinstance(plan, str) else plan.time(SOLVES)

    def _prepare(self, way: Way, job: Job, n_cells: int) -> SolvePlan | str:
        variant = next(v for v, _ in _variants(job) if f"gpu-{v.name}" == way.name)
        try:
            return prepare([device_system(job.system, n_cells)], variant, self.device)
        except BackendError as error:
            return f"{n_cells} cells: {error}"


def device_system(system: StepSystem, copies: int) -> TreeSystem:
    """The same equations as a device's solves take them: axial currents on the right side."""
    inner = np.flatnonzero(system.parent >= 0)
    up = system.parent[inner]
    flow = system.a[inner] * (system.v[up] - system.v[inner])
    right = system.r.copy()
    np.add.at(right, inner, flow)
    np.add.at(right, up, -flow)
    return TreeSystem(system.parent, system.a, system.d, right, copies)


def _variants(job: Job) -> tuple[tuple[SolveVariant, str], ...]:
    k = 1 << (job.n_threads.bit_length() - 1)  # a power of two, as the kernels want it
    published = scatter(f"dhs-{k}", "dhs", k)
    ours = [(SolveVariant(f"dhs-{n}-gather", "dhs", n), f"DHS, k = {n}, gathering")
            for n in sorted({k, 32, 256})]  # fmt: skip
    return (
        (PERMUTE1, "Permute 1, blocks of 128"),
        (SolveVariant("permute1-b32", "permute1", block=32), "Permute 1, blocks of 32"),
        (scatter("permute2", "permute2", 32, 128), "Permute 2, a warp a cell"),
        (scatter(f"branches-{k}", "branches", k), f"Branches, k = {k}"),
        (
            replace(published, name=f"dhs-{k}-unboosted", boosted=False),
            f"DHS, k = {k}, boosting off",
        ),
        (published, f"DHS, k = {k}, as published"),
        *ours,
        (SolveVariant(f"contract-{k}", "contract", k), f"Contraction, k = {k}"),
        *(_spiny() if job.n_spine else ()),
    )


def _spiny() -> Iterator[tuple[SolveVariant, str]]:
    """Spines eliminated by a thread each, without waiting; the tree by many threads."""
    for k in (256, 1024):
        for method, title in ((DHS, "DHS"), (CONTRACT, "Contraction")):
            variant = SolveVariant(f"{method}-{k}-twigs", method, k, twigs=True)
            yield variant, f"{title}, k = {k}, spines apart"


def _way(variant: SolveVariant, title: str, job: Job) -> Way:
    method: ScheduleMethod = "dhs" if variant.method == "contract" else variant.method
    tree = job.system.parent
    if variant.twigs:
        tree = tree_beside_twigs(tree)
    steps = make_schedule(tree, method, variant.threads).n_step
    if variant.method == "contract":
        steps = contract(tree, variant.threads).n_round
    return Way(f"gpu-{variant.name}", f"GPU · {title}", "", "gpu", method, variant.threads, steps)
