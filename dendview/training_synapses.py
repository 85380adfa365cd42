"""Where the synapses of a trained network sit on the open cell, and how large their weights are."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from dendview.training_findings import Findings, WeightsShown
from engine.compartments import CompartmentTree
from engine.experiments.hpc_net.network import Network
from engine.morphology.model import Sections
from engine.types import Float32Array, FloatArray, IntArray


@lru_cache(maxsize=4)
def segments_of(net: Network, tree: CompartmentTree) -> IntArray | None:
    """(n_comp,) segment of the open cell at every node that carries synapses, -1 elsewhere.

    None where the open cell is another than the hidden neuron.
    """
    own, result = net.model.tree, np.full(net.model.n_comp, -1, np.int32)
    same: dict[int, bool] = {}
    for node in np.unique(net.node).tolist():
        section = int(own.section[node])
        name = own.sections.name[section]
        if section not in same:
            there = tree.section_index.get(name)
            same[section] = there is not None and np.array_equal(
                _points(own.sections, section), _points(tree.sections, there)
            )
        if not same[section]:
            return None
        result[node] = tree.segment[tree.locate(name, float(own.x[node]))]
    return result


def _points(sections: Sections, section: int) -> Float32Array:
    return sections.xyz[sections.start[section] : sections.start[section + 1]]


@dataclass(frozen=True, eq=False)
class SynapseMap:
    """Weights of a hidden neuron on the open cell.

    Attributes
    ----------
    segment : (n,) int32
        Those with synapses, ascending.
    weight : (n,)
        Sum over the synapses of a segment.
    count : (n,) int32
        Synapses of a segment.
    of_segment : (n_segment,)
        The weights again, NaN where none sits.
    """

    segment: IntArray
    weight: FloatArray
    count: IntArray
    of_segment: FloatArray

    def count_at(self, segment: int) -> int:
        """Synapses in a segment."""
        place = int(np.searchsorted(self.segment, segment))
        found = place < len(self.segment) and self.segment[place] == segment
        return int(self.count[place]) if found else 0


def synapse_map(
    found: Findings, tree: CompartmentTree, neuron: int, what: WeightsShown
) -> SynapseMap | None:
    """Weights of a hidden neuron by segment; None where the open cell is not the hidden neuron."""
    place = segments_of(found.network, tree)
    if place is None or not 0 <= neuron < found.network.spec.n_hidden:
        return None
    return _synapse_map(found, tree, neuron, what)


@lru_cache(maxsize=8)
def _synapse_map(
    found: Findings, tree: CompartmentTree, neuron: int, what: WeightsShown
) -> SynapseMap:
    place, node = segments_of(found.network, tree), found.network.node[:, neuron].reshape(-1)
    assert place is not None
    first, shown = found.wanted.first.weights.hidden, found.wanted.shown.weights.hidden
    weight = {"after": shown, "before": first}.get(what)
    mine = (shown - first if weight is None else weight)[:, neuron].reshape(-1)
    n = tree.n_segment
    total = np.bincount(place[node], mine, n).astype(np.float64)
    count = np.bincount(place[node], minlength=n)
    segment = np.flatnonzero(count)
    return SynapseMap(
        segment.astype(np.int32),
        total[segment],
        count[segment].astype(np.int32),
        np.where(count > 0, total, np.nan),
    )


def synapses_at(found: Findings, tree: CompartmentTree, neuron: int, segment: int) -> list[int]:
    """Pixels whose synapses on a hidden neuron sit in a segment."""
    place = segments_of(found.network, tree)
    if place is None or not 0 <= neuron < found.network.spec.n_hidden:
        return []
    here = (place[found.network.node[:, neuron]] == segment).any(axis=1)
    return [int(pixel) for pixel in np.flatnonzero(here)]
