"""Orders of elimination on a device: contraction, twigs, and the published step counts."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.backends.gpu.variants import SolveVariant, prepare
from engine.backends.gpu.variants.contraction import contract
from engine.backends.gpu.variants.layout import lay_contraction, lay_steps
from engine.backends.gpu.variants.serial import solve_fused
from engine.backends.gpu.variants.sources import cuda_source
from engine.backends.gpu.variants.systems import passive_system
from engine.backends.gpu.variants.twigs import find_twigs, twig_length
from engine.backends.gpu.variants.variant import scatter
from engine.compartments import path_distance
from engine.discretize import Rule, discretize
from engine.morphology.model import Tag
from engine.morphology.reading import read_morphology
from engine.morphology.samples import SAMPLES, resolve
from engine.morphology.sections import make_sections
from engine.schedule import make_schedule
from tests.engine.backends.gpu.solve_systems import random_tree, spiny_tree, system_on
from tests.engine.nvrtc import compile_for_device
from tests.engine.schedule.test_cells import tree_of
from tests.engine.shim_device import ShimDevice
from tests.strategies import parents


@settings(max_examples=40, deadline=None)
@given(parents(max_size=120), st.sampled_from([1, 3, 8, 200]))
def test_a_contraction_takes_every_node_once_and_no_neighbors_at_once(parent, k):
    c = contract(parent, k)
    assert sorted(c.node) == np.flatnonzero(parent >= 0).tolist()
    above = {i: int(p) for i, p in enumerate(parent)}
    for s in range(c.n_round):
        taken = c.node[c.round_start[s] : c.round_start[s + 1]].tolist()
        assert 0 < len(taken) <= k
        tips = c.inner_start[s] - c.round_start[s]
        for j, i in enumerate(taken):
            below = [m for m, p in above.items() if p == i]
            assert above[i] == c.above[i]
            assert above[i] not in taken
            assert below == ([] if j < tips else [c.below[i]])
        for i in taken:
            if c.below[i] >= 0:
                above[int(c.below[i])] = above[i]
            del above[i]
    assert c.n_round <= 2 * math.log2(len(parent)) + 2 or k < 200


def test_a_cable_takes_rounds_as_the_logarithm_of_its_length():
    cable = np.arange(-1, 1023, dtype=np.int32)
    assert make_schedule(cable, "dhs", 512).n_step == 1023
    assert contract(cable, 512).n_round == 10
    assert contract(cable, 1).n_round == 1023  # one thread has no time for more than tips


@pytest.mark.parametrize(("name", "rounds"), [
    ("ca1", {16: 97, 32: 51, 64: 29, 128: 18, 256: 13}),
    ("l5b", {16: 55, 32: 30, 64: 18, 128: 13, 256: 11}),
])  # fmt: skip
def test_rounds_of_grown_cells(name, rounds):
    """Counted by a second, slower program; by tips alone CA1 takes 108 steps at best, L5b 84."""
    sample = SAMPLES[name]
    sections = make_sections(read_morphology(resolve(f"sample:{name}")))
    parent = discretize(sections, Rule.parse(sample.rule), nodes="neuron").parent
    assert {k: contract(parent, k).n_round for k in rounds} == rounds


@settings(max_examples=30, deadline=None)
@given(parents(max_size=80), st.integers(1, 4))
def test_twigs_are_unbranched_ends_that_come_first_at_their_hosts(parent, length):
    twigs = find_twigs(parent, length)
    inside = np.zeros(len(parent), bool)
    inside[twigs.node] = True
    assert twigs.count.sum() == len(twigs.node)
    assert len(np.unique(twigs.node)) == twigs.node.size
    assert not inside[twigs.host].any()
    width = twigs.rank_width
    assert width.sum() == len(twigs.node)
    for host in range(len(parent)):
        children = np.flatnonzero(parent == host)[::-1]
        mine = [
            twig for rank, w in enumerate(width)
            for j, twig in enumerate(twigs.node[width[:rank].sum() :][:w])
            if twigs.host[j] == host
        ]  # fmt: skip
        if not inside[host]:
            assert [t[0] for t in mine] == children[: len(mine)].tolist()
            assert not inside[children[len(mine) :]].any()
        for twig in mine:
            assert parent[twig[0]] == host
            assert np.array_equal(parent[twig[1:]], twig[:-1])
            assert not np.isin(parent, twig[-1]).any()


def test_spines_are_recognized_by_their_equal_length():
    assert twig_length(spiny_tree(30, 2)) == 2
    assert twig_length(spiny_tree(30, 4)) == 4
    assert twig_length(np.arange(-1, 20, dtype=np.int32)) == 0  # a cable longer than any twig
    assert twig_length(np.array([-1, -1], np.int32)) == 0


@pytest.mark.parametrize("twig", [0, 2])
def test_layouts_are_permutations_with_lists_in_descending_index(twig):
    parent = spiny_tree(40)
    g_axial = system_on(parent).g_axial
    steps = lay_steps(parent, g_axial, "dhs", 8, twig)
    rounds = lay_contraction(parent, g_axial, 8, twig)
    for layout in (steps, rounds):
        np.testing.assert_array_equal(np.sort(layout.order), np.arange(len(parent)))
        np.testing.assert_array_equal(layout.arrays["axial"], g_axial[layout.order])
        assert layout.n_node == len(parent) if twig == 0 else layout.n_node <= 40
    child, sibling = steps.arrays["child"], steps.arrays["sibling"]
    tree = steps.order[: steps.n_node]
    for place, node in enumerate(tree):
        found, link = [], child[place]
        while link >= 0:
            found.append(tree[link >> 1])
            assert (sibling[link >> 1] >= 0) == bool(link & 1)
            link = sibling[link >> 1]
        assert found == [i for i in np.flatnonzero(parent == node)[::-1] if i in tree]
    for s in range(steps.n_step):  # nobody gathers what is not yet done
        begin, end = steps.arrays["step_start"][s : s + 2]
        assert (child[begin:end] >> 1).max(initial=-1) < begin


def test_l5b_on_a_device_takes_the_published_steps(data_dir):
    tree = tree_of(data_dir / "morphologies/paper/L5bPC_hay2011_cell1.asc", stub=True)
    device, systems = ShimDevice(), [passive_system(tree, copies=2)]
    expected = solve_fused(systems[0])
    for variant, steps in (
        (scatter("dhs-4", "dhs", 4), 211),
        (scatter("dhs-16", "dhs", 16), 83),
        (SolveVariant("dhs-32", "dhs", 32), 83),
        (scatter("permute2", "permute2", 32), 84),
        (scatter("branches", "branches", 16), 487),
        (SolveVariant("permute1", "permute1"), 838),
        (SolveVariant("contract-64", "contract", 64), 18),
    ):
        plan = prepare(systems, variant, device)
        plan.solve()
        assert plan.n_step == steps
        tolerance = 1e-12 * abs(expected).max()
        np.testing.assert_allclose(plan.voltages()[0], [expected] * 2, rtol=0, atol=tolerance)
        if variant.exact:
            np.testing.assert_array_equal(plan.voltages()[0], [expected] * 2)


def full_spine(data_dir):
    """Human cell of Fig. 5 of the paper: 24,994 spines of four nodes on a tree of 1,263."""
    name = "human_L23PC_eyal2018_2013_03_06_cell11_1125_H41_06.ASC"
    tree = tree_of(data_dir / "morphologies/paper" / name, stub=True)
    spiny = (path_distance(tree) > 60) & np.isin(tree.tag, (Tag.BASAL, Tag.APICAL))
    shaft = np.repeat(
        np.arange(tree.n_comp), np.where(spiny, np.floor(1.3 * tree.length), 0).astype(int)
    )
    first = tree.n_comp + 4 * np.arange(shaft.size)
    spines = np.stack([shaft, first, first + 1, first + 2], axis=1)
    return np.concatenate([tree.parent, spines.ravel()]).astype(np.int32)


def test_full_spine_cell(data_dir):
    """1,024 threads take the 107 steps of the schedule; twigs leave those of the bare tree."""
    parent = full_spine(data_dir)
    assert len(parent) == 101_239
    system = system_on(parent)
    expected = solve_fused(system)
    for variant, steps, memory in (
        (SolveVariant("dhs-1024", "dhs", 1024), 107, "global"),
        (SolveVariant("dhs-256-twigs", "dhs", 256, twigs=True), 81, "shared"),
        (SolveVariant("constant", "dhs", 256, twigs=True, constant=True), 81, "shared"),
        (SolveVariant("contract-256-twigs", "contract", 256, twigs=True), 12, "shared"),
    ):
        plan = prepare([system], variant, ShimDevice())
        plan.solve()
        assert (plan.n_step, plan.memory) == (steps, memory)
        if variant.exact:
            np.testing.assert_array_equal(plan.voltages()[0][0], expected)
        else:
            np.testing.assert_allclose(
                plan.voltages()[0][0], expected, rtol=0, atol=1e-12 * abs(expected).max()
            )


def test_a_group_of_small_cells_shares_a_warp():
    systems = [system_on(random_tree(20, 2, seed), seed) for seed in range(5)]
    plan = prepare(systems, scatter("dhs-8", "dhs", 8), ShimDevice())
    assert plan._layout.arrays["group_steps"].size == 2  # type: ignore[attr-defined]
    assert plan._grid == 2  # type: ignore[attr-defined]


@pytest.mark.parametrize("architecture", ["sm_80", "sm_90"])
def test_nvrtc_compiles_every_kernel(architecture):
    texts = {"tools.cu": [""], "permute1.cu": [""]}
    texts["scatter_steps.cu"] = [f"#define WAIT {wait}\n" for wait in (1, 2)]
    define = "#define WAIT {}\n#define SHARED {}\n#define TWIG {}\n#define FACTORED {}\n".format
    steps = [(0, 1, 0, 0), (1, 1, 0, 0), (2, 0, 0, 0), (2, 1, 2, 0), (1, 1, 0, 1), (2, 1, 4, 1)]
    texts["solve_steps.cu"] = [define(*choice) for choice in steps]
    rounds = [(1, 1, 0, 0), (2, 0, 0, 0), (2, 1, 2, 0), (1, 0, 0, 1), (2, 1, 4, 1)]
    texts["solve_contract.cu"] = [define(*choice) for choice in rounds]
    for name, heads in texts.items():
        for head in heads:
            status, log = compile_for_device(head + cuda_source(name), architecture)
            assert status == 0, f"{name} {head}: {log}"
    broken = define(1, 1, 0, 0) + cuda_source("solve_steps.cu").replace("{", "", 1)
    assert compile_for_device(broken, architecture)[0] != 0
