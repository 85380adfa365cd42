"""Real trials: as NEURON runs them, and the same whoever runs them beside which others."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from engine.benchmarks.neuron_trials import described
from engine.benchmarks.spike_lab import SCRIPT, same_spikes
from engine.executor import OwnProcess
from engine.experiments.spike_presets import human_cell, preset
from engine.experiments.spike_probability import run_study
from engine.experiments.spike_store import read_run
from engine.experiments.spike_study import CONDITIONS, SpikeStudy, Trial
from engine.experiments.spike_trials import (
    Slice,
    prepare,
    replay,
    replay_run,
    run_slice,
    trial_experiment,
)
from engine.recording import collect

ASC = "morphologies/paper/human_L23PC_eyal2018_2013_03_06_cell11_1125_H41_06.ASC"
WHOLE = preset("paper", conditions=CONDITIONS)
STUDY = replace(WHOLE, cell=replace(WHOLE.cell, duration=570.0))
SHORT = replace(
    WHOLE, cell=replace(WHOLE.cell, duration=70.0), input=replace(WHOLE.input, time=31.4)
)
"""The same with less background before the synapses are reached."""


def in_neuron(study: SpikeStudy, trials: list[Trial], folder: Path, out: Path) -> list[list[float]]:
    task = described([trial_experiment(study, t) for t in trials], prepare(study).sections)
    out.write_text(json.dumps(task))
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(out)], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: list[list[float]] = json.loads(done.stdout.strip().splitlines()[-1])["spikes"]
    return found


def spikes(study: SpikeStudy, *trials: Trial) -> list[list[float]]:
    return [list(outcome.spikes) for outcome in run_slice(Slice(study, trials, "cpu"))]


def test_trials_have_the_spikes_of_neuron(h, compiled_library, tmp_path):
    trials = [Trial("few-distributed", n, k) for n in (110, 120) for k in (0, 1)]
    trials += [Trial("few-clustered", 120, k) for k in (0, 1)]
    ours = spikes(STUDY, *trials)
    theirs = in_neuron(STUDY, trials, compiled_library, tmp_path / "task.json")
    assert {bool(x) for x in ours} == {True, False}
    assert same_spikes(ours, theirs)


@pytest.mark.slow
def test_trials_of_the_published_cell_with_all_its_spines_have_the_spikes_of_neuron(
    h, compiled_library, data_dir, tmp_path
):
    cell = replace(human_cell(str(data_dir / ASC)), duration=570.0)
    study = preset("paper", cell, CONDITIONS)
    assert prepare(study).spines.sum() == 24994
    trials = [Trial("full-distributed", 140, 0), Trial("full-distributed", 165, 0)]
    trials += [Trial("full-clustered", 160, 0)]
    ours = spikes(study, *trials)
    assert {bool(x) for x in ours} == {True, False}
    for trial, mine in zip(trials, ours, strict=True):
        assert same_spikes([mine], in_neuron(study, [trial], compiled_library, tmp_path / "t.json"))


def test_a_trial_is_the_same_beside_any_others_and_in_its_replay():
    trials = [Trial("few-distributed", 150, 0), Trial("few-clustered", 240, 1),
              Trial("few-distributed", 10, 2), Trial("few-distributed", 150, 3),
              Trial("few-clustered", 40, 0)]  # fmt: skip
    together = spikes(SHORT, *trials)
    assert any(together)
    assert spikes(SHORT, *trials[:1]) == together[:1]
    assert spikes(SHORT, *trials[::-1]) == together[::-1]
    shown = collect(*replay_run(SHORT, trials[0]))
    assert shown.origin == replay(SHORT, trials[0])
    assert shown.spikes[:, 1].tolist() == together[0]
    assert shown.values.shape[:2] == (len(shown.origin.probes), 1)
    assert shown.values[1].max() > shown.values[2].max() > -60  # a spine's head above its dendrite
    assert shown.complete
    assert len(shown.frames) > 100


def test_a_study_runs_from_end_to_end(tmp_path):
    study = replace(
        SHORT, conditions=("few-distributed", "full-distributed"), distributed=(10, 200),
        clusters=(), n_trials=4,
    )  # fmt: skip
    list(run_study(study, tmp_path, pool=OwnProcess()))
    found = read_run(tmp_path)[1]
    fired = {
        (c, n): sum(found[Trial(c, n, k)].fired for k in range(4))
        for c in study.conditions
        for n in (10, 200)
    }
    assert fired == {
        ("few-distributed", 10): 0, ("few-distributed", 200): 4,
        ("full-distributed", 10): 0, ("full-distributed", 200): 4,
    }  # fmt: skip
    assert all(o.failed is None for o in found.values())
    times = [t for o in found.values() for t in o.spikes]
    assert min(times) > 31.4
