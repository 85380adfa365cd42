"""Jaxley in double precision on the CPU: time of a step, compilation apart."""

import os
import time
from typing import Any

from protocol import CannotError, Round, Task, answer, timed


def measure(task: Task) -> tuple[dict[str, Any], Round]:
    if task.case == "synaptic":
        raise CannotError("it has no synapses that events reach")
    os.environ["JAX_PLATFORMS"] = "cpu"
    if task.threads == 1:
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp
    import jaxley as jx
    from jaxley.channels import HH, Leak

    begin = time.perf_counter()
    cell = jx.read_swc(task.swc, ncomp=task.segments)
    cell.set("capacitance", task.cm)
    cell.set("axial_resistivity", task.ra)
    if task.case == "passive":
        cell.insert(Leak())
        cell.set("Leak_gLeak", task.g_pas)
        cell.set("Leak_eLeak", task.e_pas)
    else:
        cell.insert(HH())
    cell.set("v", task.e_pas)
    cell.branch(0).loc(0.5).record(verbose=False)
    current = jnp.full(task.n_step, task.amplitude)
    built = time.perf_counter() - begin

    def one(scale: Any) -> Any:
        data = cell.branch(0).loc(0.5).data_stimulate(current * scale)
        return jx.integrate(cell, data_stimuli=data, delta_t=task.dt)

    many = jax.jit(jax.vmap(one)) if task.copies > 1 else jax.jit(one)
    scale = jnp.ones(task.copies) if task.copies > 1 else jnp.asarray(1.0)
    take = timed(lambda: many(scale).block_until_ready())
    (compiled, _), (once, _) = take(), take()
    said = {"version": jx.__version__, "build_s": built, "compile_s": max(compiled - once, 0.0)}
    return said, take


answer(measure)
