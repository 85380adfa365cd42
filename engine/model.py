"""From an experiment to flat arrays that any backend can run."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.biophysics import Painter, section_cables
from engine.compartments import CompartmentTree
from engine.discretize import discretize
from engine.distributions import Distribution
from engine.errors import UserError
from engine.experiment import Experiment, Insertion, Probe
from engine.mechanisms.expressions import Expr, names
from engine.mechanisms.loading import library
from engine.mechanisms.model import Mechanism, Program
from engine.morphology.model import Morphology, Sections
from engine.morphology.reading import read_morphology
from engine.morphology.samples import resolve
from engine.morphology.sections import make_sections, stub_axon
from engine.schedule import make_schedule
from engine.schedule.model import Schedule
from engine.stimuli import Site
from engine.types import FloatArray, IntArray
from engine.units import NF_PER_UF_CM2_UM2
from engine.validation import (
    check_memory,
    check_settings,
    check_site,
    locate,
    no_parameter,
    placed_mechanism,
    sites,
)

ION_DEFAULTS: dict[str, float] = {
    "ena": 50.0,
    "ek": -77.0,
    "eca": 132.4579341637009,
    "nai": 10.0,
    "nao": 140.0,
    "ki": 54.4,
    "ko": 2.5,
    "cai": 5e-5,
    "cao": 2.0,
}
"""NEURON's reversal potentials (mV) and concentrations (mM) of ions where nothing sets them."""


@dataclass(frozen=True, eq=False)
class Placed:
    """A mechanism and where it sits.

    Attributes
    ----------
    mechanism : Mechanism
    node : (n,) int32
        Ascending; all have membrane.
    values : name → (n,)
        Every per-node parameter.
    shared : name → float
        Every parameter with one value for all.
    """

    mechanism: Mechanism
    node: IntArray
    values: dict[str, FloatArray]
    shared: dict[str, float]


@dataclass(frozen=True)
class ProbeTarget:
    """Where a probe reads: ``kind`` says which array, ``index`` its row.

    A ``voltage`` or ``ion`` row is a node, a ``state`` row a position among the nodes of mechanism
    number ``mechanism``.
    """

    label: str
    unit: str
    kind: str
    index: int
    variable: str
    mechanism: int = -1


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
        In the order in which the mechanisms are first named.
    ions : name → (n_comp,)
        Every reversal potential (mV) and concentration (mM) that a mechanism reads.
    ion_currents : tuple of str
        Every ion current (``ina``) that a mechanism writes.
    clamp_node : (n_clamp,) int32
    clamp_on, clamp_off : (n_clamp,) ms
        On where on <= t < off.
    clamp_amplitude : (n_clamp,) nA
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

    Such a mechanism has no states, feeds no ion, and its parameters are all it depends on.
    """
    program = mechanism.current
    if (
        mechanism.states
        or program.ion_currents
        or program.current is None
        or not mechanism.analytic
    ):
        return False
    ions = {name for ion in mechanism.ions for name in ion.read}
    fixed = {p.name for p in mechanism.parameters} | ions | {"celsius"}
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
    placed = place(experiment, tree, painter)
    clamps = experiment.stimuli
    spike_site = experiment.spike_site or Site(tree.sections.name[0])
    steps_per_frame = max(1, round(min(experiment.frame_interval / experiment.dt, 2**31)))
    return Model(
        experiment=experiment,
        n_instance=n_instance,
        tree=tree,
        schedule=make_schedule(tree, experiment.method, experiment.n_threads),
        capacitance=_capacitance(experiment, painter),
        placed=placed,
        ions=_ions(experiment, placed, painter),
        ion_currents=tuple(sorted({w for p in placed for w in written_currents(p.mechanism)})),
        clamp_node=np.array([locate(tree, c.site, "clamp") for c in clamps], np.int32),
        clamp_on=np.array([c.delay for c in clamps], np.float64),
        clamp_off=np.array([c.delay + c.duration for c in clamps], np.float64),
        clamp_amplitude=np.array([c.amplitude for c in clamps], np.float64),
        probes=tuple(_target(probe, tree, placed) for probe in experiment.probes),
        spike_node=locate(tree, spike_site, "spike site"),
        n_step=step_count(experiment),
        frame_every=steps_per_frame,
    )


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


def place(
    experiment: Experiment, tree: CompartmentTree, painter: Painter | None = None
) -> tuple[Placed, ...]:
    """Mechanisms on nodes; where insertions of one mechanism overlap, the later one's values win.

    Raises
    ------
    UserError
        If a mechanism or one of its parameters is not known.
    """
    by_name: dict[str, list[Insertion]] = {}
    for insertion in experiment.insertions:
        by_name.setdefault(insertion.mechanism, []).append(insertion)
    known = library()
    painter = painter or Painter(tree)
    return tuple(
        _place(placed_mechanism(name, known), insertions, painter)
        for name, insertions in by_name.items()
    )


def _place(mechanism: Mechanism, insertions: Sequence[Insertion], painter: Painter) -> Placed:
    n_comp = painter.tree.n_comp
    here = np.zeros(n_comp, bool)
    values = {p.name: np.full(n_comp, p.default) for p in mechanism.parameters if p.per_node}
    shared = {p.name: p.default for p in mechanism.parameters if not p.per_node}
    for insertion in insertions:
        place = insertion.region, insertion.where, insertion.segment_ends
        mask = painter.covered(*place)
        here |= mask
        for p in mechanism.parameters:
            if p.per_node:
                values[p.name][mask] = p.default
        for name, value in insertion.parameters:
            if name in values:
                painter.paint(values[name], value, *place)
            elif name not in shared:
                raise no_parameter(mechanism, name)
            elif isinstance(value, Distribution):
                raise UserError(
                    f"parameter '{name}' of mechanism '{mechanism.name}' is one number for the "
                    "whole cell (GLOBAL); write a number instead of a distribution"
                )
            else:
                shared[name] = value
    node = np.flatnonzero(here).astype(np.int32)
    return Placed(mechanism, node, {name: a[node] for name, a in values.items()}, shared)


def written_currents(mechanism: Mechanism) -> tuple[str, ...]:
    """The ion currents a mechanism adds to."""
    return tuple(name for name, _ in mechanism.current.ion_currents)


def _ions(
    experiment: Experiment, placed: Sequence[Placed], painter: Painter
) -> dict[str, FloatArray]:
    given = dict(experiment.reversals)
    regional = [entry.name for entry in experiment.ion_values]
    read = {name: p for p in placed for ion in p.mechanism.ions for name in ion.read}
    for name, p in read.items():
        if name not in given and name not in ION_DEFAULTS and name not in regional:
            raise UserError(
                f"mechanism '{p.mechanism.name}' reads '{name}', which has no default; "
                "add it to the experiment's reversals"
            )
    if unused := [name for name in (*given, *regional) if name not in read]:
        raise UserError(
            f"reversal '{unused[0]}' is read by no mechanism of this experiment; "
            f"remove it or name one of {', '.join(read) or 'none'}"
        )
    n_comp = painter.tree.n_comp
    ions = {n: np.full(n_comp, given.get(n, ION_DEFAULTS.get(n, 0.0))) for n in sorted(read)}
    for entry in experiment.ion_values:
        painter.paint(ions[entry.name], entry.value, entry.region, entry.where)
    return ions


def _target(probe: Probe, tree: CompartmentTree, placed: Sequence[Placed]) -> ProbeTarget:
    node = locate(tree, probe.site, "probe")
    label = f"{probe.site} {probe.variable}"
    if probe.variable == "v":
        return ProbeTarget(label, "mV", "voltage", node, "v")
    segment = int(tree.node_of_segment[tree.segment[node]])  # where an end has no membrane
    choices = ["v"]
    for number, p in enumerate(placed):
        at = np.flatnonzero(p.node == segment)
        if not at.size:
            continue
        for state in p.mechanism.states:
            choices.append(f"{state.name}_{p.mechanism.name}")
            if probe.variable == choices[-1]:
                unit = state.unit or "1"
                return ProbeTarget(label, unit, "state", int(at[0]), state.name, number)
        for name in written_currents(p.mechanism):
            choices.append(name)
            if probe.variable == name:
                return ProbeTarget(label, "mA/cm2", "ion", segment, name)
    raise UserError(
        f"'{probe.variable}' cannot be recorded at {probe.site}; "
        f"there is {', '.join(dict.fromkeys(choices))}"
    )


def bytes_needed(model: Model) -> int:
    """Memory that a run takes: arrays of the solver, traces and frames."""
    per_instance = 6 * model.n_comp + len(model.ion_currents) * model.n_comp
    shared = 16 * model.n_comp + len(model.ions) * model.n_comp
    for p in model.placed:
        per_instance += len(p.node) * (len(p.mechanism.states) + len(p.mechanism.assigned))
        shared += len(p.node) * (1 + len(p.values))
    traces = (1 + len(model.probes) * model.n_instance) * model.n_time
    return 8 * (per_instance * model.n_instance + shared + traces) + frame_bytes(model)


def frame_bytes(model: Model) -> int:
    """Memory of the whole-cell frames."""
    return model.n_frame * (8 + 4 * model.n_comp)
