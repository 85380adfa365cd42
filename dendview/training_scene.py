"""Weights of a trained network on the dendrites of its hidden neuron. No Qt."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dendview.training_findings import Findings, WeightsShown
from dendview.training_synapses import SynapseMap, synapse_map, synapses_at
from engine.types import FloatArray

if TYPE_CHECKING:
    from dendview.state import AppState

NO_NETWORK = "Train a network to see its weights here (Training perspective)"
OTHER_CELL = "The open cell is not the hidden neuron of this training; the Weights panel opens it"
TITLES: dict[WeightsShown, str] = {
    "after": "Weight",
    "before": "Weight",
    "change": "Change of weight",
}


@dataclass(frozen=True, eq=False)
class WeightColors:
    """Weights as colors.

    Attributes
    ----------
    values : (n_segment,)
        NaN where no synapse sits.
    limit : float
        Of the colors, to both sides of 0.
    title, note : str
        Of the legend.
    """

    values: FloatArray
    limit: float
    title: str
    note: str


def shown_neuron(state: "AppState", found: Findings) -> int:
    """The hidden neuron whose weights are drawn: the last that was chosen."""
    neurons = state.training_choice.neurons or (0,)
    return min(neurons[-1], found.network.spec.n_hidden - 1)


def weight_colors(state: "AppState") -> WeightColors | str:
    """Colors of the open cell by weight, or one sentence on why there are none."""
    found, cell = state.training_findings, state.cell
    if found is None or cell is None:
        return state.training_note or NO_NETWORK
    kind, neuron = state.training_weights, shown_neuron(state, found)
    drawn = synapse_map(found, cell.trees["neuron"], neuron, kind)
    if drawn is None:
        return OTHER_CELL
    epoch = found.wanted.first.epoch if kind == "before" else found.epoch
    when = f"epoch {epoch}" if epoch else "untrained"
    note = f"neuron {neuron}, {when}"
    return WeightColors(drawn.of_segment, found.weight_limit, TITLES[kind], note)


def synapses_of(state: "AppState") -> SynapseMap | None:
    """The synapses whose weights color the open cell."""
    found, cell = state.training_findings, state.cell
    if state.color_by != "weight" or found is None or cell is None:
        return None
    tree = cell.trees["neuron"]
    return synapse_map(found, tree, shown_neuron(state, found), state.training_weights)


def synapse_lines(state: "AppState", segment: int) -> list[str]:
    """What sits in a segment, where the cell is colored by weight."""
    drawn, found, cell = synapses_of(state), state.training_findings, state.cell
    if drawn is None or found is None or cell is None or not drawn.count_at(segment):
        return []
    pixels = synapses_at(found, cell.trees["neuron"], shown_neuron(state, found), segment)
    columns = found.data.shape[1]
    named = ", ".join(f"({p // columns}, {p % columns})" for p in pixels[:3])
    more = f" and {len(pixels) - 3} more" if len(pixels) > 3 else ""
    word = "change" if state.training_weights == "change" else "weight"
    value = f"{drawn.of_segment[segment]:+.3g}".replace("-", "−")
    noun = "pixel" if len(pixels) == 1 else "pixels"
    return [f"{word} {value} · {noun} {named}{more} (row, column)"]
