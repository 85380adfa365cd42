"""The benchmark of trials: what it asks of other programs is what the engine runs."""

import numpy as np

from engine.benchmarks.neuron_trials import described, write_mechanisms
from engine.benchmarks.spike_lab import answer_of, report, same_spikes
from engine.experiments.spike_presets import SPINE, preset
from engine.experiments.spike_study import Trial
from engine.experiments.spike_trials import prepare, trial_experiment

STUDY = preset("paper", conditions=("few-distributed", "full-distributed"))


def test_a_trial_is_described_with_its_spines_synapses_and_membrane(tmp_path):
    for condition, n_spine in (("few-distributed", 25), ("full-distributed", 25183)):
        trials = [Trial(condition, 25, k) for k in range(2)]
        experiments = [trial_experiment(STUDY, trial) for trial in trials]
        task = described(experiments, prepare(STUDY).sections)
        for given, row in zip(experiments, task["trials"], strict=True):
            assert abs(sum(spine[2] for spine in row["spines"]) - n_spine) <= 2
            for spine, (_, _, count, shape) in zip(given.spines, row["spines"], strict=False):
                assert count == 1
                neck = [SPINE.neck_length, SPINE.neck_diameter, 0.44, 1 / 48300, -86.0, 261.97]
                np.testing.assert_allclose(shape["neck"], neck, rtol=1e-12)
                assert spine.shape == SPINE
            assert len(row["synapses"]) == 425
            # arrival times hold the delay
            assert min(min(y[5]) for y in row["synapses"] if y[5]) >= 11.0
            assert row["synapses"][-1][5] == [531.4]
        assert sum(about["nseg"] for about in task["sections"].values()) == 1043
    assert task["reversals"] == {"ena": 67.5, "ek": -102.0}
    names = {m for about in task["sections"].values() for m in about["mechanisms"]}
    copied = write_mechanisms(sorted(names), tmp_path)
    assert sorted(copied) == sorted(names - {"pas"})
    assert sorted(p.stem for p in tmp_path.glob("*.mod")) == sorted(copied)


def test_what_a_program_says_is_divided_by_its_trials_and_compared():
    class Done:
        returncode, stderr = 0, ""
        stdout = 'noise\n{"seconds": 8.0, "cpu_seconds": 6.0, "spikes": [[5.0], []]}'

    theirs = answer_of(Done(), 2)
    assert (theirs["seconds"], theirs["cpu_seconds"]) == (4.0, 3.0)
    ours = {"seconds": 1.0, "cpu_seconds": 1.0, "spikes": [[5.0 + 1e-9], []]}
    trials = tuple(Trial("few-distributed", 25, k) for k in range(2))
    found = report(STUDY, trials, {"dendview": ours, "neuron": theirs})
    assert found["programs"]["neuron"]["ratio"] == 4.0
    assert found["programs"]["neuron"]["cpu_ratio"] == 3.0
    assert found["programs"]["neuron"]["same_spikes"]
    assert found["task"]["segments"] == 1043
    assert not same_spikes([[5.0]], [[5.04]])
    assert not same_spikes([[5.0]], [[]])


def test_a_program_that_fails_says_why():
    class Done:
        returncode, stdout = 1, ""
        stderr = "Traceback\nModuleNotFoundError: No module named 'neuron'"

    assert answer_of(Done(), 2) == {"missing": "ModuleNotFoundError: No module named 'neuron'"}
