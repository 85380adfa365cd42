"""check() names the first violation of a schedule that somebody bent."""

from dataclasses import replace

import numpy as np
import pytest

from engine.schedule import Schedule, check, make_schedule

PARENT = np.array([-1, 0, 1, 1, 0, 4], np.int32)


@pytest.fixture
def good() -> Schedule:
    schedule = make_schedule(PARENT, "dhs", 2)  # {5, 2}, {3, 4}, {1}
    check(schedule)
    return schedule


def bent(array, **entries) -> np.ndarray:
    array = array.copy()
    for place, value in entries.items():
        array[int(place[1:])] = value
    return array


def test_violations_are_named(good):
    cases = [
        (replace(good, node=bent(good.node, _0=3)), "node 3 is taken 2 times"),
        (replace(good, node=bent(good.node, _0=0)), "node 0 is a root and is taken"),
        (replace(good, node=bent(good.node, _0=6)), "entry 0 takes node 6"),
        (replace(good, node=good.node[::-1].copy()), "a child must come in an earlier step"),
        (replace(good, step_start=np.array([0, 3, 4, 5], np.int32)), "step 0 takes 3 nodes"),
        (replace(good, step_start=np.array([0, 2, 4], np.int32)), "the steps span entries 0 to 4"),
        (replace(good, step_start=np.array([0, 2, 1, 3, 5], np.int32)), "before it begins"),
        (replace(good, thread=bent(good.thread, _0=0)), "roots have none"),
        (replace(good, thread=bent(good.thread, _2=2)), "node 2 is given thread 2"),
        (replace(good, thread=bent(good.thread, _2=0)), "nodes 5 and 2 are both on thread 0"),
    ]
    for schedule, words in cases:
        with pytest.raises(ValueError, match=words):
            check(schedule)


def test_equal_steps_for_parent_and_child_are_refused(good):
    cable = make_schedule(np.array([-1, 0, 1], np.int32), "dhs", 2)
    together = replace(
        cable, step_start=np.array([0, 2], np.int32), thread=np.array([-1, 0, 1], np.int32)
    )
    with pytest.raises(ValueError, match="node 2 is taken in step 0 and its parent 1 in step 0"):
        check(together)
