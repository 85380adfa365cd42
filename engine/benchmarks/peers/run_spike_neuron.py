"""NEURON and CoreNEURON: time of a trial of the spike lab, and its spikes.

The task is a file of JSON: path, sections, trials. All trials are cells of one process and are
advanced together on one thread.
"""

import json
import sys
import time
from typing import Any

from neuron_cell import NeuronCell
from protocol import CannotError

CORE = "core" in sys.argv[2:]


class Cell(NeuronCell):
    """A trial's cell with its spines and synapses."""

    def __init__(self, h: Any, given: dict[str, Any], number: int) -> None:
        super().__init__(h, given, number)
        self.kept: list[Any] = []
        for section in (self.sections[name] for name in given["sections"]):
            for ion, value in given["reversals"].items():
                if hasattr(section(0.5), ion):
                    setattr(section, ion, value)
        trial = given["trials"][number]
        heads = []
        for section, x, count, shape in trial["spines"]:
            for _ in range(count):
                heads.append(self._spine(h, self.sections[section](x), shape))
        source: dict[float, Any] = {}
        for mechanism, where, x, parameters, weights, times in trial["synapses"]:
            place = heads[where] if isinstance(where, int) else self.sections[where]
            point = getattr(h, mechanism)(place(x))
            for name, value in parameters.items():
                setattr(point, name, value)
            self.kept.append(point)
            for when in times:
                if when not in source:
                    stim = source[when] = h.NetStim()
                    stim.start, stim.number, stim.noise, stim.interval = when, 1, 0, 1e9
                connection = h.NetCon(source[when], point, 0, 0, 0)
                for k, weight in enumerate(weights):
                    connection.weight[k] = weight
                self.kept.append(connection)
        self.kept.append(source)
        section, x = given["spike_site"]
        self.watched = self.sections[section]
        self.detector = h.NetCon(self.watched(x)._ref_v, None, sec=self.watched)
        self.detector.threshold = given["spike_threshold"]

    def _spine(self, h: Any, up: Any, shape: dict[str, list[float]]) -> Any:
        for part in ("neck", "head"):
            length, diameter, cm, g, e, ra = shape[part]
            section = h.Section(name=f"{part}{len(self.kept)}", cell=self)
            section.L, section.diam, section.cm, section.Ra = length, diameter, cm, ra
            section.insert("pas")
            section.g_pas, section.e_pas = g, e
            section.connect(up)
            up = section(1)
            self.kept.append(section)
        return section


def measure(given: dict[str, Any]) -> dict[str, Any]:
    import neuron
    from neuron import h

    if CORE:
        from neuron import coreneuron
    h.load_file("stdrun.hoc")
    h.load_file("import3d.hoc")
    begin = time.perf_counter()
    cells = [Cell(h, given, number) for number in range(len(given["trials"]))]
    h.celsius, h.dt = given["celsius"], given["dt"]
    pc = h.ParallelContext()
    pc.nthread(1)
    for cell in cells:
        pc.set_gid2node(cell.number, pc.id())
        pc.cell(cell.number, cell.detector)
        pc.threshold(cell.number, given["spike_threshold"])
    times, ids = h.Vector(), h.Vector()
    pc.spike_record(-1, times, ids)
    pc.set_maxstep(10)
    if CORE:
        h.cvode.cache_efficient(1)
        coreneuron.enable, coreneuron.gpu, coreneuron.verbose = True, False, 0
    h.finitialize(given["v_init"])
    built = time.perf_counter() - begin

    def run(until: float) -> tuple[float, float]:
        times.resize(0)
        ids.resize(0)
        h.finitialize(given["v_init"])
        start, spent = time.perf_counter(), time.process_time()
        pc.psolve(until)
        return time.perf_counter() - start, time.process_time() - spent

    short = run(given["dt"]) if CORE else (0.0, 0.0)  # it copies its model at every call
    wall, cpu = run(given["duration"])
    return {
        "version": neuron.__version__,
        "build_s": built,
        "seconds": wall - short[0],
        "cpu_seconds": cpu - short[1],
        "spikes": [
            sorted(t for t, i in zip(times, ids, strict=True) if i == cell.number) for cell in cells
        ],
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
