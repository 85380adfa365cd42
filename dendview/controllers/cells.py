"""From a morphology and an experiment to the :class:`Cell` that every view draws."""

from dendview.state import Cell
from engine.biophysics import section_cables
from engine.compartments import CompartmentTree, path_distance
from engine.discretize import discretize
from engine.experiment import Experiment
from engine.model import with_axon
from engine.morphology.model import Morphology
from engine.morphology.sections import make_sections
from engine.types import NodeSet


def make_cell(source: str, morphology: Morphology, experiment: Experiment) -> Cell:
    """Cut a morphology as the experiment says, with both node sets.

    Parameters
    ----------
    source
        What was opened: a path, or ``sample:NAME``.
    morphology
    experiment
        Its ``axon``, ``stub``, ``rule`` and ``cables`` decide the segments.

    Raises
    ------
    UserError
        If the morphology cannot be cut so.
    """
    sections = with_axon(make_sections(morphology), experiment)
    ra, cm = section_cables(experiment.cables, sections)

    def cut(nodes: NodeSet) -> CompartmentTree:
        return discretize(
            sections, experiment.rule, nodes=nodes, ra=ra, cm=cm, n_point=morphology.n_point
        )

    trees: dict[NodeSet, CompartmentTree] = {"neuron": cut("neuron"), "merged": cut("merged")}
    tree = trees["neuron"]
    distance = path_distance(tree)[tree.node_of_segment]
    return Cell(source, morphology, sections, trees, distance)


def rebuild(cell: Cell, experiment: Experiment) -> Cell:
    """The same morphology cut as another experiment says."""
    return make_cell(cell.source, cell.morphology, experiment)


def same_cut(one: Experiment, other: Experiment) -> bool:
    """True where both experiments make the same segments, so that segment numbers mean the same."""
    a, b = ((e.morphology, e.axon, e.stub, e.rule) for e in (one, other))
    if a != b:
        return False
    return one.rule.kind != "d_lambda" or one.cables == other.cables
