"""Compute what the views of a training draw; not on the window's thread."""

from functools import lru_cache
from pathlib import Path

import numpy as np

from dendview.training import TrainingRun, dataset, network
from dendview.training_findings import Findings, Gallery, Wanted
from engine.errors import UserError
from engine.experiments.hpc_net.analysis import (
    Answers,
    Response,
    ask_about,
    chosen_samples,
    count_weights,
    input_spikes,
    respond,
    weight_limit,
    weights_by_node,
)
from engine.experiments.hpc_net.compartmental import Compartmental
from engine.experiments.hpc_net.data import Dataset
from engine.experiments.hpc_net.shortcut import Shortcut
from engine.experiments.hpc_net.spec import Training
from engine.experiments.hpc_net.training import evaluate, start
from engine.exporting.training_run import (
    EPOCHS,
    Snapshot,
    kept_epochs,
    read_folder,
    save_snapshot,
)

AnyWay = Shortcut | Compartmental

MOST_SHOWN = 400
"""Samples a gallery shows."""
OF_A_CLASS = 64
"""Test images of a class that a mean response is taken over."""
REFERENCE = 24
"""Test images whose responses decide the limits of voltages."""


def find(asked: Wanted) -> Findings:
    """Compute what is looked at; what was computed of late is not computed again.

    Raises
    ------
    UserError
        If the data or the network cannot be had any more.
    """
    training, shown = asked.training, asked.shown
    data, net, way = dataset(training.data), network(training), way_of(training)
    gallery = _gallery(way, training, shown, asked.label, asked.answer)
    sample = asked.sample
    if sample is None or not 0 <= sample < len(data.test):
        sample = int(gallery.sample[0]) if gallery is not None and len(gallery.sample) else 0
    image = data.test[sample]
    limits = _limits(way, training, asked.first, asked.last)
    both = (asked.first.weights, shown.weights)
    said = [ask_about(way, image[None], weights, training.learning) for weights in both]
    time, pixel = input_spikes(net, image)
    whole = int(data.test_labels[sample]) if asked.mean else None
    return Findings(
        wanted=asked,
        data=data,
        network=net,
        gallery=gallery,
        sample=sample,
        answers=Answers(
            np.concatenate([s.answer for s in said]),
            np.concatenate([s.probability for s in said]),
        ),
        before=_response(way, data, asked.first, sample, whole),
        after=_response(way, data, shown, sample, whole),
        spike_time=time,
        spike_pixel=pixel,
        hidden_counts=count_weights([w.hidden for w in both]),
        output_counts=count_weights([w.output for w in both], 41),
        weight_limit=limits[0],
        voltage_limit=limits[1],
    )


def keep_epochs(run: TrainingRun) -> tuple[int, ...]:
    """Keep the first and the last network of a training that has a checkpoint alone.

    The command line leaves such ones. Gives the epochs that can be looked at then.

    Raises
    ------
    UserError
        If the checkpoint cannot be used, or the folder cannot be written.
    """
    folder = Path(run.folder)
    training, state = read_folder(folder)
    if state is None or state.epoch == 0 or state.batch:
        raise UserError("no whole epoch of this training is kept; resume it to see its results")
    way, data = way_of(training), dataset(training.data)
    test = evaluate(way, data, state.weights, training.learning)
    (folder / EPOCHS).mkdir(exist_ok=True)
    save_snapshot(Snapshot(0, start(way.network, training.learning).weights, None), folder)
    save_snapshot(Snapshot(state.epoch, state.weights, test), folder)
    return kept_epochs(folder)


@lru_cache(maxsize=2)
def way_of(training: Training) -> AnyWay:
    """How the responses are computed: one thread, and not that of the window; not for two at once.

    Raises
    ------
    UserError
        If the network cannot be made.
    """
    net = network(training)
    try:
        return Shortcut(net, threads=1)
    except UserError:  # not linear: every neuron is simulated
        return Compartmental(net)


@lru_cache(maxsize=16)
def _gallery(
    way: AnyWay, training: Training, shown: Snapshot, label: int | None, answer: int | None
) -> Gallery | None:
    """Wrong answers, the surest first; right ones the other way round."""
    if shown.test is None:
        return None
    data = dataset(training.data)
    labels, said = data.test_labels, shown.test.answer
    sample = chosen_samples(labels, said, label, answer)
    n_all = len(sample)
    if not isinstance(way, Shortcut):  # seconds for every image
        sample = sample[:MOST_SHOWN]
        return Gallery(sample, said[sample], None, n_all)
    found = ask_about(way, data.test[sample], shown.weights, training.learning)
    sure = found.probability[np.arange(n_all), said[sample]]
    wrong = said[sample] != labels[sample]
    order = np.lexsort((np.where(wrong, -sure, sure), ~wrong))[:MOST_SHOWN]
    sample = sample[order]
    return Gallery(sample, said[sample], sure[order], n_all)


@lru_cache(maxsize=32)
def _response(
    way: AnyWay, data: Dataset, shown: Snapshot, sample: int, label: int | None
) -> Response:
    """Of an image, or the mean over test images of a class."""
    if label is None:
        return respond(way, data.test[sample : sample + 1], shown.weights)
    most = OF_A_CLASS if isinstance(way, Shortcut) else 4
    chosen = np.flatnonzero(data.test_labels == label)[:most]
    return respond(way, data.test[chosen], shown.weights)


@lru_cache(maxsize=8)
def _limits(
    way: AnyWay, training: Training, first: Snapshot, last: Snapshot
) -> tuple[float, float]:
    """Of the weights at a place of the dendrites, and of the hidden voltages (mV)."""
    net, data = way.network, dataset(training.data)
    places = [
        weights_by_node(net, snap.weights, j)
        for snap in (first, last)
        for j in range(net.spec.n_hidden)
    ]
    n = REFERENCE if isinstance(way, Shortcut) else 1
    voltages = [way.voltages(data.test[:n], snap.weights).hidden for snap in (first, last)]
    return weight_limit(places, 0.95), weight_limit(voltages, 0.998)
