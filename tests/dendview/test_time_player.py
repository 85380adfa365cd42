"""Play, scrub, jump to spikes."""

import pytest
from PyQt6.QtCore import QPoint, Qt

from dendview.state import AppState
from dendview.views.time_player import TICKS, TimePlayer
from tests.dendview.made_runs import busy_experiment, busy_state, made_run


@pytest.fixture
def bench(qtbot):
    """A player wired to its state as the window does it."""
    state = busy_state()
    player = TimePlayer(state)
    qtbot.addWidget(player)
    player.time_chosen.connect(lambda time: setattr(state, "time", time))
    player.play_toggled.connect(lambda: setattr(state, "playing", "" if state.playing else "run"))
    player.resize(800, 44)
    with qtbot.waitExposed(player):
        player.show()
    return state, player


class ScriptedClock:
    """Says that 30 ms have passed whenever it is asked."""

    def restart(self):
        return 30


def test_time_and_length_are_told(bench):
    state, player = bench
    assert player._label.text() == "t = 92.0 of 250 ms"
    assert player._slider.value() == round(TICKS * 92 / 250)
    state.time = 12.34
    assert player._label.text() == "t = 12.3 of 250 ms"


def test_a_click_on_the_slider_goes_there(bench, qtbot):
    state, player = bench
    slider = player._slider
    qtbot.mouseClick(
        slider, Qt.MouseButton.LeftButton, pos=QPoint(slider.width() // 2, slider.height() // 2)
    )
    assert state.time == pytest.approx(125.0, abs=2.0)


def test_arrow_keys_scrub(bench, qtbot):
    state, player = bench
    player._slider.setFocus()
    qtbot.keyClick(player._slider, Qt.Key.Key_Right)
    assert state.time == pytest.approx(92.5, abs=0.05)


def test_jump_from_spike_to_spike(bench):
    state, player = bench
    spikes = state.runs[1].recording.spikes[:, 1]
    state.time = 0.0
    player._next.click()
    assert state.time == spikes[0]
    player._next.click()
    player._next.click()
    player._previous.click()
    assert state.time == spikes[1]
    state.time = 0.0
    player._previous.click()
    assert state.time == 0.0


def test_playing_moves_the_time_at_its_speed_and_stops_at_the_end(bench, qtbot):
    state, player = bench
    player.set_speed(100.0)
    state.time = 0.0
    player._play.click()
    assert state.playing == "run"
    player._timer.stop()
    player._clock = ScriptedClock()
    for done in range(1, 5):
        player._advance()
        assert state.time == pytest.approx(3.0 * done)
    player._timer.start()
    state.time = 249.0
    qtbot.waitUntil(lambda: state.playing == "", timeout=2000)
    assert state.time == 250.0
    assert not player._timer.isActive()


def test_a_hidden_player_does_not_play(bench, qtbot):
    state, player = bench
    state.playing = "run"
    player.hide()
    before = state.time
    qtbot.wait(100)
    assert state.time == before


def test_speed_is_told_once_per_choice(bench, qtbot):
    _, player = bench
    with qtbot.waitSignal(player.speed_chosen) as got:
        player.set_speed(47.0)
    assert got.args == [50.0]
    assert player.speed == 50.0


def test_without_a_run_it_waits(qtbot):
    state = AppState()
    player = TimePlayer(state)
    qtbot.addWidget(player)
    with qtbot.waitExposed(player):
        player.show()
    assert not player.isEnabled()
    assert player._label.text() == "no run yet"
    experiment = busy_experiment()
    state.runs = (made_run(1, experiment, until=10.0),)
    state.shown_run = 1
    assert player.isEnabled()
    assert player._label.text() == "t = 0.0 of 250 ms"  # as long as it will be
