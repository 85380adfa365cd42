"""The spike lab's controller with a worker that says what a test wants."""

from dataclasses import replace

import pytest

from dendview.controllers.bundle import make_controllers
from dendview.runs import shown_study
from dendview.state import AppState
from dendview.worker import protocol
from engine.experiments.spike_probability import Progress
from engine.experiments.spike_store import TrialStore
from engine.experiments.spike_study import GROUPS, Trial
from engine.experiments.spike_trials import Outcome
from engine.experiments.spine_effect import SpineEffect
from engine.stimuli import Site

from .open_window import QuietWorker

EFFECT = SpineEffect(100, 1.9, 72.0, 99.0, Site("dend[0]"), 9.0, 2.0, 0.1)


@pytest.fixture
def worker():
    return QuietWorker()


@pytest.fixture
def controllers(worker, tmp_path):
    controllers = make_controllers(AppState(), worker)
    controllers.spike_lab.home = lambda: tmp_path
    controllers.files.open("sample:human_l23")
    controllers.spike_lab.state.perspective = "spike_lab"
    controllers.spike_plan.edit(distributed=(100, 120), clusters=(4,), n_trials=2)
    return controllers


def hear(controllers, worker, *replies):
    worker.replies = list(replies)
    controllers.run.poll()


def begin(controllers, worker):
    controllers.spike_lab.start()
    return next(w for w in worker.sent if isinstance(w, protocol.RunStudy))


def outcome(condition, n, number, spikes=(), failed=None):
    return Outcome(Trial(condition, n, number), spikes, 1.0, failed)


def test_whoever_comes_finds_the_quick_study_on_the_open_cell(controllers):
    study = controllers.spike_lab.state.lab_study
    assert study.name == "quick"
    assert study.cell.morphology == "sample:human_l23"
    assert controllers.spike_lab.state.lab_trial is not None


def test_edits_are_undone_and_redone_one_by_one(controllers):
    lab, plan = controllers.spike_lab, controllers.spike_plan
    plan.reshuffle()
    assert lab.state.lab_study.seed == 2
    plan.set_spines(neck_length=2.0, per_um=0.5)
    assert lab.state.lab_study.spines.shape.neck_length == 2.0
    assert lab.state.lab_study.spines.per_um == 0.5
    plan.undo()
    plan.undo()
    assert (lab.state.lab_study.seed, lab.state.lab_study.spines.per_um) == (1, 1.3)
    plan.redo()
    assert lab.state.lab_study.seed == 2


def test_what_cannot_be_run_is_refused_with_a_sentence(controllers):
    plan, before = controllers.spike_plan, controllers.spike_plan.state.lab_study
    assert not plan.set_spines(neck_diameter=-1.0)
    assert plan.state.lab_study == before
    assert "neck" in plan.state.message.text


def test_points_of_a_preset_follow_the_conditions_until_they_are_changed(controllers):
    lab, plan = controllers.spike_lab, controllers.spike_plan
    plan.choose("quick")
    few = lab.state.lab_study.distributed
    plan.set_conditions(GROUPS["full"])
    assert lab.state.lab_study.distributed != few
    plan.edit(distributed=(7, 9))
    plan.set_conditions(GROUPS["few"])
    assert lab.state.lab_study.distributed == (7, 9)
    assert lab.state.lab_trial.condition.startswith("few")


def test_curves_grow_with_the_trials_and_a_failed_one_stays_in_n(controllers, worker):
    lab = controllers.spike_lab
    work = begin(controllers, worker)
    assert lab.state.job.kind == "spike_lab"
    first = (
        outcome("few-distributed", 100, 0),
        outcome("few-distributed", 120, 0, (540.0,)),
        outcome("few-distributed", 120, 1, failed="the voltage left the membrane's range"),
    )
    hear(controllers, worker, protocol.Studied(work.number, Progress(first, 3, 6, 3, 4.0)))
    run = shown_study(lab.state)
    points = {p.n_synapses: p for p in run.curves[0].points}
    assert (points[120].n, points[120].fired, points[120].failed) == (2, 1, 1)
    assert run.n_done == 3
    assert lab.state.job.fraction == 0.5
    rest = (
        outcome("few-distributed", 100, 1),
        outcome("few-clustered", 80, 0),
        outcome("few-clustered", 80, 1),
    )
    hear(
        controllers,
        worker,
        protocol.Studied(work.number, Progress(rest, 6, 6, 0, 0.0)),
        protocol.Finished(work.number, 9.0),
    )
    assert shown_study(lab.state).state == "done"
    assert "1 of them failed" in lab.state.message.text
    assert lab.state.job is None


def test_cancel_is_acknowledged_at_once_and_resume_goes_on_in_the_same_folder(controllers, worker):
    lab = controllers.spike_lab
    work = begin(controllers, worker)
    done = (outcome("few-distributed", 100, 0),)
    hear(controllers, worker, protocol.Studied(work.number, Progress(done, 1, 6, 5, None)))
    lab.cancel()
    assert lab.state.job.cancelling
    assert worker.sent[-1] == protocol.Cancel(work.number)
    hear(controllers, worker, protocol.Cancelled(work.number, 1.0))
    assert lab.state.message.text == "Stopped; 1 of 6 trials are kept."
    assert lab.state.message.action == "resume_study"
    lab.resume()
    again = worker.sent[-1]
    assert (again.study, again.folder) == (work.study, work.folder)
    assert again.number != work.number


def test_a_dead_engine_loses_only_what_was_at_work(controllers, worker):
    """The folder knows more than the engine had said when it died."""
    lab = controllers.spike_lab
    work = begin(controllers, worker)
    told = outcome("few-distributed", 100, 0)
    hear(controllers, worker, protocol.Studied(work.number, Progress((told,), 1, 6, 5, None)))
    with TrialStore(work.folder, work.study) as store:
        store.add([told, outcome("few-clustered", 80, 1, (541.0,))])
    hear(controllers, worker, protocol.Stopped("Engine stopped (signal 9)."))
    run = shown_study(lab.state)
    assert (run.state, run.n_done) == ("stopped", 2)
    assert lab.state.message.text == (
        "Engine stopped (signal 9); 2 of 6 trials are kept, those at work run again."
    )
    assert lab.state.message.action == "resume_study"


def test_a_worker_that_ends_is_told_once(controllers, worker):
    work = begin(controllers, worker)
    state = controllers.spike_lab.state
    hear(controllers, worker, protocol.Studied(work.number, Progress((), 0, 6, 6, None, 1)))
    assert state.message.text.startswith("A worker process ended; finished trials are kept")
    state.message = None
    hear(controllers, worker, protocol.Studied(work.number, Progress((), 0, 6, 6, None, 1)))
    assert state.message is None
    assert state.job is not None  # the study goes on


def test_a_trial_is_replayed_as_a_run_of_its_own(controllers, worker):
    lab = controllers.spike_lab
    work = begin(controllers, worker)
    done = (outcome("few-distributed", 100, 0),)
    hear(controllers, worker, protocol.Studied(work.number, Progress(done, 1, 6, 0, None)))
    trial = done[0].trial
    assert not lab.replay(trial)  # the study is at work
    hear(controllers, worker, protocol.Finished(work.number, 1.0))
    assert lab.replay(trial)
    run = worker.sent[-1]
    assert isinstance(run, protocol.Run)
    assert len(run.experiment.synapses) == 400 + 100
    assert lab.state.experiment.synapses == ()  # the open experiment has none of them


def test_the_effect_of_the_spines_is_asked_for_each_model(controllers, worker):
    lab, plan = controllers.spike_lab, controllers.spike_plan
    plan.set_conditions(GROUPS["all"])
    controllers.spine_effect.measure()
    first = worker.sent[-1]
    hear(controllers, worker, protocol.TriedSpines(first.number, EFFECT))
    second = worker.sent[-1]
    assert (first.model, second.model) == ("few", "full")
    hear(controllers, worker, protocol.TriedSpines(second.number, replace(EFFECT, soma=0.2)))
    assert [m for m, _ in lab.state.lab_effect.effects] == ["few", "full"]
    assert not lab.state.lab_effect.pending
    n = len(worker.sent)
    controllers.spine_effect.measure()  # known
    assert len(worker.sent) == n


def test_an_effect_lost_with_its_engine_is_asked_for_anew(controllers, worker):
    lab = controllers.spike_lab
    controllers.spine_effect.measure()
    hear(controllers, worker, protocol.Stopped("Engine stopped (signal 9)."))
    assert lab.state.lab_effect is None
    controllers.spine_effect.measure()
    assert worker.sent[-1].number > worker.sent[-2].number


def test_an_effect_waits_for_what_runs_and_comes_then(controllers, worker):
    lab = controllers.spike_lab
    work = begin(controllers, worker)
    controllers.spine_effect.measure()
    assert worker.sent[-1] is work
    hear(controllers, worker, protocol.Finished(work.number, 1.0))
    assert isinstance(worker.sent[-1], protocol.TrySpines)
    assert lab.state.lab_effect.pending


def test_an_engine_that_is_restarted_is_not_waited_for(controllers, worker):
    state = controllers.spike_lab.state
    controllers.spine_effect.measure()
    controllers.run.restart()
    assert state.lab_effect is None
    controllers.spine_effect.measure()
    asked = worker.sent[-1]
    hear(controllers, worker, protocol.TriedSpines(asked.number, EFFECT))
    assert [m for m, _ in state.lab_effect.effects] == ["few"]


def test_the_preview_is_where_the_trial_has_its_synapses(controllers):
    lab, plan = controllers.spike_lab, controllers.spike_plan
    plan.look_at(Trial("few-clustered", 80, 1))
    preview = plan.preview_wanted()()
    assert preview.active.shape == (80, 3)
    assert preview.on_spine.all()
    assert len(preview.other) == 0
    plan.show_preview(preview)
    assert lab.state.lab_preview is preview
    assert plan.preview_wanted() is None
    plan.set_conditions(GROUPS["full"])
    full = plan.preview_wanted()()
    assert len(full.other) > 20_000
    plan.show_preview(preview)  # of an earlier wish
    assert lab.state.lab_preview.trial == preview.trial


def test_another_cell_begins_anew(controllers):
    controllers.files.open("sample:spn")
    state = controllers.spike_lab.state
    assert state.lab_runs == ()
    assert state.lab_study.cell.morphology == "sample:spn"
