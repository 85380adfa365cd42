"""The robustness study in the window: started, followed, stopped, found again."""

from dataclasses import replace

import pytest

from dendview.controllers.robustness import FILE, RobustnessController
from dendview.controllers.run import CANCEL_PATIENCE, RunController
from dendview.state import AppState, Job
from dendview.training import TrainingChoice
from dendview.worker import learning, loading, protocol
from engine.errors import UserError
from engine.experiments.robustness import Progress, Study, to_json

from .made_training import trained
from .open_window import QuietWorker
from .test_training_views import result


@pytest.fixture
def run(tmp_path):
    return replace(trained(), folder=str(tmp_path))


@pytest.fixture
def state(run):
    return AppState(training_runs=(run,), training_shown=1, perspective="training")


@pytest.fixture
def worker():
    return QuietWorker()


@pytest.fixture
def runner(state, worker):
    return RunController(state, worker)


@pytest.fixture
def robustness(state, worker, runner):
    now = [0.0]
    controller = RobustnessController(state, worker, runner, lambda: now[0], lambda: "")
    controller.now = now
    return controller


def hear(runner, worker, *replies):
    worker.replies = list(replies)
    runner.poll()


def begun(worker):
    return next(w for w in worker.sent if isinstance(w, protocol.Examine))


def test_the_shown_epoch_is_examined(state, worker, robustness, run):
    state.training_choice = TrainingChoice(epoch=1)
    robustness.start(1000)
    work = begun(worker)
    assert (work.training, work.folder, work.epoch) == (run.training, run.folder, 1)
    assert work.study.n == 1000
    assert state.job.kind == "robustness"


def test_what_is_found_is_shown_as_it_comes(state, worker, runner, robustness):
    state.robustness_from = "other.json"
    robustness.start()
    token = begun(worker).number
    found = result()
    news = protocol.Examined(token, Progress("the ANN learns", 0.4, 12.0, found))
    hear(runner, worker, news)
    assert state.robustness is found
    assert state.robustness_from == ""
    assert (state.job.fraction, state.job.remaining) == (0.4, 12.0)
    assert "the ANN learns" in state.job.text
    hear(runner, worker, protocol.Finished(token, 3.0))
    assert state.job is None
    assert state.message.kind == "done"
    assert not robustness.examining


def test_a_study_that_does_not_hear_a_cancel_ends_with_its_engine(state, worker, robustness):
    robustness.start()
    robustness.cancel()
    assert isinstance(worker.sent[-1], protocol.Cancel)
    assert state.job.cancelling
    robustness.now[0] = CANCEL_PATIENCE / 2
    robustness.poll()
    assert robustness.examining
    robustness.now[0] = CANCEL_PATIENCE + 1
    robustness.poll()
    assert (robustness.examining, state.job) == (False, None)


def test_an_engine_that_dies_is_told(state, worker, runner, robustness):
    robustness.start()
    hear(runner, worker, protocol.Stopped("The engine stopped (signal 9)."))
    assert not robustness.examining
    assert state.job is None


@pytest.mark.parametrize("why", ["untrained", "missing", "busy"])
def test_what_cannot_begin_says_why(state, worker, runner, why):
    missing = "torch is not installed" if why == "missing" else ""
    robustness = RobustnessController(state, worker, runner, missing=lambda: missing)
    if why == "untrained":
        state.training_choice = TrainingChoice(epoch=0)
    elif why == "busy":
        state.job = Job("a run")
    robustness.start()
    assert not robustness.examining
    expected = {"untrained": "Train a network", "missing": "Torch is not", "busy": "else is being"}
    assert expected[why] in state.message.text


def test_the_result_in_the_folder_of_a_training_is_found_again(state, robustness, run, tmp_path):
    (tmp_path / FILE).write_text(to_json(result(complete=True)))
    state.perspective = "explore"
    state.perspective = "training"
    assert state.robustness == result(complete=True)
    (tmp_path / FILE).write_text("{}")
    state.training_shown = None
    assert state.robustness is None
    state.training_shown = 1
    assert state.robustness is None
    assert "no result of a robustness study" in state.robustness_note


def test_a_result_of_another_place_can_be_opened(state, robustness, tmp_path):
    path = tmp_path / "other.json"
    path.write_text(to_json(result()))
    robustness.open_file(path)
    assert state.robustness == result()
    assert state.robustness_from == str(path)
    state.training_shown = None
    assert state.robustness_from == ""
    with pytest.raises(UserError, match=r"gone.json: the result cannot be read"):
        robustness.open_file(tmp_path / "gone.json")


def test_the_engine_keeps_the_epoch_with_the_result(run, monkeypatch):
    asked = {}
    monkeypatch.setattr(loading.robustness, "examine", lambda *_, **more: asked.update(more))
    engine = loading.LocalEngine.__new__(loading.LocalEngine)
    engine.examine(protocol.Examine(1, run.training, trained().folder, 1, Study()))
    assert asked["epoch"] == 1


class Line:
    def __init__(self, until):
        self.sent, self._until = [], until

    def send(self, reply):
        self.sent.append(reply)

    def cancelled(self, number):
        return len(self.sent) >= self._until

    def orders(self, number):
        return []


@pytest.mark.parametrize("until", [1, 99])
def test_the_engine_tells_the_last_of_a_study_and_closes_it(until):
    closed = []

    def steps():
        try:
            for k in range(50):
                yield Progress("asked", k / 49, 0.0, result())
        finally:
            closed.append(True)

    line = Line(until)
    learning.examine(line, 7, steps())
    assert closed
    assert all(reply.number == 7 for reply in line.sent)
    if until == 99:
        assert line.sent[-1].progress.fraction == 1.0
        assert len(line.sent) < 50  # several a second are enough
    else:
        assert len(line.sent) == 1
