"""Run time of the solve: every way solves the same system, and what is measured is told as such."""

from dataclasses import dataclass, field, replace
from itertools import count

import numpy as np
import pytest

from engine.backends.gpu.variants.spiny import with_spines as with_spines_of_the_paper
from engine.errors import UserError
from engine.experiment import Experiment, Insertion
from engine.experiments.cpu_solves import WALKS, CpuSolve, numbers_needed
from engine.experiments.run_time import CPU_WAYS, measure, sizes_that_fit
from engine.experiments.spiny_step import spiny_step, with_spines
from engine.experiments.step_system import StepSystem, passive_step, step_of
from engine.experiments.timings import Job, Way, table
from engine.machine import plain
from engine.model import cut
from engine.schedule import make_schedule
from engine.spines import Spine, SpineDensity, SpineShape, on_spine
from engine.stimuli import Site
from engine.synapses import Synapse
from tests.reference import dense_matrix


@pytest.fixture(scope="module")
def system() -> StepSystem:
    return passive_step(cut(Experiment("sample:spn", nodes="neuron")))


def ticking():
    ticks = count()
    return lambda: float(next(ticks))


def job(system, **settings) -> Job:
    usual = {"sizes": (1, 9), "rounds": 3, "clock": ticking(), "longest": 1e9}
    return Job("spn", system, 4, **(usual | settings))


@pytest.mark.parametrize("walk", WALKS)
@pytest.mark.parametrize("n_cells", [1, 9])
def test_every_walk_solves_every_cell(system, walk, n_cells):
    schedule = make_schedule(system.parent, "dhs", 4)
    solve = CpuSolve(system, walk, n_cells, schedule)
    solve.solve(2)  # a second one begins anew
    inner = np.flatnonzero(system.parent >= 0)
    up = system.parent[inner]
    right = system.r.copy()
    flow = system.a[inner] * (system.v[up] - system.v[inner])
    np.add.at(right, inner, flow)
    np.add.at(right, up, -flow)
    matrix = dense_matrix(system.parent, system.a, system.d)
    expected = np.linalg.solve(matrix, right)
    # condition of a passive step: below 1e4
    np.testing.assert_allclose(solve.solution, np.tile(expected, (n_cells, 1)), rtol=1e-9)


def test_an_order_walked_gives_the_bits_of_serial_hines(system):
    serial = CpuSolve(system, "serial", 1, make_schedule(system.parent, "hines", 1))
    serial.solve()
    for method in ("dhs", "depth_levels", "branches", "permute2"):
        walked = CpuSolve(system, "gather", 2, make_schedule(system.parent, method, 16))
        walked.solve()
        for cell in walked.solution:
            np.testing.assert_array_equal(cell, serial.solution[0])


def test_solves_may_share_their_memory(system):
    schedule = make_schedule(system.parent, "dhs", 4)
    room = np.empty(max(numbers_needed(walk, 9, system.n_comp) for walk in WALKS))
    solves = [CpuSolve(system, walk, 9, schedule, room) for walk in WALKS]
    for solve in solves:
        solve.take_room()
        solve.solve()
        np.testing.assert_allclose(solve.solution[8], solve.solution[0])
        assert np.isfinite(solve.solution).all()


def test_a_processor_is_named_in_few_words():
    assert plain("Intel(R) Xeon(R) CPU E5-2690 v4 @ 2.60GHz") == "Intel Xeon E5-2690 v4 @ 2.60GHz"
    assert plain("AMD EPYC 9474F 48-Core Processor") == "AMD EPYC 9474F 48-Core"


def test_progress_grows_and_the_last_word_is_the_whole_table(system):
    told = list(measure(job(system), no_device="no CUDA device found"))
    fractions = [p.fraction for p in told]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0
    assert fractions[-1] == 1
    assert [p.result.complete for p in told] == [False] * (len(told) - 1) + [True]
    assert len(told) == 2 + 2 * 3 * len(CPU_WAYS)
    result = told[-1].result
    for row in result.rows:
        if row.way.device == "cpu":
            assert [t.n_cells for t in row.timings] == [1, 9]
            assert all(t.rounds == 3 for t in row.timings)
        else:
            assert row.timings == ()
            assert row.missing == "no CUDA device found"
    steps = {row.way.name: row.way.n_step for row in result.rows}
    for name, method in (("cpu-dhs", "dhs"), ("gpu-dhs", "dhs"), ("gpu-permute2", "permute2")):
        assert steps[name] == make_schedule(system.parent, method, 4).n_step
    assert steps["cpu-hines"] == np.count_nonzero(system.parent >= 0)


def test_ways_take_turns_within_a_round(system):
    texts = [p.text for p in measure(job(system, sizes=(2,)))][1:-1]
    n = len(CPU_WAYS)
    assert all("round 1 of 3" in text for text in texts[:n])
    assert len({text.split(" · ")[0] for text in texts[:n]}) == n


def test_median_and_spread_come_from_all_rounds(system):
    ticks = iter(np.cumsum(np.arange(100_000)))  # every measurement takes longer than the last
    told = list(measure(job(system, sizes=(1,), clock=lambda: float(next(ticks)))))
    for row in told[-1].result.rows:
        for t in row.timings:
            assert t.lowest < t.seconds < t.highest
            assert t.ns_per_node == pytest.approx(1e9 * t.seconds / system.n_comp)
            assert t.per_second(0.025) == pytest.approx(40_000 * t.seconds)


def test_closing_ends_the_measuring(system):
    calls = []

    def clock() -> float:
        calls.append(0)
        return float(len(calls))

    steps = measure(job(system, clock=clock))
    for _ in range(3):
        next(steps)
    before = len(calls)
    steps.close()
    assert list(steps) == []
    assert len(calls) == before


def test_sizes_that_do_not_fit_are_left_out_with_the_reason(system):
    room = 8 * 6 * system.n_comp * 50.0
    sizes, why = sizes_that_fit(job(system, sizes=(1, 10, 100), free=room))
    assert sizes == (1, 10)
    assert why.startswith("100 cells need")
    with pytest.raises(UserError, match="cannot be measured"):
        sizes_that_fit(job(system, sizes=(1,), free=100.0))


def test_sizes_that_take_too_long_are_left_out_once_the_machine_is_known(system):
    told = list(measure(job(system, longest=5.0)))  # a cell takes a second
    assert told[-1].result.measured_sizes == (1,)
    assert told[-1].result.complete
    assert told[-1].fraction == 1
    assert told[-1].result.left_out.startswith("from 9 cells on")


@dataclass
class FakeDevice:
    """A device whose solves take as many seconds as there are cells."""

    name: str = "a device"
    asked: list = field(default_factory=list)

    def ways(self, job):
        return (Way("gpu-x", "X", "", "gpu", "dhs", job.n_threads, 7),)

    def seconds(self, way, job, n_cells):
        self.asked.append((way.name, n_cells))
        return float(n_cells) if n_cells < 5 else "9 cells do not fit"


def test_a_device_is_measured_in_the_same_rounds(system):
    device = FakeDevice()
    result = list(measure(job(system), device))[-1].result
    row = result.rows[-1]
    assert [(t.n_cells, t.seconds) for t in row.timings] == [(1, 1.0)]
    assert device.asked == [("gpu-x", 1)] * 3 + [("gpu-x", 9)] * 3
    assert result.devices[1] == "a device"
    assert [r.missing for r in result.rows if r.missing] == ["9 cells do not fit"]


def test_the_table_says_what_is_predicted_and_what_is_measured(system):
    result = list(measure(job(system), no_device="no CUDA device found"))[-1].result
    head, *body = table(result)
    rows = [dict(zip(head, row, strict=True)) for row in body]
    assert len(rows) == 2 * len(result.rows)
    serial = next(r for r in rows if r["variant"] == "Serial Hines" and r["n_cells"] == 9)
    assert serial["predicted_steps"] == 9 * np.count_nonzero(system.parent >= 0)
    assert float(serial["measured_ms_per_solve"]) > 0
    missing = next(r for r in rows if r["device"] == "gpu")
    assert missing["measured_ms_per_solve"] == ""
    assert missing["not_measured_because"] == "no CUDA device found"


FULL = Experiment(
    "sample:spn",
    insertions=(Insertion("pas"),),
    spine_density=(SpineDensity(shape=replace(SpineShape(), ra=150.0)),),
)


def test_spines_as_in_the_publication_are_four_nodes_each():
    """The tree of the benchmark, which has the density's spines alone."""
    system, n_spine = spiny_step(FULL, "neuron")
    tree = with_spines_of_the_paper(cut(replace(FULL, nodes="neuron")))
    assert n_spine == tree.n_spine > 1000
    np.testing.assert_array_equal(system.parent, tree.parent)
    np.testing.assert_allclose(system.a, tree.g_axial, rtol=1e-12)
    expected = step_of(tree.parent, tree.g_axial, tree.area, 0.025)
    np.testing.assert_allclose(system.d, expected.d, rtol=1e-12)


def test_merged_spines_are_neck_and_head_and_an_end_where_something_sits():
    spines = tuple(Spine(Site("dend[3]", x), taken=True) for x in (0.9, 0.95))
    synapse = Synapse(on_spine("end", 1), "ExpSyn")
    system, n_spine = spiny_step(replace(FULL, spines=spines, synapses=(synapse,)), "merged")
    n_comp = cut(replace(FULL, nodes="merged")).n_comp
    assert n_spine == spiny_step(FULL, "neuron")[1]
    assert system.n_comp == n_comp + 2 * n_spine + 1
    first, second = n_comp, n_comp + 2
    parent = system.parent[first : first + 5].tolist()
    assert parent == [parent[0], first, parent[2], second, second + 1]
    assert parent[0] < n_comp > parent[2]
    assert 1 / system.a[first + 1] == pytest.approx(1 / system.a[first] + 1 / system.a[second + 2])
    bare = replace(FULL, spine_density=())
    assert spiny_step(bare, "merged")[0].n_comp == cut(bare).n_comp


def test_a_cell_with_its_spines_is_measured_and_told(system):
    asked = job(system, sizes=(1,), rounds=1, experiment=FULL)
    *_, last = measure(with_spines(asked))
    assert last.result.n_spine > 1000
    assert last.result.n_comp == system.n_comp + 4 * last.result.n_spine
    assert any(row.way.title.endswith("spines as nodes") for row in last.result.rows)
    assert table(last.result)[1][2] == last.result.n_spine
    assert with_spines(job(system)).system is system
