"""Trainings in the engine's process: what they are made of, how they are steered."""

from dataclasses import replace

import pytest

from dendview.worker import trainer
from dendview.worker.learning import joined, train
from dendview.worker.protocol import Train, Trained
from dendview.worker.trainer import Trainer
from engine.experiments.hpc_net.spec import PRESETS, HpcNet, hidden_cell
from engine.exporting.training import load_checkpoint
from engine.exporting.training_run import CHECKPOINT, Order, read_folder


@pytest.fixture(scope="module")
def small():
    quick = PRESETS["quick"]
    network = HpcNet(cell=hidden_cell("sample:spn", axon="keep"), n_hidden=4)
    return replace(quick, network=network, learning=replace(quick.learning, epochs=2))


@pytest.fixture(scope="module")
def worker():
    return Trainer()


class Line:
    """A pipe that asks for what a test wants after so many words."""

    def __init__(self, orders=(), cancel_after=None):
        self.sent, self._orders, self._cancel_after = [], list(orders), cancel_after

    def send(self, reply):
        self.sent.append(reply)

    def cancelled(self, number):
        return self._cancel_after is not None and len(self.sent) > self._cancel_after

    def orders(self, number):
        return [self._orders.pop(0)] if self._orders and len(self.sent) > 0 else []


def test_a_batch_that_does_not_fit_is_refused_and_a_smaller_one_goes_on(
    worker, small, tmp_path, monkeypatch
):
    monkeypatch.setattr(trainer, "free_memory", lambda: 1000)
    with pytest.raises(MemoryError, match="bytes are needed"):
        next(worker.train(Train(1, small, str(tmp_path))))
    assert read_folder(tmp_path)[1] is None
    monkeypatch.setattr(trainer, "free_memory", lambda: None)
    steps = worker.train(Train(2, small, str(tmp_path), resume=True, batch=8))
    kept = next(steps)
    steps.close()
    assert kept.n_batch == 180  # of 1437 images
    training, _ = load_checkpoint(tmp_path / CHECKPOINT)
    assert training.learning.batch == 8


def test_orders_are_heard_although_a_cancel_comes_with_them(worker, small, tmp_path):
    line = Line([Order(rate=0.02)], cancel_after=1)
    train(line, 3, worker.train(Train(3, small, str(tmp_path))))
    assert all(isinstance(reply, Trained) and reply.number == 3 for reply in line.sent)
    _, state = load_checkpoint(tmp_path / CHECKPOINT)
    assert [change.rate for change in state.changes] == [0.02]
    again = Line()
    train(again, 4, worker.train(Train(4, small, str(tmp_path), resume=True)))
    last = again.sent[-1]
    assert (len(last.epochs), last.fraction, last.kept) == (2, 1.0, (0, 1, 2))
    assert [change.rate for change in last.changes] == [0.02]


def test_a_training_that_is_over_goes_on_for_more_epochs_at_another_rate(worker, small, tmp_path):
    one = replace(small, learning=replace(small.learning, epochs=1))
    line = Line()
    train(line, 5, worker.train(Train(5, one, str(tmp_path))))
    assert len(line.sent[-1].epochs) == 1
    train(line, 6, worker.train(Train(6, small, str(tmp_path), resume=True, rate=0.01)))
    assert len(line.sent[-1].epochs) == 2
    assert [change.rate for change in line.sent[-1].changes] == [0.01]


def test_several_orders_are_one():
    assert joined([]) is None
    assert joined([Order(rate=0.1), Order(save=True), Order(rate=0.3)]) == Order(0.3, True)
