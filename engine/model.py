"""From an experiment to flat arrays that any backend can run."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.biophysics import Painter, section_cables
from engine.compartments import CompartmentTree
from engine.discretize import discretize
from engine.errors import UserError
from engine.experiment import Experiment
from engine.mechanisms.expressions import Expr, names
from engine.mechanisms.ions import CONCENTRATIONS, REVERSALS
from engine.mechanisms.model import Mechanism, Program
from engine.morphology.model import Morphology, Sections
from engine.morphology.reading import read_morphology
from engine.morphology.samples import resolve
from engine.morphology.sections import make_sections, stub_axon
from engine.placing import (
    Placed,
    ion_currents,
    place,
    place_ions,
    place_points,
)
from engine.probes import ProbeTarget, recorded, target
from engine.schedule import make_schedule
from engine.schedule.model import Schedule
from engine.stimuli import Site
from engine.types import FloatArray, IntArray
from engine.units import NF_PER_UF_CM2_UM2
from engine.validation import (
    check_memory,
    check_settings,
    check_site,
    experiment_mechanisms,
    locate,
    sites,
)
from engine.waveforms import played

ION_DEFAULTS: dict[str, float] = {
    **{f"e{ion}": value for ion, value in REVERSALS.items()},
    **{f"{ion}i": inside for ion, (inside, _) in CONCENTRATIONS.items()},
    **{f"{ion}o": outside for ion, (_, outside) in CONCENTRATIONS.items()},
}
"""NEURON's reversal potentials (mV) and concentrations (mM) of ions where nothing sets them."""


@dataclass(frozen=True, eq=False)
class Model:
    """A run as flat arrays, in the order of the tree's nodes.

    Attributes
    ----------
    experiment : Experiment
    n_instance : int
        Copies of the cell that run side by side.
    tree : CompartmentTree
    schedule : Schedule
    capacitance : (n_comp,) nF
        0 at massless nodes.
    placed : tuple of Placed
        In the order in which they are computed: ions, mechanisms that set concentrations, the
        others as they are first named, points.
    ions : name → (n_comp,)
        Every reversal potential (mV) and concentration (mM) that is read or set, at t = 0.
    ion_currents : tuple of str
        Every ion current (``ina``) that a mechanism writes or reads.
    clamp_node : (n_clamp,) int32
    clamp_on, clamp_off : (n_clamp,) ms
        On where on <= t < off.
    clamp_amplitude : (n_clamp,) nA
    played_node : (n_played,) int32
    played : (n_step, n_played) nA
        Currents that follow a formula.
    hold_node : (n_hold,) int32
        Voltage clamps.
    hold_until, hold_level : (n_hold, 3) ms, mV
        Level k is held until ``hold_until[k]`` where that of level k - 1 is over.
    hold_conductance : (n_hold,) µS
    gap_node : (n_gap, 2) int32
    gap_conductance : (n_gap,) µS
    probes : tuple of ProbeTarget
    spike_node : int
    n_step : int
    frame_every : int
        Steps between two frames.
    """

    experiment: Experiment
    n_instance: int
    tree: CompartmentTree
    schedule: Schedule
    capacitance: FloatArray
    placed: tuple[Placed, ...]
    ions: dict[str, FloatArray]
    ion_currents: tuple[str, ...]
    clamp_node: IntArray
    clamp_on: FloatArray
    clamp_off: FloatArray
    clamp_amplitude: FloatArray
    played_node: IntArray
    played: FloatArray
    hold_node: IntArray
    hold_until: FloatArray
    hold_level: FloatArray
    hold_conductance: FloatArray
    gap_node: IntArray
    gap_conductance: FloatArray
    probes: tuple[ProbeTarget, ...]
    spike_node: int
    n_step: int
    frame_every: int

    @property
    def n_comp(self) -> int:
        return self.tree.n_comp

    @property
    def n_time(self) -> int:
        """Samples of a run: one at t = 0 and one after every step."""
        return self.n_step + 1

    @property
    def n_frame(self) -> int:
        return self.n_step // self.frame_every + 1


def is_linear(mechanism: Mechanism) -> bool:
    """Whether the current is a constant plus a constant conductance times v, as a leak's is.

    Such a mechanism has no states, has nothing to do with ions, whose values may change, and its
    parameters are all it depends on.
    """
    program = mechanism.current
    if (
        mechanism.kind != "density"
        or mechanism.states
        or mechanism.ions
        or program.stores
        or program.current is None
        or not mechanism.analytic
    ):
        return False
    fixed = {p.name for p in mechanism.parameters} | {"celsius"}
    return (
        _reads(program, program.current) <= fixed | {"v"}
        and program.conductance is not None
        and _reads(program, program.conductance) <= fixed
    )


def _reads(program: Program, expression: Expr) -> set[str]:
    """Inputs that an expression of a program depends on, through all its definitions."""
    value = {step.target: step.value for step in program.steps}
    inputs: set[str] = set()
    seen: set[str] = set()
    todo = set(names(expression))
    while todo:
        name = todo.pop()
        if name not in value:
            inputs.add(name)
        elif name not in seen:
            seen.add(name)
            todo |= set(names(value[name]))
    return inputs


def build(
    experiment: Experiment, n_instance: int = 1, cell: Morphology | Sections | None = None
) -> Model:
    """Read, cut and equip a cell for a run.

    Parameters
    ----------
    experiment
    n_instance
        Copies that run side by side.
    cell
        The morphology, or the sections of the whole reconstruction, where they are already read.

    Raises
    ------
    UserError
        With one sentence on what cannot be run and the way out.
    """
    check_settings(experiment)
    if n_instance < 1:
        raise UserError(f"{n_instance} instances cannot be run; ask for at least 1")
    tree = cut(experiment, cell)
    check_memory(experiment, tree.n_comp, n_instance)
    painter = Painter(tree)
    known = with_recorded(experiment_mechanisms(experiment), experiment)
    placed = (*place(experiment, tree, painter, known), *place_points(experiment, tree, known))
    ion_placed, ions = place_ions(experiment, placed, painter)
    placed = (*ion_placed, *placed)
    clamps, holds, gaps = experiment.stimuli, experiment.voltage_clamps, experiment.gap_junctions
    spike_site = experiment.spike_site or Site(tree.sections.name[0])
    steps_per_frame = max(1, round(min(experiment.frame_interval / experiment.dt, 2**31)))
    n_step = step_count(experiment)

    def nodes(attached: tuple[Any, ...], what: str) -> IntArray:
        return np.array([locate(tree, a.site, what) for a in attached], np.int32)

    return Model(
        experiment=experiment,
        n_instance=n_instance,
        tree=tree,
        schedule=make_schedule(tree, experiment.method, experiment.n_threads),
        capacitance=_capacitance(experiment, painter),
        placed=placed,
        ions=ions,
        ion_currents=ion_currents(placed),
        clamp_node=nodes(clamps, "clamp"),
        clamp_on=np.array([c.delay for c in clamps], np.float64),
        clamp_off=np.array([c.delay + c.duration for c in clamps], np.float64),
        clamp_amplitude=np.array([c.amplitude for c in clamps], np.float64),
        played_node=nodes(experiment.waveforms, "clamp"),
        played=played(experiment.waveforms, n_step, experiment.dt, experiment.seed),
        hold_node=nodes(holds, "voltage clamp"),
        hold_until=np.cumsum(np.array([c.durations for c in holds]).reshape(-1, 3), axis=1),
        hold_level=np.array([c.levels for c in holds], np.float64).reshape(-1, 3),
        hold_conductance=np.array([1 / c.resistance for c in holds], np.float64),
        gap_node=np.array(
            [[locate(tree, site, "gap junction") for site in (g.site, g.other)] for g in gaps],
            np.int32,
        ).reshape(-1, 2),
        gap_conductance=np.array([g.conductance for g in gaps], np.float64),
        probes=tuple(target(p, experiment, tree, placed, ions) for p in experiment.probes),
        spike_node=locate(tree, spike_site, "spike site"),
        n_step=n_step,
        frame_every=steps_per_frame,
    )


def with_recorded(known: Mapping[str, Mechanism], experiment: Experiment) -> dict[str, Mechanism]:
    """The mechanisms, with the variables kept that the experiment's probes want."""
    wanted = {name: recorded(mechanism, experiment.probes) for name, mechanism in known.items()}
    if not any(wanted.values()):
        return dict(known)
    from engine.mechanisms.recording import record

    return {name: record(m, wanted[name]) if wanted[name] else m for name, m in known.items()}


def step_count(experiment: Experiment) -> int:
    """Steps of a run, as NEURON's ``continuerun``: until less than half a step is missing."""
    return max(1, math.ceil(experiment.duration / experiment.dt - 0.5 - 1e-9))


def cut(experiment: Experiment, cell: Morphology | Sections | None = None) -> CompartmentTree:
    """The compartments of an experiment's cell, with the axon and the nodes it asks for."""
    if cell is None:
        cell = read_morphology(resolve(experiment.morphology))
    sections = with_axon(make_sections(cell) if isinstance(cell, Morphology) else cell, experiment)
    for what, site in (named := sites(experiment)):
        check_site(sections.name, site, what)
    ra, cm = section_cables(experiment.cables, sections)
    return discretize(
        sections,
        experiment.rule,
        nodes=experiment.nodes,
        ra=ra,
        cm=cm,
        keep=tuple(site for _, site in named),
    )


def with_axon(sections: Sections, experiment: Experiment) -> Sections:
    """The sections with the axon that an experiment asks for."""
    if experiment.axon == "keep":
        return sections
    stub = experiment.stub
    return stub_axon(sections, stub.attach, stub.lengths, stub.diameter)


def _capacitance(experiment: Experiment, painter: Painter) -> FloatArray:
    """(n_comp,) nF; later cables win."""
    tree = painter.tree
    cm = section_cables(experiment.cables, tree.sections)[1][tree.section]
    for cable in experiment.cables:
        painter.paint(cm, cable.cm, cable.region, cable.where, cable.segment_ends)
    if (bad := np.flatnonzero(~(cm > 0))).size:
        i = int(bad[0])
        raise UserError(
            f"cm is {cm[i]:g} µF/cm² at {tree.sections.name[tree.section[i]]}({tree.x[i]:.3g}); "
            "it must be positive everywhere"
        )
    return cm * tree.area * NF_PER_UF_CM2_UM2


def bytes_needed(model: Model) -> int:
    """Memory that a run takes: arrays of the solver, traces and frames."""
    per_instance = 6 * model.n_comp + len(model.ion_currents) * model.n_comp
    shared = 16 * model.n_comp + len(model.ions) * model.n_comp
    for p in model.placed:
        per_instance += len(p.node) * (len(p.mechanism.states) + len(p.mechanism.assigned))
        shared += len(p.node) * (1 + len(p.values))
    shared += model.played.size
    traces = (1 + len(model.probes) * model.n_instance) * model.n_time
    return 8 * (per_instance * model.n_instance + shared + traces) + frame_bytes(model)


def frame_bytes(model: Model) -> int:
    """Memory of the whole-cell frames."""
    return model.n_frame * (8 + 4 * model.n_comp)
