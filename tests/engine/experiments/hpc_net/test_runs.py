"""Trainings that are kept on disk: what is written when, what goes on from it, a full disk."""

from dataclasses import replace

import numpy as np
import pytest

from engine.errors import UserError
from engine.experiments.hpc_net.compartmental import Compartmental
from engine.experiments.hpc_net.spec import Learning, Training
from engine.exporting import training_run
from engine.exporting.training import load_checkpoint
from engine.exporting.training_run import (
    CHECKPOINT,
    Folder,
    Order,
    kept_epochs,
    kept_run,
    load_snapshot,
    read_folder,
    with_batch,
)
from tests.engine.experiments.hpc_net.conftest import tiny_spec

LEARNING = Learning(rate=0.3, epochs=3, batch=8)
PLENTY = 10**12, 10**12


def folder_of(path, room=lambda _: PLENTY, **changes):
    return Folder(path, Training(tiny_spec(), replace(LEARNING, **changes), "three"), room)


def test_a_whole_run_leaves_a_checkpoint_and_every_epoch(tmp_path, shortcut, data):
    last = list(kept_run(shortcut, data, folder_of(tmp_path)))[-1]
    assert last.epochs == kept_epochs(tmp_path) == (0, 1, 2, 3)
    assert last.saved == 3
    final = load_snapshot(tmp_path, 3)
    state = last.progress.state
    np.testing.assert_array_equal(final.weights.hidden, state.weights.hidden)
    assert final.test.accuracy == state.epochs[-1].test_accuracy
    assert final.test.confusion.sum() == len(final.test.answer) == len(data.test)
    assert load_snapshot(tmp_path, 0).test is None
    training, kept = read_folder(tmp_path)
    assert training == folder_of(tmp_path).training
    assert kept.epochs == state.epochs


def test_a_closed_run_goes_on_with_the_same_bits(tmp_path, shortcut, data):
    whole = list(kept_run(shortcut, data, folder_of(tmp_path / "whole")))[-1].progress.state
    folder = folder_of(tmp_path / "parts")
    steps = kept_run(shortcut, data, folder)
    for _ in range(12):
        next(steps)
    steps.close()
    _, state = load_checkpoint(folder.path / CHECKPOINT)
    assert state.batch > 0 or state.epoch
    again = folder_of(tmp_path / "parts")
    words = list(kept_run(shortcut, data, again, state))
    assert words[0].saved == folder.saved  # known before anything is saved again
    end = words[-1].progress.state
    np.testing.assert_array_equal(end.weights.hidden, whole.weights.hidden)
    np.testing.assert_array_equal(end.weights.output, whole.weights.output)
    assert again.epochs == (0, 1, 2, 3)


def test_orders_change_the_rate_and_save_at_once(tmp_path, shortcut, data):
    steps = kept_run(shortcut, data, folder_of(tmp_path))
    first = next(steps)
    assert first.saved is None
    second = steps.send(Order(rate=0.1))
    assert second.progress.state.rate == 0.1
    assert second.progress.state.changes[0].rate == 0.1
    third = steps.send(Order(save=True))
    assert third.saved == pytest.approx(third.progress.state.batch / third.n_batch)
    steps.close()


def test_a_full_disk_ends_the_run_and_the_last_checkpoint_stays(tmp_path, shortcut, data):
    left = [10**12]
    folder = folder_of(tmp_path, lambda _: (left[0], 10**12))
    found = []
    for kept in kept_run(shortcut, data, folder):
        found.append(kept)
        if len(kept.epochs) == 2:  # the first epoch is done
            left[0] = 10**6
    assert "the disk has 1 MB left" in found[-1].trouble
    assert "make room on it, then resume" in found[-1].trouble
    assert load_checkpoint(tmp_path / CHECKPOINT)[1].epoch == 1
    assert not any(kept.warning for kept in found[:-1])


def test_little_room_is_told_and_the_run_goes_on(tmp_path, shortcut, data):
    folder = folder_of(tmp_path, lambda _: (5 * 10**9, 10**11), epochs=1)
    last = list(kept_run(shortcut, data, folder))[-1]
    assert last.warning.startswith("5 GB of the disk's 100 GB are left")
    assert not last.trouble


def test_a_loss_that_is_no_number_leaves_the_last_good_state(tmp_path, shortcut, data):
    steps = kept_run(shortcut, data, folder_of(tmp_path))
    kept = next(k for k in steps if k.progress.test is not None)
    steps.send(Order(rate=1e300))
    *_, last = steps
    assert "too large" in last.trouble
    _, state = load_checkpoint(tmp_path / CHECKPOINT)
    assert state.epoch >= kept.progress.state.epoch
    assert state.weights.finite


@pytest.mark.parametrize(("batch", "phase"), [(6, "learning"), (12, "testing")])
def test_voltages_that_blow_up_leave_the_last_good_state(tmp_path, network, data, batch, phase):
    """A simulation refuses them in a batch, or in the test of an epoch with one batch alone."""
    few = replace(
        data,
        train=data.train[:12], train_labels=data.train_labels[:12],
        test=data.test[:6], test_labels=data.test_labels[:6],
    )  # fmt: skip
    folder = folder_of(tmp_path, batch=batch, rate=1e7)
    *_, last = kept_run(Compartmental(network), few, folder)
    assert "left ±10000 mV" in last.trouble
    assert "the rate 1e+07 is too large: go on from the start of the epoch" in last.trouble
    assert last.progress.phase == phase
    _, state = load_checkpoint(tmp_path / CHECKPOINT)
    assert (state.epoch, state.batch) == (0, 0)
    first = load_snapshot(tmp_path, 0).weights
    np.testing.assert_array_equal(state.weights.hidden, first.hidden)


def test_epochs_are_thinned_where_they_take_too_much(tmp_path, shortcut, data, monkeypatch):
    monkeypatch.setattr(training_run, "MOST_BYTES", 5 * 20_000)
    folder = folder_of(tmp_path, epochs=12)
    last = list(kept_run(shortcut, data, folder))[-1]
    assert last.epochs == kept_epochs(tmp_path)
    assert last.epochs[0] == 0
    assert last.epochs[-1] == 12
    assert 3 <= len(last.epochs) < 10


def test_smaller_batches_go_on_where_the_larger_ones_were(tmp_path, shortcut, data):
    steps = kept_run(shortcut, data, folder_of(tmp_path))
    for _ in range(3):
        kept = next(steps)
    training, state = with_batch(folder_of(tmp_path).training, kept.progress.state, 3)
    steps.close()
    assert state.batch * 3 <= kept.progress.state.batch * 8 < (state.batch + 1) * 3
    folder = Folder(tmp_path / "more", training, lambda _: PLENTY)
    assert list(kept_run(shortcut, data, folder, state))[-1].progress.state.epoch == 3


def test_a_folder_without_a_training_is_refused(tmp_path):
    with pytest.raises(UserError, match="holds no training"):
        read_folder(tmp_path)
    (tmp_path / "training.json").write_text("{}")
    with pytest.raises(UserError, match="not the recipe"):
        read_folder(tmp_path)
