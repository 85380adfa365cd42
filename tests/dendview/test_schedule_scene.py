"""What the schedule views draw, as numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dendview.colors import thread_colors
from dendview.schedule_scene import (
    METHOD_TEXTS,
    SPEEDS,
    badge,
    binding_text,
    node_at,
    progress,
    sensible_speed,
    slot_image,
    step_classes,
    visible_slots,
)
from engine.schedule import METHODS, make_schedule
from tests.dendview.schedule_cells import TOY
from tests.strategies import parents


def members(schedule, step, which):
    return set(np.flatnonzero(step_classes(schedule, step) == which).tolist())


def test_toy_is_stepped_as_in_figure_2d():
    schedule = make_schedule(TOY, "dhs", 4)
    assert members(schedule, 0, 1) == {1, 2, 3, 4, 9, 10, 12, 14}
    assert members(schedule, 0, 2) == members(schedule, 0, 3) == set()
    assert members(schedule, 1, 2) == {9, 10, 12, 14}
    assert members(schedule, 1, 1) == {1, 2, 3, 4}  # free too, but not so deep
    assert members(schedule, 2, 3) == {9, 10, 12, 14}
    assert members(schedule, 3, 2) == {2, 3, 4, 8}
    assert members(schedule, 5, 2) == {5}
    assert members(schedule, 5, 0) == {0}
    assert str(progress(schedule, 2)) == "step 2/5 · 4 taken now · 4 done · 3 candidates"
    assert str(progress(schedule, 0)) == "step 0/5 · 8 candidates"


@given(parents(), st.sampled_from(METHODS), st.integers(1, 8), st.data())
@settings(max_examples=80, deadline=None)
def test_classes_follow_from_children_alone(parent, method, k, data):
    schedule = make_schedule(parent, method, k)
    step = data.draw(st.integers(0, schedule.n_step))
    classes = step_classes(schedule, step)
    now = max(step - 1, 0)
    before = set(schedule.node[: schedule.step_start[now]].tolist())
    taken = set(schedule.node[schedule.step_start[now] : schedule.step_start[step]].tolist())
    for i, p in enumerate(parent):
        children = set(np.flatnonzero(parent == i).tolist())
        if p < 0:
            expected = 0
        elif i in before:
            expected = 3
        elif i in taken:
            expected = 2
        else:
            expected = 1 if children <= before else 0
        assert classes[i] == expected
    counted = progress(schedule, step)
    assert counted.taken == np.count_nonzero(classes == 2)
    assert counted.done == np.count_nonzero(classes == 3)
    assert counted.candidates == np.count_nonzero(classes == 1)


def test_slots_are_found_by_step_and_thread():
    schedule = make_schedule(TOY, "branches", 4)
    for node in schedule.node.tolist():
        assert node_at(schedule, int(schedule.step[node]), int(schedule.thread[node])) == node
    assert node_at(schedule, schedule.n_step - 1, 3) == -1
    assert node_at(schedule, -1, 0) == node_at(schedule, schedule.n_step, 0) == -1
    node, step, thread = visible_slots(schedule, -3, 2)
    assert set(step.tolist()) == {0, 1}
    assert node.size == schedule.step_start[2] == thread.size
    assert visible_slots(schedule, 7, 3)[0].size == 0


def test_picture_has_a_pixel_a_slot_and_grays_what_is_idle():
    schedule = make_schedule(TOY, "dhs", 4)
    colors, idle = thread_colors(4), (10, 20, 30)
    picture = slot_image(schedule, colors, idle, (0, 5), (0, 4), (4, 5))
    for thread in range(4):
        for step in range(5):
            busy = node_at(schedule, step, thread) >= 0
            expected = colors[thread] if busy else idle
            np.testing.assert_array_equal(picture[thread, step], expected)
    np.testing.assert_array_equal(
        slot_image(schedule, colors, idle, (2, 4), (1, 3), (2, 2)), picture[1:3, 2:4]
    )


def test_a_pixel_of_many_slots_shows_the_share_that_is_busy():
    schedule = make_schedule(TOY, "dhs", 2)  # 7 full steps of 2
    black, white = np.zeros((2, 3), np.uint8), (255, 255, 255)
    picture = slot_image(schedule, black, white, (0, schedule.n_step), (0, 2), (1, 1))
    assert picture[0, 0, 0] == round(255 * schedule.n_idle / (2 * schedule.n_step))


def test_words():
    assert set(METHOD_TEXTS) == set(METHODS)
    optimal, levels = make_schedule(TOY, "dhs", 4), make_schedule(TOY, "depth_levels", 4)
    assert badge(optimal) == ("5 = bound 5 ✓ optimal", True)
    assert badge(levels) == ("6 · bound 5 (+20 %)", False)
    assert "Depth-bound" in binding_text(optimal)
    assert "from 3 on" in binding_text(optimal)
    assert binding_text(levels).startswith("1 step more than the best schedule, which is depth-bo")
    assert "Work-bound" in binding_text(make_schedule(TOY, "dhs", 2))
    assert "nothing to eliminate" in binding_text(make_schedule(TOY[:1], "dhs", 2))


@pytest.mark.parametrize(("n_step", "speed"), [(5, 1), (150, 10), (6330, 500), (10**6, 5000)])
def test_a_schedule_is_played_in_a_sensible_time(n_step, speed):
    assert sensible_speed(n_step) == speed
    assert speed in SPEEDS
