"""A study counts right answers, keeps its pieces, and goes on with them."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.errors import FileError, UserError
from engine.experiments.hpc_net.network import make_network
from engine.experiments.hpc_net.shortcut import Shortcut
from engine.experiments.hpc_net.spec import Learning
from engine.experiments.hpc_net.training import ask
from engine.experiments.robustness import (
    SUBJECTS,
    Descent,
    Study,
    examine,
    examining,
    from_json,
    progress,
)
from engine.experiments.robustness.images import (
    disturbed,
    finer,
    finer_network,
    random_directions,
    whole_steps,
)
from engine.experiments.robustness.pieces import key_of, load_piece, save_piece
from engine.experiments.robustness.progress import Clock
from tests.engine.experiments.hpc_net.conftest import N_IN, N_OUT, tiny_spec

LEARNING = Learning()


@pytest.fixture
def begin(network, weights, data, tmp_path, nets):
    def begun(study, **more):
        return examine(study, network, weights, LEARNING, data, tmp_path, threads=1, **more)

    return begun


def test_points_are_right_answers_to_disturbed_images(
    begin, study, network, weights, data, tmp_path
):
    result = list(begin(study))[-1].result
    assert result.complete
    assert result.shape == (12, 5, 3)
    assert [(c.subject, c.disturbance) for c in result.curves] == [
        (subject, way)
        for subject in SUBJECTS
        for way in ("attack", "noise")
        if (subject, way) != ("resnet", "noise")
    ]
    fine = finer(data)
    way = Shortcut(finer_network(network, fine.levels), threads=1)
    directions = {
        "attack": np.where(fine.test > 120, -1, 1).astype(np.int8),
        "noise": random_directions(fine.test.shape, study.seed),
    }
    for kind, direction in directions.items():
        curve = result.curve("hpc_net", kind)
        assert [p.epsilon for p in curve.points] == [0, 0.1, 0.3]
        assert [p.applied for p in curve.points] == [0, 24 / 240, 72 / 240]
        for point in curve.points:
            images = disturbed(fine.test, direction, whole_steps(point.epsilon, 241), 241)
            answer, _ = ask(way, images, data.test_labels, weights, LEARNING)
            assert point.right == (answer == data.test_labels).sum()
            assert point.n == 30
    assert all(len(p.others) == 1 for p in result.curve("ann").points)
    right = (fine.test[:, 1] % 3 == data.test_labels).sum()
    assert result.curve("resnet").points[0].right == right
    assert from_json((tmp_path / "robustness.json").read_text("utf-8")) == result


def test_moved_synapses_are_asked_as_a_network_without_dendrites(
    begin, study, network, weights, data
):
    result = list(begin(study))[-1].result
    fine = finer(data)
    way = Shortcut(make_network(tiny_spec(placement="soma"), N_IN, N_OUT, fine.levels), threads=1)
    scaled = replace(weights, hidden=weights.hidden * network.factor)
    answer, _ = ask(way, fine.test, data.test_labels, scaled, LEARNING)
    assert result.curve("moved").points[0].right == (answer == data.test_labels).sum()
    dendrites = Shortcut(finer_network(network, fine.levels), threads=1)
    one = ask(dendrites, fine.test, data.test_labels, weights, LEARNING)[0] == data.test_labels
    other = answer == data.test_labels
    alone = (
        [k for k in range(30) if one[k] and not other[k]],
        [k for k in range(30) if other[k] and not one[k]],
    )
    assert result.curve("moved").points[0].discordant == (len(alone[0]), len(alone[1]))
    for kind in ("attack", "noise"):
        pairs = zip(
            result.curve("hpc_net", kind).points, result.curve("moved", kind).points, strict=True
        )
        for p, q in pairs:
            assert p.discordant is None
            assert q.discordant[0] - q.discordant[1] == p.right - q.right
        assert any(sum(q.discordant) for q in result.curve("moved", kind).points)


def test_the_epoch_that_is_examined_is_told_with_the_result(begin, study, tmp_path):
    run = begin(study, epoch=3)
    assert next(run).result.epoch == 3
    run.close()
    assert from_json((tmp_path / "robustness.json").read_text("utf-8")).epoch == 3


def test_an_ann_is_given_what_it_learned_from(begin, study, data, tmp_path):
    """The first ANN's answers, from its arrays by hand."""
    result = list(begin(study))[-1].result
    fine = finer(data)
    with np.load(tmp_path / "ann-1.npz") as file:
        hidden = fine.levels[fine.test] @ file["net/1.weight"].T + file["net/1.bias"]
        output = np.maximum(hidden, 0) @ file["net/3.weight"].T + file["net/3.bias"]
    right = (output.argmax(axis=1) == data.test_labels).sum()
    assert result.curve("ann").points[0].right == right


def test_progress_grows_to_the_end(begin, study):
    seen = list(begin(study))
    fractions = [p.fraction for p in seen]
    assert fractions == sorted(fractions)
    assert fractions[0] < 0.5
    assert fractions[-1] == 1
    assert seen[-2].fraction == pytest.approx(1)  # all steps together are the whole
    assert not any(p.result.complete for p in seen[:-1])
    assert seen[0].result.curves == ()


def test_time_to_come_is_told_from_what_was_done_not_from_what_was_found(monkeypatch):
    now = iter((10.0, 14.0, 20.0))
    monkeypatch.setattr(progress, "perf_counter", lambda: next(now))
    clock = Clock(total=100.0)
    clock.note(30, found=True)
    assert clock.remaining == float("inf")
    clock.note(10)  # at 10 s; what it took is not counted
    assert clock.remaining == float("inf")
    clock.note(20)
    assert clock.fraction == 0.6
    assert clock.remaining == 4 / 20 * 40  # at 14 s


def test_a_finished_study_is_not_made_again(begin, study, nets):
    first = list(begin(study))[-1].result
    nets.asked.clear()
    again = list(begin(study))
    assert nets.asked == []
    assert again[-1].result == first


def test_a_closed_study_goes_on_where_it_was(begin, study, nets):
    run = begin(study)
    for _ in range(3):
        next(run)
    run.close()
    whole = list(begin(study))[-1].result
    assert nets.asked[:3] == ["surrogate from 0", "surrogate from 3", "attack"]
    assert nets.asked.count("attack") == 1
    assert whole.complete


def test_a_study_stopped_among_answers_asks_only_for_the_rest(begin, study, nets):
    run = begin(study)
    for seen in run:
        if seen.result.curve("resnet") is not None:
            break
    run.close()
    n = nets.asked.count("resnet")
    list(begin(study))
    assert nets.asked.count("resnet") == n + 2  # three sizes, of which one was kept


def test_other_settings_make_other_pieces(begin, study, nets):
    list(begin(study))
    nets.asked.clear()
    more = Study((0.1, 0.2), repeats=1, surrogate=study.surrogate, ann=study.ann)
    list(begin(more))
    assert set(nets.asked) == {"resnet"}  # the attack's directions hold for every size
    nets.asked.clear()
    longer = Study(study.epsilons, repeats=1, surrogate=Descent(7, 10, 0.1), ann=study.ann)
    list(begin(longer))
    assert nets.asked[:2] == ["surrogate from 0", "attack"]
    assert "ann from 0" not in nets.asked


def test_a_damaged_piece_is_made_again(begin, study, nets, tmp_path):
    first = list(begin(study))[-1].result
    for name in ("attack.npz", "ann-1.npz"):
        path = tmp_path / name
        path.write_bytes(path.read_bytes()[:200])
    nets.asked.clear()
    assert list(begin(study))[-1].result == first
    assert nets.asked == ["attack", "ann from 0"]


def test_fewer_images_are_the_first_ones(begin, study, network, weights, data):
    few = Study((0.1,), n=7, repeats=1, surrogate=study.surrogate, ann=study.ann)
    result = list(begin(few))[-1].result
    assert (result.n_test, result.n_all) == (7, 30)
    answer, _ = ask(
        Shortcut(network, threads=1), data.test[:7], data.test_labels[:7], weights, LEARNING
    )
    right = (answer == data.test_labels[:7]).sum()
    assert result.curve("hpc_net").points[0].right == right


def test_a_simulated_network_has_no_control_behind_its_membranes(begin, study, monkeypatch):
    monkeypatch.setattr(examining, "Compartmental", lambda network: Shortcut(network, threads=1))
    last = list(begin(study, simulate=True))[-1]
    assert last.result.curve("passed_ann") is None
    assert last.result.curve("moved") is None
    assert last.result.curve("encoded_ann") is not None
    assert last.result.complete


def test_impossible_settings_end_before_anything_is_made(begin, tmp_path):
    with pytest.raises(UserError, match="an epsilon of 2"):
        next(begin(Study((2.0,))))
    assert not list(tmp_path.iterdir())


def test_a_piece_is_given_back_only_for_what_it_was_made_from(tmp_path):
    path, values = tmp_path / "piece.npz", {"a": np.arange(3), "b": np.array(2.5)}
    key = key_of("x", np.arange(4), 0.1, Descent(1, 2, 0.3))
    save_piece(path, key, values)
    found = load_piece(path, key)
    assert set(found) == {"a", "b"}
    np.testing.assert_array_equal(found["a"], values["a"])
    assert load_piece(path, key_of("x", np.arange(4), 0.1, Descent(1, 2, 0.4))) is None
    assert load_piece(path, key_of("x", np.arange(4.0), 0.1, Descent(1, 2, 0.3))) is None
    assert load_piece(tmp_path / "none.npz", key) is None


def test_a_folder_that_takes_no_files_is_told_before_the_work(begin, study, tmp_path, nets):
    tmp_path.chmod(0o500)
    try:
        if os.access(tmp_path, os.W_OK):
            pytest.skip("this user may write everywhere")
        with pytest.raises(FileError, match="choose a folder you may write to"):
            next(begin(study))
    finally:
        tmp_path.chmod(0o700)
    assert nets.asked == []


def test_a_folder_that_is_gone_is_told_before_the_work(network, weights, data, study, nets):
    run = examine(study, network, weights, LEARNING, data, Path("/nowhere/at/all"), threads=1)
    with pytest.raises(FileError, match="choose a folder that exists"):
        next(run)
    assert nets.asked == []
