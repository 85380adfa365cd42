"""Every method on trees small enough to think through, and on every random tree."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import UserError
from engine.schedule import METHODS, check, make_schedule, threads_needed
from engine.schedule.topology import Topology, make_topology
from tests.reference import subtree_sizes
from tests.strategies import parents

TOY = np.array([-1, 0, 0, 0, 0, 0, 5, 6, 6, 7, 7, 8, 11, 8, 13], np.int32)
"""The 15 compartments of Fig. 2d in Zhang et al. 2023."""


def steps(schedule) -> list[set[int]]:
    return [set(part.tolist()) for part in np.split(schedule.node, schedule.step_start[1:-1])]


def test_toy_partition_is_that_of_figure_2d():
    schedule = make_schedule(TOY, "dhs", 4)
    assert steps(schedule) == [{9, 10, 12, 14}, {1, 7, 11, 13}, {2, 3, 4, 8}, {6}, {5}]
    assert (schedule.n_step, schedule.bound, schedule.n_serial) == (5, 5, 14)
    assert schedule.n_idle == 4 * 5 - 14
    assert schedule.binds == "depth"


def test_serial_hines_runs_down_the_index():
    schedule = make_schedule(TOY, "hines", 4)
    assert schedule.node.tolist() == list(range(14, 0, -1))
    assert set(schedule.thread[1:]) == {0}
    assert schedule.n_idle == 3 * 14


def test_levels_are_cut_into_chunks():
    assert steps(make_schedule(TOY, "depth_levels", 4)) == [
        {12, 14},
        {9, 10, 11, 13},
        {7, 8},
        {6},
        {1, 2, 3, 4},
        {5},
    ]
    assert make_schedule(TOY, "height_levels", 8).n_step == 5  # 8 tips, 3 above them, 8, 6, 5
    assert make_schedule(TOY, "height_levels", 7).n_step == 6


def test_branches_wait_for_the_largest_group_then_the_trunk():
    #       0 - 1 - 2 - (three branches of 5, 6 and 7 nodes)
    parent = [-1, 0, 1]
    for length in (5, 6, 7):
        parent += [2, *range(len(parent), len(parent) + length - 1)]
    schedule = make_schedule(np.array(parent), "branches", 3)
    assert schedule.n_step == 7 + 2
    assert schedule.width.tolist() == [3] * 5 + [2, 1, 1, 1]
    assert schedule.thread[1] == schedule.thread[2] == schedule.thread[-1]
    two = make_schedule(np.array(parent), "branches", 2)  # 5 and 7 share a thread
    assert two.n_step == 12 + 2


def branches_one_by_one(tree: Topology, n_threads: int) -> dict[int, tuple[int, int]]:
    """Step and thread of every node: cell after cell, node after node."""
    children = [tree.child[a:b].tolist() for a, b in pairwise(tree.child_start.tolist())]
    found, offset = {}, 0
    for root in tree.root.tolist():
        inside = [root]
        for node in inside:
            inside += children[node]
        split = max(inside, key=lambda n: sum(tree.size[c] > 4 for c in children[n]))  # the first
        load, thread_of = [0] * n_threads, {}
        for top in children[split]:
            least = load.index(min(load))
            load[least] += int(tree.size[top])
            thread_of[top] = least
        most, next_step = load.index(max(load)), [offset] * n_threads
        trunk = []
        for node in reversed(inside[1:]):
            above = node
            while above not in thread_of and tree.parent[above] >= 0:
                above = int(tree.parent[above])
            if (own := thread_of.get(above)) is None:
                trunk.append(node)
            else:
                found[node] = next_step[own], own
                next_step[own] += 1
        found |= {node: (next_step[most] + i, most) for i, node in enumerate(trunk)}
        offset = next_step[most] + len(trunk)
    return found


@given(parents(max_size=80), st.sampled_from([1, 2, 3, 16]))
@settings(max_examples=40)
def test_branches_are_those_found_one_by_one(parent, n_threads):
    schedule = make_schedule(parent, "branches", n_threads)
    expected = branches_one_by_one(make_topology(parent), n_threads)
    nodes = np.flatnonzero(parent >= 0).tolist()
    assert {n: (schedule.step[n], schedule.thread[n]) for n in nodes} == expected


def test_cells_stand_side_by_side_in_permute1_and_one_after_another_in_branches():
    cells = np.concatenate([TOY, np.where(TOY < 0, -1, TOY + 15)])
    assert make_schedule(cells, "permute1", 2).n_step == 14
    assert make_schedule(cells, "permute1", 1).n_step == 28
    assert make_schedule(TOY, "permute1", 8).n_step == 14
    assert (
        make_schedule(cells, "branches", 4).n_step == 2 * make_schedule(TOY, "branches", 4).n_step
    )


def test_permute2_moves_tips_between_a_node_and_its_child():
    # a cable of 4 with 3 tips on its root: without them every step would take one node
    parent = np.array([-1, 0, 0, 0, 0, 4, 5, 6])
    assert make_schedule(parent, "permute2", 2).n_step == 4
    assert make_schedule(np.array([-1, 0, 1, 2, 3]), "permute2", 2).n_step == 4


@given(parents(), st.sampled_from(METHODS), st.integers(1, 40))
@settings(max_examples=100, deadline=None)
def test_every_method_makes_a_valid_schedule_no_shorter_than_the_bound(parent, method, k):
    schedule = make_schedule(parent, method, k)
    check(schedule)
    assert schedule.n_step >= schedule.bound


@given(parents(max_size=100), st.integers(1, 40))
@settings(max_examples=100, deadline=None)
def test_dhs_meets_the_bound_on_every_tree(parent, k):
    schedule = make_schedule(parent, "dhs", k)
    assert schedule.optimal
    assert schedule.n_idle == k * schedule.n_step - np.count_nonzero(parent >= 0)
    assert np.all(np.diff(schedule.thread[schedule.node]) <= 1)  # 0, 1, 2, ... in every step
    assert np.all(np.diff(schedule.width[:-1]) <= 0)  # a thread once idle stays so
    enough = threads_needed(parent)
    assert make_schedule(parent, "dhs", min(enough, 1024)).n_step == schedule.depth
    if enough > 1:
        assert make_schedule(parent, "dhs", enough - 1).n_step > schedule.depth


@given(parents())
@settings(max_examples=60, deadline=None)
def test_topology_sorts_children_by_size_and_counts_breadth_first(parent):
    tree = make_topology(parent)
    assert tree.size.tolist() == subtree_sizes(parent)
    assert np.all(np.diff(tree.depth[tree.order]) >= 0)
    for i in range(len(parent)):
        mine = tree.child[tree.child_start[i] : tree.child_start[i + 1]]
        assert sorted(mine) == np.flatnonzero(parent == i).tolist()
        assert np.all(np.diff(tree.size[mine]) >= 0)


@given(parents(forest=False), st.integers(1, 8), st.randoms())
@settings(max_examples=60, deadline=None)
def test_numbering_of_the_nodes_does_not_matter_to_the_steps(parent, k, random):
    """Equal cells get equal schedules: widths follow from the shape alone."""
    number = {0: 0}
    free = np.flatnonzero(parent == 0).tolist()
    while free:  # another numbering with parents first
        i = free.pop(random.randrange(len(free)))
        number[i] = len(number)
        free += np.flatnonzero(parent == i).tolist()
    other = np.full(len(parent), -1)
    for i in range(1, len(parent)):
        other[number[i]] = number[int(parent[i])]
    for method in ("dhs", "permute2", "branches", "depth_levels", "height_levels"):
        one, two = make_schedule(parent, method, k), make_schedule(other, method, k)
        assert one.width.tolist() == two.width.tolist()


def test_wide_and_tiny_trees():
    star = np.array([-1] + [0] * 50_000)
    for method in METHODS:
        schedule = make_schedule(star, method, 1024)
        check(schedule)
        assert schedule.n_step == (50_000 if method in ("hines", "permute1") else 49)
    for method in METHODS:
        alone = make_schedule(np.array([-1, -1]), method, 3)
        check(alone)
        assert (alone.n_step, alone.bound, alone.n_idle, alone.occupancy) == (0, 0, 0, 1)


@pytest.mark.parametrize(
    ("tree", "method", "k", "words"),
    [
        (TOY, "dhs", 0, "cannot be given 0 threads; choose 1 to 1024"),
        (TOY, "dhs", 1025, "choose 1 to 1024"),
        (TOY, "dhs", 2.5, "must be a whole number; 2.5 is not"),
        (TOY, "dsh", 4, "no schedule method 'dsh'; choose one of hines"),
        ([-1, 2, 1], "dhs", 4, "node 1 has parent 2, which does not come before it"),
        ([-1, 1], "dhs", 4, "without loops"),
        ([-1, 9], "dhs", 4, "node 1 has parent 9, which is not a node of the tree"),
        ([-1, -2], "dhs", 4, "or -1 for a root"),
        ([], "dhs", 4, "list of parent indices"),
        ([0.5, 1.0], "dhs", 4, "float64"),
    ],
)
def test_impossible_input_is_refused_in_one_sentence(tree, method, k, words):
    with pytest.raises(UserError, match=words):
        make_schedule(np.array(tree), method, k)
