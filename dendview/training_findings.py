"""What the views of a training draw: answers, responses and weights of the epoch that is shown.

:func:`wanted` says what a state asks for, :func:`find` computes it (not on the window's thread).
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from dendview.training import (
    TrainingRun,
    dataset,
    find_run,
    network,
    shown_epoch,
    snapshot,
)
from engine.errors import UserError
from engine.experiments.hpc_net.analysis import (
    Answers,
    Response,
    WeightCounts,
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
from engine.experiments.hpc_net.network import Network
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
from engine.types import FloatArray, IntArray

if TYPE_CHECKING:
    from dendview.state import AppState

AnyWay = Shortcut | Compartmental
WeightsShown = Literal["after", "before", "change"]

MOST_SHOWN = 400
"""Samples a gallery shows."""
OF_A_CLASS = 64
"""Test images of a class that a mean response is taken over."""
REFERENCE = 24
"""Test images whose responses decide the limits of voltages."""


@dataclass(frozen=True, eq=False)
class Wanted:
    """What is looked at.

    Attributes
    ----------
    run : int
        TrainingRun.number.
    training
    first, shown, last : Snapshot
        The untrained network, the one of the epoch that is shown, and the newest, which gives the
        limits of colors and axes.
    label, answer : int or None
        Of the samples in the gallery.
    sample : int or None
        Of the test images.
    mean : bool
        Responses to the class of that image, not to it alone.
    """

    run: int
    training: Training
    first: Snapshot
    shown: Snapshot
    last: Snapshot
    label: int | None
    answer: int | None
    sample: int | None
    mean: bool

    @property
    def key(self) -> tuple[object, ...]:
        """Equal where the same is looked at."""
        return tuple(vars(self).values())


@dataclass(frozen=True, eq=False)
class Gallery:
    """Test samples in the order in which they are shown.

    Attributes
    ----------
    sample : (n,) int32
    said : (n,) int32
        What the network answers.
    confidence : (n,) or None
        Probability of that answer; None where it was not computed.
    n_all : int
        Of which these are the first.
    """

    sample: IntArray
    said: IntArray
    confidence: FloatArray | None
    n_all: int


@dataclass(frozen=True, eq=False)
class Findings:
    """What was computed of a :class:`Wanted`.

    Attributes
    ----------
    wanted
    data, network
    gallery : Gallery or None
        None where the epoch was not tested.
    sample : int
        The test image that is shown.
    answers : Answers or None
        To that image: rows of the untrained and of the shown network.
    before, after : Response
    spike_time, spike_pixel
        Of the image's input neurons.
    hidden_counts, output_counts : WeightCounts
        Of the untrained and the shown network.
    weight_limit, voltage_limit : float
        Of colors and axes; the same for all epochs of a run.
    """

    wanted: Wanted
    data: Dataset
    network: Network
    gallery: Gallery | None
    sample: int
    answers: Answers
    before: Response
    after: Response
    spike_time: FloatArray
    spike_pixel: IntArray
    hidden_counts: WeightCounts
    output_counts: WeightCounts
    weight_limit: float
    voltage_limit: float

    @property
    def epoch(self) -> int:
        return self.wanted.shown.epoch

    @property
    def label(self) -> int:
        """Of the shown image."""
        return int(self.data.test_labels[self.sample])

    @property
    def time(self) -> FloatArray:
        """(n_time,) ms."""
        return np.arange(self.network.n_time, dtype=np.float64) * self.network.spec.cell.dt

    def image(self, sample: int) -> FloatArray:
        """(rows, columns) brightness from 0 to 1 of a test image."""
        levels: FloatArray = self.data.levels[self.data.test[sample]]
        return levels.reshape(self.data.shape)


def shown_run(state: "AppState") -> TrainingRun | None:
    """The training whose results are looked at."""
    return find_run(state.training_runs, state.training_shown)


def wanted(state: "AppState") -> Wanted | None:
    """What the state asks for; None where no training is shown or none of its epochs is kept.

    Raises
    ------
    UserError
        If the files of the run cannot be read.
    """
    run, choice = shown_run(state), state.training_choice
    epoch = shown_epoch(run, choice)
    if run is None or epoch is None:
        return None
    return Wanted(
        run.number,
        run.training,
        snapshot(run, run.kept[0]),
        snapshot(run, epoch),
        snapshot(run, run.kept[-1]),
        choice.label,
        choice.answer,
        choice.sample,
        state.training_mean,
    )


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
