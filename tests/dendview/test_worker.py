"""The engine's process: real processes, real pipes, real kills."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dendview.worker.process import EngineProcess
from dendview.worker.protocol import (
    Cancel,
    Cancelled,
    Checked,
    CheckOrders,
    Compiling,
    Failed,
    Finished,
    Grown,
    Measure,
    Measured,
    Ping,
    Pong,
    Ready,
    Run,
    Started,
    Stopped,
    Tried,
    TryEngine,
)
from dendview.worker.serving import join
from engine.experiment import Experiment, Probe
from engine.experiments.step_system import StepSystem
from engine.experiments.timings import Job
from engine.stimuli import Site
from tests.dendview.fake_engine import COMPILE_SECONDS, chunks, load_broken, load_fake

ROOT = Path(__file__).parents[2]
SOMA = Site("soma[0]")


def experiment(name: str = "", duration: float = 20.0) -> Experiment:
    return Experiment("sample:toy", name=name, duration=duration, probes=(Probe(SOMA),))


def measuring(cell: str = "") -> Job:
    numbers = np.ones(2)
    parent = np.array([-1, 0], np.int32)
    return Job(cell, StepSystem(parent, numbers, numbers, numbers, numbers), 4)


def listen(engine: EngineProcess, until: type, seconds: float = 20.0) -> list:
    """Everything said up to the first reply of a kind."""
    heard: list = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        heard += engine.poll()
        if any(isinstance(reply, until) for reply in heard):
            return heard
        time.sleep(0.005)
    raise AssertionError(f"no {until.__name__} in {seconds} s, only {heard}")


@pytest.fixture
def engine():
    process = EngineProcess(load_fake)
    process.start()
    listen(process, Ready)
    yield process
    process.close()
    assert not process.alive


def test_a_run_arrives_whole_and_in_order(engine):
    engine.send(Run(7, experiment(duration=500.0)))
    heard = listen(engine, Finished)
    assert isinstance(heard[0], Compiling)
    assert isinstance(heard[1], Started)
    assert heard[1].n_step == 20_000
    assert [trace.label for trace in heard[1].probes] == ["soma[0](0.5) v"]
    whole = join([reply.chunk for reply in heard if isinstance(reply, Grown)])
    np.testing.assert_allclose(whole.time, np.arange(20_001) * 0.025)
    np.testing.assert_array_equal(whole.traces[0, 0], whole.time)
    assert len(whole.frame_time) == 1001
    assert whole.fraction == 1
    assert {reply.number for reply in heard} == {7}


def test_compiling_is_no_part_of_the_time_of_a_run(engine):
    engine.send(Run(1, experiment("compiles")))
    heard = listen(engine, Finished)
    assert isinstance(heard[0], Compiling)
    assert heard[-1].seconds < COMPILE_SECONDS


def test_a_measurement_tells_how_far_it_is_and_ends_whole(engine):
    engine.send(Measure(4, measuring()))
    heard = listen(engine, Finished)
    told = [reply for reply in heard if isinstance(reply, Measured)]
    assert told[-1].progress.fraction == 1
    assert told[-1].progress.result.complete
    assert {reply.number for reply in heard} == {4}


def test_a_cancelled_measurement_keeps_what_it_has(engine):
    engine.send(Measure(4, measuring("slow")))
    listen(engine, Measured)
    engine.send(Cancel(4))
    heard = listen(engine, Cancelled, seconds=2.0)
    told = [reply for reply in heard if isinstance(reply, Measured)]
    assert not told[-1].progress.result.complete
    engine.send(Run(5, experiment()))
    listen(engine, Finished)


def test_orders_are_checked_or_the_reason_told(engine):
    engine.send(CheckOrders(3, experiment()))
    assert listen(engine, Checked)[-1] == Checked(3, 0.0, 5)
    engine.send(CheckOrders(4, experiment("bad input")))
    assert "soma[7]" in listen(engine, Failed)[-1].sentence


def test_the_engines_are_tried_on_demand(engine):
    engine.send(TryEngine(9))
    tried = listen(engine, Tried)[-1]
    assert tried.number == 9
    assert tried.lines == ("✓ CPU: fake.", "✗ No GPU.")


def test_small_chunks_are_joined_before_they_are_sent(engine):
    engine.send(Run(1, experiment("slow", duration=100.0)))  # 40 chunks, one in 10 ms
    grown = [reply for reply in listen(engine, Finished) if isinstance(reply, Grown)]
    assert 2 <= len(grown) <= 25


def test_a_window_that_does_not_fetch_stops_the_engine_not_the_memory(engine):
    engine.send(Run(1, experiment("slow", duration=100.0)))
    time.sleep(0.3)
    assert engine._replies.qsize() <= 64
    assert isinstance(listen(engine, Finished)[-1], Finished)


def test_cancel_is_answered_between_two_chunks(engine):
    engine.send(Run(1, experiment("slow", duration=1e5)))
    listen(engine, Grown)
    engine.send(Cancel(1))
    heard = listen(engine, Cancelled)
    assert not any(isinstance(reply, Finished) for reply in heard)
    engine.send(Run(2, experiment()))
    assert listen(engine, Finished)[-1].number == 2


def test_a_run_cancelled_while_it_waits_never_starts(engine):
    engine.send(Run(1, experiment("slow", duration=1e5)))
    engine.send(Run(2, experiment()))
    listen(engine, Grown)
    engine.send(Cancel(2))
    engine.send(Cancel(1))
    listen(engine, Cancelled)
    time.sleep(0.1)
    engine.send(Run(3, experiment()))
    heard = listen(engine, Finished)
    assert not any(isinstance(reply, Started) and reply.number == 2 for reply in heard)


def test_a_ping_is_answered_in_the_middle_of_a_run(engine):
    engine.send(Run(1, experiment("slow", duration=1e5)))
    listen(engine, Grown)
    engine.send(Ping(42))
    assert Pong(42) in listen(engine, Pong, seconds=1)


@pytest.mark.parametrize(
    ("name", "kind", "part"),
    [
        ("bad input", "input", "no section 'soma[7]'"),
        ("unstable", "unstable", "dend[3](0.5)"),
    ],
)
def test_what_goes_wrong_is_a_sentence_and_the_engine_lives(engine, name, kind, part):
    engine.send(Run(1, experiment(name)))
    failed = listen(engine, Failed)[-1]
    assert failed.kind == kind
    assert part in failed.sentence
    assert "Traceback" in failed.details
    engine.send(Run(2, experiment()))
    assert listen(engine, Finished)[-1].number == 2


def test_a_killed_engine_says_so_once_and_can_be_restarted(engine):
    engine.send(Run(1, experiment("killed")))
    stopped = listen(engine, Stopped)[-1]
    assert stopped.sentence == "Engine stopped (signal 9)."
    assert engine.poll() == []
    assert not engine.alive
    assert not engine.send(Run(2, experiment()))
    engine.restart()
    engine.send(Run(3, experiment()))
    assert listen(engine, Finished)[-1].number == 3


def test_a_restart_ends_an_engine_that_does_not_listen(engine):
    engine.send(Run(1, experiment("slow to build")))
    os.kill(engine.pid, signal.SIGSTOP)
    before = engine.pid
    engine.restart()
    assert engine.pid != before
    engine.send(Run(2, experiment()))
    heard = listen(engine, Finished)
    assert not any(isinstance(reply, Stopped) for reply in heard)


def test_an_engine_that_cannot_load_leaves_its_last_words():
    process = EngineProcess(load_broken)
    process.start()
    stopped = listen(process, Stopped)[-1]
    assert stopped.sentence == "Engine stopped (exit status 1)."
    assert "no module named 'engine.simulation'" in stopped.details


@pytest.mark.parametrize("how", ["kill", "exit"])
def test_the_engine_ends_with_its_window(how):
    program = f"""
import sys, time
from dendview.worker.process import EngineProcess
from tests.dendview.fake_engine import load_fake
if __name__ == "__main__":
    engine = EngineProcess(load_fake)
    engine.start()
    while not engine.poll():
        time.sleep(0.01)
    print(engine.pid, flush=True)
    if {how == "kill"}:
        time.sleep(60)
"""
    window = subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert window.stdout is not None
    worker = int(window.stdout.readline())
    if how == "kill":
        window.kill()
    assert window.wait(5) == (-signal.SIGKILL if how == "kill" else 0)
    end = time.monotonic() + 2
    while Path(f"/proc/{worker}").exists() and time.monotonic() < end:
        time.sleep(0.02)
    assert not Path(f"/proc/{worker}").exists()


def test_joined_chunks_are_the_run():
    parts = list(chunks(experiment(), 800, size=30))
    whole = join(parts)
    assert (whole.start, whole.stop, whole.fraction) == (0.0, 20.0, 1.0)
    assert whole.traces.shape == (1, 1, 801)
    assert whole.frames.shape == (41, 5)
    np.testing.assert_allclose(whole.spikes[:, 1], [10, 20])


def test_the_real_engine_gives_what_it_gives_without_a_pipe(tmp_path):
    from engine.experiment import default_experiment
    from engine.model import build
    from engine.morphology.writing import write_swc
    from engine.recording import RecordingBuilder, collect
    from engine.simulation import simulate
    from engine.stimuli import CurrentClamp
    from tests.dendview.small_cell import small_morphology

    path = tmp_path / "small.swc"
    write_swc(small_morphology(), path)
    asked = replace(
        default_experiment(str(path)),
        duration=30.0,
        stimuli=(CurrentClamp(SOMA, 2.0, 20.0, 0.5),),
        probes=(Probe(SOMA), Probe(Site("apic[1]"))),
    )
    engine = EngineProcess()
    engine.start()
    engine.send(Run(1, asked))
    heard = listen(engine, Finished, seconds=120)  # compiles, where nothing is cached
    engine.close()
    assert isinstance(heard[0], Ready)
    assert 0 < heard[0].rate < 1e-5
    assert isinstance(heard[1], Compiling)
    builder = RecordingBuilder(heard[2])
    for reply in heard[3:-1]:
        builder.append(reply.chunk)
    piped, model = builder.recording(), build(asked)
    here = collect(model, simulate(model))
    assert piped.complete
    assert piped.labels == here.labels
    assert len(piped.spikes) > 0
    for name in ("time", "values", "frame_time", "frames", "spikes", "segment"):
        np.testing.assert_array_equal(getattr(piped, name), getattr(here, name))
