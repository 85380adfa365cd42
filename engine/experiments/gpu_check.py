"""Does everything that runs on a device here give the processor's numbers, twice the same?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.backends.base import Backend, Samples, join
from engine.backends.cpu import CpuBackend
from engine.backends.gpu.backend import GpuBackend
from engine.backends.gpu.device import Device
from engine.backends.gpu.shape import Shape
from engine.backends.gpu.variants import (
    SolveVariant,
    TreeSystem,
    all_variants,
    passive_system,
    prepare,
)
from engine.backends.gpu.variants.serial import solve_fused
from engine.backends.gpu.variants.spiny import spiny_system, with_spines
from engine.backends.gpu.variants.variant import Method
from engine.compartments import CompartmentTree
from engine.discretize import Rule, discretize
from engine.errors import BackendError
from engine.experiment import Experiment, Insertion, Probe
from engine.model import Model, build, build_batch
from engine.morphology.reading import read_morphology
from engine.morphology.samples import SAMPLES, resolve
from engine.morphology.sections import make_sections
from engine.spines import Spine, SpineDensity
from engine.stimuli import CurrentClamp, Site
from engine.synapses import SpikeSource, SpikeTrain, Synapse

SOLVE_LIMIT = 1e-12
"""Of a solution's largest voltage."""
MODEL_LIMIT = 1e-9
"""Of a run's largest voltage."""
SHAPES = (
    *(Shape(k, k) for k in (1, 4, 16, 32)),
    Shape(256, 128),
    Shape(128, 32, store="tree"),
    Shape(32, 32, store="global"),
    *(Shape(k, k, "contract") for k in (1, 4, 16, 32)),
    Shape(256, 128, "contract"),
    Shape(128, 32, "contract", "tree"),
    Shape(128, 128, "contract", "global"),
)
"""Threads of a cell in whole runs, both solves, all places of memory."""


@dataclass(frozen=True)
class CheckRow:
    """What one check found.

    Attributes
    ----------
    kind : {"solve", "model"}
    name, cells : str
        The variant or model, and what it was tried on.
    n_step : int
        Steps of the elimination, or of the run.
    error, limit : float
        Largest difference from the processor's numbers, relative to the largest number.
    serial_bits : bool or None
        Every bit is that of serial elimination; None where it need not be.
    same_twice : bool or None
        A second run gave the same bits; None where it need not (atomic additions).
    problem : str
        Why it could not be tried; empty if it could.
    """

    kind: str
    name: str
    cells: str
    n_step: int = 0
    error: float = np.inf
    limit: float = SOLVE_LIMIT
    serial_bits: bool | None = None
    same_twice: bool | None = None
    memory: str = ""
    problem: str = ""

    @property
    def passed(self) -> bool:
        right = not self.problem and self.error <= self.limit
        return right and self.serial_bits is not False and self.same_twice is not False


def check_solves(
    device: Device, variants: tuple[SolveVariant, ...] | None = None, copies: int = 7
) -> Iterator[CheckRow]:
    """Every variant on cells of several trees at once, and on a cell with spines where it fits."""
    variants = variants or (*all_variants(), *thread_counts())
    cells, spiny = several_cells(copies), [spiny_cell()]
    expected = {id(s): solve_fused(s) for s in (*cells, *spiny)}
    for variant in variants:
        suits_spines = variant.twigs or variant.threads >= 256 or variant.name == "permute1"
        populations = {f"{len(cells)} trees": cells}
        if suits_spines:
            populations["spines"] = spiny
        for words, systems in populations.items():
            row = CheckRow("solve", variant.name, words)
            try:
                yield _check_solve(row, variant, systems, device, expected)
            except BackendError as error:
                yield replace(row, problem=str(error))


def thread_counts() -> Iterator[SolveVariant]:
    """Every number of threads from 1 to 1024, gathered and with atomics, boosted and not."""
    methods: tuple[Method, ...] = ("dhs", "contract")
    named = {v.name for v in all_variants()}
    for k in (2**i for i in range(11)):
        made = [SolveVariant(f"{m}-{k}" + "-gather" * (m == "dhs"), m, k) for m in methods]
        made += [
            SolveVariant(f"dhs-{k}" + "-unboosted" * (not b), "dhs", k, gather=False, boosted=b)
            for b in (True, False)
        ]
        yield from (variant for variant in made if variant.name not in named)


def _check_solve(
    row: CheckRow,
    variant: SolveVariant,
    systems: list[TreeSystem],
    device: Device,
    expected: dict[int, np.ndarray],
) -> CheckRow:
    plan = prepare(systems, variant, device)
    plan.solve()
    first = plan.voltages()
    plan.solve()
    second = plan.voltages()
    error, bits = 0.0, True
    for system, cells in zip(systems, first, strict=True):
        right = expected[id(system)]
        error = max(error, relative(cells, right))
        bits &= all(np.array_equal(cell, right) for cell in cells)
    same = all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    return replace(
        row,
        n_step=plan.n_step,
        memory=plan.memory,
        error=error,
        serial_bits=bits if variant.exact else None,
        same_twice=same if variant.gather else None,
    )


def relative(found: np.ndarray, right: np.ndarray) -> float:
    """Largest difference over the largest number; infinite where something is no number."""
    difference = float(np.abs(found - right).max())
    return difference / float(np.abs(right).max()) if np.isfinite(difference) else np.inf


def check_models(
    device: Device, shapes: Sequence[Shape] = SHAPES, models: Sequence[str] = ()
) -> Iterator[CheckRow]:
    """Whole runs of small models with several numbers of threads, against the processor's.

    ``models`` chooses some by name; all are run if it is empty.
    """
    for name, model in small_models():
        if models and name not in models:
            continue
        right, serial = run_whole(CpuBackend(), model), None
        n = model.n_instance
        cells = "1 cell" if n == 1 else f"{n} cells"
        for shape in shapes:
            row = CheckRow("model", f"{name} {shape.name}", cells, model.n_step, memory="")
            try:
                first, second = (run_whole(GpuBackend(device, shape), model) for _ in range(2))
            except BackendError as error:
                yield replace(row, problem=str(error))
                continue
            same = np.array_equal(first.spikes, right.spikes)
            if shape.solve == "dhs" and serial is None:
                serial = first
            yield replace(
                row,
                limit=MODEL_LIMIT,
                error=relative(first.traces, right.traces) if same else np.inf,
                serial_bits=(
                    np.array_equal(first.traces, serial.traces)
                    if serial is not None and shape.solve == "dhs"
                    else None
                ),
                same_twice=np.array_equal(first.traces, second.traces),
            )


def run_whole(backend: Backend, model: Model) -> Samples:
    """All of a run."""
    run = backend.start(model)
    return join(run.initialize(), run.advance(model.n_step))


def sample_tree(name: str) -> CompartmentTree:
    """A sample cell as its class is cut in the paper."""
    sample = SAMPLES[name]
    sections = make_sections(read_morphology(resolve(f"sample:{name}")))
    return discretize(sections, Rule.parse(sample.rule), nodes=sample.nodes)


def several_cells(copies: int) -> list[TreeSystem]:
    """Different trees in one population: whole cells, a cable, a star and a single node."""
    cells = [
        passive_system(sample_tree(name), copies=copies, seed=seed)
        for seed, name in enumerate(("spn", "l5b", "ca1", "spn"))
    ]
    rng = np.random.default_rng(9)
    cable, star = np.arange(-1, 99, dtype=np.int32), np.zeros(41, np.int32)
    star[0] = -1
    for parent in (cable, star, cable[:1]):
        g_axial = np.where(parent >= 0, rng.uniform(0.1, 1, parent.size), 0.0)
        diag = rng.uniform(0.1, 1, parent.size) + g_axial
        np.add.at(diag, parent[parent >= 0], g_axial[parent >= 0])
        cells.append(TreeSystem(parent, g_axial, diag, rng.normal(0, 1, parent.size), 3))
    return cells


def spiny_cell() -> TreeSystem:
    """The human cell with 1.3 spines on every µm, two of it."""
    return spiny_system(with_spines(sample_tree("human_l23")), copies=2, seed=5)


def small_models() -> Iterator[tuple[str, Model]]:
    """Passive, spiking, reached by events, with spines, and instances that differ."""
    soma, tip = Site("soma[0]"), Site("dend[0]", 0.9)
    leak = Insertion("pas", "all", (("g", 5e-5), ("e", -65.0)))
    passive = Experiment(
        "sample:ball_and_stick",
        rule=Rule("max_length", 20),
        insertions=(leak,),
        stimuli=(CurrentClamp(soma, 1.0, 5.0, 0.1),),
        probes=(Probe(soma), Probe(tip)),
        duration=10.0,
    )
    yield "passive", build(passive)
    spiking = replace(
        passive,
        insertions=(Insertion("hh", "soma"), Insertion("pas", "dendrite", leak.parameters)),
        stimuli=(CurrentClamp(soma, 1.0, 9.0, 2.0),),
    )
    yield "hh", build(spiking)
    yield "hh", build(spiking, 9)
    reached = replace(
        spiking,
        stimuli=(),
        synapses=(
            Synapse(tip, "AMPANMDA", weights=(0.01,), source=SpikeTrain((1.0, 3.0, 3.5))),
            Synapse(soma, "ExpSyn", weights=(0.05,), source=SpikeTrain((2.0,)), delay=0.5),
            Synapse(tip, "ExpSyn", weights=(0.01,), source=SpikeSource(soma, -20.0), delay=1.0),
        ),
    )
    yield "synapses", build(reached)
    spiny = replace(
        reached,
        spine_density=(SpineDensity(min_distance=60.0),),
        spines=(Spine(tip, taken=True),),
        synapses=(
            Synapse(Site("spine[0]", 1.0), "ExpSyn", weights=(5e-4,), source=SpikeTrain((2.0,))),
        ),
    )
    other = replace(spiny, spines=(Spine(Site("dend[0]", 0.5), taken=True),))
    yield "spines", build_batch((spiny, other, spiny))
    linear = [
        replace(cell, synapses=(), stimuli=(CurrentClamp(Site("spine[0]", 1.0), 1.0, 5.0, 0.02),))
        for cell in (replace(spiny, insertions=(leak,)), replace(other, insertions=(leak,)))
    ]
    yield "linear spines", build_batch(linear)
