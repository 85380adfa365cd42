"""Runs over the engine's process: a scripted worker for the rules, real processes for the kills."""

import os
import signal
import time
from dataclasses import replace

import numpy as np
import pytest

from dendview.controllers.run import RunController
from dendview.runs import estimate
from dendview.worker import protocol
from dendview.worker.process import EngineProcess
from engine.experiment import Probe
from engine.stimuli import Site
from tests.dendview.fake_engine import FakeEngine, load_fake
from tests.dendview.small_cell import small_cell, small_experiment, small_state


class ScriptedWorker:
    """Says what it is told to say; remembers what it was sent."""

    def __init__(self) -> None:
        self.alive = True
        self.sent: list = []
        self.replies: list = []
        self.restarts = 0

    def start(self) -> None:
        self.alive = True

    def send(self, command) -> bool:
        self.sent.append(command)
        return self.alive

    def poll(self) -> list:
        replies, self.replies = self.replies, []
        return replies

    def restart(self) -> None:
        self.restarts += 1

    def close(self) -> None:
        self.alive = False


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def bench():
    state, worker, clock = small_state(duration=100.0), ScriptedWorker(), Clock()
    return state, worker, clock, RunController(state, worker, clock=clock)


def opened(command: protocol.Run):
    """What the fake engine makes of a command: Started and all its chunks."""
    made = FakeEngine().open(command.number, command.experiment, command.backend)
    return made.started, list(made.chunks)


def test_a_run_grows_and_is_saved(bench):
    state, worker, clock, controller = bench
    controller.start()
    (command,) = worker.sent
    assert command.experiment.probes == (Probe(Site("soma[0]")),)  # recorded by itself
    assert state.experiment.probes == ()
    assert state.job.fraction is None
    started, chunks = opened(command)
    worker.replies = [started]
    controller.poll()
    assert state.shown_run == 1
    assert state.color_by == "voltage"
    seen = []
    state.events.runs.connect(lambda runs: seen.append(len(runs[-1].recording.time)))
    for chunk in chunks:
        clock.now += 0.02
        worker.replies = [protocol.Grown(command.number, chunk)]
        controller.poll()
    assert seen == sorted(seen)
    assert len(seen) <= len(chunks) * 0.02 / 0.05 + 1  # at most 20 times a second
    assert state.job.fraction > 0.8
    assert state.job.remaining < clock.now
    assert state.job.text == "Run 1: 98 of 100 ms" or state.job.text.endswith("of 100 ms")
    assert state.time > 90
    worker.replies = [protocol.Finished(command.number, 2.8)]
    controller.poll()
    (run,) = state.runs
    assert run.state == "done"
    assert run.recording.complete
    assert run.experiment is state.experiment
    assert run.recording.time[-1] == pytest.approx(100.0)
    assert state.message.text == "Done in 2.8 s · saved as Run 1"
    assert state.job is None
    assert state.time == pytest.approx(100.0)


def test_growing_copies_nothing(bench):
    state, worker, clock, controller = bench
    controller.start()
    started, chunks = opened(worker.sent[0])
    worker.replies = [started, protocol.Grown(1, chunks[0])]
    clock.now = 1.0
    controller.poll()
    first = state.runs[0].recording
    worker.replies = [protocol.Grown(1, chunks[1])]
    clock.now = 2.0
    controller.poll()
    assert np.shares_memory(first.values, state.runs[0].recording.values)


def test_cancel_is_acknowledged_at_once_and_keeps_what_is_done(bench):
    state, worker, _clock, controller = bench
    controller.start()
    started, chunks = opened(worker.sent[0])
    worker.replies = [started, *(protocol.Grown(1, c) for c in chunks[:10])]
    controller.poll()
    controller.cancel()
    assert state.job.cancelling
    assert state.job.text == "Stopping…"
    assert worker.sent[-1] == protocol.Cancel(1)
    controller.cancel()
    assert len(worker.sent) == 2
    worker.replies = [protocol.Grown(1, chunks[10]), protocol.Cancelled(1, 0.5)]
    controller.poll()
    (run,) = state.runs
    assert run.state == "cancelled"
    assert not run.recording.complete
    assert state.message.text == "Stopped at 27.5 ms — kept as partial Run 1"
    assert state.message.action == "discard_run"
    controller.discard(1)
    assert state.runs == ()
    assert state.shown_run is None
    assert state.message.text == "Run 1 discarded."


def test_an_engine_deaf_to_cancel_is_restarted_after_two_seconds(bench):
    state, worker, clock, controller = bench
    controller.start()
    controller.cancel()
    clock.now = 1.9
    controller.poll()
    assert worker.restarts == 0
    clock.now = 2.1
    controller.poll()
    assert worker.restarts == 1
    assert state.job is None
    assert state.runs == ()
    assert "nothing was kept" in state.message.text


def test_an_unstable_run_names_the_place_and_offers_half_the_step(bench):
    state, worker, _clock, controller = bench
    controller.start()
    started, chunks = opened(worker.sent[0])
    sentence = "voltage at dend[3](0.5) is 4e+05 mV at t = 5 ms; halve dt"
    worker.replies = [
        started,
        protocol.Grown(1, chunks[0]),
        protocol.Failed(1, sentence, "Traceback", "unstable"),
    ]
    controller.poll()
    assert state.runs[0].state == "failed"
    assert state.runs[0].message == sentence
    assert (state.message.kind, state.message.action) == ("error", "halve_dt")


def test_another_cell_ends_the_run_and_numbers_begin_anew(bench):
    state, worker, _clock, controller = bench
    controller.start()
    started, chunks = opened(worker.sent[0])
    worker.replies = [started]
    controller.poll()
    state.runs, state.shown_run = (), None
    state.experiment = None
    state.cell = small_cell()
    state.experiment = small_experiment()
    assert worker.sent[-1] == protocol.Cancel(1)
    assert state.job is None
    controller.start()
    assert worker.sent[-1].number == 2  # never used twice on the pipe
    worker.replies = [protocol.Grown(1, chunks[0]), protocol.Finished(1, 1.0)]
    controller.poll()
    assert state.runs == ()
    worker.replies = [opened(worker.sent[-1])[0]]
    controller.poll()
    assert [run.number for run in state.runs] == [1]


def test_slow_views_are_given_less_to_draw(bench):
    state, worker, clock, controller = bench
    controller.start()
    started, chunks = opened(worker.sent[0])
    worker.replies = [started]
    controller.poll()
    published = []
    state.events.runs.connect(lambda _: published.append(clock.now))
    for chunk in chunks:
        clock.now += 0.12  # every drawing keeps the window from polling
        worker.replies = [protocol.Grown(1, chunk)]
        controller.poll()
    assert np.diff(published).min() > 0.2
    assert np.diff(published).max() < 0.4


def test_scrubbing_a_growing_run_stops_following(bench):
    state, worker, clock, controller = bench
    controller.start()
    started, chunks = opened(worker.sent[0])
    worker.replies = [started, protocol.Grown(1, chunks[0])]
    clock.now = 1.0
    controller.poll()
    controller.set_time(1.0)
    worker.replies = [protocol.Grown(1, chunks[1])]
    clock.now = 2.0
    controller.poll()
    assert state.time == 1.0
    controller.set_time(1e9)
    assert state.time == pytest.approx(5.0)


def test_play_starts_over_at_the_end(bench):
    state, worker, _clock, controller = bench
    controller.toggle_play()
    assert state.playing == ""
    controller.start()
    started, chunks = opened(worker.sent[0])
    worker.replies = [
        started,
        *(protocol.Grown(1, chunk) for chunk in chunks),
        protocol.Finished(1, 1.0),
    ]
    controller.poll()
    controller.toggle_play()
    assert (state.playing, state.time) == ("run", 0.0)
    controller.toggle_play()
    assert state.playing == ""


def test_the_preflight_learns_from_runs(bench):
    state, worker, _clock, controller = bench
    assert state.preflight == "46 comp × 4\u202f000 steps · CPU · 101 kB"
    worker.replies = [protocol.Ready("CPU · 2 threads", 1e-5)]
    controller.poll()
    assert state.engine == "CPU · 2 threads"
    assert "~1.8 s on CPU" in state.preflight
    controller.start()
    started, chunks = opened(worker.sent[0])
    worker.replies = [started, protocol.Grown(1, chunks[0]), protocol.Finished(1, 40.0)]
    controller.poll()
    rate = 40.0 / (started.tree.n_comp * started.n_step)
    expected = estimate(state.cell, state.experiment, rate)
    assert str(expected) == state.preflight
    assert "min on CPU" in state.preflight


def test_without_a_cell_nothing_runs():
    from dendview.state import AppState

    state = AppState()
    RunController(state, ScriptedWorker()).start()
    assert state.job is None
    assert state.message.text == "Open a cell before you run."


# With real processes


@pytest.fixture
def real():
    state = small_state(duration=1000.0, probes=(Probe(Site("soma[0]")),))
    controller = RunController(state, EngineProcess(load_fake))
    controller.warm()
    yield state, controller
    controller.close()


def follow(controller: RunController, until, seconds: float = 20.0) -> None:
    """Poll as the window's timer does."""
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, "it did not happen in time"
        controller.poll()
        time.sleep(0.01)


def test_a_killed_engine_leaves_the_window_its_partial_run(real):
    from dataclasses import replace

    state, controller = real
    state.experiment = replace(state.experiment, name="slow", duration=1e5)
    controller.start()
    follow(controller, lambda: state.runs and len(state.runs[0].recording.time) > 500)
    os.kill(controller._worker.pid, signal.SIGKILL)
    follow(controller, lambda: state.job is None)
    assert state.message.text == "Engine stopped (signal 9)."
    assert state.message.action == "restart_engine"
    assert state.runs[0].state == "failed"
    assert not state.runs[0].recording.complete
    assert len(state.runs[0].recording.time) > 500
    np.testing.assert_array_equal(
        state.runs[0].recording.values[0, 0], state.runs[0].recording.time
    )
    controller.restart()
    follow(controller, lambda: state.engine == "CPU · fake")
    state.experiment = replace(state.experiment, name="", duration=50.0)
    controller.start()
    follow(controller, lambda: state.job is None)
    assert [run.state for run in state.runs] == ["failed", "done"]


def test_after_a_crash_the_next_run_starts_the_engine_by_itself(real):
    state, controller = real
    follow(controller, lambda: state.engine == "CPU · fake")
    os.kill(controller._worker.pid, signal.SIGSEGV)
    follow(controller, lambda: state.engine == "Engine stopped")
    assert state.message.text == "Engine stopped (signal 11)."
    controller.start()
    follow(controller, lambda: state.job is None)
    assert state.runs[-1].state == "done"


def test_cancel_is_told_at_once_and_heard_by_the_engine(real):
    from dataclasses import replace

    state, controller = real
    state.experiment = replace(state.experiment, name="slow", duration=1e5)
    controller.start()
    follow(controller, lambda: state.runs and len(state.runs[0].recording.time) > 500)
    worker = controller._worker.pid
    controller.cancel()
    assert state.job.cancelling  # told before the engine has answered
    follow(controller, lambda: state.job is None)
    assert state.runs[0].state == "cancelled"
    assert controller._worker.pid == worker  # it listened; nobody had to end it


def test_an_engine_busy_building_is_ended_by_a_cancel(real):
    from dataclasses import replace

    state, controller = real
    follow(controller, lambda: state.engine == "CPU · fake")
    state.experiment = replace(state.experiment, name="slow to build")
    controller.start()
    begin = time.monotonic()
    follow(controller, lambda: time.monotonic() - begin > 0.3)  # it is building by now
    worker = controller._worker.pid
    controller.cancel()
    assert state.job.text == "Stopping…"
    follow(controller, lambda: state.job is None)
    assert controller._worker.pid != worker  # it builds for a minute and was not waited for
    state.experiment = replace(state.experiment, name="", duration=50.0)
    controller.start()
    follow(controller, lambda: state.job is None)
    assert state.runs[-1].state == "done"


def test_a_run_that_fell_back_to_the_cpu_says_so_once_for_each_reason(bench):
    state, worker, _, controller = bench
    details = []
    for reason in ("the kernel does not compile", "the kernel does not compile", ""):
        controller.start()
        started, chunks = opened(worker.sent[-1])
        number = worker.sent[-1].number
        worker.replies = [replace(started, note=reason), protocol.Grown(number, chunks[0])]
        worker.replies += [protocol.Grown(number, chunk) for chunk in chunks[1:]]
        worker.replies.append(protocol.Finished(number, 1.0))
        controller.poll()
        assert state.message.text.startswith("Done in 1.0 s")
        details.append(state.message.details)
        assert state.engine_note == reason
    assert details == ["the kernel does not compile.", "", ""]
