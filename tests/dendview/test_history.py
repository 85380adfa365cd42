"""Undo and redo."""

from hypothesis import given, settings
from hypothesis import strategies as st

from dendview.history import History

steps = st.lists(st.one_of(st.integers(0, 9), st.sampled_from(["undo", "redo"])), max_size=40)


@given(steps)
@settings(max_examples=100)
def test_history_behaves_as_a_list_with_a_cursor(taken):
    history, states, cursor = History(-1), [-1], 0
    for step in taken:
        if step == "undo":
            history, cursor = history.undo(), max(cursor - 1, 0)
        elif step == "redo":
            history, cursor = history.redo(), min(cursor + 1, len(states) - 1)
        elif step != states[cursor]:
            history = history.add(step)
            states, cursor = [*states[: cursor + 1], step], cursor + 1
        assert history.present == states[cursor]
        assert history.can_undo == (cursor > 0)
        assert history.can_redo == (cursor < len(states) - 1)


def test_the_past_is_bounded_and_forgets_the_oldest():
    history = History(0, limit=3)
    for i in range(1, 10):
        history = history.add(i)
    assert history.past == (6, 7, 8)


def test_the_same_state_again_is_no_step():
    history = History("a").add("b").undo()
    assert history.add("a") is history
    assert history.redo().present == "b"
