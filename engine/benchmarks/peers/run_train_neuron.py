"""NEURON: time of one sample of the training network, and the somata's last voltages.

The task is a file of JSON: the hidden cell, the synapses with their conductances, the inputs'
spikes. Every neuron and every synapse of the network is there; learning is not, so NEURON does less
than a training would. The mechanism ``Driven`` is compiled in the folder.
"""

import json
import sys
import time
from typing import Any

from neuron_cell import NeuronCell
from protocol import CannotError


def point_cell(h: Any, name: str, point: dict[str, float]) -> Any:
    """An input or output neuron."""
    section = h.Section(name=name)
    section.L = section.diam = point["size"]
    section.cm, section.Ra = point["cm"], 100.0
    section.insert("pas")
    section.g_pas, section.e_pas = point["g"], 0.0
    return section


def measure(given: dict[str, Any]) -> dict[str, Any]:
    import neuron
    from neuron import h

    h.load_file("stdrun.hoc")
    h.load_file("import3d.hoc")
    begin = time.perf_counter()
    point, encoding = given["point"], given["encoding"]
    kept: list[Any] = []
    inputs = []
    for number, spikes in enumerate(given["inputs"]):
        section = point_cell(h, f"input{number}", point)
        inputs.append(section)
        if spikes is not None:
            synapse, stim = h.ExpSyn(section(0.5)), h.NetStim()
            synapse.tau, synapse.e = encoding["tau"], encoding["reversal"]
            stim.start, stim.interval = spikes
            stim.noise, stim.number = 0, 1e9
            connection = h.NetCon(stim, synapse)
            connection.delay, connection.weight[0] = encoding["delay"], encoding["weight"]
            kept.append((synapse, stim, connection))
    outputs = [point_cell(h, f"output{number}", point) for number in range(given["n_out"])]
    somata = []
    for j, synapses in enumerate(given["synapses"]):
        cell = NeuronCell(h, given["cell"], j)
        kept.append(cell)
        section, x = given["soma"]
        somata.append(cell.sections[section](x))
        for number, place, x, g in synapses:
            driven = h.Driven(cell.sections[place](x))
            driven.g = g
            h.setpointer(inputs[number](0.5)._ref_v, "vpre", driven)
            kept.append(driven)
        for number, g in enumerate(given["output_g"][j]):
            driven = h.Driven(outputs[number](0.5))
            driven.g = g
            h.setpointer(somata[-1]._ref_v, "vpre", driven)
            kept.append(driven)
    h.celsius, h.dt, h.secondorder = given["celsius"], given["dt"], 0
    h.steps_per_ms = 1 / given["dt"]
    h.cvode.cache_efficient(1)
    n_step = round(given["duration"] / given["dt"])
    h.finitialize(0.0)
    built = time.perf_counter() - begin
    seconds, spent = [], []
    for _ in range(given["rounds"] + 1):
        h.finitialize(0.0)
        start, cpu = time.perf_counter(), time.process_time()
        for _ in range(n_step):
            h.fadvance()
        seconds.append(time.perf_counter() - start)
        spent.append(time.process_time() - cpu)
    return {
        "version": neuron.__version__,
        "build_s": built,
        "seconds": sorted(seconds[1:])[len(seconds[1:]) // 2],
        "cpu_seconds": sorted(spent[1:])[len(spent[1:]) // 2],
        "hidden": [soma.v for soma in somata],
        "output": [section(0.5).v for section in outputs],
    }


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        given = json.load(file)
    try:
        result = measure(given)
    except (ImportError, CannotError) as error:
        result = {"missing": str(error)}
    print("\n" + json.dumps(result), flush=True)


main()
