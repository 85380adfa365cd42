"""A network ready to run: its hidden neuron cut, synapses placed, conductances, first weights."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from engine.compartments import CompartmentTree
from engine.errors import UserError
from engine.experiment import Probe
from engine.experiments.hpc_net.encoding import input_resistance, input_traces
from engine.experiments.hpc_net.spec import HpcNet, Placement
from engine.model import Model, build, cut
from engine.morphology.model import Morphology, Sections, Tag
from engine.morphology.reading import read_morphology
from engine.morphology.samples import resolve
from engine.resistance import steady_conductance, transfer_resistance
from engine.stimuli import Site
from engine.types import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Weights:
    """What is learned.

    Attributes
    ----------
    hidden : (n_in, n_hidden, n_synapse)
    hidden_bias : (n_hidden,)
    output : (n_hidden, n_out)
    output_bias : (n_out,)
    """

    hidden: FloatArray
    hidden_bias: FloatArray
    output: FloatArray
    output_bias: FloatArray

    @property
    def finite(self) -> bool:
        return all(bool(np.isfinite(part).all()) for part in self.parts)

    @property
    def parts(self) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        return self.hidden, self.hidden_bias, self.output, self.output_bias


@dataclass(frozen=True, eq=False)
class Network:
    """Everything about a network but its weights.

    Attributes
    ----------
    spec : HpcNet
    n_in, n_out : int
    levels : (n_level,)
        Brightness (0 to 1) of every pixel value.
    model : Model
        One hidden neuron.
    soma : Site
    node : (n_in, n_hidden, n_synapse) int32
        Node of the hidden neuron each synapse sits on.
    resistance : (n_comp,) MΩ
        From every node to the soma, at ``v_init``; at the soma its input resistance.
    r_mean : MΩ
        Geometric mean of the largest and the smallest resistance of where synapses may sit; a
        synapse has 1 / r_mean µS.
    trace : (n_level, n_time) mV
        Input neurons.
    """

    spec: HpcNet
    n_in: int
    n_out: int
    levels: FloatArray
    model: Model
    soma: Site
    node: IntArray
    resistance: FloatArray
    r_mean: float
    trace: FloatArray

    @property
    def n_time(self) -> int:
        return self.model.n_time

    @property
    def soma_node(self) -> int:
        return self.model.tree.locate(self.soma.section, self.soma.x)

    @property
    def soma_resistance(self) -> float:
        """MΩ."""
        return float(self.resistance[self.soma_node])

    @property
    def output_resistance(self) -> float:
        """MΩ."""
        return input_resistance(self.spec.point)

    @cached_property
    def factor(self) -> FloatArray:
        """(n_in, n_hidden, n_synapse) resistance · conductance of every synapse."""
        return self.resistance[self.node] / self.r_mean

    def window(self, start: float, stop: float) -> slice:
        """The times of a run with start < t <= stop."""
        dt = self.spec.cell.dt
        first = int(np.floor(start / dt + 1e-9)) + 1
        last = min(int(np.floor(stop / dt + 1e-9)), self.n_time - 1)
        if last < first:
            raise UserError(
                f"no step of {dt:g} ms lies between {start:g} and {stop:g} ms of a sample of "
                f"{self.spec.cell.duration:g} ms; choose a longer window"
            )
        return slice(first, last + 1)


def make_network(
    spec: HpcNet,
    n_in: int,
    n_out: int,
    levels: FloatArray,
    cell: Morphology | Sections | None = None,
) -> Network:
    """Cut the hidden neuron, place the synapses, compute the resistances.

    Parameters
    ----------
    spec
    n_in, n_out : int
        Pixels and classes.
    levels : (n_level,)
        Brightness (0 to 1) of every pixel value.
    cell
        The morphology, if it is already read.

    Raises
    ------
    UserError
        If the cell cannot be run or has none of the dendrites asked for.
    """
    spec.check()
    if cell is None:
        cell = read_morphology(resolve(spec.cell.morphology))
    soma = spec.cell.spike_site or Site(_soma(cut(spec.cell, cell)))
    model = build(replace(spec.cell, probes=(Probe(soma),), spike_site=soma), cell=cell)
    tree = model.tree
    allowed = may_carry(tree, spec.placement)
    rng = np.random.default_rng(spec.seed)
    conductance = steady_conductance(spec.cell, tree)
    resistance = transfer_resistance(tree, conductance, tree.locate(soma.section, soma.x))
    reach = resistance[tree.node_of_segment][allowed[tree.section[tree.node_of_segment]]]
    trace = input_traces(spec.encoding, spec.point, levels, model.n_step, spec.cell.dt)
    if not trace.any():
        raise UserError(
            f"no pixel value makes an input neuron spike within {spec.cell.duration:g} ms; let the "
            "spikes start sooner or come faster, or let a sample last longer"
        )
    return Network(
        spec=spec,
        n_in=n_in,
        n_out=n_out,
        levels=levels,
        model=model,
        soma=soma,
        node=_place(tree, allowed, (n_in, spec.n_hidden, spec.n_synapses), rng),
        resistance=resistance,
        r_mean=float(np.sqrt(reach.min() * reach.max())),
        trace=trace,
    )


def first_weights(network: Network) -> Weights:
    """Uniform within ± sqrt(6 / (fan-in + fan-out)), biases 0 (Glorot & Bengio 2010)."""
    spec, n_in, n_out = network.spec, network.n_in, network.n_out
    rng = np.random.default_rng([spec.seed, 1])
    shape = n_in, spec.n_hidden, spec.n_synapses
    near = np.sqrt(6.0 / (n_in + spec.n_hidden)) / np.sqrt(spec.n_synapses)
    far = np.sqrt(6.0 / (spec.n_hidden + n_out))
    return Weights(
        rng.uniform(-near, near, shape),
        np.zeros(spec.n_hidden),
        rng.uniform(-far, far, (spec.n_hidden, n_out)),
        np.zeros(n_out),
    )


TAGS: dict[Placement, tuple[Tag, ...]] = {
    "basal": (Tag.BASAL,),
    "dendrite": (Tag.BASAL, Tag.APICAL),
    "soma": (Tag.SOMA,),
}


def may_carry(tree: CompartmentTree, placement: Placement) -> BoolArray:
    """(n_section,) True for the sections synapses may sit on.

    Raises
    ------
    UserError
        If there are none.
    """
    tags = TAGS[placement]
    found = np.isin(tree.sections.tag, [int(tag) for tag in tags])
    if not found.any():
        other = "; choose placement 'dendrite'" if placement == "basal" else ""
        if not np.isin(tree.sections.tag, [int(Tag.APICAL)]).any():
            other = "; choose a morphology whose dendrites are marked as such"
        kind = {"basal": "basal dendrite"}.get(placement, placement)
        if placement == "soma":
            other = "; choose placement 'dendrite'"
        raise UserError(f"the hidden neuron has no {kind} to put synapses on{other}")
    return found


def _place(
    tree: CompartmentTree,
    allowed: BoolArray,
    shape: tuple[int, int, int],
    rng: np.random.Generator,
) -> IntArray:
    """Nodes: a section of those allowed, each as likely as the others, and a place on it."""
    section = np.flatnonzero(allowed)[rng.integers(0, int(allowed.sum()), shape)]
    x = rng.random(shape)
    segment = tree.segment_start[section] + (x * tree.nseg[section]).astype(np.int64)
    return tree.node_of_segment[segment].astype(np.int32)


def _soma(tree: CompartmentTree) -> str:
    soma = np.flatnonzero(tree.sections.tag == Tag.SOMA)
    return tree.sections.name[int(soma[0]) if soma.size else 0]
