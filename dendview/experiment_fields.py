"""The numbers of an experiment as fields: their names, units, and how to set them.

No Qt: the experiment's panel makes a box of every field.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from dendview.attaching import WHY
from dendview.wording import UNITS
from engine.discretize import Rule
from engine.distributions import Value
from engine.experiment import DENDRITE_G_PAS, HH_DENSITIES, REST, Experiment, Insertion
from engine.mechanisms import Mechanism
from engine.model import ION_DEFAULTS


@dataclass(frozen=True)
class Field:
    """One number of an experiment.

    ``get`` reads it, a number or how it changes along the cell; ``put`` gives an experiment with
    another value. ``default`` is shown in the tool tip where there is one.
    """

    label: str
    unit: str
    get: Callable[[Experiment], Value]
    put: Callable[[Experiment, float], Experiment]
    minimum: float = -1e9
    maximum: float = 1e9
    step: float = 1.0
    decimals: int = 6
    tip: str = ""


def changed(experiment: Experiment, **values: Any) -> Experiment:
    """The experiment with other values in the fields of these names."""
    return replace(experiment, **values)


def plain(label: str, unit: str, name: str, **limits: Any) -> Field:
    """A field of the experiment itself."""
    return Field(
        label,
        unit,
        lambda e: float(getattr(e, name)),
        lambda e, value: changed(e, **{name: value}),
        **limits,
    )


def item(label: str, unit: str, group: str, index: int, name: str, **limits: Any) -> Field:
    """A field of one item of a tuple of the experiment."""

    def put(experiment: Experiment, value: float) -> Experiment:
        items = list(getattr(experiment, group))
        items[index] = replace(items[index], **{name: value})
        return changed(experiment, **{group: tuple(items)})

    return Field(label, unit, lambda e: getattr(getattr(e, group)[index], name), put, **limits)


RUN = (
    plain("Duration", "ms", "duration", minimum=1e-3, maximum=1e7, step=10.0),
    plain("Time step dt", "ms", "dt", minimum=1e-5, maximum=10.0, step=0.005),
    plain("Temperature", "°C", "celsius", minimum=-50.0, maximum=100.0, decimals=2),
    plain("Initial voltage", "mV", "v_init", minimum=-300.0, maximum=300.0, decimals=3),
    plain(
        "Frame every",
        "ms",
        "frame_interval",
        minimum=1e-3,
        maximum=1e6,
        step=0.1,
        tip="Time between two pictures of the whole cell",
    ),
)
SPIKES = (
    plain(
        "Threshold",
        "mV",
        "spike_threshold",
        minimum=-300.0,
        maximum=300.0,
        decimals=3,
        tip="A spike is counted where the voltage crosses this upward",
    ),
)


def clamp_fields(index: int) -> tuple[Field, ...]:
    """Delay, duration and amplitude of a clamp."""
    return (
        item("Delay", "ms", "stimuli", index, "delay", minimum=0.0, maximum=1e7, step=5.0),
        item("Duration", "ms", "stimuli", index, "duration", minimum=0.0, maximum=1e7, step=5.0),
        item(
            "Amplitude",
            "nA",
            "stimuli",
            index,
            "amplitude",
            minimum=-1e4,
            maximum=1e4,
            step=0.05,
            tip=f"Positive depolarizes; 200 pA may be typed, too.\n{WHY}.",
        ),
    )


def cable_fields(index: int) -> tuple[Field, ...]:
    """Capacitance and axial resistivity of a cable."""
    return (
        item(
            "Capacitance cm", "µF/cm²", "cables", index, "cm", minimum=1e-4, maximum=1e3, step=0.1
        ),
        item("Resistivity Ra", "Ω·cm", "cables", index, "ra", minimum=1e-2, maximum=1e6, step=10.0),
    )


def rule_field(kind: str) -> Field:
    """The value of the rule by which sections are cut."""

    def put(experiment: Experiment, value: float) -> Experiment:
        return replace(experiment, rule=Rule(experiment.rule.kind, value))

    label, unit, low, high, step, decimals, tip = {
        "max_length": ("At most", "µm", 0.1, 1e4, 5.0, 3, "nseg = 1 + 2 int(L / value)"),
        "d_lambda": ("At most", "λ", 1e-3, 10.0, 0.05, 4, "λ: the length constant at 100 Hz"),
        "fixed": ("Segments", "", 1.0, 32767.0, 2.0, 0, "the same number in every section"),
    }[kind]
    return Field(
        str(label),
        str(unit),
        lambda e: e.rule.value,
        put,
        float(low),
        float(high),
        float(step),
        int(decimals),
        str(tip),
    )


DEFAULT_RULES = {
    "max_length": Rule("max_length", 40.0),
    "d_lambda": Rule("d_lambda", 0.1),
    "fixed": Rule("fixed", 5),
}
RULE_NAMES = {
    "max_length": "Greatest length",
    "d_lambda": "d_lambda",
    "fixed": "Fixed number",
}


def insertion_fields(index: int, mechanism: Mechanism) -> Iterator[Field]:
    """The parameters of a mechanism in a region; a value equal to the default is not kept."""
    for parameter in mechanism.parameters:
        low, high = parameter.limits or (-1e9, 1e9)
        yield Field(
            parameter.name,
            UNITS.get(parameter.unit, parameter.unit),
            _parameter_getter(index, parameter.name, parameter.default),
            _parameter_putter(index, parameter.name, parameter.default),
            max(low, -1e9),
            min(high, 1e9),
            10.0 ** int(f"{abs(parameter.default) or 1.0:e}".partition("e")[2]) / 2,
            10,
            f"{mechanism.name}: default {parameter.default:g}",
        )


def _parameter_getter(index: int, name: str, default: float) -> Callable[[Experiment], Value]:
    return lambda e: dict(e.insertions[index].parameters).get(name, default)


def _parameter_putter(
    index: int, name: str, default: float
) -> Callable[[Experiment, float], Experiment]:
    def put(experiment: Experiment, value: float) -> Experiment:
        insertions = list(experiment.insertions)
        values = {**dict(insertions[index].parameters), name: value}
        kept = tuple((n, v) for n, v in values.items() if n != name or v != default)
        insertions[index] = replace(insertions[index], parameters=kept)
        return replace(experiment, insertions=tuple(insertions))

    return put


def reversal_names(insertions: tuple[Insertion, ...], known: dict[str, Mechanism]) -> list[str]:
    """What the mechanisms read of ions, such as ``ena``; only these may be set."""
    return sorted(
        {
            name
            for insertion in insertions
            if insertion.mechanism in known
            for ion in known[insertion.mechanism].ions
            for name in ion.read
        }
    )


def reversal_field(name: str) -> Field:
    """A reversal potential (``ena``, mV) or a concentration (``cai``, mM)."""
    default = ION_DEFAULTS.get(name, 0.0)

    def put(experiment: Experiment, value: float) -> Experiment:
        values = {**dict(experiment.reversals), name: value}
        kept = tuple((n, v) for n, v in values.items() if n != name or v != default)
        return replace(experiment, reversals=kept)

    return Field(
        name,
        "mV" if name.startswith("e") else "mM",
        lambda e: dict(e.reversals).get(name, default),
        put,
        -1e6,
        1e6,
        1.0,
        9,
        f"default {default:g}",
    )


# Membranes

_LEAK = (("g", DENDRITE_G_PAS), ("e", REST))
PRESETS: dict[str, tuple[Insertion, ...]] = {
    "Passive": (Insertion("pas", "all", _LEAK),),
    "hh in soma and axon": (
        Insertion("hh", "soma", HH_DENSITIES),
        Insertion("hh", "axon", HH_DENSITIES),
        Insertion("pas", "dendrite", _LEAK),
        Insertion("pas", "other", _LEAK),
    ),
    "hh everywhere": (Insertion("hh", "all"),),
}


def preset_of(insertions: tuple[Insertion, ...]) -> str:
    """Name of the preset that has these mechanisms in these regions; empty where none has."""
    here = [(i.mechanism, i.region) for i in insertions]
    return next((n for n, p in PRESETS.items() if [(i.mechanism, i.region) for i in p] == here), "")


def with_insertions(
    experiment: Experiment, insertions: tuple[Insertion, ...], known: dict[str, Mechanism]
) -> Experiment:
    """Other mechanisms; reversals that none of them reads go with the old ones."""
    read = reversal_names(insertions, known)
    kept = tuple((name, value) for name, value in experiment.reversals if name in read)
    regional = tuple(entry for entry in experiment.ion_values if entry.name in read)
    return replace(experiment, insertions=insertions, reversals=kept, ion_values=regional)
