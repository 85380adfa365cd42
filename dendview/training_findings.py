"""What the views of a training draw: answers, responses and weights of the epoch that is shown.

:func:`wanted` says what a state asks for, :func:`dendview.training_finding.find` computes it.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from dendview.training import (
    TrainingRun,
    find_run,
    shown_epoch,
    snapshot,
)
from engine.experiments.hpc_net.analysis import (
    Answers,
    Response,
    WeightCounts,
)
from engine.experiments.hpc_net.data import Dataset
from engine.experiments.hpc_net.network import Network
from engine.experiments.hpc_net.spec import Training
from engine.exporting.training_run import (
    Snapshot,
)
from engine.types import FloatArray, IntArray

if TYPE_CHECKING:
    from dendview.state import AppState

WeightsShown = Literal["after", "before", "change"]


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
