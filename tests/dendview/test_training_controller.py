"""The training lab's controllers with a worker that says what a test wants."""

from dataclasses import replace
from typing import get_args

import pytest

from dendview.controllers.bundle import make_controllers
from dendview.controllers.training_fetch import STOPPED
from dendview.state import AppState
from dendview.training import TrainingRun, find_run
from dendview.training_fields import RULE
from dendview.views.training_form import chosen_row
from dendview.views.training_runs import described, tip
from dendview.worker import protocol
from engine.experiments.hpc_net.data_check import check_data
from engine.experiments.hpc_net.spec import Placement
from engine.experiments.hpc_net.state import Epoch, Point
from engine.exporting.training_run import Order

from .open_window import QuietWorker


@pytest.fixture
def worker():
    return QuietWorker()


@pytest.fixture
def controllers(worker, tmp_path):
    controllers = make_controllers(AppState(), worker)
    controllers.training.home = lambda: tmp_path / "trainings"
    controllers.training_plan.images = lambda: tmp_path / "images"
    controllers.training.state.perspective = "training"
    look(controllers)
    return controllers


def look(controllers):
    """Check the data as the window does in the background."""
    plan = controllers.training_plan
    if (work := plan.check_wanted()) is not None:
        plan.checked(plan.state.training_data.source, work())


def hear(controllers, worker, *replies):
    worker.replies = list(replies)
    controllers.run.poll()


def begin(controllers, worker):
    controllers.training.start()
    return worker.sent[-1]


def news(work, epoch=0, batch=4, **changes):
    points = tuple(Point(k / 2 + 0.5, 2.0 / (k + 1), 0.5, 0.05) for k in range(2 * epoch))
    epochs = tuple(Epoch(k + 1, 1.0, 0.5, 1.0, 0.5 + k / 10, 0.05, 0.5) for k in range(epoch))
    given = dict(
        points=points, epochs=epochs, changes=(), phase="learning", batch=batch, n_batch=8,
        loss=0.7, accuracy=0.6, fraction=0.1, rate=0.05, samples_per_second=900.0, remaining=4.0,
        saved=None, kept=(0,), warning="", trouble="", no_numbers=False,
    )  # fmt: skip
    return protocol.Trained(work.number, **{**given, **changes})


def shown(controllers):
    state = controllers.training.state
    return find_run(state.training_runs, state.training_shown)


def test_whoever_comes_finds_the_quick_training_of_the_digits(controllers):
    state = controllers.training.state
    assert (state.training_plan.name, state.training_plan.data) == ("quick", "digits")
    assert state.training_data.state == "ready"
    assert state.training_data.check.n_train == 1437


def test_images_that_are_missing_are_offered_with_a_download(controllers):
    controllers.training_plan.choose_card("mnist")
    assert controllers.training_plan.check_wanted() is None
    data = controllers.training.state.training_data
    assert (data.state, data.download) == ("missing", "mnist")
    controllers.training.start()
    assert controllers.training.state.training_runs == ()


def test_a_folder_that_holds_some_of_the_files_is_told_what_is_missing(controllers, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "train-images-idx3-ubyte").write_bytes(b"x")
    controllers.training_plan.choose_folder(str(folder))
    controllers.training_plan.check_wanted()
    assert "train-images-idx3-ubyte" in controllers.training.state.training_data.error or (
        "is missing" in controllers.training.state.training_data.error
    )


def test_edits_are_undone_and_impossible_ones_refused(controllers):
    plan, state = controllers.training_plan, controllers.training.state
    plan.edit("learning", rate=0.2)
    plan.edit("network", n_hidden=20)
    plan.edit("optimizer", name="adam")
    assert not plan.edit("learning", start=60.0)
    assert "does not fit into a sample" in state.message.text
    plan.undo()
    assert state.training_plan.learning.optimizer.name == "momentum"
    plan.undo()
    assert (state.training_plan.network.n_hidden, state.training_plan.learning.rate) == (64, 0.2)
    plan.choose_preset("paper")
    assert (state.training_plan.learning.epochs, state.training_plan.data) == (30, "digits")


def test_curves_grow_and_the_end_is_told(controllers, worker):
    work = begin(controllers, worker)
    state = controllers.training.state
    assert isinstance(work, protocol.Train)
    assert state.job.kind == "training"
    hear(controllers, worker, news(work, 2, fraction=0.25))
    run = shown(controllers)
    assert (run.n_epoch, run.at, len(run.points)) == (2, 2.5, 4)
    assert state.job.fraction == 0.25
    hear(controllers, worker, news(work, 25, 0, fraction=1.0), protocol.Finished(work.number, 9.0))
    assert shown(controllers).state == "done"
    assert state.job is None
    assert "is done" in state.message.text


def test_a_pause_goes_on_where_it_was_and_the_wanted_rate_goes_along(controllers, worker):
    work = begin(controllers, worker)
    hear(controllers, worker, news(work, 3))
    controllers.training.pause()
    assert controllers.training.state.job.cancelling
    assert worker.sent[-1] == protocol.Cancel(work.number)
    hear(controllers, worker, protocol.Cancelled(work.number, 1.0))
    run = shown(controllers)
    assert (run.state, run.can_resume) == ("paused", True)
    assert controllers.training.set_rate(0.01)
    controllers.training.resume()
    again = worker.sent[-1]
    assert (again.resume, again.rate, again.folder) == (True, 0.01, work.folder)
    assert len(controllers.training.state.training_runs) == 1


@pytest.mark.parametrize(("wish", "state"), [("pause", "paused"), ("stop", "stopped")])
def test_an_end_waits_for_a_long_batch_unless_it_is_asked_for_twice(
    controllers, worker, wish, state
):
    training, clock = controllers.training, [0.0]
    training._clock = lambda: clock[0]
    work = begin(controllers, worker)
    hear(controllers, worker, news(work, 1, saved=1.0))
    getattr(training, wish)()
    training.poll()
    assert not training.state.job.late
    clock[0] += 10.0
    training.poll()
    assert (training.running, shown(controllers).state) == (True, "running")
    assert training.state.job.late
    assert training.state.message.action == "end_training"
    assert "of epoch 1.00" in training.state.message.text
    hear(controllers, worker, news(work, 1, saved=1.625), protocol.Cancelled(work.number, 9.0))
    assert (shown(controllers).state, shown(controllers).saved) == (state, 1.625)
    assert training.state.job is None

    training.resume()
    work = worker.sent[-1]
    hear(controllers, worker, news(work, 1, saved=1.625))
    getattr(training, wish)()
    n_sent = len(worker.sent)
    training.stop()
    clock[0] += 10.0
    training.poll()
    assert training.running
    training.stop()
    assert (training.running, shown(controllers).state) == (False, state)
    assert len(worker.sent) == n_sent


def test_a_training_that_has_not_begun_is_ended_as_soon_as_it_does_not_hear(controllers, worker):
    training, clock = controllers.training, [0.0]
    training._clock = lambda: clock[0]
    begin(controllers, worker)
    training.pause()
    clock[0] += 10.0
    training.poll()
    assert not training.running


def test_closing_waits_for_the_checkpoint_but_not_for_ever(controllers, worker):
    training = controllers.training
    work = begin(controllers, worker)
    training.close()
    assert worker.sent[-1] is work  # nothing is there to be saved
    hear(controllers, worker, news(work, 1))
    answers = [[], [news(work, 1, saved=1.5), protocol.Cancelled(work.number, 1.0)]]
    worker.poll = lambda: answers.pop(0) if answers else []
    training.close()
    assert worker.sent[-1] == protocol.Cancel(work.number)
    assert (training.running, shown(controllers).saved) == (False, 1.5)
    training.resume()
    hear(controllers, worker)
    answers.append([news(worker.sent[-1], 1)])
    controllers.run.poll()
    times = iter(range(100))
    training._clock = lambda: float(next(times))
    training.close()
    assert training.running


def test_the_rate_of_a_running_training_is_changed_at_once(controllers, worker):
    work = begin(controllers, worker)
    hear(controllers, worker, news(work, 1))
    assert controllers.training.set_rate(0.02)
    assert worker.sent[-1] == protocol.Steer(work.number, Order(rate=0.02))
    assert not controllers.training.set_rate(-1.0)
    assert "positive" in controllers.training.state.message.text
    controllers.training.save()
    assert worker.sent[-1].order.save
    hear(controllers, worker, news(work, 1, saved=1.5))
    assert controllers.training.state.message.text == "Checkpoint saved at epoch 1.50."


def test_a_checkpoint_that_was_asked_for_is_told_when_it_is_there(controllers, worker):
    work = begin(controllers, worker)
    hear(controllers, worker, news(work, 1, saved=1.5))
    controllers.training.pause()
    hear(controllers, worker, protocol.Cancelled(work.number, 1.0))
    controllers.training.resume()
    work = worker.sent[-1]
    controllers.training.save()
    hear(controllers, worker, news(work, 1, saved=None))
    assert controllers.training.state.message is None
    hear(controllers, worker, news(work, 1, saved=1.625))
    assert controllers.training.state.message.text == "Checkpoint saved at epoch 1.62."


def test_what_a_message_offers_is_for_the_training_that_failed(controllers, worker):
    first = begin(controllers, worker)
    hear(controllers, worker, news(first, 25, 0), protocol.Finished(first.number, 1.0))
    work = begin(controllers, worker)
    hear(controllers, worker, news(work, 1))
    controllers.training.show(1)
    hear(controllers, worker, protocol.Failed(work.number, "not enough memory", kind="memory"))
    message = controllers.training.state.message
    assert (message.action, message.training) == ("halve_batch", 2)
    controllers.training.resume_smaller(message.training)
    again = worker.sent[-1]
    assert (again.folder, again.batch) == (work.folder, 8)
    controllers.training.show(1)
    hear(controllers, worker, protocol.Stopped("Engine stopped (signal 9)."))
    assert controllers.training.state.message.training == 2


def test_a_loss_that_is_no_number_pauses_and_offers_a_smaller_rate(controllers, worker):
    work = begin(controllers, worker)
    hear(controllers, worker, news(work, 2, rate=5.0))
    last = news(work, 2, 0, rate=0.05, trouble="the loss is no number any more", no_numbers=True)
    hear(controllers, worker, last, protocol.Finished(work.number, 1.0))
    run, message = shown(controllers), controllers.training.state.message
    assert (run.state, run.trouble, run.rate_wanted) == ("paused", "loss", None)
    assert (message.kind, message.action) == ("error", "resume_training")
    controllers.training.resume()
    again = worker.sent[-1]
    hear(controllers, worker, replace(last, number=again.number),
         protocol.Finished(again.number, 1.0))  # fmt: skip
    assert shown(controllers).rate_wanted == 0.005
    controllers.training.resume()
    assert worker.sent[-1].rate == 0.005


def test_too_little_memory_halves_the_batch_with_consent(controllers, worker):
    work = begin(controllers, worker)
    hear(controllers, worker, protocol.Failed(work.number, "not enough memory", kind="memory"))
    run, message = shown(controllers), controllers.training.state.message
    assert (run.state, run.trouble, message.action) == ("paused", "memory", "halve_batch")
    assert "can go on with 8" in message.text
    assert worker.sent[-1] is work  # nothing goes on by itself
    controllers.training.resume_smaller()
    assert worker.sent[-1].batch == 8
    assert shown(controllers).training.learning.batch == 8


def test_a_full_disk_and_a_dead_engine_leave_a_run_that_goes_on(controllers, worker):
    work = begin(controllers, worker)
    full = "the disk has 3 MB left, and 70 MB are needed; make room on it, then resume"
    hear(controllers, worker, news(work, 2, trouble=full), protocol.Finished(work.number, 1.0))
    assert (shown(controllers).state, shown(controllers).trouble) == ("paused", "disk")
    assert "make room" in controllers.training.state.message.text
    controllers.training.resume()
    hear(controllers, worker, protocol.Stopped("Engine stopped (signal 9)."))
    run, message = shown(controllers), controllers.training.state.message
    assert (run.state, run.trouble, run.can_resume) == ("stopped", "engine", True)
    assert message.text.startswith("Engine stopped (signal 9)")
    assert message.action == "resume_training"


def test_little_room_is_told_once(controllers, worker):
    work = begin(controllers, worker)
    hear(controllers, worker, news(work, 1, warning="5 GB of the disk's 100 GB are left"))
    assert controllers.training.state.message.text.startswith("5 GB")
    controllers.training.state.message = None
    hear(controllers, worker, news(work, 2, warning="5 GB of the disk's 100 GB are left"))
    assert controllers.training.state.message is None


def test_a_download_tells_how_far_it_is_and_its_end_checks_the_images(
    controllers, worker, tmp_path
):
    controllers.training_plan.choose_card("mnist")
    controllers.training_plan.check_wanted()
    controllers.training_fetch.fetch()
    work = worker.sent[-1]
    assert (work.name, work.folder) == ("mnist", str(tmp_path / "images"))
    hear(controllers, worker, protocol.Fetched(work.number, 0.5))
    state = controllers.training.state
    assert (state.training_data.fraction, state.job.fraction) == (0.5, 0.5)
    hear(controllers, worker, protocol.Failed(work.number, "downloading needs pooch"))
    assert state.training_data.error == "Downloading needs pooch"
    controllers.training_fetch.fetch()
    work = worker.sent[-1]
    controllers.training_fetch.cancel()
    hear(controllers, worker, protocol.Cancelled(work.number, 1.0))
    assert (state.job, state.message.text) == (None, STOPPED)
    controllers.training_fetch.fetch()
    hear(controllers, worker, protocol.Finished(worker.sent[-1].number, 1.0))
    assert state.training_data.state == "unchecked"


@pytest.mark.parametrize("error", ["", "the server does not answer"])
def test_a_download_leaves_a_plan_alone_that_has_gone_on_to_other_images(
    controllers, worker, tmp_path, error
):
    plan, state = controllers.training_plan, controllers.training.state
    elsewhere = str(tmp_path / "elsewhere")
    plan.choose_card("mnist")
    plan.choose_folder(elsewhere)
    look(controllers)
    controllers.training_fetch.fetch()
    work = worker.sent[-1]
    plan.choose_card("digits")
    look(controllers)
    hear(controllers, worker, protocol.Fetched(work.number, 0.5))
    assert (state.training_data.source, state.training_data.state) == ("digits", "ready")
    assert state.job.fraction == 0.5
    end = protocol.Finished(work.number, 1.0)
    hear(controllers, worker, protocol.Failed(work.number, error) if error else end)
    assert (state.training_plan.data, state.training_data.state) == ("digits", "ready")
    assert state.job is None
    plan.choose_card("mnist")
    expected = elsewhere if error else str(tmp_path / "images" / "mnist")
    assert state.training_plan.data == expected


def test_whoever_comes_back_to_a_download_finds_it_going_on(controllers, worker):
    plan, state = controllers.training_plan, controllers.training.state
    plan.choose_card("mnist")
    look(controllers)
    controllers.training_fetch.fetch()
    work = worker.sent[-1]
    plan.choose_card("fashion-mnist")
    look(controllers)
    hear(controllers, worker, protocol.Fetched(work.number, 0.5))
    assert (state.training_data.state, state.training_data.download) == ("missing", "fashion-mnist")
    plan.choose_card("mnist")
    hear(controllers, worker, protocol.Fetched(work.number, 0.75))
    assert (state.training_data.state, state.training_data.fraction) == ("fetching", 0.75)
    hear(controllers, worker, protocol.Finished(work.number, 1.0))
    assert state.training_data.state == "unchecked"


def test_what_is_looked_at_belongs_to_the_shown_training(controllers, worker):
    work = begin(controllers, worker)
    hear(controllers, worker, news(work, 25, 0, kept=(0, 4, 8, 25)),
         protocol.Finished(work.number, 1.0))  # fmt: skip
    training, choice = controllers.training, controllers.training_look
    choice.choose_epoch(8)
    choice.step_epoch(-1)
    assert training.state.training_choice.epoch == 4
    choice.choose_cell(3, 5)
    choice.choose_sample(17)
    choice.choose_neurons((1, 2))
    choice.choose_neurons(())
    now = training.state.training_choice
    assert (now.label, now.answer, now.sample, now.neurons) == (3, 5, 17, (1, 2))
    begin(controllers, worker)
    assert training.state.training_choice.epoch is None
    assert [run.number for run in training.state.training_runs] == [1, 2]


@pytest.mark.parametrize("placement", get_args(Placement))
def test_a_training_by_a_rule_of_somebodys_own_is_named_and_planned_again(controllers, placement):
    plan = controllers.training.state.training_plan
    learning = replace(plan.learning, rule="mine")
    training = replace(plan, learning=learning, network=replace(plan.network, placement=placement))
    assert "rule 'mine'" in described(training)
    assert described(training) in tip(TrainingRun(1, training, "folder"))
    assert controllers.training_plan.take(training)
    assert chosen_row(RULE, controllers.training.state.training_plan) == -1


def test_the_check_of_the_digits_is_the_engines(controllers):
    found = controllers.training.state.training_data.check
    assert found.classes == check_data("digits").classes
