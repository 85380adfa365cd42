"""Every way to solve on a device gives the solution; what gathers gives the serial solve's bits."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.backends.gpu.variants import SolveVariant, TreeSystem, all_variants, prepare
from engine.backends.gpu.variants.serial import solve_fused
from engine.backends.gpu.variants.variant import GATHERED, scatter
from engine.errors import BackendError, UserError
from tests.engine.backends.gpu.solve_systems import (
    mixed_population,
    random_tree,
    spiny_tree,
    system_on,
)
from tests.engine.shim_device import ShimDevice
from tests.reference import dense_matrix
from tests.strategies import tree_systems

SAME = 1e-12
"""Relative to the largest voltage: the condition numbers are below 1e3."""


def solved(systems, variant, device):
    plan = prepare(systems, variant, device)
    plan.solve()
    return plan.voltages()


def check_solution(systems, found, exact):
    for system, cells in zip(systems, found, strict=True):
        assert cells.shape == (system.copies, system.n_comp)
        matrix = dense_matrix(system.parent, system.g_axial, system.diag)
        expected = np.linalg.solve(matrix, system.rhs)
        tolerance = SAME * abs(expected).max()
        np.testing.assert_allclose(cells, [expected] * len(cells), rtol=0, atol=tolerance)
        if exact:
            np.testing.assert_array_equal(cells, [solve_fused(system)] * len(cells))


@pytest.fixture(scope="module")
def shims():
    return [ShimDevice(mode, seed=3) for mode in ("shuffled", "backward")]


@pytest.mark.parametrize("variant", all_variants(), ids=lambda v: v.name)
def test_every_variant_solves_many_cells_of_several_trees(variant, shims):
    systems = mixed_population()
    runs = [solved(systems, variant, shim) for shim in shims]
    check_solution(systems, runs[0], variant.exact)
    if variant.gather:  # the order of the threads makes no difference
        for one, other in zip(*runs, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("method", ["dhs", "contract", "depth_levels"])
@pytest.mark.parametrize("memory", ["shared", "global"])
def test_threads_and_memory_make_no_difference_to_the_bits(method, memory, shims):
    systems = [system_on(random_tree(90, 4), 1, copies=3), system_on(spiny_tree(30, 4), 2)]
    for k in (1, 4, 16, 32, 256):
        variant = SolveVariant(f"{method}-{k}", method, k, memory=memory)
        check_solution(systems, solved(systems, variant, shims[0]), variant.exact)


@pytest.mark.parametrize("twigs", [False, True])
@pytest.mark.parametrize("memory", ["shared", "global"])
def test_kept_factors_of_a_contraction_give_the_bits_of_a_whole_one(twigs, memory, shims):
    systems = [system_on(random_tree(90, 4), 1, copies=3), system_on(spiny_tree(30, 2), 2)]
    whole, kept = (
        solved(
            systems,
            SolveVariant("x", "contract", 64, memory=memory, twigs=twigs, constant=constant),
            shims[0],
        )
        for constant in (False, True)
    )
    for one, other in zip(whole, kept, strict=True):
        np.testing.assert_array_equal(one, other)


@settings(max_examples=25, deadline=None)
@given(tree_systems(), st.sampled_from([1, 4, 16, 32, 256]), st.booleans())
def test_random_forests(system, k, twigs):
    parent, g_axial, diag, rhs = system
    k = 256 if twigs else k  # few kernels to compile
    systems = [TreeSystem(parent, g_axial, diag, rhs, 2)]
    for method in ("dhs",) if twigs else ("dhs", "contract"):
        variant = SolveVariant(f"{method}-{k}", method, k, twigs=twigs)
        check_solution(systems, solved(systems, variant, ShimDevice()), variant.exact)


@pytest.mark.parametrize("k", [1, 4, 16, 32, 256])
@pytest.mark.parametrize("boosted", [True, False])
def test_atomics_with_and_without_boosting(k, boosted, shims):
    systems = mixed_population()
    variant = SolveVariant("dhs", "dhs", k, gather=False, boosted=boosted)
    check_solution(systems, solved(systems, variant, shims[0]), exact=False)


def test_solving_again_and_timing_leave_the_solution_as_it_is():
    systems, device = mixed_population(), ShimDevice()
    device.properties = replace(device.properties, l2_cache=2**14)
    for variant in (scatter("dhs-16", "dhs", 16), *GATHERED[4::6]):
        plan = prepare(systems, variant, device)
        assert plan.time(3) > 0
        assert plan.time_cold(1) > 0
        check_solution(systems, plan.voltages(), variant.exact)


@pytest.mark.parametrize("variant", [v for v in all_variants() if v.name in (
    "dhs-16-gather", "dhs-64-gather", "contract-16", "contract-64", "dhs-16", "dhs-16-unboosted",
)], ids=lambda v: v.name)  # fmt: skip
def test_threads_that_run_at_once(variant):
    systems = [system_on(random_tree(40, 3), 1, copies=2), system_on(random_tree(25, 2), 2)]
    found = solved(systems, variant, ShimDevice("threads"))
    check_solution(systems, found, variant.exact)


def test_a_cell_larger_than_shared_memory_is_solved_in_global_memory():
    small = ShimDevice(shared_memory=4096)
    systems = [system_on(random_tree(600, 4), 1)]
    for method in ("dhs", "contract"):
        plan = prepare(systems, SolveVariant(method, method, 32), small)
        assert plan.memory == "global"
        plan.solve()
        check_solution(systems, plan.voltages(), exact=method == "dhs")
        with pytest.raises(BackendError, match="do not fit in the 3 KiB of shared memory"):
            prepare(systems, SolveVariant(method, method, 32, memory="shared"), small)


def test_what_does_not_fit_is_refused_before_anything_is_sent():
    device = ShimDevice(memory=100_000)
    many = [system_on(random_tree(600, 4), 1, copies=30)]
    for variant in (SolveVariant("dhs", "dhs", 32), scatter("dhs", "dhs", 32)):
        with pytest.raises(BackendError, match="are free"):
            prepare(many, variant, device)
    assert device.memory()[0] == 100_000


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: SolveVariant("x", "dhs", 2000), "x: 2000 threads a cell; choose 1 to 1024"),
        (lambda: SolveVariant("x", "dhs", 24), "choose a power of two"),
        (lambda: SolveVariant("x", "dhs", 16, block=40), "give warps of 32"),
        (lambda: SolveVariant("x", "contract", 16, gather=False), "need gathering"),
        (lambda: SolveVariant("x", "dhs", 16, boosted=False), "for dhs with atomics"),
        (lambda: prepare([], SolveVariant("x", "dhs", 16), ShimDevice()), "nothing to solve"),
        (
            lambda: prepare(
                [system_on(np.array([-1, -1], np.int32))],
                SolveVariant("x", "permute1"),
                ShimDevice(),
            ),
            "permute1 takes cells of one root",
        ),
        (
            lambda: prepare(
                [TreeSystem(np.array([-1]), np.ones(1), np.ones(2), np.ones(1))],
                SolveVariant("x", "dhs"),
                ShimDevice(),
            ),
            "system 0 has 1 nodes and 2 values of diag",
        ),
    ],
)
def test_impossible_wishes_are_refused_in_one_sentence(make, words):
    with pytest.raises(UserError, match=words):
        make()
