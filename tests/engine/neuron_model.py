"""A model built in NEURON value by value: the same membrane on NEURON's own import of the file.

What is taken from the engine's model are the numbers of every segment (densities, capacitances,
reversal potentials), which other tests hold against the publications; morphology, matrix, channels
and time steps are NEURON's.
"""

import dataclasses
from pathlib import Path
from typing import Any

from engine.benchmarks.neuron_trials import cell_of
from engine.model import Model
from engine.spines import SpineShape
from engine.stimuli import Site
from engine.synapses import PointSource, SpikeTrain
from tests.engine.neuron_cells import NeuronRun
from tests.engine.neuron_library import neuron_name, run_script

SCRIPT = """
class Cell:
    pass

path, cell = given["path"], Cell()
reader = h.Import3d_SWC_read() if path.lower().endswith(".swc") else h.Import3d_Neurolucida3()
reader.quiet = 1
reader.input(path)
h.Import3d_GUI(reader, 0).instantiate(cell)
sections = {s.name().rpartition(".")[2]: s for s in cell.all}
if given["stub"]:
    for name in [name for name in sections if name.startswith("axon")]:
        h.delete_section(sec=sections.pop(name))
    up = sections["soma[0]"](given["stub"]["attach"])
    for i, (length, diameter) in enumerate(given["stub"]["cylinders"]):
        axon = sections[f"axon[{i}]"] = h.Section(name=f"axon[{i}]")
        axon.L, axon.diam = length, diameter
        axon.connect(up)
        up = axon(1)
for name, about in given["sections"].items():
    section = sections[name]
    section.nseg, section.Ra = about["nseg"], about["ra"]
    for segment, cm in zip(section, about["cm"]):
        segment.cm = cm
    for mechanism, parameters in about["mechanisms"].items():
        section.insert(mechanism)
        for parameter, values in parameters.items():
            for segment, value in zip(section, values):
                setattr(getattr(segment, mechanism), parameter, value)
    for ion, value in given["reversals"].items():
        if hasattr(section(0.5), ion):
            setattr(section, ion, value)
assert set(given["sections"]) == set(sections)


def spine(on, numbers, name):
    about = dict(zip(("neck_length", "neck_diameter", "head_length", "head_diameter", "cm",
                      "g_pas", "e_pas", "ra"), numbers))
    for part in ("neck", "head"):
        new = h.Section(name=f"{part}{name}")
        new.L, new.diam = about[f"{part}_length"], about[f"{part}_diameter"]
        new.nseg, new.cm, new.Ra = 1, about["cm"], about["ra"]
        new.insert("pas")
        new.g_pas, new.e_pas = about["g_pas"], about["e_pas"]
        new.connect(on)
        on = new(1)
        yield new


h.distance(0, sections["soma[0]"](0.5))
dendrites = [s for name, s in sections.items() if name.startswith(("dend", "apic"))]
left = {}
for per_um, farther, shape in given["densities"]:
    for section in dendrites:
        for segment in section:
            if h.distance(segment) > farther:
                left[segment] = [int(section.L / section.nseg * per_um), shape]
silent = []
for k, (section, x, shape, taken) in enumerate(given["spines"]):
    segment = sections[section](x)
    if taken and left.get(segment, [0])[0]:
        left[segment][0] -= 1
    sections[f"neck[{k}]"], sections[f"spine[{k}]"] = spine(segment, shape, f"own{k}")
for segment, (count, shape) in left.items():
    for j in range(count):
        silent.append(list(spine(segment, shape, f"{len(silent)}")))
clamps = []
for section, x, delay, duration, amplitude in given["clamps"]:
    clamp = h.IClamp(sections[section](x))
    clamp.delay, clamp.dur, clamp.amp = delay, duration, amplitude
    clamps.append(clamp)
connections = []
for mechanism, section, x, parameters, weights, times in given["synapses"]:
    point = getattr(h, mechanism)(sections[section](x))
    for parameter, value in parameters.items():
        setattr(point, parameter, value)
    clamps.append(point)
    if times:
        connections.append((h.NetCon(None, point), times))
        for k, weight in enumerate(weights):
            connections[-1][0].weight[k] = weight
points = clamps[len(given["clamps"]) :]
relayed = []
for source, target, delay, weights in given["relays"]:
    relayed.append(h.NetCon(points[source], points[target]))
    relayed[-1].delay = delay
    for k, weight in enumerate(weights):
        relayed[-1].weight[k] = weight
h.celsius, h.dt, h.steps_per_ms, h.secondorder = given["celsius"], given["dt"], 1 / given["dt"], 0
probes = [h.Vector().record(sections[s](x)._ref_v) for s, x in given["probes"]]
time = h.Vector().record(h._ref_t)
section, x = given["spike_site"]
counter = h.NetCon(sections[section](x)._ref_v, None, sec=sections[section])
counter.threshold = given["spike_threshold"]
spikes = h.Vector()
counter.record(spikes)
h.finitialize(given["v_init"])
if given["tune_rest"]:
    for section in sections.values():
        for segment in section:
            total = sum(getattr(segment, current, 0.0) for current in ("ina", "ik", "ica"))
            total += sum(m.i for m in segment if m.name() in ("hd", "Ih"))
            leak = getattr(segment, given["leak"])
            leak.e = segment.v + total / leak.g
    h.finitialize(given["v_init"])
for connection, times in connections:
    for t in times:
        connection.event(t)
while h.t < given["duration"] - given["dt"] / 2:
    h.fadvance()
result |= {"time": np.array(time), "values": np.array([np.array(p) for p in probes])}
result["spikes"] = np.array(spikes)
"""


def run_model(model: Model, path: Path, folder: Path, out: Path) -> NeuronRun:
    """Run a model's experiment in NEURON.

    Parameters
    ----------
    model
        Clamps, points with recorded events, spines, and probes of v are understood.
    path
        Its morphology.
    folder
        Where NEURON has compiled the library.
    out
        A file for the results.
    """
    result = run_script(folder, SCRIPT, described(model, path), out)
    return NeuronRun(result["time"], result["values"], result["spikes"])


def described(model: Model, path: Path) -> dict[str, Any]:
    """The model as plain values, section by section."""
    experiment, tree = model.experiment, model.tree
    site = experiment.spike_site or Site(tree.sections.name[0])
    clamps = [(c.site, c.delay, c.duration, c.amplitude) for c in experiment.stimuli]
    return {
        "path": str(path),
        "leak": neuron_name("pas"),
        **cell_of(model, neuron_name),
        "clamps": [(site.section, site.x, *rest) for site, *rest in clamps],
        "synapses": [
            (
                neuron_name(y.mechanism),
                y.site.section,
                y.site.x,
                dict(y.parameters),
                y.weights,
                list(y.source.times) if isinstance(y.source, SpikeTrain) else [],
            )
            for y in experiment.synapses
        ],
        "relays": [
            (y.source.synapse, number, y.delay, y.weights)
            for number, y in enumerate(experiment.synapses)
            if isinstance(y.source, PointSource)
        ],
        "spines": [
            (s.site.section, s.site.x, shape_of(s.shape), s.taken) for s in experiment.spines
        ],
        "densities": [
            (d.per_um, d.min_distance, shape_of(d.shape)) for d in experiment.spine_density
        ],
        "probes": [(p.site.section, p.site.x) for p in experiment.probes],
        "spike_site": (site.section, site.x),
        **{
            name: getattr(experiment, name)
            for name in ("celsius", "dt", "v_init", "duration", "spike_threshold", "tune_rest")
        },
    }


def shape_of(shape: SpineShape | None) -> tuple[float | None, ...]:
    """The numbers of a spine all of which must be given."""
    assert shape is not None
    assert None not in dataclasses.astuple(shape)
    return dataclasses.astuple(shape)
