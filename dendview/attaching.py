"""What is put on a cell at first: synapses, voltage clamps; and what can be recorded (no Qt)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dendview.state import Cell
from engine.biophysics import Painter
from engine.errors import UserError
from engine.experiment import Experiment
from engine.mechanisms import Mechanism, library
from engine.model import find_places
from engine.placing import Placed, place, place_ions, place_points
from engine.probes import ProbeTarget, offered
from engine.stimuli import NoiseClamp, RampClamp, SineClamp, Site, VoltageClamp, Waveform
from engine.synapses import NetStim, SpikeSource, Synapse
from engine.validation import experiment_mechanisms

RISE = 20.0
"""mV by which a new clamp would move where spikes are counted if the membrane stayed passive: the
way from rest to threshold, with a margin. Sample cells, and published membranes on them, fire from
3 to 18 mV on; where much less is right the recipe says so."""
MOST = 150.0
"""mV by which it may move its own place: a thin branch far out cannot make the cell fire."""
WHY = (
    f"A new clamp fits the cell: by its resistance at rest it moves the place where spikes are\n"
    f"counted by about {RISE:g} mV, which makes most fire, and its own by at most {MOST:g} mV"
)
WEIGHT = 1e-3
"""µS of a new synapse: a strong single synapse of a pyramidal cell."""
STEP = 40.0
"""mV by which a new voltage clamp steps up in the middle of its time."""
WAVEFORMS = {"ramp": "Ramp", "sine": "Sine", "noise": "Noise"}
"""Currents that follow a formula."""
PEAK = 0.3
"""nA of a synapse that is a current."""


def nice_below(value: float) -> float:
    """The largest of 1, 2, 5, 10, 20, 50 … (and 0.1, 0.2, 0.5 …) that is not above a value."""
    scale = 10.0 ** int(f"{value:e}".partition("e")[2])
    return max((m * scale for m in (1, 2, 5) if m * scale <= value * (1 + 1e-9)), default=scale)


def start_of(experiment: Experiment) -> float:
    """When what is put on a cell begins, in ms: after a third of the run at most."""
    return min(100.0, nice_below(experiment.duration / 3))


def new_synapse(mechanism: Mechanism, site: Site, experiment: Experiment) -> Synapse:
    """A synapse with the file's own kinetics, driven by ten events 10 ms apart.

    One that takes no events is a current: it begins as late, and has a peak where it had none.
    """
    start = start_of(experiment)
    if mechanism.receive is None:
        known = {p.name: p.default for p in mechanism.parameters}
        given = {"onset": start, "imax": PEAK}
        parameters = tuple((n, v) for n, v in given.items() if known.get(n) == 0)
        return Synapse(site, mechanism.name, parameters, ())
    weights = (WEIGHT,) * len(mechanism.weights)
    return Synapse(site, mechanism.name, (), weights, new_events(experiment))


def new_events(experiment: Experiment) -> NetStim:
    """Ten events 10 ms apart, with random numbers of their own where they are made noisy."""
    used = [s.source.stream for s in experiment.synapses if isinstance(s.source, NetStim)]
    return NetStim(start=start_of(experiment), stream=max(used, default=-1) + 1)


def new_waveform(kind: str, site: Site, experiment: Experiment, amplitude: float) -> Waveform:
    """A ``ramp``, ``sine`` or ``noise`` in the middle of the run.

    Parameters
    ----------
    kind, site, experiment
    amplitude
        nA that make the cell fire; a ramp ends at twice as much, a sine reaches it, noise is
        around half of it.
    """
    start = start_of(experiment)
    match kind:
        case "ramp":
            return RampClamp(site, start, start, 0.0, 2 * amplitude)
        case "sine":
            return SineClamp(site, start, start, amplitude, 2000 / start)
        case "noise":
            used = [w.stream for w in experiment.waveforms if isinstance(w, NoiseClamp)]
            stream = max(used, default=-1) + 1
            half = amplitude / 2
            return NoiseClamp(site, start, start, half, half, stream=stream)
    raise ValueError(kind)


def new_spike_source(site: Site, experiment: Experiment) -> SpikeSource:
    """Events at the spikes of a place, counted as the run counts its own."""
    return SpikeSource(site, experiment.spike_threshold)


def new_voltage_clamp(site: Site, experiment: Experiment) -> VoltageClamp:
    """The voltage of the start held, a step up, and back, in thirds of the run at most 100 ms."""
    third, rest = start_of(experiment), experiment.v_init
    return VoltageClamp(site, (third, third, third), (rest, rest + STEP, rest))


def mechanisms_of(experiment: Experiment | None) -> dict[str, Mechanism]:
    """The mechanisms an experiment can use; the library's where its folders cannot be read."""
    try:
        return experiment_mechanisms(experiment) if experiment is not None else library()
    except UserError:
        return library()


def point_processes(experiment: Experiment | None) -> tuple[Mechanism, ...]:
    """What can be put on a place, ordered by name."""
    points = (m for m in mechanisms_of(experiment).values() if m.kind == "point")
    return tuple(sorted(points, key=lambda m: m.name.lower()))


@dataclass(frozen=True)
class Recordable:
    """A variable of a place: ``group`` is a mechanism's name, ``ions`` or nothing for the voltage.

    ``unit`` as in the file.
    """

    variable: str
    unit: str
    group: str


def recordables(cell: Cell, experiment: Experiment, segment: int) -> tuple[Recordable, ...]:
    """Everything that can be recorded in the middle of a segment, the voltage first.

    Raises
    ------
    UserError
        If the experiment's mechanisms cannot be put on the cell.
    """
    (found,) = recordables_at(cell, experiment, [cell.site(segment)])
    return found


def recordables_at(
    cell: Cell, experiment: Experiment, sites: Sequence[Site]
) -> list[tuple[Recordable, ...]]:
    """The same at each of several sites."""
    tree, known = cell.trees["neuron"], experiment_mechanisms(experiment)
    painter = Painter(tree)
    membrane = place(experiment, tree, painter, known)
    places = find_places((experiment,), painter, membrane)
    placed = (*membrane, *place_points((experiment,), places, known))
    ions_placed, ions = place_ions(experiment, placed, painter)
    placed = (*ions_placed, *placed)
    return [
        _recordables(offered(site, (experiment,), places, placed, ions), placed) for site in sites
    ]


def _recordables(
    offers: Iterable[tuple[str, ProbeTarget]], placed: Sequence[Placed]
) -> tuple[Recordable, ...]:
    found: dict[str, Recordable] = {}
    for name, target in offers:
        group = {"voltage": "", "ion": "ions", "hold": "clamps", "gap": "gap junctions"}.get(
            target.kind, ""
        )
        if target.mechanism >= 0:
            group = placed[target.mechanism].mechanism.name
        found.setdefault(name, Recordable(name, target.unit, group))
    return tuple(found.values())
