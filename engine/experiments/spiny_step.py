"""The equations of one step on a cell with all spines of its experiment, as nodes of one tree."""

from dataclasses import replace

import numpy as np

from engine.biophysics import Painter
from engine.experiment import Experiment
from engine.experiments.step_system import StepSystem, step_of
from engine.experiments.timings import Job
from engine.model import cut, find_places
from engine.morphology.model import Morphology, Sections
from engine.placing import place
from engine.twigs import Twigs
from engine.types import FloatArray, IntArray, NodeSet
from engine.validation import experiment_mechanisms


def with_spines(job: Job, cell: Morphology | Sections | None = None) -> Job:
    """The job with the equations of its experiment's cell and spines in place of the bare tree's.

    Raises
    ------
    UserError
        If the experiment cannot be built.
    """
    if job.experiment is None:
        return job
    system, n_spine = spiny_step(job.experiment, job.nodes, cell)
    return replace(job, system=system, n_spine=n_spine, experiment=None)


def spiny_step(
    experiment: Experiment,
    nodes: NodeSet,
    cell: Morphology | Sections | None = None,
    dt: float = 0.025,
) -> tuple[StepSystem, int]:
    """A step of the cell, and how many spines there are.

    Parameters
    ----------
    experiment
    nodes
        ``neuron``: a spine is four nodes, each cylinder and the massless end of each, as in the
        publication; ``merged``: neck and head, and the head's end where something sits on it.
    cell
        Where it is already read.
    dt : ms
    """
    given = replace(experiment, nodes=nodes)
    tree = cut(given, cell)
    painter = Painter(tree)
    known = experiment_mechanisms(given)
    twigs = find_places((given,), painter, place(given, tree, painter, known)).twigs
    a = np.where(tree.parent < 0, 0.0, tree.g_axial)
    if twigs is None:
        return step_of(tree.parent, a, tree.area, dt), 0
    which = np.repeat(np.arange(twigs.n_twig), twigs.multiplicity.astype(np.int64))
    parent, g_axial, area = _nodes_of(twigs, which, tree.n_comp, nodes)
    system = step_of(
        np.concatenate([tree.parent, parent]).astype(np.int32),
        np.concatenate([a, g_axial]),
        np.concatenate([tree.area, area]),
        dt,
    )
    return system, len(which)


def _nodes_of(
    twigs: Twigs, which: np.ndarray, first: int, nodes: NodeSet
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Parents, axial conductances (µS) and areas (µm²) of the nodes of all spines, spine by spine.

    ``which`` (n_spine,) twig that each spine is one of; ``first`` the number of the first node.
    """

    def columns(*names: str) -> FloatArray:
        return np.stack([twigs.column(name)[which] if name else np.zeros(len(which))
                         for name in names], axis=1)  # fmt: skip

    if nodes == "neuron":
        there = np.ones((len(which), 4), bool)
        g_axial = columns("g_neck", "g_neck", "g_end", "g_end")
        area = columns("area_neck", "", "area_head", "")
    else:
        there = np.ones((len(which), 3), bool)
        there[:, 2] = twigs.has_end[which]
        g_axial, area = columns("g_neck", "g_head", "g_end"), columns("area_neck", "area_head", "")
    number = (first - 1 + np.cumsum(there)).reshape(there.shape)
    parent = np.concatenate([twigs.parent[which][:, None], number[:, :-1]], axis=1)
    return parent[there].astype(np.int32), g_axial[there], area[there]
