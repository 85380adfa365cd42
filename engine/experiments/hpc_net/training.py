"""Training as a generator: progress after every batch, pausing is not asking for more.

Everything a run goes on from is its :class:`State`; a run resumed from any state gives the same
bits as one that was never stopped. Sending a number into the generator changes the rate.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Literal

import numpy as np

from engine.errors import UnstableError, UserError
from engine.experiments.hpc_net.data import Dataset
from engine.experiments.hpc_net.network import Network, Weights, first_weights, make_network
from engine.experiments.hpc_net.optimizer import Memory, step
from engine.experiments.hpc_net.rule import outcome, output_errors, predict, rule_named
from engine.experiments.hpc_net.spec import Learning, Training, bad_rate
from engine.experiments.hpc_net.state import Epoch, Evaluation, Point, Progress, RateChange, State
from engine.experiments.hpc_net.ways import Way
from engine.types import FloatArray, IntArray

POINTS_PER_EPOCH = 20
"""Of the curves of loss and accuracy."""
TEST_BATCH = 64
"""Samples of testing between two progresses."""
NO_NUMBER = "the loss is no number any more"


@dataclass
class _Clock:
    """Speed of late and how much is to be done; knows nothing that the numbers depend on."""

    total: float
    seconds_per_sample: float = 0.0
    begin: float = field(default_factory=perf_counter)

    def note(self, n_sample: int) -> float:
        """Seconds since the last call."""
        now = perf_counter()
        seconds, self.begin = now - self.begin, now
        new = seconds / max(n_sample, 1)
        old = self.seconds_per_sample
        self.seconds_per_sample = new if old == 0 else 0.9 * old + 0.1 * new
        return seconds

    def progress(
        self,
        state: State,
        phase: Literal["learning", "testing"],
        done: float,
        loss: float,
        accuracy: float,
        test: Evaluation | None = None,
        trouble: str = "",
    ) -> Progress:
        """After so many samples of the whole run; testing one costs half of learning one."""
        speed = self.seconds_per_sample
        return Progress(
            state,
            phase,
            loss,
            accuracy,
            min(done / self.total, 1.0),
            1.0 / speed if speed else 0.0,
            (self.total - done) * speed if speed else float("inf"),
            test,
            trouble,
        )


def prepare(training: Training, data: Dataset) -> Network:
    """The network of a training run on its data.

    Raises
    ------
    UserError
        As :func:`engine.experiments.hpc_net.network.make_network`; or the learning is impossible.
    """
    training.learning.check(training.network.cell.duration)
    rule_named(training.learning.rule)
    network = make_network(training.network, data.n_in, len(data.classes), data.levels)
    network.window(training.learning.start, training.learning.stop)
    return network


def start(network: Network, learning: Learning) -> State:
    """The state before the first batch."""
    return State(first_weights(network), Memory(), learning.rate)


def train(
    way: Way, data: Dataset, learning: Learning, state: State | None = None
) -> Generator[Progress, float | None, None]:
    """Learn and test, epoch after epoch.

    Parameters
    ----------
    way
        How the network runs.
    data
    learning
        What was said at the start; ``rate`` counts only without a state.
    state
        To resume from; by default the beginning.

    Yields
    ------
    Progress
        After every batch, of learning and of testing. A number sent in is the rate from the next
        batch on.

    Raises
    ------
    UserError
        If the labels or the learning are impossible.
    """
    learning.check(way.network.spec.cell.duration)
    n_train, n_test = len(data.train), len(data.test)
    n_batch = -(-n_train // learning.batch)
    every = max(1, n_batch // POINTS_PER_EPOCH)
    state = state or start(way.network, learning)
    good, clock = state, _Clock(learning.epochs * (n_train + n_test / 2))

    while state.epoch < learning.epochs:
        order = epoch_order(learning, n_train, state.epoch)
        before = state.epoch * (n_train + n_test / 2)
        if state.batch == 0:
            good = state
        clock.begin = perf_counter()
        while state.batch < n_batch:
            chosen = order[state.batch * learning.batch : (state.batch + 1) * learning.batch]
            after, loss, right = _learn(way, data, chosen, state, learning)
            if isinstance(after, str):
                why, accuracy = _blown_up(after, state, n_batch), right / len(chosen)
                yield clock.progress(good, "learning", before, loss, accuracy, trouble=why)
                return
            state = _counted(after, loss, right, len(chosen), n_batch, every)
            state = replace(state, seconds=state.seconds + clock.note(len(chosen)))
            done = before + min(state.batch * learning.batch, n_train)
            sent = yield clock.progress(state, "learning", done, loss, right / len(chosen))
            clock.begin = perf_counter()
            state = with_rate(state, sent, learning, n_train)
        found: list[tuple[IntArray, FloatArray]] = []
        for part in range(0, n_test, TEST_BATCH):
            if found:
                so_far = _judged(data, found)
                done = before + n_train + part / 2
                sent = yield clock.progress(state, "testing", done, so_far.loss, so_far.accuracy)
                state = with_rate(state, sent, learning, n_train)
            some = slice(part, part + TEST_BATCH)
            images, labels = data.test[some], data.test_labels[some]
            answers = _test(way, images, labels, state.weights, learning)
            if isinstance(answers, str):
                why = _blown_up(answers, state, n_batch)
                yield clock.progress(good, "testing", before, float("nan"), 0.0, trouble=why)
                return
            found.append(answers)
        judged = _judged(data, found)
        state = _next_epoch(state, judged, learning)
        done = before + n_train + n_test / 2
        sent = yield clock.progress(state, "testing", done, judged.loss, judged.accuracy, judged)
        state = with_rate(state, sent, learning, n_train)


def ask(
    way: Way, images: np.ndarray, labels: IntArray, weights: Weights, learning: Learning
) -> tuple[IntArray, FloatArray]:
    """(n_sample,) answers and losses."""
    output = way.voltages(images, weights).output
    errors = output_errors(way.network, output, labels, learning)
    return predict(way.network, output, learning), errors.loss


def evaluate(way: Way, data: Dataset, weights: Weights, learning: Learning) -> Evaluation:
    """The network on all test samples."""
    parts = [slice(k, k + TEST_BATCH) for k in range(0, len(data.test), TEST_BATCH)]
    return _judged(
        data, [ask(way, data.test[p], data.test_labels[p], weights, learning) for p in parts]
    )


def _judged(data: Dataset, found: list[tuple[IntArray, FloatArray]]) -> Evaluation:
    """Answers and losses of the first test samples beside their labels."""
    answers = np.concatenate([answer for answer, _ in found])
    labels = data.test_labels[: len(answers)]
    return Evaluation(
        float((answers == labels).mean()),
        float(np.concatenate([loss for _, loss in found]).mean()),
        confusion(labels, answers, len(data.classes)),
        answers,
    )


def confusion(labels: IntArray, answers: IntArray, n_class: int) -> IntArray:
    """(n_class, n_class) samples by label and answer."""
    table = np.zeros((n_class, n_class), np.int32)
    np.add.at(table, (labels, answers), 1)
    return table


def epoch_order(learning: Learning, n_train: int, epoch: int) -> IntArray:
    """The order of the samples; depends on seed and epoch alone."""
    if not learning.shuffle:
        return np.arange(n_train, dtype=np.int32)
    rng = np.random.default_rng([learning.seed, epoch])
    return rng.permutation(n_train).astype(np.int32)


def good_states(run: Iterator[Progress]) -> Iterator[Progress]:
    """Pass progress on; raises where a run ends in trouble.

    Raises
    ------
    UserError
        With the trouble's sentence.
    """
    for progress in run:
        yield progress
        if progress.trouble:
            raise UserError(progress.trouble)


def _learn(
    way: Way, data: Dataset, chosen: IntArray, state: State, learning: Learning
) -> tuple[State | str, float, int]:
    """The state with the weights of after a batch, its loss, how many right.

    In place of the state what went wrong, where the weights give no numbers.
    """
    images, labels = data.train[chosen], data.train_labels[chosen]
    with np.errstate(over="ignore", invalid="ignore"):  # looked for here
        try:
            found = outcome(way, images, labels, state.weights, learning)
        except UnstableError as error:
            return str(error), float("nan"), 0
        weights, memory = step(
            state.weights, found.direction, state.rate, learning.optimizer, state.memory
        )
    good = np.isfinite(found.loss) and weights.finite
    after = replace(state, weights=weights, memory=memory) if good else NO_NUMBER
    return after, found.loss, found.right


def _test(
    way: Way, images: np.ndarray, labels: IntArray, weights: Weights, learning: Learning
) -> tuple[IntArray, FloatArray] | str:
    """As :func:`ask`, or what went wrong, where the weights give no numbers."""
    with np.errstate(over="ignore", invalid="ignore"):
        try:
            answer, loss = ask(way, images, labels, weights, learning)
        except UnstableError as error:
            return str(error)
    return (answer, loss) if np.isfinite(loss).all() else NO_NUMBER


def _blown_up(what: str, state: State, n_batch: int) -> str:
    """Why a run ends where its weights give no numbers."""
    at = state.epoch + state.batch / n_batch
    if what == NO_NUMBER:
        return (
            f"{what} in epoch {at:.2f}: the rate {state.rate:g} is too large; go on from the start "
            "of the epoch with a smaller one"
        )
    return (
        f"in epoch {at:.2f} {what}; where it went well before, the rate {state.rate:g} is too "
        "large: go on from the start of the epoch with a smaller one"
    )


def _counted(state: State, loss: float, right: int, n: int, n_batch: int, every: int) -> State:
    """The state with one more batch in its sums and curves."""
    batch = state.batch + 1
    seen = state.seen_since + n
    loss_since, right_since = state.loss_since + loss * n, state.right_since + right
    points = state.points
    if batch % every == 0 or batch == n_batch:
        at = state.epoch + batch / n_batch
        points = (*points, Point(at, loss_since / seen, right_since / seen, state.rate))
        loss_since, right_since, seen = 0.0, 0, 0
    return replace(
        state,
        batch=batch,
        loss=state.loss + loss * n,
        right=state.right + right,
        seen=state.seen + n,
        loss_since=loss_since,
        right_since=right_since,
        seen_since=seen,
        points=points,
    )


def _next_epoch(state: State, test: Evaluation, learning: Learning) -> State:
    row = Epoch(
        state.epoch + 1,
        state.loss / max(state.seen, 1),
        state.right / max(state.seen, 1),
        test.loss,
        test.accuracy,
        state.rate,
        state.seconds,
    )
    return replace(
        state,
        epoch=state.epoch + 1,
        batch=0,
        loss=0.0,
        right=0,
        seen=0,
        seconds=0.0,
        rate=state.rate * learning.cool,
        epochs=(*state.epochs, row),
    )


def with_rate(state: State, rate: float | None, learning: Learning, n_train: int) -> State:
    """The state with another rate from its next batch on, noted; None keeps it.

    Raises
    ------
    UserError
        If the rate is no positive number.
    """
    if rate is None or rate == state.rate:
        return state
    if not 0 < rate < float("inf"):
        raise bad_rate(rate)
    at = state.epoch + state.batch / -(-n_train // learning.batch)
    return replace(state, rate=rate, changes=(*state.changes, RateChange(at, rate)))
