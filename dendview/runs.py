"""What can be said about runs without making one: stale or not, what they cost, what they show."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, get_args

import numpy as np

from dendview.lab import LabRun
from dendview.state import KEEP_ALL, AppState, Cell, Keeping, Run
from dendview.wording import number, place, variable_text
from engine.compartments import CompartmentTree
from engine.experiment import Experiment, Probe
from engine.morphology.model import Tag
from engine.precision import IN_SINGLE
from engine.recording import Recording
from engine.stimuli import Site
from engine.types import BoolArray, FloatArray, IntArray
from engine.validation import sites


def is_stale(run: Run, experiment: Experiment | None) -> bool:
    """True where the experiment has changed since a run was made.

    Its name, the interval of the frames and the schedule do not count: every schedule gives the
    same numbers.
    """
    if run.given or experiment is None:
        return False
    return _physics(run.experiment) != _physics(experiment)


def _physics(experiment: Experiment) -> Experiment:
    return replace(experiment, name="", method="dhs", n_threads=16, frame_interval=0.5)


def shown_run(state: AppState) -> Run | None:
    """The run the window shows, or None."""
    return next((run for run in state.runs if run.number == state.shown_run), None)


def shown_study(state: AppState) -> LabRun | None:
    """The study of the spike lab that the window shows, or None."""
    return next((run for run in state.lab_runs if run.number == state.lab_shown), None)


@lru_cache(maxsize=8)
def nodes_of_run(cell: Cell, origin: Experiment) -> tuple[IntArray, IntArray]:
    """The nodes a run of an experiment has: merged ones, and massless ones that something sits on.

    Returns
    -------
    segment : (n_comp,) int32
        Which segment each node is, or ends.
    node_of_segment : (n_segment,) int32
    """
    tree, own = cell.trees["neuron"], cell.trees[origin.nodes]
    present: BoolArray = np.isin(_address(tree), _address(own))
    for _, site in sites(origin):
        if site.section in tree.section_index:
            present[tree.locate(site.section, site.x)] = True
    number_of_node = np.cumsum(present, dtype=np.int32) - 1
    return tree.segment[present], number_of_node[tree.node_of_segment]


def _address(tree: CompartmentTree) -> FloatArray:
    """(n_comp,) a number of its own for every place a node can have."""
    return 2.0 * tree.section + tree.x


def trace_names(recording: Recording) -> tuple[str, ...]:
    """What traces are called where people read them: ``apic[3](0.929)``, ``soma[0](0.5) m_hh``."""
    probes = recording.origin.probes
    if len(probes) != len(recording.labels):
        return recording.labels
    return tuple(
        place(probe.site) + ("" if probe.variable == "v" else f" {variable_text(probe.variable)}")
        for probe in probes
    )


def soma_site(cell: Cell) -> Site:
    """The middle of the soma, or of the first section where there is none."""
    somata = np.flatnonzero(cell.sections.tag == Tag.SOMA)
    return Site(cell.sections.name[int(somata[0]) if somata.size else 0])


def with_probe(experiment: Experiment, cell: Cell) -> Experiment:
    """The experiment, recording the voltage of the soma where nothing is recorded."""
    if experiment.probes:
        return experiment
    return replace(experiment, probes=(Probe(soma_site(cell)),))


def kept_interval(experiment: Experiment, keeping: Keeping) -> float:
    """Time between two whole-cell frames, in ms; so long that there are two where none is kept."""
    return experiment.frame_interval * keeping.every if keeping.frames else experiment.duration


@dataclass(frozen=True)
class Estimate:
    """What a run costs; ``seconds`` is None where no rate is known. ``memory`` in bytes."""

    n_comp: int
    n_step: int
    seconds: float | None
    memory: int
    device: str = "CPU"
    on_disk: bool = False

    def __str__(self) -> str:
        duration = "" if self.seconds is None else f"~{seconds_text(self.seconds)} on "
        where = " on disk" if self.on_disk else ""
        return (
            f"{number(self.n_comp)} comp × {number(self.n_step)} steps · "
            f"{duration}{self.device} · {bytes_text(self.memory)}{where}"
        )


def estimate(
    cell: Cell,
    experiment: Experiment,
    rate: float | None = None,
    device: str = "CPU",
    keeping: Keeping = KEEP_ALL,
) -> Estimate:
    """What a run of an experiment on a cell costs.

    Parameters
    ----------
    cell, experiment
    rate
        Seconds per compartment and step, measured; None where nothing was measured yet.
    device
        What it runs on.
    keeping
        What is kept of it, and where.
    """
    n_comp = cell.trees[experiment.nodes].n_comp
    n_step = max(round(experiment.duration / experiment.dt), 1)
    interval = kept_interval(experiment, keeping)
    n_frame = n_step // max(round(interval / experiment.dt), 1) + 1
    n_probe = max(len(experiment.probes), 1)
    memory = 8 * (n_step // keeping.every + 1) * (1 + n_probe) + 4 * n_frame * n_comp
    seconds = None if rate is None else rate * n_comp * n_step
    return Estimate(n_comp, n_step, seconds, memory, device, keeping.on_disk)


SINGLE_GPU = "GPU in single precision"


def engine_kind(engine: str) -> str:
    """``GPU`` or ``CPU``, by what an engine calls itself; a GPU's single precision with it."""
    if not engine.startswith("GPU"):
        return "CPU"
    return SINGLE_GPU if IN_SINGLE in engine else "GPU"


def speed_key(engine: str, experiment: Experiment) -> tuple[str, ...]:
    """What decides the time of a step besides the compartments: the engine and the mechanisms."""
    mechanisms = {f"{i.mechanism} {i.region}" for i in experiment.insertions}
    return engine_kind(engine), *sorted(mechanisms)


SPARE = 0.9
"""Share of the free memory that a run may fill."""


def shortage(needed: Estimate, free: int | None) -> str:
    """Why a run does not fit into the memory; empty where it does or nobody knows."""
    if needed.on_disk or free is None or needed.memory <= SPARE * free:
        return ""
    return (
        f"The run needs {bytes_text(needed.memory)} of memory for its samples and frames; "
        f"{bytes_text(round(SPARE * free))} of the {bytes_text(free)} that are free may be taken."
    )


Less = Literal["thin", "sites", "disk"]
"""Every 4th sample and frame; no frames; all of it on disk."""


def kept_less(keeping: Keeping, how: Less) -> Keeping:
    """What is kept of a run, and less of it or elsewhere."""
    match how:
        case "thin":
            return replace(keeping, every=4 * keeping.every)
        case "sites":
            return replace(keeping, frames=False)
        case "disk":
            return replace(keeping, on_disk=True)


def ways_out(
    cell: Cell, experiment: Experiment, keeping: Keeping, free: int | None
) -> tuple[Less, ...]:
    """What helps where a run does not fit into the memory: all that makes it fit.

    Where the estimate says that it fits already, all that makes it smaller.
    """
    now = estimate(cell, experiment, keeping=keeping)
    smaller: list[Less] = []
    for how in get_args(Less):
        then = estimate(cell, experiment, keeping=kept_less(keeping, how))
        moves = then.on_disk and not now.on_disk
        if moves or (not now.on_disk and then.memory < now.memory and not shortage(then, free)):
            smaller.append(how)
    return tuple(smaller)


def seconds_text(seconds: float) -> str:
    """``0.4 s``, ``12 s``, ``3 min``, ``2.5 h``."""
    if seconds < 9.95:
        return f"{max(seconds, 0.1):.1f} s"
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def bytes_text(n_byte: int) -> str:
    """``46 MB``, ``1.2 GB``."""
    if n_byte < 1e6:
        return f"{max(n_byte / 1e3, 1):.0f} kB"
    if n_byte < 1e9:
        return f"{n_byte / 1e6:.0f} MB"
    return f"{n_byte / 1e9:.1f} GB"
