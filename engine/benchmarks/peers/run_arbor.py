"""Arbor: time of a step. Run by :mod:`engine.benchmarks.step` in a process of its own."""

import time
from typing import Any

from protocol import Round, Task, answer, timed


def measure(task: Task) -> tuple[dict[str, Any], Round]:
    import arbor
    from arbor import units

    begin = time.perf_counter()
    cell = arbor.load_swc_neuron(task.swc)
    labels = arbor.label_dict({
        "all": "(all)", "soma": "(tag 1)", "dend": "(tag 3)", "middle": "(location 0 0.5)",
    })  # fmt: skip
    decor = arbor.decor().set_property(
        Vm=task.e_pas * units.mV,
        cm=task.cm * units.uF / units.cm2,
        rL=task.ra * units.Ohm * units.cm,
        tempK=(task.celsius + 273.15) * units.Kelvin,
    )
    leak = arbor.density(f"pas/e={task.e_pas}", g=task.g_pas)
    if task.case == "passive":
        decor = decor.paint('"all"', leak)
    else:
        decor = decor.set_ion("na", rev_pot=50 * units.mV).set_ion("k", rev_pot=-77 * units.mV)
        where = '"soma"' if task.case == "synaptic" else '"all"'
        decor = decor.paint(where, arbor.density("hh"))
    synapses = task.synapses() if task.case == "synaptic" else []
    if synapses:
        decor = decor.paint('"dend"', leak)
    branches = cell.morphology.num_branches
    for number, (branch, x, _) in enumerate(synapses):
        kind = arbor.synapse("exp2syn", {"tau1": task.rise, "tau2": task.decay, "e": 0.0})
        decor = decor.place(f"(location {branch % branches} {x})", kind, f"synapse{number}")
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

        def event_generators(self, gid: int) -> list[Any]:
            return [
                arbor.event_generator(
                    f"synapse{number}",
                    task.weight,
                    arbor.regular_schedule((start + 1) * units.ms, task.interval * units.ms),
                )
                for number, (_, _, start) in enumerate(synapses)
            ]

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

    return {"version": arbor.__version__, "build_s": built}, timed(advance)


answer(measure)
