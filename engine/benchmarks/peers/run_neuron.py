"""NEURON and CoreNEURON: time of a step, rate tables off."""

import sys
import time
from typing import Any

from protocol import Round, Task, answer, timed

CORE = "core" in sys.argv[2:]


class Cell:
    """An imported cell whose sections carry its name, so that many can live side by side."""

    all: Any
    soma: Any
    dend: Any

    def __init__(self, h: Any, task: Task, number: int) -> None:
        self.number = number
        reader = h.Import3d_SWC_read()
        reader.quiet = 1
        reader.input(task.swc)
        h.Import3d_GUI(reader, 0).instantiate(self)
        for section in self.all:
            section.nseg, section.cm, section.Ra = task.segments, task.cm, task.ra
            inside = section in self.soma
            if task.case == "passive" or (task.case == "synaptic" and not inside):
                section.insert("pas")
                section.g_pas, section.e_pas = task.g_pas, task.e_pas
            else:
                section.insert("hh")
        self.clamp = h.IClamp(self.soma[0](0.5))
        self.clamp.delay, self.clamp.dur, self.clamp.amp = 0, 1e9, task.amplitude

        self.kept: list[Any] = []
        for branch, x, start in task.synapses() if task.case == "synaptic" else []:
            synapse, source = h.Exp2Syn(self.dend[branch](x)), h.NetStim()
            synapse.tau1, synapse.tau2, synapse.e = task.rise, task.decay, 0
            source.start, source.interval, source.number, source.noise = (
                start,
                task.interval,
                1e9,
                0,
            )
            connection = h.NetCon(source, synapse)
            connection.weight[0], connection.delay = task.weight, 1
            self.kept += [synapse, source, connection]

    def __str__(self) -> str:
        return f"Cell[{self.number}]"


def measure(task: Task) -> tuple[dict[str, Any], Round]:
    import neuron

    if CORE:
        from neuron import coreneuron
    h = neuron.h
    h.load_file("stdrun.hoc")
    h.load_file("import3d.hoc")
    begin = time.perf_counter()
    cells = [Cell(h, task, number) for number in range(task.copies)]
    if task.case != "passive":
        h.usetable_hh = 0
    h.celsius, h.dt = task.celsius, task.dt
    solver = h.ParallelContext()
    solver.nthread(task.threads)
    solver.set_maxstep(10)
    if CORE:
        h.cvode.cache_efficient(1)
        coreneuron.enable, coreneuron.gpu, coreneuron.verbose = True, False, 0
    h.finitialize(task.e_pas)
    built = time.perf_counter() - begin

    n_comp = sum(section.nseg for cell in cells for section in cell.all) // task.copies
    said = {"version": neuron.__version__, "build_s": built, "n_comp": n_comp}

    def advance() -> None:
        assert cells  # they live as long as this function does
        solver.psolve(h.t + task.n_step * task.dt)

    def from_start(n_step: int) -> tuple[float, float]:
        assert cells
        h.finitialize(task.e_pas)
        return timed(lambda: solver.psolve(n_step * task.dt))()

    def long_less_short() -> tuple[float, float]:
        """CoreNEURON copies its model at every call: what a long one takes more than a short."""
        short, long = from_start(1), from_start(task.n_step + 1)
        return max(long[0] - short[0], 0.0), max(long[1] - short[1], 0.0)

    return said, long_less_short if CORE else timed(advance)


answer(measure)
