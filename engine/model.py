"""From an experiment to flat arrays that any backend can run."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from engine.biophysics import Painter, section_cables
from engine.compartments import CompartmentTree
from engine.discretize import discretize
from engine.errors import UserError
from engine.experiment import Experiment
from engine.linear import leak
from engine.mechanisms.ions import CONCENTRATIONS, REVERSALS
from engine.mechanisms.model import Mechanism
from engine.morphology.model import Morphology, Sections
from engine.morphology.reading import read_morphology
from engine.morphology.samples import resolve
from engine.morphology.sections import make_sections, stub_axon
from engine.places import Places
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
from engine.spines import place_on_spine
from engine.stimuli import Site
from engine.twigs import Membrane, Twigs, make_twigs
from engine.types import FloatArray, IntArray
from engine.units import NF_PER_UF_CM2_UM2
from engine.validation import (
    check_memory,
    check_settings,
    check_sites,
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


DIFFERING = ("synapses", "spines", "stimuli", "seed", "name")
"""Fields in which the experiments of a batch may differ."""


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
    clamp_instance, played_instance, hold_instance, gap_instance : (n,) int32 or None
        The instance that each belongs to, ascending; None: to all.
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
    experiments : tuple of Experiment
        That of every instance, or one where all have the same.
    twigs : Twigs or None
        Spines; the numbers of their nodes follow those of the tree. Clamps, points and probes may
        be on them.
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
    clamp_instance: IntArray | None = None
    played_instance: IntArray | None = None
    hold_instance: IntArray | None = None
    gap_instance: IntArray | None = None
    experiments: tuple[Experiment, ...] = ()
    twigs: Twigs | None = None

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


def build(
    experiment: Experiment,
    n_instance: int = 1,
    cell: Morphology | Sections | None = None,
    kept: bool = True,
) -> Model:
    """Read, cut and equip a cell for a run.

    Parameters
    ----------
    experiment
    n_instance
        Copies that run side by side.
    cell
        The morphology, or the sections of the whole reconstruction, where they are already read.
    kept
        Whether all samples and frames are to stay in this process's memory.

    Raises
    ------
    UserError
        With one sentence on what cannot be run and the way out.
    """
    if n_instance < 1:
        raise UserError(f"{n_instance} instances cannot be run; ask for at least 1")
    return _build((experiment,), n_instance, cell, kept=kept)


def build_batch(
    experiments: Sequence[Experiment], cell: Morphology | Sections | None = None
) -> Model:
    """One instance of a cell for every experiment, side by side in one run.

    Parameters
    ----------
    experiments
        May differ in what :data:`DIFFERING` names; all else is one. A place on which one of them
        has something at a section's end has its node in all.
    cell
        As of :func:`build`.

    Raises
    ------
    UserError
        As :func:`build`, or if the experiments differ in something else; names it.
    """
    if not experiments:
        raise UserError("a batch needs at least one experiment")
    first = experiments[0]
    for number, other in enumerate(experiments):
        for field in fields(Experiment):
            same = getattr(first, field.name) == getattr(other, field.name)
            if not same and field.name not in DIFFERING:
                raise UserError(
                    f"experiments 0 and {number} of a batch differ in '{field.name}'; only "
                    f"{', '.join(DIFFERING[:-1])} and {DIFFERING[-1]} may differ, so run them in "
                    "batches of their own"
                )
    return _build(tuple(experiments), len(experiments), cell, tagged=True)


def _build(
    experiments: tuple[Experiment, ...],
    n_instance: int,
    cell: Morphology | Sections | None,
    tagged: bool = False,
    kept: bool = True,
) -> Model:
    """``tagged``: what sits on single nodes belongs to one instance each."""
    check_settings(*experiments)
    experiment = experiments[0]
    tree = cut(experiment, cell, experiments[1:])
    check_memory(experiment, tree.n_comp, n_instance, kept, experiments[1:])
    painter = Painter(tree)
    known = with_recorded(experiment_mechanisms(*experiments), experiment)
    membrane = place(experiment, tree, painter, known)
    places = find_places(experiments, painter, membrane, tagged)
    placed = (*membrane, *place_points(experiments, places, known, tagged))
    ion_placed, ions = place_ions(experiment, placed, painter)
    placed = (*ion_placed, *placed)
    spike_site = experiment.spike_site or Site(tree.sections.name[0])
    steps_per_frame = max(1, round(min(experiment.frame_interval / experiment.dt, 2**31)))
    n_step = step_count(experiment)

    def gathered(what: str) -> tuple[list[Any], IntArray | None]:
        """Everything of one kind, and the instance of each where they are not of all."""
        found = [getattr(each, what) for each in experiments]
        owner = np.repeat(np.arange(len(found)), [len(f) for f in found]).astype(np.int32)
        return [item for items in found for item in items], owner if tagged else None

    def nodes(attached: list[Any], owner: IntArray | None, what: str) -> IntArray:
        of = owner if owner is not None else np.zeros(len(attached), np.int32)
        pairs = zip(attached, of.tolist(), strict=True)
        return np.array([places.node(a.site, what, i) for a, i in pairs], np.int32)

    clamps, clamp_instance = gathered("stimuli")
    waves, played_instance = gathered("waveforms")
    holds, hold_instance = gathered("voltage_clamps")
    gaps, gap_instance = gathered("gap_junctions")
    others = [replace(gap, site=gap.other) for gap in gaps]
    gap_ends = [nodes(ends, gap_instance, "gap junction") for ends in (gaps, others)]
    return Model(
        experiment=experiment,
        n_instance=n_instance,
        tree=tree,
        schedule=make_schedule(tree, experiment.method, experiment.n_threads),
        capacitance=_capacitance(experiment, painter),
        placed=placed,
        ions=ions,
        ion_currents=ion_currents(placed),
        clamp_node=nodes(clamps, clamp_instance, "clamp"),
        clamp_on=np.array([c.delay for c in clamps], np.float64),
        clamp_off=np.array([c.delay + c.duration for c in clamps], np.float64),
        clamp_amplitude=np.array([c.amplitude for c in clamps], np.float64),
        clamp_instance=clamp_instance,
        played_node=nodes(waves, played_instance, "clamp"),
        played=np.concatenate(
            [played(e.waveforms, n_step, experiment.dt, e.seed) for e in experiments], axis=1
        ),
        played_instance=played_instance,
        hold_node=nodes(holds, hold_instance, "voltage clamp"),
        hold_until=np.cumsum(np.array([c.durations for c in holds]).reshape(-1, 3), axis=1),
        hold_level=np.array([c.levels for c in holds], np.float64).reshape(-1, 3),
        hold_conductance=np.array([1 / c.resistance for c in holds], np.float64),
        hold_instance=hold_instance,
        gap_node=np.stack(gap_ends, axis=1).reshape(-1, 2).astype(np.int32),
        gap_conductance=np.array([g.conductance for g in gaps], np.float64),
        gap_instance=gap_instance,
        probes=tuple(
            target(p, experiments, places, placed, ions, tagged) for p in experiment.probes
        ),
        spike_node=locate(tree, spike_site, "spike site"),
        n_step=n_step,
        frame_every=steps_per_frame,
        experiments=experiments,
        twigs=places.twigs,
    )


def find_places(
    experiments: Sequence[Experiment],
    painter: Painter,
    membrane: Sequence[Placed],
    tagged: bool = False,
) -> Places:
    """The nodes of a cell with its spines, whose membrane may follow that of the dendrite.

    Parameters
    ----------
    experiments
        One, or one of every instance.
    painter
    membrane
        The density mechanisms that are on the cell.
    tagged
        Every spine is of one instance.
    """
    tree, experiment = painter.tree, experiments[0]
    if not (experiment.spine_density or any(e.spines for e in experiments)):
        return Places(tree, None)
    area = np.where(tree.massless, 1.0, tree.area)
    cm = _capacitance(experiment, painter) / area / NF_PER_UF_CM2_UM2
    leak_i, leak_g = leak(membrane, tree.n_comp, experiment.celsius)
    ra = section_cables(experiment.cables, tree.sections)[0]
    bearing = Membrane(cm, leak_i, leak_g, ra)
    return Places(tree, make_twigs(experiments, painter, bearing, tagged))


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


def cut(
    experiment: Experiment,
    cell: Morphology | Sections | None = None,
    others: Sequence[Experiment] = (),
) -> CompartmentTree:
    """The compartments of an experiment's cell, with the axon and the nodes it asks for.

    ``others`` are experiments on the same cell whose nodes are to be there, too.
    """
    if cell is None:
        cell = read_morphology(resolve(experiment.morphology))
    sections = with_axon(make_sections(cell) if isinstance(cell, Morphology) else cell, experiment)
    wanted: dict[Site, None] = {}
    for each in (experiment, *others):
        check_sites(each, sections.name)
        wanted |= {site: None for _, site in sites(each) if site.x in (0, 1)}
    ra, cm = section_cables(experiment.cables, sections)
    return discretize(
        sections,
        experiment.rule,
        nodes=experiment.nodes,
        ra=ra,
        cm=cm,
        keep=tuple(site for site in wanted if place_on_spine(site) is None),
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
    for f in experiment.f_factors:
        cm[painter.covered(f.region, f.where, f.segment_ends)] *= f.factor
    if (bad := np.flatnonzero(~(cm > 0))).size:
        i = int(bad[0])
        raise UserError(
            f"cm is {cm[i]:g} µF/cm² at {tree.sections.name[tree.section[i]]}({tree.x[i]:.3g}); "
            "it must be positive everywhere"
        )
    return cm * tree.area * NF_PER_UF_CM2_UM2
