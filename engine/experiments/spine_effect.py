"""What the shape and number of spines do: input resistance, the potential of a spine, its echo."""

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from engine.biophysics import MIDDLE, Painter, section_cables
from engine.errors import UserError
from engine.experiment import Experiment, Probe
from engine.experiments.spike_study import SpikeStudy, Trial, check
from engine.experiments.spike_trials import LEAST, area_factor, prepare, trial_experiment
from engine.model import build_batch
from engine.recording import collect
from engine.regions import mask_of_tags
from engine.simulation import simulate
from engine.spines import Spine, on_spine
from engine.stimuli import CurrentClamp, Site
from engine.synapses import SpikeTrain, Synapse
from engine.types import BackendName
from engine.units import MOHM_UM_PER_OHM_CM

ONSET, END = 10.0, 260.0
"""ms: current and synapse begin, the run ends; by then a membrane of 21 ms has settled."""
CURRENT = -0.01
"""nA: so small that channels hardly notice."""
DISTANCE = 150.0
"""µm of path from the soma to the spine that is looked at, unless one is named."""


@dataclass(frozen=True)
class SpineEffect:
    """What spines of one shape and density do to a cell.

    Attributes
    ----------
    n_spines : int
        On the whole cell; in the few model those that the factor stands for.
    factor : float
        (dendrite + spine heads) / dendrite in membrane area, where spines are.
    neck_resistance : MΩ
        Of the whole neck.
    input_resistance : MΩ
        At the soma, in the steady state.
    site : Site
        Of the one spine that gets an event of AMPA and NMDA.
    spine, dendrite, soma : mV
        Largest change that the event makes in its head, in the dendrite below and at the soma.
    """

    n_spines: int
    factor: float
    neck_resistance: float
    input_resistance: float
    site: Site
    spine: float
    dendrite: float
    soma: float


def spine_effect(
    study: SpikeStudy,
    model: Literal["few", "full"] = "full",
    site: Site | None = None,
    backend: BackendName = "auto",
) -> SpineEffect:
    """Run a cell at rest, with a small current, and with one event on one spine, side by side.

    Parameters
    ----------
    study
        Cell, spines and strength of the synapse; the background is left out.
    model
        Every spine, or a factor and one explicit spine.
    site
        Where the spine sits; by default :func:`usual_site`.
    backend

    Raises
    ------
    UserError
        If the spines are impossible or the site is not on the cell.
    """
    check(study)
    prepared = prepare(study)
    site = usual_site(study) if site is None else site
    soma = study.cell.spike_site or Site(prepared.tree.sections.name[0])
    full = model == "full"
    spine = Spine(site, study.spines.shape, taken=full)
    head = on_spine("end", 0)
    quiet = _quiet(study, model)
    given = study.input

    def instance(current: float, events: tuple[float, ...]) -> Experiment:
        synapse = Synapse(head, study.mechanism, (), (given.ampa, given.nmda), SpikeTrain(events))
        return replace(
            quiet,
            spines=(spine,),
            synapses=(synapse,),
            stimuli=(CurrentClamp(soma, ONSET, END, current),),
            probes=(Probe(head), Probe(site), Probe(soma)),
        )

    rest = instance(0.0, ())
    batch = [rest, instance(CURRENT, ()), instance(0.0, (ONSET,))]
    batch += [rest] * (LEAST - len(batch))
    run = build_batch(batch, prepared.sections)
    recording = collect(run, simulate(run, backend, chunks_per_second=2.0, threads=1))
    values = recording.values  # probe, instance, time
    rise = (values[:, 2] - values[:, 0]).max(axis=1).tolist()
    shape, count = study.spines.shape, int(prepared.spines.sum())
    ra = shape.ra if shape.ra is not None else float(_ra_at(study, site))
    return SpineEffect(
        n_spines=count,
        factor=area_factor(study) if count else 1.0,
        neck_resistance=MOHM_UM_PER_OHM_CM * ra * shape.neck_length
        / (math.pi * shape.neck_diameter**2 / 4),
        input_resistance=float(values[2, 1, -1] - values[2, 0, -1]) / CURRENT,
        site=site, spine=rise[0], dendrite=rise[1], soma=rise[2],
    )  # fmt: skip


def usual_site(study: SpikeStudy) -> Site:
    """The middle of the segment that bears spines and is nearest to DISTANCE from the soma.

    Where nothing bears spines any segment of their region is taken.

    Raises
    ------
    UserError
        If the cell has no such region.
    """
    prepared = prepare(study)
    tree = prepared.tree
    there = prepared.spines > 0
    if not there.any():
        there = mask_of_tags(tree.tag, study.spines.region) & ~tree.massless
    if not there.any():
        raise UserError(
            f"the cell has no {study.spines.region} to put a spine on; choose another region"
        )
    away = np.abs(Painter(tree).distance(None)[MIDDLE] - DISTANCE)
    node = int(np.argmin(np.where(there, away, np.inf)))
    return Site(tree.sections.name[tree.section[node]], float(tree.x[node]))


def _quiet(study: SpikeStudy, model: Literal["few", "full"]) -> Experiment:
    """The cell of a trial without any synapse."""
    alone = replace(
        study,
        cell=replace(study.cell, duration=END),
        background=replace(study.background, n_trains=0),
    )
    trial = Trial("full-distributed" if model == "full" else "few-distributed", 0, 0)
    return trial_experiment(alone, trial)


def _ra_at(study: SpikeStudy, site: Site) -> float:
    """Ω·cm of the section that bears a spine."""
    tree = prepare(study).tree
    ra, _ = section_cables(study.cell.cables, tree.sections)
    return float(ra[tree.section_index[site.section]])
