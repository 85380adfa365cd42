"""Runs of studies: finished trials are final, nothing else changes them. Trials are stood in for
by coins that fall by the trial's key, so that a thousand of them take no time."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.errors import BackendError, FileError, UserError
from engine.executor import LocalPool, OwnProcess
from engine.experiments import spike_probability, spike_trials
from engine.experiments.placement import Key, Stream
from engine.experiments.spike_presets import preset
from engine.experiments.spike_probability import Clock, curves, outcomes_of, run_study
from engine.experiments.spike_store import STUDY as STUDY_FILE
from engine.experiments.spike_store import TRIALS, TrialStore, read_run, read_trials
from engine.experiments.spike_study import Trial
from engine.experiments.spike_trials import Outcome, Slice, case_of

STUDY = replace(
    preset("quick"), distributed=(100, 110, 120), clusters=(4, 6), n_trials=12, name="coins"
)


def coin(trial: Trial) -> Outcome:
    """Falls with a probability that rises with the number of synapses."""
    draw = Key(STUDY.seed, case_of(trial), trial.number).generator(Stream.STIMULUS)
    fired = draw.random() < 1 / (1 + np.exp((108 - trial.n_synapses) / 8))
    return Outcome(trial, (540.0, 550.5) if fired else (), 0.25)


def coins(given: Slice) -> tuple[Outcome, ...]:
    return tuple(coin(trial) for trial in given.trials)


def slow_coins(given: Slice) -> tuple[Outcome, ...]:
    time.sleep(0.3)
    return coins(given)


@pytest.fixture
def stand_in(monkeypatch):
    monkeypatch.setattr(spike_probability, "run_slice", coins)


def finish(study, folder, **more):
    return list(run_study(study, folder, pool=OwnProcess(), **more))


def test_a_run_gives_every_trial_once_and_writes_them(stand_in, tmp_path):
    steps = finish(STUDY, tmp_path)
    told = [outcome for step in steps for outcome in step.finished]
    assert sorted(o.trial for o in told) == sorted(STUDY.trials())
    study, found = read_run(tmp_path)
    assert study == STUDY
    assert found == {o.trial: o for o in told}
    assert [step.n_done for step in steps] == sorted(step.n_done for step in steps)
    assert steps[0].seconds_left is None
    assert (steps[-1].n_done, steps[-1].n_total) == (60, 60)
    assert steps[-1].seconds_left == 0


def test_neither_workers_nor_slices_change_an_outcome(stand_in, tmp_path):
    finish(STUDY, tmp_path / "one")
    list(run_study(STUDY, tmp_path / "two", pool=LocalPool(2)))
    assert read_run(tmp_path / "one")[1] == read_run(tmp_path / "two")[1]


def test_a_stopped_run_keeps_what_is_finished_and_goes_on_there(stand_in, tmp_path, monkeypatch):
    run = run_study(STUDY, tmp_path, pool=OwnProcess())
    done = [next(run) for _ in range(4)][-1].n_done
    run.close()
    assert 0 < done < 60
    kept = read_run(tmp_path)[1]
    assert len(kept) == done
    asked = []
    monkeypatch.setattr(
        spike_probability, "run_slice", lambda given: asked.extend(given.trials) or coins(given)
    )
    with pytest.raises(UserError, match="go on with them by --resume"):
        finish(STUDY, tmp_path)
    steps = finish(STUDY, tmp_path, resume=True)
    assert {o.trial for o in steps[0].finished} == set(kept)
    assert not set(asked) & set(kept)
    assert len(asked) == 60 - done
    finish(STUDY, tmp_path / "whole")
    assert read_run(tmp_path)[1] == read_run(tmp_path / "whole")[1]
    asked.clear()
    finish(STUDY, tmp_path, resume=True)
    assert asked == []


def test_more_trials_and_points_may_be_added_but_no_other_study(stand_in, tmp_path):
    finish(STUDY, tmp_path)
    finish(replace(STUDY, n_trials=14, clusters=(4, 6, 7)), tmp_path, resume=True)
    assert len(read_run(tmp_path)[1]) == 14 * 6
    with pytest.raises(UserError, match="another study"):
        finish(replace(STUDY, seed=2), tmp_path, resume=True)


def test_a_line_that_was_cut_off_is_run_again(stand_in, tmp_path):
    finish(STUDY, tmp_path)
    before = read_run(tmp_path)[1]
    path = tmp_path / TRIALS
    path.write_bytes(path.read_bytes()[:-9])
    assert len(read_run(tmp_path)[1]) == 59
    finish(STUDY, tmp_path, resume=True)
    assert read_run(tmp_path)[1] == before
    assert len(path.read_text().splitlines()) == 60


def test_a_line_of_something_else_is_told_with_its_number(tmp_path):
    path = tmp_path / TRIALS
    path.write_text('{"condition": "few-distributed"}\n')
    with pytest.raises(FileError, match=r"trials.jsonl:1: this line is no finished trial"):
        read_trials(path)


def test_a_folder_is_written_to_by_one_run_at_a_time(tmp_path):
    pytest.importorskip("fcntl")
    with (
        TrialStore(tmp_path, STUDY),
        pytest.raises(UserError, match="another run"),
        TrialStore(tmp_path, STUDY),
    ):
        pass


def test_a_full_disk_or_a_forbidden_folder_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="cannot be written"), TrialStore(tmp_path / "file", STUDY):
        pass


def test_a_failed_trial_stays_in_n_with_its_reason(stand_in, tmp_path, monkeypatch):
    def some_fail(given: Slice) -> tuple[Outcome, ...]:
        return tuple(
            replace(o, spikes=(), failed="the voltage left its bounds")
            if o.trial == Trial("few-distributed", 110, 3) else o
            for o in coins(given)
        )  # fmt: skip

    monkeypatch.setattr(spike_probability, "run_slice", some_fail)
    finish(STUDY, tmp_path)
    study, found = read_run(tmp_path)
    (curve, _) = curves(study, found.values())
    point = next(p for p in curve.points if p.n_synapses == 110)
    assert (point.n, point.failed) == (12, 1)
    assert found[Trial("few-distributed", 110, 3)].failed == "the voltage left its bounds"


def test_a_slice_that_was_lost_marks_each_of_its_trials():
    given = Slice(STUDY, tuple(STUDY.trials())[:3])
    from engine.executor import DIED, Done

    found = outcomes_of(Done(given, None, DIED))
    assert [o.failed for o in found] == [DIED] * 3


def test_a_trial_that_cannot_be_run_fails_alone(monkeypatch):
    bad = Trial("few-distributed", 100, 1)

    def spikes(given: Slice) -> list[tuple[float, ...]]:
        if bad in given.trials:
            raise UserError("the voltage left ±10000 mV; halve dt")
        return [coin(trial).spikes for trial in given.trials]

    monkeypatch.setattr(spike_trials, "_spikes", spikes)
    trials = tuple(Trial("few-distributed", 100, k) for k in range(4))
    found = spike_trials.run_slice(Slice(STUDY, trials))
    assert [o.trial for o in found] == list(trials)
    assert [o.failed is not None for o in found] == [False, True, False, False]
    assert [o.spikes for o in found if o.failed is None] == [
        coin(t).spikes for t in trials if t != bad
    ]


def test_a_slice_that_does_not_fit_is_run_in_halves(monkeypatch):
    sizes = []

    def spikes(given: Slice) -> list[tuple[float, ...]]:
        sizes.append(len(given.trials))
        if len(given.trials) > 16:
            raise UserError("the batch needs 200 GB and 139 GB are free; run fewer cells at once")
        return [coin(trial).spikes for trial in given.trials]

    monkeypatch.setattr(spike_trials, "_spikes", spikes)
    trials = tuple(STUDY.trials())
    found = spike_trials.run_slice(Slice(STUDY, trials))
    assert [(o.trial, o.spikes, o.failed) for o in found] == [
        (t, coin(t).spikes, None) for t in trials
    ]
    assert sorted(sizes, reverse=True) == [60, 30, 30, 15, 15, 15, 15]


def test_a_device_takes_all_trials_at_once_and_one_worker(monkeypatch, tmp_path):
    class Device:
        name = "gpu"

    sizes = []
    monkeypatch.setattr(
        spike_probability,
        "run_slice",
        lambda given: sizes.append(len(given.trials)) or coins(given),
    )
    monkeypatch.setattr(
        spike_probability, "LocalPool", lambda size: OwnProcess() if size == 1 else None
    )
    monkeypatch.setattr(spike_probability, "choose_backend", lambda name: Device())
    list(run_study(STUDY, tmp_path / "auto"))
    assert sizes == [60]

    def none(name: str) -> Device:
        raise BackendError("there is no GPU; choose 'cpu' or 'auto'")

    monkeypatch.setattr(spike_probability, "choose_backend", none)
    assert not spike_probability.on_device("auto")
    with pytest.raises(BackendError, match="choose 'cpu'"):
        list(run_study(STUDY, tmp_path / "gpu", backend="gpu"))


def test_curves_count_what_is_there(stand_in, tmp_path):
    finish(STUDY, tmp_path)
    study, found = read_run(tmp_path)
    for curve in curves(study, found.values()):
        for point in curve.points:
            key = curve.condition, point.n_synapses
            mine = [o for o in found.values() if (o.trial.condition, o.trial.n_synapses) == key]
            assert point.n == len(mine) == 12
            assert point.fired == sum(bool(o.spikes) for o in mine)
            assert point.probability.value == point.fired / 12
        assert curve.published[100] in (0.02, 0.56)
    empty = curves(study, [])
    assert [p.n for p in empty[0].points] == [0, 0, 0]
    assert empty[0].half is None


def test_the_remaining_time_follows_from_the_trials_that_have_ended(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    clock = Clock(100)
    assert clock.left() is None
    now[0] += 10
    clock.add(20)
    assert clock.left() == pytest.approx(40)
    now[0] += 5
    assert clock.left() == pytest.approx(35)
    now[0] += 1000
    assert clock.left() == 0


SCRIPT = """
import sys
from pathlib import Path
from engine.executor import LocalPool
from engine.experiments import spike_probability
from tests.engine.experiments.test_spike_runs import STUDY, slow_coins
if __name__ == "__main__":
    spike_probability.run_slice = slow_coins
    spike_probability.WIDTH = 2
    for step in spike_probability.run_study(STUDY, Path(sys.argv[1]), pool=LocalPool(2)):
        if step.finished:
            print(step.n_done, flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_killing_the_whole_run_loses_at_most_the_trials_in_flight(tmp_path):
    script = tmp_path / "run.py"
    script.write_text(SCRIPT)
    folder = tmp_path / "run"
    root = str(Path(__file__).parents[3])
    run = subprocess.Popen(
        [sys.executable, str(script), str(folder)], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": root},
    )  # fmt: skip
    assert run.stdout is not None
    told = 0
    while told < 6:
        told = int(run.stdout.readline())
    run.send_signal(signal.SIGKILL)
    told = int(([str(told), *run.stdout.read().split()])[-1])
    run.wait()
    study, found = read_run(folder)
    assert study == STUDY
    assert told <= len(found) < 60
    assert all(found[trial] == coin(trial) for trial in found)
    assert json.loads((folder / STUDY_FILE).read_text())["name"] == "coins"
