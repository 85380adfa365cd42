"""This engine: time of a step, memory and time to compile."""

import resource
import time
from pathlib import Path
from typing import Any

from protocol import CannotError, Task, answer, rounds


def resident() -> int:
    """Bytes of this process in memory, 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * resource.getpagesize()


def measure(task: Task) -> dict[str, Any]:
    from engine import __version__
    from engine.backends.cpu import CpuBackend
    from engine.discretize import Rule
    from engine.experiment import Experiment, Insertion, Probe
    from engine.model import build
    from engine.stimuli import CurrentClamp, Site

    if task.case == "synaptic":
        raise CannotError("the synaptic case is not yet part of the benchmark")
    soma = Site("soma[0]")
    leak = Insertion("pas", "all", (("g", task.g_pas), ("e", task.e_pas)))
    given = Experiment(
        task.swc,
        rule=Rule("fixed", task.segments),
        insertions=(leak if task.case == "passive" else Insertion("hh"),),
        stimuli=(CurrentClamp(soma, 0.0, 1e9, task.amplitude),),
        probes=(Probe(soma),),
        dt=task.dt,
        celsius=task.celsius,
        duration=1e3,
        n_threads=1,
        method="hines",
    )
    backend = CpuBackend()
    begin = time.perf_counter()
    small = backend.start(build(given, min(task.copies, 8)), 1)
    small.initialize()
    compiled = time.perf_counter() - begin
    del small
    before, begin = resident(), time.perf_counter()
    model = build(given, task.copies)
    run = backend.start(model, task.threads)
    run.initialize()
    built = time.perf_counter() - begin

    def advance() -> None:
        samples = run.advance(task.n_step)
        if samples.bad is not None:
            raise RuntimeError(f"the run became unstable: {samples.bad}")

    taken = rounds(task, advance)
    return {
        "version": __version__,
        "compile_s": max(compiled - built, 0.0),
        "build_s": built,
        "bytes": resident() - before,
        "n_comp": model.tree.n_segment,
        **taken,
    }


answer(measure)
