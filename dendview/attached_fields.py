"""The numbers of what is put on a place of the cell, as fields with units (no Qt)."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Literal

from dendview.experiment_fields import Field, changed, clamp_fields, item
from dendview.wording import UNITS, place
from engine.errors import UserError
from engine.experiment import Experiment
from engine.mechanisms import Mechanism
from engine.mechanisms.loading import LIBRARY
from engine.synapses import NetStim, PointSource, SpikeSource, SpikeTrain, Synapse
from engine.validation import experiment_mechanisms

Group = Literal["stimuli", "waveforms", "voltage_clamps", "synapses", "gap_junctions"]
"""Fields of an experiment that hold what sits on places."""
NOUNS: dict[Group, str] = {
    "stimuli": "clamp",
    "waveforms": "played current",
    "voltage_clamps": "voltage clamp",
    "synapses": "synapse",
    "gap_junctions": "gap junction",
}
NUMBERED = ("First", "Second", "Third")
TIME = {"minimum": 0.0, "maximum": 1e7, "step": 5.0}


def part(
    label: str,
    unit: str,
    group: Group,
    index: int,
    get: Callable[[Any], float],
    put: Callable[[Any, float], Any],
    **limits: Any,
) -> Field:
    """A number inside one item of a group: ``get`` reads it of the item, ``put`` changes it."""

    def put_in(experiment: Experiment, value: float) -> Experiment:
        items = list(getattr(experiment, group))
        items[index] = put(items[index], value)
        return changed(experiment, **{group: tuple(items)})

    return Field(label, unit, lambda e: get(getattr(e, group)[index]), put_in, **limits)


def fields_of(
    group: Group, index: int, experiment: Experiment, known: dict[str, Mechanism]
) -> tuple[Field, ...]:
    """All numbers of one item of a group."""
    thing = getattr(experiment, group)[index]
    match group:
        case "stimuli":
            return clamp_fields(index)
        case "waveforms":
            return tuple(_waveform_fields(index, thing))
        case "voltage_clamps":
            return tuple(_hold_fields(index))
        case "synapses":
            return tuple(_synapse_fields(index, thing, known.get(thing.mechanism)))
        case "gap_junctions":
            return (item("Conductance", "µS", group, index, "conductance", minimum=0.0, step=1e-3),)


def shape_of(group: Group, thing: Any) -> tuple[object, ...]:
    """What decides which fields an item has, apart from their values."""
    if group == "synapses":
        return thing.site, thing.mechanism, len(thing.weights), source_text(thing)
    return thing.site, type(thing), getattr(thing, "other", None)


def _hold_fields(index: int) -> Iterator[Field]:
    for k, nth in enumerate(NUMBERED):
        yield _of_three(f"{nth} level", "mV", index, "levels", k, minimum=-300.0, maximum=300.0)
        yield _of_three(f"{nth} lasts", "ms", index, "durations", k, **TIME)
    yield item("Resistance", "MΩ", "voltage_clamps", index, "resistance", minimum=1e-6, maximum=1e6)


def _of_three(label: str, unit: str, index: int, name: str, k: int, **limits: Any) -> Field:
    def put(clamp: Any, value: float) -> Any:
        values = list(getattr(clamp, name))
        values[k] = value
        return replace(clamp, **{name: tuple(values)})

    return part(
        label, unit, "voltage_clamps", index, lambda c: float(getattr(c, name)[k]), put, **limits
    )


def _waveform_fields(index: int, clamp: Any) -> Iterator[Field]:
    own = {
        "ramp": (("start", "nA"), ("stop", "nA")),
        "sine": (("amplitude", "nA"), ("frequency", "Hz"), ("phase", "rad"), ("offset", "nA")),
        "noise": (("mean", "nA"), ("deviation", "nA"), ("interval", "ms")),
    }[clamp.kind]
    for name, unit in (("delay", "ms"), ("duration", "ms"), *own):
        limits = TIME if unit == "ms" else {"step": 0.05}
        yield item(name.capitalize(), unit, "waveforms", index, name, **limits)


def _synapse_fields(index: int, synapse: Synapse, mechanism: Mechanism | None) -> Iterator[Field]:
    """Weights, source, and the mechanism's parameters; a default value is not kept."""
    names = mechanism.weights if mechanism is not None else ()
    unit = "µS" if mechanism is not None and mechanism.path.parent == LIBRARY else ""
    for k in range(len(synapse.weights)):
        name = names[k] if k < len(names) else f"weight_{k + 1}"
        label = "Weight" + name.removeprefix("weight").replace("_", " ")
        get, put = _weight_of(k), _with_weight(k)
        yield part(label, unit, "synapses", index, get, put, step=1e-3)
    yield from _source_fields(index, synapse)
    if synapse.source is not None:
        yield item(
            "Delay", "ms", "synapses", index, "delay", tip="From an event to its arrival", **TIME
        )
    for p in mechanism.parameters if mechanism is not None else ():
        low, high = p.limits or (-1e9, 1e9)
        yield part(
            p.name,
            UNITS.get(p.unit, p.unit),
            "synapses",
            index,
            _parameter_of(p.name, p.default),
            _with_parameter(p.name, p.default),
            minimum=max(low, -1e9),
            maximum=min(high, 1e9),
            step=abs(p.default) / 10 or 0.1,
            decimals=10,
            tip=f"{synapse.mechanism}: default {p.default:g}",
        )


def _source_fields(index: int, synapse: Synapse) -> Iterator[Field]:
    if isinstance(synapse.source, SpikeSource):
        yield _of_source("Threshold", "mV", index, "threshold", minimum=-300.0, maximum=300.0)
    if isinstance(synapse.source, NetStim):
        yield _of_source("Events from", "ms", index, "start", **TIME)
        yield _of_source("Interval", "ms", index, "interval", minimum=1e-3, maximum=1e7)
        yield _of_source("Events", "", index, "number", minimum=0, maximum=1e7, decimals=0)
        yield _of_source(
            "Noise",
            "",
            index,
            "noise",
            minimum=0.0,
            maximum=1.0,
            step=0.1,
            tip="0: regular; 1: at random times (Poisson)",
        )


def _of_source(label: str, unit: str, index: int, name: str, **limits: Any) -> Field:
    """A number of where the events come from; whole numbers stay whole."""

    def put(synapse: Synapse, value: float) -> Synapse:
        source: Any = synapse.source
        now = getattr(source, name)
        new = round(value) if isinstance(now, int) else float(value)
        return replace(synapse, source=replace(source, **{name: new}))

    return part(
        label, unit, "synapses", index, lambda s: float(getattr(s.source, name)), put, **limits
    )


def _weight_of(k: int) -> Callable[[Synapse], float]:
    return lambda synapse: synapse.weights[k]


def _with_weight(k: int) -> Callable[[Synapse, float], Synapse]:
    def put(synapse: Synapse, value: float) -> Synapse:
        weights = list(synapse.weights)
        weights[k] = value
        return replace(synapse, weights=tuple(weights))

    return put


def _parameter_of(name: str, default: float) -> Callable[[Synapse], float]:
    return lambda synapse: dict(synapse.parameters).get(name, default)


def _with_parameter(name: str, default: float) -> Callable[[Synapse, float], Synapse]:
    def put(synapse: Synapse, value: float) -> Synapse:
        values = {**dict(synapse.parameters), name: value}
        kept = tuple((n, v) for n, v in values.items() if n != name or v != default)
        return replace(synapse, parameters=kept)

    return put


SOURCES = {
    "own": "Events of its own",
    "spikes": "Spikes of a place…",
    "train": "Recorded events",
    "point": "What another synapse sends",
    "": "Nothing",
}
"""Where a synapse's events come from, by the key of :func:`source_kind`."""


def source_kind(synapse: Synapse) -> str:
    """Key of the kind of a synapse's source."""
    kinds = {NetStim: "own", SpikeSource: "spikes", SpikeTrain: "train", PointSource: "point"}
    return kinds.get(type(synapse.source), "")


def wants_events(experiment: Experiment, synapse: Synapse) -> bool:
    """Whether a synapse's mechanism takes events at all."""
    if synapse.source is not None:
        return True
    try:
        known = experiment_mechanisms(experiment)
    except UserError:
        return False
    return synapse.mechanism in known and known[synapse.mechanism].receive is not None


def source_text(synapse: Synapse) -> str:
    """Where the events of a synapse come from, in a few words."""
    match synapse.source:
        case None:
            return "no events"
        case NetStim():
            return "events of its own"
        case SpikeSource(site):
            return f"spikes of {place(site)}"
        case PointSource(number):
            return f"what synapse {number} sends"
        case _:
            return "recorded events"
