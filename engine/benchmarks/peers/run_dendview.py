"""This engine: time of a step, memory and time to compile."""

import time
from dataclasses import replace
from typing import Any

from protocol import Round, Task, answer, timed

DURATION = 2e4
"""ms, more than all rounds take together."""


def measure(task: Task) -> tuple[dict[str, Any], Round]:
    from engine import __version__
    from engine.backends.batch import BatchRun
    from engine.backends.cpu import CpuBackend, CpuRun
    from engine.discretize import Rule
    from engine.experiment import Experiment, Insertion, Probe
    from engine.model import build
    from engine.stimuli import CurrentClamp, Site
    from engine.synapses import NetStim, Synapse

    soma = Site("soma[0]")
    leak = Insertion("pas", "all", (("g", task.g_pas), ("e", task.e_pas)))
    insertions: tuple[Insertion, ...] = (leak,) if task.case == "passive" else (Insertion("hh"),)
    synapses: tuple[Synapse, ...] = ()
    if task.case == "synaptic":
        insertions = (replace(leak, region="basal"), Insertion("hh", "soma"))
        parameters = (("tau1", task.rise), ("tau2", task.decay), ("e", 0.0))
        synapses = tuple(
            Synapse(
                Site(f"dend[{branch}]", x),
                "Exp2Syn",
                parameters,
                (task.weight,),
                NetStim(task.interval, round(DURATION / task.interval), start),
            )
            for branch, x, start in task.synapses()
        )
    given = Experiment(
        task.swc,
        rule=Rule("fixed", task.segments),
        insertions=insertions,
        synapses=synapses,
        stimuli=(CurrentClamp(soma, 0.0, 1e9, task.amplitude),),
        probes=(Probe(soma),),
        dt=task.dt,
        celsius=task.celsius,
        duration=DURATION,
        n_threads=1,
        method="hines",
    )
    backend = CpuBackend()
    begin = time.process_time()
    small = backend.start(build(given, min(task.copies, 8)), 1)
    small.initialize()
    compiled = time.process_time() - begin
    del small
    begin, spent = time.perf_counter(), time.process_time()
    model = build(given, task.copies)
    run = backend.start(model, task.threads)
    assert isinstance(run, CpuRun | BatchRun)
    run.initialize()
    built, spent = time.perf_counter() - begin, time.process_time() - spent

    def advance() -> None:
        samples = run.advance(task.n_step)
        if samples.bad is not None:
            raise RuntimeError(f"the run became unstable: {samples.bad}")

    said = {
        "version": __version__,
        "compile_s": max(compiled - spent, 0.0),
        "build_s": built,
        "bytes": run.array_bytes,
        "n_comp": model.tree.n_segment,
    }
    return said, timed(advance)


answer(measure)
