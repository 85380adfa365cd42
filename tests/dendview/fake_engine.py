"""Engines for the process tests, real objects in a real process but with numbers made by hand."""

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from dendview.worker.protocol import (
    Checked,
    Nodes,
    Ready,
    RunStudy,
    Started,
    Trace,
    Tried,
    TriedSpines,
    TrySpines,
)
from dendview.worker.serving import Opened
from engine.errors import UnstableError, UserError
from engine.executor import OwnProcess
from engine.experiment import Experiment
from engine.experiments.spike_probability import Progress as StudyProgress
from engine.experiments.spike_probability import run_study
from engine.experiments.spine_effect import SpineEffect
from engine.experiments.timings import Job, Progress, RunTimes
from engine.recording import Chunk
from engine.stimuli import Site

N_COMP = 5
COMPILE_SECONDS = 1.0


class FakeEngine:
    """Says v = t at every probe; ``experiment.name`` chooses how it behaves."""

    def warm(self) -> Ready:
        return Ready("CPU · fake", 1e-8)

    def open(self, number: int, experiment: Experiment, backend: str) -> Opened:
        if experiment.name == "bad input":
            raise UserError("the cell has no section 'soma[7]'")
        if experiment.name == "slow to build":
            time.sleep(60)
        n_step = round(experiment.duration / experiment.dt)
        every = max(round(experiment.frame_interval / experiment.dt), 1)
        started = Started(
            number,
            "CPU · fake",
            experiment,
            n_time=n_step + 1,
            n_frame=n_step // every + 1,
            n_instance=1,
            probes=tuple(Trace(f"{p.site} {p.variable}", "mV") for p in experiment.probes),
            tree=Nodes(np.arange(N_COMP, dtype=np.int32)),
        )
        return Opened(started, chunks(experiment, n_step))

    def measure(self, job: Job) -> Iterator[Progress]:
        result = RunTimes(job.cell, 2, job.n_threads, (1,), (), ("fake",), "today")
        pieces = 100 if job.cell == "slow" else 10
        for i in range(pieces):
            time.sleep(0.1 if job.cell == "slow" else 0)
            yield Progress(f"piece {i}", i / pieces, result)
        yield Progress("done", 1.0, replace(result, complete=True))

    def check_orders(self, number: int, experiment: Experiment) -> Checked:
        if experiment.name == "bad input":
            raise UserError("the cell has no section 'soma[7]'")
        return Checked(number, 0.0, N_COMP)

    def study(self, work: RunStudy) -> Iterator[StudyProgress]:
        return run_study(work.study, Path(work.folder), pool=OwnProcess(), resume=True)

    def try_spines(self, work: TrySpines) -> TriedSpines:
        effect = SpineEffect(3, 1.9, 72.0, 99.0, Site("dend[0]"), 9.0, 2.0, 0.1)
        return TriedSpines(work.number, effect)

    def try_out(self, number: int) -> Tried:
        return Tried(number, ("✓ CPU: fake.", "✗ No GPU."), "CPU · fake", "there is no GPU")


def chunks(experiment: Experiment, n_step: int, size: int = 100) -> Iterator[Chunk]:
    """``size`` steps a chunk; frames at every ``frame_interval``, a spike every 10 ms."""
    dt, name = experiment.dt, experiment.name
    pause = 0.01 if name in ("slow", "killed") else 0.0
    every = max(round(experiment.frame_interval / dt), 1)
    if name == "compiles":
        time.sleep(COMPILE_SECONDS)
    for first in range(0, n_step, size):
        last = min(first + size, n_step)
        step = np.arange(first + (first > 0), last + 1)
        t = step * dt
        if name == "unstable" and first >= n_step // 2:
            raise UnstableError("voltage at dend[3](0.5) is 4e+05 mV at t = 5 ms; halve dt")
        if name == "killed" and first >= n_step // 4:
            os.kill(os.getpid(), signal.SIGKILL)
        framed = t[step % every == 0]
        spikes = t[(step > 0) & (step % round(10 / dt) == 0)]
        yield Chunk(
            start=first * dt,
            stop=last * dt,
            time=t,
            traces=np.tile(t, (len(experiment.probes), 1, 1)),
            frame_time=framed,
            frames=np.repeat(framed[:, None], N_COMP, axis=1).astype(np.float32),
            spikes=np.column_stack([np.zeros(len(spikes)), spikes]),
            fraction=last / n_step,
        )
        time.sleep(pause)


def load_fake() -> FakeEngine:
    return FakeEngine()


def load_broken() -> FakeEngine:
    raise ImportError("no module named 'engine.simulation'")
