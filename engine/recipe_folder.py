"""Write the cell recipes of ``sample_models/``: published membranes, as experiments in JSON.

All numbers are those of the publications named at each function; densities in S/cm², potentials in
mV.
"""

import dataclasses
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from engine import codec
from engine.discretize import Rule
from engine.distributions import Distribution, Value
from engine.experiment import FORMAT, VERSION, AxonStub, Cable, Experiment, Insertion, Probe
from engine.recipes import RECIPES
from engine.regions import Region, Subset
from engine.spines import FFactor
from engine.stimuli import Site

SOMA = Site("soma[0]")
SPINES = 1.9
"""Membrane of the spines that are left out, as a factor on that of the human cell's dendrites."""


def insert(
    region: Region,
    mechanisms: Mapping[str, Mapping[str, Value]],
    where: Subset | None = None,
    segment_ends: bool = False,
) -> tuple[Insertion, ...]:
    """Several mechanisms with their parameters in one place."""
    return tuple(
        Insertion(name, region, tuple(values.items()), where, segment_ends)
        for name, values in mechanisms.items()
    )


def channels(region: Region, **gbar: Value) -> tuple[Insertion, ...]:
    """Mechanisms of one place by their ``gbar``."""
    return insert(region, {name: {"gbar": value} for name, value in gbar.items()})


def human_l23() -> Experiment:
    """Human L2/3 cell of Eyal et al. 2018, ModelDB 238347, cell0603_11_model_937, without spines.

    Beyond 60 µm of path the dendrites' capacitance and leak carry the factor for spines; as in the
    publication the end of a section decides for its last segment. A further spine is passive: a
    neck of 1.35 by 0.25 µm, a head of 2.8 µm², reversing at −86 mV.
    """
    leak, rest = 1 / 48300, -83.1011
    soma = insert(
        "soma",
        {
            "NaTg": {
                "gbar": 0.168753,
                "slope_m": 13.8112,
                "vshift_m": 15.991,
                "vshift_h": 11.8779,
            },
            "CaDynamics_E2": {"gamma": 0.000527805, "decay": 237.845},
        },
    )
    axon = insert(
        "axon",
        {
            "NaTg": {
                "gbar": 5.99773,
                "slope_m": 8.61424,
                "vshift_m": 8.44162,
                "vshift_h": 11.9795,
            },
            "CaDynamics_E2": {"gamma": 0.0332027, "decay": 587.373},
        },
    )
    return Experiment(
        "sample:human_l23",
        name="Human L2/3 pyramidal cell, Eyal et al. 2018",
        axon="stub",
        stub=AxonStub(attach=1.0),
        rule=Rule("max_length", 40.0),
        cables=(Cable("all", 0.44, 261.97),),
        f_factors=(FFactor(SPINES),),
        insertions=(
            *insert("all", {"pas": {"g": leak, "e": rest}}),
            *soma,
            *channels(
                "soma",
                Nap_Et2=5.71532e-05,
                K_Tst=0.0756706,
                K_Pst=1.8248e-05,
                SKv3_1=0.0712199,
                SK_E2=0.0999258,
                Im=0.000120968,
                Ca=0.000617007,
                Ca_LVAst=0.000928787,
            ),
            *axon,
            *channels(
                "axon",
                Nap_Et2=0.0499364,
                K_Tst=0.0953141,
                K_Pst=0.000123465,
                SKv3_1=1.71959,
                SK_E2=0.000708627,
                Im=1.44367e-05,
                Ca=0.000783592,
                Ca_LVAst=0.000294764,
            ),
        ),
        reversals=(("ena", 67.5), ("ek", -102.0)),
        celsius=37.0,
        v_init=-86.0,
        probes=(Probe(SOMA),),
    )


def l5b() -> Experiment:
    """L5b pyramidal cell of Hay et al. 2011, ModelDB 139653, biophysics 3.

    Ih rises along the apical dendrite, calcium channels are dense between 685 and 885 µm of it;
    path distances from the base of the trunk. As in the publication the end of a section decides
    for its last segment. The temperature, NEURON's default, enters the calcium reversal only.
    """
    base = Site("apic[0]", 0.0)
    ih = Distribution("exponential", 2e-4, -0.8696, 2.087, 3.6161, origin=base, relative=True)

    def hot(inside: float, outside: float) -> Distribution:
        return Distribution(
            "step", inside, outside, 1 - outside, start=685.0, stop=885.0, origin=base
        )

    def leak(g: float) -> dict[str, dict[str, Value]]:
        return {"pas": {"g": g, "e": -90.0}}

    zoned: dict[str, dict[str, Value]] = {
        "Ih": {"gbar": ih},
        "Ca_HVA": {"gbar": hot(0.000555, 0.1)},
        "Ca_LVAst": {"gbar": hot(0.0187, 0.01)},
    }
    return Experiment(
        "sample:l5b",
        name="L5b pyramidal cell, Hay et al. 2011",
        axon="stub",
        stub=AxonStub(attach=0.5, diameter=1.0),
        rule=Rule("max_length", 40.0),
        cables=(Cable("all", 1.0, 100.0), Cable("dendrite", 2.0, 100.0)),
        insertions=(
            *insert("soma", leak(3.38e-5)),
            *insert("apical", leak(5.89e-5)),
            *insert("basal", leak(4.67e-5)),
            *insert("axon", leak(3.25e-5)),
            *channels(
                "soma",
                Ih=2e-4,
                NaTa_t=2.04,
                Nap_Et2=0.00172,
                K_Tst=0.0812,
                K_Pst=0.00223,
                SKv3_1=0.693,
                SK_E2=0.0441,
                Ca_HVA=0.000992,
                Ca_LVAst=0.00343,
            ),
            *insert("soma", {"CaDynamics_E2": {"gamma": 0.000501, "decay": 460.0}}),
            *channels("basal", Ih=2e-4),
            *insert("apical", zoned, segment_ends=True),
            *channels("apical", NaTa_t=0.0213, SKv3_1=0.000261, SK_E2=0.0012, Im=6.75e-5),
            *insert("apical", {"CaDynamics_E2": {"gamma": 0.000509, "decay": 122.0}}),
        ),
        reversals=(("ena", 50.0), ("ek", -85.0)),
        celsius=6.3,
        v_init=-80.0,
        spike_threshold=-10.0,
        probes=(Probe(SOMA),),
    )


def ca1() -> Experiment:
    """CA1 pyramidal cell of Migliore, Messineo & Ferrante 2004, ModelDB 32992.

    Apical sections thicker than 0.5 µm and nearer than 500 µm, both in their middle, carry channels
    whose density rises from the soma: the A-type is the proximal one to 100 µm, the distal one
    beyond. Ih is there and, at its density of 0 µm, in the soma. The leak reverses where the cell
    rests at −65 mV.

    The delayed rectifier is as weak as in synchro-n128.hoc, which studies synaptic potentials: from
    about 0.4 nA into the soma on the cell stays at −30 mV, on the published morphology as well.
    """
    start = Site("soma[0]", 0.0)
    active = Subset(thicker=0.5, nearer=500.0, origin=start, whole_sections=True)
    near, far = Subset(nearer=100.0, origin=start), Subset(farther=100.0, origin=start)
    type_a = Distribution("linear", 0.01, 1.0, 0.01, origin=start)
    graded: dict[str, dict[str, Value]] = {
        "na3": {"gbar": 0.03, "ar": 0.7},
        "kdr": {"gbar": 0.001},
        "kap": {"gbar": type_a},
        "kad": {"gbar": type_a},
        "hd": {
            "gbar": Distribution("linear", 5e-5, 1.0, 0.03, limit=500.0, origin=start),
            "vhalf": Distribution("step", 1.0, -81.0, 8.0, start=-1.0, stop=100.0, origin=start),
        },
    }
    return Experiment(
        "sample:ca1",
        name="CA1 pyramidal cell, Migliore et al. 2004",
        rule=Rule("max_length", 20.0),
        cables=(Cable("all", 1.0, 150.0), Cable("axon", 1.0, 50.0)),
        insertions=(
            *insert("all", {"pas": {"g": 1 / 28000, "e": -65.0}}),
            *channels("axon", nax=0.06, kdr=0.001, kap=0.002),
            *channels("soma", na3=0.03, kdr=0.001, kap=0.01),
            *insert("soma", {"hd": {"gbar": 5e-5, "vhalf": -73.0}}),
            *channels("basal", na3=0.03, kdr=0.001, kap=0.01),
            *insert("apical", graded, active),
            *insert("apical", {"kap": {"gbar": 0.0}}, far),
            *insert("apical", {"kad": {"gbar": 0.0}}, near),
        ),
        reversals=(("ena", 55.0), ("ek", -90.0)),
        celsius=34.0,
        v_init=-65.0,
        tune_rest=True,
        probes=(Probe(SOMA),),
    )


def mitral() -> Experiment:
    """Mitral cell of Migliore et al. 2015, ModelDB 168591.

    The axon is a hillock of 5 µm and an initial segment of 30 µm, both 1.5 µm wide here (there the
    hillock tapers from the soma).
    """
    return Experiment(
        "sample:mitral",
        name="Mitral cell, Migliore et al. 2015",
        axon="stub",
        stub=AxonStub(attach=0.0, lengths=(5.0, 30.0), diameter=1.5),
        rule=Rule("max_length", 40.0),
        cables=(Cable("all", 0.7, 150.0),),
        insertions=(
            *insert("all", {"pas": {"g": 1e-4, "e": -65.0}}),
            *insert("axon", {"pas": {"g": 1e-3, "e": -65.0}}),
            *channels("soma", nax=0.04, kdrmt=0.001, kamt=0.004),
            *insert("dendrite", {"nax": {"gbar": 0.04, "sh": 10.0}}),
            *channels("dendrite", kdrmt=0.001, kamt=0.004),
            *channels("axon", nax=0.8, kdrmt=0.001, kamt=0.08),
        ),
        reversals=(("ena", 50.0), ("ek", -90.0)),
        celsius=35.0,
        v_init=-65.0,
        spike_threshold=-40.0,
        probes=(Probe(SOMA),),
    )


BUILDERS: dict[str, Callable[[], Experiment]] = {
    "human_l23": human_l23,
    "l5b": l5b,
    "ca1": ca1,
    "mitral": mitral,
}


SAID = {
    "rule",
    "region",
    "cm",
    "ra",
    "kind",
    "value",
    "celsius",
    "v_init",
    "dt",
    "axon",
    "section",
    "x",
}
"""Fields that are written even where they have their defaults."""


def brief(value: Any) -> Any:
    """Plain JSON value without the fields that have their defaults."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        kind = codec.kind_of(type(value))
        said = {"kind": kind} if kind else {}
        for f in dataclasses.fields(value):
            given = getattr(value, f.name)
            factory = f.default_factory
            default = f.default if factory is dataclasses.MISSING else factory()
            if given != default or f.name in SAID:
                said[f.name] = brief(given)
        return said
    return [brief(item) for item in value] if isinstance(value, tuple) else value


def recipe_text(experiment: Experiment) -> str:
    """JSON that :func:`engine.experiment.from_json` reads, one line for each part of a cell."""
    fields = {"format": FORMAT, "version": VERSION, **brief(experiment)}
    lines = []
    for name, value in fields.items():
        text = json.dumps(value, ensure_ascii=False)
        if isinstance(value, list) and value and isinstance(value[0], dict):
            items = (json.dumps(item, ensure_ascii=False) for item in value)
            text = "[\n    " + ",\n    ".join(items) + "\n  ]"
        lines.append(f"  {json.dumps(name)}: {text}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def write_recipes(target: Path) -> None:
    """(Re)write every recipe."""
    target.mkdir(parents=True, exist_ok=True)
    for name, build in BUILDERS.items():
        path = target / RECIPES[name].file
        path.write_text(recipe_text(build()), encoding="utf-8", newline="\n")
