"""Runs with traces drawn by hand, for views that want a recording and no engine."""

from dataclasses import replace
from typing import Any

import numpy as np

from dendview.state import AppState, Run
from engine.experiment import Experiment, Probe
from engine.recording import Recording
from engine.stimuli import CurrentClamp, Site
from tests.dendview.small_cell import small_cell, small_experiment

N_COMP = 46


def made_recording(experiment: Experiment, until: float | None = None) -> Recording:
    """Rest, a depolarized plateau during the first clamp, spikes every 12 ms on it."""
    stop = experiment.duration if until is None else until
    time = np.arange(0.0, stop + experiment.dt / 2, experiment.dt)
    clamp = experiment.stimuli[0] if experiment.stimuli else CurrentClamp(Site("soma[0]"))
    on = (time >= clamp.delay) & (time < clamp.delay + clamp.duration)
    phase = np.where(on, (time - clamp.delay) % 12.0, 12.0)
    spike = 95 * np.exp(-(((phase - 4) / 0.6) ** 2)) - 12 * np.exp(-(((phase - 6) / 1.2) ** 2))
    spiking = bool(experiment.stimuli) and clamp.amplitude > 0.2
    values = []
    for i, probe in enumerate(experiment.probes):
        late = np.interp(time - 0.8 * i, time, spike) if spiking else np.zeros_like(time)
        wave = -65.0 + 14 * on * (clamp.amplitude / 0.3) / (1 + 0.3 * i) + late / (1 + 0.35 * i)
        values.append(wave if probe.variable == "v" else np.clip((wave + 65) / 80, 0, 1))
    frame_time = time[:: max(round(experiment.frame_interval / experiment.dt), 1)]
    n_spike = int(clamp.duration // 12) if spiking else 0
    spikes = clamp.delay + 4 + 12 * np.arange(n_spike)
    spikes = spikes[spikes <= stop]
    return Recording(
        time=time,
        values=np.array(values).reshape(len(values), 1, len(time)),
        labels=tuple(f"{probe.site} {probe.variable}" for probe in experiment.probes),
        units=tuple("mV" if probe.variable == "v" else "1" for probe in experiment.probes),
        frame_time=frame_time,
        frames=np.full((len(frame_time), N_COMP), -65, np.float32),
        spikes=np.column_stack([np.zeros(len(spikes)), spikes]),
        segment=np.arange(N_COMP, dtype=np.int32),
        origin=experiment,
        complete=until is None,
    )


def made_run(number: int, experiment: Experiment, until: float | None = None, **how: Any) -> Run:
    state = how.pop("state", "done" if until is None else "running")
    return Run(number, experiment, made_recording(experiment, until), state, 1.0, **how)


def busy_experiment(**fields: Any) -> Experiment:
    """A clamp at the soma, probes on soma, dendrite and axon."""
    experiment = small_experiment(
        stimuli=(CurrentClamp(Site("soma[0]"), 60.0, 120.0, 0.3),),
        probes=(
            Probe(Site("soma[0]")),
            Probe(Site("apic[1]", 0.5)),
            Probe(Site("axon[0]", 0.9)),
        ),
        duration=250.0,
    )
    return replace(experiment, **fields)


def busy_state(**fields: Any) -> AppState:
    """Three runs: one stale behind, one of the same experiment, the last one shown."""
    experiment = busy_experiment(**fields)
    weaker = replace(experiment, stimuli=(replace(experiment.stimuli[0], amplitude=0.1),))
    return AppState(
        cell=small_cell(experiment),
        experiment=experiment,
        perspective="simulate",
        runs=(made_run(3, weaker), made_run(4, experiment)),
        shown_run=4,
        time=92.0,
    )
