"""Studies as descriptions: grids, files, what a trial is made of, and what is refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.errors import FileError, UserError
from engine.experiment import to_json as experiment_to_json
from engine.experiments.spike_presets import PRESETS, SPINE, human_cell, preset
from engine.experiments.spike_study import (
    CONDITIONS,
    GROUPS,
    Background,
    Input,
    SpikeStudy,
    Trial,
    check,
    study_from_json,
    to_json,
)
from engine.experiments.spike_trials import (
    background_sites,
    prepare,
    replay,
    slices,
    stimulus_sites,
    trial_experiment,
)
from engine.recipes import recipe
from engine.synapses import SpikeTrain

STUDY = preset("paper", conditions=CONDITIONS)


def test_the_papers_grid_is_14_and_9_points_of_50_trials():
    assert len(STUDY.points("few-distributed")) == 14
    assert STUDY.points("few-clustered") == (0, 40, 80, 100, 120, 140, 160, 200, 240)
    assert preset("paper").n_total == 1150
    assert STUDY.n_total == 2300
    trials = list(STUDY.trials())
    assert len(set(trials)) == len(trials) == 2300
    assert {t.number for t in trials[: 2 * (14 + 9)]} == {0}  # every point's first comes first
    assert (STUDY.cell.dt, STUDY.cell.duration, STUDY.cell.v_init) == (0.04, 1000.0, -86.0)
    assert STUDY.cell.spike_threshold == 10.0


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("group", GROUPS)
def test_every_preset_can_be_run_and_comes_back_from_its_file(name, group):
    study = preset(name, conditions=GROUPS[group])
    check(study)
    assert study_from_json(to_json(study), Path("/folder/study.json")) == study
    assert hash(study) == hash(preset(name, conditions=GROUPS[group]))


def test_the_few_model_has_the_membrane_of_the_published_recipe():
    given = trial_experiment(preset("paper"), Trial("few-distributed", 0, 0))
    published = recipe("human_l23")
    for name in ("cables", "insertions", "f_factors", "reversals", "celsius", "v_init", "rule"):
        assert getattr(given, name) == getattr(published, name)
    full = trial_experiment(STUDY, Trial("full-distributed", 0, 0))
    assert (full.cables, full.f_factors) == (published.cables, ())


def test_a_few_spine_trial_has_spines_under_active_synapses_only():
    trial = Trial("few-distributed", 110, 4)
    given = trial_experiment(STUDY, trial)
    assert len(given.spines) == 110
    assert len(given.synapses) == 510
    assert given.spine_density == ()
    assert [f.factor for f in given.f_factors] == [1.9]
    background, asked = given.synapses[:400], given.synapses[400:]
    assert tuple(s.site for s in background) == background_sites(STUDY, trial)
    assert tuple(s.site for s in given.spines) == stimulus_sites(STUDY, trial)
    for k, synapse in enumerate(asked):
        assert str(synapse.site) == f"spine[{k}](1)"
        assert synapse.source == SpikeTrain((531.4,))
        assert synapse.weights == (0.00073027, 0.00131038)
        assert synapse.delay == 0
    factor = np.array([s.weights[1] for s in background]) / 0.00131038
    assert 1.2 <= factor.min() < 1.3
    assert 2.4 < factor.max() <= 2.5
    assert {s.delay for s in background} == {1.0}
    assert all(s.shape == SPINE and not s.taken for s in given.spines)


def test_a_full_spine_trial_takes_spines_where_the_dendrite_has_some():
    trial = Trial("full-clustered", 240, 1)
    given = trial_experiment(STUDY, trial)
    assert given.f_factors == ()
    assert [d.per_um for d in given.spine_density] == [1.3]
    prepared = prepare(STUDY)
    places = (*background_sites(STUDY, trial), *stimulus_sites(STUDY, trial))
    assert len(places) == len(given.synapses) == 640
    n_shaft = 0
    for place, synapse in zip(places, given.synapses, strict=True):
        bare = prepared.spines[prepared.tree.locate(place.section, place.x)] == 0
        assert (synapse.site == place) == bare
        n_shaft += bare
    assert 0 < n_shaft < 100  # within 60 µm of the soma
    assert len(given.spines) == 640 - n_shaft
    assert all(spine.taken for spine in given.spines)


def test_few_and_full_trials_have_the_same_places_and_trains():
    few, full = (
        trial_experiment(STUDY, Trial(f"{m}-distributed", 100, 2)) for m in ("few", "full")
    )
    assert [s.source for s in few.synapses] == [s.source for s in full.synapses]
    assert [s.weights for s in few.synapses] == [s.weights for s in full.synapses]


def test_a_trial_does_not_depend_on_how_much_of_the_study_is_wanted():
    trial = Trial("few-clustered", 80, 7)
    smaller = replace(STUDY, n_trials=8, conditions=("few-clustered",), clusters=(4,), name="")
    assert trial_experiment(smaller, trial) == trial_experiment(STUDY, trial)
    other = trial_experiment(replace(STUDY, seed=2), trial)
    assert other.synapses != trial_experiment(STUDY, trial).synapses


def test_a_replay_is_the_trial_with_traces_and_frames():
    trial = Trial("few-clustered", 40, 0)
    shown, run = replay(STUDY, trial), trial_experiment(STUDY, trial)
    assert replace(shown, probes=(), frame_interval=run.frame_interval) == run
    sites = [str(probe.site) for probe in shown.probes]
    assert sites[:2] == ["soma[0](0.5)", "spine[0](1)"]
    assert 2 < len(sites) <= 8
    assert len(replay(STUDY, Trial("few-distributed", 0, 0)).probes) == 1
    assert len(experiment_to_json(shown)) < 500_000


def test_slices_hold_trials_of_one_model_and_all_of_them():
    trials = list(replace(STUDY, n_trials=7).trials())
    made = slices(STUDY, trials, 8, "cpu")
    assert sorted(t for s in made for t in s.trials) == sorted(trials)
    for one in made:
        assert len({t.condition.partition("-")[0] for t in one.trials}) == 1
        assert len(one.trials) <= 8
    assert sum(len(one.trials) < 8 for one in made) <= 2
    first = [one.trials[0] for one in made]
    assert [t.number for t in first] == sorted(t.number for t in first)
    assert {t.condition.partition("-")[0] for t in first[:8]} == {"few", "full"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"conditions": ()}, "no condition"),
        ({"conditions": ("few-distributed",) * 2}, "a condition twice"),
        ({"n_trials": 0}, "at least 1"),
        ({"distributed": ()}, "no points"),
        ({"distributed": (3, 3)}, "different numbers"),
        ({"clusters": (-1,)}, "below 0"),
        ({"factor": 0.0}, "write 1 for a dendrite"),
        ({"factor": float("nan")}, "write a number"),
        ({"input": Input(time=1000.0)}, "a trial ends at 1000 ms"),
        ({"input": Input(cluster_size=0)}, "cluster of no synapses"),
        ({"background": Background(low=3.0)}, "exchange the two"),
        ({"background": Background(rate=-1.0)}, "0 or more"),
    ],
)
def test_a_study_that_cannot_be_run_says_why(changes, said):
    with pytest.raises(UserError, match=said):
        check(replace(STUDY, **changes))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ("{}", "no study"),
        ('{"format": "dendview-spike-lab", "version": 9}', "version 9"),
        ('{"format": "dendview-spike-lab", "version": 1}', "'cell': missing field"),
    ],
)
def test_a_file_that_is_no_study_says_so(text, said):
    with pytest.raises(FileError, match=said):
        study_from_json(text, Path("study.json"))


def test_a_relative_morphology_is_meant_from_the_file():
    study = replace(STUDY, cell=replace(human_cell(), morphology="cell.swc"))
    found = study_from_json(to_json(study), Path("/folder/study.json"))
    assert found.cell.morphology == str(Path("/folder/cell.swc"))


def test_there_is_no_other_preset():
    with pytest.raises(UserError, match="choose from"):
        preset("huge")
    assert isinstance(preset("quick"), SpikeStudy)
