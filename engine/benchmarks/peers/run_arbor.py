"""Arbor: time of a step. Run by :mod:`engine.benchmarks.step` in a process of its own."""

import time
from typing import Any

from protocol import CannotError, Task, answer, rounds


def measure(task: Task) -> dict[str, Any]:
    import arbor
    from arbor import units

    if task.case == "synaptic":
        raise CannotError("the synaptic case is not yet part of the benchmark")
    begin = time.perf_counter()
    cell = arbor.load_swc_neuron(task.swc)
    labels = arbor.label_dict({"all": "(all)", "root": "(root)", "middle": "(location 0 0.5)"})
    decor = arbor.decor().set_property(
        Vm=task.e_pas * units.mV,
        cm=task.cm * units.uF / units.cm2,
        rL=task.ra * units.Ohm * units.cm,
        tempK=(task.celsius + 273.15) * units.Kelvin,
    )
    if task.case == "passive":
        leak = arbor.density(f"pas/e={task.e_pas}", g=task.g_pas)
        decor = decor.paint('"all"', leak)
    else:
        decor = decor.set_ion("na", rev_pot=50 * units.mV).set_ion("k", rev_pot=-77 * units.mV)
        decor = decor.paint('"all"', arbor.density("hh"))
    decor = decor.place(
        '"middle"', arbor.i_clamp(0 * units.ms, 1e9 * units.ms, task.amplitude * units.nA)
    )
    policy = arbor.cv_policy_fixed_per_branch(task.segments)
    whole = arbor.cable_cell(cell.morphology, decor, labels, policy)

    class Recipe(arbor.recipe):
        def num_cells(self) -> int:
            return task.copies

        def cell_kind(self, gid: int) -> Any:
            return arbor.cell_kind.cable

        def cell_description(self, gid: int) -> Any:
            return whole

        def global_properties(self, kind: Any) -> Any:
            return arbor.neuron_cable_properties()

        def probes(self, gid: int) -> list[Any]:
            return []

    recipe = Recipe()
    context = arbor.context(threads=task.threads)
    simulation = arbor.simulation(recipe, context, arbor.partition_load_balance(recipe, context))
    built = time.perf_counter() - begin
    done = 0

    def advance() -> None:
        nonlocal done
        done += task.n_step
        simulation.run(done * task.dt * units.ms, task.dt * units.ms)

    return {"version": arbor.__version__, "build_s": built, **rounds(task, advance)}


answer(measure)
