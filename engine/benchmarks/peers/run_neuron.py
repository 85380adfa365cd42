"""NEURON and CoreNEURON: time of a step, rate tables off."""

import sys
import time
from statistics import median
from typing import Any

from protocol import CannotError, Task, answer, rounds

CORE = "core" in sys.argv[2:]


class Cell:
    """An imported cell whose sections carry its name, so that many can live side by side."""

    all: Any
    soma: Any

    def __init__(self, h: Any, task: Task, number: int) -> None:
        self.number = number
        reader = h.Import3d_SWC_read()
        reader.quiet = 1
        reader.input(task.swc)
        h.Import3d_GUI(reader, 0).instantiate(self)
        for section in self.all:
            section.nseg, section.cm, section.Ra = task.segments, task.cm, task.ra
            if task.case == "passive":
                section.insert("pas")
                section.g_pas, section.e_pas = task.g_pas, task.e_pas
            else:
                section.insert("hh")
        self.clamp = h.IClamp(self.soma[0](0.5))
        self.clamp.delay, self.clamp.dur, self.clamp.amp = 0, 1e9, task.amplitude

    def __str__(self) -> str:
        return f"Cell[{self.number}]"


def measure(task: Task) -> dict[str, Any]:
    import neuron

    if task.case == "synaptic":
        raise CannotError("the synaptic case is not yet part of the benchmark")
    if CORE:
        from neuron import coreneuron
    h = neuron.h
    h.load_file("stdrun.hoc")
    h.load_file("import3d.hoc")
    begin = time.perf_counter()
    cells = [Cell(h, task, number) for number in range(task.copies)]
    if task.case == "hh":
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

    def advance() -> None:
        solver.psolve(h.t + task.n_step * task.dt)

    def from_start() -> None:
        h.finitialize(task.e_pas)
        solver.psolve(task.n_step * task.dt)

    if not CORE:
        taken = rounds(task, advance)
    else:  # copies its model at every call: what a long call takes more than a short one
        long, task.n_step = task.n_step, 1
        short = rounds(task, from_start)
        task.n_step = long + 1
        taken = rounds(task, from_start)
        taken = {k: [max(x - median(short[k]), 0.0) for x in taken[k]] for k in taken}
    n_comp = sum(section.nseg for cell in cells for section in cell.all) // task.copies
    return {"version": neuron.__version__, "build_s": built, "n_comp": n_comp, **taken}


answer(measure)
