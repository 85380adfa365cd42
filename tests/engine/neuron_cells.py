"""The same experiment in NEURON, built from the same file by NEURON's own importer."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.experiment import Experiment
from engine.types import FloatArray

REGION_PREFIX = {"soma": "soma", "axon": "axon", "basal": "dend", "apical": "apic"}
REGIONS = {
    "all": lambda name: True,
    "soma": lambda name: name.startswith("soma"),
    "axon": lambda name: name.startswith("axon"),
    "dendrite": lambda name: name.startswith(("dend", "apic")),
    "other": lambda name: not name.startswith(("soma", "axon", "dend", "apic")),
}


@dataclass
class NeuronRun:
    """What NEURON gave: time (ms), one row of values per probe, times of spikes."""

    time: FloatArray
    values: FloatArray
    spikes: FloatArray


class NeuronCell:
    """Holds the sections of an imported cell; they live as long as it does.

    Import3d writes points into an object in full; at the top level it would go through text of
    eight digits and move them by a bit.
    """

    def __init__(self, h: Any, path: Path) -> None:
        swc = path.suffix.lower() == ".swc"
        reader = h.Import3d_SWC_read() if swc else h.Import3d_Neurolucida3()
        reader.quiet = 1
        reader.input(str(path))
        h.Import3d_GUI(reader, 0).instantiate(self)
        self.by_name = {section.name().rpartition(".")[2]: section for section in self.all}


def run_neuron(h: Any, experiment: Experiment, path: Path) -> NeuronRun:
    """Run an experiment (no stub axon, mechanisms pas and hh) in NEURON with its rate tables off.

    Parameters
    ----------
    h
        NEURON's interpreter.
    experiment
        ``rule`` must be ``fixed`` or ``max_length``.
    path
        SWC or Neurolucida file.
    """
    cell = NeuronCell(h, path)
    return _run(h, experiment, cell.by_name)


def _run(h: Any, experiment: Experiment, sections: dict[str, Any]) -> NeuronRun:
    for section in sections.values():
        fixed = experiment.rule.kind == "fixed"
        value = experiment.rule.value
        section.nseg = int(value) if fixed else 1 + 2 * int(section.L / value)
    for cable in experiment.cables:
        for section in _inside(sections, cable.region):
            section.cm, section.Ra = cable.cm, cable.ra
    for insertion in experiment.insertions:
        for section in _inside(sections, insertion.region):
            section.insert(insertion.mechanism)
            for name, value in insertion.parameters:
                setattr(section, f"{name}_{insertion.mechanism}", value)
            for name, value in experiment.reversals:
                setattr(section, name, value)
    h.usetable_hh = 0
    clamps = []
    for stimulus in experiment.stimuli:
        clamp = h.IClamp(sections[stimulus.site.section](stimulus.site.x))
        clamp.delay, clamp.dur, clamp.amp = stimulus.delay, stimulus.duration, stimulus.amplitude
        clamps.append(clamp)
    h.celsius, h.dt, h.steps_per_ms, h.secondorder = (
        experiment.celsius,
        experiment.dt,
        1 / experiment.dt,
        0,
    )
    recorded = []
    for probe in experiment.probes:
        segment = sections[probe.site.section](probe.site.x)
        recorded.append(h.Vector().record(getattr(segment, f"_ref_{probe.variable}")))
    time = h.Vector().record(h._ref_t)
    site = experiment.spike_site or experiment.probes[0].site
    counter = h.NetCon(sections[site.section](site.x)._ref_v, None, sec=sections[site.section])
    counter.threshold = experiment.spike_threshold
    spikes = h.Vector()
    counter.record(spikes)
    h.finitialize(experiment.v_init)
    while h.t < experiment.duration - experiment.dt / 2:
        h.fadvance()
    return NeuronRun(
        time.as_numpy().copy(), np.array([x.as_numpy() for x in recorded]), spikes.as_numpy().copy()
    )


def _inside(sections: dict[str, Any], region: str) -> list[Any]:
    inside = REGIONS.get(region) or (lambda name: name.startswith(REGION_PREFIX[region]))
    return [section for name, section in sections.items() if inside(name)]
