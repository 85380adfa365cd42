"""A training run as files."""

import csv
from dataclasses import replace
from xml.etree import ElementTree

import h5py
import numpy as np
import pytest

from engine.errors import FileError
from engine.experiments.hpc_net.compartmental import Compartmental
from engine.experiments.hpc_net.network import first_weights, make_network
from engine.experiments.hpc_net.shortcut import Shortcut
from engine.experiments.hpc_net.spec import Learning, Optimizer, Training
from engine.experiments.hpc_net.state import Evaluation, State
from engine.experiments.hpc_net.training import evaluate, train
from engine.exporting.training import (
    export_curves_csv,
    export_epochs_csv,
    export_weights_hdf5,
    load_checkpoint,
    save_checkpoint,
)
from engine.exporting.training_figure import confusion_svg, curves_svg, diverging, responses_svg
from tests.engine.experiments.hpc_net.conftest import LEVELS, N_IN, N_OUT, tiny_spec

LEARNING = Learning(rate=0.1, epochs=2, batch=8, shuffle=True, optimizer=Optimizer("adam"))
TRAINING = Training(tiny_spec(), LEARNING, "three")


@pytest.fixture(scope="module")
def states(shortcut, data) -> list[State]:
    generator = train(shortcut, data, LEARNING)
    found = [next(generator), generator.send(0.05), *generator]
    return [progress.state for progress in found]


def test_a_run_goes_on_from_a_file_with_the_same_bits(shortcut, data, states, tmp_path):
    path = tmp_path / "checkpoint.h5"
    for stop in (0, 5, 8):
        save_checkpoint(TRAINING, states[stop], path)
        training, state = load_checkpoint(path)
        assert training == TRAINING
        if stop == 0:
            continue  # the rate that was sent after it is not in it
        last = [p.state for p in train(shortcut, data, training.learning, state)][-1]
        for one, other in zip(last.weights.parts, states[-1].weights.parts, strict=True):
            np.testing.assert_array_equal(one, other)
        assert last.points == states[-1].points
        assert last.changes == states[-1].changes
        assert isinstance(last.epochs[0].number, int)


def test_what_is_no_checkpoint_is_refused(states, tmp_path):
    path = tmp_path / "checkpoint.h5"
    with pytest.raises(FileError, match="cannot be read"):
        load_checkpoint(path)
    path.write_bytes(b"nothing of that kind")
    with pytest.raises(FileError, match="cannot be read"):
        load_checkpoint(path)
    save_checkpoint(TRAINING, states[-1], path)
    with h5py.File(path, "a") as file:
        del file["weights/output"]
    with pytest.raises(FileError, match="cannot be read"):
        load_checkpoint(path)
    with h5py.File(path, "a") as file:
        file.attrs["format"] = "other"
    with pytest.raises(FileError, match="no checkpoint of a training"):
        load_checkpoint(path)
    with pytest.raises(FileError, match="cannot be written"):
        save_checkpoint(TRAINING, states[-1], tmp_path / "missing" / "checkpoint.h5")


def test_tables_hold_every_epoch_and_point(states, tmp_path):
    export_epochs_csv(TRAINING, states[-1], tmp_path / "epochs.csv")
    export_curves_csv(TRAINING, states[-1], tmp_path / "curves.csv")
    for name, rows in (("epochs", states[-1].epochs), ("curves", states[-1].points)):
        program, recipe, *lines = (tmp_path / f"{name}.csv").read_text("utf-8").splitlines()
        assert program.startswith("# program: DendView")
        assert '"format": "dendview-training"' in recipe
        table = list(csv.DictReader(lines))
        assert len(table) == len(rows)
        column = "test_accuracy" if name == "epochs" else "accuracy"
        assert [float(row[column]) for row in table] == [getattr(row, column) for row in rows]


def test_weights_say_where_their_synapses_sit(network, states, tmp_path):
    path = tmp_path / "weights.h5"
    export_weights_hdf5(network, states[-1].weights, path)
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["hidden"][:], states[-1].weights.hidden)
        tree = network.model.tree
        i, j, q = 3, 2, 1
        section = file["section_names"].asstr()[file["section"][i, j, q]]
        node = tree.locate(section, file["x"][i, j, q])
        assert node == network.node[i, j, q]
        assert file["resistance"][i, j, q] == network.resistance[node]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_drawings_are_well_formed_and_hold_what_they_show(states, theme):
    drawn = ElementTree.fromstring(curves_svg(states[-1], "a < b", theme))
    space = {"s": "http://www.w3.org/2000/svg"}
    lines = drawn.findall("s:polyline", space)
    assert [len(line.get("points").split()) for line in lines] == [len(states[-1].points)] * 2
    texts = [text.text for text in drawn.findall("s:text", space)]
    assert {"a < b", "rate 0.05", "test samples"} <= set(texts)
    test = Evaluation(0.5, 1.0, np.array([[3, 1], [2, 4]], np.int32), np.zeros(10, np.int32))
    drawn = ElementTree.fromstring(confusion_svg(test, ("bag", "ankle boot"), theme))
    texts = [text.text for text in drawn.findall("s:text", space)]
    assert {"3", "1", "2", "4", "bag", "50.00 % of 10 test samples right"} <= set(texts)
    voltages = np.array([[0.0, 1.0], [0.0, -2.0]])
    drawn = ElementTree.fromstring(responses_svg(0 * voltages, voltages, 0.25, "x", theme))
    colors = [rect.get("fill") for rect in drawn.findall("s:rect", space)][1:9]
    nothing, half, lowest = (diverging(x, theme) for x in (0.0, 0.5, -1.0))
    assert colors == [nothing] * 4 + [nothing, half, nothing, lowest]
    assert curves_svg(State(states[0].weights, states[0].memory, 0.1), "nothing yet")


def test_a_trained_network_answers_alike_when_it_is_simulated(data):
    """The last lines of the two ways: the same answers to a few test images."""
    network = make_network(tiny_spec(n_hidden=2), N_IN, N_OUT, LEVELS)
    few = replace(data, test=data.test[:2], test_labels=data.test_labels[:2])
    weights = first_weights(network)
    one = evaluate(Shortcut(network), few, weights, LEARNING)
    other = evaluate(Compartmental(network), few, weights, LEARNING)
    np.testing.assert_array_equal(one.answer, other.answer)
    assert one.loss == pytest.approx(other.loss, rel=1e-9)
